"""What comes through the portal's gateway, from students' own machines: the gate is stricter with it.

Only a session that the portal gave to a student comes in, within 15 minutes of its signature, to AWS's own addresses
and the stages of API Gateway; so often and so much at once as one student may. All of that is judged before the body is
read: whoever is refused fills no memory. Every call of every web process passes here, so the counts are in one place.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from moto.s3.models import FakeKey, s3_backends

from labs.simulator import EXECUTE_API, GATEWAY_HEADER, GATEWAY_PATH, NO_LENGTH, TOO_LARGE, execute_api, signature
from labs.simulator.call import FOR_AN_API, SIGNED_URI, Call, model_of
from labs.simulator.keys import Keys
from labs.simulator.refusals import Refused, refused

if TYPE_CHECKING:
    from labs.simulator.world import World

_MARK = "HTTP_" + GATEWAY_HEADER.upper().replace("-", "_")
_PIECE = 2**16


@dataclass(frozen=True)
class Limits:
    """Of one student. All bodies under way may be two of the largest together; a burst is five seconds' calls."""

    calls_per_second: float = 20.0
    body_bytes: int = 64 * 2**20
    stored_bytes: int = 512 * 2**20  # in S3, all versions and parts


@dataclass
class _Allowance:
    calls: float
    at: float
    bytes_under_way: int = 0


def enter(environ: dict[str, Any]) -> bool:
    """Whether the call comes from outside; if so the gateway's path is taken off its address, and kept as signed."""
    if _MARK not in environ:
        return False
    environ[SIGNED_URI] = environ["RAW_URI"]
    for name in ("PATH_INFO", "RAW_URI", "REQUEST_URI"):
        rest = environ[name].removeprefix(GATEWAY_PATH)
        environ[name] = (
            rest if rest.startswith("/") else f"/{rest}"
        )  # an endpoint's own address has no slash at its end
    return True


def drain(environ: dict[str, Any]) -> None:
    """Let go of a body that nobody wants, without holding it: the answer is read only after all was sent."""
    left = int(environ.get("CONTENT_LENGTH") or 0)
    while left > 0 and (piece := environ["wsgi.input"].read(min(left, _PIECE))):
        left -= len(piece)


@dataclass
class Outside:
    """The judge of such calls, and the allowance of each student. A student is their account."""

    limits: Limits
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _allowances: dict[str, _Allowance] = field(default_factory=dict)

    @contextmanager
    def admitted(self, call: Call, world: World, now: datetime) -> Iterator[None]:
        """For as long as the call is answered. Its body was not read. Raises Refused."""
        _refuse_odd_path(call)
        with world.lock:
            student = self._student(call, world.keys, now)
        mark = call.environ[_MARK]
        if mark == TOO_LARGE:
            raise refused("too large", call, f"A call's body may have {self.limits.body_bytes // 2**20} MB here.")
        if mark == NO_LENGTH:
            raise Refused("MissingContentLength", "You must provide the Content-Length HTTP header.", 411)
        size = int(call.environ.get("CONTENT_LENGTH") or 0)
        self._take(call, student, size)
        try:
            yield
        finally:
            with self._lock:
                self._allowances[student].bytes_under_way -= size

    def permit_storing(self, call: Call) -> None:
        """Refuse a PUT to S3 by one who has as much there as a student may. Deletes are always let in."""
        if call.service != "s3" or call.method != "PUT":
            return
        most = self.limits.stored_bytes
        if stored(call.account) + len(call.body) > most:
            said = f"Practice mode keeps {most // 2**20} MB of one student in S3. Delete something first."
            raise Refused("QuotaExceeded", said, 403)

    @staticmethod
    def _student(call: Call, keys: Keys, now: datetime) -> str:
        """The account that the call is counted for: the caller's, and where anybody may call, the API's owner's."""
        if call.is_for_an_api and not call.is_signed:
            return execute_api.account_of(call)
        if not call.is_signed:
            raise refused("unsigned", call)
        if not call.is_for_an_api and model_of(call.service) is None:
            raise refused("denied", call, "The call is signed for a service that AWS has not got.")
        if call.is_presigned and call.service not in ("s3", FOR_AN_API):
            raise refused("denied", call, "Practice mode takes presigned addresses of S3 alone.")
        holder = keys.holder(call.key_id)
        if holder is None or not holder.is_students:
            raise refused("unknown key", call)
        if (holder.session_token or "") != call.session_token:
            raise refused("wrong token", call)
        if signature.is_skewed(call, now):
            raise refused("skewed", call)
        return execute_api.account_of(call) if call.is_for_an_api else holder.account

    def _take(self, call: Call, student: str, size: int) -> None:
        rate, now = self.limits.calls_per_second, time.monotonic()
        burst = max(1.0, 5 * rate)
        with self._lock:
            one = self._allowances.setdefault(student, _Allowance(burst, now))
            one.calls, one.at = min(burst, one.calls + (now - one.at) * rate), now
            if one.calls < 1 or one.bytes_under_way + size > 2 * self.limits.body_bytes:
                raise refused("too often", call)
            one.calls -= 1
            one.bytes_under_way += size


def stored(account: str) -> int:
    """Bytes that the account has in S3. The caller holds the world's lock."""
    buckets = s3_backends[account]["aws"].buckets.values()
    sizes = 0
    for bucket in buckets:
        versions = (version for _, versions in bucket.keys.iterlists() for version in versions)
        sizes += sum(version.size for version in versions if isinstance(version, FakeKey))  # the rest: delete markers
        sizes += sum(part.size for upload in bucket.multiparts.values() for part in upload.parts.values())
    return sizes


def _refuse_odd_path(call: Call) -> None:
    """An address that one reads in one way and another in another: AWS's clients write none of these."""
    if not call.path.startswith("/") or call.path.startswith("//") or {".", ".."} & set(call.path.split("/")):
        raise Refused("InvalidURI", "Couldn't parse the specified URI.", 400)
    if call.path.startswith(EXECUTE_API) and not call.is_for_an_api:
        raise refused("denied", call)
