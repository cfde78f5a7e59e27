"""What was seen -> readings. Metered is what was observed, never further; and never the same second twice.

Each batch is one transaction that holds its rows of `Metered`: two meters at once take turns, or leave rows to each
other. Readings, the row's sum and the day's sum are written together or not at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q

from costs.kinds import cost_service
from costs.models import DailySpend, Metered, Reading
from costs.pricebook import PriceBook
from costs.pricing import accrue, days
from costs.rates import meters_of, rate_of
from labs.kinds.base import Meter, Seen
from labs.models import Resource, Span

BATCH = 500
NEEDED = [
    "account",
    "region",
    "kind",
    "launch",
    "owner",
    "scope",
    "name",
    "aws_id",
    "created_at",
    "seen_at",
    "closed_at",
]
SUMS = ("until", "span", "usd", "unpriced_seconds", "usd_per_hour", "unpriced_meters")


def meter(now: datetime, resources: Iterable[Resource] | None = None) -> int:
    """Append readings up to the last observation of every row that is due, or of these. Answers how many.

    A row is due when it was seen settings.METER_EVERY after it was last metered, and at once when its state, its facts
    or its life ended. What AWS tells late changes only what was not metered yet: no total ever falls.
    """
    if resources is None:
        # By account, so that a batch adds to few lines of DailySpend, and not to every student's.
        ids = list(_due().order_by("account", "pk").values_list("pk", flat=True))
    else:
        ids = [row.pk for row in sorted(resources, key=lambda row: (row.account_id, row.pk))]
    if not ids:
        return 0
    book = PriceBook.open()
    return sum(_meter_batch(ids[at : at + BATCH], book, now) for at in range(0, len(ids), BATCH))


def _due():
    turned = Span.objects.filter(resource=OuterRef("pk"), ended=None).exclude(pk=OuterRef("metered__span"))
    ended = Span.objects.filter(resource=OuterRef("pk"), ended__gt=OuterRef("metered__until"))
    is_open = Q(closed_at=None) & (
        Q(seen_at__gte=F("metered__until") + settings.METER_EVERY)
        | Q(metered__span=None)
        | Q(Exists(turned))
        | Q(Exists(ended))
    )
    return Resource.objects.exclude(seen_at=None).filter(
        Q(metered=None) | is_open | Q(closed_at__gt=F("metered__until"))
    )


class _Day(NamedTuple):
    """What a line of DailySpend is a sum of."""

    day: date
    account: int
    owner: int | None
    scope: str
    service: str
    region: str


@dataclass
class _Sum:
    usd: Decimal = Decimal(0)
    unpriced_seconds: int = 0

    def add(self, reading: Reading) -> None:
        if reading.usd is None:
            self.unpriced_seconds += _seconds(reading)
        else:
            self.usd += reading.usd


@dataclass
class _Batch:
    readings: list[Reading] = field(default_factory=list)
    metered: list[Metered] = field(default_factory=list)
    by_day: dict[_Day, _Sum] = field(default_factory=lambda: defaultdict(_Sum))


def _meter_batch(ids: list, book: PriceBook, now: datetime) -> int:
    with transaction.atomic():
        rows = (
            Resource.objects.filter(pk__in=ids)
            .exclude(seen_at=None)
            .annotate(known_since=F("account__created_at"), metered_until=F("metered__until"))
            .only(*NEEDED)
            .in_bulk()
        )
        spans: dict[Any, list[Span]] = defaultdict(list)
        for span in Span.objects.filter(resource__in=rows).order_by("began", "pk"):
            spans[span.resource_id].append(span)
        batch = _Batch()
        for metered in _held(rows, spans):
            _meter_row(rows[metered.resource_id], spans[metered.resource_id], metered, book, now, batch)
        Reading.objects.bulk_create(batch.readings, batch_size=BATCH)
        Metered.objects.bulk_create(
            batch.metered, update_conflicts=True, unique_fields=["resource"], update_fields=SUMS, batch_size=BATCH
        )
        _add_up(batch.by_day)
    return len(batch.readings)


def add(row: Resource, metered: Metered, readings: list[Reading]) -> None:
    """Add readings of this row that were written in this transaction to its sum and the days'. metered: held."""
    if not readings:
        return
    total, by_day = _Sum(), defaultdict(_Sum)  # type: ignore[var-annotated]
    for one in readings:
        total.add(one)
        day = one.start.astimezone(UTC).date()
        by_day[_Day(day, row.account_id, row.owner_id, row.scope, one.service, row.region)].add(one)
    Metered.objects.filter(pk=metered.pk).update(
        usd=F("usd") + total.usd, unpriced_seconds=F("unpriced_seconds") + total.unpriced_seconds
    )
    _add_up(by_day)


