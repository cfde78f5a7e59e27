"""IAM access keys: long-lived, and dangerous in the wrong hands. The portal makes none, and never sees a secret of one.

AWS counts them by user: there is no list of all of them, and no ARN. An id here is "aye/AKIA...".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import mark, utc
from labs.kinds.base import GONE_FROM_AWS, NAME, RUNNING, STOPPED, Kind, Seen, Want
from labs.kinds.iam_identity import pages_of


class IAMAccessKey(Kind):
    """Facts: user, key, created (an instant) and last_used: "2026-11-22", "" for never."""

    name, service, identity = "iam-access-key", "iam", NAME
    title, icon, cost_service, arn_type = "IAM access key", "key", "IAM", "iam:access-key"
    is_global = is_free = can_stop = True
    can_create = can_tag = False
    kept_on_stop = gettext_noop("The key opens nothing any more. Its user can activate it again.")
    lost_on_delete = gettext_noop(
        "What still uses it is refused, and it cannot be brought back: its user makes a new one."
    )

    def observe(self, client, want: Want) -> Seen:
        user, _, key = (want.aws_id or want.name).partition("/")
        try:
            keys = pages_of(client, "list_access_keys", "AccessKeyMetadata", UserName=user)
        except client.exceptions.NoSuchEntityException:
            return GONE_FROM_AWS
        found = next((each for each in keys if each["AccessKeyId"] == key), None)
        if found is None:
            return GONE_FROM_AWS
        used = client.get_access_key_last_used(AccessKeyId=key)["AccessKeyLastUsed"].get("LastUsedDate")
        # The day, not the moment: a key in use would have a new fact, and begin a new span, at every look.
        return _seen(found, whole=True, last_used=f"{utc(used):%Y-%m-%d}" if used else "")

    def stop(self, client, want: Want, seen: Seen) -> None:
        client.update_access_key(UserName=seen.facts["user"], AccessKeyId=seen.facts["key"], Status="Inactive")

    def delete(self, client, want: Want, seen: Seen) -> None:
        client.delete_access_key(UserName=seen.facts["user"], AccessKeyId=seen.facts["key"])

    def find_all(self, client) -> Iterable[Seen]:
        # A call a user: the credential report names all keys at once, but not by id, and is up to four hours old.
        for user in pages_of(client, "list_users", "Users"):
            try:
                keys = pages_of(client, "list_access_keys", "AccessKeyMetadata", UserName=user["UserName"])
            except client.exceptions.NoSuchEntityException:
                continue  # deleted since the list of users was read
            for key in keys:
                yield _seen(key, whole=False)


def _seen(key: Mapping[str, Any], *, whole: bool, **more: str) -> Seen:
    created = utc(key["CreateDate"])
    user, key_id = key["UserName"], key["AccessKeyId"]
    state = RUNNING if key["Status"] == "Active" else STOPPED
    return Seen(
        state,
        aws_id=f"{user}/{key_id}",
        name=f"{key_id} of {user}",
        since=created if state == RUNNING else None,  # of a deactivation AWS tells no time
        facts={"user": user, "key": key_id, "created": f"{created:%Y-%m-%dT%H:%M:%SZ}", **more},
        mark=mark(key["Status"], key["CreateDate"]),
        whole=whole,
    )
