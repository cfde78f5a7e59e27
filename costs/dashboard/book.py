"""What the Accounts page shows of the price book: how old it is, and what it lacks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Max

from costs.dashboard.days import today
from costs.models import Metered, Price


@dataclass(frozen=True)
class Book:
    """newest: the day on which the newest price was read; None for an empty book. unpriced: resources that are on and
    have a meter without a price."""

    newest: date | None
    days_old: int
    prices: int
    regions: int
    unpriced: int


def price_book(scopes: Iterable[str], now: datetime) -> Book:
    """The book, and what it lacks for what is on in these scopes. Two queries."""
    told = Price.objects.aggregate(newest=Max("valid_from"), prices=Count("pk"), regions=Count("region", distinct=True))
    newest = told["newest"]
    lacking = Metered.objects.filter(
        unpriced_meters__gt=0, resource__closed_at=None, resource__scope__in=list(scopes)
    ).count()
    return Book(newest, (today(now) - newest).days if newest else 0, told["prices"], told["regions"], lacking)
