"""Executions that run: moto's interpreter of the states language, and what it lacks to be used in practice mode.

moto runs Pass, Wait, Choice, Parallel, Map, Succeed, Fail, functions and calls of services. Here its calls stay within
the account (within.py) instead of going to moto's own port; waits follow the simulator's clock; what is stopped is
stopped at once; `.sync` waits for SageMaker's jobs. What practice mode cannot run fails the execution, and says so.

Loaded when somebody first uses Step Functions: it takes half a second.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from antlr4 import CommonTokenStream, InputStream
from botocore import xform_name
from botocore.model import StructureShape
from botocore.response import StreamingBody
from moto.core.exceptions import AWSError
from moto.stepfunctions.parser import utils as parser_utils
from moto.stepfunctions.parser.api import ExecutionStatus, HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.antlr.runtime.ASLLexer import ASLLexer
from moto.stepfunctions.parser.asl.antlr.runtime.ASLParser import ASLParser
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.common.payload.payloadvalue.payloadbinding.payload_binding import (
    PayloadBindingStringExpressionSimple,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import ResourceCondition
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_unsupported import (
    StateTaskServiceUnsupported,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task import StateTask
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.timestamp import Timestamp
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped
from moto.stepfunctions.parser.asl.jsonata import jsonata
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor
from moto.stepfunctions.parser.asl.utils import boto_client
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.models import StepFunctionsParserBackend, stepfunctions_parser_backends

from labs.simulator import definitions
from labs.simulator.amendments import instead_of, the_world
from labs.simulator.targets import service_named, spelt
from labs.simulator.transitions import pace
from labs.simulator.within import Within

# moto logs each failure of a student's machine as an error of its own.
logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)

# The jobs that `.sync` waits for: what starts one -> what the members of its other calls are called after.
_JOBS = {
    "createTrainingJob": "TrainingJob",
    "createProcessingJob": "ProcessingJob",
    "createTransformJob": "TransformJob",
}
_LONGEST_HISTORY = 25_000  # events: AWS's own limit
_LOOKS_EVERY = 0.2  # seconds: how soon a wait sees that time was let pass, or that it was stopped


class NotInPractice(Exception):
    """What an execution met that practice mode cannot run. Its words stand in the execution's cause."""


class HistoryIsFull(Exception):
    """An execution has done more than AWS lets one do."""


class InvalidDefinition(AWSError):
    TYPE = "InvalidDefinition"
    STATUS = 400


def backend_of(account: str, region: str) -> StepFunctionsParserBackend:
    """The state machines of the account in the region."""
    return stepfunctions_parser_backends[account][region]


# --- calls ---------------------------------------------------------------------------------------------------


class _AsStatesWrite(Within):
    """Takes and gives the members of a call in Pascal case, and gives plain JSON, as a state machine has it."""

    def _in_account(self, method: Callable[..., Any]) -> Callable[..., Any]:
        made = super()._in_account(method)
        meta = self._client.meta
        operation = meta.service_model.operation_model(meta.method_to_api_mapping[method.__name__])

        def call(**asked: Any) -> Any:
            answer = made(**(spelt(asked, operation.input_shape) if operation.input_shape else asked))
            # A function's answer is read by moto itself.
            return answer if meta.service_model.service_name == "lambda" else _plain(answer, operation.output_shape)

        return call


def _plain(value: Any, shape: Any) -> Any:
    if isinstance(value, Mapping):
        if isinstance(shape, StructureShape):
            known = {name: inner for name, inner in value.items() if name in shape.members}
            return {name[0].upper() + name[1:]: _plain(inner, shape.members[name]) for name, inner in known.items()}
        return {name: _plain(inner, shape.value) for name, inner in value.items()} if shape else {}
    if isinstance(value, list):
        return [_plain(inner, shape.member) for inner in value]
    if isinstance(value, StreamingBody | bytes):
        return (value if isinstance(value, bytes) else value.read()).decode("utf-8", "replace")
    return value.isoformat() if isinstance(value, datetime) else value


