"""The addresses of API Gateway: /execute-api/<api id>/<stage>/<path>, for REST APIs and HTTP APIs of every account.

A stage answers with its integration: a Lambda function by proxy, which runs where functions run, or a mock. What an
integration would reach outside of the simulator is not reached, and the answer says so (501). Unlike at AWS a stage
serves what the API's resources are now, not what they were when it was deployed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from moto.apigateway.models import Integration, Method, Resource, RestAPI, apigateway_backends
from moto.apigatewayv2.models import Api, apigatewayv2_backends
from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import LambdaFunction
from moto.awslambda.utils import get_backend

from labs.simulator import EXECUTE_API, NOT_IN_PRACTICE, api_events, invoking
from labs.simulator.call import Call
from labs.simulator.counting import count
from labs.simulator.refusals import Answer, Refused

LARGEST_REQUEST = 10 * 1024 * 1024
DEFAULT = "$default"
# Where a template of API Gateway (VTL) is more than the text that it is.
_VELOCITY = re.compile(r"[$#][\w{!]")


@dataclass(frozen=True)
class Place:
    """A stage's address and what was asked of it. path begins with a slash."""

    account: str
    region: str
    api_id: str
    stage: str
    path: str
    variables: Mapping[str, str]


def answer(call: Call) -> Answer:
    """What the API answers. The caller holds the world's lock once; it is given away while a function runs."""
    if len(call.body) > LARGEST_REQUEST:
        return _said(413, "Request Too Long")
    # WSGI hands the bytes of a path on as if they were Latin-1.
    path = call.path.encode("latin-1", "replace").decode("utf-8", "replace")
    api_id, _, rest = path.removeprefix(EXECUTE_API).partition("/")
    for account, region, api in _apis(apigateway_backends):
        if api.id == api_id:
            return _of_rest(call, account, region, api, rest)
    for account, region, api in _apis(apigatewayv2_backends):
        if api.api_id == api_id and api.protocol_type == "HTTP":
            return _of_http(call, account, region, api, rest)
    return _said(403, "Forbidden")


def account_of(call: Call) -> str:
    """Whose the API is that the call is for; '' when there is none of that id."""
    api_id = call.path.removeprefix(EXECUTE_API).partition("/")[0]
    of_rest = (account for account, _, api in _apis(apigateway_backends) if api.id == api_id)
    of_http = (account for account, _, api in _apis(apigatewayv2_backends) if api.api_id == api_id)
    return next(of_rest, "") or next(of_http, "")


def _apis(backends: Any) -> Iterator[tuple[str, str, Any]]:
    for account, regions in list(backends.items()):
        for region, backend in list(regions.items()):
            for api in list(backend.apis.values()):
                yield account, region, api


# --- REST APIs --------------------------------------------------------------------------------------------------


def _of_rest(call: Call, account: str, region: str, api: RestAPI, rest: str) -> Answer:
    name, _, path = rest.partition("/")
    stage = api.stages.get(name)
    if stage is None:
        return _said(403, "Forbidden")
    place = Place(account, region, api.id, name, f"/{path}", stage.variables)
    said = _by_method(call, place, api)
    _count(place, {"ApiName": api.name}, said.status, "4XXError", "5XXError")
    return said


def _by_method(call: Call, place: Place, api: RestAPI) -> Answer:
    resources = {resource.get_path(): resource for resource in api.resources.values()}
    for template, params in matching(resources, place.path):
        method = _method_of(resources[template], call.method)
        if method is None:
            continue
        if no := _closed(call, place, method):
            return no
        integration = method.method_integration
        if integration is None:
            return _said(500, "Internal server error")
        return _integrated(call, place, integration, template, params)
    # What AWS says of a path or a method that is not there.
    return _said(403, "Missing Authentication Token")


def _method_of(resource: Resource, name: str) -> Method | None:
    return resource.resource_methods.get(name) or resource.resource_methods.get("ANY")


def _closed(call: Call, place: Place, method: Method) -> Answer | None:
    """The refusal of one who has no key, or no signature, where the method asks for it; None for who may."""
    if method.authorization_type == "AWS_IAM":
        if not call.is_signed:
            return _said(403, "Missing Authentication Token")
        if call.account != place.account:
            return _said(403, "User is not authorized to access this resource")
    elif method.authorization_type not in (None, "NONE"):
        return _not_here(f"Practice mode has no authorizers of the type {method.authorization_type}.")
    if method.api_key_required and call.header("x-api-key") not in _keys(place):
        return _said(403, "Forbidden")
    return None


