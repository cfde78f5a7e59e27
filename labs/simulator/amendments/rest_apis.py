"""REST APIs. AWS reads all of an imported OpenAPI document; tags APIs, usage plans and keys; deletes one API in 30
seconds, none that a domain name leads to, and no usage plan that has stages; and says NotFound of what is not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from moto.apigateway import urls
from moto.apigateway.exceptions import (
    ApiGatewayException,
    BadRequestException,
    NotFoundException,
    RestAPINotFound,
    UsagePlanNotFoundException,
)
from moto.apigateway.models import APIGatewayBackend, Method
from moto.apigateway.responses import APIGatewayResponse

from labs.simulator.amendments import instead_of
from labs.simulator.transitions import pace

# Seconds between two deletes of APIs in an account and region (API Gateway quotas).
_BETWEEN_DELETES = 30
_METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "any"}
_ANY = "x-amazon-apigateway-any-method"


class _TooMany(ApiGatewayException):
    code = 429

    def __init__(self) -> None:
        super().__init__("TooManyRequestsException", "Too Many Requests")


# --- import -----------------------------------------------------------------------------------------------------


@instead_of(APIGatewayBackend, "import_rest_api")
def import_rest_api(was: Any, self: APIGatewayBackend, api_doc: dict[str, Any], fail_on_warnings: bool) -> Any:
    api_doc["info"].setdefault("description", "")
    return was(self, api_doc, fail_on_warnings)


@instead_of(APIGatewayBackend, "put_rest_api")
def put_rest_api(was: Any, self: APIGatewayBackend, function_id: str, api_doc: dict[str, Any], **more: Any) -> Any:
    paths: dict[str, dict[str, Any]] = {}
    for path, item in api_doc.get("paths", {}).items():
        methods = {"any" if name == _ANY else name: of for name, of in item.items()}
        paths[path] = {name: of for name, of in methods.items() if name in _METHODS}
    api = was(self, function_id, {**api_doc, "paths": paths}, **more)
    for method, of in _methods_of(api, paths):
        method.authorization_type = "NONE"
        method.api_key_required = _asks_for_a_key(api_doc, of)
    return api


def _methods_of(api: Any, paths: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[Method, Mapping[str, Any]]]:
    for path, item in paths.items():
        for name, of in item.items():
            yield api.get_resource_for_path(path).resource_methods[name.upper()], of


def _asks_for_a_key(document: Mapping[str, Any], method: Mapping[str, Any]) -> bool:
    schemes = document.get("components", {}).get("securitySchemes", {})
    asked = {name for one in method.get("security", document.get("security", ())) for name in one}
    return any(schemes.get(name, {}).get("type") == "apiKey" for name in asked)


@instead_of(APIGatewayBackend, "put_integration")
def put_integration(was: Any, self: APIGatewayBackend, *args: Any, **asked: Any) -> Any:
    """A mock has no address, and AWS writes types in capitals however they were given."""
    if not args:
        asked["integration_type"] = asked["integration_type"].upper()
        asked.setdefault("uri", None)
        asked.setdefault("integration_method", None)
    return was(self, *args, **asked)


# --- tags -------------------------------------------------------------------------------------------------------


def _tagged(response: APIGatewayResponse) -> Any:
    """The API, usage plan or key that the ARN in the address names."""
    _, kind, name = unquote(response.path.split("/tags/")[1]).rsplit(":", 1)[1].split("/")[:3]
    held = {"restapis": "apis", "usageplans": "usage_plans", "apikeys": "keys"}.get(kind)
    if held is None:
        raise NotImplementedError
    thing = getattr(response.backend, held).get(name)
    if thing is None:
        raise NotFoundException("Invalid resource identifier specified")
    return thing


def tag_resource(self: APIGatewayResponse) -> Any:
    thing = _tagged(self)
    thing.tags = {**(thing.tags or {}), **self._get_param("tags")}
    return 204, {"status": 204}, ""


def untag_resource(self: APIGatewayResponse) -> Any:
    thing = _tagged(self)
    thing.tags = {name: tag for name, tag in (thing.tags or {}).items() if name not in self.querystring["tagKeys"]}
    return 204, {"status": 204}, ""


for _operation in (tag_resource, untag_resource):
    setattr(APIGatewayResponse, _operation.__name__, _operation)
urls.url_paths["{0}/tags/(?P<resourceArn>.+)$"] = APIGatewayResponse.dispatch


# --- the end ----------------------------------------------------------------------------------------------------


@instead_of(APIGatewayBackend, "delete_rest_api")
def delete_rest_api(was: Any, self: APIGatewayBackend, function_id: str) -> Any:
    if function_id not in self.apis:
        raise RestAPINotFound
    for domain, mappings in self.base_path_mappings.items():
        if any(mapping.rest_api_id == function_id for mapping in mappings.values()):
            raise BadRequestException(
                f"Deleting RestApi {function_id} failed. Please remove all base path mappings related to the RestApi "
                f"in your domains: {domain}"
            )
    last = self.__dict__.get("deleted_at")
    if pace.seconds and last is not None and pace.now() - last < _BETWEEN_DELETES:
        raise _TooMany
    self.__dict__["deleted_at"] = pace.now()
    return was(self, function_id)


@instead_of(APIGatewayBackend, "delete_usage_plan")
def delete_usage_plan(was: Any, self: APIGatewayBackend, usage_plan_id: str) -> None:
    plan = self.usage_plans.get(usage_plan_id)
    if plan is None:
        raise UsagePlanNotFoundException
    if plan.api_stages:
        first = plan.api_stages[0]
        raise BadRequestException(
            f"Cannot delete Usage Plan {usage_plan_id} because there are API Stages associated with it, including "
            f"{first['apiId']}:{first['stage']}"
        )
    was(self, usage_plan_id)
