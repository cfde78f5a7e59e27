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
_UNSIGNED = "UNSIGNED-PAYLOAD"
_SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
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
    the signature, or, presigned, none did. Raises ValueError for chunks that are none."""
    said = call.header("x-amz-content-sha256")
    if not said:
        return True
    if said == _UNSIGNED:
        return call.service == "s3"
    if not said.startswith("STREAMING-"):
        return hmac.compare_digest(sha256(call.body).hexdigest().encode(), said.encode())
    chunks, trailer = _chunks(call.body)
    # Whoever decodes them believes this header: it makes room for as much, and half a body must not pass for the whole.
    if call.service != "s3" or sum(len(data) for _, data in chunks) != int(call.header("x-amz-decoded-content-length")):
        return False
    if said == f"STREAMING-{_UNSIGNED}-TRAILER":
        return True
    if said not in (_SIGNED_CHUNKS, f"{_SIGNED_CHUNKS}-TRAILER"):
        return False
    return _are_signed(call, secret, chunks, trailer if said.endswith("-TRAILER") else None)


def _chunks(body: bytes) -> tuple[list[tuple[str, bytes]], bytes]:
    """Of `SIZE;what follows`, a line end, SIZE bytes, a line end, and so on until a size of 0: [(what follows, bytes)]
    with that last, empty one, and the trailer behind it. Raises ValueError where it is anything else."""
    chunks, at, size = [], 0, 1
    while size:
        end = body.index(b"\r\n", at)
        size_said, _, follows = body[at:end].decode("ascii").partition(";")
        size, at = int(size_said, 16), end + 2
        data = body[at : at + size]
        if size < 0 or len(data) < size or (size and body[at + size : at + size + 2] != b"\r\n"):
            raise ValueError("a chunk is not as long as it says")
        chunks.append((follows, data))
        at += size + (2 if size else 0)
    return chunks, body[at:]


def _are_signed(call: Call, secret: str, chunks: list[tuple[str, bytes]], trailer: bytes | None) -> bool:
    """Whether each chunk is signed with what was signed before it, from the call's own signature on; and the trailer,
    where there has to be one."""
    key = f"AWS4{secret}".encode()
    for part in call.scope:
        key = hmac.digest(key, part.encode(), "sha256")
    before = call.signature

    def signs(said: str, kind: str, *hashes: str) -> bool:
        nonlocal before
        lines = [f"AWS4-HMAC-SHA256-{kind}", call.header("x-amz-date"), "/".join(call.scope), before, *hashes]
        before = hmac.digest(key, "\n".join(lines).encode(), "sha256").hex()
        return hmac.compare_digest(before.encode(), said.encode())

    for follows, data in chunks:
        if not signs(follows.removeprefix("chunk-signature="), "PAYLOAD", _NOTHING, sha256(data).hexdigest()):
            return False
    if trailer is None:
        return True
    *lines, last = [line for line in trailer.decode("ascii").splitlines() if line]
    name, _, said = last.partition(":")
    signed = "".join(f"{line}\n" for line in lines)
    return name == "x-amz-trailer-signature" and signs(said.strip(), "TRAILER", sha256(signed.encode()).hexdigest())


def _as_sent(call: Call) -> str:
    """Path and query as the client wrote them, percent signs and all: that is what it signed."""
    uri = call.environ.get(SIGNED_URI) or call.environ.get("RAW_URI") or call.environ["REQUEST_URI"]
    return "/" + uri.split("://", 1)[1].partition("/")[2] if "://" in uri.split("?")[0] else uri


def _header(call: Call, name: str) -> str:
    if name in ("content-type", "content-length"):
        return call.environ.get(name.upper().replace("-", "_"), "")
    return call.header(name)
