"""EMR Serverless applications: nothing to pay until a job runs, unless workers are kept ready for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.aws import is_not_there
from labs.kinds.aws_words import mark, utc
from labs.kinds.base import (
    ABSENT,
    GONE_FROM_AWS,
    PENDING,
    RUNNING,
    STOPPED,
    STOPPING,
    TOKEN,
    Kind,
    Meter,
    OffCall,
    Seen,
    Want,
)

STATES = {
    "CREATING": PENDING,
    # There, and not yet started: AWS takes no stop for it, and the first job starts it.
    "CREATED": RUNNING,
    "STARTING": PENDING,
    "STARTED": RUNNING,
    "STOPPING": STOPPING,
    "STOPPED": STOPPED,
    "TERMINATED": ABSENT,
}
RELEASE = "emr-7.5.0"
IDLE_MINUTES = 15
UNFINISHED = ("SUBMITTED", "PENDING", "SCHEDULED", "QUEUED", "RUNNING", "CANCELLING")
_AMOUNT = re.compile(r"\d+(?:\.\d+)?")


class EMRServerlessApplication(Kind):
    """params, all as wanted: release, most ({"cpu": "8 vCPU", "memory": "32 GB"}, the most that its jobs may take
    together), ready ({"Driver": {"count", "cpu", "memory"}}, workers kept ready), idle_minutes (15)."""

    name, service, identity = "emr-serverless-application", "emr-serverless", TOKEN
    title, icon, cost_service = "EMR Serverless application", "cloud-computing", "EMR Serverless"
    arn_type = "emr-serverless:/applications"
    can_stop = True
    native_cap = f"It stops by itself after {IDLE_MINUTES} idle minutes."
    kept_on_stop = gettext_noop("The application is kept. Its running jobs are cancelled.")
    lost_on_delete = gettext_noop("The history of its jobs is lost; what they wrote to S3 stays.")

    def create(self, client, want: Want) -> None:
        params = want.params
        asked: dict[str, Any] = {
            "name": want.name,
            "releaseLabel": params.get("release", RELEASE),
            "type": "SPARK",
            "clientToken": want.token,
            "maximumCapacity": dict(params.get("most", {"cpu": "8 vCPU", "memory": "32 GB"})),
            "autoStartConfiguration": {"enabled": True},
            "autoStopConfiguration": {
                "enabled": True,
                "idleTimeoutMinutes": int(params.get("idle_minutes", IDLE_MINUTES)),
            },
            "tags": dict(want.tags),
        }
        if params.get("ready"):
            asked["initialCapacity"] = {
                kind: {
                    "workerCount": int(worker["count"]),
                    "workerConfiguration": {"cpu": worker["cpu"], "memory": worker["memory"]},
                }
                for kind, worker in params["ready"].items()
            }
        client.create_application(**asked)

    def observe(self, client, want: Want) -> Seen:
        application_id = want.aws_id or next((each["id"] for each in _listed(client) if each["name"] == want.name), "")
        if not application_id:
            return GONE_FROM_AWS
        try:
            application = client.get_application(applicationId=application_id)["application"]
        except client.exceptions.ClientError as error:
            if is_not_there(error):
                return GONE_FROM_AWS
            raise
        if STATES[application["state"]] == ABSENT:
            return Seen(ABSENT, aws_id=application_id, since=utc(application["updatedAt"]))
        facts = {
            "release": application["releaseLabel"],
            "architecture": application.get("architecture", "X86_64"),
            "ready": _workers(application.get("initialCapacity", {})),
            "stops_when_idle": application.get("autoStopConfiguration", {}).get("enabled", True),
            "not_accrued": gettext_noop("Workers of EMR Serverless beyond those kept ready"),
        }
        return _seen(application, application_id, facts, application.get("tags", {}), whole=True)

    def configure(self, client, want: Want, seen: Seen) -> bool:
        """It is to be ready for a job, and AWS makes it unstarted."""
        if seen.facts["status"] == "CREATED":
            client.start_application(applicationId=seen.aws_id)
        return seen.facts["status"] == "STARTED"

    def start(self, client, want: Want, seen: Seen) -> None:
        client.start_application(applicationId=seen.aws_id)

    def stop(self, client, want: Want, seen: Seen) -> None:
        """Refused while a job is unfinished: jobs are cancelled first, and this is called again."""
        if seen.facts["status"] == "STARTED" and not _cancel_jobs(client, seen.aws_id):
            client.stop_application(applicationId=seen.aws_id)

    def delete(self, client, want: Want, seen: Seen) -> None:
        if seen.facts["status"] in ("CREATED", "STOPPED"):
            client.delete_application(applicationId=seen.aws_id)
        else:
            # On its way from one to the other AWS takes neither: the next look will find it there.
            self.stop(client, want, seen)

    def off_call(self, want: Want) -> OffCall | None:
        return OffCall("emrserverless", "stopApplication", {"ApplicationId": want.aws_id}) if want.aws_id else None

    def find_all(self, client) -> Iterable[Seen]:
        for application in _listed(client):
            yield _seen(application, application["id"], {}, {}, whole=False)

    def meters(self, seen: Seen) -> list[Meter]:
        """Workers kept ready, by the second and 60 s at least, from the start of the application to its stop, with jobs
        or without (EMR pricing)."""
        facts = seen.facts
        if seen.state not in (RUNNING, STOPPING) or facts.get("status") == "CREATED":
            return []
        chip = "arm" if facts.get("architecture") == "ARM64" else "x86"
        meters = []
        for what, sku, unit in (("vcpus", "vCPU-hour", "vCPU-Hrs"), ("gb", "GB-hour", "GB-Hrs")):
            kept = sum((worker["count"] * Decimal(worker[what]) for worker in facts.get("ready", ())), Decimal(0))
            if kept:
                label = f"{kept.normalize():f} {'vCPU' if what == 'vcpus' else 'GB'} kept ready"
                meters.append(
                    Meter("EMR Serverless", "spark", f"{sku}-{chip}", unit, kept, minimum_seconds=60, label=label)
                )
        return meters

    def would_be(self, want: Want) -> Seen:
        asked = {
            kind: {"workerCount": worker["count"], "workerConfiguration": worker}
            for kind, worker in want.params.get("ready", {}).items()
        }
        return Seen(RUNNING, name=want.name, facts={"status": "STARTED", "ready": _workers(asked)})


def _listed(client) -> Iterable[Mapping[str, Any]]:
    alive = [name for name, state in STATES.items() if state != ABSENT]
    for page in client.get_paginator("list_applications").paginate(states=alive):
        yield from page["applications"]


def _cancel_jobs(client, application_id: str) -> bool:
    """Cancel a page of what is unfinished. Was there any?"""
    asked = {"applicationId": application_id, "states": list(UNFINISHED), "maxResults": 50}
    jobs = client.list_job_runs(**asked)["jobRuns"]
    for job in jobs:
        if job["state"] != "CANCELLING":
            client.cancel_job_run(applicationId=application_id, jobRunId=job["id"])
    return bool(jobs)


def _workers(capacity: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is kept ready, in numbers: "4 vCPU" is "4"."""
    return [
        {
            "kind": kind,
            "count": int(worker["workerCount"]),
            "vcpus": _number(worker.get("workerConfiguration", {}).get("cpu")),
            "gb": _number(worker.get("workerConfiguration", {}).get("memory")),
        }
        for kind, worker in sorted(capacity.items())
    ]


def _number(amount: str | None) -> str:
    found = _AMOUNT.search(amount or "")
    return found[0] if found else "0"


def _seen(application: Mapping[str, Any], id_: str, facts: Mapping[str, Any], tags, *, whole: bool) -> Seen:
    state = application["state"]
    return Seen(
        STATES[state],
        aws_id=id_,
        name=application.get("name", "")[:255],
        since=utc(application["updatedAt"]),
        facts={"arn": application["arn"], "status": state, **facts},
        tags=dict(tags),
        mark=mark(state, application["createdAt"]),
        whole=whole,
    )
