"""PURE: what the portal itself costs a class in a month at AWS, by calculation: docs/own-bill.md is this, in words.

Every assumption is a field of `Plan`; how often the portal looks is its own constants; what a look asks for is held
against the simulator by costs/tests/test_own_bill.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from costs.own_use import (
    ALARM_CALLS,
    KEY_CALLS,
    METRICS,
    PAGES,
    S3_LISTS,
    S3_READS,
    SCHEDULES,
    SECRET_CALLS,
    Cost,
    Share,
    cost_of,
)

MONTH = timedelta(days=30)
DAY = timedelta(days=1)

# What one census of an account asks that AWS bills: once, and once more in each region.
A_CENSUS: Mapping[str, int] = {S3_LISTS: 1}
A_CENSUS_IN_A_REGION: Mapping[str, int] = {KEY_CALLS: 2, SECRET_CALLS: 1, ALARM_CALLS: 1}
# Dashboards are one list an account.
A_CENSUS_OF_ALARMS = 1


@dataclass(frozen=True)
class Plan:
    """A class, and how the portal looks after it. accounts: 1 is a shared one; else as many as students.

    labs: that each student does in the month. a_lab: what one asks of S3 beside the lists (laying out a bucket, looking
    into it, emptying it). on_hours: a day, of the things that each student has on, `things` at a time, each with so
    many metrics. buckets, keys, secrets: that stay in each account all month.
    """

    students: int = 50
    accounts: int = 1
    regions: int = 2
    labs: int = 12
    a_lab_s3_lists: int = 60
    a_lab_s3_reads: int = 120
    a_lab_schedules: int = 3
    on_hours: int = 8
    things: int = 2
    metrics: Decimal = Decimal("1.5")
    buckets: int = 1
    keys: int = 1
    secrets: int = 1
    census_every: timedelta = timedelta(minutes=15)
    listed_again_after: timedelta = timedelta(minutes=10)
    look_every: timedelta = timedelta(hours=1)
    bill_every: timedelta = DAY
    bill_pages: int = 2


def quantities(plan: Plan) -> dict[str, Decimal]:
    """{what: how often in a month in one account}."""
    censuses = MONTH / plan.census_every
    found = censuses / 2  # what AWS bills the list of is left out of every second one (labs.census.is_left_out)
    # What is known is listed besides as often as its age asks for.
    lists = MONTH / plan.listed_again_after - found
    described = MONTH / timedelta(hours=1)  # Kind.max_age_seconds
    students = Decimal(plan.students) / plan.accounts
    looks = Decimal(plan.on_hours * 30) / Decimal(plan.look_every / timedelta(hours=1))
    in_regions = {what: plan.regions * number for what, number in A_CENSUS_IN_A_REGION.items()}
    return {
        S3_LISTS: Decimal(found * A_CENSUS[S3_LISTS] + lists * bool(plan.buckets) + described * plan.buckets)
        + students * plan.labs * plan.a_lab_s3_lists,
        S3_READS: Decimal(described * plan.buckets * 2) + students * plan.labs * plan.a_lab_s3_reads,
        KEY_CALLS: Decimal(
            found * (in_regions[KEY_CALLS] + plan.keys)
            + lists * bool(plan.keys) * (A_CENSUS_IN_A_REGION[KEY_CALLS] + plan.keys)
            + described * plan.keys * 2
        ),
        SECRET_CALLS: Decimal(found * in_regions[SECRET_CALLS] + lists * bool(plan.secrets) + described * plan.secrets),
        ALARM_CALLS: Decimal(censuses * (in_regions[ALARM_CALLS] + A_CENSUS_OF_ALARMS)),
        METRICS: students * plan.things * plan.metrics * looks,
        PAGES: Decimal(MONTH / plan.bill_every) * plan.bill_pages,
        SCHEDULES: students * plan.labs * plan.a_lab_schedules,
    }


def month_of(plan: Plan, usd_a_unit: Mapping[str, Decimal]) -> list[Cost]:
    """What the month costs in all accounts together, the dearest first. usd_a_unit: of each of own_use.USES."""
    asked = quantities(plan)
    return cost_of(
        Share(account, what, round(quantity), usd_a_unit[what])
        for account in range(plan.accounts)
        for what, quantity in asked.items()
    )


def total(costs: list[Cost]) -> Decimal:
    """USD."""
    return sum((cost.usd or Decimal(0) for cost in costs), Decimal(0))


SHARED = Plan(buckets=50, keys=5, secrets=5)
OWN = Plan(accounts=50, bill_every=timedelta(days=14), bill_pages=1)
