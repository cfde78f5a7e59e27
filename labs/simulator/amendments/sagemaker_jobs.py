"""SageMaker's jobs. At AWS a training, processing or transform job waits for its machines, works, and ends: by itself,
at its longest time, or some seconds after it was told to stop. It says when its machines began and when they ended,
which is what AWS bills; its name is used up. A training job leaves a model.tar.gz in its bucket, a transform job a file
for each file that it read; one whose bucket is not there fails. Input that is not there is refused at once.

Here nothing is computed: a job works for `pace.work_seconds`, and what it leaves says so.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.s3.models import s3_backends
from moto.sagemaker.exceptions import ResourceInUseException, ValidationError
from moto.sagemaker.models import SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse

from labs.simulator.amendments import added_to, instead_of
from labs.simulator.amendments.sagemaker_states import refuse_unknown_type
from labs.simulator.transitions import after, pace

A_DAY = 86400
SAYS_SO = "Made by practice mode: nothing was computed. On AWS the work of {name} would stand here.\n"


class _NoBucket(Exception):
    """What it should leave has nowhere to go. The words are AWS's FailureReason."""


@dataclass(frozen=True)
class Life:
    """How one sort of job lives. noun: "training_job"; times: "training", before _start_time and _end_time; leaves:
    writes what a completed one leaves in S3."""

    noun: str
    times: str
    leaves: Callable[[Any], None]

    def begin(self, job: Any, longest: int = A_DAY) -> None:
        """A job that was just made waits for its machines; everything else follows by itself."""
        now = pace.instant()
        job.creation_time = now
        job.tags = job.tags or []
        self._times(job, None, None)
        self._now(job, "InProgress", "Starting", now)
        starts = now + timedelta(seconds=pace.seconds)
        works = min(pace.work_seconds, longest)
        after(pace.seconds, partial(self._work, job, starts))
        after(
            pace.seconds + works,
            partial(self._end, job, starts + timedelta(seconds=works), pace.work_seconds > longest),
        )

    def stop(self, job: Any) -> None:
        if self.status(job) != "InProgress":
            what = self.noun.replace("_", " ")
            raise ValidationError(f"The request was rejected because the {what} is in status {self.status(job)}.")
        now = pace.instant()
        self._now(job, "Stopping", "Stopping", now)
        after(pace.seconds, partial(self._stopped, job, now + timedelta(seconds=pace.seconds)))

    def status(self, job: Any) -> str:
        return str(getattr(job, f"{self.noun}_status"))

    def _work(self, job: Any, at: datetime) -> None:
        if self.status(job) == "InProgress":
            self._times(job, at, None)
            self._now(job, "InProgress", "Training", at)

    def _end(self, job: Any, at: datetime, is_out_of_time: bool) -> None:
        if self.status(job) != "InProgress":
            return
        self._times(job, getattr(job, f"{self.times}_start_time"), at)
        if is_out_of_time:
            self._now(job, "Stopped", "MaxRuntimeExceeded", at)
            return
        try:
            self.leaves(job)
        except _NoBucket as nowhere:
            job.failure_reason = str(nowhere)
            self._now(job, "Failed", "Failed", at)
        else:
            self._now(job, "Completed", "Completed", at)

    def _stopped(self, job: Any, at: datetime) -> None:
        self._times(job, getattr(job, f"{self.times}_start_time"), at)
        self._now(job, "Stopped", "Stopped", at)

    def _times(self, job: Any, start: datetime | None, end: datetime | None) -> None:
        setattr(job, f"{self.times}_start_time", start)
        setattr(job, f"{self.times}_end_time", end)

    def _now(self, job: Any, status: str, secondary: str, at: datetime) -> None:
        setattr(job, f"{self.noun}_status", status)
        job.last_modified_time = at
        if self.noun == "training_job":
            job.secondary_status = secondary


# --- S3 ---------------------------------------------------------------------------------------------------------


def _account(job: Any) -> str:
    return str(job.arn.split(":")[4])


