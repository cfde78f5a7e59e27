"""PURE. From what the calculator is asked to what it answers: each way of paying, each line spelled out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from costs.calculator import HOURS_A_MONTH, ZERO, Cost, Framework, Plan, framework, on_demand, on_spot, reserved
from costs.pricebook import PriceBook
from costs.workloads import TRANSFER_OUT, Machine, Workload
from labs.kinds.base import Meter

# Of data out to the internet, each account's first of a month are free (AWS, since December 2021).
FREE_TRANSFER_GB = Decimal(100)
FORGOTTEN_HOURS = Decimal(48)


@dataclass(frozen=True)
class Line:
    """One part of the sum, with how it was reckoned."""

    title: str
    how: str
    usd: Decimal


@dataclass(frozen=True)
class Way:
    """A way of paying and what it costs a month; usd None where there is none for this machine."""

    title: str
    usd: Decimal | None
    note: str


@dataclass(frozen=True)
class Quote:
    """usd_per_hour: of all machines together. newest: the day on which the prices used were read last."""

    usd_per_hour: Decimal
    cost: Cost
    framework: Framework
    lines: tuple[Line, ...]
    ways: tuple[Way, ...]
    forgotten_usd: Decimal
    forgotten_how: str
    forgotten_month_usd: Decimal
    newest: date | None
    lists: tuple[str, ...] = ()

    @property
    def dearest_usd(self) -> Decimal:
        return max(way.usd for way in self.ways if way.usd is not None)


class Unpriced(ValueError):
    """The book has no price for it in that region: says which."""


def rate_of(book: PriceBook, workload: Workload, type: str, region: str, at: datetime) -> Decimal | None:
    """USD an hour of one machine of this type; None where the book lacks a part of it."""
    prices = [book.price_of(meter, region, at) for meter in workload.meters(type)]
    return None if None in prices else sum((price.usd for price in prices if price), ZERO)


def machines(book: PriceBook, workload: Workload, region: str, at: datetime) -> list[tuple[Machine, Decimal | None]]:
    """The workload's machines, each with its rate there."""
    return [(one, rate_of(book, workload, one.type, region, at)) for one in workload.machines]


def quote(book: PriceBook, workload: Workload, asked: Mapping[str, Any], region: str, at: datetime) -> Quote:
    """What it costs a month. asked: what CalculatorForm cleaned. Raises Unpriced."""
    type, count = asked["type"], workload.count
    used = [book.price_of(meter, region, at) for meter in workload.meters(type)]
    if None in used:
        raise Unpriced(f"We have no price for {type} in {region}. Choose another, or type its price.")
    listed = sum((price.usd for price in used if price), ZERO)
    disk, transfer = (book.price_of(meter, region, at) for meter in (workload.disk, TRANSFER_OUT))
    if disk is None and asked["disk_usd"] is None and asked["disk_usd_hour"] is None:
        raise Unpriced(f"We have no price for disks in {region}. Type one.")
    free = ZERO if asked["transfer_usd"] is not None else min(FREE_TRANSFER_GB, asked["transfer_gb"])
    if transfer is None and asked["transfer_usd"] is None and asked["transfer_gb"] > free:
        raise Unpriced(f"We have no price for data out of {region}. Type one.")
    plan = Plan(
        instance_usd_per_hour=_own(asked["usd_per_hour"], listed) * count,
        hours_a_day=asked["hours"],
        days=asked["days"],
        disk_gb=asked["disk_gb"] * count,
        disk_usd_per_gb_month=_own(asked["disk_usd"], disk.usd if disk else ZERO),
        disk_usd_per_hour_in_all=asked["disk_usd_hour"],
        disk_kept_all_month=asked["is_kept"],
        transfer_gb=asked["transfer_gb"] - free,
        transfer_usd_per_gb=_own(asked["transfer_usd"], transfer.usd if transfer else ZERO),
    )
    cost = on_demand(plan)
    days = [price.valid_from for price in (*used, disk, transfer) if price]
    return Quote(
        usd_per_hour=plan.instance_usd_per_hour,
        cost=cost,
        framework=framework(plan),
        lines=_lines(plan, cost, count, free),
        ways=_ways(book, workload, plan, cost, asked, region, at),
        forgotten_usd=plan.instance_usd_per_hour * FORGOTTEN_HOURS,
        forgotten_how=f"${_n(plan.instance_usd_per_hour)}/h × {FORGOTTEN_HOURS} h",
        forgotten_month_usd=plan.instance_usd_per_hour * HOURS_A_MONTH,
        newest=max(days, default=None),
        lists=tuple(_differs(asked, listed, disk, transfer)),
    )


