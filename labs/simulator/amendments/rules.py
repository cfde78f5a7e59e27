"""EventBridge's rules. AWS fires those that have a schedule (clockwork.py), hands an event to those whose pattern it
fits and to their targets of all kinds, and leaves alone those that are disabled.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from jsonpath_ng import parse
from moto.events.exceptions import ValidationException
from moto.events.models import Rule
from moto.events.utils import EventTemplateParser

from labs.simulator import when
from labs.simulator.amendments import instead_of, the_world
from labs.simulator.clockwork import Firing
from labs.simulator.transitions import pace


@instead_of(Rule, "__init__")
def _init(was: Any, self: Any, *args: Any, **kwargs: Any) -> None:
    was(self, *args, **kwargs)
    self.timetable = self.due_at = None
    if self.scheduled_expression:
        try:
            self.timetable = when.read(self.scheduled_expression)
        except when.BadExpression as error:
            raise ValidationException("Parameter ScheduleExpression is not valid.") from error
        self.since = pace.wall()
        self.plan(self.since)


def _plan(self: Any, after: datetime) -> None:
    """Say when it is due next: a rate for the first time when one of it has gone by."""
    self.due_at = self.timetable.first_after(after, self.since) if self.timetable else None


@instead_of(Rule, "enable")
def enable(was: Any, self: Any) -> None:
    was(self)
    self.plan(pace.wall())  # what it missed while it was disabled is not made up


def _firings(self: Rule, event: dict[str, Any], now: datetime) -> Iterator[Firing]:
    """What the event sets off: each target once."""
    for target in self.targets:
        yield Firing(self.account_id, self.region_name, self.arn, target, _input(target, event), now)


def _input(target: dict[str, Any], event: dict[str, Any]) -> str:
    """What a target gets of an event: the whole, a part, or what the rule's writer says."""
    if target.get("Input"):
        return target["Input"]
    if target.get("InputPath"):
        found = parse(target["InputPath"]).find(event)
        return json.dumps(found[0].value if found else {})
    if target.get("InputTransformer"):
        how = target["InputTransformer"]
        whole: Any = event | {"ingestion-time": event["time"]}
        return json.dumps(EventTemplateParser.parse(how.get("InputTemplate"), how.get("InputPathsMap", {}), whole))
    return json.dumps(event)


Rule.plan, Rule.firings = _plan, _firings  # type: ignore[attr-defined]


@instead_of(Rule, "send_to_targets")
def send_to_targets(was: Any, self: Any, original_event: Any, transform_input: bool = True) -> None:
    if self.managed_by:  # an archive's own: moto keeps it
        was(self, original_event, transform_input)
        return
    is_on = self.state != "DISABLED" and self.event_pattern.dump() is not None
    if not is_on or not self.event_pattern.matches_event(original_event):
        return
    now = pace.wall()
    event = {name: value for name, value in original_event.items() if name not in ("ingestion-time", "replay-name")}
    if not isinstance(event["time"], str):
        event["time"] = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    for firing in self.firings(event, now):
        the_world().clockwork.soon(firing)
