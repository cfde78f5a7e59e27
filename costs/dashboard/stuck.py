"""What was asked to go and does not: it costs on, and only a person gets it out of the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from costs.kinds import title_of
from costs.pricebook import PriceBook
from costs.rates import Rate, rate_now
from labs import blocked
from labs.decide import GONE
from labs.models import Resource


@dataclass(frozen=True)
class Stuck:
    """One blocked teardown with what it costs an hour as it was last seen."""

    row: Resource
    rate: Rate

    @property
    def title(self) -> str:
        return title_of(self.row.kind)

    @property
    def name(self) -> str:
        return self.row.name or self.row.aws_id

    @property
    def why(self) -> str:
        return self.row.blocked_why

    @property
    def to_do(self) -> str:
        return blocked.advice(self.row)


def stuck_in(scopes: Iterable[str], now: datetime) -> list[Stuck]:
    """Those of whole scopes, the dearest first and the unpriced before them. One query; two when there are any."""
    rows = list(
        Resource.objects.blocked()
        .filter(scope__in=list(scopes), wanted=GONE)
        .select_related("owner", "launch", "account")
    )
    if not rows:
        return []
    book = PriceBook.open(regions={row.region for row in rows})
    found = [Stuck(row, rate_now(row, book, now)) for row in rows]
    return sorted(found, key=lambda one: (one.rate.known is not None, -one.rate.usd_per_hour, one.name))
