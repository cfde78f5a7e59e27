"""The price book: list prices with where and when they were read. What is not in it is unpriced, and said aloud.

`manage.py load_prices` fills it from costs/prices/prices.csv. Wrong there? Correct the line, or add one with a later
as_of: readings keep the rate they were made with.
"""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from django.utils.translation import gettext_lazy

from costs.models import Price
from labs.kinds.base import Meter

SHIPPED = Path(__file__).parent / "prices" / "prices.csv"

# SageMaker bills notebook, training and hosting on lines of their own. Where the book has only one line for the
# instance in that region, that line counts, with its own lower confidence. Another region never does.
SAGEMAKER_LINES = ("notebook", "hosting", "training", "processing", "studio", "transform")
SAGEMAKER_STANDS_IN = ("ml-instance", "derived")

HOME_REGION = "us-east-1"  # the course's own

# How sure a price is, in words for a person.
CONFIDENCE = {
    "list": gettext_lazy("AWS list price"),
    "quoted": gettext_lazy("quoted from AWS by others"),
    "indicative": gettext_lazy("indicative: it moves by the hour"),
    "derived": gettext_lazy("derived from the EC2 price: AWS's own may differ"),
    "unofficial": gettext_lazy("from an unofficial table"),
}


class BadPriceFile(ValueError):
    """A line of the file that cannot be a price: says which line, which column and why."""


class PriceBook:
    """Prices in memory: one query to open, none to ask. Open one for a page or a batch, and let go of it."""

    def __init__(self, prices: Iterable[Price]):
        self._lines: dict[tuple[str, str, str, str, str], list[Price]] = {}
        for price in prices:
            at = (price.service, price.kind, price.sku, price.unit, price.region)
            self._lines.setdefault(at, []).append(price)
        for line in self._lines.values():
            line.sort(key=lambda price: price.valid_from)

    @classmethod
    def open(cls, services: Iterable[str] | None = None, regions: Iterable[str] | None = None) -> PriceBook:
        prices = Price.objects.all()
        if services is not None:
            prices = prices.filter(service__in=set(services))
        if regions is not None:
            prices = prices.filter(region__in=set(regions))
        return cls(prices)

    def price_of(self, meter: Meter, region: str, at: datetime) -> Price | None:
        """The price of the meter in exactly this region, as known on the day of `at`; None when there is none.

        The latest one read on or before that day counts; before the first, the first. Never another region's, and
        never another unit's.
        """
        line = self._lines.get((meter.service, meter.kind, meter.sku, meter.unit, region))
        if line is None and meter.service == "SageMaker" and meter.kind in SAGEMAKER_LINES:
            line = next(
                (
                    self._lines[found]
                    for kind in SAGEMAKER_STANDS_IN
                    if (found := ("SageMaker", kind, meter.sku, meter.unit, region)) in self._lines
                ),
                None,
            )
        if line is None:
            return None
        return line[max(0, bisect_right(line, at.astimezone(UTC).date(), key=lambda price: price.valid_from) - 1)]

    def regions_of(self, service: str) -> list[str]:
        """The regions in which anything of the service has a price; where labs run by default first."""
        found = {region for of, _, _, _, region in self._lines if of == service}
        return sorted(found, key=lambda region: (region != HOME_REGION, region))

    def skus_of(self, service: str, kind: str) -> set[str]:
        """What of this kind has a price anywhere: the types of instances."""
        return {sku for of, what, sku, _, _ in self._lines if (of, what) == (service, kind)}


def price_of(meter: Meter, region: str, at: datetime) -> Price | None:
    """One price, by one query. For many, open a PriceBook."""
    return PriceBook.open([meter.service], [region]).price_of(meter, region, at)


def load(path: Path = SHIPPED) -> tuple[int, int]:
    """Make the book say what the file says: (new, corrected). Idempotent; prices that are not in the file stay.

    Raises BadPriceFile, and then nothing was changed.
    """
    wanted = list(read(path))
    known = {_line_of(price): price for price in Price.objects.all()}
    new = [price for price in wanted if _line_of(price) not in known]
    corrected = []
    for price in wanted:
        old = known.get(_line_of(price))
        if old and (old.usd, old.confidence, old.source) != (price.usd, price.confidence, price.source):
            old.usd, old.confidence, old.source = price.usd, price.confidence, price.source
            corrected.append(old)
    # Two processes may start at once: what the other one wrote is what we would have written.
    Price.objects.bulk_create(new, batch_size=500, ignore_conflicts=True)
    Price.objects.bulk_update(corrected, ["usd", "confidence", "source"], batch_size=500)
    return len(new), len(corrected)


def _line_of(price: Price) -> tuple:
    return price.service, price.kind, price.sku, price.region, price.unit, price.valid_from


def read(path: Path) -> Iterable[Price]:
    """The prices of a file, not saved. Raises BadPriceFile at the first line that cannot be one."""
    seen: dict[tuple, int] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            price = _parsed(path, number, row)
            if _line_of(price) in seen:
                first = seen[_line_of(price)]
                raise BadPriceFile(f"{path.name}, line {number}: the same price as in line {first}")
            seen[_line_of(price)] = number
            yield price


def _parsed(path: Path, number: int, row: dict[str, str]) -> Price:
    for column in ("service", "kind", "sku", "region", "unit", "usd", "as_of", "confidence", "source"):
        if not row.get(column):
            raise BadPriceFile(f"{path.name}, line {number}: {column} is missing")
    try:
        usd = Decimal(row["usd"])
    except InvalidOperation:
        usd = Decimal("NaN")
    if not usd.is_finite() or usd < 0:
        raise BadPriceFile(f"{path.name}, line {number}: usd is {row['usd']!r}, not an amount")
    if row["confidence"] not in CONFIDENCE:
        raise BadPriceFile(f"{path.name}, line {number}: confidence is {row['confidence']!r}")
    try:
        # "2024" and "2024-07" are read as their first day.
        valid_from = date.fromisoformat((row["as_of"] + "-01-01")[:10])
    except ValueError:
        raise BadPriceFile(f"{path.name}, line {number}: as_of is {row['as_of']!r}, not a day") from None
    return Price(
        service=row["service"],
        kind=row["kind"],
        sku=row["sku"],
        region=row["region"],
        unit=row["unit"],
        usd=usd,
        valid_from=valid_from,
        confidence=row["confidence"],
        source=row["source"],
    )
