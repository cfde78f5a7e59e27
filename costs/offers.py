"""PURE. AWS's price list as it comes: bulk offer files, CSV or JSON, and what the Pricing API answers.

A region's file of EC2 is hundreds of megabytes, so files are read row by row (CSV) or product by product (JSON), and
only what is asked for is kept. Attribute names are made alike: "Pre Installed S/W" of a CSV and "preInstalledSw" of a
JSON are both "preinstalledsw".
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

CHUNK = 1 << 18
# No product and no term of AWS's is that long: what does not end by then is broken, and is not read to its end.
LONGEST = 16 << 20
FIRST_LINES = 5  # of a CSV: version, disclaimer, publication, version of the list, offer
NEEDED = ("SKU", "TermType", "StartingRange", "Unit", "PricePerUnit", "Currency", "usageType")


class BadOffer(ValueError):
    """A file or an answer that is not AWS's price list: says which, where and why."""


@dataclass(frozen=True)
class Head:
    """What a list says of itself. offer: AWS's service code; version: AWS's own; name: of the file, or the API."""

    offer: str
    version: str
    published_on: date
    name: str


@dataclass(frozen=True)
class Tier:
    """One price of one product: USD per `unit`, from `begins` units a month on."""

    sku: str
    attributes: Mapping[str, str]
    begins: Decimal
    unit: str
    usd: Decimal


# Asked of each product's attributes: is it one that is read?
Keep = Callable[[Mapping[str, str]], bool]


@cache
def plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def read(path: Path, keep: Callable[[Head], Keep]) -> tuple[Head, Iterator[Tier]]:
    """The head of an offer file, and the on-demand prices of the products that keep(head) says yes to, one by one.

    Raises BadOffer, also while the prices are read, and OSError.
    """
    if path.suffix.lower() == ".csv":
        return _read_csv(path, keep)
    if path.suffix.lower() == ".json":
        return _read_json(path, keep)
    raise BadOffer(f"{path.name}: AWS's offer files end in .csv or .json")


# --- CSV -----------------------------------------------------------------------------------------------------------


def _read_csv(path: Path, keep: Callable[[Head], Keep]) -> tuple[Head, Iterator[Tier]]:
    with path.open(newline="", encoding="utf-8") as file:
        first = list(islice(csv.reader(file), FIRST_LINES))
    told = {line[0]: line[1] for line in first if len(line) > 1}
    for name in ("Publication Date", "Version", "OfferCode"):
        if not told.get(name):
            raise BadOffer(f"{path.name}: its first {FIRST_LINES} lines do not say {name}, so it is no offer file")
    head = Head(told["OfferCode"], told["Version"], _day(told["Publication Date"], path.name), path.name)
    return head, _csv_tiers(path, keep(head))


def _csv_tiers(path: Path, keep: Keep) -> Iterator[Tier]:
    with path.open(newline="", encoding="utf-8") as file:
        lines = csv.reader(file)
        for _ in range(FIRST_LINES):
            next(lines)
        header = next(lines, [])
        at = {name: number for number, name in enumerate(header)}
        for name in NEEDED:
            if name not in at:
                raise BadOffer(f"{path.name}, line {FIRST_LINES + 1}: the column {name} is missing")
        names = [plain(name) for name in header]
        term = at["TermType"]
        for line in lines:
            if not line:
                continue
            where = f"{path.name}, line {lines.line_num}"
            if len(line) != len(header):
                raise BadOffer(f"{where}: it has {len(line)} columns, and the header has {len(header)}")
            if line[term] != "OnDemand":
                continue
            attributes = dict(zip(names, line, strict=True))
            if not keep(attributes):
                continue
            if line[at["Currency"]] != "USD":
                raise BadOffer(f"{where}: its price is in {line[at['Currency']] or 'no currency'}, not in USD")
            yield Tier(
                line[at["SKU"]],
                attributes,
                _number(line[at["StartingRange"]] or "0", "StartingRange", where),
                line[at["Unit"]],
                _number(line[at["PricePerUnit"]], "PricePerUnit", where),
            )


# --- JSON ----------------------------------------------------------------------------------------------------------


