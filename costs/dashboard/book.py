"""What the Accounts page shows of money: the price book's age, and what each mode of account has cost this month."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Count, Max, Sum

from costs.dashboard.days import month, today
from costs.models import DailySpend, Metered, Price


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


def spent_by_mode(scopes: Iterable[str], now: datetime) -> dict[str, Decimal]:
    """{mode of account: USD this month}. One query."""
    spent = DailySpend.objects.filter(scope__in=list(scopes), day__gte=month(now)).order_by()
    return {line["account__mode"]: line["total"] for line in spent.values("account__mode").annotate(total=Sum("usd"))}
