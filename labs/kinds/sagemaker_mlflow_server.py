"""SageMaker MLflow tracking servers. They cost by the hour once they have started, used or not; a stopped one keeps its
experiments. Making, starting and stopping one takes AWS up to half an hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import mark, tag_list, utc
from labs.kinds.base import (
    DELETING,
    FAILED,
    PENDING,
    RUNNING,
    STOPPED,
    STOPPING,
    Meter,
    OffCall,
    Seen,
    Want,
)
from labs.kinds.sagemaker_named import SageMakerKind, pages_of

STATES = {
    "Creating": PENDING,
    "Created": RUNNING,
    "CreateFailed": FAILED,
    "Starting": PENDING,
    "Started": RUNNING,
    "StartFailed": FAILED,
    "Stopping": STOPPING,
    "Stopped": STOPPED,
    "StopFailed": FAILED,
    "Updating": RUNNING,
    "Updated": RUNNING,
    "UpdateFailed": RUNNING,
    "MaintenanceInProgress": RUNNING,
    "MaintenanceComplete": RUNNING,
    "MaintenanceFailed": RUNNING,
    "Deleting": DELETING,
    "DeleteFailed": FAILED,
}
TAKES_NO_DELETE = ("Creating", "Starting", "Stopping", "Updating", "MaintenanceInProgress", "Deleting")


class SageMakerMlflowServer(SageMakerKind):
    """params: size ("Small", "Medium" or "Large"), artifacts (s3://), role_arn, version (AWS's newest by default)."""

    name, title, icon = "sagemaker-mlflow-server", "SageMaker MLflow server", "flask"
    arn_type, arn_member = "sagemaker:mlflow-tracking-server", "TrackingServerArn"
    not_in_practice = "Practice mode has no MLflow tracking servers"
    can_stop = True
    kept_on_stop = gettext_noop("Its experiments are kept; what it has stored in S3 still costs.")
    lost_on_delete = gettext_noop("Its experiments and runs are lost. The artifacts stay in their bucket.")

    def create(self, client, want: Want) -> None:
        params = want.params
        client.create_mlflow_tracking_server(
            TrackingServerName=want.name,
            TrackingServerSize=params.get("size", "Small"),
            ArtifactStoreUri=params["artifacts"],
            RoleArn=params["role_arn"],
            Tags=tag_list(want.tags),
            **({"MlflowVersion": params["version"]} if params.get("version") else {}),
        )

    def start(self, client, want: Want, seen: Seen) -> None:
        client.start_mlflow_tracking_server(TrackingServerName=seen.aws_id)

    def stop(self, client, want: Want, seen: Seen) -> None:
        client.stop_mlflow_tracking_server(TrackingServerName=seen.aws_id)

    def delete(self, client, want: Want, seen: Seen) -> None:
        # In transition AWS takes no delete: the next look will find it arrived.
        if seen.facts.get("status") not in TAKES_NO_DELETE:
            client.delete_mlflow_tracking_server(TrackingServerName=seen.aws_id)

    def off_call(self, want: Want) -> OffCall:
        return OffCall("sagemaker", "stopMlflowTrackingServer", {"TrackingServerName": want.aws_id or want.name})

    def describe(self, client, name: str) -> Mapping[str, Any]:
        return client.describe_mlflow_tracking_server(TrackingServerName=name)

    def listed(self, client) -> Iterable[Mapping[str, Any]]:
        return pages_of(client, "list_mlflow_tracking_servers", "TrackingServerSummaries")

    def seen(self, client, answer: Mapping[str, Any], tags: Mapping[str, str]) -> Seen:
        facts = {"size": answer["TrackingServerSize"], "url": answer.get("TrackingServerUrl", "")}
        return _seen(answer, tags, facts, whole=True)

    def glimpsed(self, answer: Mapping[str, Any]) -> Seen:
        return _seen(answer, {}, {}, whole=False)  # its size is not in the list

    def meters(self, seen: Seen) -> list[Meter]:
        """Its size by the hour while it runs, and until it has stopped; what it stores of experiments is not told."""
        if seen.state not in (RUNNING, STOPPING):
            return []
        size = seen.facts["size"]
        return [Meter("SageMaker", "mlflow", size, "Hrs", label=f"MLflow server, {size.lower()}")]

    def would_be(self, want: Want) -> Seen:
        return Seen(RUNNING, name=want.name, facts={"size": want.params.get("size", "Small")})


def _seen(answer: Mapping[str, Any], tags: Mapping[str, str], facts: Mapping[str, Any], *, whole: bool) -> Seen:
    status = answer["TrackingServerStatus"]
    state, active = STATES[status], answer.get("IsActive")
    if state == FAILED and active == "Active":
        state = RUNNING  # what failed to stop or to go runs on, and costs
    elif state == RUNNING and active == "Inactive":
        state = STOPPED  # it was changed, or looked after, while it was stopped
    return Seen(
        state,
        aws_id=answer["TrackingServerName"],
        name=answer["TrackingServerName"],
        since=utc(answer["LastModifiedTime"]),
        facts={"arn": answer["TrackingServerArn"], "status": status, **facts},
        tags=tags,
        mark=mark(status, answer["LastModifiedTime"]),
        whole=whole,
    )
