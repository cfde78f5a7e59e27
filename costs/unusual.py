"""PURE. Is this day far above the days before it?

Robust against the days that it is about: a median and the median of the distances from it, so that one dear night among
the last days hides no second one. Quiet days do not count: a class works on some days of the week.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

PAST_DAYS = 14
ENOUGH = 3  # days of the past on which anything was spent: with fewer nobody knows what is usual
FLOOR = Decimal(2)  # USD above the usual day: cents never alarm
TIMES = 3
SPREADS = 6
A_SPREAD = Decimal("1.4826")  # of a normal distribution: the median distance as a standard deviation
SPENT = Decimal("0.005")  # below it a day was quiet


@dataclass(frozen=True)
class Unusual:
    """usual_usd: the median of the days before on which anything was spent; limit_usd: from where on a day is far above
    them."""

    usd: Decimal
    usual_usd: Decimal
    limit_usd: Decimal


def judged(past: Sequence[Decimal], usd: Decimal) -> Unusual | None:
    """None where the day is like those before, or where too little is known of them.

    past: USD of each of the last PAST_DAYS days before. usd: of the day, which may not be over: once it is above the
    limit, no later hour brings it back.
    """
    known = [day for day in past[-PAST_DAYS:] if day >= SPENT]
    if len(known) < ENOUGH:
        return None
    usual = median(known)
    distance = median([abs(day - usual) for day in known])
    limit = max(usual * TIMES, usual + distance * A_SPREAD * SPREADS, usual + FLOOR)
    return Unusual(usd, usual, limit) if usd > limit else None


def median(amounts: Sequence[Decimal]) -> Decimal:
    """Of two in the middle their mean. Raises ValueError for none."""
    if not amounts:
        raise ValueError("of nothing there is no median")
    ranked, half = sorted(amounts), len(amounts) // 2
    return ranked[half] if len(ranked) % 2 else (ranked[half - 1] + ranked[half]) / 2
