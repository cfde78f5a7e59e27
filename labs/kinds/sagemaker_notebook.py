"""SageMaker notebook instances. A stopped one still pays for its disk; only a stopped or failed one can be deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import mark, tag_list, utc
from labs.kinds.base import (
    ABSENT,
    DELETING,
    FAILED,
    PENDING,
    RUNNING,
    STOPPED,
    STOPPING,
    Meter,
    OffCall,
    Seen,
    Signal,
    Want,
)
from labs.kinds.sagemaker_named import SageMakerKind, pages_of

STATES = {
    "Pending": PENDING,
    "InService": RUNNING,
    "Stopping": STOPPING,
    "Stopped": STOPPED,
    "Failed": FAILED,
    "Deleting": DELETING,
    # Between stopped and stopped: neither start nor delete is taken meanwhile.
    "Updating": PENDING,
}


class SageMakerNotebook(SageMakerKind):
    """params: type, role_arn, gb."""

    name, title, icon, arn_type = "sagemaker-notebook", "SageMaker notebook", "notebook", "sagemaker:notebook-instance"
    arn_member = "NotebookInstanceArn"
    can_stop = True
    signals = (Signal("/aws/sagemaker/NotebookInstances", "CPUUtilization", "NotebookInstanceName", "Maximum"),)
    kept_on_stop = gettext_noop("Files on the notebook's disk are kept, and the disk still costs.")
    lost_on_delete = gettext_noop("Its disk is deleted with it: save your notebooks first.")

    def create(self, client, want: Want) -> None:
        client.create_notebook_instance(
            NotebookInstanceName=want.name,
            InstanceType=want.params["type"],
            RoleArn=want.params["role_arn"],
            VolumeSizeInGB=int(want.params.get("gb", 5)),
            InstanceMetadataServiceConfiguration={"MinimumInstanceMetadataServiceVersion": "2"},
            Tags=tag_list(want.tags),
        )

    def start(self, client, want: Want, seen: Seen) -> None:
        client.start_notebook_instance(NotebookInstanceName=seen.aws_id)

    def stop(self, client, want: Want, seen: Seen) -> None:
        client.stop_notebook_instance(NotebookInstanceName=seen.aws_id)

    def delete(self, client, want: Want, seen: Seen) -> None:
        if seen.state == RUNNING:
            client.stop_notebook_instance(NotebookInstanceName=seen.aws_id)
        elif seen.state in (STOPPED, FAILED):
            client.delete_notebook_instance(NotebookInstanceName=seen.aws_id)
        # On its way from one to the other AWS takes neither: the next look will find it there.

    def off_call(self, want: Want) -> OffCall:
        return OffCall("sagemaker", "stopNotebookInstance", {"NotebookInstanceName": want.aws_id or want.name})

    def describe(self, client, name: str) -> Mapping[str, Any]:
        return client.describe_notebook_instance(NotebookInstanceName=name)

    def listed(self, client) -> Iterable[Mapping[str, Any]]:
        return pages_of(client, "list_notebook_instances", "NotebookInstances")

    def seen(self, client, answer: Mapping[str, Any], tags: Mapping[str, str]) -> Seen:
        return _seen(answer, tags, whole=True)

    def glimpsed(self, answer: Mapping[str, Any]) -> Seen:
        return _seen(answer, {}, whole=False)  # neither the disk's size nor tags are in the list

    def meters(self, seen: Seen) -> list[Meter]:
        """By the second while in service, and until it has stopped; the disk by GB-month until it is deleted."""
        facts, meters = seen.facts, []
        if seen.state == ABSENT:
            return []
        if seen.state in (RUNNING, STOPPING):
            meters.append(Meter("SageMaker", "notebook", facts["type"], "Hrs", label=facts["type"]))
        if facts.get("disk_gb"):
            gb = Decimal(facts["disk_gb"])
            meters.append(
                Meter("SageMaker", "storage", "ML-storage-gp2", "GB-Mo", gb, per="month", label=f"disk {gb} GB")
            )
        return meters

    def would_be(self, want: Want) -> Seen:
        facts = {"type": want.params["type"], "disk_gb": int(want.params.get("gb", 5))}
        return Seen(RUNNING, name=want.name, facts=facts)


def _seen(answer: Mapping[str, Any], tags: Mapping[str, str], *, whole: bool) -> Seen:
    status = answer["NotebookInstanceStatus"]
    facts = {"arn": answer["NotebookInstanceArn"], "type": answer["InstanceType"], "url": answer.get("Url", "")}
    if whole:
        facts["disk_gb"] = answer.get("VolumeSizeInGB", 5)  # 5 GB is what AWS gives when none is asked for
        facts["role_arn"] = answer.get("RoleArn", "")
    if answer.get("FailureReason"):
        facts["failure"] = answer["FailureReason"]
    return Seen(
        STATES[status],
        aws_id=answer["NotebookInstanceName"],
        name=answer["NotebookInstanceName"],
        since=utc(answer["LastModifiedTime"]),
        facts=facts,
        tags=tags,
        mark=mark(status, answer["LastModifiedTime"]),
        whole=whole,
    )
