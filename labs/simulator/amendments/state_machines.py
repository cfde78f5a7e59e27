"""Step Functions. AWS runs what is started (executions.py). It takes the same machine a second time for the first, and
another one of its name not at all; a deleted one is DELETING until its executions have ended, and starts none
meanwhile; executions of EXPRESS machines are in no list.
"""

from __future__ import annotations

from typing import Any

from moto.core.config import default_user_config
from moto.core.exceptions import AWSError
from moto.core.responses import ActionResult
from moto.stepfunctions import responses
from moto.stepfunctions.models import StepFunctionBackend
from moto.stepfunctions.responses import StepFunctionResponse

from labs.simulator.amendments import instead_of
from labs.simulator.transitions import pace

default_user_config["stepfunctions"] = {"execute_state_machine": True}


def _get_backend(account: str, region: str) -> StepFunctionBackend:
    from labs.simulator import executions  # half a second, which only those wait for who use Step Functions

    return executions.backend_of(account, region)


responses.get_backend = _get_backend


class StateMachineAlreadyExists(AWSError):
    TYPE = "StateMachineAlreadyExists"
    STATUS = 400


class StateMachineDeleting(AWSError):
    TYPE = "StateMachineDeleting"
    STATUS = 400


class StateMachineTypeNotSupported(AWSError):
    TYPE = "StateMachineTypeNotSupported"
    STATUS = 400


@instead_of(StepFunctionBackend, "create_state_machine")
def create_state_machine(was: Any, self: Any, name: str, definition: str, *args: Any, **kwargs: Any) -> Any:
    _bury(self)
    taken = next((machine for machine in self.state_machines if machine.name == name), None)
    if taken is not None:
        _refuse_if_leaving(taken)
        if (taken.definition, taken.type) != (definition, kwargs.get("sm_type") or "STANDARD"):
            raise StateMachineAlreadyExists(f"State Machine Already Exists: '{taken.arn}'")
    return was(self, name, definition, *args, **kwargs)


@instead_of(StepFunctionBackend, "delete_state_machine")
def delete_state_machine(was: Any, self: Any, arn: str) -> None:
    machine = next((each for each in self.state_machines if each.arn == arn), None)
    if machine is None:
        was(self, arn)  # AWS takes this, unless it is no ARN at all
        return
    vars(machine).setdefault("deleted_at", pace.now())
    _bury(self)


def _bury(backend: Any) -> None:
    """Those that were deleted, and have ended."""
    for machine in [each for each in backend.state_machines if "deleted_at" in vars(each)]:
        is_busy = any(execution.status == "RUNNING" for execution in machine.executions)
        if not is_busy and not pace.is_on_the_way(vars(machine)["deleted_at"]):
            backend.state_machines.remove(machine)
            backend.tagger.delete_all_tags_for_resource(machine.arn)


def _refuse_if_leaving(machine: Any) -> None:
    if "deleted_at" in vars(machine):
        raise StateMachineDeleting(f"State Machine Is Deleting: '{machine.arn}'")


def _after_burial(was: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
    _bury(self)
    return was(self, *args, **kwargs)


for _operation in ("describe_state_machine", "list_state_machines", "describe_execution"):
    instead_of(StepFunctionBackend, _operation)(_after_burial)


@instead_of(StepFunctionResponse, "_describe_state_machine")
def _describe_state_machine(was: Any, self: Any, arn: str) -> Any:
    told: Any = was(self, arn).result
    machine = self.stepfunction_backend.describe_state_machine(arn)
    return ActionResult(told | {"status": "DELETING" if "deleted_at" in vars(machine) else "ACTIVE"})


@instead_of(StepFunctionResponse, "start_execution")
def start_execution(was: Any, self: Any) -> Any:
    _refuse_if_leaving(self.stepfunction_backend.describe_state_machine(self._get_param("stateMachineArn")))
    return was(self)


@instead_of(StepFunctionResponse, "list_executions")
def list_executions(was: Any, self: Any) -> Any:
    machine = self.stepfunction_backend.describe_state_machine(self._get_param("stateMachineArn"))
    if machine.type == "EXPRESS":
        raise StateMachineTypeNotSupported("This operation is not supported by this type of state machine")
    return was(self)


@instead_of(StepFunctionResponse, "stop_execution")
def stop_execution(was: Any, self: Any) -> Any:
    execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
    answer = was(self)
    if execution.status == "ABORTED":
        execution.error = execution.error or self._get_param("error")
        execution.cause = execution.cause or self._get_param("cause")
    return answer
