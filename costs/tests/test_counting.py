"""What is billed by the piece: CloudWatch counts it, each window is metered once, and the sums agree."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum

from costs import counting, metering, own_use
from costs.models import DailySpend, Metered, OwnUse, Price, Reading
from costs.pricebook import PriceBook
from costs.tests.test_activity import FakeCloudWatch
from costs.tests.worlds import DAY, HOUR, MINUTE, NOW, stranger
from labs import aws, ledger
from labs.kinds import kind_of, registry
from labs.kinds.base import RUNNING, Seen

pytestmark = pytest.mark.django_db
D = Decimal
BEGAN = NOW - 5 * HOUR


def function(name="fn", memory=512, architecture="x86_64"):
    return Seen(RUNNING, name, name, BEGAN, {"memory": memory, "architecture": architecture, "provisioned": []})


@pytest.fixture
def cloudwatch(monkeypatch):
    made = FakeCloudWatch()
    monkeypatch.setattr(aws, "client", made.client)
    return made


@pytest.fixture(autouse=True)
def lambdas_prices():
    for kind, sku, unit, usd in (
        ("requests", "x86", "1M-requests", "0.2"),
        ("duration", "x86-tier1", "GB-second", "0.0000166667"),
    ):
        Price.objects.create(
            service="Lambda", kind=kind, sku=sku, unit=unit, region="us-east-1", usd=D(usd), valid_from=BEGAN.date()
        )


@pytest.fixture
def row(ayes):
    row = stranger(ayes, "lambda-function", function(), BEGAN)
    metering.meter(BEGAN)
    return row


def total(row):
    return Metered.objects.get(resource=row).usd


def test_calls_and_the_time_that_they_ran_cost_what_aws_says(row, cloudwatch):
    """A million calls of 100 ms with 512 MB: $0.20, and 50,000 GB-seconds."""
    cloudwatch.metrics = {("Invocations", "fn"): [400_000, 600_000], ("Duration", "fn"): [40_000_000, 60_000_000]}
    assert counting.count(NOW) == 2
    calls, time = Reading.objects.order_by("-unit", "pk").filter(resource=row).order_by("unit")
    assert (calls.quantity, calls.usd) == (1, D("0.2"))
    assert (time.quantity, time.usd) == (50_000, D("0.833335"))
    assert total(row) == D("1.033335") == DailySpend.objects.aggregate(usd=Sum("usd"))["usd"]
    assert {one.service for one in (calls, time)} == {"Lambda"}


def test_a_window_is_metered_once_and_the_next_begins_where_it_ended(row, cloudwatch):
    cloudwatch.metrics = {("Invocations", "fn"): [1_000_000]}
    assert counting.count(NOW) == 1
    assert counting.count(NOW + MINUTE) == 0, "once an hour"
    assert counting.count(NOW + 2 * HOUR) == 1
    first, second = Reading.objects.order_by("start")
    assert first.end == second.start and second.end <= NOW + 2 * HOUR - counting.LATE
    assert total(row) == D("0.4")


def test_a_window_ends_with_its_day(row, cloudwatch):
    cloudwatch.metrics = {("Invocations", "fn"): [1]}
    for hours in range(0, 60, 3):
        counting.count(NOW + hours * HOUR)
    windows = list(Reading.objects.order_by("start").values_list("start", "end"))
    assert all(start.date() == (end - timedelta(seconds=1)).date() for start, end in windows)
    assert all(before[1] == after[0] for before, after in zip(windows, windows[1:], strict=False))


def test_of_two_workers_the_second_meters_nothing(row, cloudwatch):
    cloudwatch.metrics = {("Invocations", "fn"): [1_000_000]}
    [late] = list(counting._due(NOW).select_related("account", "metered"))
    counting.count(NOW)
    since, until = counting._window(late, NOW)
    [calls, _] = kind_of("lambda-function").counted(function())
    assert counting._meter(late, {calls: D(1_000_000)}, since, until, PriceBook.open()) == 0
    assert total(row) == D("0.2")


def test_the_last_calls_of_one_that_is_gone_are_counted_too_and_then_no_more(row, cloudwatch):
    cloudwatch.metrics = {("Invocations", "fn"): [1_000_000]}
    counting.count(NOW)
    ledger.close(ledger.claim(NOW + HOUR, pk=row.pk), NOW + HOUR, "it is gone")
    metering.meter(NOW + HOUR)
    assert counting.count(NOW + HOUR + 20 * MINUTE) == 1
    assert counting.count(NOW + DAY) == 0
    assert total(row) == D("0.4")


def test_where_nothing_was_called_nothing_is_written_and_the_window_is_over(row, cloudwatch):
    assert counting.count(NOW) == 0
    assert not Reading.objects.exists()
    assert Metered.objects.get(resource=row).counted_until > NOW - HOUR


def test_a_place_that_does_not_answer_has_its_turn_again(row, cloudwatch):
    cloudwatch.refuses = {"us-east-1"}
    assert counting.count(NOW) == 0
    cloudwatch.refuses, cloudwatch.metrics = set(), {("Invocations", "fn"): [1_000_000]}
    assert counting.count(NOW + MINUTE) == 1


def test_without_a_price_it_is_unpriced_and_not_nothing(ayes, cloudwatch):
    row = stranger(ayes, "lambda-function", function("arm", architecture="arm64"), BEGAN)
    metering.meter(BEGAN)
    cloudwatch.metrics = {("Invocations", "arm"): [5]}
    counting.count(NOW)
    metered = Metered.objects.get(resource=row)
    assert metered.usd == 0 and metered.unpriced_seconds > 0


def test_what_the_portal_asks_is_on_its_own_bill(row, cloudwatch):
    own_use.record(NOW)  # what tests before this one asked
    OwnUse.objects.all().delete()
    counting.count(NOW)
    own_use.record(NOW)
    assert OwnUse.objects.get(what="metrics").quantity == 2


def test_every_count_has_its_line_in_the_shipped_book(whole_book):
    book, facts = PriceBook.open(), {"memory": 512, "architecture": "x86_64", "protocol": "HTTP"}
    for name in counting._kinds():
        for one in registry()[name].counted(Seen(RUNNING, "x", "x", NOW, facts)):
            assert book.price_of(one.meter, "us-east-1", NOW), one.meter.slug