def _own(own: Decimal | None, listed: Decimal) -> Decimal:
    return listed if own is None else own


def _lines(plan: Plan, cost: Cost, count: int, free: Decimal) -> tuple[Line, ...]:
    each = plan.instance_usd_per_hour / count
    machines = f"{count} × " if count > 1 else ""
    compute = f"{machines}${_n(each)}/h × {_n(plan.hours_a_day)} h × {_n(plan.days)} day{'' if plan.days == 1 else 's'}"
    if plan.disk_usd_per_hour_in_all is not None and not plan.disk_kept_all_month:
        disk = f"${_n(plan.disk_usd_per_hour_in_all)}/h in all × {_n(plan.hours)} h"
    elif plan.disk_kept_all_month:
        disk = f"{_n(plan.disk_gb)} GB × ${_n(plan.disk_usd_per_gb_month)} a month, kept all month"
    else:
        disk = f"{_n(plan.disk_gb)} GB × ${_n(plan.disk_usd_per_gb_month)} / {HOURS_A_MONTH} h × {_n(plan.hours)} h"
    if plan.transfer_gb:
        transfer = f"{_n(plan.transfer_gb)} GB × ${_n(plan.transfer_usd_per_gb)}"
        transfer += f", after {_n(free)} GB that are free" if free else ""
    else:
        transfer = f"Each account has {_n(FREE_TRANSFER_GB)} GB a month free"
    return (
        Line("Compute", compute, cost.instance),
        Line("Disk", disk, cost.disk),
        Line("Transfer out", transfer, cost.transfer),
    )


def _ways(book, workload, plan, cost, asked, region, at) -> tuple[Way, ...]:
    """On demand, spot and reserved, as the course names them; what of them there is for this machine."""
    ways = [Way("On demand", cost.total, "Always there while it is on")]
    if workload.line:
        ways.append(Way("Spot", None, "Of SageMaker, only for training that saves its state; AWS tells what it saved"))
        return (*ways, Way("Reserved, 1 year", None, "SageMaker has savings plans instead"))
    again = 1 + asked["again"] / 100
    spot = book.price_of(Meter("EC2", "spot", asked["type"], "Hrs"), region, at)
    uplift = [book.price_of(meter, region, at) for meter in workload.meters(asked["type"]) if meter.service == "EMR"]
    if spot:
        hour = (spot.usd + sum((price.usd for price in uplift if price), ZERO)) * workload.count
        off = 1 - hour / plan.instance_usd_per_hour if plan.instance_usd_per_hour > hour else ZERO
        usd = on_spot(plan, discount=off, interruption_factor=again).total
        note = f"AWS may stop it with 2 minutes' notice; {_n(asked['again'])} % is done again. Its price moves"
        ways.append(Way("Spot", usd, note))
    else:
        ways.append(Way("Spot", None, f"We know no spot price of {asked['type']} in {region}"))
    # A reservation is for every hour of a month; disk and transfer are what they were.
    always = replace(plan, hours_a_day=HOURS_A_MONTH, days=Decimal(1))
    usd = reserved(always, discount=asked["discount"] / 100).instance + cost.disk + cost.transfer
    note = f"{_n(asked['discount'])} % off, but billed all {HOURS_A_MONTH} h of a month, used or not"
    return (*ways, Way("Reserved, 1 year", usd, note))


def _differs(asked, listed, disk, transfer):
    """Where what was typed is not what AWS's list says."""
    if asked["usd_per_hour"] is not None and asked["usd_per_hour"] != listed:
        yield f"AWS's list has ${_n(listed)} an hour for {asked['type']}."
    if disk and asked["disk_usd"] is not None and asked["disk_usd"] != disk.usd:
        yield f"AWS's list has ${_n(disk.usd)} per GB and month for the disk."
    if disk and asked["disk_usd_hour"] is not None:
        own = (asked["disk_gb"] * disk.usd / HOURS_A_MONTH).quantize(Decimal("0.0001"))
        if own != asked["disk_usd_hour"]:
            yield f"AWS's list has ${_n(own)} an hour for a disk of {_n(asked['disk_gb'])} GB."
    if transfer and asked["transfer_usd"] is not None and asked["transfer_usd"] != transfer.usd:
        yield (
            f"AWS's list has ${_n(transfer.usd)} per GB out to the internet, the first {_n(FREE_TRANSFER_GB)} GB of a "
            "month free, and nothing from S3 to a machine in the same region."
        )


def _n(number: Decimal) -> str:
    """As one would write it: no zeros at the end, no exponent."""
    return f"{number.normalize():f}"
