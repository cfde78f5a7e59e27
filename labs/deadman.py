"""The switch inside AWS that works when we are dead: one-time schedules that turn off what costs by the hour.

EventBridge Scheduler makes the kind's `off_call` by itself, shortly after a lab's clock should have ended it. What was
made by hand has no clock: its switch is set some hours ahead and moved on as long as the portal lives.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, Q, QuerySet

from labs.decide import GONE
from labs.iam_words import SWITCH, role_arn
from labs.kinds import registry
from labs.kinds.aws_words import code_of
from labs.kinds.base import ABSENT, NAME, STOPPED, Kind, OffCall, Seen, Want
from labs.kinds.scheduler_group import SWITCH_GROUP
from labs.models import Account, Launch, Resource
from labs.troubles import NotYet

# After the clock's own time, so that the portal, when it lives, is first and nothing is turned off twice.
AFTER_THE_CLOCK = timedelta(minutes=5)


def due_at(row: Resource, launch: Launch | None, account: Account, now: datetime) -> datetime | None:
    """When AWS is to turn this row off if nobody else does; None where the switch is not for it.

    A lab's: shortly after its clock. By hand: settings.STRANGER_SWITCH from now, kept while more than half of that is
    left. Whose it is has to be proved, and what is older than the account's connection was there before us: neither is
    ours to turn off without a person.
    """
    if launch is not None:
        return launch.expires_at + AFTER_THE_CLOCK
    is_older = row.seen_since is not None and row.seen_since < account.created_at
    if row.owner_id is None or is_older:
        return None
    kept = row.switch_at is not None and row.switch_at - now > settings.STRANGER_SWITCH / 2
    return row.switch_at if kept else now + settings.STRANGER_SWITCH


def is_due(row: Resource, kind: Kind, want: Want, launch: Launch | None, account: Account, now: datetime) -> bool:
    """Has the row's switch to be set now, or set to another time?"""
    if row.wanted == GONE or kind.off_call(want) is None or not (want.aws_id or kind.identity == NAME):
        return False
    at = due_at(row, launch, account, now)
    return at is not None and at != row.switch_at


@dataclass(frozen=True)
class Reach:
    """Of some rows that can cost by the hour: which AWS turns off by itself when the portal is dead, and which it does
    not. One of these makes the exposure of the whole unbounded.
    """

    armed: tuple[Resource, ...] = ()
    unarmed: tuple[Resource, ...] = ()

    @property
    def off_at(self) -> datetime | None:
        """When AWS turns off the last of them; None where it turns off none."""
        return max((row.switch_at for row in self.armed if row.switch_at is not None), default=None)

    @property
    def unarmed_names(self) -> str:
        return ", ".join(row.name or row.aws_id for row in self.unarmed)


def reach(rows: Iterable[Resource], now: datetime) -> Reach:
    """PURE. What does not exist yet, is free or billed by the month, or is stopped and costs nothing by the hour, does
    not count. A switch whose time has come has fired: what is still on after it is bounded by nothing."""
    armed: list[Resource] = []
    unarmed: list[Resource] = []
    for row in rows:
        if _is_exposed(row):
            (armed if row.switch_at is not None and row.switch_at > now else unarmed).append(row)
    return Reach(tuple(armed), tuple(unarmed))


def kinds_with_a_switch() -> list[str]:
    """The kinds of which one can be exposed: those that cost by the hour, or start what does."""
    return [name for name, kind in registry().items() if _has_call(kind) or kind.no_off_call]


def _is_exposed(row: Resource) -> bool:
    began = row.create_began_at is not None or row.is_made_by_hand
    if row.closed_at is not None or row.seen == ABSENT or not began:
        return False
    kind = registry().get(row.kind)
    if kind is None:  # of an older version: nothing here can turn it off
        return True
    if row.seen == STOPPED or not _has_call(kind):
        return _is_billed_by_the_hour(kind, row)
    return True


def _has_call(kind: Kind) -> bool:
    return kind.off_call(Want("", kind.name, name="its-name", aws_id="its-id")) is not None


