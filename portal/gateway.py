"""The gateway to practice mode for students' own machines: a WSGI application before the portal's own.

It judges nothing that the simulator can judge better: which key, which signature, whose account, how often (see
labs/simulator/outside.py). It hands a call on as it was signed, in pieces, and sees to what is the web's: which headers
go in and come out, how long one may wait, and that nothing a student made acts as a page of this portal. No cookie
passes.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from labs.simulator import GATEWAY_HEADER, GATEWAY_PATH, NO_LENGTH, READS_BODY, TOO_LARGE

# Of the threads of one web process (16, see manage.py up), so many at most wait for students' machines.
AT_ONCE = 10
CONNECT_SECONDS, ANSWER_SECONDS, BODY_SECONDS = 5, 120, 300
_PIECE = 64 * 1024
_CUT_SHORT = "The body ended before its end, or took too long."

# Between us and the client alone, or about the browser that is signed in here, or what only we may say.
_STAYS_HERE = re.compile(
    r"connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|expect|content-length|content-type"
    r"|cookie|referer|forwarded|x-forwarded-.*|x-real-ip|x-lightsout-.*|x-moto-.*"
)
# Of an answer only what AWS's clients read: a function's headers could turn a proxy, or a browser, against this host.
_COMES_OUT = re.compile(
    r"content-(type|length|range|encoding|language|disposition|md5)|etag|last-modified|accept-ranges|cache-control|expires"
    r"|vary|allow|retry-after|location|access-control-(?!allow-credentials).*|x-amz-.*|x-amzn-.*"
)
# Shown by a browser as what it is; the rest of what a student made is saved, and not opened.
_IS_SHOWN = re.compile(r"(application/json|text/plain)\s*(;|$)")
ALWAYS = [
    ("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
]
# botocore writes an ARN in a path as one word, its slashes too, and a WSGI server has taken the percent signs away.
_TAGS_OF = re.compile(r"((?:/v2)?/tags/)(arn:.*)", re.S)

StartResponse = Callable[..., Any]


class _Refused(Exception):
    def __init__(self, status: int, code: str, message: str):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Gateway:
    """`portal` is the application that answers for every other address."""

    def __init__(self, portal: Callable[..., Iterable[bytes]]):
        self._portal, self._places = portal, threading.BoundedSemaphore(AT_ONCE)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if not settings.SIMULATOR_URL or not (path == GATEWAY_PATH or path.startswith(f"{GATEWAY_PATH}/")):
            return self._portal(environ, start_response)
        if not self._places.acquire(blocking=False):
            return _say(_Refused(503, "SlowDown", "Practice mode is busy. Try again in a moment."), start_response)
        with contextlib.ExitStack() as held:
            held.callback(self._places.release)
            try:
                _refuse_what_is_no_client(environ)
                answer = _asked(environ, held)
            except _Refused as no:
                return _say(no, start_response)
            start_response(f"{answer.status} {answer.reason or 'Answer'}", _headers_out(answer))
            return _Pieces(answer, held.pop_all())


class _Pieces:
    """The body of an answer, piece by piece; what is held for it is let go of at its end."""

    def __init__(self, answer: http.client.HTTPResponse, held: contextlib.ExitStack):
        self._answer, self._held = answer, held

    def __iter__(self) -> Iterator[bytes]:
        with self._held:
            while piece := self._answer.read(_PIECE):
                yield piece

    def close(self) -> None:
        self._held.close()


def _refuse_what_is_no_client(environ: dict[str, Any]) -> None:
    """For another host, in clear where we are behind HTTPS, or a part of a page: none is an AWS client's call."""
    host, _ = split_domain_port(environ.get("HTTP_HOST", ""))
    if not validate_host(host, settings.ALLOWED_HOSTS):
        raise _Refused(400, "InvalidHost", "This host is not one of the portal's.")
    if settings.BEHIND_HTTPS and environ.get("HTTP_X_FORWARDED_PROTO") != "https":
        raise _Refused(403, "AccessDenied", "Use https.")
    # A script, style or frame from here would be one of the portal's own origin to its pages.
    if environ.get("HTTP_SEC_FETCH_DEST", "empty") not in ("empty", "document") or "HTTP_SERVICE_WORKER" in environ:
        raise _Refused(403, "AccessDenied", "This address is for AWS clients, and for no part of a page.")


