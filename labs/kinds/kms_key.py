"""KMS keys of the customer's own. None can be deleted at once: AWS waits at least seven days, and bills none of them.

A key whose deletion is scheduled counts as gone: it costs nothing and does nothing. That it can still be called back is
said where the end of a resource is told (facts["ended"]).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import code_of, mark, message_of, tags_by_arn, utc
from labs.kinds.base import (
    ABSENT,
    DELETING,
    GONE_FROM_AWS,
    PENDING,
    RUNNING,
    STOPPED,
    TAG,
    TAG_RESOURCE,
    Kind,
    Meter,
    Seen,
    Want,
)

DAYS = 7  # the shortest window that AWS allows
STATES = {
    "Creating": PENDING,
    "Enabled": RUNNING,
    "Updating": RUNNING,
    "PendingImport": RUNNING,
    "Unavailable": RUNNING,
    "Disabled": STOPPED,  # and still billed
    # A primary key whose replicas in other regions are not gone yet: its own days have not begun.
    "PendingReplicaDeletion": DELETING,
    "PendingDeletion": ABSENT,
}


class KMSKey(Kind):
    """params, as wanted: description, usage ("ENCRYPT_DECRYPT"), spec ("SYMMETRIC_DEFAULT")."""

    name, service, identity = "kms-key", "kms", TAG
    title, icon, cost_service, arn_type = "KMS key", "lock", "KMS", "kms:key"
    settle_seconds = 120
    listing_costs = True
    lost_on_delete = gettext_noop(  # 7 is DAYS
        "AWS deletes a key 7 days after it is asked to, and bills nothing for them. Until then that can be "
        "cancelled in the KMS console; after it, what was encrypted with the key cannot be read any more."
    )

    def create(self, client, want: Want) -> None:
        asked = {
            member: want.params[name]
            for name, member in (("usage", "KeyUsage"), ("spec", "KeySpec"))
            if want.params.get(name)
        }
        client.create_key(
            Description=str(want.params.get("description") or "Made for a lab"),
            Tags=[{"TagKey": name, "TagValue": value} for name, value in want.tags.items()],
            **asked,
        )

    def observe(self, client, want: Want) -> Seen:
        key_id = want.aws_id or _made_for(client, want.token)
        if not key_id:
            return GONE_FROM_AWS
        try:
            key = client.describe_key(KeyId=key_id)["KeyMetadata"]
            if STATES[key["KeyState"]] == ABSENT:
                return _scheduled(key)
            aliases = [each["AliasName"] for each in _pages(client, "list_aliases", "Aliases", KeyId=key_id)]
            # Our own row needs no tags read back; a stranger's may tell whose it is.
            return _seen(key, aliases, want.tags or _tags(client, key_id))
        except client.exceptions.NotFoundException:
            return GONE_FROM_AWS

    def configure(self, client, want: Want, seen: Seen) -> bool:
        """A key has no name. The console shows its alias in the place of one."""
        alias = f"alias/{want.name}"
        if alias in seen.facts["aliases"]:
            return True
        client.create_alias(AliasName=alias, TargetKeyId=seen.aws_id)
        return False

    def delete(self, client, want: Want, seen: Seen) -> None:
        if seen.state == DELETING:
            return
        # The names are free at once, and not only when the days are over.
        for alias in _pages(client, "list_aliases", "Aliases", KeyId=seen.aws_id):
            client.delete_alias(AliasName=alias["AliasName"])
        try:
            client.schedule_key_deletion(KeyId=seen.aws_id, PendingWindowInDays=DAYS)
        except client.exceptions.ClientError as error:
            # "... is pending deletion": it was asked for before.
            if code_of(error) != "KMSInvalidStateException" or "pending deletion" not in message_of(error):
                raise

    def find_all(self, client) -> Iterable[Seen]:
        """A call a key, since ListKeys shows nothing but ids; none for AWS's own, which their aliases tell."""
        aliases: dict[str, list[str]] = {}
        for alias in _pages(client, "list_aliases", "Aliases"):
            aliases.setdefault(alias.get("TargetKeyId", ""), []).append(alias["AliasName"])
        for listed in _pages(client, "list_keys", "Keys"):
            names = aliases.get(listed["KeyId"], [])
            if any(name.startswith("alias/aws/") for name in names):
                continue
            try:
                key = client.describe_key(KeyId=listed["KeyId"])["KeyMetadata"]
            except client.exceptions.NotFoundException:
                continue  # its days were over just now
            if key["KeyManager"] == "CUSTOMER" and STATES[key["KeyState"]] != ABSENT:
                yield replace(_seen(key, names, {}), whole=False)

    def complete(self, client, glimpsed: Seen, tags: Mapping[str, str] | None = None) -> Seen:
        if tags is None:
            return super().complete(client, glimpsed)
        return replace(glimpsed, tags=tags, whole=True)

    def tags_of_all(self, client_of: Callable[[str], Any]) -> dict[str, dict[str, str]]:
        return tags_by_arn(client_of("resourcegroupstaggingapi"), self.arn_type)

    def meters(self, seen: Seen) -> list[Meter]:
        """A dollar a month from its creation to the day its deletion is scheduled, enabled or not (KMS pricing)."""
        if seen.state in (ABSENT, PENDING):
            return []
        return [Meter("KMS", "key", "customer-managed-key", "key-Mo", per="month", label="KMS key")]


def _made_for(client, token: str) -> str:
    """The id of the key that carries the tag of this row, '' for none. KMS finds nothing by tag: each key is asked."""
    for listed in _pages(client, "list_keys", "Keys"):
        try:
            tags = _tags(client, listed["KeyId"])
        except client.exceptions.ClientError as error:
            # A policy that keeps us out is not of a key that we made; one that is gone meanwhile is not either.
            if code_of(error) in ("AccessDeniedException", "NotFoundException"):
                continue
            raise
        if tags.get(TAG_RESOURCE) == token:
            return listed["KeyId"]
    return ""


def _pages(client, operation: str, member: str, **asked: str) -> Iterable[Mapping[str, Any]]:
    for page in client.get_paginator(operation).paginate(**asked, PaginationConfig={"PageSize": 100}):
        yield from page[member]


def _tags(client, key: str) -> dict[str, str]:
    pages = client.get_paginator("list_resource_tags").paginate(KeyId=key)
    return {tag["TagKey"]: tag["TagValue"] for page in pages for tag in page["Tags"]}


def _scheduled(key: Mapping[str, Any]) -> Seen:
    day = utc(key["DeletionDate"])
    words = f"its deletion is scheduled for {day:%Y-%m-%d}; until then it can be cancelled in the KMS console"
    return Seen(ABSENT, aws_id=key["KeyId"], facts={"ended": words})


def _seen(key: Mapping[str, Any], aliases: list[str], tags: Mapping[str, str]) -> Seen:
    names = sorted(alias.removeprefix("alias/") for alias in aliases)
    return Seen(
        STATES[key["KeyState"]],
        aws_id=key["KeyId"],
        name=names[0] if names else "",
        since=utc(key["CreationDate"]) if key["KeyState"] == "Enabled" else None,
        facts={
            "arn": key["Arn"],
            "aliases": [f"alias/{name}" for name in names],
            "key_state": key["KeyState"],
            "spec": key["KeySpec"],
            "not_accrued": gettext_noop("Requests to this KMS key, and what is kept of it when it is rotated"),
        },
        tags=tags,
        mark=mark(key["KeyState"], *names),
    )
