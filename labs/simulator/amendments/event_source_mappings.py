"""Event source mappings. AWS takes one for a function and a source, and refuses the second; shows Creating, Disabling,
Enabling and Deleting on the way; changes and deletes none that is on its way; and lists by a function's name or ARN.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from moto.awslambda.exceptions import GenericResourcNotFound, LambdaClientError, UnknownFunctionException
from moto.awslambda.models import EventSourceMapping, LambdaBackend

from labs.simulator.amendments import instead_of
from labs.simulator.transitions import later, pace

_ON_THE_WAY = ("Creating", "Enabling", "Disabling", "Deleting")


class _Conflict(LambdaClientError):
    code = 409

    def __init__(self, mapping: EventSourceMapping):
        source, function = mapping.event_source_arn, mapping.function_name
        words = (
            f'The event source arn (" {source} ") and function (" {function} ") provided mapping already exists. '
            f"Please update or delete the existing mapping with UUID {mapping.uuid}"
        )
        super().__init__("ResourceConflictException", words)


class _InUse(LambdaClientError):
    code = 400

    def __init__(self, state: str):
        words = f"Cannot update the event source mapping because it is in use: its state is {state}."
        super().__init__("ResourceInUseException", words)


def _name(function: str) -> str:
    """Of a name, an ARN, or either with a qualifier."""
    return function.split(":function:")[-1].split(":")[0]


def _moves(mapping: EventSourceMapping, state: str) -> None:
    mapping.__dict__["moving"] = (state, pace.now())


@instead_of(EventSourceMapping, "get_configuration")
def get_configuration(was: Any, self: EventSourceMapping) -> dict[str, Any]:
    told = was(self)
    state, since = self.__dict__.get("moving", ("", 0.0))
    if state and (state == "Deleting" or pace.is_on_the_way(since)):
        told["State"] = state
    return {**told, "EventSourceMappingArn": self.arn}


@instead_of(LambdaBackend, "create_event_source_mapping")
def create_event_source_mapping(was: Any, self: LambdaBackend, spec: dict[str, Any]) -> EventSourceMapping:
    for other in self._event_source_mappings.values():
        same = _name(other.function_name) == _name(spec.get("FunctionName", ""))
        if same and other.event_source_arn == spec.get("EventSourceArn"):
            raise _Conflict(other)
    made = was(self, spec)
    _moves(made, "Creating")
    return made


@instead_of(LambdaBackend, "update_event_source_mapping")
def update_event_source_mapping(was: Any, self: LambdaBackend, uuid: str, spec: dict[str, Any]) -> Any:
    mapping = self._event_source_mappings.get(uuid)
    if mapping is None:
        raise GenericResourcNotFound
    _refuse_on_the_way(mapping)
    is_on = mapping.enabled
    answer = was(self, uuid, spec)
    if mapping.enabled != is_on:
        _moves(mapping, "Enabling" if mapping.enabled else "Disabling")
    return answer


@instead_of(LambdaBackend, "delete_event_source_mapping")
def delete_event_source_mapping(was: Any, self: LambdaBackend, uuid: str) -> Any:
    mapping = self._event_source_mappings.get(uuid)
    if mapping is None:
        raise GenericResourcNotFound
    _refuse_on_the_way(mapping)
    mapping.enabled = False  # moto's queues hold on to it
    if not pace.seconds:
        return was(self, uuid)
    _moves(mapping, "Deleting")
    later(partial(self._event_source_mappings.pop, uuid, None))
    return mapping


def _refuse_on_the_way(mapping: EventSourceMapping) -> None:
    state = mapping.get_configuration()["State"]
    if state in _ON_THE_WAY:
        raise _InUse(state)


@instead_of(LambdaBackend, "list_event_source_mappings")
def list_event_source_mappings(was: Any, self: LambdaBackend, event_source_arn: str, function_name: str) -> Any:
    found = was(self, event_source_arn, None)
    return [each for each in found if not function_name or _name(each.function_name) == _name(function_name)]


@instead_of(LambdaBackend, "send_sqs_batch")
def send_sqs_batch(was: Any, self: LambdaBackend, function_arn: str, messages: Any, queue_arn: str) -> bool:
    """A function that is gone leaves its mapping behind, and the queue keeps its messages."""
    try:
        return was(self, function_arn, messages, queue_arn)
    except UnknownFunctionException:
        return False
