"""PURE. What AWS bills for a meter between two instants, in USD.

Additive by construction: what a stretch costs is what was billed by its end minus what was billed by its start, both
counted from the instant at which the meter began. So a 60 s minimum or a started hour counts once, however often we
look, and any split of an interval adds up to the whole, to the last of ten decimal places.

Rates hold for a UTC day and a month's length for its month, so nothing here crosses the end of a UTC day: `days` cuts.
What a minimum or a started hour bills beyond midnight belongs to the day in which it was begun.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from labs.kinds.base import Meter

TEN_PLACES = Decimal("0.0000000001")
HOUR = 3600
# What a start is rounded up to, in seconds (Meter.rounding).
STEPS = {"second": 1, "five-minutes": 300, "hour": HOUR}


class PriceUnknown(LookupError):
    """No price is known: the amount is unpriced, which is never 0."""


@dataclass(frozen=True)
class Accrued:
    """What one meter billed in [start, end), which lies in one UTC day. usd is None when unpriced."""

    start: datetime
    end: datetime
    quantity: Decimal  # in the price's unit: hours x instances, GB-months
    usd: Decimal | None


def billed_seconds(meter: Meter, began: datetime, until: datetime) -> int:
    """Seconds that AWS bills for a meter that began at `began`, as counted at `until`.

    A started second counts whole; EC2 and EBS bill 60 s at least (Meter.minimum_seconds); NAT gateways, load balancers
    and interface endpoints bill started hours (rounding="hour"), what Lambda keeps ready started five minutes.
    """
    if until <= began:
        return 0
    seconds = -((began - until) // timedelta(seconds=1))
    step = STEPS[meter.rounding]
    seconds = -(-seconds // step) * step
    return max(seconds, meter.minimum_seconds)


def accrue(meter: Meter, rate: Decimal | None, began: datetime, start: datetime, end: datetime) -> Accrued:
    """What `meter`, on since `began`, bills between two aware instants of one UTC day. rate: USD per unit, or None.

    Raises ValueError when [start, end) crosses the end of a UTC day or starts before `began`.
    """
    midnight = _midnight(start)
    if not began <= start <= end <= midnight + timedelta(days=1):
        raise ValueError(f"[{start}, {end}) is not within one UTC day of a meter that began at {began}")
    # Counted from the first of the month, so that the days of a month add up without a rounding error each.
    first = max(began, midnight.replace(day=1))
    before, by_start, by_end = (billed_seconds(meter, began, at) for at in (first, start, end))

    def until_then(seconds: int, factor: Decimal) -> Decimal:
        whole = Decimal(seconds - before) * meter.quantity * factor / _seconds_a_unit(meter, start)
        return whole.quantize(TEN_PLACES, ROUND_HALF_EVEN)

    def between(factor: Decimal) -> Decimal:
        return until_then(by_end, factor) - until_then(by_start, factor)

    return Accrued(start, end, between(Decimal(1)), None if rate is None else between(rate))


def days(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """[start, end) cut at the ends of UTC days, and so of months too."""
    while start < end:
        stop = min(end, _midnight(start) + timedelta(days=1))
        yield start, stop
        start = stop


def billed(
    meter: Meter,
    rate_at: Callable[[datetime], Decimal | None],
    began: datetime,
    until: datetime,
    start: datetime | None = None,
) -> Decimal:
    """USD (ten places) that a meter on since `began` costs in [start, until); from its beginning without `start`.

    rate_at: USD per unit on the UTC day of an instant. Raises PriceUnknown where it answers None; never 0 for unknown.
    """
    total = Decimal(0)
    for one, stop in days(start or began, until):
        usd = accrue(meter, rate_at(one), began, one, stop).usd
        if usd is None:
            raise PriceUnknown(f"{meter.service} {meter.kind} {meter.sku}")
        total += usd
    return total


def usd_per_hour(meter: Meter, rate: Decimal, at: datetime) -> Decimal:
    """What an hour costs now, in USD (ten places): of GB-months by the hours of the month that `at` is in."""
    return (meter.quantity * rate * HOUR / _seconds_a_unit(meter, at)).quantize(TEN_PLACES, ROUND_HALF_EVEN)


def _midnight(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _seconds_a_unit(meter: Meter, at: datetime) -> int:
    if meter.per == "hour":
        return HOUR
    if meter.per == "month":
        at = at.astimezone(UTC)
        return monthrange(at.year, at.month)[1] * 24 * HOUR
    raise ValueError(f"a meter is per hour or per month, not per {meter.per!r}")
