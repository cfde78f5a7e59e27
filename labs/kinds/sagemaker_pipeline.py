"""SageMaker pipelines: a definition, which is free. What its executions start (jobs, models) is found as what it is.

AWS keeps a pipeline with an execution under way: those are stopped first.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import mark, tag_list, utc
from labs.kinds.base import DELETING, RUNNING, Seen, Want
from labs.kinds.sagemaker_named import SageMakerKind, pages_of

STOPS_A_CALL = 10


class SageMakerPipeline(SageMakerKind):
    """params: role_arn, definition (the pipeline's JSON, as data or as text)."""

    name, title, icon, arn_type = "sagemaker-pipeline", "SageMaker pipeline", "route", "sagemaker:pipeline"
    arn_member = "PipelineArn"
    is_free = True
    lost_on_delete = gettext_noop("Its executions are stopped, and their history goes with it.")

    def create(self, client, want: Want) -> None:
        definition = want.params["definition"]
        client.create_pipeline(
            PipelineName=want.name,
            PipelineDefinition=definition if isinstance(definition, str) else json.dumps(definition),
            RoleArn=want.params["role_arn"],
            ClientRequestToken=want.token,
            Tags=tag_list(want.tags),
        )

    def delete(self, client, want: Want, seen: Seen) -> None:
        if seen.state == DELETING:
            return
        running, stopping = self._under_way(client, seen.aws_id)
        for arn in running[:STOPS_A_CALL]:
            client.stop_pipeline_execution(PipelineExecutionArn=arn)
        if not running and not stopping:
            client.delete_pipeline(PipelineName=seen.aws_id)

    def describe(self, client, name: str) -> Mapping[str, Any]:
        return client.describe_pipeline(PipelineName=name)

    def listed(self, client) -> Iterable[Mapping[str, Any]]:
        return pages_of(client, "list_pipelines", "PipelineSummaries")

    def seen(self, client, answer: Mapping[str, Any], tags: Mapping[str, str]) -> Seen:
        return _seen(answer, tags, whole=True)

    def glimpsed(self, answer: Mapping[str, Any]) -> Seen:
        return _seen(answer, {}, whole=False)

    def _under_way(self, client, name: str) -> tuple[list[str], list[str]]:
        """(ARNs of executions that can be stopped, ARNs of those that are stopping)."""
        found: dict[str, list[str]] = {"Executing": [], "Stopping": []}
        lines = pages_of(client, "list_pipeline_executions", "PipelineExecutionSummaries", PipelineName=name)
        for line in lines:
            if line["PipelineExecutionStatus"] in found:
                found[line["PipelineExecutionStatus"]].append(line["PipelineExecutionArn"])
        return found["Executing"], found["Stopping"]


def _seen(answer: Mapping[str, Any], tags: Mapping[str, str], *, whole: bool) -> Seen:
    return Seen(
        DELETING if answer.get("PipelineStatus") == "Deleting" else RUNNING,
        aws_id=answer["PipelineName"],
        name=answer["PipelineName"],
        since=utc(answer["CreationTime"]),
        facts={"arn": answer["PipelineArn"], "role_arn": answer.get("RoleArn", "")},
        tags=tags,
        mark=mark(answer["LastModifiedTime"]),
        whole=whole,
    )
