"""The gate in front of moto: every call is judged here before moto sees it, and every answer leaves through it.

In this order: is it from outside, and admitted (`outside.py`); the operator's desk; who calls (key, session,
signature); may they (the portal's root only assumes roles, nobody leaves the account); is the region one of practice
mode; a fault on purpose; then moto, one call at a time. An API of API Gateway is anybody's to call, and is asked
instead of moto.
"""

from __future__ import annotations

import logging
import re
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any, NoReturn
from urllib.parse import unquote

from moto.s3.models import s3_backends

from labs.simulator import (
    BOOT_HEADER,
    NOT_IN_PRACTICE,
    OPERATOR_HEADER,
    execute_api,
    faults,
    outside,
    revocation,
    signature,
    transitions,
)
from labs.simulator.call import Call, CutShort, TooLarge, read_body, read_head
from labs.simulator.desk import PREFIX, Desk
from labs.simulator.keys import Holder
from labs.simulator.refusals import Answer, Refused, in_its_format, refused
from labs.simulator.world import World

log = logging.getLogger(__name__)

# Their resources are in no region; clients sign for us-east-1.
GLOBAL_SERVICES = {"iam", "sts", "s3", "organizations", "route53", "cloudfront", "ce", "budgets", "support", "account"}
# What the portal's own identity is for, and nothing else.
PORTAL_MAY = {("sts", "AssumeRole"), ("sts", "GetCallerIdentity")}
# moto would take these for the truth about who calls, and where from.
_NOT_FROM_OUTSIDE = ("HTTP_X_MOTO_ACCOUNT_ID", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PROTO")
# The desk's, which nobody signs for; and what moto takes for its own door or an instance's metadata, whatever the call
# was signed for.
_NOT_AWS = (PREFIX, "/moto-api", "/favicon.ico", "/latest/meta-data/", "/latest/api/")
_REGION_IN_AGENT = re.compile(r"region/\S+")
_LOCATION = re.compile(rb"<LocationConstraint>([^<]*)</LocationConstraint>")
_ROLE = re.compile(r"arn:aws:iam::(\d{12}):role/.+")


class CutConnection(ConnectionError):
    """A fault asked that the connection be cut: the server must not answer."""


class Gate:
    """A WSGI application around moto's."""

    def __init__(self, moto: Callable[..., Iterable[bytes]], world: World, limits: outside.Limits | None = None):
        self.moto, self.world, self.desk = moto, world, Desk(world)
        self.outside = outside.Outside(limits or outside.Limits())

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        is_outside = outside.enter(environ)
        call = read_head(environ)
        call.is_outside = is_outside
        try:
            now = datetime.now(UTC)
            with self.outside.admitted(call, self.world, now) if is_outside else nullcontext():
                read_body(call)
                answer = self._answer(call)
        except TooLarge:
            answer = Answer(
                413, {"content-type": "text/plain"}, b"Practice mode keeps objects in memory: at most 256 MB."
            )
        except CutShort:
            answer = in_its_format(call, "IncompleteBody", "The body ended before its Content-Length.", 400)
        except Refused as no:  # before the body
            outside.drain(environ)
            answer = in_its_format(call, no.code, no.message, no.status)
            self.world.calls.note(call, answer.status, datetime.now(UTC))
        answer.headers[BOOT_HEADER] = self.world.boot_id
        # To a HEAD, S3 says how long the object is, and sends nothing.
        answer.headers.setdefault("content-length", str(len(answer.body)))
        start_response(f"{answer.status} {'OK' if answer.status < 400 else 'Refused'}", list(answer.headers.items()))
        return [answer.body]

    def _answer(self, call: Call) -> Answer:
        is_operators = not call.is_signed and not call.is_outside
        if is_operators and call.path.startswith(PREFIX):
            return self.desk.answer(call, call.header(OPERATOR_HEADER))
        if is_operators and call.path.startswith("/moto-api/") and self.desk.knows(call.header(OPERATOR_HEADER)):
            with self.world.lock:
                return self._by_moto(call)
        try:
            with self.world.lock:
                if not call.is_for_an_api:
                    self._permit(call, self._identify(call))
                elif call.is_signed:
                    self._identify(call)
            answer = self._with_faults(call)
        except Refused as no:
            answer = in_its_format(call, no.code, no.message, no.status)
        except CutConnection:
            self.world.calls.note(call, 0, datetime.now(UTC))
            raise
        self.world.calls.note(call, answer.status, datetime.now(UTC))
        return answer

    def from_within(self, call: Call) -> Answer:
        """A call that the simulator itself makes in call.account, for a schedule or a state machine: without a key or a
        signature, and for the rest as every other. May raise CutConnection."""
        try:
            with self.world.lock:
                self._permit(call, Holder("within", "", call.account))
            return self._with_faults(call)
        except Refused as no:
            return in_its_format(call, no.code, no.message, no.status)

    def _identify(self, call: Call) -> Holder:
        """Who calls, and fill in the account; or refuse as AWS refuses an unknown, wrong or expired key."""
        if not call.is_signed:
            raise refused("unsigned", call)
        holder = self.world.keys.holder(call.key_id)
        if holder is None:
            raise refused("unknown key", call)
        now = datetime.now(UTC)
        if holder.is_over(now):
            raise refused("expired", call)
        if (holder.session_token or "") != call.session_token:
            raise refused("wrong token", call)
        # A key id is no secret: every presigned URL shows one.
        if not signature.is_right(call, holder.secret):
            raise refused("wrong signature", call)
        if signature.has_passed(call, now):
            raise refused("denied", call, "Request has expired")
        call.account = holder.account
        if revocation.is_revoked(holder):
            raise refused("denied", call, "This session was revoked: the lab that it belongs to is over.")
        return holder

    def _permit(self, call: Call, who: Holder) -> None:
        """Refuse what the caller may not do, and what practice mode has not got."""
        if who.is_portal and (call.service, call.operation) not in PORTAL_MAY:
            raise refused("denied", call, "The portal's own identity assumes roles and does nothing else.")
        if call.path.startswith(_NOT_AWS):
            raise refused("denied", call)
        if call.service == "sts" and call.operation == "AssumeRole":
            self._permit_role(call, may_leave=who.is_portal)
        elif call.service == "s3":
            self._permit_bucket(call)
            if call.is_outside:
                self.outside.permit_storing(call)
        if call.service not in GLOBAL_SERVICES:
            self._permit_region(call.region)
        elif call.operation == "CreateBucket":
            # A bucket is in a region all the same; none named is us-east-1.
            named = _LOCATION.search(call.body)
            self._permit_region(named[1].decode() if named else self.world.regions[0])

    def _permit_region(self, region: str) -> None:
        if region not in self.world.regions:
            raise Refused(
                NOT_IN_PRACTICE,
                f"Practice mode has the regions {', '.join(self.world.regions)}, and no {region}. "
                "Is the region of your client, or AWS_DEFAULT_REGION, the one of the lab?",
            )

    @staticmethod
    def _permit_role(call: Call, *, may_leave: bool) -> None:
        arn = call.asked("RoleArn")
        match = _ROLE.fullmatch(arn)
        if match is None:
            raise Refused("ValidationError", f"{arn} is invalid")
        if match[1] != call.account and not may_leave:
            raise refused("denied", call, f"User is not authorized to perform: sts:AssumeRole on resource: {arn}")

    @staticmethod
    def _permit_bucket(call: Call) -> None:
        """Buckets have one namespace for everybody and an owner each: another's is closed, by name or as a source."""
        source = unquote(call.header("x-amz-copy-source")).lstrip("/")
        for bucket in {call.path.lstrip("/").split("/")[0], source.split("/")[0]} - {""}:
            owner = s3_backends.bucket_accounts.get(bucket)
            if owner is None or owner[1] == call.account:
                continue
            if call.operation == "CreateBucket":
                raise Refused("BucketAlreadyExists", "The requested bucket name is not available.", 409)
            raise refused("denied", call)

    def _with_faults(self, call: Call) -> Answer:
        fault = self.world.faults.hit(call)
        if self.world.delay_seconds or (fault and fault.delay):
            time.sleep(self.world.delay_seconds + (fault.delay if fault else 0))
        if fault and fault.drop == faults.BEFORE:
            cut(call)
        if fault and fault.code:
            raise Refused(fault.code, fault.message, fault.status)
        with self.world.lock:
            transitions.do_what_is_due()
            answer = execute_api.answer(call) if call.is_for_an_api else self._by_moto(call)
        if fault and fault.drop == faults.AFTER:
            cut(call)
        return answer

    def _by_moto(self, call: Call) -> Answer:
        """moto's answer, or, where it has none, one that says what practice mode cannot do."""
        environ = {name: value for name, value in call.environ.items() if name not in _NOT_FROM_OUTSIDE}
        # moto reads host and user agent for a region before it reads the signature.
        environ["HTTP_HOST"] = f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
        environ["HTTP_USER_AGENT"] = _REGION_IN_AGENT.sub("", environ.get("HTTP_USER_AGENT", ""))
        if call.account:
            environ["HTTP_X_MOTO_ACCOUNT_ID"] = call.account
        if call.is_signed:
            # moto finds the service by reading this anew, or, in a presigned call, in the path: it is to read what was
            # judged, and not a second Credential or a path like /sts_us-east-1/.
            scope = "/".join(call.scope or ("20000101", self.world.regions[0], "s3", "aws4_request"))
            signed = ";".join(call.signed_headers)
            environ["HTTP_AUTHORIZATION"] = (
                f"AWS4-HMAC-SHA256 Credential={call.key_id}/{scope}, SignedHeaders={signed}, Signature={call.signature}"
            )
        heard: list[Any] = []
        try:
            body = b"".join(self.moto(environ, lambda status, headers, exc_info=None: heard.extend((status, headers))))
        except NotImplementedError:
            return cannot(call)
        except Refused:
            raise
        except Exception:
            log.exception("the simulator failed at %s", call)
            return in_its_format(call, "InternalFailure", f"The simulator failed at {call}: see its log.", 500)
        status, headers = int(heard[0].split()[0]), {name.lower(): value for name, value in heard[1]}
        if status >= 400 and call.is_signed and _is_flasks_own(headers, body, call):
            return cannot(call)
        return Answer(status, headers, body)


def cut(call: Call) -> NoReturn:
    """Close the caller's connection without an answer."""
    if "werkzeug.socket" in call.environ:  # what comes from within has no way that could be cut
        call.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    raise CutConnection("the connection was cut on purpose")


def cannot(call: Call) -> Answer:
    """What one reads who asks for something that is not simulated."""
    said = f"Practice mode cannot do {call} yet; on a real AWS account it works as AWS documents it."
    return in_its_format(call, NOT_IN_PRACTICE, said, 501)


def _is_flasks_own(headers: dict[str, str], body: bytes, call: Call) -> bool:
    """No such address within the service: an HTML page of Flask's, or nothing at all, is no answer of AWS's."""
    if call.service == "s3":
        return headers.get("content-type", "").startswith("text/html") and b"<!doctype html>" in body[:60].lower()
    return not body or headers.get("content-type", "").startswith("text/html") and body[:2].lower() == b"<!"
