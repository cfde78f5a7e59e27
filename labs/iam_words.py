"""PURE: the words of IAM in which guardrails.py and own_roles.py write their documents: statements, ARNs, limits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

Document = dict[str, Any]

# Characters that AWS takes (quotas of IAM and STS): of a managed policy, of all inline policies of a role together, of
# a role's trust, of a session policy.
MANAGED_LIMIT, INLINE_LIMIT, TRUST_LIMIT, SESSION_LIMIT = 6144, 10240, 2048, 2048

PATH = "/lab/"
# Roles under our path. Those of labs and students are called lab-*; the portal's own are not, so that no lab makes one.
CONTROLLER, SWITCH, EMR_SERVICE, STUDENTS, OF_LABS = "controller", "deadman", "emr-service", "lab-student-*", "lab-*"

# Services to which a role of a lab may be handed.
PASSED_TO = ("ec2", "events", "lambda", "sagemaker", "scheduler", "states")

_ACCOUNT = re.compile(r"\d{12}")
_ROLE_ARN = re.compile(r"arn:aws:iam::\d{12}:role/[\w+=,.@/-]+")


def document(statements: Iterable[Document], limit: int, what: str) -> Document:
    """A policy of these statements. Raises ValueError when it is longer than AWS takes."""
    made = {"Version": "2012-10-17", "Statement": list(statements)}
    if len(text(made)) > limit:
        raise ValueError(
            f"The {what} has {len(text(made))} characters; AWS takes {limit}. Allow fewer types or regions."
        )
    return made


def text(policy: Document) -> str:
    """The document as it is sent, and as AWS counts it: JSON without white space."""
    return json.dumps(policy, separators=(",", ":"))


def allow(sid: str, actions: Any, resources: Any = "*", conditions: Mapping[str, Any] | None = None) -> Document:
    """A statement that allows these actions with these resources."""
    return _statement(sid, "Allow", {"Action": actions, "Resource": resources}, conditions)


def allow_but(sid: str, not_these: Any, conditions: Mapping[str, Any] | None = None) -> Document:
    """A statement that allows every action but these."""
    return _statement(sid, "Allow", {"NotAction": not_these, "Resource": "*"}, conditions)


def deny(sid: str, actions: Any, resources: Any = "*", conditions: Mapping[str, Any] | None = None) -> Document:
    """A statement that denies these actions, whatever else allows them."""
    return _statement(sid, "Deny", {"Action": actions, "Resource": resources}, conditions)


def deny_but(sid: str, not_these: Any, conditions: Mapping[str, Any] | None = None) -> Document:
    """A statement that denies every action but these."""
    return _statement(sid, "Deny", {"NotAction": not_these, "Resource": "*"}, conditions)


def deny_elsewhere(sid: str, actions: Any, only_here: Any) -> Document:
    """A statement that denies these actions with every resource but these."""
    return _statement(sid, "Deny", {"Action": actions, "NotResource": only_here}, None)


def trust(sid: str, principal: Document, action: str, conditions: Mapping[str, Any]) -> Document:
    """A statement of a role's trust policy."""
    return {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": action, "Condition": dict(conditions)}


def of(service: str, *actions: str) -> tuple[str, ...]:
    """These actions of a service: of("s3", "GetObject") is ("s3:GetObject",)."""
    return tuple(f"{service}:{action}" for action in actions)


def services(names: Iterable[str]) -> list[str]:
    """The services as principals: "ec2" is "ec2.amazonaws.com"."""
    return [f"{name}.amazonaws.com" for name in names]


def role_arn(account: str, name: str) -> str:
    """ARN of a role (or, with a "*", of roles) under our path."""
    return f"arn:aws:iam::{account_id(account)}:role{PATH}{name}"


def policy_arn(account: str, name: str) -> str:
    """ARN of a managed policy (or, with a "*", of policies) under our path."""
    return f"arn:aws:iam::{account_id(account)}:policy{PATH}{name}"


def a_role(arn: str) -> str:
    """The ARN, if it is one of a role; else ValueError."""
    return like(arn, _ROLE_ARN, "the ARN of a role")


def account_id(account: str) -> str:
    """The account's id, if it is twelve digits; else ValueError."""
    return like(account, _ACCOUNT, "an AWS account id")


def like(value: str, shape: re.Pattern[str], what: str) -> str:
    """The value, if it has this shape; else ValueError in words."""
    if not shape.fullmatch(value or ""):
        raise ValueError(f"{value!r} is not {what}.")
    return value


def _statement(sid: str, effect: str, of: Mapping[str, Any], conditions: Mapping[str, Any] | None) -> Document:
    made: Document = {"Sid": sid, "Effect": effect} | {element: _one_or_list(of[element]) for element in of}
    return made | ({"Condition": dict(conditions)} if conditions else {})


def _one_or_list(values: Any) -> Any:
    listed = [values] if isinstance(values, str) else list(values)
    return listed[0] if len(listed) == 1 else listed
