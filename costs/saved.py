"""What was saved by what went off by itself, read from what `costs/saving.py` noted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext_lazy

from costs.exposing import hours_between
from costs.kinds import title_of
from costs.models import TurnedOff

BY = {
    "policy": gettext_lazy("the cohort’s policy"),
    "clock": gettext_lazy("its lab’s clock"),
    "budget": gettext_lazy("a budget"),
    "lights-out": gettext_lazy("Lights out"),
}


def saved_usd(
    usd_per_hour: Decimal, off_at: datetime, until: datetime, now: datetime, on_again_at: datetime | None = None
) -> Decimal:
    """USD, from off_at to the first of until, now and on_again_at. Never negative."""
    return max(usd_per_hour, Decimal(0)) * hours_between(off_at, min(filter(None, (until, now, on_again_at))))


@dataclass(frozen=True)
class Saved:
    """One thing that went off by itself. usd: None when a part of it had no price."""

    turned_off: TurnedOff
    counted_to: datetime
    usd: Decimal | None

    @property
    def name(self) -> str:
        return self.turned_off.resource.name or self.turned_off.resource.aws_id

    @property
    def title(self) -> str:
        return title_of(self.turned_off.resource.kind)

    @property
    def is_practice(self) -> bool:
        return not self.turned_off.resource.account.is_real

    @property
    def by(self) -> str:
        return str(BY.get(self.turned_off.by, self.turned_off.by))


@dataclass(frozen=True)
class SavedSoFar:
    """The most first, the unpriced last."""

    lines: list[Saved]

    @property
    def usd(self) -> Decimal:
        return sum((one.usd for one in self.lines if one.usd is not None), Decimal(0))

    @property
    def unpriced(self) -> int:
        return sum(one.usd is None for one in self.lines)

    @property
    def practice_usd(self) -> Decimal:
        """Of `usd`, what nobody would have been billed for: it was simulated."""
        return sum((one.usd for one in self.lines if one.usd is not None and one.is_practice), Decimal(0))


def saved_in(scopes: Iterable[str], now: datetime, *, since: datetime | None = None) -> SavedSoFar:
    """What was turned off in these scopes, since then or ever. One query."""
    rows = TurnedOff.objects.filter(scope__in=list(scopes), off_at__lte=now)
    if since is not None:
        rows = rows.filter(off_at__gte=since)
    lines = []
    for one in rows.select_related("resource__owner", "resource__account"):
        to = min(filter(None, (one.until, now, one.on_again_at)))
        rate = one.usd_per_hour
        usd = None if rate is None else saved_usd(rate, one.off_at, one.until, now, one.on_again_at)
        lines.append(Saved(one, to, usd))
    lines.sort(key=lambda one: (one.usd is None, -(one.usd or 0), one.name))
    return SavedSoFar(lines)
