"""PURE. Exposure: what can still be spent before something stops it by itself, and what that something is.

The one place that reckons it: the lab page, My costs, Spend, the gauges and the budgets all ask here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils.translation import gettext_lazy

# What stops it. NOTHING is loud: what is spent has no bound.
CLOCK, SWITCH, BUDGET, NOTHING = "clock", "switch", "budget", "nothing"
IS_OFF = ""  # nothing is on, or all of it was asked to go

IN_WORDS = {
    CLOCK: gettext_lazy("the lab’s clock"),
    SWITCH: gettext_lazy("the switch in AWS"),
    BUDGET: gettext_lazy("the budget’s stop"),
    NOTHING: gettext_lazy("nothing by itself"),
    IS_OFF: "",
}


@dataclass(frozen=True)
class Part:
    """What is on of one kind of end: a lab, or what somebody made by hand.

    usd_per_hour: None when a part of it has no price. clock_at: when a lab's clock deletes it. switch_at: when AWS
    turns it off by itself (labs/deadman.py); of what was made by hand a portal that lives moves that on, so it is what
    stands between a dead portal and the bill. calls_usd: an allowance beside the rate. is_going: it was asked to go.
    """

    usd_per_hour: Decimal | None
    clock_at: datetime | None = None
    switch_at: datetime | None = None
    calls_usd: Decimal = Decimal(0)
    is_going: bool = False


@dataclass(frozen=True)
class Exposure:
    """usd: at most so much more, None when that is unbounded or unpriced. until: when the last of it is off. by: what
    turns that off (CLOCK, SWITCH, BUDGET, NOTHING; IS_OFF when nothing is on). known_usd: of what has a price and an
    end. unbounded, unpriced: how many parts have none."""

    usd: Decimal | None = Decimal(0)
    until: datetime | None = None
    by: str = IS_OFF
    known_usd: Decimal = Decimal(0)
    unbounded: int = 0
    unpriced: int = 0

    @property
    def is_unbounded(self) -> bool:
        return self.by == NOTHING

    @property
    def words(self) -> str:
        """What stops it: "the lab’s clock"."""
        return str(IN_WORDS[self.by])


def exposed(part: Part, now: datetime) -> Exposure:
    """Of one part: its rate until the first stop that is still to come.

    A clock that has run out ends it now. A switch whose time has come has fired: what is on after it is bounded by
    nothing.
    """
    if part.is_going:
        return Exposure()
    stops = [(at, by) for at, by in ((part.clock_at, CLOCK), (part.switch_at, SWITCH)) if at is not None]
    ahead = [(at, by) for at, by in stops if by == CLOCK or at > now]
    if not ahead:
        return Exposure(None, None, NOTHING, unbounded=1, unpriced=int(part.usd_per_hour is None))
    until, by = min(ahead)
    if part.usd_per_hour is None:
        return Exposure(None, until, by, unpriced=1)
    usd = part.usd_per_hour * hours_between(now, until) + part.calls_usd
    return Exposure(usd, until, by, usd)


def together(exposures: Iterable[Exposure]) -> Exposure:
    """Of several: the sum, and the stop of what goes off last. With one part that has no bound the whole has none."""
    whole = Exposure()
    for one in exposures:
        usd = None if whole.usd is None or one.usd is None else whole.usd + one.usd
        if NOTHING in (whole.by, one.by):
            until, by = None, NOTHING
        elif one.until is not None and (whole.until is None or one.until > whole.until):
            until, by = one.until, one.by
        else:
            until, by = whole.until, whole.by
        whole = Exposure(
            usd,
            until,
            by,
            whole.known_usd + one.known_usd,
            whole.unbounded + one.unbounded,
            whole.unpriced + one.unpriced,
        )
    return whole


def capped(whole: Exposure, left_usd: Decimal, rate: Decimal, grace: timedelta, now: datetime) -> Exposure:
    """The same, where a budget stops what is on: after `left_usd` more at this rate, and the grace time after it.

    rate: USD an hour of all that is on, and all of it priced and such as the budget turns off. Whichever bound is lower
    is told; with a part that is unpriced the budget promises nothing.
    """
    if whole.unpriced or not rate or whole.by == IS_OFF:
        return whole
    spent_in_grace = rate * hours_between(now, now + grace)
    usd = max(left_usd, Decimal(0)) + spent_in_grace
    if whole.usd is not None and whole.usd <= usd:
        return whole
    at = passes_at(left_usd, rate, now)
    if at is None:
        return whole
    return replace(whole, usd=usd, until=at + grace, by=BUDGET, known_usd=usd, unbounded=0)


# Further ahead nobody asks, and no calendar reaches.
FAR = Decimal(24 * 365 * 10)


def passes_at(left_usd: Decimal, rate: Decimal, now: datetime) -> datetime | None:
    """When so much is spent at this rate: `now` when nothing is left, None when never, or not within ten years."""
    if left_usd <= 0:
        return now
    if rate <= 0 or left_usd / rate > FAR:
        return None
    return now + timedelta(seconds=float(left_usd / rate * 3600))


def hours_between(start: datetime, end: datetime) -> Decimal:
    """0 when `end` is over."""
    seconds = max(end - start, timedelta(0)) // timedelta(seconds=1)
    return Decimal(seconds) / 3600
