"""Kendra indexes: more than a dollar an hour from the moment they are there, asked or not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.aws import is_not_there
from labs.kinds.aws_words import mark, tag_dict, utc
from labs.kinds.base import (
    DELETING,
    FAILED,
    GONE_FROM_AWS,
    NAME,
    PENDING,
    RUNNING,
    Kind,
    Meter,
    OffCall,
    Seen,
    Signal,
    Want,
)

STATES = {
    "CREATING": PENDING,
    "ACTIVE": RUNNING,
    "UPDATING": RUNNING,
    "SYSTEM_UPDATING": RUNNING,
    "DELETING": DELETING,
    "FAILED": FAILED,
}
# Kendra's words for what the price list calls by another name; an edition that is not here has no price, and says so.
EDITIONS = {"DEVELOPER_EDITION": "developer", "ENTERPRISE_EDITION": "enterprise"}


class KendraIndex(Kind):
    name, service, identity = "kendra-index", "kendra", NAME
    title, icon, cost_service, arn_type = "Kendra index", "search", "Kendra", "kendra:index"
    can_create = False
    stop_means = "delete"
    not_in_practice = "Practice mode has no Kendra: its indexes are only found, metered and deleted in a real account."
    signals = (Signal("AWS/Kendra", "IndexQueryCount", "IndexId"),)
    kept_on_stop = gettext_noop(
        "An index has no stop: it is deleted, with its data sources. The documents themselves are kept."
    )
    lost_on_delete = gettext_noop(
        "The index and the settings of its data sources are lost; the documents themselves stay."
    )

    def observe(self, client, want: Want) -> Seen:
        found = want.aws_id or next((each.aws_id for each in self.find_all(client) if each.name == want.name), "")
        if not found:
            return GONE_FROM_AWS
        try:
            answer = client.describe_index(Id=found)
        except client.exceptions.ClientError as error:
            if is_not_there(error):
                return GONE_FROM_AWS
            raise
        # It names its role's account, and nowhere itself.
        _, partition, _, _, account, _ = answer["RoleArn"].split(":", 5)
        arn = f"arn:{partition}:kendra:{client.meta.region_name}:{account}:index/{answer['Id']}"
        units = answer.get("CapacityUnits", {})
        facts = {
            "arn": arn,
            "edition": answer.get("Edition", ""),
            "more_storage": int(units.get("StorageCapacityUnits") or 0),
            "more_queries": int(units.get("QueryCapacityUnits") or 0),
            "not_accrued": gettext_noop("Scans and connectors of Kendra"),
        }
        if answer.get("ErrorMessage"):
            facts["failure"] = answer["ErrorMessage"]
        tags = tag_dict(client.list_tags_for_resource(ResourceARN=arn).get("Tags"))
        return _seen(answer, facts, tags, whole=True)

    def delete(self, client, want: Want, seen: Seen) -> None:
        if seen.state not in (DELETING, PENDING):  # while it is made it costs nothing, and cannot go yet
            client.delete_index(Id=seen.aws_id)

    def off_call(self, want: Want) -> OffCall | None:
        return OffCall("kendra", "deleteIndex", {"Id": want.aws_id}) if want.aws_id else None

    def find_all(self, client) -> Iterable[Seen]:
        asked: dict[str, Any] = {"MaxResults": 100}
        while True:
            page = client.list_indices(**asked)
            for each in page.get("IndexConfigurationSummaryItems", ()):
                yield _seen(each, {"edition": each.get("Edition", "")}, {}, whole=False)
            if not page.get("NextToken"):
                return
            asked["NextToken"] = page["NextToken"]

    def meters(self, seen: Seen) -> list[Meter]:
        """By the hour from when it is there until it is deleted, empty or not; what was bought beyond the edition's own
        capacity is apart (Kendra pricing)."""
        if seen.state != RUNNING:
            return []
        facts = seen.facts
        edition = EDITIONS.get(facts.get("edition", ""), facts.get("edition") or "unknown")
        meters = [Meter("Kendra", edition, "base", "Hrs", label=f"index, {edition} edition")]
        for fact, sku in (("more_storage", "storage-unit"), ("more_queries", "query-unit")):
            if facts.get(fact):
                units = Decimal(facts[fact])
                meters.append(Meter("Kendra", edition, sku, "Hrs", units, label=f"{units} more {sku}"))
        return meters


def _seen(answer: Mapping[str, Any], facts: Mapping[str, Any], tags: Mapping[str, str], *, whole: bool) -> Seen:
    status = answer["Status"]
    return Seen(
        STATES[status],
        aws_id=answer["Id"],
        name=answer["Name"],
        since=utc(answer["UpdatedAt"]),
        facts={"status": status, **facts},
        tags=tags,
        mark=mark(status, answer["UpdatedAt"]),
        whole=whole,
    )
