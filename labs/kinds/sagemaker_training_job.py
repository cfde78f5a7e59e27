"""SageMaker training jobs. A training job of a tuning job is counted there, as long as the tuning job is on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import tag_list
from labs.kinds.base import GONE_FROM_AWS, RUNNING, Meter, Seen, Want
from labs.kinds.sagemaker_job import ON, SageMakerJob, machine, machines_asked
from labs.kinds.sagemaker_model import image_of
from labs.kinds.sagemaker_named import is_not_there, pages_of

DISK_GB = 10
AN_HOUR = 3600
# How a tuning job names the training jobs that it starts: its own name, a number, eight hex digits.
CHILD = re.compile(r"(.+)-\d{3,}-[0-9a-f]{8}")


class SageMakerTrainingJob(SageMakerJob):
    """params: algorithm ("xgboost": AWS's own image of the region) or image (a URI), role_arn, type, count (1),
    gb (10), inputs: [{"channel", "uri" (s3://), "content_type"}], output (s3://), hyperparameters,
    max_runtime_seconds (3600).
    """

    name, title, icon = "sagemaker-training-job", "SageMaker training job", "brain"
    arn_type, arn_member = "sagemaker:training-job", "TrainingJobArn"
    noun, times, operation, line = "TrainingJob", "Training", "training_job", "training"
    native_cap = "AWS stops it at the longest time that it was given: an hour, unless the lab says otherwise"

    def create(self, client, want: Want) -> None:
        params = want.params
        client.create_training_job(
            TrainingJobName=want.name,
            AlgorithmSpecification={"TrainingImage": image_of(client, params), "TrainingInputMode": "File"},
            RoleArn=params["role_arn"],
            OutputDataConfig={"S3OutputPath": params["output"]},
            **what_it_works_with(params),
            HyperParameters={key: str(value) for key, value in params.get("hyperparameters", {}).items()},
            Tags=tag_list(want.tags),
        )

    def delete(self, client, want: Want, seen: Seen) -> None:
        if seen.facts.get("warm_pool"):
            # Its work is done; this is what ends the machines that were kept for a next job.
            client.update_training_job(TrainingJobName=seen.aws_id, ResourceConfig={"KeepAlivePeriodInSeconds": 0})
        else:
            super().delete(client, want, seen)

    def find_all(self, client) -> Iterable[Seen]:
        lines = list(self.listed(client))
        looks_like_one = any(CHILD.fullmatch(line["TrainingJobName"]) for line in lines)
        tunings = _tunings_that_are_on(client) if looks_like_one else set()
        for line in lines:
            parent = CHILD.fullmatch(line["TrainingJobName"])
            if parent is None or parent[1] not in tunings:
                yield self.glimpsed(line)

    def complete(self, client, glimpsed: Seen, tags: Mapping[str, str] | None = None) -> Seen:
        found = super().complete(client, glimpsed, tags)
        tuning = str(found.facts.get("tuning_job", ""))
        return GONE_FROM_AWS if tuning and _is_on(client, tuning) else found

    def is_on(self, answer: Mapping[str, Any]) -> bool:
        return super().is_on(answer) or _has_warm_pool(answer)

    def more_facts(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        facts: dict[str, Any] = {"artifacts": answer.get("ModelArtifacts", {}).get("S3ModelArtifacts", "")}
        if answer.get("TuningJobArn"):
            facts["tuning_job"] = answer["TuningJobArn"].rsplit("/", 1)[-1]
        if answer.get("EnableManagedSpotTraining"):
            facts["not_accrued"] = gettext_noop("What managed spot training takes off the price")
        if _has_warm_pool(answer):
            facts["warm_pool"] = True
        return facts

    def machines_of(self, client, answer: Mapping[str, Any]) -> list[dict[str, Any]]:
        return machines_of_training(answer)

    def meters(self, seen: Seen) -> list[Meter]:
        meters = super().meters(seen)
        if seen.state != RUNNING or meters:
            return meters
        # Neither machines nor a price of them: serverless training costs by the token.
        return [Meter("SageMaker", self.line, "unknown", "Hrs", label="machines that AWS does not name")]

    def would_be(self, want: Want) -> Seen:
        return Seen(RUNNING, name=want.name, facts={"machines": machines_asked(want.params, DISK_GB)})


def what_it_works_with(params: Mapping[str, Any]) -> dict[str, Any]:
    """The members that a training job and a tuning job's definition of one are asked alike: data, machines, time."""
    asked: dict[str, Any] = {
        "ResourceConfig": {
            "InstanceType": params["type"],
            "InstanceCount": int(params.get("count", 1)),
            "VolumeSizeInGB": int(params.get("gb", DISK_GB)),
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": int(params.get("max_runtime_seconds", AN_HOUR))},
    }
    if params.get("inputs"):
        asked["InputDataConfig"] = [_channel(each) for each in params["inputs"]]
    return asked


def _channel(given: Mapping[str, Any]) -> dict[str, Any]:
    where = {"S3DataType": "S3Prefix", "S3Uri": given["uri"], "S3DataDistributionType": "FullyReplicated"}
    channel = {"ChannelName": given["channel"], "DataSource": {"S3DataSource": where}}
    return channel | ({"ContentType": given["content_type"]} if given.get("content_type") else {})


def machines_of_training(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The machines of one training job: of a described one, or of a tuning job's definition of one."""
    asked = answer.get("ResourceConfig") or answer.get("HyperParameterTuningResourceConfig") or {}
    # Of several configurations AWS takes the first that it has machines for.
    groups = asked.get("InstanceGroups") or asked.get("InstanceConfigs", [])[:1] or [asked]
    found = []
    for each in groups:
        kind = each.get("InstanceType") or each.get("SelectedInstanceType")
        if kind:
            count = each.get("InstanceCount") or each.get("SelectedInstanceCount") or 1
            found.append(machine(kind, count, each.get("VolumeSizeInGB") or asked.get("VolumeSizeInGB")))
    return found


def _has_warm_pool(answer: Mapping[str, Any]) -> bool:
    """Machines kept for a next job, up to an hour: they cost as if they trained."""
    return answer.get("WarmPoolStatus", {}).get("Status") == "Available"


def _tunings_that_are_on(client) -> set[str]:
    pages = "list_hyper_parameter_tuning_jobs", "HyperParameterTuningJobSummaries"
    return {
        line["HyperParameterTuningJobName"] for status in ON for line in pages_of(client, *pages, StatusEquals=status)
    }


def _is_on(client, tuning: str) -> bool:
    try:
        answer = client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=tuning)
    except client.exceptions.ClientError as error:
        if is_not_there(error):
            return False
        raise
    return answer["HyperParameterTuningJobStatus"] in ON