def _split(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def _put(account: str, uri: str, body: bytes) -> None:
    bucket, key = _split(uri)
    if bucket not in s3_backends[account]["aws"].buckets:
        raise _NoBucket(f"ClientError: Failed to upload to {uri}: the bucket {bucket} does not exist or is not yours.")
    s3_backends[account]["aws"].put_object(bucket, key, body)


def _keys_under(account: str, uri: str) -> list[str]:
    bucket, prefix = _split(uri)
    s3 = s3_backends[account]["aws"]
    if bucket not in s3.buckets:
        return []
    found, *_ = s3.list_objects(s3.buckets[bucket], prefix, None, None, 1000)
    return sorted(key.name for key in found)


def _refuse_without_data(account: str, region: str, sources: Iterable[Mapping[str, Any]], role: str) -> None:
    for source in sources:
        uri = source.get("S3DataSource", {}).get("S3Uri")
        if uri and not _keys_under(account, uri):
            bucket, _ = _split(uri)
            raise ValidationError(
                f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket '
                f"exists in the selected region ({region}), that objects exist under that S3 prefix, and that the role "
                f'"{role}" has "s3:ListBucket" permissions on bucket "{bucket}".'
            )


def _leave_model(job: Any) -> None:
    said = SAYS_SO.format(name=job.training_job_name).encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo("made-by-practice-mode.txt")
        member.size = len(said)
        tar.addfile(member, io.BytesIO(said))
    _put(_account(job), job.model_artifacts["S3ModelArtifacts"], packed.getvalue())


def _leave_outputs(job: Any) -> None:
    said = SAYS_SO.format(name=job.processing_job_name).encode()
    for output in (job.processing_output_config or {}).get("Outputs", ()):
        where = output.get("S3Output", {}).get("S3Uri")
        if where:
            _put(_account(job), f"{where.rstrip('/')}/made-by-practice-mode.txt", said)


def _leave_answers(job: Any) -> None:
    said = SAYS_SO.format(name=job.transform_job_name).encode()
    source = job.transform_input["DataSource"]["S3DataSource"]["S3Uri"]
    folder = _split(source)[1].rpartition("/")[0]
    for key in _keys_under(_account(job), source):
        name = key.removeprefix(folder).lstrip("/")
        _put(_account(job), f"{job.transform_output['S3OutputPath'].rstrip('/')}/{name}.out", said)


TRAINING = Life("training_job", "training", _leave_model)
PROCESSING = Life("processing_job", "processing", _leave_outputs)
TRANSFORM = Life("transform_job", "transform", _leave_answers)


# --- what is asked ----------------------------------------------------------------------------------------------


def _refuse_taken(taken: Any, what: str) -> None:
    if taken is not None:
        raise ResourceInUseException(
            f"{what} names must be unique within an AWS account and region, and a {what.lower()} with this name "
            f"already exists ({taken.arn})"
        )


@instead_of(SageMakerModelBackend, "create_training_job")
def create_training_job(was: Any, self: Any, **asked: Any) -> Any:
    _refuse_taken(self.training_jobs.get(asked["training_job_name"]), "Training job")
    refuse_unknown_type(asked["resource_config"].get("InstanceType", "ml.m5.large"))
    channels = [channel["DataSource"] for channel in asked["input_data_config"] or ()]
    _refuse_without_data(self.account_id, self.region_name, channels, asked["role_arn"])
    algorithm = dict(asked["algorithm_specification"])
    job = was(self, **asked)
    # moto makes up metrics that nobody asked for and nobody measured.
    job.algorithm_specification, job.final_metric_data_list, job.secondary_status_transitions = algorithm, [], []
    TRAINING.begin(job, int((asked["stopping_condition"] or {}).get("MaxRuntimeInSeconds") or A_DAY))
    return job


@instead_of(SageMakerModelBackend, "describe_training_job")
def describe_training_job(was: Any, self: Any, training_job_name: str) -> Any:
    if training_job_name not in self.training_jobs:
        raise ValidationError("Requested resource not found.")
    return was(self, training_job_name)


_SORTED_BY = {"Name": "TrainingJobName", "CreationTime": "CreationTime", "Status": "TrainingJobStatus"}


@instead_of(SageMakerResponse, "list_training_jobs")
def list_training_jobs(was: Any, self: SageMakerResponse) -> ActionResult:
    """AWS chooses and sorts, and pages then. moto takes a page of all, chooses from that, and sorts nothing: among many
    jobs one's own is not found."""
    was(self)  # refuses what AWS refuses
    chosen = {
        name: self._get_param(asked)
        for name, asked in (
            ("creation_time_after", "CreationTimeAfter"),
            ("creation_time_before", "CreationTimeBefore"),
            ("last_modified_time_after", "LastModifiedTimeAfter"),
            ("last_modified_time_before", "LastModifiedTimeBefore"),
            ("name_contains", "NameContains"),
            ("status_equals", "StatusEquals"),
        )
    }
    found = self.sagemaker_backend.list_training_jobs(next_token="", max_results=0, **chosen)["TrainingJobSummaries"]
    by = _SORTED_BY[self._get_param("SortBy", "CreationTime")]
    found.sort(key=lambda job: job[by], reverse=self._get_param("SortOrder") == "Descending")
    first = int(self._get_param("NextToken") or 0)
    last = first + (self._get_int_param("MaxResults") or 100)
    more = {"NextToken": str(last)} if last < len(found) else {}
    return ActionResult({"TrainingJobSummaries": found[first:last], **more})


# At the door: moto's backend is not told of the machines.
@instead_of(SageMakerResponse, "create_processing_job")
def create_processing_job(was: Any, self: SageMakerResponse) -> Any:
    name, jobs = self._get_param("ProcessingJobName"), self.sagemaker_backend.processing_jobs
    _refuse_taken(jobs.get(name), "Processing job")
    resources = self._get_param("ProcessingResources")
    refuse_unknown_type(resources["ClusterConfig"].get("InstanceType", "ml.m5.large"))
    answer = was(self)
    job: Any = jobs[name]
    job.processing_resources, job.environment = resources, self._get_param("Environment")
    PROCESSING.begin(job, int((job.stopping_condition or {}).get("MaxRuntimeInSeconds") or A_DAY))
    return answer


@instead_of(SageMakerModelBackend, "create_transform_job")
def create_transform_job(was: Any, self: Any, **asked: Any) -> Any:
    _refuse_taken(self.transform_jobs.get(asked["transform_job_name"]), "Transform job")
    refuse_unknown_type(asked["transform_resources"]["InstanceType"])
    model = self.describe_model(asked["model_name"])  # missing: "Could not find model"
    source = asked["transform_input"]["DataSource"]
    _refuse_without_data(self.account_id, self.region_name, [source], model.execution_role_arn)
    job = was(self, **asked)
    TRANSFORM.begin(job)
    return job


@instead_of(SageMakerModelBackend, "stop_processing_job")
def stop_processing_job(was: Any, self: Any, processing_job_name: str) -> None:
    self.describe_processing_job(processing_job_name)  # missing: "Could not find processing job"
    PROCESSING.stop(self.processing_jobs[processing_job_name])


@added_to(SageMakerResponse)
def stop_training_job(self: SageMakerResponse) -> Any:
    name = self._get_param("TrainingJobName")
    self.sagemaker_backend.describe_training_job(name)
    TRAINING.stop(self.sagemaker_backend.training_jobs[name])
    return EmptyResult()


@added_to(SageMakerResponse)
def stop_transform_job(self: SageMakerResponse) -> Any:
    name = self._get_param("TransformJobName")
    self.sagemaker_backend.describe_transform_job(name)
    TRANSFORM.stop(self.sagemaker_backend.transform_jobs[name])
    return EmptyResult()
