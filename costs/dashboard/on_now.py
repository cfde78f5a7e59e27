"""What is on in some scopes, added up once: the spend page, its exposure and the chip of the top bar share the lines.

One pass of the database over the rows that are live: as many as are on now, not as there ever were. The few that it
only counts (newer than their metering, or with no switch of AWS's) are asked for only where there are some.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet, Sum

from costs.dashboard.unbounded import not_armed
from costs.live import CURRENT, LIGHT, NOTHING, UNKNOWN_AFTER, Burning, live, newer
from labs.kinds.base import STOPPED
from labs.models import RUNNING, Resource


@dataclass(frozen=True)
class Line:
    """Of what one person has on in one lab, or in none: what was metered in the state that it is still in.

    armed: of what was made by hand and wanted on, the part that AWS turns off by itself; off_at: when the last of it.
    """

    scope: str
    owner_id: int | None
    launch_id: Any
    burning: Burning
    armed: Burning
    off_at: datetime | None


@dataclass(frozen=True)
class OnNow:
    """fresh: what `live.newer` answers, which is in no line. seen_at: the oldest last look at a light. unknown:
    how many lights were not seen for 15 minutes. has_unarmed: something may be on that AWS would not turn off."""

    scopes: frozenset[str]
    lines: list[Line]
    fresh: list[tuple[Resource, Burning]]
    seen_at: datetime | None
    unknown: int
    has_unarmed: bool

    @property
    def burning(self) -> Burning:
        return sum(self.by_owner().values(), NOTHING)

    def by_owner(self) -> dict[int | None, Burning]:
        """{owner: what burns}, with what is newer than its metering."""
        found: dict[int | None, Burning] = defaultdict(Burning)
        for line in self.lines:
            found[line.owner_id] += line.burning
        for row, one in self.fresh:
            found[row.owner_id] += one
        return dict(found)

    def within(self, scopes: Iterable[str]) -> Burning:
        """Of these scopes."""
        asked = set(scopes)
        found = sum((line.burning for line in self.lines if line.scope in asked), NOTHING)
        return sum((one for row, one in self.fresh if row.scope in asked), found)


def on_now(scopes: Iterable[str], now: datetime) -> OnNow:
    """One query; two or three while a state is newer than its last metering."""
    keys = list(scopes)
    alive = live(Resource.objects.filter(scope__in=keys))
    is_light_unseen = LIGHT & Q(seen_at__lt=now - UNKNOWN_AFTER)
    found = list(
        _summed(alive, now).annotate(
            rows=Count("pk"),
            current=Count("pk", filter=CURRENT),
            oldest=Min("seen_at", filter=LIGHT),
            unknown=Count("pk", filter=is_light_unseen),
            unarmed=Count("pk", filter=not_armed(now)),
        )
    )
    return OnNow(
        scopes=frozenset(keys),
        lines=[_line(one) for one in found if one["current"]],
        fresh=newer(alive, now) if any(one["rows"] > one["current"] for one in found) else [],
        seen_at=min((one["oldest"] for one in found if one["oldest"]), default=None),
        unknown=sum(one["unknown"] for one in found),
        has_unarmed=any(one["unarmed"] for one in found),
    )


def lines_of(alive: QuerySet[Resource], now: datetime) -> list[Line]:
    """Of any live rows. One query."""
    return [_line(one) for one in _summed(alive.filter(CURRENT), now)]


def _summed(alive: QuerySet[Resource], now: datetime) -> QuerySet:
    armed = CURRENT & Q(launch=None, wanted=RUNNING, switch_at__gt=now) & ~Q(seen=STOPPED)
    lacks = CURRENT & Q(metered__unpriced_meters__gt=0)
    return (
        alive.order_by()
        .values("scope", "owner_id", "launch_id")
        .annotate(
            rate=Sum("metered__usd_per_hour", filter=CURRENT),
            lights=Count("pk", filter=CURRENT & LIGHT),
            lacking=Count("pk", filter=lacks),
            armed_rate=Sum("metered__usd_per_hour", filter=armed),
            armed_lacking=Count("pk", filter=lacks & armed),
            off_at=Max("switch_at", filter=armed),
        )
    )


def _line(one: dict[str, Any]) -> Line:
    zero = Decimal(0)
    return Line(
        one["scope"],
        one["owner_id"],
        one["launch_id"],
        Burning(one["rate"] or zero, one["lights"], one["lacking"]),
        Burning(one["armed_rate"] or zero, unpriced=one["armed_lacking"]),
        one["off_at"],
    )
