"""SageMaker processing jobs: a container with a script of one's own over data in S3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labs.kinds.aws_words import tag_list
from labs.kinds.base import RUNNING, Seen, Want
from labs.kinds.sagemaker_job import SageMakerJob, machine, machines_asked
from labs.kinds.sagemaker_model import image_of

DISK_GB = 10
AN_HOUR = 3600


class SageMakerProcessingJob(SageMakerJob):
    """params: algorithm ("xgboost": AWS's own image of the region) or image (a URI), role_arn, type, count (1),
    gb (10), entrypoint and arguments (lists), environment, inputs and outputs: [{"name", "uri" (s3://), "path" (in the
    container)}], max_runtime_seconds (3600).
    """

    name, title, icon = "sagemaker-processing-job", "SageMaker processing job", "cpu"
    arn_type, arn_member = "sagemaker:processing-job", "ProcessingJobArn"
    noun, times, operation, line = "ProcessingJob", "Processing", "processing_job", "processing"
    native_cap = "AWS stops it at the longest time that it was given: an hour, unless the lab says otherwise"

    def create(self, client, want: Want) -> None:
        params = want.params
        app: dict[str, Any] = {"ImageUri": image_of(client, params)}
        if params.get("entrypoint"):
            app["ContainerEntrypoint"] = list(params["entrypoint"])
        if params.get("arguments"):
            app["ContainerArguments"] = [str(each) for each in params["arguments"]]
        asked: dict[str, Any] = {}
        if params.get("inputs"):
            asked["ProcessingInputs"] = [_input(each) for each in params["inputs"]]
        if params.get("outputs"):
            asked["ProcessingOutputConfig"] = {"Outputs": [_output(each) for each in params["outputs"]]}
        if params.get("environment"):
            asked["Environment"] = {key: str(value) for key, value in params["environment"].items()}
        cluster = {
            "InstanceType": params["type"],
            "InstanceCount": int(params.get("count", 1)),
            "VolumeSizeInGB": int(params.get("gb", DISK_GB)),
        }
        client.create_processing_job(
            ProcessingJobName=want.name,
            AppSpecification=app,
            RoleArn=params["role_arn"],
            ProcessingResources={"ClusterConfig": cluster},
            StoppingCondition={"MaxRuntimeInSeconds": int(params.get("max_runtime_seconds", AN_HOUR))},
            Tags=tag_list(want.tags),
            **asked,
        )

    def machines_of(self, client, answer: Mapping[str, Any]) -> list[dict[str, Any]]:
        cluster = answer["ProcessingResources"]["ClusterConfig"]
        kind = cluster.get("InstanceType") or cluster.get("SelectedInstanceType") or "unknown"
        count = cluster.get("InstanceCount") or cluster.get("SelectedInstanceCount") or 1
        return [machine(kind, count, cluster.get("VolumeSizeInGB"))]

    def more_facts(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        outputs = answer.get("ProcessingOutputConfig", {}).get("Outputs", ())
        return {"outputs": [each["S3Output"]["S3Uri"] for each in outputs if "S3Output" in each]}

    def would_be(self, want: Want) -> Seen:
        return Seen(RUNNING, name=want.name, facts={"machines": machines_asked(want.params, DISK_GB)})


def _input(given: Mapping[str, Any]) -> dict[str, Any]:
    where = {"S3Uri": given["uri"], "LocalPath": given["path"], "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": given["name"], "S3Input": where}


def _output(given: Mapping[str, Any]) -> dict[str, Any]:
    where = {"S3Uri": given["uri"], "LocalPath": given["path"], "S3UploadMode": "EndOfJob"}
    return {"OutputName": given["name"], "S3Output": where}