def _held(rows: dict, spans: dict) -> Iterable[Metered]:
    """The rows of Metered, held until the transaction ends; those that another meter holds are left to it."""
    # In one order, so that two meters never wait for each other.
    new = sorted(pk for pk, row in rows.items() if row.metered_until is None)
    begin = [Metered(resource_id=pk, until=_first_instant(rows[pk], spans[pk])) for pk in new]
    Metered.objects.bulk_create(begin, ignore_conflicts=True, batch_size=BATCH)
    held = Metered.objects.filter(resource__in=rows).order_by("resource")
    if connection.features.has_select_for_update_skip_locked:
        held = held.select_for_update(skip_locked=True)
    return held


def _first_instant(row: Resource, spans: list[Span]) -> datetime:
    began = spans[0].began if spans else row.seen_at or row.created_at
    # What ran before its account was known here is nobody's spend of ours.
    return max(began, row.known_since) if row.is_made_by_hand else began  # type: ignore[attr-defined]  # annotated


def _meter_row(
    row: Resource, spans: list[Span], metered: Metered, book: PriceBook, now: datetime, batch: _Batch
) -> None:
    until, total = metered.until, _Sum()
    current = None
    service = cost_service(row.kind)
    for span, end, meters in _stretches(row, spans, now):
        start = max(span.began, until)
        for meter, began in meters:
            for one, stop in days(start, end):
                reading = _read(row, meter, service, began, one, stop, book)
                if reading is None:
                    continue
                batch.readings.append(reading)
                total.add(reading)
                day = _Day(one.astimezone(UTC).date(), row.account_id, row.owner_id, row.scope, service, row.region)
                batch.by_day[day].add(reading)
        metered.until = max(metered.until, end)
        current = span if span.ended is None else None
    if row.closed_at is not None:
        # Nothing follows: the row is never due again.
        metered.until = max(metered.until, row.closed_at)
        current = None
    metered.usd += total.usd
    metered.unpriced_seconds += total.unpriced_seconds
    rate = rate_of(_meters(row, current), row.region, book, metered.until)
    metered.span, metered.usd_per_hour, metered.unpriced_meters = current, rate.usd_per_hour, len(rate.unpriced)
    batch.metered.append(metered)


def _stretches(
    row: Resource, spans: list[Span], now: datetime
) -> Iterator[tuple[Span, datetime, list[tuple[Meter, datetime]]]]:
    """(span, how far it was observed, [(meter, since when it is on without a break)]) in the order of time.

    A meter that goes on from one span into the next did not begin anew: its 60 s minimum and its started hour were
    billed already.
    """
    going_on: dict[str, tuple[Meter, datetime]] = {}
    ended_at: datetime | None = None
    for span in spans:
        end = min(span.ended or row.seen_at or span.began, now)
        meters = []
        for meter in _meters(row, span):
            before, began = going_on.get(meter.slug, (None, span.began))
            meters.append((meter, began if before == meter and ended_at == span.began else span.began))
        yield span, end, meters
        going_on, ended_at = {meter.slug: (meter, began) for meter, began in meters}, span.ended


def _meters(row: Resource, span: Span | None) -> list[Meter]:
    if span is None:
        return []
    return meters_of(row.kind, Seen(span.state, row.aws_id, row.name, span.began, span.facts))


def _read(
    row: Resource, meter: Meter, service: str, began: datetime, start: datetime, end: datetime, book: PriceBook
) -> Reading | None:
    price = book.price_of(meter, row.region, start)
    accrued = accrue(meter, price.usd if price else None, began, start, end)
    if not accrued.quantity:
        return None  # within a minimum or a started hour that is already billed
    return Reading(
        resource_id=row.pk,
        meter=meter.slug,
        service=service,
        start=start,
        end=end,
        quantity=accrued.quantity,
        unit=meter.unit,
        rate=price.usd if price else None,
        usd=accrued.usd,
        price_id=price.pk if price else None,
    )


def _seconds(reading: Reading) -> int:
    return int((reading.end - reading.start).total_seconds())


def _add_up(by_day: dict[_Day, _Sum]) -> None:
    """Add to DailySpend. Its lines are locked in one order, so that two meters never wait for each other."""
    if not by_day:
        return
    DailySpend.objects.bulk_create(
        [
            DailySpend(
                day=key.day,
                account_id=key.account,
                owner_id=key.owner,
                scope=key.scope,
                service=key.service,
                region=key.region,
            )
            for key in sorted(by_day, key=str)
        ],
        ignore_conflicts=True,
        batch_size=BATCH,
    )
    lines = DailySpend.objects.filter(
        day__in={key.day for key in by_day}, account__in={key.account for key in by_day}
    ).order_by("pk")
    changed = []
    for line in lines.select_for_update():
        key = _Day(line.day, line.account_id, line.owner_id, line.scope, line.service, line.region)
        if key in by_day:
            line.usd += by_day[key].usd
            line.unpriced_seconds += by_day[key].unpriced_seconds
            changed.append(line)
    DailySpend.objects.bulk_update(changed, ["usd", "unpriced_seconds"], batch_size=BATCH)
