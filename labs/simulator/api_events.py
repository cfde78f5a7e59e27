"""What API Gateway hands to a Lambda function, and what it makes of the answer: payload formats 1.0 and 2.0.

This stands between a stranger's code and a browser on this machine. Cookies know no ports, and the portal's are of this
host too: so none goes to a function, none comes from one, and no page of a function's has an origin.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from uuid import uuid4

from labs.simulator import GATEWAY_HEADER, OPERATOR_HEADER
from labs.simulator.call import Call
from labs.simulator.refusals import Answer

if TYPE_CHECKING:
    from labs.simulator.execute_api import Place

_NOT_HANDED_ON = {"cookie", OPERATOR_HEADER, GATEWAY_HEADER, "authorization"}
_NOT_TAKEN = {"set-cookie", "connection", "content-length", "transfer-encoding", "content-security-policy", "date"}
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
NO_ORIGIN = "sandbox allow-scripts allow-forms"


def of_rest(call: Call, place: Place, template: str, params: Mapping[str, str]) -> dict[str, Any]:
    """Format 1.0."""
    headers = _headers(call)
    query = parse_qsl(call.environ.get("QUERY_STRING", ""), keep_blank_values=True)
    body, is_base64 = _body(call)
    now = datetime.now(UTC)
    return {
        "resource": template,
        "path": place.path,
        "httpMethod": call.method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": _many(query) or None,
        "pathParameters": dict(params) or None,
        "stageVariables": dict(place.variables) or None,
        "requestContext": {
            "accountId": place.account,
            "apiId": place.api_id,
            "stage": place.stage,
            "resourcePath": template,
            "path": f"/{place.stage}{place.path}",
            "httpMethod": call.method,
            "protocol": "HTTP/1.1",
            "requestId": str(uuid4()),
            "requestTime": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "requestTimeEpoch": int(now.timestamp() * 1000),
            "identity": {"sourceIp": "127.0.0.1", "userAgent": call.header("user-agent")},
        },
        "body": body,
        "isBase64Encoded": is_base64,
    }


def of_http(call: Call, place: Place, route: str, params: Mapping[str, str]) -> dict[str, Any]:
    """Format 2.0."""
    query = parse_qsl(call.environ.get("QUERY_STRING", ""), keep_blank_values=True)
    body, is_base64 = _body(call)
    now = datetime.now(UTC)
    raw_path = place.path if place.stage == "$default" else f"/{place.stage}{place.path}"
    event = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": raw_path,
        "rawQueryString": call.environ.get("QUERY_STRING", ""),
        "headers": {name.lower(): value for name, value in _headers(call).items()},
        "requestContext": {
            "accountId": place.account,
            "apiId": place.api_id,
            "stage": place.stage,
            "routeKey": route,
            "requestId": str(uuid4()),
            "domainName": call.header("host"),
            "http": {
                "method": call.method,
                "path": raw_path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": call.header("user-agent"),
            },
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(time.time() * 1000),
        },
        "isBase64Encoded": is_base64,
    }
    more = {
        "body": body,
        "queryStringParameters": {name: ",".join(values) for name, values in _many(query).items()},
        "pathParameters": dict(params),
        "stageVariables": dict(place.variables),
    }
    return event | {name: value for name, value in more.items() if value}


def rest_answer(said: Any) -> Answer | None:
    """What a proxy makes of a function's answer in format 1.0; None where it is none, which AWS calls a bad gateway."""
    if not isinstance(said, dict) or "statusCode" not in said:
        return None
    many = {name: ",".join(map(str, values)) for name, values in (said.get("multiValueHeaders") or {}).items()}
    return _answer(said, {**(said.get("headers") or {}), **many})


def http_answer(said: Any) -> Answer | None:
    """In format 2.0, where any JSON is an answer."""
    if isinstance(said, dict) and "statusCode" in said:
        return _answer(said, said.get("headers") or {})
    return Answer(200, _taken({"content-type": "application/json"}), json.dumps(said).encode())


def _answer(said: Mapping[str, Any], headers: Mapping[str, Any]) -> Answer | None:
    try:
        body = said.get("body")
        text = "" if body is None else body
        if not isinstance(text, str):
            return None
        whole = base64.b64decode(text) if said.get("isBase64Encoded") else text.encode()
        status = int(said["statusCode"])
    except (ValueError, TypeError):
        return None
    return Answer(status, _taken(headers), whole) if 200 <= status <= 599 else None


def _taken(headers: Mapping[str, Any]) -> dict[str, str]:
    """Of a function's headers, those that are headers; and that its page is nobody's."""
    kept = {"content-type": "application/json"}
    for name, value in headers.items():
        if _NAME.fullmatch(str(name)) and str(name).lower() not in _NOT_TAKEN:
            kept[str(name).lower()] = re.sub(r"[^\x20-\x7e]", " ", str(value))
    return {**kept, "content-security-policy": NO_ORIGIN}


def _headers(call: Call) -> dict[str, str]:
    given = {
        name[5:].replace("_", "-").title(): str(value)
        for name, value in call.environ.items()
        if name.startswith("HTTP_") and name[5:].replace("_", "-").lower() not in _NOT_HANDED_ON
    }
    kind = call.environ.get("CONTENT_TYPE")
    return {**given, "Content-Type": kind} if kind else given


def _many(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    many: dict[str, list[str]] = {}
    for name, value in pairs:
        many.setdefault(name, []).append(value)
    return many


def _body(call: Call) -> tuple[str | None, bool]:
    """The body as text, or in base64 where it is none."""
    if not call.body:
        return None, False
    try:
        return call.body.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(call.body).decode(), True
