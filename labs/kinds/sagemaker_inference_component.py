"""SageMaker inference components: models that share the machines of one endpoint. Free themselves: the machines are the
endpoint's, which AWS keeps as long as it has one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import mark, tag_list, utc
from labs.kinds.base import DELETING, FAILED, PENDING, RUNNING, Seen, Want
from labs.kinds.sagemaker_endpoint_config import VARIANT
from labs.kinds.sagemaker_named import SageMakerKind, pages_of

STATES = {
    "Creating": PENDING,
    "InService": RUNNING,
    "Updating": RUNNING,  # the copies that it had still answer
    "Failed": FAILED,
    "Deleting": DELETING,
}


class SageMakerInferenceComponent(SageMakerKind):
    """params: endpoint and model (their names), memory_mb, cpus or accelerators, copies (1)."""

    name, title, icon = "sagemaker-inference-component", "SageMaker inference component", "bolt"
    arn_type, arn_member = "sagemaker:inference-component", "InferenceComponentArn"
    not_in_practice = "Practice mode runs no models, and has no inference components"
    is_free = True
    lost_on_delete = gettext_noop("Its endpoint and its model are not part of it.")

    def create(self, client, want: Want) -> None:
        params = want.params
        needs: dict[str, Any] = {"MinMemoryRequiredInMb": int(params.get("memory_mb", 1024))}
        if params.get("cpus"):
            needs["NumberOfCpuCoresRequired"] = float(params["cpus"])
        if params.get("accelerators"):
            needs["NumberOfAcceleratorDevicesRequired"] = float(params["accelerators"])
        client.create_inference_component(
            InferenceComponentName=want.name,
            EndpointName=params["endpoint"],
            VariantName=VARIANT,
            Specification={"ModelName": params["model"], "ComputeResourceRequirements": needs},
            RuntimeConfig={"CopyCount": int(params.get("copies", 1))},
            Tags=tag_list(want.tags),
        )

    def delete(self, client, want: Want, seen: Seen) -> None:
        if seen.state != DELETING:
            client.delete_inference_component(InferenceComponentName=seen.aws_id)

    def describe(self, client, name: str) -> Mapping[str, Any]:
        return client.describe_inference_component(InferenceComponentName=name)

    def listed(self, client) -> Iterable[Mapping[str, Any]]:
        return pages_of(client, "list_inference_components", "InferenceComponents")

    def seen(self, client, answer: Mapping[str, Any], tags: Mapping[str, str]) -> Seen:
        return _seen(answer, tags, whole=True)

    def glimpsed(self, answer: Mapping[str, Any]) -> Seen:
        return _seen(answer, {}, whole=False)


def _seen(answer: Mapping[str, Any], tags: Mapping[str, str], *, whole: bool) -> Seen:
    status = answer["InferenceComponentStatus"]
    facts = {"arn": answer["InferenceComponentArn"], "endpoint": answer["EndpointName"]}
    if answer.get("FailureReason"):
        facts["failure"] = answer["FailureReason"]
    return Seen(
        STATES[status],
        aws_id=answer["InferenceComponentName"],
        name=answer["InferenceComponentName"],
        since=utc(answer["LastModifiedTime"]),
        facts=facts,
        tags=tags,
        mark=mark(status, answer["LastModifiedTime"]),
        whole=whole,
    )
