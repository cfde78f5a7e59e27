"""One call to AWS as it arrived: which service, operation and region, and which key signed it."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, parse_qsl

from botocore.exceptions import UnknownServiceError
from botocore.session import get_session
from moto.core.model import ServiceModel
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from moto.moto_server.werkzeug_app import BackendRequest
from werkzeug.exceptions import HTTPException

from labs.simulator import EXECUTE_API

# What is for an API of API Gateway, and not for AWS.
FOR_AN_API = "execute-api"
# Signing names that are not the name of boto3's client.
CLIENT_NAMES = {
    "aoss": "opensearchserverless",
    "elasticfilesystem": "efs",
    "elasticloadbalancing": "elbv2",
    "elasticmapreduce": "emr",
    "email": "ses",
    FOR_AN_API: "apigatewaymanagementapi",
    "monitoring": "cloudwatch",
    "servicequotas": "service-quotas",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
}
# Of a call from outside, the address that was signed; RAW_URI is what remains of it without the gateway's path.
SIGNED_URI = "lightsout.signed_uri"
# Objects are held in memory: one larger than this is refused with a message that says so.
LARGEST_BODY = 256 * 1024 * 1024


class TooLarge(Exception):
    """The body is larger than LARGEST_BODY."""


class CutShort(Exception):
    """The connection ended within the body: half of an object must not be taken for the whole."""


@dataclass
class Call:
    """What the gate needs to know of a call. Strings are '' where the call does not say."""

    environ: dict[str, Any]
    body: bytes = b""
    service: str = ""  # boto3's name of the client: "ec2", "cloudwatch", "sagemaker-runtime"
    operation: str = ""
    region: str = ""
    key_id: str = ""
    account: str = ""  # filled by the gate once the key is known
    is_outside: bool = False  # it came through the portal's gateway
    scope: tuple[str, ...] = ()  # of SigV4: date, region, signing name, "aws4_request"
    signature: str = ""
    signed_headers: tuple[str, ...] = ()
    query: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_signed(self) -> bool:
        return bool(self.key_id and self.signature)

    @property
    def is_for_an_api(self) -> bool:
        return self.service == FOR_AN_API

    @property
    def is_presigned(self) -> bool:
        return self.is_signed and "HTTP_AUTHORIZATION" not in self.environ

    @property
    def session_token(self) -> str:
        in_url = self.asked("X-Amz-Security-Token") or self.asked("x-amz-security-token")
        return self.header("x-amz-security-token") or in_url

    @property
    def method(self) -> str:
        return self.environ["REQUEST_METHOD"]

    @property
    def path(self) -> str:
        return self.environ["PATH_INFO"]

    def header(self, name: str) -> str:
        return str(self.environ.get("HTTP_" + name.upper().replace("-", "_"), ""))

    def asked(self, name: str) -> str:
        """The first value of a parameter of the query string or of a query-protocol form; '' when not given."""
        return (self.query.get(name) or self._form.get(name) or [""])[0]

    @property
    def _form(self) -> dict[str, list[str]]:
        if not self.environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
            return {}
        return parse_qs(self.body.decode("utf-8", "replace"), keep_blank_values=True)

    def __str__(self) -> str:
        return f"{self.service or 'an unknown service'}:{self.operation or self.method}"


def read(environ: dict[str, Any]) -> Call:
    """Read a request whole, and leave its body readable for those who come after. Raises TooLarge, CutShort."""
    call = read_head(environ)
    read_body(call)
    return call


def read_head(environ: dict[str, Any]) -> Call:
    """Who calls for which service, as far as that is told before the body."""
    call = Call(environ, query=_query(environ.get("QUERY_STRING", "")))
    authorization = environ.get("HTTP_AUTHORIZATION", "")
    if authorization.startswith("AWS4-HMAC-SHA256"):
        _read_header(call, authorization)
    elif call.asked("X-Amz-Credential"):
        _read_presigned_v4(call)
    elif "AWSAccessKeyId" in call.query:
        # boto3 still presigns S3 with the old signature unless told otherwise: it names no region.
        call.key_id, call.signature = call.query["AWSAccessKeyId"][0], call.query.get("Signature", [""])[0]
        call.service = "s3"
    if call.scope:
        call.region = call.scope[1]
        call.service = CLIENT_NAMES.get(call.scope[2], call.scope[2])
        if call.service == "sagemaker" and call.path.endswith("/invocations"):
            call.service = "sagemaker-runtime"
        elif call.service == "apigateway" and call.path.startswith("/v2/"):
            call.service = "apigatewayv2"
    # Anybody may call an API of API Gateway; who signs, signs for that.
    if call.path.startswith(EXECUTE_API) and (not call.is_signed or call.scope[2:3] == (FOR_AN_API,)):
        call.service, call.operation = FOR_AN_API, call.method
    return call


def read_body(call: Call) -> None:
    """The rest of it. Raises TooLarge, CutShort."""
    call.body = _body(call.environ)
    if not call.is_for_an_api:
        call.operation = _operation(call)


def model_of(service: str) -> ServiceModel | None:
    """botocore's description of a service, or None when there is no such service."""
    try:
        return _model(service) if service in _services() else None
    except (UnknownServiceError, ValueError):
        return None


@lru_cache
def _services() -> frozenset[str]:
    """Their names. To look for one that is not there takes botocore long, and anybody may ask."""
    return frozenset(get_session().get_available_services())


@lru_cache(maxsize=128)
def _model(service: str) -> ServiceModel:
    return get_service_model(service)


def _body(environ: dict[str, Any]) -> bytes:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length > LARGEST_BODY:
        raise TooLarge
    stream = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):
        body = stream.read(LARGEST_BODY + 1)
        if len(body) > LARGEST_BODY:
            raise TooLarge
    else:
        body = stream.read(length) if length else b""
    if len(body) < length:
        raise CutShort
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _query(text: str) -> dict[str, list[str]]:
    return parse_qs(text, keep_blank_values=True)


def _read_header(call: Call, authorization: str) -> None:
    parts = dict(
        part.strip().split("=", 1) for part in authorization.removeprefix("AWS4-HMAC-SHA256").split(",") if "=" in part
    )
    call.key_id, *scope = parts.get("Credential", "").split("/")
    call.scope = tuple(scope) if len(scope) == 4 else ()
    call.signature = parts.get("Signature", "") if call.scope else ""
    call.signed_headers = tuple(parts.get("SignedHeaders", "").split(";"))


def _read_presigned_v4(call: Call) -> None:
    call.key_id, *scope = call.asked("X-Amz-Credential").split("/")
    call.scope = tuple(scope) if len(scope) == 4 else ()
    call.signature = call.asked("X-Amz-Signature") if call.scope else ""
    call.signed_headers = tuple(call.asked("X-Amz-SignedHeaders").split(";"))


def _operation(call: Call) -> str:
    target = call.header("x-amz-target")
    if target:
        return target.rsplit(".", 1)[-1]
    if call.path.startswith("/service/") and "/operation/" in call.path:  # the CBOR protocol
        return call.path.rsplit("/", 1)[-1]
    model = model_of(call.service)
    if model is None:
        return ""
    if str(model.protocol) in ("query", "ec2"):
        return dict(parse_qsl(call.body.decode("utf-8", "replace"))).get("Action") or call.asked("Action")
    try:
        operation, _ = get_service_router(call.service).match(
            BackendRequest({**call.environ, "wsgi.input": io.BytesIO()})
        )
    except (HTTPException, NotImplementedError, KeyError):
        return ""
    return str(operation.name)
