"""Executions of standard state machines, while they run. What has ended is a record that AWS keeps, and no resource;
the jobs that an execution started (.sync) are rows of their own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import mark, utc
from labs.kinds.base import ABSENT, GONE_FROM_AWS, RUNNING, OffCall, Seen, Want
from labs.kinds.found_by_name import FoundByName
from labs.kinds.step_functions_state_machine import NOT_ACCRUED, machine_arn, machines, tags_of_machine

GOES_ON = ("RUNNING", "PENDING_REDRIVE")
ENDS = {"SUCCEEDED": "it succeeded", "TIMED_OUT": "its time was over", "ABORTED": "it was stopped"}


class StepFunctionsExecution(FoundByName):
    """params: machine (the name of a standard state machine), input (a dict)."""

    name, service = "step-functions-execution", "stepfunctions"
    title, icon, cost_service, arn_type = "Step Functions execution", "run", "Step Functions", "states:execution"
    is_free, ends_by_itself = True, True
    lost_on_delete = gettext_noop("It is stopped where it is; what it has done stays done.")

    def create(self, client, want: Want) -> None:
        client.start_execution(
            stateMachineArn=machine_arn(want.region, want.account_id, want.params["machine"]),
            name=want.name,
            input=json.dumps(want.params.get("input", {}), sort_keys=True),
        )

    def id_of(self, want: Want) -> str:
        machine = machine_arn(want.region, want.account_id, want.params.get("machine", ""))
        return want.aws_id or f"{machine.replace(':stateMachine:', ':execution:')}:{want.name}"

    def described(self, client, aws_id: str, tags: Mapping[str, str] | None) -> Seen:
        """An execution has no tags: whose it is its machine tells."""
        try:
            execution = client.describe_execution(executionArn=aws_id)
        except client.exceptions.ExecutionDoesNotExist:
            return GONE_FROM_AWS
        machine = execution["stateMachineArn"]
        return _seen(execution, tags_of_machine(client, machine) if tags is None else tags, whole=True)

    def delete(self, client, want: Want, seen: Seen) -> None:
        client.stop_execution(executionArn=seen.aws_id, cause="Its lab is over")

    def off_call(self, want: Want) -> OffCall:
        # It costs nothing by the hour, but goes on starting what does.
        return OffCall("sfn", "stopExecution", {"ExecutionArn": self.id_of(want)})

    def find_all(self, client) -> Iterable[Seen]:
        """One list of the state machines, and one a standard machine: AWS has no list of all that run. So a region
        without state machines takes one call, and one with ten of them eleven."""
        for machine in machines(client):
            if machine["type"] == "STANDARD":
                yield from _running(client, machine["stateMachineArn"])


def _running(client, machine: str) -> Iterable[Seen]:
    pages = client.get_paginator("list_executions").paginate(
        stateMachineArn=machine, statusFilter="RUNNING", PaginationConfig={"PageSize": 1000}
    )
    try:
        for page in pages:
            for execution in page["executions"]:
                yield _seen(execution, {}, whole=False)
    except client.exceptions.StateMachineDoesNotExist:
        return  # deleted since it was listed, and all that ran of it


def _seen(execution: Mapping[str, Any], tags: Mapping[str, str], *, whole: bool) -> Seen:
    status = execution["status"]
    goes_on = status in GOES_ON
    facts = {
        "arn": execution["executionArn"],
        "machine": execution["stateMachineArn"].rpartition(":")[2],
        "not_accrued": NOT_ACCRUED,
    }
    if not goes_on:
        why = execution.get("cause") or execution.get("error") or "no reason given"
        facts |= {"ended": ENDS.get(status, f"it failed: {why}"), "is_done": status == "SUCCEEDED"}
    return Seen(
        RUNNING if goes_on else ABSENT,
        aws_id=execution["executionArn"],
        name=execution["name"],
        since=utc(execution["startDate"] if goes_on else execution.get("stopDate")),
        facts=facts,
        tags=tags,
        mark=mark(execution["startDate"]),
        whole=whole,
    )
