"""What a resource costs an hour in the state it was last seen in, line by line."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from costs.models import Price
from costs.pricebook import PriceBook
from costs.pricing import usd_per_hour
from labs.kinds import kind_of
from labs.kinds.base import ABSENT, Meter, Seen
from labs.models import Resource

log = logging.getLogger(__name__)

# Below this a table of four decimals shows nothing: an empty bucket is not a light that is on.
A_LIGHT = Decimal("0.0001")


@dataclass(frozen=True)
class Line:
    """One meter with its price; usd_per_hour is None when there is no price."""

    meter: Meter
    price: Price | None
    usd_per_hour: Decimal | None

    @property
    def label(self) -> str:
        return self.meter.label or self.meter.sku


@dataclass(frozen=True)
class Rate:
    """What is known to be paid an hour, and what is unpriced beside it."""

    lines: tuple[Line, ...] = field(default_factory=tuple)

    @property
    def usd_per_hour(self) -> Decimal:
        """The sum of what has a price. Read `unpriced` too: with it, this is only a part."""
        return sum((line.usd_per_hour for line in self.lines if line.usd_per_hour is not None), Decimal(0))

    @property
    def unpriced(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.usd_per_hour is None)

    @property
    def known(self) -> Decimal | None:
        """The rate for a person: None when a part of it is unpriced, never a sum that leaves something out."""
        return None if self.unpriced else self.usd_per_hour

    @property
    def is_light(self) -> bool:
        return bool(self.unpriced) or self.usd_per_hour >= A_LIGHT

    def __add__(self, other: Rate) -> Rate:
        return Rate(self.lines + other.lines)


def meters_of(kind_name: str, seen: Seen) -> list[Meter]:
    """What AWS bills for it in this state; of two meters with one slug, one with the sum of their quantities.

    A kind that cannot say (unknown to this version, or facts are missing) is one meter without a price: loud, not free.
    """
    if seen.state in ("", ABSENT):
        return []
    try:
        meters = kind_of(kind_name).meters(seen)
    except Exception:
        log.warning("%s %s cannot say what it costs", kind_name, seen.aws_id or seen.name, exc_info=True)
        return [Meter(kind_name, "unknown", "unknown", "Hrs", label="what it costs is not known")]
    merged: dict[str, Meter] = {}
    for meter in meters:
        if meter.slug in merged:
            meter = replace(meter, quantity=meter.quantity + merged[meter.slug].quantity)
        merged[meter.slug] = meter
    return list(merged.values())


def rate_of(meters: Iterable[Meter], region: str, book: PriceBook, at: datetime) -> Rate:
    lines = []
    for meter in meters:
        price = book.price_of(meter, region, at)
        lines.append(Line(meter, price, None if price is None else usd_per_hour(meter, price.usd, at)))
    return Rate(tuple(lines))


def rate_now(row: Resource, book: PriceBook, at: datetime) -> Rate:
    """Of a row as it was last seen. Nothing for a row that is closed or was never seen."""
    if row.closed_at is not None:
        return Rate()
    seen = Seen(row.seen, row.aws_id, row.name, row.seen_since, row.facts)
    return rate_of(meters_of(row.kind, seen), row.region, book, at)
