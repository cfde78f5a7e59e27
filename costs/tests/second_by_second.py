"""What AWS bills, written down a second time and far slower: second by second, from its own rules (EC2, EBS, VPC, ELB,
SageMaker and EMR pricing), without a line of costs/pricing.py, costs/metering.py or a kind's meters().

- EC2 and EMR: by the second while running, 60 s at least a start; the disk and its 60 s from creation to deletion;
- NAT gateways, load balancers, interface endpoints: a started hour is an hour, of the day in which it was started;
- public IPv4: as long as it is held, attached or not, 60 s at least;
- SageMaker: by the second times the machines; a notebook until it has stopped, and its disk until it is deleted;
- a GB-month is the seconds of that month; a price counts from its UTC day.
"""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

SECOND = timedelta(seconds=1)
HOUR = 3600
# How a line is counted.
EXACT, MINUTE, STARTED_HOUR = "exact", "a minute at least", "started hours"


@dataclass(frozen=True)
class Line:
    """One thing that AWS bills: a row of its price list, how many of it, per hour or per month, and how it counts."""

    price: tuple[str, str, str, str]  # service, kind, sku, unit, as prices.csv calls them
    quantity: Fraction
    per: str
    counts: str


def hourly(service: str, kind: str, sku: str, quantity: Any = 1, counts: str = EXACT) -> Line:
    return Line((service, kind, sku, "Hrs"), Fraction(quantity), "hour", counts)


def monthly(service: str, kind: str, sku: str, gb: Any, counts: str = EXACT) -> Line:
    return Line((service, kind, sku, "GB-Mo"), Fraction(gb), "month", counts)


def addresses(number: int) -> list[Line]:
    return [hourly("VPC", "public-ipv4", "in-use-address", number, MINUTE)] if number else []


def lines_of(kind: str, state: str, facts: Mapping[str, Any]) -> list[Line]:
    """What AWS bills of one in this state. Of the kinds that the random histories are made of."""
    if state == "absent":
        return []
    is_on = state == "running"
    if kind == "ec2-instance":
        found = [monthly("EBS", "volume", disk["type"], disk["gb"], MINUTE) for disk in facts["disks"]]
        found += addresses(facts["public_ips"]) if state != "deleting" else []
        return found + ([hourly("EC2", "on-demand-linux", facts["type"], 1, MINUTE)] if is_on else [])
    if kind == "emr-cluster":
        each = facts["machines"][0]
        return [
            hourly("EC2", "on-demand-linux", each["type"], each["count"], MINUTE),
            hourly("EMR", "ec2-uplift", each["type"], each["count"], MINUTE),
            *addresses(facts["public_ips"]),
            *(monthly("EBS", "volume", disk["type"], disk["gb"] * disk["count"], MINUTE) for disk in facts["disks"]),
        ]
    if kind == "ebs-volume":
        return [monthly("EBS", "volume", facts["type"], facts["gb"], MINUTE)]
    if kind == "elastic-ip":
        return [hourly("VPC", "public-ipv4", "in-use-address" if facts["attached"] else "idle-address-EIP", 1, MINUTE)]
    if kind == "nat-gateway":
        return [hourly("VPC", "nat-gateway", "hour", 1, STARTED_HOUR)] if is_on else []
    if kind == "load-balancer":
        return [hourly("ELB", "alb", "ALB-hour", 1, STARTED_HOUR), *addresses(facts["public_ips"])] if is_on else []
    if kind == "vpc-endpoint":
        hours = hourly("VPC", "interface-endpoint", "endpoint-hour-per-AZ", facts["zones"], STARTED_HOUR)
        return [hours] if is_on else []
    if kind == "sagemaker-notebook":
        disk = [monthly("SageMaker", "storage", "ML-storage-gp2", facts["disk_gb"])]
        return disk + ([hourly("SageMaker", "notebook", facts["type"])] if state in ("running", "stopping") else [])
    if kind == "sagemaker-endpoint":
        each = facts["variants"][0]
        return [hourly("SageMaker", "hosting", each["type"], each["count"])] if each["count"] else []
    raise LookupError(kind)


Stretch = tuple[datetime, datetime, list[Line]]


def bill(
    stretches: Iterable[Stretch], price: Callable[[tuple, date], Decimal], until: datetime | None = None
) -> Fraction:
    """USD of what was on in these stretches of time, in order and without gaps, as far as `until`.

    A line that goes on into the next stretch with the same quantity was not started anew.
    """
    return sum(by_day(stretches, price, until).values(), Fraction(0))


def by_day(
    stretches: Iterable[Stretch], price: Callable[[tuple, date], Decimal], until: datetime | None = None
) -> dict[date, Fraction]:
    """The same, for each UTC day."""
    found: Counter[date] = Counter()
    for line, began, ended in runs(stretches):
        if until is not None:
            ended = min(ended, until)
        for day, seconds in seconds_billed(line.counts, began, ended).items():
            a_unit = HOUR if line.per == "hour" else monthrange(day.year, day.month)[1] * 24 * HOUR
            found[day] += line.quantity * Fraction(price(line.price, day)) * Fraction(seconds, a_unit)  # type: ignore[assignment]
    return dict(found)  # type: ignore[arg-type]


def runs(stretches: Iterable[Stretch]) -> list[tuple[Line, datetime, datetime]]:
    """Each line from its start to its end."""
    on: dict[Line, tuple[datetime, datetime]] = {}
    done = []
    for began, ended, lines in stretches:
        for line in [line for line, (_, until) in on.items() if line not in lines or until != began]:
            done.append((line, *on.pop(line)))
        for line in lines:
            on[line] = (on[line][0] if line in on else began, ended)
    return done + [(line, *both) for line, both in on.items()]


def seconds_billed(counts: str, began: datetime, ended: datetime) -> Counter[date]:
    """{UTC day: seconds}: each second on its own, to whole hours or to a minute where AWS does so."""
    found: Counter[date] = Counter()
    if ended <= began:
        return found
    at, number, first = began.astimezone(UTC), 0, began.astimezone(UTC).date()
    day, midnight = first, _midnight_after(at)
    while at < ended or (counts == MINUTE and number < 60) or (counts == STARTED_HOUR and number % HOUR):
        if at >= midnight:
            day, midnight = midnight.date(), midnight + timedelta(days=1)
        if counts == STARTED_HOUR and number % HOUR == 0:
            first = day  # the day in which this hour was started
        is_begun = counts == STARTED_HOUR or (counts == MINUTE and number < 60)
        found[first if is_begun else day] += 1
        at += SECOND
        number += 1
    return found


def _midnight_after(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