def _client_within(region: str, service: str, state_credentials: Any = None) -> Within:
    return _AsStatesWrite(service_named(service), state_credentials.role_arn.split(":")[4], region)


_OF_MOTO = boto_client.boto_client_for
for _module in list(sys.modules.values()):
    if getattr(_module, "boto_client_for", None) is _OF_MOTO:
        _module.boto_client_for = _client_within  # type: ignore[attr-defined]


@instead_of(StateTask, "_eval_state_credentials")
def _eval_state_credentials(was: Any, self: Any, env: Any) -> Any:
    """AWS takes another account's role where that account trusts this one; here nobody leaves the account."""
    credentials = was(self, env)
    if credentials.role_arn.split(":")[4:5] != [env.aws_execution_details.account]:
        raise NotInPractice(f"Practice mode does not let {credentials.role_arn} be used from another account.")
    return credentials


# --- what it cannot run --------------------------------------------------------------------------------------


def _no_jsonata(expression: str) -> Any:
    raise NotInPractice("Practice mode does not run JSONata: write this state with JSONPath, or run it on AWS.")


jsonata._eval_jsonata = _no_jsonata


@instead_of(StateTaskServiceCallback, "_assert_integration_pattern_is_supported")
def _assert_pattern(was: Any, self: Any) -> None:
    if self.resource.condition == ResourceCondition.Sync and _job_of(self.resource):
        return
    if self.resource.condition not in self._supported_integration_patterns:
        raise NotInPractice(f"Practice mode cannot wait for {self.resource.resource_arn}; on AWS it runs.")


def _job_of(resource: Any) -> str | None:
    return _JOBS.get(resource.api_action) if resource.service_name == "sagemaker" else None


@instead_of(StateTaskServiceUnsupported, "_build_sync_resolver")
def _build_sync_resolver(was: Any, self: Any, env: Any, **about: Any) -> Callable[[], Any]:
    """Looks until the job has ended; a failed or stopped one fails the state. (AWS also tries to stop the job when the
    execution is stopped; here it runs on, as it may there.)"""
    env.stack.pop()  # the job's ARN: what the state gives is what is told of the job at its end
    client = _client_within(about["resource_runtime_part"].region, "sagemaker", about["state_credentials"])
    job = _JOBS[self.resource.api_action]
    name = {f"{job}Name": about["normalised_parameters"][f"{job}Name"]}

    def look() -> dict[str, Any] | None:
        told = getattr(client, xform_name(f"Describe{job}"))(**name)
        status = told[f"{job}Status"]
        if status in ("InProgress", "Stopping"):
            return None
        if status == "Completed":
            return told
        failed = StatesErrorName(typ=StatesErrorNameType.StatesTaskFailed)
        details = TaskFailedEventDetails(
            resource=self._get_sfn_resource(),
            resourceType=self._get_sfn_resource_type(),
            error=failed.error_name,
            cause=json.dumps(told),
        )
        event: Any = {"taskFailedEventDetails": details}
        raise FailureEventException(FailureEvent(env, failed, HistoryEventType.TaskFailed, event))

    return look


@instead_of(EventManager, "add_event")
def add_event(was: Any, self: Any, context: Any, event_type: Any, *args: Any, **kwargs: Any) -> int:
    """AWS ends what goes round and round; here it would also take the simulator's time and memory for ever."""
    if self._event_id_gen._next_id > _LONGEST_HISTORY and not str(event_type.value).startswith("Execution"):
        raise HistoryIsFull(f"The execution reached the maximum number of history events ({_LONGEST_HISTORY}).")
    return was(self, context, event_type, *args, **kwargs)


# --- waits ---------------------------------------------------------------------------------------------------


@instead_of(WaitFunction, "_wait_interval")
def _wait_interval(was: Any, self: Any, env: Any, wait_seconds: float) -> None:
    until = pace.now() + wait_seconds
    while env.is_running() and pace.now() < until:
        env.program_state_event.wait(min(_LOOKS_EVERY, max(0.0, until - pace.now())))


