"""CodePipeline pipelines. One of type V1 costs by the month, one of type V2 by the minutes that its actions run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import lower_tag_dict, lower_tag_list, mark, utc
from labs.kinds.base import ABSENT, GONE_FROM_AWS, RUNNING, Meter, Seen, Want
from labs.kinds.found_by_name import FoundByName

STOPS_A_CALL = 10
# V1 is what AWS takes where none is said.
TYPE = "V1"
NOT_ACCRUED = {
    "V1": gettext_noop("Builds of pipelines"),
    "V2": gettext_noop("Minutes of pipelines' actions, and builds"),
}


class CodePipelinePipeline(FoundByName):
    """params: role_arn, bucket (where it keeps what it passes on), stages (two at least, as AWS writes them), type."""

    name, service = "codepipeline-pipeline", "codepipeline"
    title, icon, cost_service, arn_type = "CodePipeline pipeline", "list-check", "CodePipeline", "codepipeline"
    lost_on_delete = gettext_noop("Its runs and their records go with it; what they deployed stays.")

    def create(self, client, want: Want) -> None:
        params = want.params
        client.create_pipeline(
            pipeline={
                "name": want.name,
                "roleArn": params["role_arn"],
                "artifactStore": {"type": "S3", "location": params["bucket"]},
                "stages": params["stages"],
                "pipelineType": params.get("type", TYPE),
            },
            tags=lower_tag_list(want.tags),
        )

    def described(self, client, aws_id: str, tags: Mapping[str, str] | None) -> Seen:
        try:
            answer = client.get_pipeline(name=aws_id)
        except client.exceptions.PipelineNotFoundException:
            return GONE_FROM_AWS
        arn = answer["metadata"]["pipelineArn"]
        if tags is None:
            tags = lower_tag_dict(client.list_tags_for_resource(resourceArn=arn)["tags"])
        return replace(_seen(answer["pipeline"], answer["metadata"], arn=arn), tags=tags)

    def delete(self, client, want: Want, seen: Seen) -> None:
        """A run goes on after its pipeline was deleted, and deploys what nobody wants: it is stopped first, the newest
        ten a call."""
        answer = client.list_pipeline_executions(pipelineName=seen.aws_id, maxResults=STOPS_A_CALL)
        runs = [run for run in answer["pipelineExecutionSummaries"] if run["status"] == "InProgress"]
        for run in runs:
            client.stop_pipeline_execution(
                pipelineName=seen.aws_id,
                pipelineExecutionId=run["pipelineExecutionId"],
                abandon=True,
                reason="Its pipeline is deleted",
            )
        if not runs:
            client.delete_pipeline(name=seen.aws_id)

    def find_all(self, client) -> Iterable[Seen]:
        for page in client.get_paginator("list_pipelines").paginate(PaginationConfig={"PageSize": 1000}):
            for pipeline in page["pipelines"]:
                yield replace(_seen(pipeline, pipeline), whole=False)  # neither the ARN nor tags are in the list

    def meters(self, seen: Seen) -> list[Meter]:
        """1 USD a month for one of V1, from its 31st day on and in months in which something changed in it: neither can
        be seen, and it is counted from the first day. V2's minutes are not accrued."""
        if seen.state == ABSENT or seen.facts["type"] != "V1":
            return []
        label = "pipeline (AWS gives its first 30 days free)"
        return [Meter("CodePipeline", "v1", "active-pipeline", "pipeline-Mo", per="month", label=label)]

    def would_be(self, want: Want) -> Seen:
        return Seen(RUNNING, name=want.name, facts={"type": want.params.get("type", TYPE)})


def _seen(pipeline: Mapping[str, Any], dates: Mapping[str, Any], **more: Any) -> Seen:
    kind = pipeline.get("pipelineType", TYPE)
    return Seen(
        RUNNING,
        aws_id=pipeline["name"],
        name=pipeline["name"],
        since=utc(dates["created"]),
        facts={"type": kind, "version": pipeline["version"], "not_accrued": NOT_ACCRUED.get(kind, ""), **more},
        mark=mark(pipeline["version"], dates["updated"]),
    )