def _keys(place: Place) -> set[str]:
    """The values of the keys that a usage plan of this stage lets in."""
    backend = apigateway_backends[place.account][place.region]
    this = {"apiId": place.api_id, "stage": place.stage}
    plans = [plan for plan in backend.usage_plans.values() if this in _stages(plan.api_stages)]
    ids = {key for plan in plans for key in backend.usage_plan_keys.get(plan.id, {})}
    return {key.value for key in backend.keys.values() if key.id in ids and key.enabled is not False}


def _stages(listed: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    return [{"apiId": one["apiId"], "stage": one["stage"]} for one in listed]


def _integrated(call: Call, place: Place, integration: Integration, template: str, params: Mapping[str, str]) -> Answer:
    match str(integration.integration_type).upper():
        case "MOCK":
            return _mock(integration)
        case "AWS_PROXY":
            function = _function(str(integration.uri), place, f"{call.method}{template}")
            event = api_events.of_rest(call, place, template, params)
            return _proxied(function, event, api_events.rest_answer, _said(502, "Internal server error"))
    return _not_here(
        f"Practice mode answers for Lambda proxy and mock integrations, and not for {integration.integration_type}."
    )


def _mock(integration: Integration) -> Answer:
    """The mapping templates of a mock, where they are plain text: the request's names a status, that one an answer."""
    asked = (integration.request_templates or {}).get("application/json") or '{"statusCode": 200}'
    if _VELOCITY.search(asked):
        return _no_velocity()
    try:
        status = int(json.loads(asked)["statusCode"])
    except (ValueError, TypeError, KeyError):
        status = 0
    if not 100 <= status <= 599:
        return _said(500, "Internal server error")
    answers = integration.integration_responses or {}
    chosen = next((one for one in answers.values() if _selects(one.selection_pattern, str(status))), None)
    chosen = chosen or next((one for one in answers.values() if not one.selection_pattern), None)
    if chosen is None:
        return _said(500, "Internal server error")
    body = (chosen.response_templates or {}).get("application/json") or ""
    if _VELOCITY.search(body):
        return _no_velocity()
    return Answer(int(chosen.status_code), {"content-type": "application/json"}, body.encode())


def _selects(pattern: str | None, status: str) -> bool:
    try:
        return bool(pattern) and re.fullmatch(str(pattern), status) is not None
    except re.error:
        return False


def _no_velocity() -> Answer:
    return _not_here("Practice mode answers with mapping templates of plain text, and runs none with variables in it.")


# --- HTTP APIs --------------------------------------------------------------------------------------------------


def _of_http(call: Call, account: str, region: str, api: Api, rest: str) -> Answer:
    first, _, after = rest.partition("/")
    # The stage $default has no part of its own in the address.
    name, path = (first, after) if first in api.stages and first != DEFAULT else (DEFAULT, rest)
    stage = api.stages.get(name)
    if stage is None:
        return _said(404, "Not Found")
    place = Place(account, region, api.api_id, name, f"/{path}", stage.stage_variables)
    said = _by_route(call, place, api)
    _count(place, {"ApiId": api.api_id}, said.status, "4xx", "5xx")
    return said


def _by_route(call: Call, place: Place, api: Api) -> Answer:
    found = _route(call, place, api)
    if found is None:
        return _said(404, "Not Found")
    route, params = found
    if route.authorization_type not in (None, "NONE"):
        return _not_here(f"Practice mode has no authorizers of the type {route.authorization_type}.")
    integration = api.integrations.get(str(route.target).removeprefix("integrations/"))
    if integration is None:
        return _said(500, "Internal Server Error")
    if integration.integration_type != "AWS_PROXY" or integration.integration_subtype:
        return _not_here(f"Practice mode answers for Lambda functions, and not for {integration.integration_type}.")
    method, _, template = route.route_key.partition(" ")
    function = _function(str(integration.integration_uri), place, f"{method}{template}")
    failed = _said(500, "Internal Server Error")
    if integration.payload_format_version == "1.0":
        event = api_events.of_rest(call, place, template or place.path, params)
        return _proxied(function, event, api_events.rest_answer, failed)
    return _proxied(function, api_events.of_http(call, place, route.route_key, params), api_events.http_answer, failed)


def _route(call: Call, place: Place, api: Api) -> tuple[Any, dict[str, str]] | None:
    """The route that answers: the most exact path, a method before ANY; else $default."""
    routes = {route.route_key: route for route in api.routes.values()}
    templates = {key.partition(" ")[2]: key for key in routes if " " in key}
    for template, params in matching(templates, place.path):
        for method in (call.method, "ANY"):
            if f"{method} {template}" in routes:
                return routes[f"{method} {template}"], params
    return (routes[DEFAULT], {}) if DEFAULT in routes else None


# --- what both have in common -----------------------------------------------------------------------------------


def matching(templates: Iterable[str], path: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Those of the templates ("/pets/{id}", "/{proxy+}") that a path fits, with its parameters; most exact first."""
    asked = [part for part in path.split("/") if part]
    found = []
    for template in templates:
        parts = [part for part in template.split("/") if part]
        params = _fit(parts, asked)
        if params is not None:
            found.append(([_vagueness(part) for part in parts], template, params))
    for _, template, params in sorted(found, key=lambda each: each[:2]):
        yield template, params


def _fit(parts: list[str], asked: list[str]) -> dict[str, str] | None:
    params: dict[str, str] = {}
    for at, part in enumerate(parts):
        if part.endswith("+}"):
            rest = "/".join(asked[at:])
            return {**params, part[1:-2]: rest} if rest else None
        if at >= len(asked):
            return None
        if _vagueness(part):
            params[part[1:-1]] = asked[at]
        elif part != asked[at]:
            return None
    return params if len(parts) == len(asked) else None


def _vagueness(part: str) -> int:
    return 2 if part.endswith("+}") else int(part.startswith("{") and part.endswith("}"))


def _function(uri: str, place: Place, called: str) -> LambdaFunction | None:
    """The function that an integration's address names, if it is the account's own and lets this API invoke it."""
    arn = uri.rpartition("functions/")[2].removesuffix("/invocations") if "/functions/" in uri else uri
    parts = arn.split(":")
    if len(parts) < 7 or parts[4] != place.account:
        return None
    try:
        function = get_backend(place.account, parts[3]).get_function(arn)
    except UnknownFunctionException:
        return None
    source = f"arn:aws:execute-api:{place.region}:{place.account}:{place.api_id}/{place.stage}/{called}"
    return function if any(_lets_in(one, source) for one in function.policy.statements) else None


def _lets_in(statement: Mapping[str, Any], source: str) -> bool:
    if "apigateway.amazonaws.com" not in json.dumps(statement.get("Principal", "")):
        return False
    likes = statement.get("Condition", {}).get("ArnLike", {})
    return all(fnmatchcase(source, str(pattern)) for pattern in likes.values())


def _proxied(function: LambdaFunction | None, event: Any, read: Any, failed: Answer) -> Answer:
    if function is None:
        why = "The integration's function is not there, or its policy does not let this API invoke it."
        return Answer(500, dict(failed.headers), json.dumps({**json.loads(failed.body), "practice_mode": why}).encode())
    try:
        outcome = invoking.invoke(function, event)
    except Refused as no:
        return _not_here(no.message) if no.code == NOT_IN_PRACTICE else failed
    return failed if outcome.failed else read(json.loads(outcome.answer)) or failed


def _count(place: Place, of: Mapping[str, str], status: int, client_error: str, server_error: str) -> None:
    count(place.account, place.region, "AWS/ApiGateway Count", of)
    if status >= 400:
        name = server_error if status >= 500 else client_error
        count(place.account, place.region, f"AWS/ApiGateway {name}", of)


def _said(status: int, message: str) -> Answer:
    return Answer(status, {"content-type": "application/json"}, json.dumps({"message": message}).encode())


def _not_here(why: str) -> Answer:
    """501: the request is right, and practice mode has not got what it asks for."""
    return Answer(501, {"content-type": "application/json"}, json.dumps({"message": why}).encode())
