"""PURE: a policy evaluator. What IAM says to one call, by its published logic (IAM user guide, "Policy evaluation
logic"). The simulator enforces no policies, so documents are tried here: ours in tests, a student's by a lab's check.

An explicit Deny in any document wins. Else the call is allowed when the role's policies, the boundary and the session
policy each allow it; or when a resource's policy names the very session, which passes boundary and session policy by.
A policy variable that has no value makes its statement match nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any


@dataclass(frozen=True)
class Call:
    """One authorisation that AWS makes: an action with one resource, and what the request says of itself.

    context: condition keys of this call; tags as "aws:RequestTag/lab". A list is a key with many values.
    granted_there: the resource's own policy names this session: a bucket's, a key's, a role's trust.
    """

    action: str
    resource: str = "*"
    context: Mapping[str, Any] = field(default_factory=dict)
    granted_there: bool = False


@dataclass(frozen=True)
class Principal:
    """Who calls: the context that comes with the session, and the documents that hold it (None: there is none)."""

    context: Mapping[str, Any]
    policies: tuple[Mapping[str, Any], ...]
    boundary: Mapping[str, Any] | None = None
    session: Mapping[str, Any] | None = None


class _Unresolved(Exception):
    """A policy variable without a value."""


def is_allowed(who: Principal, call: Call) -> bool:
    """Whether AWS lets this call through. Raises KeyError with an operator of conditions that is not known here
    (IpAddress)."""
    context = {key.lower(): value for key, value in {**who.context, **call.context}.items()}
    layers = [who.policies, *([one] for one in (who.boundary, who.session) if one is not None)]
    if any(_says(policy, "Deny", call, context) for layer in layers for policy in layer):
        return False
    if call.granted_there:
        return True
    return all(any(_says(policy, "Allow", call, context) for policy in layer) for layer in layers)


def succeeds(who: Principal, calls: Iterable[Call]) -> bool:
    """Whether every call of a request is let through: AWS refuses the whole when it refuses one."""
    return all(is_allowed(who, call) for call in calls)


def _says(policy: Mapping[str, Any], effect: str, call: Call, context: Mapping[str, Any]) -> bool:
    return any(
        statement["Effect"] == effect and matches(statement, call, context)
        for statement in as_list(policy["Statement"])
    )


def matches(statement: Mapping[str, Any], call: Call, context: Mapping[str, Any]) -> bool:
    """Whether a statement speaks of this call. context: keys in small letters."""
    try:
        if "Action" in statement:
            speaks = _any_like(statement["Action"], call.action, {}, ignore_case=True)
        else:
            speaks = not _any_like(statement["NotAction"], call.action, {}, ignore_case=True)
        if "Resource" in statement:
            speaks = speaks and _any_like(statement["Resource"], call.resource, context)
        elif "NotResource" in statement:
            speaks = speaks and not _any_like(statement["NotResource"], call.resource, context)
        return speaks and all(
            _holds(operator, key, as_list(values), context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    except _Unresolved:
        return False


def as_list(value: Any) -> list[Any]:
    """A single value, or several, as a list."""
    return list(value) if isinstance(value, list | tuple | set) else [value]


# --- conditions ----------------------------------------------------------------------------------------------


def _holds(operator: str, key: str, wanted: list[Any], context: Mapping[str, Any]) -> bool:
    """Values of a key are alternatives; keys and operators must all hold."""
    given = context.get(key.lower())
    if operator == "Null":
        return (given is None) == (str(wanted[0]).lower() == "true")
    of_set, _, name = operator.rpartition(":")
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    if_missing = if_exists or NEGATED.get(name) is not None
    given_values = [] if given is None else as_list(given)
    if of_set == "ForAllValues":
        return all(_one_holds(name, value, wanted, context) for value in given_values)
    if of_set == "ForAnyValue":
        return any(_one_holds(name, value, wanted, context) for value in given_values)
    if given is None:
        return if_missing
    if len(given_values) != 1:
        raise ValueError(f"{key} has many values: {operator} needs ForAllValues or ForAnyValue")
    return _one_holds(name, given_values[0], wanted, context)


def _one_holds(name: str, given: Any, wanted: list[Any], context: Mapping[str, Any]) -> bool:
    if name in NEGATED:
        return not _one_holds(NEGATED[name], given, wanted, context)
    if name == "StringLike":
        return any(_pattern(str(value), context).fullmatch(str(given)) for value in wanted)
    if name in ("ArnLike", "ArnEquals"):
        return any(_arn_like(str(given), str(value), context) for value in wanted)
    return any(COMPARE[name](str(given), _filled(str(value), context)) for value in wanted)


def _arn_like(given: str, pattern: str, context: Mapping[str, Any]) -> bool:
    """Part by part: in an ARN condition a "*" does not run over a colon of the first five."""
    parts, patterns = given.split(":", 5), pattern.split(":", 5)
    return len(parts) == len(patterns) and all(
        _pattern(one, context).fullmatch(part) for one, part in zip(patterns, parts, strict=True)
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


COMPARE = {
    "StringEquals": lambda given, value: given == value,
    "StringEqualsIgnoreCase": lambda given, value: given.lower() == value.lower(),
    "Bool": lambda given, value: given.lower() == value.lower(),
    "NumericEquals": lambda given, value: float(given) == float(value),
    "NumericLessThan": lambda given, value: float(given) < float(value),
    "NumericLessThanEquals": lambda given, value: float(given) <= float(value),
    "NumericGreaterThan": lambda given, value: float(given) > float(value),
    "NumericGreaterThanEquals": lambda given, value: float(given) >= float(value),
    "DateLessThan": lambda given, value: _instant(given) < _instant(value),
    "DateLessThanEquals": lambda given, value: _instant(given) <= _instant(value),
    "DateGreaterThan": lambda given, value: _instant(given) > _instant(value),
}
NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NumericNotEquals": "NumericEquals",
}


# --- wildcards and variables ---------------------------------------------------------------------------------

_VARIABLE = re.compile(r"\$\{([^}]+)\}")


def _any_like(patterns: Any, value: str, context: Mapping[str, Any], *, ignore_case: bool = False) -> bool:
    if ignore_case:
        return any(_compiled(str(one).lower()).fullmatch(value.lower()) for one in as_list(patterns))
    return any(_pattern(str(one), context).fullmatch(value) for one in as_list(patterns))


def _pattern(text: str, context: Mapping[str, Any]) -> re.Pattern[str]:
    """A "*" or "?" of the policy is a wildcard; one that comes out of a variable is not."""
    if "${" not in text:
        return _compiled(text)
    parts = _VARIABLE.split(text)
    return re.compile(
        "".join(re.escape(_value_of(part, context)) if odd % 2 else _as_regex(part) for odd, part in enumerate(parts)),
        re.DOTALL,
    )


@cache
def _compiled(text: str) -> re.Pattern[str]:
    return re.compile(_as_regex(text), re.DOTALL)


def _as_regex(text: str) -> str:
    return re.escape(text).replace(r"\*", ".*").replace(r"\?", ".")


def _filled(text: str, context: Mapping[str, Any]) -> str:
    return _VARIABLE.sub(lambda found: _value_of(found[1], context), text)


def _value_of(variable: str, context: Mapping[str, Any]) -> str:
    value = context.get(variable.lower())
    if value is None or not isinstance(value, str):
        raise _Unresolved(variable)
    return value
