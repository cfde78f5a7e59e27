"""What AWS bills by the piece, such as calls of functions: counted by CloudWatch, asked for once an hour, metered once.

Each reading is of one window, from where the last one ended to some minutes ago: CloudWatch's counts come late, and a
window does not cross the end of a UTC day. The windows of a row follow each other under its lock in Metered.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from django.db import transaction
from django.db.models import F, Q

from costs import activity, metering
from costs.activity import PERIOD, SECONDS_A_RUN
from costs.kinds import cost_service
from costs.models import Metered, Reading
from costs.pricebook import PriceBook
from costs.pricing import TEN_PLACES
from labs import aws
from labs.kinds import kind_of, registry
from labs.kinds.base import Counted, Kind, Seen
from labs.models import Account, Resource

log = logging.getLogger(__name__)

EVERY = timedelta(hours=1)  # a metric that is asked for costs $0.00001
LATE = timedelta(minutes=10)  # by when CloudWatch has told what it counted
KEPT = timedelta(days=2)  # for so long after its end the last of a resource is asked for


def count(now: datetime) -> int:
    """Meter what was counted since the last time of every resource that is due. Answers how many readings were made; a
    place that does not answer has its turn again."""
    by_place: dict[tuple[Account, str], list[Resource]] = defaultdict(list)
    for row in _due(now).select_related("account", "metered"):
        by_place[row.account, row.region].append(row)
    made, end = 0, time.monotonic() + SECONDS_A_RUN
    for (account, region), rows in by_place.items():
        if time.monotonic() > end:
            break
        made += _count_in(account, region, rows, now)
    return made


def _kinds() -> list[str]:
    return [name for name, kind in registry().items() if type(kind).counted is not Kind.counted]


def _due(now: datetime):
    rows = Resource.objects.filter(kind__in=_kinds(), account__is_open=True, metered__isnull=False)
    begun = Q(metered__counted_until=None, first_seen_at__lte=now - EVERY)
    again = Q(metered__counted_until__lte=now - EVERY - LATE)
    at_its_end = Q(closed_at__gt=now - KEPT, closed_at__lte=now - LATE) & (
        Q(metered__counted_until=None) | Q(metered__counted_until__lt=F("closed_at"))
    )
    return rows.filter((Q(closed_at=None) & (begun | again)) | at_its_end)


def _window(row: Resource, now: datetime) -> tuple[datetime, datetime]:
    """From where the last one ended to some minutes ago, in CloudWatch's periods, within one UTC day."""
    since = row.metered.counted_until or _floor(row.first_seen_at or row.created_at)
    until = _floor(now - LATE)
    if row.closed_at is not None:
        until = min(until, _floor(row.closed_at) + timedelta(seconds=PERIOD))
    midnight = datetime.combine(since.astimezone(UTC).date() + timedelta(days=1), datetime.min.time(), UTC)
    return since, min(until, midnight)


def _floor(at: datetime) -> datetime:
    return datetime.fromtimestamp(at.timestamp() // PERIOD * PERIOD, UTC)


def _count_in(account: Account, region: str, rows: list[Resource], now: datetime) -> int:
    book, made = PriceBook.open(regions=[region]), 0
    windows: dict[tuple[datetime, datetime], list[Resource]] = defaultdict(list)
    for row in rows:
        since, until = _window(row, now)
        if since < until:
            windows[since, until].append(row)
    for (since, until), these in windows.items():
        asked = [(row, one, dimensions) for row in these for one, dimensions in _counted(row)]
        try:
            told = activity.ask(account, region, [(one.signal, at) for _, one, at in asked], since, until)
        except Exception as error:
            log.warning("nothing was counted of %s in %s: %s", account, region, aws.sorted_trouble(error))
            return made
        found: dict[Resource, dict[Counted, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for (row, one, _), values in zip(asked, told, strict=True):
            found[row][one] += sum((Decimal(str(value)) for value in values), Decimal(0))
        made += sum(_meter(row, found[row], since, until, book) for row in these)
    return made


def _counted(row: Resource) -> Iterable[tuple[Counted, dict[str, str]]]:
    kind, seen = kind_of(row.kind), Seen(row.seen, row.aws_id, row.name, row.seen_since, row.facts)
    for one in kind.counted(seen):
        for dimensions in kind.dimensions(one.signal, seen):
            yield one, dimensions


@transaction.atomic
def _meter(row: Resource, sums: dict[Counted, Decimal], since: datetime, until: datetime, book: PriceBook) -> int:
    """Append what was counted in this window, unless another worker did."""
    kept = Metered.objects.select_for_update().get(resource=row.pk)
    if kept.counted_until != row.metered.counted_until:
        return 0
    service, readings = cost_service(row.kind), []
    for one, summed in sums.items():
        if not summed:
            continue
        price = book.price_of(one.meter, row.region, since)
        quantity = (summed * one.each).quantize(TEN_PLACES, ROUND_HALF_EVEN)
        readings.append(
            Reading(
                resource=row,
                meter=one.meter.slug,
                service=service,
                start=since,
                end=until,
                quantity=quantity,
                unit=one.meter.unit,
                rate=price.usd if price else None,
                usd=(summed * one.each * price.usd).quantize(TEN_PLACES, ROUND_HALF_EVEN) if price else None,
                price=price,
            )
        )
    Reading.objects.bulk_create(readings)
    metering.add(row, kept, readings)
    Metered.objects.filter(pk=kept.pk).update(counted_until=until)
    return len(readings)
