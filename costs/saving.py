"""What turning things off by itself has saved: rate x time to when a person would have done it.

Nobody can know when that is, so the count is a low one. It begins when AWS showed the thing off, ends at the next
session that was known then (a day later where none was), at the cohort's end, or when the thing is on again, and never
lies in the future. What costs on while it is off (a disk) is not saved. What has no price is left out, and said.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Exists, F, Max, OuterRef, Q

from costs.lights_out import WHY as LIGHTS_OUT
from costs.models import Finding, Scope, TurnedOff
from costs.pricebook import PriceBook
from costs.rates import Rate, meters_of, rate_of
from labs.kinds.base import DELETING, PENDING, RUNNING, STOPPED, STOPPING, Seen
from labs.models import Resource, Span

# Where no next session is known: a day later somebody looks.
AT_MOST = timedelta(days=1)
# How long after it went a thing is still noted: a portal that was down for longer counts nothing for that time.
NOTED_WITHIN = timedelta(days=3)
STOP, DELETE = "stop", "delete"


# --- pure ----------------------------------------------------------------------------------------------------


def counts_until(off_at: datetime, sessions: Iterable[datetime | None], ends_at: datetime | None) -> datetime:
    """The latest instant to which being off is counted: the first of the sessions known that was still to come, else
    AT_MOST later; never past the cohort's end."""
    until = min((at for at in sessions if at and at > off_at), default=off_at + AT_MOST)
    return min(until, ends_at) if ends_at and ends_at > off_at else until


def who(wished_by: str, why: str) -> str:
    """What turned it off, as BY names it; '' where a person did, who would have done so anyway."""
    if wished_by in ("policy", "clock", "budget"):
        return wished_by
    return "lights-out" if why == LIGHTS_OUT else ""


# --- noting --------------------------------------------------------------------------------------------------


def note(now: datetime) -> int:
    """Write down what went off by itself since the last turn, and what is on again. Answers how many went off.

    A few queries, however much there is; none of them grows with the past.
    """
    _on_again(now)
    same = TurnedOff.objects.filter(resource=OuterRef("pk"))
    stopped = Resource.objects.open().filter(seen=STOPPED, wanted=STOPPED, seen_since__gt=now - NOTED_WITHIN)
    gone = Resource.objects.filter(wanted="gone", closed_at__gt=now - NOTED_WITHIN, first_seen_at__isnull=False)
    found = [
        *((row, STOP) for row in stopped.exclude(Exists(same.filter(act=STOP, off_at=OuterRef("seen_since"))))),
        *((row, DELETE) for row in gone.exclude(Exists(same.filter(act=DELETE)))),
    ]
    rows = [(row, act, by) for row, act in found if (by := _turned_off_by(row))]
    if not rows:
        return 0
    ids = [row.pk for row, _, _ in rows]
    spans: dict = {}
    for span in Span.objects.filter(resource__in=ids).order_by("began"):
        spans.setdefault(span.resource_id, []).append(span)
    told = Scope.objects.in_bulk({row.scope for row, _, _ in rows})
    sessions = dict(Finding.objects.filter(resource__in=ids).values_list("resource").annotate(Max("look_ahead_until")))
    launches = dict(Resource.objects.filter(pk__in=ids).values_list("pk", "launch__look_ahead_until"))
    book = PriceBook.open(regions={row.region for row, _, _ in rows})
    lines = []
    for row, act, by in rows:
        off_at, rate = _went(row, act, spans.get(row.pk, []), book)
        # What was off before it was asked to go was turned off by somebody else.
        if off_at is None or off_at < _wished_at(row) or not (rate is None or rate > 0):
            continue
        scope = told.get(row.scope)
        known = [scope.look_ahead_until if scope else None, sessions.get(row.pk), launches.get(row.pk)]
        until = counts_until(off_at, known, scope.ends_at if scope else None)
        lines.append(
            TurnedOff(resource=row, scope=row.scope, act=act, by=by, off_at=off_at, until=until, usd_per_hour=rate)
        )
    # Another worker may have noted the same: the constraint keeps one.
    TurnedOff.objects.bulk_create(lines, ignore_conflicts=True, batch_size=500)
    return len(lines)


def _on_again(now: datetime) -> None:
    again = TurnedOff.objects.filter(
        Q(resource__seen__in=[PENDING, RUNNING], resource__seen_since__gt=F("off_at")),
        act=STOP,
        on_again_at=None,
        resource__closed_at=None,
    )
    for pk, at in again.values_list("pk", "resource__seen_since"):
        TurnedOff.objects.filter(pk=pk, on_again_at=None).update(on_again_at=at)


def _turned_off_by(row: Resource) -> str:
    return who(row.wanted_by, row.wishes.get(row.wanted_by, {}).get("why", ""))


def _wished_at(row: Resource) -> datetime:
    return datetime.fromisoformat(row.wishes[row.wanted_by]["at"])


def _went(row: Resource, act: str, spans: list[Span], book: PriceBook) -> tuple[datetime | None, Decimal | None]:
    """(when it was seen off, what an hour of it on cost less what an hour of it off costs). None: not known."""
    was = [span for span in spans if span.state not in (STOPPING, DELETING)]
    if act == STOP:
        off_at, before = row.seen_since, [span for span in was if span.state in (PENDING, RUNNING)]
        after = _rate(row, row.seen, row.facts, book, off_at) if off_at else Rate()
    else:
        off_at, before, after = (spans[-1].ended if spans else None), was, Rate()
    if off_at is None or not before:
        return None, None
    on = _rate(row, before[-1].state, before[-1].facts, book, off_at)
    if on.known is None or after.known is None:
        return off_at, None
    return off_at, on.known - after.known


def _rate(row: Resource, state: str, facts: dict, book: PriceBook, at: datetime) -> Rate:
    return rate_of(meters_of(row.kind, Seen(state, row.aws_id, row.name, None, facts)), row.region, book, at)
