"""SageMaker batch transform jobs: a model over everything under an S3 prefix. They take no longest time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import tag_list
from labs.kinds.base import RUNNING, Seen, Want
from labs.kinds.sagemaker_job import SageMakerJob, machine, machines_asked


class SageMakerTransformJob(SageMakerJob):
    """params: model (its name), type, count (1), input (s3://), output (s3://), content_type ("text/csv")."""

    name, title, icon = "sagemaker-transform-job", "SageMaker transform job", "route"
    arn_type, arn_member = "sagemaker:transform-job", "TransformJobArn"
    noun, times, operation, line = "TransformJob", "Transform", "transform_job", "transform"
    kept_on_stop = gettext_noop(
        "A job has no pause: it is stopped for good, and AWS stores no output of one that was stopped."
    )

    def create(self, client, want: Want) -> None:
        params = want.params
        source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": params["input"]}}
        client.create_transform_job(
            TransformJobName=want.name,
            ModelName=params["model"],
            TransformInput={
                "DataSource": source,
                "ContentType": params.get("content_type", "text/csv"),
                "SplitType": "Line",
            },
            TransformOutput={"S3OutputPath": params["output"], "AssembleWith": "Line"},
            TransformResources={"InstanceType": params["type"], "InstanceCount": int(params.get("count", 1))},
            Tags=tag_list(want.tags),
        )

    def machines_of(self, client, answer: Mapping[str, Any]) -> list[dict[str, Any]]:
        asked = answer["TransformResources"]
        return [machine(asked["InstanceType"], asked["InstanceCount"], 0)]

    def more_facts(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        return {"model": answer["ModelName"], "output": answer.get("TransformOutput", {}).get("S3OutputPath", "")}

    def would_be(self, want: Want) -> Seen:
        return Seen(RUNNING, name=want.name, facts={"machines": machines_asked(want.params)})
