"""Instance profiles: how a role gets onto an EC2 instance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from labs.kinds.aws_words import mark, tag_dict, tag_list, utc
from labs.kinds.base import GONE_FROM_AWS, NAME, RUNNING, Kind, Seen, Want
from labs.kinds.iam_identity import PATH, is_not_listed, pages_of


class InstanceProfile(Kind):
    """params: role (its name). A profile holds one role at most."""

    name, service, identity = "instance-profile", "iam", NAME
    title, icon, cost_service, arn_type = "Instance profile", "user", "IAM", "iam:instance-profile"
    is_global = True
    is_free, goes_after = True, ("ec2-instance", "emr-cluster")

    def create(self, client, want: Want) -> None:
        client.create_instance_profile(InstanceProfileName=want.name, Path=PATH, Tags=tag_list(want.tags))

    def observe(self, client, want: Want) -> Seen:
        try:
            answer = client.get_instance_profile(InstanceProfileName=want.aws_id or want.name)
        except client.exceptions.NoSuchEntityException:
            return GONE_FROM_AWS
        return _seen(answer["InstanceProfile"])

    def configure(self, client, want: Want, seen: Seen) -> bool:
        role = want.params.get("role")
        if not role or role in seen.facts["roles"]:
            return True
        client.add_role_to_instance_profile(InstanceProfileName=seen.aws_id, RoleName=role)
        return False

    def delete(self, client, want: Want, seen: Seen) -> None:
        for role in seen.facts["roles"]:
            client.remove_role_from_instance_profile(InstanceProfileName=seen.aws_id, RoleName=role)
        client.delete_instance_profile(InstanceProfileName=seen.aws_id)

    def find_all(self, client) -> Iterable[Seen]:
        for profile in pages_of(client, "list_instance_profiles", "InstanceProfiles"):
            if not is_not_listed(profile["Path"], profile["InstanceProfileName"]):
                yield _seen(profile, whole=False)  # ListInstanceProfiles leaves tags out

    def complete(self, client, glimpsed: Seen, tags: Mapping[str, str] | None = None) -> Seen:
        if tags is None:
            return super().complete(client, glimpsed)
        return replace(glimpsed, tags=tags, whole=True)  # ListInstanceProfiles leaves out nothing else


def _seen(profile: Mapping[str, Any], whole: bool = True) -> Seen:
    roles = sorted(role["RoleName"] for role in profile.get("Roles", ()))
    return Seen(
        RUNNING,
        aws_id=profile["InstanceProfileName"],
        name=profile["InstanceProfileName"],
        since=utc(profile["CreateDate"]),
        facts={"arn": profile["Arn"], "roles": roles},
        tags=tag_dict(profile.get("Tags")),
        mark=mark(profile["CreateDate"], *roles),
        whole=whole,
    )
