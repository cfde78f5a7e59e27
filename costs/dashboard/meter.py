"""What ticks: the chip in the top bar, and the meter of one lab."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import OuterRef, Subquery

from costs.budget import exposure_of
from costs.dashboard.on_now import OnNow, on_now
from costs.dashboard.stuck import Stuck
from costs.exposing import Exposure, hours_between
from costs.live import NOTHING, UNKNOWN_AFTER, burning, live
from costs.pricebook import PriceBook
from costs.rates import Rate, rate_now
from labs import blocked, deadman
from labs.models import Launch, Resource, Span


@dataclass(frozen=True)
class MeterChip:
    """How many lights are on, and what they cost an hour together. unpriced: of so many a part has no price."""

    count: int
    usd_per_hour: Decimal
    unpriced: int = 0


def meter_chip(
    *, owner=None, scopes: Iterable[str] | None = None, now: datetime, known: OnNow | None = None
) -> MeterChip:
    """Of a person, or of whole scopes. Two queries; three while a state is newer than its last metering. known: what
    the page around it added up of scopes a moment ago; only of others is asked, and nothing where it has them all."""
    if scopes is not None and known is not None:
        asked = set(scopes)
        others = asked - known.scopes
        found = known.within(asked) + (on_now(others, now).burning if others else NOTHING)
        return MeterChip(found.lights, found.usd_per_hour, found.unpriced)
    rows = Resource.objects.all()
    if owner is not None:
        rows = rows.filter(owner=owner)
    if scopes is not None:
        rows = rows.filter(scope__in=list(scopes))
    found = burning(live(rows), now)
    return MeterChip(found.lights, found.usd_per_hour, found.unpriced)


@dataclass(frozen=True)
class LaunchMeter:
    """The meter of one lab at `now`.

    usd_per_hour: None when a part has no price. summed_usd: the sum of its readings, which never falls. metered_usd:
    that, with every part brought to `until`, the last observation of any part of it; from there on it ticks.
    estimated_usd: what was metered, and of each part its rate since then. exposure: what can still be spent, and what
    ends that. seen_at: the oldest last look; is_unknown: it is too old to be believed. reach: what of it AWS turns off
    when the portal is dead; with anything unarmed what can still be spent is unbounded. stuck: what was asked to go and
    does not. not_accrued: in words, what AWS bills of it that nobody sees live, and is not in these sums. rates:
    {resource: its Rate}.
    """

    usd_per_hour: Decimal | None
    summed_usd: Decimal
    metered_usd: Decimal
    until: datetime | None
    estimated_usd: Decimal
    unpriced_meters: int
    exposure: Exposure
    time_left: timedelta
    time_on: timedelta
    seen_at: datetime | None
    is_unknown: bool
    reach: deadman.Reach = field(default_factory=deadman.Reach)
    stuck: tuple[Stuck, ...] = ()
    not_accrued: tuple[str, ...] = ()
    rates: Mapping[Any, Rate] = field(default_factory=dict)

    @property
    def at_most_more_usd(self) -> Decimal | None:
        """None when a part has no price."""
        return self.exposure.usd


def launch_meter(launch: Launch, now: datetime) -> LaunchMeter:
    """Two queries."""
    state_began = Span.objects.filter(resource=OuterRef("pk"), ended=None).values("began")
    rows = list(
        Resource.objects.filter(launch=launch)
        .select_related("metered")
        .annotate(state_began=Subquery(state_began))
        .order_by("created_at", "key")
    )
    book = PriceBook.open(regions={row.region for row in rows})
    rates = {row.pk: rate_now(row, book, now) for row in rows}
    whole = sum(rates.values(), Rate())
    spent, until = Decimal(0), None
    parts: list[tuple[Decimal, datetime]] = []
    for row in rows:
        metered = getattr(row, "metered", None)
        spent += metered.usd if metered else Decimal(0)
        since = _metered_until(row)
        if since is not None and row.closed_at is None:
            parts.append((rates[row.pk].usd_per_hour, since))
    # What closed is metered to its end: with the last part of that kind gone, the instant does not go back.
    closed = [row.closed_at for row in rows if row.closed_at and getattr(row, "metered", None)]
    if parts:
        until = min(now, max([*(since for _, since in parts), *closed]))
        spent_by_then = spent + sum((rate * _signed_hours(since, until) for rate, since in parts), Decimal(0))
    else:
        until = max(closed, default=None)
        spent_by_then = spent
    is_over = launch.ended_at is not None
    looks = [row.seen_at for row in rows if row.seen_at and row.closed_at is None]
    seen_at = min(looks, default=None)
    return LaunchMeter(
        usd_per_hour=whole.known,
        summed_usd=spent,
        metered_usd=spent_by_then,
        until=until,
        estimated_usd=spent + sum((rate * hours_between(since, now) for rate, since in parts), Decimal(0)),
        unpriced_meters=len(whole.unpriced),
        exposure=exposure_of(launch, whole.known, now),
        time_left=max(launch.expires_at - now, timedelta(0)) if not is_over else timedelta(0),
        time_on=(launch.ended_at or now) - launch.created_at,
        seen_at=seen_at,
        is_unknown=seen_at is not None and now - seen_at > UNKNOWN_AFTER,
        reach=deadman.reach(rows, now),
        stuck=tuple(Stuck(row, rates[row.pk]) for row in rows if blocked.is_blocked_teardown(row)),
        not_accrued=tuple(sorted({str(row.facts["not_accrued"]) for row in rows if row.facts.get("not_accrued")})),
        rates=rates,
    )


def _metered_until(row: Resource) -> datetime | None:
    """From when on the row costs what it costs now: where its meter stands, or a state newer than that. None: never
    seen. What lies between the two is left to the meter, so that the total rather grows than falls when it comes."""
    metered, began = getattr(row, "metered", None), row.state_began  # type: ignore[attr-defined]  # annotated
    known = [at for at in (metered.until if metered else None, began) if at is not None]
    return max(known, default=None)


def _signed_hours(start: datetime, end: datetime) -> Decimal:
    return hours_between(start, end) - hours_between(end, start)
