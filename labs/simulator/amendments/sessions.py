"""STS. AWS ends a session when its time is over, caps a chained one at an hour, and names the caller for what it is.

moto keeps no time, and answers GetSessionToken and GetFederationToken with the same printed example for everybody.
"""

from __future__ import annotations

import json
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from moto.iam.models import iam_backends
from moto.sts.exceptions import STSValidationError
from moto.sts.models import STSBackend
from moto.sts.responses import TokenResponse

from labs.simulator import PORTAL_ACCOUNT
from labs.simulator.amendments import instead_of, the_world
from labs.simulator.refusals import Refused

_CHAINED_AT_MOST = 3600
_SHORTEST, _LONGEST = 900, 43200
_tags: ContextVar[dict[str, str]] = ContextVar("the session tags of the call that is answered", default={})  # noqa: B039


@instead_of(STSBackend, "assume_role")
def assume_role(was: Any, self: STSBackend, **asked: Any) -> Any:
    duration = asked["duration"]
    if not _SHORTEST <= duration <= _LONGEST:
        raise STSValidationError(f"DurationSeconds must be from {_SHORTEST} to {_LONGEST}, not {duration}.")
    if duration > _CHAINED_AT_MOST and self.account_id != PORTAL_ACCOUNT:
        raise STSValidationError(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
        )
    is_from_portal = self.account_id == PORTAL_ACCOUNT
    arn = str(asked["role_arn"])
    # The gate has asked the same. It reads a request by itself, though, and a parameter may be said twice.
    if not is_from_portal and arn.split(":")[4:5] != [self.account_id]:
        message = f"User is not authorized to perform: sts:AssumeRole on resource: {arn}"
        raise Refused("AccessDenied", message, 403)
    role = was(self, **asked)
    if is_from_portal:
        _lay(role.role_arn, role.account_id)
    the_world().keys.remember(role, datetime.now(UTC), _tags.get(), is_from_portal=is_from_portal)
    return role


def _lay(arn: str, account: str) -> None:
    """The roles that the portal works with are there in every practice account, as in a real one that was connected."""
    path, _, name = arn.split(":role", 1)[1].rpartition("/")
    backend = iam_backends[account]["aws"]
    if path == "/lab" and not any(role.name == name for role in backend.roles.values()):
        trust = {"Effect": "Allow", "Principal": {"AWS": PORTAL_ACCOUNT}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        backend.create_role(name, document, "/lab/", None, "Laid by practice mode", [], "3600")


@instead_of(TokenResponse, "assume_role")
def _assume_role(was: Any, self: TokenResponse) -> Any:
    # moto drops a session's tags on the way from the request to its backend.
    _tags.set({tag["Key"]: tag.get("Value", "") for tag in self._get_param("Tags", [])})
    return was(self)


@instead_of(STSBackend, "get_caller_identity")
def get_caller_identity(was: Any, self: STSBackend, access_key_id: str, region: str) -> Any:
    if self.account_id == PORTAL_ACCOUNT:
        return "AIDALIGHTSOUTPRACTICE", f"arn:aws:iam::{PORTAL_ACCOUNT}:user/lightsout-portal", PORTAL_ACCOUNT
    return was(self, access_key_id, region)


def _not_simulated(was: Any, self: TokenResponse) -> Any:
    raise NotImplementedError


for _operation in (
    "get_session_token",
    "get_federation_token",
    "assume_role_with_saml",
    "assume_role_with_web_identity",
):
    instead_of(TokenResponse, _operation)(_not_simulated)
