"""What costs money now: sums by the database over rows that were metered in their present state, and the few rows whose
state is newer than their last metering looked at one by one. So a page is right a second after a state was seen, and
costs the same with ten rows and with ten thousand.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Count, Q, QuerySet, Sum

from costs.pricebook import PriceBook
from costs.rates import A_LIGHT, Rate, rate_now
from labs.decide import GONE
from labs.kinds.base import ABSENT, DELETING, STOPPED
from labs.models import Resource

NOT_SEEN = ("", ABSENT)
# Its rate is of the state that it is still in.
CURRENT = Q(metered__span__isnull=False, metered__span__ended=None)
# What is on: it costs, and it is not merely the disk of something that is off.
LIGHT = ~Q(seen=STOPPED) & (Q(metered__usd_per_hour__gte=A_LIGHT) | Q(metered__unpriced_meters__gt=0))
# A state older than this is not claimed any more.
UNKNOWN_AFTER = timedelta(minutes=15)


@dataclass(frozen=True)
class Burning:
    """usd_per_hour: the sum of what has a price; unpriced: how many resources have a part without one."""

    usd_per_hour: Decimal = Decimal(0)
    lights: int = 0
    unpriced: int = 0

    def __add__(self, other: Burning) -> Burning:
        return Burning(
            self.usd_per_hour + other.usd_per_hour, self.lights + other.lights, self.unpriced + other.unpriced
        )


NOTHING = Burning()


def live(rows: QuerySet[Resource]) -> QuerySet[Resource]:
    """Of these, what AWS was last seen to hold."""
    return rows.filter(closed_at=None).exclude(seen__in=NOT_SEEN)


def is_light(row: Resource, rate: Rate) -> bool:
    return row.seen != STOPPED and rate.is_light


def is_going(row: Resource) -> bool:
    """Somebody or something asked for it already; it is on until AWS shows that it went."""
    if row.wanted == GONE or row.seen == DELETING:
        return True
    return row.wanted == STOPPED and row.seen != STOPPED


def newer(alive: QuerySet[Resource], now: datetime) -> list[tuple[Resource, Burning]]:
    """Those seen in another state than they were last metered in, each with what it burns. One query, or two."""
    rows = list(alive.exclude(CURRENT).defer("params", "wishes"))
    if not rows:
        return []
    book = PriceBook.open(regions={row.region for row in rows})
    rates = [(row, rate_now(row, book, now)) for row in rows]
    return [
        (row, Burning(rate.usd_per_hour, int(is_light(row, rate)), int(bool(rate.unpriced)))) for row, rate in rates
    ]


def burning_by(
    alive: QuerySet[Resource], *keys: str, fresh: Iterable[tuple[Resource, Burning]]
) -> dict[tuple, Burning]:
    """{the values of `keys`: what burns} of live rows; `fresh` is what `newer` answered for them. One query."""
    found: dict[tuple, Burning] = defaultdict(Burning)
    summed = (
        alive.filter(CURRENT)
        .order_by()
        .values(*keys)
        .annotate(
            rate=Sum("metered__usd_per_hour"),
            lights=Count("pk", filter=LIGHT),
            unpriced=Count("pk", filter=Q(metered__unpriced_meters__gt=0)),
        )
    )
    for line in summed:
        one = Burning(line["rate"] or Decimal(0), line["lights"], line["unpriced"])
        found[tuple(line[key] for key in keys)] += one
    for row, one in fresh:
        found[tuple(getattr(row, key) for key in keys)] += one
    return dict(found)


def burning(alive: QuerySet[Resource], now: datetime) -> Burning:
    """What burns in all of these live rows. Two queries; three while something is newer."""
    # "closed_at" is None for all that is live: one group.
    return burning_by(alive, "closed_at", fresh=newer(alive, now)).get((None,), NOTHING)
