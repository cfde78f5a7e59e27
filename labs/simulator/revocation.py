"""Sessions that are revoked: the one part of policies that practice mode enforces, since a teardown relies on it.

A role's inline policy that denies everything to sessions issued until an instant, of one session tag or of all, is what
AWS's console writes as "Revoke active sessions"; the portal's own seal ends what runs under a role of a lab. Nothing
else of a policy is read here.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from moto.iam.models import iam_backends

from labs import guardrails
from labs.simulator.keys import Holder

_SEAL = guardrails.seal()["Statement"]
_OLDER = {"DateLessThan": operator.lt, "DateLessThanEquals": operator.le}
ISSUED, TAGGED = "aws:TokenIssueTime", "aws:PrincipalTag/"


def is_revoked(who: Holder) -> bool:
    """Was the session issued before an instant from which its role denies everything?"""
    if not who.role or who.issued_at is None:
        return False
    backend = iam_backends[who.account]["aws"]
    role = next((role for role in backend.roles.values() if role.name == who.role), None)
    return role is not None and any(_denies(statement, who) for statement in _statements(role.policies.values()))


def _statements(documents: Iterable[Any]) -> Iterable[dict[str, Any]]:
    for document in documents:
        said = json.loads(document) if isinstance(document, str) else document
        statements = said.get("Statement", [])
        yield from [statements] if isinstance(statements, dict) else statements


def _denies(statement: dict[str, Any], who: Holder) -> bool:
    if statement in _SEAL:
        return True
    condition = statement.get("Condition", {})
    if statement.get("Effect") != "Deny" or statement.get("Action") not in ("*", ["*"]):
        return False
    if set(condition) - {*_OLDER, "StringEquals"}:
        return False
    tags = condition.get("StringEquals", {})
    if any(who.tags.get(key.removeprefix(TAGGED)) != value for key, value in tags.items()) or who.issued_at is None:
        return False
    issued = who.issued_at.replace(microsecond=0)  # AWS dates sessions by whole seconds
    instants = [(older, dates[ISSUED]) for older, dates in condition.items() if older in _OLDER and ISSUED in dates]
    return bool(instants) and all(
        _OLDER[older](issued, datetime.fromisoformat(instant.replace("Z", "+00:00")).astimezone(UTC))
        for older, instant in instants
    )
