"""CloudFormation. AWS takes its time over a stack, rolls back one that cannot be made, keeps one that is protected or
of which something cannot be deleted (DELETE_FAILED), and reads a template as data, without running what is in it.

What moto cannot make it leaves out and calls the stack complete: here that is refused, with the names of the types.
"""

from __future__ import annotations

import json
from functools import partial
from types import SimpleNamespace
from typing import Any

import yaml
from moto.cloudformation import models, responses
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import CloudFormationBackend, Event, Stack, cloudformation_backends
from moto.cloudformation.parsing import NULL_MODELS, OutputMap, ResourceMap, get_model_map
from moto.cloudformation.responses import CloudFormationResponse
from moto.cloudformation.utils import yaml_tag_constructor
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult

from labs.simulator.amendments import added_to, instead_of
from labs.simulator.transitions import later, make_timed, pace

make_timed(
    Stack,
    "status",
    {
        "CREATE_COMPLETE": "CREATE_IN_PROGRESS",
        "ROLLBACK_COMPLETE": "ROLLBACK_IN_PROGRESS",
        "UPDATE_COMPLETE": "UPDATE_IN_PROGRESS",
        "DELETE_FAILED": "DELETE_IN_PROGRESS",
    },
)

# --- templates ----------------------------------------------------------------------------------------------------


