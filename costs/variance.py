"""PURE: our meter beside AWS's bill, by day and service: how far apart, and whether that is worth a person's time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from costs.bill_words import (
    CREDIT,
    KINDS,
    OTHER,
    REFUND,
    TAX,
    USAGE,
    compared_as,
    is_metered,
    kind_of,
    ours_of,
    shown_as,
)

NOTHING = Decimal(0)
TOO_FAR = Decimal("0.05")  # of what AWS billed for the use
# Below it the share says nothing: requests, traffic and the free tier alone are some cents of a class's day, and nobody
# could find the reason. Ten cents are two hours of the cheapest notebook.
WORTH_A_LOOK = Decimal("0.10")


class Billed(NamedTuple):
    """A line of AWS's bill. service and record are AWS's own words."""

    day: date
    service: str
    record: str
    usd: Decimal
    is_estimated: bool


class Metered(NamedTuple):
    """What the meter counted of one day and service, at list prices. unpriced_seconds had no price: more was used."""

    day: date
    service: str
    usd: Decimal
    unpriced_seconds: int = 0


@dataclass(frozen=True)
class Line:
    """One day and service. ours: None where the meter counts nothing of the kind. theirs: AWS's use, before credits,
    refunds and tax; None where AWS told nothing of that day. by_kind: all that AWS told, by kind of line."""

    day: date
    service: str
    ours: Decimal | None
    by_kind: Mapping[str, Decimal] = field(default_factory=dict)
    is_estimated: bool = True
    is_told: bool = True
    unpriced_seconds: int = 0

    @property
    def title(self) -> str:
        """The service, as its reader calls it."""
        return shown_as(self.service)

    @property
    def theirs(self) -> Decimal | None:
        return self.by_kind.get(USAGE, NOTHING) if self.is_told else None

    @property
    def is_without_use(self) -> bool:
        """Tax, a fee or a credit alone: nothing of it could have been metered."""
        return self.ours is None and USAGE not in self.by_kind

    @property
    def credits(self) -> Decimal:
        return self.by_kind.get(CREDIT, NOTHING)

    @property
    def refunds(self) -> Decimal:
        return self.by_kind.get(REFUND, NOTHING)

    @property
    def tax(self) -> Decimal:
        return self.by_kind.get(TAX, NOTHING)

    @property
    def other(self) -> Decimal:
        """Fees, support, discounts."""
        return self.by_kind.get(OTHER, NOTHING)

    @property
    def net(self) -> Decimal:
        """What is to be paid."""
        return sum(self.by_kind.values(), NOTHING)

    @property
    def difference(self) -> Decimal | None:
        """AWS's less ours; None where one of them says nothing."""
        return None if self.theirs is None else self.theirs - (self.ours or NOTHING)

    @property
    def is_odd(self) -> bool:
        """Too far apart, on a day that AWS will not change any more."""
        if self.difference is None or self.is_estimated:
            return False
        return abs(self.difference) >= WORTH_A_LOOK and abs(self.difference) > TOO_FAR * abs(self.theirs or NOTHING)


def lines(ours: Iterable[Metered], theirs: Iterable[Billed], final_through: date | None = None) -> list[Line]:
    """One Line for each day and service that either knows, the latest day first, its dearest service first.

    final_through: up to this day AWS has told everything, so that a service it does not name cost nothing.
    """
    metered: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
    unpriced: dict[tuple[date, str], int] = defaultdict(int)
    for one in ours:
        metered[one.day, compared_as(one.service)] += one.usd
        unpriced[one.day, compared_as(one.service)] += one.unpriced_seconds
    billed: dict[tuple[date, str], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    estimated: dict[date, bool] = {}
    for bill in theirs:
        billed[bill.day, ours_of(bill.service)][kind_of(bill.record)] += bill.usd
        estimated[bill.day] = estimated.get(bill.day, False) or bill.is_estimated
    found = []
    for day, service in metered.keys() | billed.keys():
        is_final = final_through is not None and day <= final_through
        at = (day, service)
        found.append(
            Line(
                day,
                service,
                metered[at] if at in metered else (NOTHING if is_metered(service) else None),
                {kind: billed[at][kind] for kind in KINDS if kind in billed[at]} if at in billed else {},
                not is_final and estimated.get(day, True),
                is_final or day in estimated,
                unpriced.get(at, 0),
            )
        )
    return sorted(found, key=lambda line: (-line.day.toordinal(), -_size(line), line.service))


def _size(line: Line) -> Decimal:
    return max(line.ours or NOTHING, abs(line.net), line.theirs or NOTHING)


@dataclass(frozen=True)
class Sums:
    """Of some lines. gross: what was used, whoever pays for it; net: what is to be paid."""

    ours: Decimal
    gross: Decimal
    credits: Decimal
    refunds: Decimal
    tax: Decimal
    other: Decimal

    @property
    def net(self) -> Decimal:
        return self.gross + self.credits + self.refunds + self.tax + self.other


def sums_of(some: Iterable[Line]) -> Sums:
    """The sums; `ours` of those days only that AWS told of, so that both are of the same time."""
    told = [line for line in some if line.is_told]

    def total(values: Iterable[Decimal | None]) -> Decimal:
        return sum((value or NOTHING for value in values), NOTHING)

    return Sums(
        total(line.ours for line in told),
        total(line.theirs for line in told),
        total(line.credits for line in told),
        total(line.refunds for line in told),
        total(line.tax for line in told),
        total(line.other for line in told),
    )
