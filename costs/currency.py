"""A cohort's own money beside US dollars: at one rate with a date, converted to show, and never summed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from django.utils.translation import gettext as _

from costs import kept
from costs.dashboard.days import today
from costs.models import ExchangeRate, Scope

# Of these nobody pays a hundredth.
WHOLE = {"IDR", "JPY", "KHR", "KRW", "LAK", "MMK", "VND"}


@dataclass(frozen=True)
class Rate:
    """So many of a currency for one US dollar, on a day."""

    currency: str
    per_usd: Decimal
    on: date
    source: str = ""

    @property
    def figure(self) -> str:
        """1.29, not 1.290000."""
        return f"{self.per_usd.normalize():,f}"

    def shown(self, usd: Decimal) -> str:
        """An amount as "SGD 0.07"; what is not nothing is never 0."""
        least = Decimal(1) if self.currency in WHOLE else Decimal("0.01")
        amount = (usd * self.per_usd).quantize(least, ROUND_HALF_UP)
        if not amount and usd > 0:
            return _("under %(amount)s") % {"amount": f"{self.currency} {least}"}
        return f"-{self.currency} {-amount:,}" if amount < 0 else f"{self.currency} {abs(amount):,}"


def rate_of(currency: str, now: datetime) -> Rate | None:
    """The latest rate known on the UTC day of `now`; None for USD, for '' and where nobody entered one. One query."""
    if currency in ("", "USD"):
        return None
    found = ExchangeRate.objects.filter(currency=currency, on__lte=today(now)).order_by("-on").first()
    return Rate(found.currency, found.per_usd, found.on, found.source) if found else None


def shared_rate(scopes: Iterable[Scope], now: datetime) -> Rate | None:
    """The rate of the one currency that all of these scopes have; None when they have none, or not the same: amounts of
    both would stand in one sum. One query, none without a currency."""
    currencies = {scope.currency for scope in scopes}
    return rate_of(currencies.pop(), now) if len(currencies) == 1 else None


def enter(currency: str, per_usd: Decimal, on: date, source: str = "") -> ExchangeRate:
    """Keep a rate; one of the same day is corrected. Raises ValueError for what cannot be one."""
    currency = currency.upper()
    if len(currency) != 3 or not currency.isascii() or not currency.isalpha() or currency == "USD":
        raise ValueError(f"{currency} is no currency to convert to: write its three letters, such as SGD")
    if not per_usd.is_finite() or not Decimal("0.000001") <= per_usd < Decimal(10) ** 10:
        raise ValueError(f"{per_usd} is no rate: write how many {currency} a US dollar is")
    rate, _ = ExchangeRate.objects.update_or_create(
        currency=currency, on=on, defaults={"per_usd": per_usd, "source": source}
    )
    kept.forget()
    return rate
