"""The portal's own bill by calculation: a class of 50 for a month under $5, and docs say what the code does."""

import dataclasses
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings as conf

from costs import activity, billing, own_use, pricebook
from costs.own_bill import (
    A_CENSUS,
    A_CENSUS_IN_A_REGION,
    A_CENSUS_OF_ALARMS,
    OWN,
    SHARED,
    Plan,
    month_of,
    quantities,
    total,
)
from costs.own_use import ALARM_CALLS, USES
from costs.tests import worlds
from costs.tests.worlds import HOUR
from labs import aws, census
from labs.kinds import registry
from labs.kinds.base import Kind
from labs.models import Account

D = Decimal
DOC = Path(conf.BASE_DIR) / "docs" / "own-bill.md"


def prices():
    """{what: USD a unit} in us-east-1, from the shipped price book."""
    here = [price for price in pricebook.read(pricebook.SHIPPED) if price.region == "us-east-1"]
    lines = {(price.service, price.kind, price.sku, price.unit): price.usd for price in here}
    return {what: lines[use.meter.service, use.meter.kind, use.meter.sku, use.meter.unit] for what, use in USES.items()}


@pytest.mark.parametrize(("plan", "accounts"), [(SHARED, 1), (OWN, 50)])
def test_a_class_of_fifty_costs_less_than_five_dollars_a_month(plan, accounts):
    assert (plan.students, plan.accounts) == (50, accounts)
    assert total(month_of(plan, prices())) < 5


def test_metrics_every_five_minutes_would_break_it():
    """What the hourly look is for: the calculation has to notice."""
    often = dataclasses.replace(SHARED, look_every=timedelta(minutes=5))
    assert total(month_of(often, prices())) > 5


def test_lists_every_minute_would_break_it():
    often = dataclasses.replace(OWN, listed_again_after=timedelta(minutes=1))
    assert total(month_of(often, prices())) > 10


def test_the_plan_looks_as_often_as_the_portal_does():
    assert Plan().census_every.total_seconds() == conf.CELERY_BEAT_SCHEDULE["look into every account"]["schedule"]
    assert Plan().listed_again_after == census.LISTED_AGAIN_AFTER
    assert Plan().look_every == activity.LOOK_EVERY
    assert SHARED.bill_every == billing.EVERY[Account.SHARED]
    assert OWN.bill_every == billing.EVERY[Account.OWN]
    assert Kind.max_age_seconds == 3600
    assert {registry()[name].max_age_seconds for name in ("s3-bucket", "kms-key", "secret")} == {3600}


def test_the_page_in_docs_has_the_figures_of_the_code():
    text = DOC.read_text()
    for title, plan in (("One shared account", SHARED), ("Fifty accounts of students", OWN)):
        costs = month_of(plan, prices())
        table = text.split(f"## {title}")[1].split("##")[0]
        rows = dict(re.findall(r"^\| ([^|]+?) \| [\d,]+ \| [\d,]* *\| \$([\d.]+) \|$", table, re.M))
        assert rows == {cost.use.title: f"{cost.usd:.2f}" for cost in costs}
        asked = dict(re.findall(r"^\| ([^|]+?) \| ([\d,]+) \|", table, re.M))
        assert asked == {cost.use.title: f"{cost.quantity:,}" for cost in costs}
        assert f"**${total(costs):.2f} a month**" in table


# --- what is asked, by the simulator's own count -----------------------------------------------------------------


@pytest.fixture
def account(aye, simulator, settings):
    simulator.serves(settings)
    settings.ABSENCE_GAP = timedelta(0)
    aws.forget_clients()
    yield worlds.account_of(
        aye, aws_id=simulator.new_account(), boot_id=simulator.boot()["boot_id"], at=datetime.now(UTC) - HOUR
    )
    aws.forget_clients()


def now():
    return datetime.now(UTC)


def asked():
    """{what: how often} since the last time."""
    found = Counter()
    for (_, _, what), number in own_use.take().items():
        found[what] += number
    return found


@pytest.mark.django_db
@pytest.mark.simulator
def test_a_census_asks_what_the_plan_says(account):
    own_use.take()
    census.census_all(now, [account])
    expected = Counter({what: len(account.regions) * number for what, number in A_CENSUS_IN_A_REGION.items()})
    expected.update(A_CENSUS)
    expected[ALARM_CALLS] += A_CENSUS_OF_ALARMS
    assert asked() == expected


@pytest.mark.django_db
@pytest.mark.simulator
def test_a_bill_is_read_over_http_and_its_pages_are_counted(account, simulator):
    """moto's Cost Explorer answers what it was told, to each question the next of it."""
    day = {"TimePeriod": {"Start": "2025-09-15", "End": "2025-09-16"}, "Total": {}, "Estimated": False}
    cost = {"UnblendedCost": {"Amount": "1.2345678901", "Unit": "USD"}}
    groups = [{"Keys": ["Amazon SageMaker AI", "Usage"], "Metrics": cost}]
    pages = [
        {"ResultsByTime": [day | {"Groups": groups}], "NextPageToken": "more"},
        {"ResultsByTime": [day | {"Groups": [{"Keys": ["Tax", "Tax"], "Metrics": cost}]}]},
    ]
    simulator.bill(account.aws_id, pages)
    own_use.take()
    days, lines = billing.read(account, datetime(2025, 9, 15).date(), datetime(2025, 9, 16).date())
    assert list(days.values()) == [False]
    assert [(line.service, line.record, line.usd) for line in lines] == [
        ("Amazon SageMaker AI", "Usage", D("1.2345678901")),
        ("Tax", "Tax", D("1.2345678901")),
    ]
    assert asked() == {own_use.PAGES: 2}


def test_quantities_are_of_one_account():
    one, many = quantities(SHARED), quantities(OWN)
    assert one["metrics"] == many["metrics"] * 50
