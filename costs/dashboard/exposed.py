"""Exposure of many at once: what each person, or each cohort, can still spend before something stops it by itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from costs.budget import exposure_of, with_coming
from costs.dashboard.on_now import Line
from costs.exposing import NOTHING, Exposure, Part, capped, exposed, together
from costs.live import Burning, is_going
from costs.rates import Rate
from costs.thresholds import Thresholds
from costs.turning_off import may_turn_off
from labs import deadman
from labs.kinds.base import STOPPED
from labs.models import RUNNING, Launch, Resource


def exposures_by(
    key: str,
    lines: Iterable[Line],
    launches: Iterable[Launch],
    now: datetime,
    *,
    fresh: Iterable[tuple[Resource, Burning]],
    unbounded: Iterable[Resource],
) -> dict[Any, Exposure]:
    """{the value of `key` (owner_id, scope): Exposure} of what is on. No query; one while a lab is coming up.

    lines: `on_now.Line`s; launches: those that are open; fresh: what `live.newer` answered; unbounded: what
    `unbounded_in` did. Of what was made by hand the last switch counts for all of a person's, so that "at most" is
    rather too much than too little. What is billed by the month, and the disks of what is stopped, have no end and are
    not in it.
    """
    labs = {launch.pk: launch for launch in launches}
    rates: dict[Any, Decimal] = defaultdict(Decimal)
    unpriced: dict[Any, int] = defaultdict(int)
    by_hand: dict[Any, tuple[Decimal, int, datetime | None]] = {}

    def add_by_hand(whose: Any, burns: Burning, until: datetime) -> None:
        rate, lacking, off_at = by_hand.get(whose, (Decimal(0), 0, None))
        last = until if off_at is None else max(off_at, until)
        by_hand[whose] = (rate + burns.usd_per_hour, lacking + burns.unpriced, last)

    for line in lines:
        if line.launch_id is not None:
            rates[line.launch_id] += line.burning.usd_per_hour
            unpriced[line.launch_id] += line.burning.unpriced
        elif line.off_at:
            add_by_hand(getattr(line, key), line.armed, line.off_at)
    for row, burns in fresh:
        if row.launch_id is not None:
            rates[row.launch_id] += burns.usd_per_hour
            unpriced[row.launch_id] += burns.unpriced
        elif row.wanted == RUNNING and row.seen != STOPPED and row.switch_at and row.switch_at > now:
            add_by_hand(getattr(row, key), burns, row.switch_at)
    found: dict[Any, list[Exposure]] = defaultdict(list)
    for pk, rate in with_coming(labs, rates, now).items():
        found[getattr(labs[pk], key)].append(exposure_of(labs[pk], None if unpriced[pk] else rate, now))
    for whose, (rate, lacking, off_at) in by_hand.items():
        found[whose].append(exposed(Part(None if lacking else rate, switch_at=off_at), now))
    for row in unbounded:
        if row.launch_id is None and not is_going(row):
            found[getattr(row, key)].append(Exposure(None, None, NOTHING, unbounded=1))
    return {whose: together(each) for whose, each in found.items()}


def bounded_by(
    whole: Exposure,
    usd: Decimal | None,
    spent: Decimal,
    rate: Decimal,
    thresholds: Thresholds,
    unbounded: Iterable[Resource],
    now: datetime,
) -> Exposure:
    """The same, where a budget stops it earlier. usd: the budget, None where there is none. unbounded: what of it has
    no other end: if the budget may not turn one of these off either, it promises nothing."""
    ends = None if usd is None else thresholds.stops_at(usd)
    if ends is None or not all(may_turn_off(row) for row in unbounded if row.launch_id is None and not is_going(row)):
        return whole
    return capped(whole, ends - spent, rate, thresholds.grace, now)


def by_hand_exposure(rates: Mapping[Resource, Rate], now: datetime) -> Exposure:
    """Of what one person made by hand, each to its own switch. What is billed by the month has no end, and is not in it
    (labs/deadman.py)."""
    reach = deadman.reach(rates, now)
    parts = [exposed(Part(rates[row].known, switch_at=row.switch_at), now) for row in reach.armed]
    return together([*parts, *(Exposure(None, None, NOTHING, unbounded=1) for _ in reach.unarmed)])


def by_owner(rows: Iterable[Resource]) -> Mapping[int | None, list[Resource]]:
    found: dict[int | None, list[Resource]] = defaultdict(list)
    for row in rows:
        found[row.owner_id].append(row)
    return found
