"""What SageMaker Studio's kinds have in common: they stand in a domain, whose id AWS makes, and go in one order: apps,
then spaces, then profiles, then the domain. AWS refuses any other.

Each kind's delete asks for all that stands in it, so that what a student opened in a lab's domain goes with the lab.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from labs.kinds.aws_words import mark, utc
from labs.kinds.base import ABSENT, DELETING, FAILED, GONE_FROM_AWS, PENDING, RUNNING, Seen, Want
from labs.kinds.sagemaker_named import SageMakerKind, pages_of

STATES = {
    "Pending": PENDING,
    "InService": RUNNING,
    "Updating": RUNNING,
    "Update_Failed": RUNNING,
    "Failed": FAILED,
    "Delete_Failed": FAILED,
    "Deleting": DELETING,
    "Deleted": ABSENT,  # apps are listed for a day after their end
}
LEAST_IDLE_MINUTES = 60  # AWS takes no less
A_CALL = 100  # of what is in the way, asked for in one delete


class StudioKind(SageMakerKind):
    """A Studio kind also says which AWS ids are its own (`is_id`), and what its id will be, where that can be told."""

    not_in_practice = "Practice mode has no SageMaker Studio: nothing would open. In a real account it is all there."

    def is_id(self, text: str) -> bool:
        return "/" in text

    def own_id(self, want: Want) -> str:
        """The id of what the want names, told from its params; '' where only a list can tell."""
        return f"{want.params['domain']}/{want.name}" if want.params.get("domain") else ""

    def observe(self, client, want: Want) -> Seen:
        found = want.aws_id if self.is_id(want.aws_id) else self.own_id(want)
        if not found:
            name = want.aws_id or want.name
            found = next((seen.aws_id for seen in self.find_all(client) if seen.name == name), "")
        return self._described(client, found, want.tags or None) if found else GONE_FROM_AWS


def seen_of(
    answer: Mapping[str, Any],
    aws_id: str,
    name: str,
    facts: Mapping[str, Any],
    tags: Mapping[str, str] | None = None,
    *,
    when: str = "LastModifiedTime",
) -> Seen:
    """What a describe (with tags) or a line of a list (without) says of one. when: the member that dates its state."""
    status = answer["Status"]
    failure = {"failure": answer["FailureReason"]} if answer.get("FailureReason") else {}
    return Seen(
        STATES[status],
        aws_id=aws_id,
        name=name,
        since=utc(answer[when]),
        facts={"status": status, **facts, **failure},
        tags=tags or {},
        mark=mark(status, answer[when]),
        whole=tags is not None,
    )


def apps_gone(client, domain: str, **where: str) -> bool:
    """Ask for the end of the apps in a domain (or of a UserProfileNameEquals, a SpaceNameEquals in it). Were there none
    left?"""
    apps = _standing(client, "list_apps", "Apps", domain, where)
    left = list(islice((app for app in apps if STATES[app["Status"]] != ABSENT), A_CALL))
    for app in left:
        if app["Status"] != "Deleting":
            client.delete_app(**identity_of(app))
    return not left


def spaces_gone(client, domain: str, owner: str = "") -> bool:
    """Ask for the end of the spaces in a domain where no app is left, or of those of one profile, their apps first.
    Were there none left?"""
    spaces = _standing(client, "list_spaces", "Spaces", domain, {})
    left = list(islice((space for space in spaces if not owner or owner_of(space) == owner), A_CALL))
    for space in left:
        name = space["SpaceName"]
        if space["Status"] != "Deleting" and (not owner or apps_gone(client, domain, SpaceNameEquals=name)):
            client.delete_space(DomainId=domain, SpaceName=name)
    return not left


def profiles_gone(client, domain: str) -> bool:
    """Ask for the end of the profiles of a domain in which neither app nor space is left. Were there none left?"""
    left = list(islice(_standing(client, "list_user_profiles", "UserProfiles", domain, {}), A_CALL))
    for profile in left:
        if profile["Status"] != "Deleting":
            client.delete_user_profile(DomainId=domain, UserProfileName=profile["UserProfileName"])
    return not left


def identity_of(app: Mapping[str, Any]) -> dict[str, str]:
    """The members by which AWS knows an app: its domain, type and name, and the space or the profile that it is of."""
    members = ("DomainId", "SpaceName", "UserProfileName", "AppType", "AppName")
    return {member: app[member] for member in members if app.get(member)}


def owner_of(space: Mapping[str, Any]) -> str:
    settings = space.get("OwnershipSettingsSummary") or space.get("OwnershipSettings") or {}
    return settings.get("OwnerUserProfileName", "")


def _standing(
    client, operation: str, member: str, domain: str, where: Mapping[str, str]
) -> Iterable[Mapping[str, Any]]:
    asked = {"DomainIdEquals": domain, **where}
    for page in client.get_paginator(operation).paginate(**asked, PaginationConfig={"PageSize": A_CALL}):
        yield from page[member]


def listed_everywhere(client, operation: str, member: str) -> Iterable[Mapping[str, Any]]:
    """Of all domains in one list. Without what has ended."""
    return (each for each in pages_of(client, operation, member) if STATES[each["Status"]] != ABSENT)
