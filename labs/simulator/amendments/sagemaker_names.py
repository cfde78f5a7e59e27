"""SageMaker's names. AWS refuses to create a model, configuration or endpoint whose name is taken; moto replaces it. An
ARN is a string; of a configuration moto makes a tuple, which the tagging API then shows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import FakeEndpointConfig, SageMakerModelBackend

from labs.simulator.amendments import instead_of


def _refuse_taken(operation: str, argument: str, kept_in: str, words: str) -> None:
    def create(was: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
        taken = getattr(self, kept_in).get(kwargs[argument])
        if taken is not None:
            raise ValidationError(message=f'Cannot create already existing {words} "{taken.arn}".')
        return was(self, *args, **kwargs)

    instead_of(SageMakerModelBackend, operation)(create)


_refuse_taken("create_model", "model_name", "_models", "model")
_refuse_taken("create_endpoint_config", "endpoint_config_name", "endpoint_configs", "endpoint configuration")
_refuse_taken("create_endpoint", "endpoint_name", "endpoints", "endpoint")


@instead_of(FakeEndpointConfig, "__init__")
def _init(was: Callable[..., None], self: Any, *args: Any, **kwargs: Any) -> None:
    was(self, *args, **kwargs)
    self.arn = self.endpoint_config_arn
