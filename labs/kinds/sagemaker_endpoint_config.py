"""SageMaker endpoint configurations: which model on which machines. Free, and kept when an endpoint is stopped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from labs.kinds.aws_words import mark, tag_list, utc
from labs.kinds.base import RUNNING, Seen, Want
from labs.kinds.sagemaker_named import SageMakerKind, pages_of

VARIANT = "AllTraffic"  # what the console and the SDK call the only variant


class SageMakerEndpointConfig(SageMakerKind):
    """params: model (its name), type, count (1)."""

    name, title, icon = "sagemaker-endpoint-config", "SageMaker endpoint configuration", "settings"
    arn_type, arn_member = "sagemaker:endpoint-config", "EndpointConfigArn"
    is_free, goes_after = True, ("sagemaker-endpoint",)

    def create(self, client, want: Want) -> None:
        variant = {
            "VariantName": VARIANT,
            "ModelName": want.params["model"],
            "InstanceType": want.params["type"],
            "InitialInstanceCount": int(want.params.get("count", 1)),
        }
        client.create_endpoint_config(
            EndpointConfigName=want.name, ProductionVariants=[variant], Tags=tag_list(want.tags)
        )

    def delete(self, client, want: Want, seen: Seen) -> None:
        client.delete_endpoint_config(EndpointConfigName=seen.aws_id)

    def describe(self, client, name: str) -> Mapping[str, Any]:
        return client.describe_endpoint_config(EndpointConfigName=name)

    def listed(self, client) -> Iterable[Mapping[str, Any]]:
        return pages_of(client, "list_endpoint_configs", "EndpointConfigs")

    def seen(self, client, answer: Mapping[str, Any], tags: Mapping[str, str]) -> Seen:
        variants = [
            {"name": each["VariantName"], "model": each.get("ModelName", ""), "type": each.get("InstanceType", "")}
            for each in answer.get("ProductionVariants", ())
        ]
        return _seen(answer, tags, {"arn": answer["EndpointConfigArn"], "variants": variants}, whole=True)

    def glimpsed(self, answer: Mapping[str, Any]) -> Seen:
        return _seen(answer, {}, {"arn": answer["EndpointConfigArn"]}, whole=False)


def _seen(answer: Mapping[str, Any], tags: Mapping[str, str], facts: Mapping[str, Any], *, whole: bool) -> Seen:
    return Seen(
        RUNNING,
        aws_id=answer["EndpointConfigName"],
        name=answer["EndpointConfigName"],
        since=utc(answer["CreationTime"]),
        facts=facts,
        tags=tags,
        mark=mark(answer["CreationTime"]),
        whole=whole,
    )
