"""PURE. The Free Tier of one AWS account: what it may use for nothing this UTC month, what is used, and what
would leave it.

AWS counts per account (per organisation, where accounts are joined), over all regions, and never per student: 50
students in one account use up 750 hours in 15. Allowances are read from prices/free_tier.csv; which of our meters use
one up stands here. What our meter does not see (calls, data out) is named and never shown as unused.
"""

from __future__ import annotations

import csv
from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from labs.kinds.base import Meter

SHIPPED = Path(__file__).parent / "prices" / "free_tier.csv"
LEGACY, FREE, PAID = "legacy", "free", "paid"
# Accounts opened from this day on have credits, and no offer of 12 months (AWS, July 2025).
CREDITS_SINCE = date(2025, 7, 15)
SIGN_UP_USD = Decimal(100)
NEAR = Decimal("0.85")
ALWAYS, TWELVE_MONTHS, TRIAL = "always", "12", "2"
# How far a standing has gone; an alert that rises is told anew.
WELL, AHEAD, CLOSE, LEFT = range(4)

# Of our meters: service, kind, sku.
MeterLine = tuple[str, str, str]


@dataclass(frozen=True)
class Counts:
    """Which of our meters use an allowance up. partly: what of it they do not see, in words."""

    lines: tuple[MeterLine, ...]
    partly: str | Promise = ""


def _lines(service: str, kinds: Iterable[str], skus: Iterable[str]) -> tuple[MeterLine, ...]:
    return tuple((service, kind, sku) for kind in kinds for sku in skus)


COUNTED: Mapping[tuple[str, str], Counts] = {
    ("EC2", "t2.micro/t3.micro Linux"): Counts(_lines("EC2", ["on-demand-linux"], ["t2.micro", "t3.micro"])),
    ("EC2", "t2.micro Windows"): Counts(_lines("EC2", ["on-demand-windows"], ["t2.micro"])),
    ("VPC", "public IPv4 in use with EC2"): Counts(_lines("VPC", ["public-ipv4"], ["in-use-address"])),
    ("EBS", "gp2/gp3 storage"): Counts(_lines("EBS", ["volume"], ["gp2", "gp3"])),
    ("S3", "Standard storage"): Counts(
        _lines("S3", ["storage"], ["Standard-first-50TB"]), gettext_lazy("buckets of more than a thousand objects")
    ),
    ("EFS", "Standard storage"): Counts(
        _lines("EFS", ["storage"], ["Standard (SageMaker Studio home dirs bill here)"])
    ),
    ("RDS", "db.t3.micro Single-AZ"): Counts(
        _lines("RDS", ["mysql-single-az", "postgres-single-az", "mariadb-single-az"], ["db.t3.micro"])
    ),
    ("ELB", "ALB"): Counts(_lines("ELB", ["alb"], ["ALB-hour"])),
    ("ECR", "private storage"): Counts(_lines("ECR", ["private-storage"], ["storage"])),
    ("SageMaker", "ml.t3.medium notebook"): Counts(
        _lines("SageMaker", ["notebook", "studio"], ["ml.t3.medium"])
        + _lines("SageMaker", ["notebook"], ["ml.t2.medium"])
    ),
    ("SageMaker", "m4.xlarge or m5.xlarge training"): Counts(
        _lines("SageMaker", ["training"], ["ml.m4.xlarge", "ml.m5.xlarge"])
    ),
    ("SageMaker", "m4.xlarge or m5.xlarge real-time inference"): Counts(
        _lines("SageMaker", ["hosting"], ["ml.m4.xlarge", "ml.m5.xlarge"])
    ),
    ("SageMaker", "Canvas session"): Counts(_lines("SageMaker", ["canvas"], ["workspace-session"])),
    ("SageMaker", "Feature Store storage"): Counts(_lines("SageMaker", ["feature-store"], ["online-storage"])),
    ("CloudWatch", "standard alarms"): Counts(_lines("CloudWatch", ["alarms"], ["standard"])),
    ("CloudWatch", "dashboards"): Counts(_lines("CloudWatch", ["dashboards"], ["dashboard"])),
    ("CloudWatch", "log ingestion + archive + Insights"): Counts(
        _lines("CloudWatch", ["logs"], ["storage"]), gettext_lazy("what is written to logs, and what queries read")
    ),
    ("CodePipeline", "V1 active pipeline"): Counts(_lines("CodePipeline", ["v1"], ["active-pipeline"])),
}


