"""What the Accounts page shows of the price book: how old it is, and what it lacks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count

from costs.dashboard.days import today
from costs.models import Metered, Price, PriceList

OLD_AFTER = 92  # days: AWS changes something every month, and what the course uses about once a year


@dataclass(frozen=True)
class Age:
    """as_of: the day that the book was last made to say what AWS says: of its newest price, or of the newest list of
    AWS's that was read. None for an empty book."""

    as_of: date | None
    days_old: int

    @property
    def is_old(self) -> bool:
        return self.days_old > OLD_AFTER


@dataclass(frozen=True)
class Book:
    """newest: the day on which the newest price was read; None for an empty book. unpriced: resources that are on and
    have a meter without a price."""

    newest: date | None
    days_old: int
    prices: int
    regions: int
    unpriced: int


def price_age(now: datetime, as_of: date | None = None) -> Age:
    """How old the book is, or prices that were read on that day. One query, none with a day."""
    if as_of is None:
        days = Price.objects.order_by().values_list("valid_from").distinct()
        lists = PriceList.objects.order_by().values_list("published_on")
        as_of = max((day for (day,) in days.union(lists)), default=None)
    return Age(as_of, max(0, (today(now) - as_of).days) if as_of else 0)


def price_book(scopes: Iterable[str], now: datetime) -> Book:
    """The book, and what it lacks for what is on in these scopes. Three queries."""
    told = Price.objects.aggregate(prices=Count("pk"), regions=Count("region", distinct=True))
    age = price_age(now)
    lacking = Metered.objects.filter(
        unpriced_meters__gt=0, resource__closed_at=None, resource__scope__in=list(scopes)
    ).count()
    return Book(age.as_of, age.days_old, told["prices"], told["regions"], lacking)
