"""IAM roles for a service (EC2, SageMaker), under the path /lab/, with what they may do set by configure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from labs.kinds.aws_words import tag_list
from labs.kinds.base import Seen, Want
from labs.kinds.iam_identity import PATH, IAMIdentity, pages_of


class IAMRole(IAMIdentity):
    """params: trust (a service, "ec2.amazonaws.com"), and as wanted: managed_policies ([ARN]), inline_policies
    ({name: document}), permissions_boundary (ARN), description."""

    name, what = "iam-role", "Role"
    title, icon, arn_type = "IAM role", "fingerprint", "iam:role"
    # What works with a role is taken down by it, or works on without it until it is gone.
    goes_after = (
        "instance-profile",
        "bedrock-knowledge-base",
        "cloudformation-stack",
        "codepipeline-pipeline",
        "emr-cluster",
        "emr-serverless-application",
        "lambda-function",
        "sagemaker-endpoint",
        "sagemaker-notebook",
        "sagemaker-studio-domain",
        "step-functions-state-machine",
    )

    def create(self, client, want: Want) -> None:
        boundary = want.params.get("permissions_boundary") or want.boundary
        client.create_role(
            RoleName=want.name,
            Path=PATH,
            AssumeRolePolicyDocument=json.dumps(_trust(want.params["trust"])),
            Description=str(want.params.get("description") or "Made for a lab"),
            Tags=tag_list(want.tags),
            **({"PermissionsBoundary": boundary} if boundary else {}),
        )

    def delete(self, client, want: Want, seen: Seen) -> None:
        """A role lets go of its profiles and policies first: a dozen calls at most, by IAM's own limits. Its boundary
        stays on it until it is gone: without one, a role may do for a moment what it never might."""
        role = seen.aws_id
        for profile in pages_of(client, "list_instance_profiles_for_role", "InstanceProfiles", RoleName=role):
            client.remove_role_from_instance_profile(InstanceProfileName=profile["InstanceProfileName"], RoleName=role)
        self.drop_policies(client, role)
        client.delete_role(RoleName=role)

    def listed(self, client) -> Iterable[Mapping[str, Any]]:
        return pages_of(client, "list_roles", "Roles")


def _trust(service: str) -> dict[str, Any]:
    who = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [who]}
