"""EventBridge rules, on every bus: what starts something by the clock or by an event. Free; what they start is not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from labs.aws import Refused
from labs.kinds.aws_words import mark, tag_dict, tag_list
from labs.kinds.base import GONE_FROM_AWS, RUNNING, STOPPED, OffCall, Seen, Want
from labs.kinds.found_by_name import FoundByName


class EventBridgeRule(FoundByName):
    """params: schedule (rate(...) or cron(...), in UTC) or pattern (a dict), and as wanted: bus ("default"),
    description, targets: [{"id", "arn"}, each with "input" (text) and "role_arn" as wanted]."""

    name, service = "eventbridge-rule", "events"
    title, icon, cost_service, arn_type = "EventBridge rule", "clock", "EventBridge", "events:rule"
    is_free, can_stop = True, True
    kept_on_stop = gettext_noop("A disabled rule keeps its schedule or pattern and its targets, and starts nothing.")
    lost_on_delete = gettext_noop("What it started goes on.")

    def create(self, client, want: Want) -> None:
        """PutRule writes over a rule of that name without a word; nobody else has ours, and it is looked for first."""
        params = want.params
        asked: dict[str, Any] = {"Description": str(params.get("description") or "Made for a lab"), "State": "ENABLED"}
        if params.get("schedule"):
            asked["ScheduleExpression"] = params["schedule"]
        if params.get("pattern"):
            asked["EventPattern"] = json.dumps(params["pattern"], sort_keys=True)
        client.put_rule(Name=want.name, EventBusName=params.get("bus", "default"), Tags=tag_list(want.tags), **asked)

    def id_of(self, want: Want) -> str:
        return want.aws_id or f"{want.params.get('bus', 'default')}/{want.name}"

    def described(self, client, aws_id: str, tags: Mapping[str, str] | None) -> Seen:
        bus, name = _place(aws_id)
        try:
            rule = client.describe_rule(Name=name, EventBusName=bus)
            targets = sorted(target["Arn"] for target in _targets(client, bus, name))
            if tags is None:
                tags = tag_dict(client.list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"])
        except client.exceptions.ResourceNotFoundException:
            return GONE_FROM_AWS
        return _seen({**rule, "EventBusName": bus}, tags, targets=targets)

    def configure(self, client, want: Want, seen: Seen) -> bool:
        wanted = [_target(target) for target in want.params.get("targets", ())]
        bus, name = _place(seen.aws_id)
        known = {target["Id"]: target for target in _targets(client, bus, name)}
        missing = [target for target in wanted if not known.get(target["Id"], {}).items() >= target.items()]
        if missing:
            answer = client.put_targets(Rule=name, EventBusName=bus, Targets=missing)
            _refuse_failed(answer, f"EventBridge did not take a target of {name}")
        return not missing

    def start(self, client, want: Want, seen: Seen) -> None:
        bus, name = _place(seen.aws_id)
        client.enable_rule(Name=name, EventBusName=bus)

    def stop(self, client, want: Want, seen: Seen) -> None:
        bus, name = _place(seen.aws_id)
        client.disable_rule(Name=name, EventBusName=bus)

    def delete(self, client, want: Want, seen: Seen) -> None:
        """A rule lets go of its targets first: five at most, unless the account asked for more."""
        bus, name = _place(seen.aws_id)
        ids = [target["Id"] for target in _targets(client, bus, name)]
        if ids:
            answer = client.remove_targets(Rule=name, EventBusName=bus, Ids=ids[:100])
            _refuse_failed(answer, f"EventBridge did not let go of a target of {name}")
        client.delete_rule(Name=name, EventBusName=bus)

    def off_call(self, want: Want) -> OffCall:
        # It costs nothing by the hour, but would start again what the switch has stopped.
        bus, name = _place(self.id_of(want))
        return OffCall("eventbridge", "disableRule", {"Name": name, "EventBusName": bus})

    def find_all(self, client) -> Iterable[Seen]:
        """A list of the buses, and one a bus: two calls where there is only the default one. Rules that a service made
        for itself (ManagedBy) are AWS's own: without them the service would fail."""
        for bus in _buses(client):
            for page in client.get_paginator("list_rules").paginate(EventBusName=bus):
                for rule in page["Rules"]:
                    if not rule.get("ManagedBy"):
                        yield _seen(rule, {}, whole=False)  # neither targets nor tags are in the list


def _place(aws_id: str) -> tuple[str, str]:
    """(bus, name): a rule's name holds no slash, a partner's bus does."""
    bus, _, name = aws_id.rpartition("/")
    return bus or "default", name


def _buses(client) -> Iterable[str]:
    asked: dict[str, Any] = {}
    while True:
        page = client.list_event_buses(Limit=100, **asked)
        yield from (bus["Name"] for bus in page["EventBuses"])
        if not page.get("NextToken"):
            return
        asked = {"NextToken": page["NextToken"]}


def _targets(client, bus: str, name: str) -> list[dict[str, Any]]:
    pages = client.get_paginator("list_targets_by_rule").paginate(Rule=name, EventBusName=bus)
    return [target for page in pages for target in page.get("Targets", ())]


def _target(target: Mapping[str, str]) -> dict[str, str]:
    made = {"Id": target["id"], "Arn": target["arn"]}
    for ours, member in (("input", "Input"), ("role_arn", "RoleArn")):
        if target.get(ours):
            made[member] = target[ours]
    return made


def _refuse_failed(answer: Mapping[str, Any], what: str) -> None:
    """These calls answer 200, and say within what did not work."""
    for failed in answer.get("FailedEntries", ()):
        raise Refused(f"{what}: {failed.get('ErrorMessage') or 'no reason given'} ({failed.get('ErrorCode', '')})")


def _seen(
    rule: Mapping[str, Any], tags: Mapping[str, str], *, targets: list[str] | None = None, whole: bool = True
) -> Seen:
    name, bus = rule["Name"], rule.get("EventBusName") or "default"
    when = rule.get("ScheduleExpression", "")
    pattern = rule.get("EventPattern", "")
    facts = {"arn": rule["Arn"], "bus": bus, "schedule": when, "pattern": pattern}
    if targets is not None:
        facts["targets"] = targets
    # The list shows no instant of a change: what it does show stands in the mark.
    said = hashlib.sha256(f"{when} {pattern}".encode()).hexdigest()[:16]
    return Seen(
        STOPPED if rule["State"] == "DISABLED" else RUNNING,
        aws_id=name if bus == "default" else f"{bus}/{name}",
        name=name,
        facts=facts,
        tags=tags,
        mark=mark(rule["State"], said),
        whole=whole,
    )