def _is_billed_by_the_hour(kind: Kind, row: Resource) -> bool:
    if not row.seen:
        return False
    try:
        meters = kind.meters(Seen(row.seen, row.aws_id, row.name, row.seen_since, row.facts))
    except Exception:  # it cannot say what it costs: loud, not free
        return True
    return any(meter.per == "hour" for meter in meters)


def arm(scheduler: Any, row: Resource, call: OffCall, at: datetime, *, clock: Callable[[], datetime]) -> None:
    """Set the row's switch, or set it anew. Two calls where it is there already, three for the first one of a region.

    scheduler: a boto3 client. at: not over yet, or AWS refuses it. Raises NotYet when the row's lease ran out between
    two calls: by now it may be another worker's, and closed, and a switch that is set now nobody would take away.
    """
    schedule = {
        "Name": name_of(row),
        "GroupName": SWITCH_GROUP,
        "ScheduleExpression": f"at({at.astimezone(UTC):%Y-%m-%dT%H:%M:%S})",
        "ScheduleExpressionTimezone": "UTC",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ActionAfterCompletion": "DELETE",
        "Description": f"Turns off {row.kind} {row.name or row.aws_id} if the portal did not"[:512],
        "Target": {"Arn": call.target, "RoleArn": role_of(row.account), "Input": json.dumps(call.input)},
    }
    try:
        scheduler.create_schedule(**schedule)
    except scheduler.exceptions.ClientError as error:
        if code_of(error) == "ConflictException":
            scheduler.update_schedule(**schedule)
        elif code_of(error) == "ResourceNotFoundException":
            _make_group(scheduler)
            if row.lease_until is not None and clock() >= row.lease_until:
                raise NotYet("its worker was held up while it made the group of switches") from None
            scheduler.create_schedule(**schedule)
        else:
            raise


def disarm(scheduler: Any, row: Resource) -> None:
    """Take the row's switch away. One that has fired, and with that deleted itself, is as good."""
    try:
        scheduler.delete_schedule(Name=name_of(row), GroupName=SWITCH_GROUP)
    except scheduler.exceptions.ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise


def is_set(scheduler: Any, row: Resource) -> bool:
    """Does AWS hold a switch of the row, whatever we know of it?"""
    try:
        scheduler.get_schedule(Name=name_of(row), GroupName=SWITCH_GROUP)
    except scheduler.exceptions.ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise
        return False
    return True


def disarm_all(scheduler: Any) -> None:
    """Take every switch of a region away, with their group."""
    try:
        scheduler.delete_schedule_group(Name=SWITCH_GROUP)
    except scheduler.exceptions.ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise


@dataclass(frozen=True)
class Armed:
    """What the switch stands for: resources of labs that it can turn off, how many of them it is set for, how many that
    no lab made have none, and when it acts next if nobody else does."""

    of_labs: int
    with_switch: int
    strangers_without: int
    next_at: datetime | None


def armed(rows: QuerySet[Resource]) -> Armed:
    """The switches of these rows. One query."""
    kinds = [name for name, kind in registry().items() if type(kind).off_call is not Kind.off_call]
    on = rows.filter(kind__in=kinds, closed_at=None).exclude(wanted=GONE).exclude(seen="")
    told = on.aggregate(
        of_labs=Count("pk", filter=Q(launch__isnull=False)),
        with_switch=Count("pk", filter=Q(launch__isnull=False, switch_at__isnull=False)),
        strangers_without=Count("pk", filter=Q(launch=None, switch_at=None)),
        next_at=Min("switch_at"),
    )
    return Armed(**told)


def name_of(row: Resource) -> str:
    return f"lightsout-{row.id.hex}"


def role_of(account: Account) -> str:
    """The role that AWS's scheduler assumes: it may stop and delete, and nothing else (own_roles.py)."""
    return role_arn(account.aws_id, SWITCH)


def _make_group(scheduler: Any) -> None:
    try:
        scheduler.create_schedule_group(Name=SWITCH_GROUP)
    except scheduler.exceptions.ClientError as error:
        if code_of(error) != "ConflictException":  # another worker was first
            raise
