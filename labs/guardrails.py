"""PURE: the IAM documents of real accounts. Dicts go out, ready for json.dumps."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def fence(before: datetime, launch: str = "") -> dict[str, Any]:
    """An inline policy that ends every session issued before that instant: of one launch (its id in hex, the session's
    tag `lab`), or ('') of the role it is put on."""
    condition: dict[str, Any] = {"DateLessThan": {"aws:TokenIssueTime": f"{before.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}}
    if launch:
        condition["StringEquals"] = {"aws:PrincipalTag/lab": launch}
    statement = {"Sid": "Fence", "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}
    return {"Version": "2012-10-17", "Statement": [statement]}
