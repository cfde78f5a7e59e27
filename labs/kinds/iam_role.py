"""IAM roles for a service (EC2, SageMaker), under the path /lab/, with what they may do set by configure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from labs.kinds.aws_words import code_of, mark, tag_dict, tag_list, utc
from labs.kinds.base import GONE_FROM_AWS, NAME, RUNNING, Kind, Seen, Want

PATH = "/lab/"
# Not to be listed: what AWS makes for itself, and the roles by which the portal and the students come in.
AWS_OWN = ("/aws-service-role/", "/aws-reserved/")
PORTALS_OWN = ("/lab/controller", "/lab/student", "/lab/deadman")


class IAMRole(Kind):
    """params: trust (a service, "ec2.amazonaws.com"), and as wanted: managed_policies ([ARN]), inline_policies
    ({name: document}), permissions_boundary (ARN), description."""

    name, service, identity = "iam-role", "iam", NAME
    title, icon, cost_service, arn_type = "IAM role", "fingerprint", "IAM", "iam:role"
    is_global = True
    is_free, goes_after = True, ("instance-profile",)

    def create(self, client, want: Want) -> None:
        boundary = want.params.get("permissions_boundary")
        client.create_role(
            RoleName=want.name,
            Path=PATH,
            AssumeRolePolicyDocument=json.dumps(_trust(want.params["trust"])),
            Description=str(want.params.get("description") or "Made for a lab"),
            Tags=tag_list(want.tags),
            **({"PermissionsBoundary": boundary} if boundary else {}),
        )

    def observe(self, client, want: Want) -> Seen:
        try:
            role = client.get_role(RoleName=want.aws_id or want.name)["Role"]
        except client.exceptions.NoSuchEntityException:
            return GONE_FROM_AWS
        return _seen(role)

    def configure(self, client, want: Want, seen: Seen) -> bool:
        role, done = seen.aws_id, True
        attached = _attached(client, role)
        for policy in want.params.get("managed_policies", ()):
            if policy not in attached:
                client.attach_role_policy(RoleName=role, PolicyArn=policy)
                done = False
        for policy, document in want.params.get("inline_policies", {}).items():
            if _inline(client, role, policy) != document:
                client.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))
                done = False
        return done

    def delete(self, client, want: Want, seen: Seen) -> None:
        """A role lets go of its profiles and policies first: a dozen calls at most, by IAM's own limits."""
        role = seen.aws_id
        for page in client.get_paginator("list_instance_profiles_for_role").paginate(RoleName=role):
            for profile in page["InstanceProfiles"]:
                client.remove_role_from_instance_profile(
                    InstanceProfileName=profile["InstanceProfileName"], RoleName=role
                )
        for policy in _attached(client, role):
            client.detach_role_policy(RoleName=role, PolicyArn=policy)
        for page in client.get_paginator("list_role_policies").paginate(RoleName=role):
            for policy in page["PolicyNames"]:
                client.delete_role_policy(RoleName=role, PolicyName=policy)
        client.delete_role(RoleName=role)

    def find_all(self, client) -> Iterable[Seen]:
        for page in client.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 1000}):
            for role in page["Roles"]:
                whole_path = role["Path"] + role["RoleName"]
                if not role["Path"].startswith(AWS_OWN) and whole_path not in PORTALS_OWN:
                    yield _seen(role, whole=False)  # ListRoles leaves tags out

    def complete(self, client, glimpsed: Seen, tags: Mapping[str, str] | None = None) -> Seen:
        if tags is None:
            return super().complete(client, glimpsed)
        return replace(glimpsed, tags=tags, whole=True)  # ListRoles leaves out nothing else

    def tags_of_all(self, client_of: Callable[[str], Any]) -> dict[str, dict[str, str]]:
        """The tagging API leaves roles out; this one tells a thousand of them, policies and all."""
        pages = client_of("iam").get_paginator("get_account_authorization_details")
        pages = pages.paginate(Filter=["Role"], PaginationConfig={"PageSize": 1000})
        return {role["Arn"]: tag_dict(role.get("Tags")) for page in pages for role in page["RoleDetailList"]}


def _trust(service: str) -> dict[str, Any]:
    who = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [who]}


def _attached(client, role: str) -> list[str]:
    pages = client.get_paginator("list_attached_role_policies").paginate(RoleName=role)
    return [policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"]]


def _inline(client, role: str, policy: str) -> Mapping[str, Any] | None:
    try:
        return client.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    except client.exceptions.ClientError as error:
        if code_of(error) == "NoSuchEntity":
            return None
        raise


def _seen(role: Mapping[str, Any], whole: bool = True) -> Seen:
    return Seen(
        RUNNING,
        aws_id=role["RoleName"],
        name=role["RoleName"],
        since=utc(role["CreateDate"]),
        facts={"arn": role["Arn"], "path": role["Path"]},
        tags=tag_dict(role.get("Tags")),
        mark=mark(role["CreateDate"]),
        whole=whole,
    )
