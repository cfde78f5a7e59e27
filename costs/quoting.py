"""PURE. From what the calculator is asked to what it answers: each way of paying, each line spelled out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

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
        words = _("We have no price for %(type)s in %(region)s. Choose another, or type its price.")
        raise Unpriced(words % {"type": type, "region": region})
    listed = sum((price.usd for price in used if price), ZERO)
    disk, transfer = (book.price_of(meter, region, at) for meter in (workload.disk, TRANSFER_OUT))
    if disk is None and asked["disk_usd"] is None and asked["disk_usd_hour"] is None:
        raise Unpriced(_("We have no price for disks in %(region)s. Type one.") % {"region": region})
    free = ZERO if asked["transfer_usd"] is not None else min(FREE_TRANSFER_GB, asked["transfer_gb"])
    if transfer is None and asked["transfer_usd"] is None and asked["transfer_gb"] > free:
        raise Unpriced(_("We have no price for data out of %(region)s. Type one.") % {"region": region})
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
        forgotten_how=_("$%(rate)s/h × %(hours)s h")
        % {"rate": _n(plan.instance_usd_per_hour), "hours": FORGOTTEN_HOURS},
        forgotten_month_usd=plan.instance_usd_per_hour * HOURS_A_MONTH,
        newest=max(days, default=None),
        lists=tuple(_differs(asked, listed, disk, transfer)),
    )


def _own(own: Decimal | None, listed: Decimal) -> Decimal:
    return listed if own is None else own


def _lines(plan: Plan, cost: Cost, count: int, free: Decimal) -> tuple[Line, ...]:
    each = plan.instance_usd_per_hour / count
    number = 1 if plan.days == 1 else 2
    compute = ngettext("$%(rate)s/h × %(hours)s h × %(days)s day", "$%(rate)s/h × %(hours)s h × %(days)s days", number)
    compute %= {"rate": _n(each), "hours": _n(plan.hours_a_day), "days": _n(plan.days)}
    compute = f"{count} × {compute}" if count > 1 else compute
    if plan.disk_usd_per_hour_in_all is not None and not plan.disk_kept_all_month:
        disk = _("$%(rate)s/h in all × %(hours)s h")
        disk %= {"rate": _n(plan.disk_usd_per_hour_in_all), "hours": _n(plan.hours)}
    elif plan.disk_kept_all_month:
        disk = _("%(gb)s GB × $%(usd)s a month, kept all month")
        disk %= {"gb": _n(plan.disk_gb), "usd": _n(plan.disk_usd_per_gb_month)}
    else:
        disk = _("%(gb)s GB × $%(usd)s / %(month)s h × %(hours)s h")
        disk %= {
            "gb": _n(plan.disk_gb),
            "usd": _n(plan.disk_usd_per_gb_month),
            "month": HOURS_A_MONTH,
            "hours": _n(plan.hours),
        }
    if plan.transfer_gb:
        form = _("%(gb)s GB × $%(usd)s, after %(free)s GB that are free") if free else _("%(gb)s GB × $%(usd)s")
        transfer = form % {"gb": _n(plan.transfer_gb), "usd": _n(plan.transfer_usd_per_gb), "free": _n(free)}
    else:
        transfer = _("Each account has %(gb)s GB a month free") % {"gb": _n(FREE_TRANSFER_GB)}
    return (
        Line(_("Compute"), compute, cost.instance),
        Line(_("Disk"), disk, cost.disk),
        Line(_("Transfer out"), transfer, cost.transfer),
    )


def _ways(book, workload, plan, cost, asked, region, at) -> tuple[Way, ...]:
    """On demand, spot and reserved, as the course names them; what of them there is for this machine."""
    ways = [Way(_("On demand"), cost.total, _("Always there while it is on"))]
    if workload.line:
        why = _("Of SageMaker, only for training that saves its state; AWS tells what it saved")
        ways.append(Way(_("Spot"), None, why))
        return (*ways, Way(_("Reserved, 1 year"), None, _("SageMaker has savings plans instead")))
    again = 1 + asked["again"] / 100
    spot = book.price_of(Meter("EC2", "spot", asked["type"], "Hrs"), region, at)
    uplift = [book.price_of(meter, region, at) for meter in workload.meters(asked["type"]) if meter.service == "EMR"]
    if spot:
        hour = (spot.usd + sum((price.usd for price in uplift if price), ZERO)) * workload.count
        off = 1 - hour / plan.instance_usd_per_hour if plan.instance_usd_per_hour > hour else ZERO
        usd = on_spot(plan, discount=off, interruption_factor=again).total
        note = _("AWS may stop it with 2 minutes' notice; %(share)s %% is done again. Its price moves")
        ways.append(Way(_("Spot"), usd, note % {"share": _n(asked["again"])}))
    else:
        note = _("We know no spot price of %(type)s in %(region)s")
        ways.append(Way(_("Spot"), None, note % {"type": asked["type"], "region": region}))
    # A reservation is for every hour of a month; disk and transfer are what they were.
    always = replace(plan, hours_a_day=HOURS_A_MONTH, days=Decimal(1))
    usd = reserved(always, discount=asked["discount"] / 100).instance + cost.disk + cost.transfer
    note = _("%(share)s %% off, but billed all %(hours)s h of a month, used or not")
    return (*ways, Way(_("Reserved, 1 year"), usd, note % {"share": _n(asked["discount"]), "hours": HOURS_A_MONTH}))


def _differs(asked, listed, disk, transfer):
    """Where what was typed is not what AWS's list says."""
    if asked["usd_per_hour"] is not None and asked["usd_per_hour"] != listed:
        words = _("AWS's list has $%(usd)s an hour for %(type)s.")
        yield words % {"usd": _n(listed), "type": asked["type"]}
    if disk and asked["disk_usd"] is not None and asked["disk_usd"] != disk.usd:
        yield _("AWS's list has $%(usd)s per GB and month for the disk.") % {"usd": _n(disk.usd)}
    if disk and asked["disk_usd_hour"] is not None:
        own = (asked["disk_gb"] * disk.usd / HOURS_A_MONTH).quantize(Decimal("0.0001"))
        if own != asked["disk_usd_hour"]:
            words = _("AWS's list has $%(usd)s an hour for a disk of %(gb)s GB.")
            yield words % {"usd": _n(own), "gb": _n(asked["disk_gb"])}
    if transfer and asked["transfer_usd"] is not None and asked["transfer_usd"] != transfer.usd:
        words = _(
            "AWS's list has $%(usd)s per GB out to the internet, the first %(gb)s GB of a month free, and nothing from "
            "S3 to a machine in the same region."
        )
        yield words % {"usd": _n(transfer.usd), "gb": _n(FREE_TRANSFER_GB)}


def _n(number: Decimal) -> str:
    """As one would write it: no zeros at the end, no exponent."""
    return f"{number.normalize():f}"
