"""PURE. What of AWS's price list is a line of our book, by the mapping in price_lines.py.

Where AWS's price falls with the quantity, the first tier that costs anything counts: a class does not reach the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache

from costs.offers import Head, Keep, Tier, plain
from costs.price_lines import LINES, Line

TEN_PLACES = Decimal("0.0000000001")
# "APS1-", "EU-", "us-east-1-": the region before a usage type. In us-east-1 most have none.
REGION = re.compile(r"(?:[A-Z]{3}\d{1,2}|EU|[a-z]{2}(?:-[a-z]+)+-\d)-")

# Of our book: service, kind, sku, region, unit.
Key = tuple[str, str, str, str, str]
# May a line of this service with this sku be read? Of machines, those that matter here.
Wanted = Callable[[str, str], bool]


@dataclass(frozen=True)
class Listed:
    """A price of AWS's list as a line of ours. tiers: how many AWS has. usd: per our unit, of the first that
    costs."""

    service: str
    kind: str
    sku: str
    region: str
    unit: str
    usd: Decimal
    head: Head
    usage: str
    tiers: int

    @property
    def key(self) -> Key:
        return self.service, self.kind, self.sku, self.region, self.unit

    @property
    def source(self) -> str:
        first = f", the first of {self.tiers} tiers" if self.tiers > 1 else ""
        return f"AWS's price list {self.head.offer} {self.head.version} ({self.head.name}), {self.usage}{first}"[:300]


@dataclass
class Reading:
    """What was read so far. odd: what AWS's list says that we cannot make a price of, in words."""

    regions: Collection[str]
    wanted: Wanted
    heads: set[Head] = field(default_factory=set)
    _products: dict[Key, dict[str, list[Tier]]] = field(default_factory=dict)
    _heads: dict[Key, Head] = field(default_factory=dict)
    _odd_units: set[str] = field(default_factory=set)

    def keep(self, head: Head) -> Keep:
        """Of the products of this offer, those that are a line of ours."""
        any_usage, _ = _of_offer(head.offer)

        def is_read(attributes: Mapping[str, str]) -> bool:
            # Most are none: asked first whether it may be any.
            if not any_usage.fullmatch(bare(attributes.get("usagetype", ""))):
                return False
            return any(self._lines_of(head.offer, attributes))

        return is_read

    def add(self, head: Head, tier: Tier) -> None:
        self.heads.add(head)
        for line, sku, regions in self._lines_of(head.offer, tier.attributes):
            if line.counted_in and not re.fullmatch(line.counted_in, tier.unit, re.IGNORECASE):
                counted = f"{bare(tier.attributes['usagetype'])} is counted in {tier.unit or 'nothing'}"
                self._odd_units.add(f"{head.offer}: {counted}, which is not the unit that we know")
                continue
            for region in regions:
                key = (line.service, line.kind, sku, region, line.unit)
                if not self._is_newest(key, head):
                    continue
                priced = Tier(tier.sku, tier.attributes, tier.begins, tier.unit, _ours(line, tier.usd))
                self._products.setdefault(key, {}).setdefault(tier.sku, []).append(priced)

    def _is_newest(self, key: Key, head: Head) -> bool:
        """Of two lists that have a line, such as two months' files in one folder, the newer counts, and alone."""
        known = self._heads.get(key)
        if known is not None and (head.published_on, head.version) < (known.published_on, known.version):
            return False
        if known != head:
            self._heads[key] = head
            self._products.pop(key, None)
        return True

    def _lines_of(self, offer: str, attributes: Mapping[str, str]) -> Iterator[tuple[Line, str, Collection[str]]]:
        """Each line of ours that a product is, with our sku and the regions that it holds in."""
        usage, region = bare(attributes.get("usagetype", "")), region_of(attributes)
        for line, expression in _of_offer(offer)[1]:
            match = expression.fullmatch(usage)
            regions = self.regions if line.is_global else [region] if region in self.regions else []
            if match and regions and _also(line, attributes) and self.wanted(line.service, line.sku or match["sku"]):
                yield line, line.sku or match["sku"], regions

    def listed(self) -> tuple[list[Listed], list[str]]:
        """The prices, and what is odd. Of two products of one line that cost alike either counts; of two that do not,
        neither, and that is said. A product that costs nothing gives way to one that does."""
        prices, odd = [], sorted(self._odd_units)
        for key, products in sorted(self._products.items()):
            firsts = [(_first_that_costs(tiers), len(tiers)) for tiers in products.values()]
            costing = [(first, tiers) for first, tiers in firsts if first.usd] or firsts[:1]
            amounts = {first.usd for first, _ in costing}
            if len(amounts) > 1:
                said = " and ".join(f"${usd.normalize():f}" for usd in sorted(amounts))
                odd.append(f"{' '.join(key[:3])} in {key[3]}: AWS's list has {said} for it, so neither was taken")
                continue
            first, tiers = costing[0]
            prices.append(Listed(*key, first.usd, self._heads[key], first.attributes["usagetype"], tiers))
        return prices, odd


def bare(usage: str) -> str:
    """A usage type without its region: "BoxUsage:t3.medium" of "APS1-BoxUsage:t3.medium"."""
    match = REGION.match(usage)
    return usage[match.end() :] if match else usage


def region_of(attributes: Mapping[str, str]) -> str:
    """Of a transfer, the region that it leaves."""
    return attributes.get("regioncode") or attributes.get("fromregioncode") or ""


def offers() -> list[str]:
    """AWS's service codes of all that is read."""
    return sorted({line.offer for line in LINES})


def asked(offer: str, regions: Iterable[str]) -> list[dict[str, str]]:
    """By which attributes the Pricing API is asked for this offer: each a question."""
    found: list[dict[str, str]] = []
    where = "fromRegionCode" if offer == "AWSDataTransfer" else "regionCode"
    for line in LINES:
        if line.offer != offer:
            continue
        for region in [None] if line.is_global else regions:
            question = {**(line.also if line.is_global else line.filters), **({where: region} if region else {})}
            if question not in found:
                found.append(question)
    return found


@cache
def _of_offer(offer: str) -> tuple[re.Pattern[str], list[tuple[Line, re.Pattern[str]]]]:
    """An expression for any usage type that is read of the offer, and each line with its own. Of others, nothing."""
    lines = [line for line in LINES if line.offer == offer]
    either = "|".join(line.usage.replace("?P<sku>", "?:") for line in lines) or "(?!)"
    return re.compile(either), [(line, re.compile(line.usage)) for line in lines]


def _also(line: Line, attributes: Mapping[str, str]) -> bool:
    return all(attributes.get(plain(name), "") == value for name, value in line.also.items())


def _ours(line: Line, usd: Decimal) -> Decimal:
    return (usd * line.times).quantize(TEN_PLACES, ROUND_HALF_EVEN)


def _first_that_costs(tiers: list[Tier]) -> Tier:
    ordered = sorted(tiers, key=lambda tier: tier.begins)
    return next((tier for tier in ordered if tier.usd), ordered[0])
