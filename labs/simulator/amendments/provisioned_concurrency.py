"""Provisioned concurrency. AWS keeps machines ready for a version or an alias of a function, and bills them by the
second, used or not; moto knows nothing of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from moto.awslambda import urls
from moto.awslambda.exceptions import InvalidParameterValueException, LambdaClientError
from moto.awslambda.models import LambdaFunction
from moto.awslambda.responses import LambdaResponse
from moto.core.utils import iso_8601_datetime_with_nanoseconds

from labs.simulator.transitions import pace

_PATH = r"{0}/(?P<api_version>[^/]+)/functions/(?P<function_name>[\w_:%-]+)/provisioned-concurrency$"


class NotProvisioned(LambdaClientError):
    code = 404

    def __init__(self) -> None:
        words = "No Provisioned Concurrency Config found for this function"
        super().__init__("ProvisionedConcurrencyConfigNotFoundException", words)


@dataclass
class Provisioned:
    count: int
    since: float
    modified: str

    def told(self) -> dict[str, Any]:
        is_ready = not pace.is_on_the_way(self.since)
        return {
            "RequestedProvisionedConcurrentExecutions": self.count,
            "AvailableProvisionedConcurrentExecutions": self.count if is_ready else 0,
            "AllocatedProvisionedConcurrentExecutions": self.count if is_ready else 0,
            "Status": "READY" if is_ready else "IN_PROGRESS",
            "LastModified": self.modified,
        }


def _of(response: LambdaResponse) -> tuple[LambdaFunction, dict[str, Provisioned], str]:
    """The function, {qualifier: what is provisioned for it}, which goes when the function goes, and the qualifier."""
    name = unquote(response.path.split("/")[-2])
    qualifier = response._get_param("Qualifier") or ""
    function = response.backend.get_function(name)
    if qualifier:
        response.backend.get_function(name, qualifier)  # refuses what does not exist
    return function, function.__dict__.setdefault("provisioned", {}), qualifier


def put_provisioned_concurrency_config(self: LambdaResponse) -> Any:
    _, provisioned, qualifier = _of(self)
    if qualifier in ("", "$LATEST"):
        words = "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
        raise InvalidParameterValueException(words)
    count = int(self.json_body["ProvisionedConcurrentExecutions"])
    provisioned[qualifier] = made = Provisioned(count, pace.now(), iso_8601_datetime_with_nanoseconds())
    return 202, {"status": 202}, json.dumps(made.told())


def get_provisioned_concurrency_config(self: LambdaResponse) -> str:
    _, provisioned, qualifier = _of(self)
    if qualifier not in provisioned:
        raise NotProvisioned
    return json.dumps(provisioned[qualifier].told())


def delete_provisioned_concurrency_config(self: LambdaResponse) -> Any:
    _, provisioned, qualifier = _of(self)
    provisioned.pop(qualifier, None)
    return 204, {"status": 204}, ""


def list_provisioned_concurrency_configs(self: LambdaResponse) -> str:
    function, provisioned, _ = _of(self)
    arn = function.function_arn
    told = [{"FunctionArn": f"{arn}:{qualifier}", **one.told()} for qualifier, one in provisioned.items()]
    return json.dumps({"ProvisionedConcurrencyConfigs": told})


for _operation in (
    put_provisioned_concurrency_config,
    get_provisioned_concurrency_config,
    delete_provisioned_concurrency_config,
    list_provisioned_concurrency_configs,
):
    setattr(LambdaResponse, _operation.__name__, _operation)
urls.url_paths[_PATH] = LambdaResponse.dispatch
