"""SageMaker endpoints: what costs the most while nobody looks. There is no stop; the model and configuration stay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import mark, message_of, tag_list, utc
from labs.kinds.base import ABSENT, DELETING, FAILED, PENDING, RUNNING, Meter, OffCall, Seen, Signal, Want
from labs.kinds.sagemaker_endpoint_config import VARIANT
from labs.kinds.sagemaker_named import SageMakerKind, is_not_there, pages_of

STATES = {
    "Creating": PENDING,
    "InService": RUNNING,
    # The old machines answer, and cost, until the new ones do.
    "Updating": RUNNING,
    "SystemUpdating": RUNNING,
    "RollingBack": RUNNING,
    "OutOfService": FAILED,
    "Failed": FAILED,
    "UpdateRollbackFailed": FAILED,
    "Deleting": DELETING,
}
NOT_ACCRUED = gettext_noop("Data in and out of the endpoint")
NOT_ACCRUED_CALLS = gettext_noop("Calls of serverless variants, and data in and out of the endpoint")


class SageMakerEndpoint(SageMakerKind):
    """params: config (the endpoint configuration's name)."""

    name, title, icon = "sagemaker-endpoint", "SageMaker endpoint", "bolt"
    arn_type, arn_member = "sagemaker:endpoint", "EndpointArn"
    stop_means, goes_after = "delete", ("sagemaker-inference-component",)
    # Autoscaling changes the number of machines, and no list shows it: look more often than once an hour.
    max_age_seconds = 900
    signals = (Signal("AWS/SageMaker", "Invocations", "EndpointName"),)
    kept_on_stop = gettext_noop("An endpoint has no stop: it is deleted. Its model and configuration are kept.")
    lost_on_delete = gettext_noop("Its model and configuration are not part of it.")

    def create(self, client, want: Want) -> None:
        client.create_endpoint(
            EndpointName=want.name, EndpointConfigName=want.params["config"], Tags=tag_list(want.tags)
        )

    def delete(self, client, want: Want, seen: Seen) -> None:
        if seen.state == DELETING:
            return
        try:
            client.delete_endpoint(EndpointName=seen.aws_id)
        except client.exceptions.ClientError as error:
            # "Cannot update in-progress endpoint": while it is being made or changed AWS takes no delete.
            if "in-progress" not in message_of(error):
                raise

    def off_call(self, want: Want) -> OffCall:
        return OffCall("sagemaker", "deleteEndpoint", {"EndpointName": want.aws_id or want.name})

    def describe(self, client, name: str) -> Mapping[str, Any]:
        return client.describe_endpoint(EndpointName=name)

    def listed(self, client) -> Iterable[Mapping[str, Any]]:
        return pages_of(client, "list_endpoints", "Endpoints")

    def seen(self, client, answer: Mapping[str, Any], tags: Mapping[str, str]) -> Seen:
        config = answer["EndpointConfigName"]
        types = _types(client, config)
        variants = [
            {
                "name": each["VariantName"],
                "type": types.get(each["VariantName"], ("unknown", 0))[0],
                "disk_gb": types.get(each["VariantName"], ("unknown", 0))[1],
                "count": int(each.get("CurrentInstanceCount") or 0),
                "serverless": bool(each.get("CurrentServerlessConfig")),
            }
            for each in answer.get("ProductionVariants", ())
        ]
        by_the_call = any(variant["serverless"] for variant in variants)
        facts = {
            "config": config,
            "variants": variants,
            "not_accrued": NOT_ACCRUED_CALLS if by_the_call else NOT_ACCRUED,
        }
        return _seen(answer, tags, facts, whole=True)

    def glimpsed(self, answer: Mapping[str, Any]) -> Seen:
        return _seen(answer, {}, {}, whole=False)

    def meters(self, seen: Seen) -> list[Meter]:
        """Each variant by the second, times the machines that it has now. Whatever the state says: a failed update can
        leave machines running. Serverless variants cost by the call, which is not accrued live."""
        if seen.state == ABSENT:
            return []
        meters = []
        for variant in seen.facts.get("variants", ()):
            if variant["serverless"] or not variant["count"]:
                continue
            machines = Decimal(variant["count"])
            times = f"{machines} x " if machines > 1 else ""
            label = f"{variant['name']}: {times}{variant['type']}"
            meters.append(Meter("SageMaker", "hosting", variant["type"], "Hrs", machines, label=label))
            if variant["disk_gb"]:
                gb = machines * variant["disk_gb"]
                disk = f"{variant['name']}: disk {gb} GB"
                meters.append(Meter("SageMaker", "storage", "ML-storage-gp2", "GB-Mo", gb, per="month", label=disk))
        return meters

    def would_be(self, want: Want) -> Seen:
        """As its configuration, the one parent that names a machine, asks for."""
        variants = [
            {
                "name": VARIANT,
                "type": params["type"],
                "disk_gb": 0,
                "count": int(params.get("count", 1)),
                "serverless": False,
            }
            for params in want.parents.values()
            if "type" in params
        ]
        return Seen(RUNNING, name=want.name, facts={"variants": variants})

    def dimensions(self, signal: Signal, seen: Seen) -> list[dict[str, str]]:
        """AWS counts the calls of each variant apart, and of the endpoint as a whole not at all."""
        return [
            {"EndpointName": seen.aws_id, "VariantName": variant["name"]} for variant in seen.facts.get("variants", ())
        ]


def _types(client, config: str) -> dict[str, tuple[str, int]]:
    """{variant: (instance type, disk GB asked for)}: only the configuration knows them.

    {} when it was deleted under its endpoint, which SageMaker allows: the endpoint runs on, and is shown as unpriced.
    """
    try:
        answer = client.describe_endpoint_config(EndpointConfigName=config)
    except client.exceptions.ClientError as error:
        if is_not_there(error):
            return {}
        raise
    return {
        each["VariantName"]: (each.get("InstanceType", "unknown"), int(each.get("VolumeSizeInGB") or 0))
        for each in answer["ProductionVariants"]
    }


def _seen(answer: Mapping[str, Any], tags: Mapping[str, str], facts: Mapping[str, Any], *, whole: bool) -> Seen:
    status = answer["EndpointStatus"]
    facts = {"arn": answer["EndpointArn"], "status": status, **facts}
    if answer.get("FailureReason"):
        facts["failure"] = answer["FailureReason"]
    return Seen(
        STATES[status],
        aws_id=answer["EndpointName"],
        name=answer["EndpointName"],
        since=utc(answer["LastModifiedTime"]),
        facts=facts,
        tags=tags,
        mark=mark(status, answer["LastModifiedTime"]),
        whole=whole,
    )
