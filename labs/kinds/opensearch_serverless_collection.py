"""OpenSearch Serverless collections: the vector store that a knowledge base leaves behind, which costs by the hour with
nothing in it.

AWS never takes the machines (OCUs) of a collection back to nothing, and lets collections with the same key share them.
So the least is counted once for those that share, on the oldest of them: counted with each, a student with five would
read five times the bill; counted with none, $350 a month would be nowhere. When the oldest goes, the next one carries
it. What a busy collection takes above the least is in no list, and is said to be left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import mark
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
    "UPDATE_FAILED": RUNNING,
    "DELETING": DELETING,
    "FAILED": FAILED,
}
# Half a unit to index and half a unit to search; twice that with a standby in another zone, which is the default.
LEAST, LEAST_WITH_STANDBY = 1, 2
MADE_BY_BEDROCK = "bedrock-knowledge-base-"


class OpenSearchServerlessCollection(Kind):
    name, service, identity = "opensearch-serverless-collection", "opensearchserverless", NAME
    title, icon, cost_service = "OpenSearch Serverless collection", "search", "OpenSearch Serverless"
    arn_type = "aoss:collection"
    can_create = False
    stop_means = "delete"
    goes_after = ("bedrock-knowledge-base",)  # which empties its part of the collection when it is deleted
    signals = (
        Signal("AWS/AOSS", "SearchRequestRate", "CollectionId"),
        Signal("AWS/AOSS", "IngestionRequestRate", "CollectionId"),
    )
    kept_on_stop = gettext_noop("A collection has no stop: it is deleted, with all that is in it.")
    lost_on_delete = gettext_noop("All that is in it is lost: a knowledge base on it finds nothing any more.")

    def observe(self, client, want: Want) -> Seen:
        for seen in self.find_all(client):
            if seen.aws_id == want.aws_id or (not want.aws_id and seen.name == want.name):
                return _with_tags(client, seen)
        return GONE_FROM_AWS

    def delete(self, client, want: Want, seen: Seen) -> None:
        if seen.state == DELETING:
            return
        if seen.facts.get("protected"):
            client.update_collection(id=seen.aws_id, deletionProtection="DISABLED")
            return
        client.delete_collection(id=seen.aws_id)

    def off_call(self, want: Want) -> OffCall | None:
        return OffCall("opensearchserverless", "deleteCollection", {"Id": want.aws_id}) if want.aws_id else None

    def find_all(self, client) -> Iterable[Seen]:
        details = _details(client)
        carried = _carried(details)
        for detail in details:
            yield _seen(detail, carried.get(detail["id"], 0))

    def meters(self, seen: Seen) -> list[Meter]:
        """The least that AWS keeps running, by the hour and used or not, where this one carries it."""
        units = Decimal(seen.facts.get("least_ocus", 0))
        if seen.state != RUNNING or not units:
            return []
        label = f"{units} OCU, the least that AWS keeps running"
        return [Meter("OpenSearch Serverless", "ocu", "indexing-or-search", "OCU-Hrs", units, label=label)]

    def dimensions(self, signal: Signal, seen: Seen) -> list[dict[str, str]]:
        account = seen.facts["arn"].split(":")[4]
        return [{"ClientId": account, "CollectionId": seen.aws_id, "CollectionName": seen.name}]


def _details(client) -> list[Mapping[str, Any]]:
    """Every collection of the region: the list has neither type nor key, and one call more tells them of a hundred."""
    details: list[Mapping[str, Any]] = []
    asked: dict[str, Any] = {"maxResults": 100}
    while True:
        page = client.list_collections(**asked)
        ids = [each["id"] for each in page.get("collectionSummaries", ())]
        if ids:
            details += client.batch_get_collection(ids=ids)["collectionDetails"]
        if not page.get("nextToken"):
            return details
        asked["nextToken"] = page["nextToken"]


def _carried(details: list[Mapping[str, Any]]) -> dict[str, int]:
    """{id of the oldest of those that share their OCUs: the least OCUs that they share}."""
    sharing: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for detail in details:
        if STATES[detail["status"]] == RUNNING:
            # A key of their own, a group, and vectors as against everything else: each has OCUs of its own.
            is_vectors = detail.get("type") == "VECTORSEARCH"
            at = (detail.get("kmsKeyArn", ""), detail.get("collectionGroupName", ""), is_vectors)
            sharing.setdefault(at, []).append(detail)
    carried = {}
    for those in sharing.values():
        oldest = min(those, key=lambda detail: (detail.get("createdDate", 0), detail["id"]))
        has_standby = any(detail.get("standbyReplicas") != "DISABLED" for detail in those)
        carried[oldest["id"]] = LEAST_WITH_STANDBY if has_standby else LEAST
    return carried


def _with_tags(client, seen: Seen) -> Seen:
    listed = client.list_tags_for_resource(resourceArn=seen.facts["arn"])["tags"]
    tags = {tag["key"]: tag["value"] for tag in listed}
    return Seen(seen.state, seen.aws_id, seen.name, seen.since, seen.facts, tags, seen.mark)


def _seen(detail: Mapping[str, Any], least_ocus: int) -> Seen:
    status = detail["status"]
    facts = {
        "arn": detail["arn"],
        "status": status,
        "type": detail.get("type", ""),
        "least_ocus": least_ocus,
        "protected": detail.get("deletionProtection") == "ENABLED",
        "of_bedrock": detail["name"].startswith(MADE_BY_BEDROCK),
        "not_accrued": gettext_noop("OCUs of OpenSearch Serverless above the least, and its storage"),
    }
    if detail.get("failureMessage"):
        facts["failure"] = detail["failureMessage"]
    made = detail.get("createdDate")
    return Seen(
        STATES[status],
        aws_id=detail["id"],
        name=detail["name"],
        since=datetime.fromtimestamp(made / 1000, UTC) if made and status in ("CREATING", "ACTIVE") else None,
        facts=facts,
        # So that the census looks at the one that carries the least from now on.
        mark=mark(status, least_ocus),
        whole=False,
    )
