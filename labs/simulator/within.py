"""Calls that AWS itself makes in an account, with nobody's key: what a schedule, a rule or a state machine does there.

They go through the gate as every other call does (regions, other people's buckets, faults, states that take time), and
leave neither the process nor the account. A client of here is boto3's in all but the way to the server.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HeadersDict
from botocore.client import BaseClient
from botocore.config import Config
from botocore.session import get_session
from werkzeug.test import EnvironBuilder

from labs.simulator import call as calls

if TYPE_CHECKING:
    from labs.simulator.gate import Gate

_CONFIG = Config(
    retries={"total_max_attempts": 1}, request_checksum_calculation="when_required", s3={"addressing_style": "path"}
)
_gates: list[Gate] = []
_account: ContextVar[str] = ContextVar("account")
_session = get_session()
_making = threading.Lock()


def go_through(gate: Gate) -> None:
    """The gate of the world that this process serves."""
    _gates[:] = [gate]


class Within:
    """A client of `service` that acts in `account`: its methods are boto3's, and raise what boto3's raise."""

    def __init__(self, service: str, account: str, region: str):
        self._client, self._account = _client(service, region), account

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name not in self._client.meta.method_to_api_mapping:
            return found
        return self._in_account(found)

    def _in_account(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def made(**asked: Any) -> Any:
            token = _account.set(self._account)
            try:
                return method(**asked)
            finally:
                _account.reset(token)

        return made


@lru_cache(maxsize=128)
def _client(service: str, region: str) -> BaseClient:
    """One for all accounts: each takes a megabyte and a part of a second."""
    with _making:
        made = _session.create_client(
            service,
            region_name=region,
            endpoint_url="http://127.0.0.1",
            aws_access_key_id="within",
            aws_secret_access_key="within",
            config=_CONFIG,
        )
    made.meta.events.register("before-send", _answer)
    return made


def _answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
    call = calls.read(_environ(request))
    call.account = _account.get()
    answer = _gates[0].from_within(call)
    headers = HeadersDict()
    for name, value in answer.headers.items():
        headers[name] = value
    return AWSResponse(request.url, answer.status, headers, _Raw(answer.body))


def _environ(request: AWSPreparedRequest) -> dict[str, Any]:
    url, body = urlsplit(request.url), request.body or b""
    return EnvironBuilder(
        method=request.method,
        base_url=f"{url.scheme}://{url.netloc}/",
        path=url.path,
        query_string=url.query,
        headers=[(name, _text(value)) for name, value in request.headers.items()],
        data=body.read() if hasattr(body, "read") else _bytes(body),
    ).get_environ()


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _bytes(value: str | bytes | bytearray) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


class _Raw(io.BytesIO):
    """An answer's body, as urllib3 hands it to botocore."""

    def stream(self, amount: int = 0, **_: Any) -> Iterator[bytes]:
        yield self.read()
