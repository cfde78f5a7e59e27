"""What the ledger knows of a thing that was left on, as its life (costs/lives.py) needs it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.conf import settings

from costs.kinds import can_stop, ends_by_itself, stop_deletes
from costs.live import is_going
from costs.lives import Left, Policy
from costs.models import Finding, Scope
from costs.rates import Rate
from costs.rules import shows_disuse
from labs.kinds.base import DELETING, FAILED, STOPPED
from labs.models import Account, Resource


def policies_of(told: Iterable[Scope]) -> dict[str, Policy]:
    """{scope: its Policy}. What is no cohort's has the operator's own (LEFT_ON_POLICY)."""
    found: dict[str, Policy] = defaultdict(lambda: Policy(settings.LEFT_ON_POLICY))
    found.update({scope.key: scope.policy for scope in told})
    return found


def left_of(row: Resource, findings: Sequence[Finding], rate: Rate, now: datetime) -> Left:
    """row: with its account and launch. findings: its open ones, snoozed too. How old its news is, is not in it."""
    shown = [one for one in findings if not (one.snoozed_until and one.snoozed_until > now)]
    unused = [one for one in shown if shows_disuse(one.rule)]
    # That nobody uses it is other news than that it is there: its owner is told of that before it is stopped.
    told = unused or shown
    until = [one.snoozed_until for one in findings if one.snoozed_until]
    return Left(
        opened_at=min(one.opened_at for one in told or findings),
        costs=rate.is_light,
        is_on=row.seen != STOPPED,
        is_stopped=row.seen == STOPPED and can_stop(row.kind),
        is_going=is_going(row),
        is_work=ends_by_itself(row.kind),
        is_theirs=row.launch_id is None and row.account.mode == Account.OWN,
        has_owner=row.owner_id is not None,
        unused_since=min((one.opened_at for one in unused), default=None),
        can_go=row.seen not in (FAILED, DELETING) and (can_stop(row.kind) or stop_deletes(row.kind)),
        in_use_until=_in_use_until(row, now),
        stopped_since=row.seen_since if row.seen == STOPPED else None,
        snoozed_until=max(until, default=None) if not shown or all(one.snoozed_until for one in shown) else None,
        owner_asked_at=_last(told, "reminder_asked_at"),
        owner_told_at=_last(told, "reminded_at"),
        staff_asked_at=_last(findings, "staff_asked_at"),
        staff_told_at=_last(findings, "staff_told_at"),
        look_asked_at=_last(told, "look_asked_at"),
    )


def _in_use_until(row: Resource, now: datetime) -> datetime | None:
    launch = row.launch
    if launch is None or launch.ended_at or launch.asked_to_end_at or launch.expires_at <= now:
        return None
    return launch.expires_at


def _last(findings: Iterable[Finding], field: str) -> datetime | None:
    return max((at for one in findings if (at := getattr(one, field))), default=None)
