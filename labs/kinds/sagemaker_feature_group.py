"""SageMaker feature groups. The online store costs by what it holds and by each read and write; the offline store is
files in S3, which stay, and a Glue table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import mark, tag_list, utc
from labs.kinds.base import ABSENT, DELETING, FAILED, PENDING, RUNNING, Meter, Seen, Want
from labs.kinds.sagemaker_named import SageMakerKind, pages_of

STATES = {
    "Creating": PENDING,
    "Created": RUNNING,
    "CreateFailed": FAILED,
    "Deleting": DELETING,
    "DeleteFailed": FAILED,
}
A_STEP_MB = 100


class SageMakerFeatureGroup(SageMakerKind):
    """params: record_id and event_time (names of features), features: {name: "Integral", "Fractional" or "String"},
    online (True), offline (s3://, none when not given), role_arn (for the offline store)."""

    name, title, icon = "sagemaker-feature-group", "SageMaker feature group", "table"
    arn_type, arn_member = "sagemaker:feature-group", "FeatureGroupArn"
    not_in_practice = "Practice mode has no feature store: it can neither list nor delete a feature group"
    no_off_call = "It costs by what it holds and by each call, unless throughput was reserved for it by hand"
    lost_on_delete = gettext_noop(
        "What its online store holds is lost. The files of its offline store and their Glue table stay."
    )

    def create(self, client, want: Want) -> None:
        params = want.params
        asked: dict[str, Any] = {}
        if params.get("online", True):
            asked["OnlineStoreConfig"] = {"EnableOnlineStore": True}
        if params.get("offline"):
            asked["OfflineStoreConfig"] = {"S3StorageConfig": {"S3Uri": params["offline"]}}
        if params.get("role_arn"):
            asked["RoleArn"] = params["role_arn"]
        client.create_feature_group(
            FeatureGroupName=want.name,
            RecordIdentifierFeatureName=params["record_id"],
            EventTimeFeatureName=params["event_time"],
            FeatureDefinitions=[
                {"FeatureName": feature, "FeatureType": kind} for feature, kind in params["features"].items()
            ],
            Tags=tag_list(want.tags),
            **asked,
        )

    def delete(self, client, want: Want, seen: Seen) -> None:
        if seen.state not in (PENDING, DELETING):
            client.delete_feature_group(FeatureGroupName=seen.aws_id)

    def describe(self, client, name: str) -> Mapping[str, Any]:
        return client.describe_feature_group(FeatureGroupName=name)

    def listed(self, client) -> Iterable[Mapping[str, Any]]:
        return pages_of(client, "list_feature_groups", "FeatureGroupSummaries")

    def seen(self, client, answer: Mapping[str, Any], tags: Mapping[str, str]) -> Seen:
        online = answer.get("OnlineStoreConfig") or {}
        reserved = answer.get("ThroughputConfig") or {}
        facts: dict[str, Any] = {
            "online": bool(online.get("EnableOnlineStore")),
            "storage": online.get("StorageType", "Standard"),
            # In steps, a started one counted: each write would begin a span otherwise.
            "online_mb": -(-int(answer.get("OnlineStoreTotalSizeBytes") or 0) // (A_STEP_MB * 2**20)) * A_STEP_MB,
            "reads": int(reserved.get("ProvisionedReadCapacityUnits") or 0),
            "writes": int(reserved.get("ProvisionedWriteCapacityUnits") or 0),
            "not_accrued": gettext_noop("Reads and writes of its online store"),
        }
        return _seen(answer, tags, facts, whole=True)

    def glimpsed(self, answer: Mapping[str, Any]) -> Seen:
        return _seen(answer, {}, {}, whole=False)

    def meters(self, seen: Seen) -> list[Meter]:
        """What the online store holds, by GB-month, and throughput that was reserved, by the hour."""
        facts, meters = seen.facts, []
        if seen.state == ABSENT:
            return []
        if facts["online_mb"]:
            line = "online-storage" if facts["storage"].startswith("Standard") else "in-memory-storage"
            gb, label = Decimal(facts["online_mb"]) / 1024, f"online store {facts['online_mb']} MB"
            meters.append(Meter("SageMaker", "feature-store", line, "GB-Mo", gb, per="month", label=label))
        for line, units in (("read-capacity", facts["reads"]), ("write-capacity", facts["writes"])):
            if units:
                label = f"{units} reserved {'reads' if line == 'read-capacity' else 'writes'} a second"
                meters.append(Meter("SageMaker", "feature-store", line, "Hrs", Decimal(units), label=label))
        return meters

    def would_be(self, want: Want) -> Seen:
        """Empty, and on demand: it costs nothing until something is written to it."""
        facts = {"storage": "Standard", "online_mb": 0, "reads": 0, "writes": 0}
        return Seen(RUNNING, name=want.name, facts=facts)


def _seen(answer: Mapping[str, Any], tags: Mapping[str, str], facts: Mapping[str, Any], *, whole: bool) -> Seen:
    status = answer["FeatureGroupStatus"]
    facts = {"arn": answer["FeatureGroupArn"], **facts}
    if answer.get("FailureReason"):
        facts["failure"] = answer["FailureReason"]
    return Seen(
        STATES[status],
        aws_id=answer["FeatureGroupName"],
        name=answer["FeatureGroupName"],
        since=utc(answer["CreationTime"]),
        facts=facts,
        tags=tags,
        mark=mark(status, answer["CreationTime"]),
        whole=whole,
    )
