"""SageMaker tuning jobs. A tuning job itself is free: its training jobs cost. They are counted here, for they come and
go with it and belong to its lab; `sagemaker_training_job.py` leaves them out meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from labs.kinds.aws_words import tag_list
from labs.kinds.base import RUNNING, Seen, Want
from labs.kinds.sagemaker_job import ON, SageMakerJob, machines_asked
from labs.kinds.sagemaker_model import image_of
from labs.kinds.sagemaker_named import pages_of
from labs.kinds.sagemaker_training_job import AN_HOUR, DISK_GB, machines_of_training, what_it_works_with


class SageMakerTuningJob(SageMakerJob):
    """params: as of a training job, and jobs (4), parallel (2), metric, goal ("Minimize"), strategy ("Bayesian"),
    ranges: {"integer": {name: [least, most]}, "continuous": {name: [least, most]}, "categorical": {name: [values]}}.
    max_runtime_seconds (3600) holds for each training job and for all together.
    """

    name, title, icon = "sagemaker-tuning-job", "SageMaker tuning job", "list-check"
    arn_type, arn_member = "sagemaker:hyper-parameter-tuning-job", "HyperParameterTuningJobArn"
    noun, times, operation = "HyperParameterTuningJob", "HyperParameterTuning", "hyper_parameter_tuning_job"
    line = "training"
    native_cap = "AWS stops it at the longest time that it was given: an hour, unless the lab says otherwise"
    longest_name = 32
    # Which of its training jobs have machines by now is in no list.
    max_age_seconds = 120

    def create(self, client, want: Want) -> None:
        params = want.params
        algorithm = {"TrainingImage": image_of(client, params), "TrainingInputMode": "File"}
        client.create_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=want.name,
            HyperParameterTuningJobConfig={
                "Strategy": params.get("strategy", "Bayesian"),
                "HyperParameterTuningJobObjective": {
                    "Type": params.get("goal", "Minimize"),
                    "MetricName": params["metric"],
                },
                "ResourceLimits": {
                    "MaxNumberOfTrainingJobs": _jobs(params),
                    "MaxParallelTrainingJobs": _parallel(params),
                    "MaxRuntimeInSeconds": int(params.get("max_runtime_seconds", AN_HOUR)),
                },
                "ParameterRanges": _ranges(params.get("ranges", {})),
            },
            TrainingJobDefinition={
                "AlgorithmSpecification": algorithm,
                "RoleArn": params["role_arn"],
                "OutputDataConfig": {"S3OutputPath": params["output"]},
                "StaticHyperParameters": {key: str(value) for key, value in params.get("hyperparameters", {}).items()},
                **what_it_works_with(params),
            },
            # AWS hands these on to its training jobs.
            Tags=tag_list(want.tags),
        )

    def machines_of(self, client, answer: Mapping[str, Any]) -> list[dict[str, Any]]:
        definitions = answer.get("TrainingJobDefinitions") or [answer.get("TrainingJobDefinition") or {}]
        at_work = self._at_work(client, answer)
        machines = []
        for definition in definitions:
            name = definition.get("DefinitionName", "") if len(definitions) > 1 else ""
            running = at_work[name] if name else at_work.total()
            machines += [each | {"count": each["count"] * running} for each in machines_of_training(definition)]
        return [each for each in machines if each["count"]]

    def _at_work(self, client, answer: Mapping[str, Any]) -> Counter[str]:
        """{definition's name: how many of its training jobs AWS bills now}."""
        name, status = answer["HyperParameterTuningJobName"], answer["HyperParameterTuningJobStatus"]
        lines = [
            line
            for of_children in (ON if status == "Stopping" else ON[:1])
            for line in pages_of(
                client,
                "list_training_jobs_for_hyper_parameter_tuning_job",
                "TrainingJobSummaries",
                HyperParameterTuningJobName=name,
                StatusEquals=of_children,
            )
        ]
        return Counter(line.get("TrainingJobDefinitionName", "") for line in lines if line.get("TrainingStartTime"))

    def began(self, answer: Mapping[str, Any]) -> Any:
        return answer["CreationTime"]

    def marks(self, answer: Mapping[str, Any]) -> Sequence[Any]:
        counted = answer.get("TrainingJobStatusCounters", {})
        return counted.get("InProgress", 0), counted.get("Completed", 0)

    def more_facts(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        best = answer.get("BestTrainingJob") or {}
        return {"best_job": best["TrainingJobName"]} if best else {}

    def would_be(self, want: Want) -> Seen:
        """As many training jobs at once as it may have."""
        asked = machines_asked(want.params, DISK_GB)
        machines = [each | {"count": each["count"] * min(_jobs(want.params), _parallel(want.params))} for each in asked]
        return Seen(RUNNING, name=want.name, facts={"machines": machines})


def _jobs(params: Mapping[str, Any]) -> int:
    return int(params.get("jobs", 4))


def _parallel(params: Mapping[str, Any]) -> int:
    return int(params.get("parallel", 2))


def _ranges(given: Mapping[str, Mapping[str, Sequence[Any]]]) -> dict[str, list[dict[str, Any]]]:
    """{"integer": {"max_depth": [3, 9]}} as AWS takes it; numbers are strings there."""
    asked: dict[str, list[dict[str, Any]]] = {}
    for kind in ("integer", "continuous"):
        asked[f"{kind.title()}ParameterRanges"] = [
            {"Name": name, "MinValue": str(least), "MaxValue": str(most)}
            for name, (least, most) in given.get(kind, {}).items()
        ]
    asked["CategoricalParameterRanges"] = [
        {"Name": name, "Values": [str(value) for value in values]}
        for name, values in given.get("categorical", {}).items()
    ]
    return {kind: ranges for kind, ranges in asked.items() if ranges}
