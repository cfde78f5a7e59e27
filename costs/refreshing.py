"""The price book, made to say what AWS's price list says. A change of price is a new line from its day on: what was
spent keeps the rate that it was spent at.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction

from costs.models import Metered, Price, PriceList
from costs.offers import BadOffer, Head, answered, read
from costs.price_lines import LINES, why_not_listed
from costs.price_list import Key, Listed, Reading, asked, offers
from costs.rates import meters_of
from labs import aws
from labs.kinds.base import Seen

# Machines of EC2 are those of EMR and Batch too; SageMaker's are the same for all that it bills.
SAME_TYPES = {"EMR": "EC2"}


@dataclass(frozen=True)
class Change:
    """A line that AWS's list adds, or has at another price. old: what the book said; None where it said nothing."""

    price: Price
    old: Price | None
    offer: str

    def __str__(self):
        was = f"${self.old.short} ({self.old.confidence}, {self.old.valid_from})" if self.old else "not known"
        return (
            f"{self.price.service} {self.price.kind} {self.price.sku}, {self.price.region}: {was} -> "
            f"${self.price.short} per {self.price.unit} from {self.price.valid_from}"
        )


@dataclass
class Refreshed:
    """What reading AWS's list came to. missing: lines of the book that the lists read say nothing of. unread: how many
    lines of the book belong to offers that were not read. left: how many lines of the book AWS's list is not asked
    for, by reason. newer: lines that the book has from a later day."""

    heads: list[Head]
    regions: list[str]
    changes: list[Change] = field(default_factory=list)
    same: int = 0
    newer: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unread: Counter = field(default_factory=Counter)
    left: Counter = field(default_factory=Counter)


def regions() -> list[str]:
    """Where labs may run, and where they are looked for: the regions whose prices matter."""
    return sorted({*settings.LAB_REGIONS, *settings.WATCHED_REGIONS, *settings.PRACTICE_REGIONS})


def known_types() -> Callable[[str, str], bool]:
    """Is that a machine whose price matters: the book has it somewhere, or one is on that has no price?

    AWS has a thousand types a region; each in the book would be read for every page that shows a price.
    """
    known: dict[str, set[str]] = defaultdict(set)
    for service, sku in Price.objects.order_by().values_list("service", "sku").distinct():
        known[service].add(sku)
    for line in Metered.objects.filter(unpriced_meters__gt=0, resource__closed_at=None).select_related("resource"):
        row = line.resource
        for meter in meters_of(row.kind, Seen(row.seen, row.aws_id, row.name, row.seen_since, row.facts)):
            known[meter.service].add(meter.sku)
    named = {(line.service, line.sku) for line in LINES if line.sku}

    def wanted(service: str, sku: str) -> bool:
        return (service, sku) in named or sku in known[service] or sku in known[SAME_TYPES.get(service, service)]

    return wanted


def every_type(service: str, sku: str) -> bool:
    return True


def read_files(paths: Iterable[Path], reading: Reading) -> None:
    """Read bulk offer files, and those of folders. Raises BadOffer and OSError; nothing was written by then."""
    for path in paths:
        if path.is_dir():
            found = sorted(one for one in path.rglob("*") if one.suffix.lower() in (".csv", ".json") and one.is_file())
            if not found:
                raise BadOffer(f"{path} has no file that ends in .csv or .json")
        else:
            found = [path]
        for one in found:
            head, tiers = read(one, reading.keep)
            reading.heads.add(head)
            for tier in tiers:
                reading.add(head, tier)


def ask_aws(reading: Reading, codes: Iterable[str] = ()) -> None:
    """Ask AWS's Pricing API for the offers (all that are read, by default). Raises aws.Trouble and BadOffer."""
    for offer in codes or offers():
        for question in asked(offer, reading.regions):
            for head, tier in answered(aws.price_list(offer, question), offer, reading.keep):
                reading.add(head, tier)


def compare(reading: Reading) -> Refreshed:
    """What the book would be changed by. One query; writes nothing."""
    listed, odd = reading.listed()
    found = Refreshed(sorted(reading.heads, key=str), sorted(reading.regions), odd=odd)
    known: dict[Key, list[Price]] = defaultdict(list)
    for price in Price.objects.filter(region__in=list(reading.regions)).order_by("valid_from"):
        known[price.service, price.kind, price.sku, price.region, price.unit].append(price)
    for one in listed:
        _judge(one, known[one.key], found)
    told = {one.key for one in listed}
    read_now = {head.offer for head in reading.heads}
    offer_of = {(line.service, line.kind, line.unit): line.offer for line in LINES}
    for key in sorted(key for key, lines in known.items() if lines and key not in told):
        service, kind, sku, region, unit = key
        if why := why_not_listed(service, kind, sku):
            found.left[f"{service} {kind}: {why}"] += 1
        elif offer_of.get((service, kind, unit)) in read_now:
            found.missing.append(f"{service} {kind} {sku} per {unit}, {region}")
        else:
            found.unread[offer_of.get((service, kind, unit), "an offer that is not known")] += 1
    return found


def _judge(one: Listed, lines: list[Price], found: Refreshed) -> None:
    """Into `found`: is this line new, of another price, the same, or older than what the book says?"""
    last, day = (lines[-1] if lines else None), one.head.published_on
    if last and last.usd == one.usd:
        found.same += 1
        return
    if last and last.valid_from > day:
        found.newer.append(f"{last}, read {last.valid_from}")
        return
    if last and last.valid_from == day:
        # Readings may stand on the line of that day: it is not touched, and the new price counts from the next.
        day += timedelta(days=1)
    price = Price(
        service=one.service,
        kind=one.kind,
        sku=one.sku,
        region=one.region,
        unit=one.unit,
        usd=one.usd,
        valid_from=day,
        confidence="list",
        source=one.source,
    )
    found.changes.append(Change(price, last, one.head.offer))


def write(found: Refreshed, now: datetime) -> None:
    """Write the new lines, and that these lists were read. All or nothing; twice changes nothing."""
    new = Counter(change.offer for change in found.changes)
    with transaction.atomic():
        Price.objects.bulk_create([change.price for change in found.changes], batch_size=500, ignore_conflicts=True)
        for head in found.heads:
            PriceList.objects.update_or_create(
                offer=head.offer,
                version=head.version,
                defaults={"regions": found.regions, "published_on": head.published_on, "read_at": now},
                create_defaults={
                    "regions": found.regions,
                    "published_on": head.published_on,
                    "read_at": now,
                    "new": new[head.offer],
                },
            )
