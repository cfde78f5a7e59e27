"""SageMaker's names. AWS refuses to create a model, configuration or endpoint whose name is taken; moto replaces it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import SageMakerModelBackend

from labs.simulator.amendments import instead_of


def _refuse_taken(operation: str, argument: str, kept_in: str, words: str) -> None:
    def create(was: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
        taken = getattr(self, kept_in).get(kwargs[argument])
        if taken is not None:
            # A configuration's ARN is a tuple of one in moto.
            arn = taken.arn if isinstance(taken.arn, str) else taken.arn[0]
            raise ValidationError(message=f'Cannot create already existing {words} "{arn}".')
        return was(self, *args, **kwargs)

    instead_of(SageMakerModelBackend, operation)(create)


_refuse_taken("create_model", "model_name", "_models", "model")
_refuse_taken("create_endpoint_config", "endpoint_config_name", "endpoint_configs", "endpoint configuration")
_refuse_taken("create_endpoint", "endpoint_name", "endpoints", "endpoint")