@instead_of(Timestamp, "_get_wait_seconds")
def _get_wait_seconds(was: Any, self: Any, env: Any) -> float:
    """Timestamps are in UTC, wherever this machine is."""
    self.string.eval(env=env)
    text = env.stack.pop()
    instant = self._from_timestamp_string(timestamp=text)
    if instant is None:
        raise FailureEventException(self._create_failure_event(env, text))
    return (instant.replace(tzinfo=UTC) - pace.wall()).total_seconds()


# --- beginnings and ends -------------------------------------------------------------------------------------


@instead_of(StepFunctionsParserBackend, "start_execution")
def start_execution(
    was: Any, self: Any, arn: str, name: str | None = None, execution_input: str | None = None, *more: Any
) -> Any:
    parser_utils.TMP_THREADS[:] = [thread for thread in parser_utils.TMP_THREADS if thread.is_alive()]
    return was(self, arn, name or str(uuid4()), execution_input, *more)


@instead_of(ExecutionWorker, "_get_evaluation_environment")
def _get_evaluation_environment(was: Any, self: Any) -> Any:
    environment = was(self)
    if "stopped" in vars(self):  # before it had begun
        environment._program_state = vars(self)["stopped"]
    return environment


@instead_of(ExecutionWorker, "_execution_logic")
def _execution_logic(was: Any, self: Any) -> None:
    try:
        was(self)
    except Exception as error:
        execution = self._execution_communication.execution
        with the_world().lock:
            if execution.exec_status == ExecutionStatus.RUNNING:
                execution.exec_status, execution.stop_date = ExecutionStatus.FAILED, datetime.now(UTC)
                execution.error, execution.cause = "States.Runtime", f"{type(error).__name__}({error})"


@instead_of(BaseExecutionWorkerCommunication, "_reflect_execution_status")
def _reflect_execution_status(was: Any, self: Any) -> None:
    with the_world().lock:
        if self.execution.exec_status == ExecutionStatus.RUNNING:
            was(self)


@instead_of(Execution, "stop")
def stop(was: Any, self: Any, stop_date: datetime, error: str | None, cause: str | None) -> None:
    """What has ended stays as it ended; AWS answers all the same."""
    if self.exec_status != ExecutionStatus.RUNNING:
        return
    self.exec_status, self.stop_date, self.error, self.cause = ExecutionStatus.ABORTED, stop_date, error, cause
    stopped = ProgramStopped(stop_date=stop_date, error=error, cause=cause)
    vars(self.exec_worker)["stopped"] = stopped
    environment = self.exec_worker.env
    if environment is not None and environment.program_state() is None:
        environment._program_state = stopped
    elif environment is not None:
        environment.set_stop(stop_date=stop_date, error=error, cause=cause)


# --- definitions ---------------------------------------------------------------------------------------------


@instead_of(Preprocessor, "visitPayload_binding_value")
def visit_binding(was: Any, self: Any, context: Any) -> Any:
    """Among parameters "RoleArn.$" is a path like any other; moto's grammar has a word of that name, and takes what
    follows it for plain text."""
    made = was(self, context)
    if not made.field.endswith(".$"):
        return made
    text = context.payload_value_decl().getText()
    path = ASLParser(CommonTokenStream(ASLLexer(InputStream(text)))).string_expression_simple()
    return PayloadBindingStringExpressionSimple(
        field=made.field.removesuffix(".$"), string_expression_simple=self.visitString_expression_simple(path)
    )


_READS = StepFunctionsParserBackend._validate_definition


def _validate(definition: str) -> None:
    try:
        _READS(definition)
    except Exception as error:
        said = getattr(error, "message", None) or str(error)
        raise InvalidDefinition(f"Invalid State Machine Definition: '{said}'") from error
    faults = ", ".join(definitions.dead_ends(json.loads(definition)))
    if faults:
        raise InvalidDefinition(f"Invalid State Machine Definition: '{faults}'")


StepFunctionsParserBackend._validate_definition = staticmethod(_validate)  # type: ignore[method-assign]