class _Template(yaml.SafeLoader):
    """YAML with CloudFormation's short forms (!Ref, !GetAtt) and with its dates as the text that they are written as.

    moto's own loader runs any Python that a template names (!!python/object/apply)."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Template.add_multi_constructor("!", lambda loader, tag, node: yaml_tag_constructor(loader, f"!{tag}", node))


def _read(template: Any, **_: Any) -> dict[str, Any]:
    try:
        read = json.loads(template)
    except ValueError:
        loader = _Template(template)
        try:
            read = loader.get_single_data()
        except yaml.YAMLError as error:
            raise ValidationError(message=f"Template format error: YAML not well-formed. {error}") from error
        finally:
            loader.dispose()
    if not isinstance(read, dict):
        raise ValidationError(message="Template format error: unsupported structure.")
    if not read.get("Resources"):
        raise ValidationError(message="Template format error: At least one Resources member must be defined.")
    return read


for _module in (models, responses):
    _module.yaml = SimpleNamespace(load=_read, Loader=None, add_multi_constructor=lambda *_: None)  # type: ignore


def _unknown_types(template: str) -> list[str]:
    types = {str(resource.get("Type", "")) for resource in _read(template)["Resources"].values()}
    known = {*NULL_MODELS, "AWS::CDK::Metadata", *get_model_map()}
    return sorted(each for each in types - known if not each.startswith("Custom::"))


# --- made and rolled back -----------------------------------------------------------------------------------------

_at_work: list[str] = []  # ids of the stacks that are making something: the last one is a nested stack's parent


@instead_of(ResourceMap, "__getitem__")
def make(was: Any, self: Any, logical_id: str) -> Any:
    _at_work.append(self.stack_id)
    try:
        return was(self, logical_id)
    except Exception:
        if logical_id in self.resources:
            self.__dict__.setdefault("failed", logical_id)
        raise
    finally:
        _at_work.pop()


@instead_of(Stack, "__init__")
def init(was: Any, self: Any, *args: Any, **kwargs: Any) -> None:
    was(self, *args, **kwargs)
    self.stack_status_reason = None
    self.parent_id = self.root_id = _at_work[-1] if _at_work else None
    if self.parent_id:
        parent: Any = cloudformation_backends[self.account_id][self.region_name].stacks[self.parent_id]
        self.root_id = parent.root_id or self.parent_id


@instead_of(CloudFormationBackend, "create_stack")
def create_stack(was: Any, self: Any, **asked: Any) -> Stack:
    unknown = _unknown_types(asked["template"])
    if unknown:
        raise ValidationError(message=f"Practice mode cannot make {', '.join(unknown)} yet; on AWS a stack can.")
    before = set(self.stacks)
    try:
        return was(self, **asked)
    except Exception as error:
        stack = next((each for stack_id, each in self.stacks.items() if stack_id not in before), None)
        if stack is None:
            raise  # the template or a parameter is wrong: nothing was begun
        if stack.parent_id:
            _end(self, stack)
            raise
        failed = stack.resource_map.__dict__.get("failed", "")
        _tell(stack, failed, "CREATE_FAILED", _words(error))
        _delete_what_goes(stack)
        _set(stack, "ROLLBACK_COMPLETE", f"The following resource(s) failed to create: [{failed}].")
        return stack


# --- protected and deleted ----------------------------------------------------------------------------------------


@added_to(CloudFormationResponse)
def update_termination_protection(self: Any) -> ActionResult:
    stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
    stack.enable_termination_protection = self._get_bool_param("EnableTerminationProtection")
    return ActionResult({"StackId": stack.stack_id})


@instead_of(CloudFormationBackend, "delete_stack")
def delete_stack(was: Any, self: Any, name_or_stack_id: str) -> None:
    stack = next((each for each in self.stacks.values() if name_or_stack_id in (each.name, each.stack_id)), None)
    if stack is None or stack.status == "DELETE_IN_PROGRESS":
        return
    if stack.enable_termination_protection:
        words = f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
        raise ValidationError(message=words)
    if stack.status == "UPDATE_IN_PROGRESS":
        raise ValidationError(message=f"Stack [{stack.name}] cannot be deleted while in status {stack.status}")
    exported = [export.name for export in stack.exports]
    stack._add_stack_event("DELETE_IN_PROGRESS", resource_status_reason="User Initiated")
    error = _delete_what_goes(stack)
    if error is not None:
        kept = ", ".join(_left_of(stack))
        _set(stack, "DELETE_FAILED", f"The following resource(s) failed to delete: [{kept}].")
        if stack.parent_id:
            raise error
        return
    for name in exported:
        self.exports.pop(name, None)
    stack.output_map = OutputMap(stack.resource_map, {}, stack.stack_id)
    if pace.seconds:
        stack.status = "DELETE_IN_PROGRESS"
        later(partial(_end, self, stack))
    else:
        _end(self, stack)


def _end(backend: Any, stack: Any) -> None:
    _set(stack, "DELETE_COMPLETE")
    backend.stacks.pop(stack.stack_id, None)
    backend.deleted_stacks[stack.stack_id] = stack


def _delete_what_goes(stack: Any) -> Exception | None:
    """As much as can be deleted. Answers why the rest could not be, and lets go of what is gone: moto makes anew what
    it is asked for and has not got."""
    resource_map, error = stack.resource_map, None
    made = set(resource_map._parsed_resources)
    try:
        resource_map.delete()
    except Exception as kept_back:
        error = kept_back
        for logical_id in _left_of(stack):
            _tell(stack, logical_id, "DELETE_FAILED", _words(error))
    kept = {
        logical_id: resource
        for logical_id, resource in resource_map._resource_json_map.items()
        if logical_id in made & set(resource_map._parsed_resources)
    }
    resource_map._resource_json_map = kept
    return error


@instead_of(ResourceMap, "_delete_resource")
def delete_resource(was: Any, self: Any, parsed_resource: Any, resource_json: dict[str, Any]) -> None:
    """What somebody deleted by hand is in no stack's way: AWS takes it for deleted."""
    try:
        was(self, parsed_resource, resource_json)
    except Exception as error:
        said = str(getattr(error, "error_type", None) or getattr(error, "code", ""))
        if not ("NotFound" in said or "NoSuch" in said):
            raise


def _left_of(stack: Any) -> list[str]:
    resource_map = stack.resource_map
    return [
        logical_id
        for logical_id, resource in resource_map._resource_json_map.items()
        if logical_id in resource_map._parsed_resources and resource.get("DeletionPolicy") != "Retain"
    ]


def _set(stack: Any, status: str, reason: str | None = None) -> None:
    stack._add_stack_event(status, resource_status_reason=reason)
    stack.status, stack.stack_status_reason = status, reason


def _tell(stack: Any, logical_id: str, status: str, reason: str) -> None:
    resource = stack.resource_map._parsed_resources.get(logical_id)
    kind = stack.template_dict["Resources"].get(logical_id, {}).get("Type", "")
    physical_id = getattr(resource, "physical_resource_id", "")
    stack.events.append(Event(stack.stack_id, stack.name, logical_id, physical_id, kind, status, reason, None))


def _words(error: Exception) -> str:
    if isinstance(error, ServiceException):
        return error.message
    return f"Practice mode cannot make this as it is asked for ({error})"
