"""Sessions that are revoked: the one part of policies that practice mode enforces, since a teardown relies on it.

A role's inline policy that denies everything to sessions issued before an instant, of one session tag or of all, is
what AWS's console writes as "Revoke active sessions". Nothing else of a policy is read here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from moto.iam.models import iam_backends

from labs.simulator.keys import Holder

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
    if statement.get("Effect") != "Deny":
        return False
    condition = statement.get("Condition", {})
    if not condition:
        return "NotAction" in statement  # sealed: all but a little is denied, and the little is not a student's
    until = condition.get("DateLessThanEquals", {}).get(ISSUED)
    if until is None or statement.get("Action") not in ("*", ["*"]):
        return False
    tags = condition.get("StringEquals", {})
    is_theirs = all(who.tags.get(key.removeprefix(TAGGED)) == value for key, value in tags.items())
    instant = datetime.fromisoformat(until).astimezone(UTC)
    # AWS dates a session by whole seconds.
    return is_theirs and who.issued_at is not None and who.issued_at.replace(microsecond=0) <= instant
