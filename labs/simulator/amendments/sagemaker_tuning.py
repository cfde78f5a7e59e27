"""SageMaker's tuning jobs. At AWS a tuning job starts training jobs, some at once, named after it and with its tags,
until it has had as many as it may; stopped, it stops those; its best one is named.

Here the values of the hyperparameters are spread over their ranges, and no metric is measured: the best training job is
the first that completed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import Any
from zlib import crc32

from moto.core.responses import ActionResult, EmptyResult
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import FakeTrainingJob, HyperParameterTuningJob, SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse

from labs.simulator.amendments import added_to, instead_of
from labs.simulator.amendments.sagemaker_jobs import A_DAY, TRAINING
from labs.simulator.amendments.sagemaker_states import refuse_unknown_type
from labs.simulator.transitions import after, pace


@instead_of(SageMakerModelBackend, "create_hyper_parameter_tuning_job")
def create_hyper_parameter_tuning_job(was: Any, self: Any, **asked: Any) -> Any:
    for definition in _definitions(asked):
        refuse_unknown_type((definition.get("ResourceConfig") or {}).get("InstanceType", "ml.m5.large"))
    arn = was(self, **asked)
    tuning = self.hyper_parameter_tuning_jobs[asked["hyper_parameter_tuning_job_name"]]
    tuning.tags = tuning.tags or []
    tuning.children = []
    tuning.creation_time = pace.instant()
    _now(tuning, "InProgress")
    _start_those_who_may(tuning, self)
    return arn


def _definitions(of: Mapping[str, Any]) -> list[dict[str, Any]]:
    return of.get("training_job_definitions") or [of.get("training_job_definition") or {}]


def _now(tuning: Any, status: str) -> None:
    tuning.hyper_parameter_tuning_job_status = status
    tuning.last_modified_time = pace.instant()
    tuning.hyper_parameter_tuning_end_time = None if status in ("InProgress", "Stopping") else pace.instant()


def _go_on(tuning: Any, backend: Any) -> None:
    """Its training jobs have come to where they are: start the next ones, or be over."""
    if tuning.hyper_parameter_tuning_job_status == "InProgress":
        _start_those_who_may(tuning, backend)
    if all(TRAINING.status(child) not in ("InProgress", "Stopping") for child in tuning.children):
        status = {"InProgress": "Completed", "Stopping": "Stopped"}.get(tuning.hyper_parameter_tuning_job_status)
        if status:
            _now(tuning, status)


def _start_those_who_may(tuning: Any, backend: Any) -> None:
    limits = tuning.hyper_parameter_tuning_job_config["ResourceLimits"]
    in_progress = sum(TRAINING.status(child) == "InProgress" for child in tuning.children)
    most = int(limits.get("MaxNumberOfTrainingJobs") or 1)
    for _ in range(min(most - len(tuning.children), int(limits["MaxParallelTrainingJobs"]) - in_progress)):
        tuning.children.append(_child(tuning, backend, len(tuning.children), most))
        # A moment after it, so that this finds it ended.
        after(pace.seconds + pace.work_seconds + 0.001, partial(_go_on, tuning, backend))


def _child(tuning: Any, backend: Any, number: int, most: int) -> FakeTrainingJob:
    definitions = _definitions(vars(tuning))
    definition = definitions[number % len(definitions)]
    name = f"{tuning.hyper_parameter_tuning_job_name}-{number + 1:03}-{crc32(f'{tuning.arn}{number}'.encode()):08x}"
    ranges = definition.get("HyperParameterRanges") or tuning.hyper_parameter_tuning_job_config.get("ParameterRanges")
    tuned = _values(ranges or {}, number / max(1, most - 1))
    child = FakeTrainingJob(
        account_id=backend.account_id,
        region_name=backend.region_name,
        training_job_name=name,
        hyper_parameters={**definition.get("StaticHyperParameters", {}), **tuned},
        algorithm_specification=dict(definition["AlgorithmSpecification"]),
        role_arn=definition["RoleArn"],
        input_data_config=definition.get("InputDataConfig", []),
        output_data_config=definition["OutputDataConfig"],
        resource_config=definition.get("ResourceConfig", {}),
        vpc_config=definition.get("VpcConfig", {}),
        stopping_condition=definition["StoppingCondition"],
        tags=list(tuning.tags),
        enable_network_isolation=False,
        enable_inter_container_traffic_encryption=False,
        enable_managed_spot_training=bool(definition.get("EnableManagedSpotTraining")),
        checkpoint_config=definition.get("CheckpointConfig", {}),
        debug_hook_config={},
        debug_rule_configurations=[],
        tensor_board_output_config={},
        experiment_config={},
    )
    child.final_metric_data_list, child.secondary_status_transitions = [], []
    vars(child).update(
        tuning_job_arn=tuning.arn,
        tuned_hyper_parameters=tuned,
        training_job_definition_name=definition.get("DefinitionName"),
    )
    TRAINING.begin(child, int(definition["StoppingCondition"].get("MaxRuntimeInSeconds") or A_DAY))
    backend.training_jobs[name] = child
    return child


def _values(ranges: Mapping[str, Any], share: float) -> dict[str, str]:
    """A value of each range, `share` of the way from its least to its most."""
    values = {}
    for each in ranges.get("IntegerParameterRanges", ()):
        least, most = int(each["MinValue"]), int(each["MaxValue"])
        values[each["Name"]] = str(round(least + share * (most - least)))
    for each in ranges.get("ContinuousParameterRanges", ()):
        low, high = float(each["MinValue"]), float(each["MaxValue"])
        values[each["Name"]] = f"{low + share * (high - low):.6g}"
    for each in ranges.get("CategoricalParameterRanges", ()):
        values[each["Name"]] = each["Values"][round(share * (len(each["Values"]) - 1))]
    return values


def _summary(child: Any) -> dict[str, Any]:
    told = {
        "TrainingJobDefinitionName": child.training_job_definition_name,
        "TrainingJobName": child.training_job_name,
        "TrainingJobArn": child.arn,
        "CreationTime": child.creation_time,
        "TrainingStartTime": child.training_start_time,
        "TrainingEndTime": child.training_end_time,
        "TrainingJobStatus": TRAINING.status(child),
        "TunedHyperParameters": child.tuned_hyper_parameters,
        "FailureReason": getattr(child, "failure_reason", None),
    }
    return {name: value for name, value in told.items() if value is not None}


def _counters(tuning: Any) -> dict[str, dict[str, int]]:
    counted = Counter(TRAINING.status(child) for child in tuning.children)
    training = {
        "Completed": counted["Completed"],
        "InProgress": counted["InProgress"],
        "RetryableError": 0,
        "NonRetryableError": counted["Failed"],
        "Stopped": counted["Stopped"] + counted["Stopping"],
    }
    objectives = {"Succeeded": 0, "Pending": len(tuning.children), "Failed": 0}
    return {"TrainingJobStatusCounters": training, "ObjectiveStatusCounters": objectives}


@instead_of(HyperParameterTuningJob, "describe")
def describe(was: Any, self: Any) -> dict[str, Any]:
    completed = [child for child in self.children if TRAINING.status(child) == "Completed"]
    left_out = ("BestTrainingJob", "OverallBestTrainingJob", "TuningJobCompletionDetails", "ConsumedResources")
    told = {name: value for name, value in was(self).items() if name not in left_out and value is not None}
    told |= _counters(self)
    if completed:
        told["BestTrainingJob"] = _summary(completed[0])
    return told


@instead_of(HyperParameterTuningJob, "summary")
def summary(was: Any, self: Any) -> dict[str, Any]:
    told = was(self) | _counters(self)
    return {name: value for name, value in told.items() if value is not None}


@added_to(SageMakerResponse)
def list_training_jobs_for_hyper_parameter_tuning_job(self: SageMakerResponse) -> Any:
    tuning = _found(self)
    wanted = self._get_param("StatusEquals")
    lines = [_summary(child) for child in tuning.children if not wanted or TRAINING.status(child) == wanted]
    first = int(self._get_param("NextToken") or 0)
    after_last = first + int(self._get_param("MaxResults") or 100)
    told: dict[str, Any] = {"TrainingJobSummaries": lines[first:after_last]}
    return ActionResult(told | ({"NextToken": str(after_last)} if after_last < len(lines) else {}))


@added_to(SageMakerResponse)
def stop_hyper_parameter_tuning_job(self: SageMakerResponse) -> Any:
    tuning = _found(self)
    status = tuning.hyper_parameter_tuning_job_status
    if status != "InProgress":
        raise ValidationError(f"The request was rejected because the hyper parameter tuning job is in status {status}.")
    for child in tuning.children:
        if TRAINING.status(child) == "InProgress":
            TRAINING.stop(child)
    _now(tuning, "Stopping")
    after(pace.seconds + 0.001, partial(_go_on, tuning, self.sagemaker_backend))
    return EmptyResult()


def _found(response: SageMakerResponse) -> Any:
    name = response._get_param("HyperParameterTuningJobName")
    response.sagemaker_backend.describe_hyper_parameter_tuning_job(name)  # missing: "Could not find"
    return response.sagemaker_backend.hyper_parameter_tuning_jobs[name]
