"""Spend per UTC day, from DailySpend."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.db.models import QuerySet, Sum

from costs.exposing import hours_between
from costs.models import DailySpend

TYPICAL_DAYS = 14


@dataclass(frozen=True)
class DaySpend:
    """One UTC day: {service: USD}."""

    day: date
    by_service: Mapping[str, Decimal]
    unpriced_seconds: int = 0

    @property
    def total(self) -> Decimal:
        return sum(self.by_service.values(), Decimal(0))


def today(now: datetime) -> date:
    return now.astimezone(UTC).date()


def bounds(day: date) -> tuple[datetime, datetime]:
    """From when to when a UTC day is; the end is not in it."""
    begins = datetime.combine(day, time(), UTC)
    return begins, begins + timedelta(days=1)


def month(now: datetime) -> date:
    """The first of the UTC month, as AWS bills."""
    return today(now).replace(day=1)


def last_days(now: datetime, number: int) -> list[date]:
    """So many days up to today."""
    return [today(now) - timedelta(days=back) for back in range(number - 1, -1, -1)]


def by_day(spend: QuerySet[DailySpend], first: date | None, now: datetime) -> list[DaySpend]:
    """Every day from `first` (None: from the first with spend) to today, also those without spend. One query."""
    spent: dict[date, dict[str, Decimal]] = defaultdict(dict)
    unpriced: dict[date, int] = defaultdict(int)
    lines = (spend.filter(day__gte=first) if first else spend).order_by().values("day", "service")
    for line in lines.annotate(total=Sum("usd"), gap=Sum("unpriced_seconds")):
        spent[line["day"]][line["service"]] = line["total"] or Decimal(0)
        unpriced[line["day"]] += line["gap"] or 0
    first = first or min(spent, default=today(now))
    days = [first + timedelta(days=n) for n in range((today(now) - first).days + 1)]
    return [DaySpend(day, spent.get(day, {}), unpriced[day]) for day in days]


def services_of(days: Iterable[DaySpend]) -> list[tuple[str, Decimal]]:
    """[(service, USD over these days)], the dearest first."""
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for day in days:
        for service, usd in day.by_service.items():
            totals[service] += usd
    return sorted(totals.items(), key=lambda pair: (-pair[1], pair[0]))


def projected(spent: Decimal, days: list[DaySpend], ends_at: datetime | None, now: datetime) -> Decimal | None:
    """What it comes to by `ends_at` if days go on as the typical one of the last whole days. None without an end."""
    if ends_at is None or ends_at <= now:
        return None
    return spent + typical_day(days) * hours_between(now, ends_at) / 24


def typical_day(days: list[DaySpend]) -> Decimal:
    """The mean of the last whole days without the dearest fifth of them: a night on which something was forgotten is no
    typical day. Today, which is not over, does not count."""
    whole = sorted(day.total for day in days[:-1][-TYPICAL_DAYS:])
    kept = whole[: len(whole) - -(-len(whole) // 5)]
    return sum(kept, Decimal(0)) / len(kept) if kept else Decimal(0)


def since_first_spend(days: list[DaySpend], at_least: int = 7) -> list[DaySpend]:
    """Without the empty days in front, but never fewer than these."""
    first = next((number for number, day in enumerate(days) if day.by_service), len(days))
    return days[min(first, max(0, len(days) - at_least)) :]