@dataclass(frozen=True)
class Allowance:
    """So much of something a month, for nothing. lasts: ALWAYS, TWELVE_MONTHS of the account, or TRIAL (2 months from
    the first use of the service). counts: None where our meter sees nothing of it."""

    service: str
    sku: str
    unit: str
    quantity: Decimal
    lasts: str
    source: str
    counts: Counts | None = None

    @property
    def name(self) -> str:
        return f"{self.service} {self.sku}"


@cache
def allowances(path: Path = SHIPPED) -> tuple[Allowance, ...]:
    """Every monthly allowance of the file, in its order. What is free without an end, or once, is none."""
    with path.open(newline="", encoding="utf-8") as file:
        return tuple(
            Allowance(
                row["service"],
                row["sku"],
                row["unit"],
                Decimal(row["monthly_allowance"]),
                row["months"],
                row["source"],
                COUNTED.get((row["service"], row["sku"])),
            )
            for row in csv.DictReader(file)
            if row["months"] in (ALWAYS, TWELVE_MONTHS, TRIAL) and Decimal(row["monthly_allowance"])
        )


def has(allowance: Allowance, plan: str, opened_on: date | None, first_used: Mapping[str, date], day: date) -> bool:
    """Has an account this allowance on that UTC day?

    plan: LEGACY, FREE or PAID; "" (not known) has what all accounts have. opened_on: when the account was; without a
    day the 12 months are taken to go on. first_used: {service: the first day that we saw it used}; not yet used, its
    trial is still to begin.
    """
    if allowance.lasts == TWELVE_MONTHS:
        return plan == LEGACY and (opened_on is None or day < _months_later(opened_on, 12))
    if allowance.lasts == TRIAL:
        first = first_used.get(allowance.service)
        return first is None or day < _months_later(first, 2)
    return True


@dataclass(frozen=True)
class Running:
    """A meter that is on now, and until when: its lab's clock, or the end of the month. what: its lab, for a person."""

    meter: Meter
    until: datetime
    what: str = ""


@dataclass(frozen=True)
class Standing:
    """How an account stands with one allowance this UTC month. used, by_end: in the allowance's unit; by_end: with what
    is on now left on until its lab's clock, or for the rest of the month. leaves_at: when that passes the allowance."""

    allowance: Allowance
    used: Decimal
    by_end: Decimal
    leaves_at: datetime | None = None
    running: tuple[str, ...] = field(default_factory=tuple)

    @property
    def left(self) -> Decimal:
        return max(Decimal(0), self.allowance.quantity - self.used)

    @property
    def share(self) -> Decimal:
        """0 to 1, and more."""
        return self.used / self.allowance.quantity

    @property
    def level(self) -> int:
        """WELL; AHEAD: it would be left at the running rate; CLOSE: over 85 % is used; LEFT."""
        if self.used > self.allowance.quantity:
            return LEFT
        if self.share > NEAR:
            return CLOSE
        return AHEAD if self.by_end > self.allowance.quantity else WELL

    @property
    def level_words(self) -> str:
        words = {
            WELL: gettext("Enough"),
            AHEAD: gettext("Would be used up"),
            CLOSE: gettext("Nearly used up"),
            LEFT: gettext("Used up"),
        }
        return words[self.level]


