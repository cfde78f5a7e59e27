"""PURE. What a plan would cost: on demand, on spot, reserved, and the course's own cost framework.

    hourly = instance + disk rate x GB + data transfer
    daily = hourly x hours, monthly = daily x days, annual = monthly x 12

The framework pays for the disk only in the hours of the instance. A disk that stays (AWS bills it by the month, also
while the instance is stopped) is the input `disk_kept_all_month`. Money is Decimal and not rounded: round to show.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

# A quote turns a price per month into one per hour by 730; the bill counts the month's own seconds (pricing.py).
HOURS_A_MONTH = Decimal(730)
ZERO, ONE = Decimal(0), Decimal(1)


@dataclass(frozen=True)
class Plan:
    """Inputs. The disk has a price per GB-month, or, as the course writes it once, one price an hour for all of it."""

    instance_usd_per_hour: Decimal
    hours_a_day: Decimal
    days: Decimal = ONE
    disk_gb: Decimal = ZERO
    disk_usd_per_gb_month: Decimal = ZERO
    disk_usd_per_hour_in_all: Decimal | None = None
    disk_kept_all_month: bool = False
    transfer_gb: Decimal = ZERO  # in the whole plan, not a day
    transfer_usd_per_gb: Decimal = ZERO

    @property
    def hours(self) -> Decimal:
        return self.hours_a_day * self.days

    @property
    def disk_usd_per_hour(self) -> Decimal:
        if self.disk_usd_per_hour_in_all is not None:
            return self.disk_usd_per_hour_in_all
        return self.disk_gb * self.disk_usd_per_gb_month / HOURS_A_MONTH


@dataclass(frozen=True)
class Cost:
    """What a plan costs over its days, part by part, in USD."""

    instance: Decimal
    disk: Decimal
    transfer: Decimal

    @property
    def total(self) -> Decimal:
        return self.instance + self.disk + self.transfer


def on_demand(plan: Plan) -> Cost:
    if plan.disk_kept_all_month:
        disk = plan.disk_gb * plan.disk_usd_per_gb_month
    else:
        disk = plan.disk_usd_per_hour * plan.hours
    return Cost(
        instance=plan.instance_usd_per_hour * plan.hours,
        disk=disk,
        transfer=plan.transfer_gb * plan.transfer_usd_per_gb,
    )


def on_spot(plan: Plan, *, discount: Decimal, interruption_factor: Decimal = ONE) -> Cost:
    """What remains to be paid on spot. discount: 0 to 1 off the on-demand price; interruption_factor: 1 or more, the
    share of work that is done again because the instance was taken away. Disk and transfer have no spot price."""
    _check_discount(discount)
    if interruption_factor < 1:
        raise ValueError(f"an interruption factor is 1 or more, not {interruption_factor}")
    cost = on_demand(plan)
    return replace(cost, instance=cost.instance * (1 - discount) * interruption_factor)


def reserved(plan: Plan, *, discount: Decimal) -> Cost:
    """What remains to be paid when reserved for 1 or 3 years, for the same hours. discount: 0 to 1.

    A reservation is paid for every hour of its term, used or not: it pays only where the instance is nearly always on.
    """
    _check_discount(discount)
    cost = on_demand(plan)
    return replace(cost, instance=cost.instance * (1 - discount))


@dataclass(frozen=True)
class Framework:
    """The course's four lines, in USD."""

    hourly: Decimal
    daily: Decimal
    monthly: Decimal
    annual: Decimal


def framework(plan: Plan) -> Framework:
    """Hourly, daily, monthly (plan.days of the month) and annual cost as the course teaches it."""
    monthly = on_demand(plan).total
    hours = plan.hours or ONE
    return Framework(hourly=monthly / hours, daily=monthly / (plan.days or ONE), monthly=monthly, annual=monthly * 12)


def _check_discount(discount: Decimal) -> None:
    if not 0 <= discount <= 1:
        raise ValueError(f"a discount is between 0 and 1, not {discount}")
