"""EMR Serverless. AWS makes an application that is not started; the first job starts it, and it stops when it has idled
for its minutes. It moves only from where it can, and is kept while a job is unfinished. Jobs take time, the same token
makes no second application, and dates have a time of day.
"""

from __future__ import annotations

from typing import Any

from moto.core.utils import utcnow
from moto.emrserverless.exceptions import ValidationException
from moto.emrserverless.models import Application, EMRServerlessBackend, JobRun

from labs.simulator.amendments import instead_of
from labs.simulator.transitions import by_way_of, pace

_UNFINISHED = ("SUBMITTED", "PENDING", "SCHEDULED", "QUEUED", "RUNNING", "CANCELLING")


@instead_of(Application, "__init__")
def _init(was: Any, self: Application, *args: Any, **kwargs: Any) -> None:
    was(self, *args, **kwargs)
    self.created_at = self.updated_at = utcnow()
    self.__dict__["busy_at"] = pace.now()
    by_way_of(self, "state", "CREATING", "CREATED")


@instead_of(JobRun, "__init__")
def _init_job(was: Any, self: JobRun, *args: Any, **kwargs: Any) -> None:
    was(self, *args, **kwargs)
    self.created_at = self.updated_at = utcnow()
    by_way_of(self, "state", "RUNNING", "SUCCESS")


@instead_of(EMRServerlessBackend, "create_application")
def create_application(was: Any, self: EMRServerlessBackend, **asked: Any) -> Application:
    for application in self.applications.values():
        if application.client_token == asked["client_token"] and application.state != "TERMINATED":
            return application
    return was(self, **asked)


@instead_of(EMRServerlessBackend, "start_application")
def start_application(was: Any, self: EMRServerlessBackend, application_id: str) -> None:
    application = self.get_application(application_id)
    if application.state not in ("STARTED", "STARTING"):
        _refuse_unless(application, ("CREATED", "STOPPED"), "STARTED")
        _move(application, "STARTING", "STARTED")


@instead_of(EMRServerlessBackend, "stop_application")
def stop_application(was: Any, self: EMRServerlessBackend, application_id: str) -> None:
    application = self.get_application(application_id)
    if application.state in ("STOPPED", "STOPPING"):
        return
    _refuse_unless(application, ("STARTING", "STARTED"), "STOPPED")
    if any(job.state in _UNFINISHED for job in self.job_runs.get(application_id, ())):
        raise ValidationException("Application cannot be STOPPED. All jobs must be finished or cancelled before.")
    _move(application, "STOPPING", "STOPPED")


@instead_of(EMRServerlessBackend, "delete_application")
def delete_application(was: Any, self: EMRServerlessBackend, application_id: str) -> None:
    was(self, application_id)
    self.applications[application_id].updated_at = utcnow()


def _refuse_unless(application: Application, allowed: tuple[str, ...], asked: str) -> None:
    if application.state not in allowed:
        raise ValidationException(
            f"Application cannot be {asked}. Applications must be in one of the following statuses: "
            f"[{', '.join(allowed)}]"
        )


def _move(application: Application, on_the_way: str, at_last: str) -> None:
    application.updated_at = utcnow()
    application.__dict__["busy_at"] = pace.now()
    by_way_of(application, "state", on_the_way, at_last)


# --- jobs -----------------------------------------------------------------------------------------------------


@instead_of(EMRServerlessBackend, "start_job_run")
def start_job_run(was: Any, self: EMRServerlessBackend, application_id: str, *asked: Any, **more: Any) -> JobRun:
    application = self.get_application(application_id)
    if application.state in ("CREATED", "STOPPED"):
        if not _is_on(application.auto_start_configuration):
            raise ValidationException(f"Application {application_id} is not started, and does not start by itself.")
        _move(application, "STARTING", "STARTED")
    return was(self, application_id, *asked, **more)


@instead_of(EMRServerlessBackend, "cancel_job_run")
def cancel_job_run(was: Any, self: EMRServerlessBackend, application_id: str, job_run_id: str) -> Any:
    job = self.get_job_run(application_id, job_run_id)
    if job.state in _UNFINISHED:
        job.updated_at = utcnow()
        by_way_of(job, "state", "CANCELLING", "CANCELLED")
    return application_id, job_run_id


@instead_of(EMRServerlessBackend, "list_job_runs")
def list_job_runs(was: Any, self: EMRServerlessBackend, application_id: str, *asked: Any, **more: Any) -> Any:
    self.get_application(application_id)
    self.job_runs.setdefault(application_id, [])
    return was(self, application_id, *asked, **more)


# --- idle minutes ---------------------------------------------------------------------------------------------


@instead_of(EMRServerlessBackend, "get_application")
def get_application(was: Any, self: EMRServerlessBackend, application_id: str) -> Application:
    _stop_the_idle(self)
    return was(self, application_id)


@instead_of(EMRServerlessBackend, "list_applications")
def list_applications(was: Any, self: EMRServerlessBackend, states: list[str] | None) -> list[Application]:
    _stop_the_idle(self)
    return was(self, states)


def _stop_the_idle(backend: EMRServerlessBackend) -> None:
    for application in backend.applications.values():
        if any(job.state in _UNFINISHED for job in backend.job_runs.get(application.id, ())):
            application.__dict__["busy_at"] = pace.now()
        policy: Any = application.auto_stop_configuration
        idle = pace.now() - application.__dict__["busy_at"]
        if application.state == "STARTED" and _is_on(policy) and idle >= 60 * int(policy.get("idleTimeoutMinutes", 15)):
            _move(application, "STOPPING", "STOPPED")


def _is_on(configuration: Any) -> bool:
    return bool(configuration.get("enabled", True))
