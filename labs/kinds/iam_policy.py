"""Customer managed policies of IAM. Those of AWS itself are in every account, and nobody's to delete."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import mark, tag_dict, tag_list, utc
from labs.kinds.base import GONE_FROM_AWS, NAME, RUNNING, Kind, Seen, Want
from labs.kinds.iam_identity import PATH, is_not_listed, pages_of

DETACHED_A_CALL = 50


class IAMPolicy(Kind):
    """params: document (the policy as a mapping), and as wanted description."""

    name, service, identity = "iam-policy", "iam", NAME
    title, icon, cost_service, arn_type = "IAM policy", "file-text", "IAM", "iam:policy"
    is_global = is_free = id_is_arn = True
    lost_on_delete = gettext_noop("Who has it attached loses what it allowed.")

    def create(self, client, want: Want) -> None:
        client.create_policy(
            PolicyName=want.name,
            Path=PATH,
            PolicyDocument=json.dumps(want.params["document"]),
            Description=str(want.params.get("description") or "Made for a lab"),
            Tags=tag_list(want.tags),
        )

    def observe(self, client, want: Want) -> Seen:
        arn = want.aws_id or f"arn:aws:iam::{want.account_id}:policy{PATH}{want.name}"
        try:
            return _seen(client.get_policy(PolicyArn=arn)["Policy"])
        except client.exceptions.NoSuchEntityException:
            return GONE_FROM_AWS

    def delete(self, client, want: Want, seen: Seen) -> None:
        """Detached from everybody, fifty a call, then its older versions, then the policy itself. As a boundary it
        stays: to take that off would allow a user or a role more than before, so they go first (DeleteConflict)."""
        if not _detached(client, seen.aws_id) and not _older_versions(client, seen.aws_id):
            client.delete_policy(PolicyArn=seen.aws_id)

    def find_all(self, client) -> Iterable[Seen]:
        for policy in pages_of(client, "list_policies", "Policies", Scope="Local"):
            if not is_not_listed(policy["Path"], policy["PolicyName"]):
                yield replace(_seen(policy), whole=False)  # ListPolicies leaves tags out

    def complete(self, client, glimpsed: Seen, tags: Mapping[str, str] | None = None) -> Seen:
        if tags is None:
            return super().complete(client, glimpsed)
        return replace(glimpsed, tags=tags, whole=True)  # ListPolicies leaves out nothing else


def _detached(client, arn: str) -> int:
    """Take it off up to fifty users, groups and roles. Answers how many."""
    pages = client.get_paginator("list_entities_for_policy").paginate(
        PolicyArn=arn, PolicyUsageFilter="PermissionsPolicy"
    )
    detached = 0
    for page in pages:
        for member, name, detach in (
            ("PolicyUsers", "UserName", client.detach_user_policy),
            ("PolicyGroups", "GroupName", client.detach_group_policy),
            ("PolicyRoles", "RoleName", client.detach_role_policy),
        ):
            for holder in page[member][: DETACHED_A_CALL - detached]:
                detach(**{name: holder[name]}, PolicyArn=arn)
                detached += 1
        if detached == DETACHED_A_CALL:
            break
    return detached


def _older_versions(client, arn: str) -> int:
    """Delete every version but the one in force, which goes with the policy: IAM keeps five at most."""
    versions = pages_of(client, "list_policy_versions", "Versions", PolicyArn=arn)
    older = [version["VersionId"] for version in versions if not version["IsDefaultVersion"]]
    for version in older:
        client.delete_policy_version(PolicyArn=arn, VersionId=version)
    return len(older)


def _seen(policy: Mapping[str, Any]) -> Seen:
    return Seen(
        RUNNING,
        aws_id=policy["Arn"],
        name=policy["PolicyName"],
        since=utc(policy["CreateDate"]),
        facts={"arn": policy["Arn"], "path": policy["Path"], "attached": int(policy.get("AttachmentCount") or 0)},
        tags=tag_dict(policy.get("Tags")),
        mark=mark(policy["UpdateDate"], policy["DefaultVersionId"], policy.get("AttachmentCount") or 0),
    )
