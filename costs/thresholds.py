"""PURE. How far a budget is used up, and what that means: told, no new labs, stopped, deleted.

Each act has its percentage of the budget, or never happens. Stopping and deleting wait until it was told, and for a
grace time after that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

# How far it has gone; kept in Alert.level, so that a rise is told anew. Never renumbered.
WITHIN, TOLD, BLOCKED, STOPS, DELETES = 0, 1, 2, 3, 4
IN_WORDS = {
    WITHIN: _("within"),
    TOLD: _("near"),
    BLOCKED: _("no new labs"),
    STOPS: _("stops"),
    DELETES: _("deletes"),
}

STOP, DELETE = "stop", "delete"


@dataclass(frozen=True)
class Thresholds:
    """Percentages of the budget at which something happens; None: it never does. grace: between telling and turning
    off."""

    tell: int | None = 80
    block: int | None = 100
    stop: int | None = 100
    delete: int | None = None
    grace: timedelta = timedelta(hours=2)

    def level(self, spent: Decimal, usd: Decimal) -> int:
        """The furthest act whose percentage is reached. Of a budget of nothing, nothing spent is all of it."""
        reached = [WITHIN]
        for level, percent in ((TOLD, self.tell), (BLOCKED, self.block), (STOPS, self.stop), (DELETES, self.delete)):
            if percent is not None and spent >= share(usd, percent):
                reached.append(level)
        return max(reached)

    def limit(self, usd: Decimal) -> Decimal | None:
        """Up to where labs may be started; None: this budget keeps nobody from it."""
        return None if self.block is None else share(usd, self.block)

    def stops_at(self, usd: Decimal) -> Decimal | None:
        """From where on what is on is turned off, after the grace time; None: never."""
        ends = [share(usd, percent) for percent in (self.stop, self.delete) if percent is not None]
        return min(ends, default=None)


DEFAULT = Thresholds()


def share(usd: Decimal, percent: int) -> Decimal:
    return usd * percent / 100


def acts_at(level: int, told_at: datetime | None, grace: timedelta) -> datetime | None:
    """When what this level announces is done. None while nobody was told, or where the level announces nothing."""
    if level < STOPS or told_at is None:
        return None
    return told_at + grace


def act_of(level: int, told_at: datetime | None, grace: timedelta, now: datetime) -> str:
    """STOP, DELETE, or '' while it is too soon, or for nothing: first it is told, and a grace time later it is done."""
    at = acts_at(level, told_at, grace)
    if at is None or at > now:
        return ""
    return DELETE if level >= DELETES else STOP


def comes_to(spent: Decimal, labs_usd: Decimal, by_hand_rate: Decimal, hours: Decimal) -> Decimal:
    """What was spent, and what is on: labs to the end of their clocks, what was made by hand for so many hours more."""
    return spent + labs_usd + by_hand_rate * hours


def is_ahead(spent: Decimal, comes_to: Decimal, usd: Decimal) -> bool:
    """Not used up yet, and it will be by what is on."""
    return spent < usd < comes_to