def _asked(environ: dict[str, Any], held: contextlib.ExitStack) -> http.client.HTTPResponse:
    """The simulator's answer, its body unread. Raises _Refused when there is none."""
    mark, length, body = _its_body(environ, held)
    at = urlsplit(settings.SIMULATOR_URL)
    connection = http.client.HTTPConnection(str(at.hostname), at.port, timeout=CONNECT_SECONDS)
    held.callback(connection.close)
    try:
        connection.connect()
        connection.sock.settimeout(ANSWER_SECONDS)
        connection.putrequest(environ["REQUEST_METHOD"], _address(environ), skip_host=True, skip_accept_encoding=True)
        for name, value in _headers_in(environ):
            connection.putheader(name, value)
        connection.putheader(GATEWAY_HEADER, mark)
        connection.putheader("Content-Length", str(length))
        connection.endheaders()
        _send(body, length, connection)
        return connection.getresponse()
    except (ValueError, http.client.InvalidURL):  # UnicodeEncodeError is one: what no client of AWS writes
        raise _Refused(400, "BadRequest", "The address or a header of this call cannot be read.") from None
    except TimeoutError:
        raise _Refused(504, "RequestTimeout", "Practice mode took too long to answer.") from None
    except (OSError, http.client.HTTPException):
        raise _Refused(503, "ServiceUnavailable", "Practice mode does not answer. Try again in a moment.") from None


def _its_body(environ: dict[str, Any], held: contextlib.ExitStack) -> tuple[str, int, Any]:
    """The mark for the simulator, which words refusals as the client reads them; how many bytes go on, from where."""
    body, most = environ["wsgi.input"], settings.STUDENT_BODY_MB * 2**20
    if "HTTP_TRANSFER_ENCODING" not in environ:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length <= most:
            return READS_BODY, length, body
        # A client that asks first sends nothing. A proxy sends all the same, and reads no answer before its end.
        if "HTTP_EXPECT" not in environ:
            _let_go(body, 4 * most)
        return TOO_LARGE, 0, body
    # Over HTTPS boto3 sends uploads to S3 so, and no other call.
    if "HTTP_X_AMZ_DECODED_CONTENT_LENGTH" not in environ:
        return NO_LENGTH, 0, body
    laid = tempfile.SpooledTemporaryFile(max_size=2**20, dir=settings.FILE_UPLOAD_TEMP_DIR)  # noqa: SIM115  held
    held.callback(laid.close)
    until = time.monotonic() + BODY_SECONDS
    while piece := body.read(_PIECE):
        laid.write(piece)
        if laid.tell() > most:
            _let_go(body, 3 * most)
            return TOO_LARGE, 0, laid
        if time.monotonic() > until:
            raise _Refused(400, "IncompleteBody", _CUT_SHORT)
    length = laid.tell()
    laid.seek(0)
    return READS_BODY, length, laid


def _address(environ: dict[str, Any]) -> str:
    """Path and query as AWS's clients write them. WSGI has decoded the path; they leave only what RFC 3986 does not
    reserve, as we do here."""
    path = environ["PATH_INFO"].encode("latin-1").removeprefix(GATEWAY_PATH.encode()).decode("latin-1")
    tags = _TAGS_OF.fullmatch(path) if "/s3/aws4_request" not in environ.get("HTTP_AUTHORIZATION", "") else None
    if tags:
        written = quote(tags[1]) + quote(tags[2].encode("latin-1"), safe="")
    else:
        written = quote(path.encode("latin-1"))
    query = environ.get("QUERY_STRING", "")
    return GATEWAY_PATH + written + (f"?{query}" if query else "")


def _headers_in(environ: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if environ.get("CONTENT_TYPE"):
        yield "Content-Type", environ["CONTENT_TYPE"]
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            name = key.removeprefix("HTTP_").replace("_", "-").lower()
            if not _STAYS_HERE.fullmatch(name):
                yield name, value


def _let_go(body: Any, most: int) -> None:
    until = time.monotonic() + BODY_SECONDS
    while most > 0 and time.monotonic() < until and (piece := body.read(_PIECE)):
        most -= len(piece)


def _send(body: Any, length: int, connection: http.client.HTTPConnection) -> None:
    """In pieces. A client that stops within, or takes all day, is cut off; the simulator takes no half of a body."""
    until = time.monotonic() + BODY_SECONDS
    while length:
        piece = body.read(min(length, _PIECE))
        if not piece or time.monotonic() > until:
            raise _Refused(400, "IncompleteBody", _CUT_SHORT)
        connection.send(piece)
        length -= len(piece)


def _headers_out(answer: http.client.HTTPResponse) -> list[tuple[str, str]]:
    kept = {name.lower(): value for name, value in answer.getheaders() if _COMES_OUT.fullmatch(name.lower())}
    if 300 <= answer.status < 400:  # nobody is led from this host to another
        kept.pop("location", None)
    is_saved = kept.get("content-disposition", "").lower().startswith("attachment")
    if not _IS_SHOWN.match(kept.get("content-type", "").lower()) and not is_saved:
        kept["content-disposition"] = "attachment"
    return [*kept.items(), *ALWAYS]


def _say(no: _Refused, start_response: StartResponse) -> list[bytes]:
    body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{no.code}</Code><Message>{no.message}</Message></Error>'
    headers = [("Content-Type", "application/xml"), ("Content-Length", str(len(body))), *ALWAYS]
    start_response(f"{no.status} Refused", headers + ([("Retry-After", "2")] if no.status == 503 else []))
    return [body.encode()]