def standings(
    having: Iterable[Allowance], used: Mapping[MeterLine, Decimal], running: Iterable[Running], now: datetime
) -> list[Standing]:
    """How the account stands with each allowance that our meter sees. used: {meter: quantity in its own unit} of the
    UTC month of `now` up to `now`."""
    running, month_ends = list(running), end_of_month(now)
    found = []
    for allowance in having:
        if allowance.counts is None:
            continue
        lines = set(allowance.counts.lines)
        spent = sum((used.get(line, Decimal(0)) for line in lines), Decimal(0))
        own = [
            (per_hour(one.meter, now), min(one.until, month_ends), one.what)
            for one in running
            if line_of(one.meter) in lines and one.until > now
        ]
        by_end = spent + sum((rate * _hours(now, until) for rate, until, _ in own), Decimal(0))
        leaves = _passes(spent, [(rate, until) for rate, until, _ in own], allowance.quantity, now)
        names = tuple(dict.fromkeys(what for _, _, what in own if what))
        found.append(Standing(allowance, spent, by_end, leaves, names))
    return found


@dataclass(frozen=True)
class Use:
    """What a lab would use of one allowance, and what is left of it before (what is on already uses its part)."""

    standing: Standing
    amount: Decimal

    @property
    def left(self) -> Decimal:
        return max(Decimal(0), self.standing.allowance.quantity - self.standing.by_end)

    @property
    def leaves(self) -> bool:
        return self.amount > self.left


@dataclass(frozen=True)
class Fits:
    """What a lab means to an account's Free Tier. outside: what of it no allowance covers, which costs from the first
    second on."""

    uses: tuple[Use, ...]
    outside: tuple[str, ...]

    @property
    def leaving(self) -> tuple[Use, ...]:
        return tuple(use for use in self.uses if use.leaves)


def fits(having: Iterable[Standing], meters: Iterable[Meter], hours: Decimal, now: datetime) -> Fits:
    """What `meters`, on for so many hours from now on, would use."""
    amounts: dict[MeterLine, Decimal] = {}
    labels: dict[MeterLine, str] = {}
    for meter in meters:
        line = line_of(meter)
        amounts[line] = amounts.get(line, Decimal(0)) + per_hour(meter, now) * hours
        labels.setdefault(line, meter.label or meter.sku)
    uses, covered = [], set()
    for standing in having:
        lines = set(standing.allowance.counts.lines if standing.allowance.counts else ()) & set(amounts)
        if lines:
            uses.append(Use(standing, sum((amounts[line] for line in lines), Decimal(0))))
            covered |= lines
    return Fits(tuple(uses), tuple(labels[line] for line in amounts if line not in covered))


def line_of(meter: Meter) -> MeterLine:
    return meter.service, meter.kind, meter.sku


def per_hour(meter: Meter, at: datetime) -> Decimal:
    """What an hour of a meter adds to its quantity: of GB-months, an hour's share of the month that `at` is in."""
    if meter.per == "hour":
        return meter.quantity
    at = at.astimezone(UTC)
    return meter.quantity / (monthrange(at.year, at.month)[1] * 24)


def first_of_month(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def end_of_month(now: datetime) -> datetime:
    """The first instant of the next UTC month, as AWS counts."""
    return (first_of_month(now) + timedelta(days=32)).replace(day=1)


def _hours(start: datetime, end: datetime) -> Decimal:
    return Decimal(max(0, (end - start) // timedelta(seconds=1))) / 3600


def _passes(
    spent: Decimal, running: list[tuple[Decimal, datetime]], quantity: Decimal, now: datetime
) -> datetime | None:
    """When what is on passes the allowance; None when it does not, or has already."""
    at = now
    if spent > quantity:
        return None
    for stop in sorted({until for _, until in running}):
        rate = sum((rate for rate, until in running if until >= stop), Decimal(0))
        more = rate * _hours(at, stop)
        if rate and spent + more > quantity:
            return at + timedelta(seconds=int((quantity - spent) / rate * 3600))
        spent, at = spent + more, stop
    return None


def _months_later(day: date, months: int) -> date:
    """The same day of the month, or the month's last."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
