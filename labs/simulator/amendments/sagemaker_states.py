"""SageMaker's states. AWS shows Pending, Stopping, Creating and Deleting on the way, and dates a notebook instance by
its last change. It starts only what is stopped, stops only what is in service, and leaves an endpoint in transition be.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from moto.core.utils import utcnow
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import (
    FakeEndpoint,
    FakeEndpointConfig,
    FakeSagemakerNotebookInstance,
    SageMakerModelBackend,
)

from labs.simulator.amendments import instead_of
from labs.simulator.transitions import later, make_timed, pace

Notebook = FakeSagemakerNotebookInstance

make_timed(Notebook, "status", {"InService": "Pending", "Stopped": "Stopping"})
make_timed(FakeEndpoint, "endpoint_status", {"InService": "Creating"})


def _response_object(endpoint: FakeEndpoint) -> dict[str, Any]:
    """moto reads the object's own attributes, of which the status is no longer one."""
    told = _TOLD(endpoint)
    return {name: value for name, value in told.items() if "imed" not in name} | {
        "EndpointStatus": endpoint.endpoint_status,
        "LastModifiedTime": endpoint.last_modified_time,
    }


_TOLD = FakeEndpoint.__dict__["response_object"].fget
FakeEndpoint.response_object = property(_response_object)  # type: ignore[method-assign,assignment]


def _move(notebook: Notebook, allowed: tuple[str, ...], on_the_way: str, move: Any) -> None:
    if notebook.status not in allowed:
        raise ValidationError(
            message=f"Status ({notebook.status}) not in ([{', '.join(allowed)}]). "
            f"Unable to transition to ({on_the_way}) for Notebook Instance ({notebook.arn})"
        )
    move(notebook)
    notebook.last_modified_time = utcnow()


@instead_of(SageMakerModelBackend, "start_notebook_instance")
def start_notebook_instance(was: Any, self: Any, notebook_instance_name: str) -> None:
    _move(self.get_notebook_instance(notebook_instance_name), ("Stopped", "Failed"), "Pending", Notebook.start)


@instead_of(SageMakerModelBackend, "stop_notebook_instance")
def stop_notebook_instance(was: Any, self: Any, notebook_instance_name: str) -> None:
    _move(self.get_notebook_instance(notebook_instance_name), ("InService",), "Stopping", Notebook.stop)


@instead_of(SageMakerModelBackend, "delete_notebook_instance")
def delete_notebook_instance(was: Any, self: Any, notebook_instance_name: str) -> None:
    notebook = self.get_notebook_instance(notebook_instance_name)
    was(self, notebook_instance_name)
    if pace.seconds:
        notebook.status = "Deleting"
        notebook.last_modified_time = utcnow()
        self.notebook_instances[notebook_instance_name] = notebook
        later(partial(self.notebook_instances.pop, notebook_instance_name, None))


@instead_of(SageMakerModelBackend, "delete_endpoint")
def delete_endpoint(was: Any, self: Any, endpoint_name: str) -> None:
    endpoint = self.endpoints.get(endpoint_name)
    if endpoint is not None and endpoint.endpoint_status in ("Creating", "Updating"):
        raise ValidationError(message=f'Cannot update in-progress endpoint "{endpoint.arn}".')
    if endpoint is not None and endpoint.endpoint_status == "Deleting":
        return
    was(self, endpoint_name)
    if endpoint is not None and pace.seconds:
        endpoint.endpoint_status = "Deleting"
        endpoint.last_modified_time = utcnow()
        self.endpoints[endpoint_name] = endpoint
        later(partial(self.endpoints.pop, endpoint_name, None))


def refuse_unknown_type(instance_type: str) -> None:
    """moto's lists are of 2019; SageMaker's instances are EC2's with `ml.` before them."""
    if not instance_type.startswith("ml.") or instance_type.removeprefix("ml.") not in INSTANCE_TYPES:
        raise ValidationError(
            message=f"1 validation error detected: Value '{instance_type}' at 'instanceType' failed to satisfy "
            "constraint: Member must satisfy enum value set of SageMaker's instance types"
        )


def _offered(was: Any, self: Any, instance_type: str) -> None:
    refuse_unknown_type(instance_type)


instead_of(Notebook, "validate_instance_type")(_offered)
instead_of(FakeEndpointConfig, "validate_instance_type")(_offered)
