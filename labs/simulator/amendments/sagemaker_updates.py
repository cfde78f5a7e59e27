"""Updating a SageMaker endpoint. AWS shows it Updating, with its old machines, then in service with new ones; one in
transition is left alone.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import FakeEndpoint
from moto.sagemaker.responses import SageMakerResponse

from labs.simulator.amendments import added_to
from labs.simulator.transitions import after, pace


@added_to(SageMakerResponse)
def update_endpoint(self: SageMakerResponse) -> Any:
    backend: Any = self.sagemaker_backend
    name, wanted = self._get_param("EndpointName"), self._get_param("EndpointConfigName")
    backend.describe_endpoint(name)  # missing: "Could not find"
    endpoint = backend.endpoints[name]
    if endpoint.endpoint_status != "InService":
        raise ValidationError(message=f'Cannot update in-progress endpoint "{endpoint.arn}".')
    config = backend.describe_endpoint_config(wanted)
    if pace.seconds:
        endpoint.endpoint_status = "Updating"
        endpoint.last_modified_time = utcnow()
        after(pace.seconds, partial(_take_over, endpoint, wanted, config))
    else:
        _take_over(endpoint, wanted, config)
    return ActionResult({"EndpointArn": endpoint.arn})


def _take_over(endpoint: FakeEndpoint, config_name: str, config: dict[str, Any]) -> None:
    endpoint.endpoint_config_name = config_name
    endpoint.production_variants = endpoint._process_production_variants(config["ProductionVariants"])
    # Set, a status is seen on its way: this one has arrived.
    type(endpoint).__dict__["endpoint_status"].arrive(endpoint, "InService")
    endpoint.last_modified_time = utcnow()
