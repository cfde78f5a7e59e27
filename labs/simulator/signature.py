"""Was the call signed with the secret of the key that it names? Signature version 4, and version 2 for presigned S3."""

from __future__ import annotations

import hmac
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

from botocore.auth import HmacV1Auth, S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from labs.simulator.call import Call


def is_right(call: Call, secret: str) -> bool:
    """Whether `secret` made the call's signature. Time is judged by `has_passed`."""
    try:
        made = _version_4(call, secret) if call.scope else _version_2(call, secret)
    except (ValueError, KeyError):
        return False
    return hmac.compare_digest(made.encode(), call.signature.encode())


def has_passed(call: Call, now: datetime) -> bool:
    """Whether a presigned URL is past its own time. AWS's 15 minutes for other calls are not kept here."""
    if not call.is_presigned:
        return False
    try:
        if call.asked("Expires"):
            return now > datetime.fromtimestamp(int(call.asked("Expires")), UTC)
        began = datetime.strptime(call.asked("X-Amz-Date"), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return now > began + timedelta(seconds=int(call.asked("X-Amz-Expires")))
    except (ValueError, OverflowError):
        return True


def _version_4(call: Call, secret: str) -> str:
    _, region, service, _ = call.scope
    keys = Credentials(call.key_id, secret)
    if call.is_presigned:
        signer = S3SigV4QueryAuth(keys, service, region)
        timestamp = call.asked("X-Amz-Date")
    else:
        signer = (S3SigV4Auth if service == "s3" else SigV4Auth)(keys, service, region)
        timestamp = call.header("x-amz-date")
    path, _, query = _as_sent(call).partition("?")
    query = "&".join(part for part in query.split("&") if part and not part.startswith("X-Amz-Signature="))
    request = AWSRequest(
        method=call.method,
        url=f"http://{call.header('host')}{path}" + (f"?{query}" if query else ""),
        headers={name: _header(call, name) for name in call.signed_headers},
        data=call.body,
    )
    if "x-amz-content-sha256" not in request.headers and call.header("x-amz-content-sha256"):
        request.headers["x-amz-content-sha256"] = call.header("x-amz-content-sha256")
    request.context["timestamp"] = timestamp
    return signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)


def _version_2(call: Call, secret: str) -> str:
    """The string of AWS's 'REST authentication' with Expires where the date would be."""
    lines = [call.method, call.asked("content-md5"), call.asked("content-type"), call.asked("Expires")]
    lines += [f"{name}:{values[0]}" for name, values in sorted(call.query.items()) if name.startswith("x-amz-")]
    path, _, query = _as_sent(call).partition("?")
    named = [part.split("=", 1) for part in query.split("&") if part.split("=", 1)[0] in HmacV1Auth.QSAOfInterest]
    resource = path + ("?" if named else "") + "&".join("=".join(map(unquote, part)) for part in sorted(named))
    return b64encode(hmac.digest(secret.encode(), "\n".join([*lines, resource]).encode(), "sha1")).decode()


def _as_sent(call: Call) -> str:
    """Path and query as the client wrote them, percent signs and all: that is what it signed."""
    uri = call.environ.get("RAW_URI") or call.environ["REQUEST_URI"]
    return "/" + uri.split("://", 1)[1].partition("/")[2] if "://" in uri.split("?")[0] else uri


def _header(call: Call, name: str) -> str:
    if name in ("content-type", "content-length"):
        return call.environ.get(name.upper().replace("-", "_"), "")
    return call.header(name)
