"""IAM groups: policies for many users at once. IAM gives a group no tags: it is known by its name alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.base import Seen, Want
from labs.kinds.iam_identity import PATH, IAMIdentity, pages_of

MEMBERS_A_CALL = 50


class IAMGroup(IAMIdentity):
    """params, as wanted: managed_policies ([ARN]), inline_policies ({name: document}). Members are named by the users
    (iam_user.py)."""

    name, what = "iam-group", "Group"
    title, icon, arn_type = "IAM group", "users", "iam:group"
    can_tag = False
    lost_on_delete = gettext_noop("Its users stay, and lose what they were allowed through it.")

    def create(self, client, want: Want) -> None:
        client.create_group(GroupName=want.name, Path=PATH)

    def delete(self, client, want: Want, seen: Seen) -> None:
        """Its members leave, fifty a call, then its policies, then the group itself."""
        members = client.get_group(GroupName=seen.aws_id, MaxItems=MEMBERS_A_CALL)["Users"]
        for member in members:
            client.remove_user_from_group(GroupName=seen.aws_id, UserName=member["UserName"])
        if not members and not self.drop_policies(client, seen.aws_id):
            client.delete_group(GroupName=seen.aws_id)

    def listed(self, client) -> Iterable[Mapping[str, Any]]:
        return pages_of(client, "list_groups", "Groups")
