"""Lambda functions. AWS shows a new one as Pending for a moment; takes as its role only one that Lambda may assume, as
its container image only one that is in the registry; and keeps a layer that was deleted since in the functions that
have it.
"""

from __future__ import annotations

from typing import Any

from moto.awslambda.exceptions import InvalidParameterValueException, LambdaClientError
from moto.awslambda.models import LambdaFunction, LambdaStorage
from moto.awslambda.utils import get_backend
from moto.ecr.exceptions import RepositoryNotFoundException
from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends

from labs.simulator.amendments import instead_of
from labs.simulator.transitions import make_timed

make_timed(LambdaFunction, "state", {"Active": "Pending"})


@instead_of(LambdaStorage, "put_function")
def put_function(was: Any, self: LambdaStorage, fn: LambdaFunction) -> None:
    try:
        role = iam_backends[self.account_id][self.partition].get_role_by_arn(fn.role)
    except NotFoundException:
        role = None  # moto says so itself
    if role is not None and "lambda.amazonaws.com" not in str(role.assume_role_policy_document):
        raise InvalidParameterValueException("The role defined for the function cannot be assumed by Lambda.")
    was(self, fn)


@instead_of(LambdaFunction, "_set_function_code")
def set_function_code(was: Any, self: LambdaFunction, updated_spec: dict[str, Any]) -> None:
    image = updated_spec.get("ImageUri")
    try:
        was(self, updated_spec)
    except (RepositoryNotFoundException, LambdaClientError, ValueError) as missing:
        if not image:
            raise
        raise InvalidParameterValueException(
            f"Source image {image} does not exist. Provide a valid source image."
        ) from missing


@instead_of(LambdaFunction, "_get_layers_data")
def get_layers_data(was: Any, self: LambdaFunction, layers_versions_arns: list[str]) -> Any:
    told = was(self, layers_versions_arns)
    known = get_backend(self.account_id, self.region).layers_versions_by_arn
    layers = [known(arn) for arn in layers_versions_arns]
    self.__dict__["layer_archives"] = tuple(layer.code_bytes for layer in layers if layer)
    return told
