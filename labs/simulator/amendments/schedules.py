"""EventBridge Scheduler. AWS reads expression and universal target when a schedule is made: what it cannot read, what
lies in the past and a group that is not there are refused. It fires what is due (clockwork.py). A group's name is taken
once; deleting it takes a while, and takes the schedules that are in it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.scheduler.exceptions import ValidationException
from moto.scheduler.models import EventBridgeSchedulerBackend, Schedule, ScheduleGroup
from moto.scheduler.responses import EventBridgeSchedulerResponse

from labs.simulator import when
from labs.simulator.amendments import instead_of
from labs.simulator.targets import UNIVERSAL, CannotDeliver, deliveries
from labs.simulator.transitions import later, pace

_JUST_BEFORE = timedelta(microseconds=1)


@instead_of(Schedule, "__init__")
def _init(was: Any, self: Any, *args: Any, **asked: Any) -> None:
    _check_target(asked["target"])
    timetable = _timetable(asked["schedule_expression"], asked["schedule_expression_timezone"])
    was(self, *args, **asked)
    self.action_after_completion = self.action_after_completion or "NONE"
    self.begin(timetable)


@instead_of(Schedule, "update")
def _update(was: Any, self: Any, **asked: Any) -> None:
    _check_target(asked["target"])
    before = (self.schedule_expression, self.schedule_expression_timezone, self.start_date)
    after = (asked["schedule_expression"], asked["schedule_expression_timezone"] or "UTC", asked["start_date"])
    timetable = _timetable(*after[:2]) if before != after else None
    was(self, **asked)
    self.state = self.state or "ENABLED"
    if timetable is None:
        self.plan(pace.wall())  # what it missed while it was disabled is not made up
    else:
        self.begin(timetable)


def _begin(self: Any, timetable: when.At | when.Rate | when.Cron) -> None:
    """A rate without a StartDate fires at once, and counts from then."""
    self.timetable = timetable
    self.since = _instant(self.start_date) or pace.wall()
    self.plan(self.since - _JUST_BEFORE)


def _plan(self: Any, after: datetime) -> None:
    """Say when it is due next: due_at, None when it has fired for the last time."""
    due_at, end = self.timetable.first_after(after, self.since), _instant(self.end_date)
    is_over = end is not None and due_at is not None and due_at > end and not isinstance(self.timetable, when.At)
    self.due_at = None if is_over else due_at


Schedule.begin, Schedule.plan = _begin, _plan  # type: ignore[attr-defined]


def _instant(said: Any) -> datetime | None:
    return None if said is None else datetime.fromtimestamp(float(said), UTC)


def _timetable(expression: str, zone: str | None) -> when.At | when.Rate | when.Cron:
    try:
        timetable = when.read(expression, zone or "UTC")
    except when.BadExpression as error:
        raise ValidationException(f"Invalid Schedule Expression {expression}: {error}.") from error
    if isinstance(timetable, when.At) and timetable.instant <= pace.wall():
        raise ValidationException(f"Invalid Schedule Expression {expression}: its time is over.")
    return timetable


def _check_target(target: dict[str, Any]) -> None:
    if not UNIVERSAL.fullmatch(target["Arn"]):
        return
    try:
        deliveries(target, target.get("Input") or "{}")
    except CannotDeliver as error:
        raise ValidationException(f"Invalid RequestJson provided. Reason: {error}.") from error


@instead_of(EventBridgeSchedulerBackend, "create_schedule")
def create_schedule(was: Any, self: EventBridgeSchedulerBackend, **asked: Any) -> Any:
    self.get_schedule_group(asked["group_name"])  # not there: ResourceNotFoundException
    return was(self, **asked)


@instead_of(EventBridgeSchedulerResponse, "update_schedule")
def update_schedule(was: Any, self: EventBridgeSchedulerResponse) -> Any:
    answer = was(self)
    name = self.uri.split("?")[0].split("/")[-1]
    schedule = self.scheduler_backend.get_schedule(self._get_param("GroupName"), name)
    schedule.action_after_completion = self._get_param("ActionAfterCompletion") or "NONE"
    return answer


@instead_of(EventBridgeSchedulerBackend, "create_schedule_group")
def create_schedule_group(was: Any, self: EventBridgeSchedulerBackend, name: str, tags: Any) -> Any:
    if name in self.schedule_groups:
        raise JsonRESTError("ConflictException", f"Schedule group {name} already exists.")
    return was(self, name=name, tags=tags or [])


@instead_of(EventBridgeSchedulerBackend, "delete_schedule_group")
def delete_schedule_group(was: Any, self: EventBridgeSchedulerBackend, name: str | None) -> None:
    group = self.get_schedule_group(name)
    if group.name == "default":
        raise ValidationException("The default schedule group cannot be deleted.")
    group.schedules.clear()
    vars(group)["state"] = "DELETING"
    self.tagger.delete_all_tags_for_resource(group.arn)
    if pace.seconds:
        later(partial(self.schedule_groups.pop, group.name, None))
    else:
        self.schedule_groups.pop(group.name)


@instead_of(ScheduleGroup, "to_dict")
def _to_dict(was: Any, self: ScheduleGroup) -> dict[str, Any]:
    return was(self) | {"State": vars(self).get("state", "ACTIVE")}
