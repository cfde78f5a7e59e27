"""How AWS counts: the course's figures, every rule of counting, and the mistakes that other meters make."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from costs.pricing import PriceUnknown, accrue, billed, billed_seconds, days, usd_per_hour
from labs.kinds.base import Meter

NOON = datetime(2025, 9, 18, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def ec2(kind="t3.medium", quantity=1):
    return Meter("EC2", "on-demand-linux", kind, "Hrs", Decimal(quantity), minimum_seconds=60)


def disk(gb, sku="gp3"):
    return Meter("EBS", "volume", sku, "GB-Mo", Decimal(gb), per="month", minimum_seconds=60)


def notebook():
    return Meter("SageMaker", "notebook", "ml.t3.medium", "Hrs")


def nat():
    return Meter("VPC", "nat-gateway", "hour", "Hrs", rounding="hour")


def kept_ready():
    return Meter("Lambda", "provisioned-concurrency", "x86", "GB-second", Decimal(3600), rounding="five-minutes")


def at(rate):
    return lambda _: Decimal(rate)


def cost(meter, rate, lasting, began=NOON):
    return billed(meter, at(rate), began, began + lasting)


@pytest.mark.parametrize(
    "meter, rate, lasting, usd, why",
    [
        (ec2("p3.2xlarge"), "3.06", 8 * HOUR, "24.48", "the course: 8 hours of p3.2xlarge"),
        (ec2("c5.4xlarge"), "0.68", 2 * HOUR, "1.36", "the course: 2 hours a day, 30 days of it are 40.80"),
        (ec2(), "0.0416", HOUR, "0.0416", "the course: an hour of t3.medium"),
        (notebook(), "0.05", 90 * MINUTE, "0.075", "SageMaker by the second: no whole hours"),
        (ec2("t3.medium", 3), "0.0416", HOUR, "0.1248", "three instances cost three times"),
        (disk(100), "0.08", 30 * 24 * HOUR, "8.00", "100 GB for a 30-day month"),
        (nat(), "0.045", MINUTE, "0.045", "a started hour of a NAT gateway counts whole"),
        (nat(), "0.045", 61 * MINUTE, "0.09", "and the next started hour too"),
        (ec2(), "0.0416", timedelta(seconds=5), "0.0006933333", "EC2: 60 s at least"),
        (notebook(), "0.05", timedelta(seconds=5), "0.0000694444", "a notebook has no minimum"),
        (kept_ready(), "0.000004", MINUTE, "0.0012", "1 GB of Lambda kept ready: five started minutes count whole"),
        (kept_ready(), "0.000004", 11 * MINUTE, "0.0036", "and eleven minutes are fifteen"),
        (ec2(), "0.0416", timedelta(0), "0", "nothing was on"),
    ],
)
def test_what_it_costs(meter, rate, lasting, usd, why):
    began = datetime(2025, 9, 1, tzinfo=UTC)
    assert cost(meter, rate, lasting, began) == Decimal(usd), why


def test_a_gigabyte_month_has_the_seconds_of_its_own_month():
    day = 24 * HOUR
    february = datetime(2026, 2, 1, tzinfo=UTC)
    assert cost(disk(100), "0.08", 28 * day, february) == Decimal("8.00")
    # 7 days of September's 30 and 7 of October's 31.
    across = cost(disk(100), "0.08", 14 * day, datetime(2025, 9, 24, tzinfo=UTC))
    assert abs(across - (Decimal(8) * 7 / 30 + Decimal(8) * 7 / 31)) < Decimal("0.00000001")


def test_a_price_that_changes_counts_from_its_day():
    def rate_at(instant):
        return Decimal("0.10") if instant.day < 19 else Decimal("0.20")

    assert billed(notebook(), rate_at, NOON, NOON + 24 * HOUR) == Decimal("0.10") * 12 + Decimal("0.20") * 12


def test_without_a_price_it_is_unknown_and_never_nothing():
    with pytest.raises(PriceUnknown):
        billed(notebook(), lambda _: None, NOON, NOON + HOUR)
    unpriced = accrue(notebook(), None, NOON, NOON, NOON + HOUR)
    assert (unpriced.usd, unpriced.quantity) == (None, 1)


def test_a_price_of_nothing_is_a_price():
    assert billed(notebook(), at(0), NOON, NOON + HOUR) == 0


@pytest.mark.parametrize(
    "meter, rate, lasting, wrong, right, bug",
    [
        (disk(100), "0.08", 30 * 24 * HOUR, "0.08", "8.00", "price x months without the size"),
        (
            Meter("VPC", "public-ipv4", "in-use-address", "Hrs"),
            "0.005",
            24 * HOUR,
            "0",
            "0.12",
            "an attached address at 0",
        ),
        (nat(), "0.045", 24 * HOUR, "0", "1.08", "a NAT gateway at 0"),
        (
            Meter("CloudWatch", "alarms", "high-resolution", "alarm-Mo", per="month"),
            "0.30",
            30 * 24 * HOUR,
            "219",
            "0.30",
            "a $0.30 alarm as if it were by the hour",
        ),
        (ec2(), "0.0416", 61 * MINUTE, "0.0832", "0.0422933333", "whole hours for what is billed by the second"),
    ],
)
def test_bugs_of_other_meters(meter, rate, lasting, wrong, right, bug):
    usd = cost(meter, rate, lasting, datetime(2025, 9, 1, tzinfo=UTC))
    assert usd == Decimal(right), bug
    assert usd != Decimal(wrong), bug


def test_three_cents_in_decimal_are_not_three_cents_in_floats():
    thirds = sum(cost(notebook(), "0.1", 20 * MINUTE) for _ in range(3))
    assert isinstance(thirds, Decimal)
    assert thirds == Decimal("0.0999999999")


def test_looking_often_does_not_charge_the_minimum_often():
    meter, end = ec2(), NOON + timedelta(seconds=30)
    looks = [NOON + timedelta(seconds=n) for n in range(31)]
    parts = [accrue(meter, Decimal("0.0416"), NOON, a, b).usd for a, b in zip(looks, looks[1:], strict=False)]
    assert sum(parts) == cost(meter, "0.0416", end - NOON)
    assert parts[0] == sum(parts), "the first second brings the whole minimum; the next 29 are in it"


def test_the_rate_an_hour_of_a_disk_is_of_this_month():
    assert usd_per_hour(disk(30), Decimal("0.08"), NOON) == Decimal("0.0033333333")
    assert usd_per_hour(ec2(quantity=2), Decimal("0.0416"), NOON) == Decimal("0.0832")


def test_a_stretch_over_midnight_has_to_be_cut_first():
    with pytest.raises(ValueError, match="one UTC day"):
        accrue(ec2(), Decimal(1), NOON, NOON, NOON + 24 * HOUR)
    assert list(days(NOON, NOON + 24 * HOUR)) == [
        (NOON, datetime(2025, 9, 19, tzinfo=UTC)),
        (datetime(2025, 9, 19, tzinfo=UTC), NOON + 24 * HOUR),
    ]


# --- for any meter, any instant, any split ---------------------------------------------------------------------

instants = st.datetimes(datetime(2024, 2, 27), datetime(2026, 3, 2), timezones=st.just(UTC))
lengths = st.timedeltas(timedelta(0), timedelta(days=70))
rates = st.decimals("0", "50", places=4)
meters = st.builds(
    Meter,
    service=st.just("X"),
    kind=st.just("x"),
    sku=st.just("x"),
    unit=st.just("Hrs"),
    quantity=st.decimals("0.1", "100", places=1),
    per=st.sampled_from(["hour", "month"]),
    minimum_seconds=st.sampled_from([0, 60]),
    rounding=st.sampled_from(["second", "five-minutes", "hour"]),
)


@given(meters, rates, instants, lengths, st.lists(st.floats(0, 1), max_size=6))
@example(ec2(), Decimal("0.0416"), datetime(2025, 9, 30, 23, 59, 50, tzinfo=UTC), timedelta(minutes=1), [0.1, 0.2])
@example(nat(), Decimal("0.045"), datetime(2025, 9, 30, 23, 30, tzinfo=UTC), 2 * HOUR, [0.25])
def test_any_split_adds_up_to_the_whole_and_no_part_is_negative(meter, rate, began, lasting, cuts):
    until = began + lasting
    marks = sorted({began, until, *(began + lasting * share for share in cuts)})
    parts = [billed(meter, at(rate), began, b, start=a) for a, b in zip(marks, marks[1:], strict=False)]
    assert sum(parts, Decimal(0)) == billed(meter, at(rate), began, until)
    assert min(parts, default=Decimal(0)) >= 0


@given(meters, rates, instants, st.timedeltas(timedelta(0), timedelta(minutes=30)))
def test_it_is_what_counting_second_by_second_gives(meter, rate, began, lasting):
    """A slow reference that knows nothing of days or differences: one second after the other, each at its own price."""
    seconds = -(-lasting // timedelta(seconds=1))
    step = {"second": 1, "five-minutes": 300, "hour": 3600}[meter.rounding]
    seconds = -(-seconds // step) * step
    if seconds:
        seconds = max(seconds, meter.minimum_seconds)
    usd, ended_at = Decimal(0), began + lasting
    for n in range(seconds):
        # What is billed beyond the end was begun before it: it belongs to the day in which it was begun.
        second = began + timedelta(seconds=n)
        day = second if second < ended_at else max(began, ended_at - timedelta(microseconds=1))
        if meter.rounding == "hour" or n < meter.minimum_seconds:
            day = began
        elif meter.rounding == "five-minutes":
            day = began + timedelta(seconds=n // 300 * 300)  # in which these five minutes were begun
        month = (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        unit = 3600 if meter.per == "hour" else month.day * 86400
        usd += meter.quantity * rate / unit
    tolerance = Decimal("0.00000001")
    assert abs(usd - billed(meter, at(rate), began, ended_at)) <= tolerance


@given(meters, instants, lengths, lengths)
def test_what_is_billed_never_falls_as_time_goes_on(meter, began, lasting, more):
    assert billed_seconds(meter, began, began + lasting) <= billed_seconds(meter, began, began + lasting + more)