class _Members:
    """An object of any length, member by member: no more of it is held than one value and what was read ahead."""

    decoder = json.JSONDecoder()

    def __init__(self, file: TextIO, name: str):
        self.file, self.name = file, name
        self.text, self.at, self.line, self.is_over = "", 0, 1, False

    def members(self) -> Iterator[str]:
        """The keys of the object that comes next. Whoever gets one reads its value (`value`, `members`) first."""
        self._take("{")
        if self._next() == "}":
            self.at += 1
            return
        while True:
            key = self.value()
            if not isinstance(key, str):
                raise self.broken("a name was expected")
            self._take(":")
            yield key
            if self._next() == "}":
                self.at += 1
                return
            self._take(",")

    def value(self) -> Any:
        self._next()
        while True:
            try:
                found, end = self.decoder.raw_decode(self.text, self.at)
            except json.JSONDecodeError as error:
                if self.is_over or len(self.text) - self.at > LONGEST:
                    raise self.broken(error.msg, error.pos) from None
                self._more()
                continue
            # What ends with the text that was read may go on: 12 of 12.5.
            if end < len(self.text) or self.is_over:
                self.at = end
                return found
            self._more()

    def skip(self) -> None:
        if self._next() != "{":
            self.value()
            return
        for _ in self.members():
            self.value()

    def broken(self, why: str, at: int | None = None) -> BadOffer:
        line = self.line + self.text.count("\n", 0, self.at if at is None else at)
        return BadOffer(f"{self.name}, line {line}: {why}")

    def _more(self) -> None:
        more = self.file.read(CHUNK)
        self.is_over = not more
        self.line += self.text.count("\n", 0, self.at)
        self.text, self.at = self.text[self.at :] + more, 0

    def _next(self) -> str:
        """The next character that means something, not taken; raises BadOffer at the end of the file."""
        while True:
            while self.at < len(self.text):
                if not self.text[self.at].isspace():
                    return self.text[self.at]
                self.at += 1
            if self.is_over:
                raise self.broken("the file ends too early")
            self._more()

    def _take(self, sign: str) -> None:
        if self._next() != sign:
            raise self.broken(f"{sign!r} was expected")
        self.at += 1


def _read_json(path: Path, keep: Callable[[Head], Keep]) -> tuple[Head, Iterator[Tier]]:
    told = {}
    with path.open(encoding="utf-8") as file:
        whole = _Members(file, path.name)
        for name in whole.members():
            if name in ("products", "terms"):
                break
            told[name] = whole.value()
    for name in ("publicationDate", "version", "offerCode"):
        if not isinstance(told.get(name), str):
            raise BadOffer(f"{path.name}: {name} does not come before its products, so it is no offer file")
    head = Head(told["offerCode"], told["version"], _day(told["publicationDate"], path.name), path.name)
    return head, _json_tiers(path, keep(head))


def _json_tiers(path: Path, keep: Keep) -> Iterator[Tier]:
    kept: dict[str, Mapping[str, str]] = {}
    with path.open(encoding="utf-8") as file:
        whole = _Members(file, path.name)
        for name in whole.members():
            if name == "products":
                for sku in whole.members():
                    attributes = _attributes(whole.value(), f"{path.name}, product {sku}")
                    if keep(attributes):
                        kept[sku] = attributes
            elif name == "terms":
                for term in whole.members():
                    if term != "OnDemand":
                        whole.skip()
                        continue
                    for sku in whole.members():
                        terms = whole.value()
                        if sku in kept:
                            yield from _tiers(sku, kept[sku], terms, f"{path.name}, terms of {sku}")
            else:
                whole.skip()


def _attributes(product: Any, where: str) -> Mapping[str, str]:
    try:
        found = {plain(name): value for name, value in product["attributes"].items()}
        return {**found, "productfamily": product.get("productFamily", "")}
    except (TypeError, KeyError, AttributeError):
        raise BadOffer(f"{where}: it has no attributes") from None


def _tiers(sku: str, attributes: Mapping[str, str], terms: Any, where: str) -> Iterator[Tier]:
    try:
        dimensions = [each for term in terms.values() for each in term["priceDimensions"].values()]
        told = [(each["beginRange"], each["unit"], each["pricePerUnit"]) for each in dimensions]
    except (TypeError, KeyError, AttributeError):
        raise BadOffer(f"{where}: they are no prices as AWS writes them") from None
    for begins, unit, prices in told:
        if "USD" not in prices:
            raise BadOffer(f"{where}: its price is in {', '.join(prices) or 'no currency'}, not in USD")
        yield Tier(
            sku, attributes, _number(begins, "beginRange", where), unit, _number(prices["USD"], "pricePerUnit", where)
        )


# --- the Pricing API -----------------------------------------------------------------------------------------------


def answered(products: Iterable[str], offer: str, keep: Callable[[Head], Keep]) -> Iterator[tuple[Head, Tier]]:
    """The same from what GetProducts answers: a JSON text a product. Raises BadOffer."""
    for text in products:
        where = f"the Pricing API on {offer}"
        try:
            told = json.loads(text)
            sku, terms = told["product"]["sku"], told.get("terms", {}).get("OnDemand", {})
            head = Head(offer, told["version"], _day(told["publicationDate"], where), "Pricing API")
        except (ValueError, TypeError, KeyError) as error:
            if isinstance(error, BadOffer):
                raise
            raise BadOffer(f"{where}: an answer is no product as AWS writes them") from None
        attributes = _attributes(told["product"], f"{where}, product {sku}")
        if keep(head)(attributes):
            for tier in _tiers(sku, attributes, terms, f"{where}, terms of {sku}"):
                yield head, tier


def _number(text: str, name: str, where: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number < 0:
        raise BadOffer(f"{where}: {name} is {text!r}, not an amount")
    return number


def _day(text: str, where: str) -> date:
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        raise BadOffer(f"{where}: its publication date is {text!r}, not an instant") from None
