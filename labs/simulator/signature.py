"""Was the call signed with the secret of the key that it names? Signature version 4, and version 2 for presigned S3.

What is signed is the address as the client wrote it, the named headers, and the body or its hash. What AWS lets nobody
add to a signed call, nobody adds here: a header `x-amz-*` that was not signed, or another body.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import unquote

from botocore.auth import HmacV1Auth, S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from labs.simulator import GATEWAY_PATH
from labs.simulator.call import SIGNED_URI, Call

_DATE = "%Y%m%dT%H%M%SZ"
_UNSIGNED = ("UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
_IN_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
_NOTHING = sha256(b"").hexdigest()


def is_right(call: Call, secret: str) -> bool:
    """Whether `secret` made the call's signature. Time is judged by `has_passed`."""
    try:
        made = _version_4(call, secret) if call.scope else _version_2(call, secret)
        is_theirs = hmac.compare_digest(made.encode(), call.signature.encode())
        return is_theirs and _nothing_was_added(call) and _is_the_signed_body(call, secret)
    except (ValueError, KeyError, IndexError):
        return False


def is_skewed(call: Call, now: datetime) -> bool:
    """Whether a call was signed more than AWS's 15 minutes before or after now. Presigned URLs have their own times."""
    if call.is_presigned:
        return False
    try:
        signed_at = datetime.strptime(call.header("x-amz-date"), _DATE).replace(tzinfo=UTC)
    except ValueError:
        return True
    return abs(now - signed_at) > timedelta(minutes=15)


def has_passed(call: Call, now: datetime) -> bool:
    """Whether a presigned URL is past its own time."""
    if not call.is_presigned:
        return False
    try:
        if call.asked("Expires"):
            return now > datetime.fromtimestamp(int(call.asked("Expires")), UTC)
        began = datetime.strptime(call.asked("X-Amz-Date"), _DATE).replace(tzinfo=UTC)
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
    # botocore signs the bucket and the key here, without the path of the endpoint that is before them.
    path, _, query = _as_sent(call).removeprefix(GATEWAY_PATH if call.is_outside else "").partition("?")
    named = [part.split("=", 1) for part in query.split("&") if part.split("=", 1)[0] in HmacV1Auth.QSAOfInterest]
    resource = path + ("?" if named else "") + "&".join("=".join(map(unquote, part)) for part in sorted(named))
    return b64encode(hmac.digest(secret.encode(), "\n".join([*lines, resource]).encode(), "sha1")).decode()


def _nothing_was_added(call: Call) -> bool:
    """Version 2 has nothing of ours in headers; version 4 names what it signed."""
    given = {name[5:].replace("_", "-").lower() for name in call.environ if name.startswith("HTTP_X_AMZ_")}
    if not call.scope:
        return not given
    return {"host", *given} <= set(call.signed_headers)


def _is_the_signed_body(call: Call, secret: str) -> bool:
    """Where the client signed a hash that it says in a header, whether the body has it. Else the body itself went into
    the signature, or, presigned, none did."""
    said = call.header("x-amz-content-sha256")
    if not said:
        return True
    if said in _UNSIGNED:
        return call.service == "s3"
    if said.startswith(_IN_CHUNKS):
        return call.service == "s3" and _are_the_signed_chunks(call, secret)
    return hmac.compare_digest(sha256(call.body).hexdigest().encode(), said.encode())


def _are_the_signed_chunks(call: Call, secret: str) -> bool:
    """Chunks that sign each other, from the call's own signature on: SIZE;chunk-signature=S, the bytes, and so on until
    one of size 0, after which trailing headers may stand, signed too. Raises ValueError where there are none."""
    date = call.header("x-amz-date")
    scope = "/".join(call.scope)
    key = f"AWS4{secret}".encode()
    for part in call.scope:
        key = hmac.digest(key, part.encode(), "sha256")

    def signed(kind: str, before: str, *hashes: str) -> str:
        lines = "\n".join([f"AWS4-HMAC-SHA256-{kind}", date, scope, before, *hashes])
        return hmac.digest(key, lines.encode(), "sha256").hex()

    before, at, length = call.signature, 0, 0
    while True:
        end = call.body.index(b"\r\n", at)
        size_said, _, signature_said = call.body[at:end].decode("ascii").partition(";chunk-signature=")
        size, at = int(size_said, 16), end + 2
        chunk = call.body[at : at + size]
        made = signed("PAYLOAD", before, _NOTHING, sha256(chunk).hexdigest())
        if len(chunk) < size or not hmac.compare_digest(made.encode(), signature_said.encode()):
            return False
        before, length, at = made, length + size, at + size
        if not size:
            break
        at += 2
    # moto makes room for as much as this header says.
    if length != int(call.header("x-amz-decoded-content-length")):
        return False
    if not call.header("x-amz-content-sha256").endswith("-TRAILER"):
        return True
    lines = call.body[at:].decode("ascii").replace("\r\n", "\n").strip("\n").split("\n")
    *trailer, last = [line for line in lines if line]
    name, _, said = last.partition(":")
    made = signed("TRAILER", before, sha256("".join(f"{line}\n" for line in trailer).encode()).hexdigest())
    return name == "x-amz-trailer-signature" and hmac.compare_digest(made.encode(), said.strip().encode())


def _as_sent(call: Call) -> str:
    """Path and query as the client wrote them, percent signs and all: that is what it signed."""
    uri = call.environ.get(SIGNED_URI) or call.environ.get("RAW_URI") or call.environ["REQUEST_URI"]
    return "/" + uri.split("://", 1)[1].partition("/")[2] if "://" in uri.split("?")[0] else uri


def _header(call: Call, name: str) -> str:
    if name in ("content-type", "content-length"):
        return call.environ.get(name.upper().replace("-", "_"), "")
    return call.header(name)
