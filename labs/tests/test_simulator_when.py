"""When a schedule of practice mode is due: AWS's three kinds of expressions, by table."""

from datetime import UTC, datetime, timedelta

import pytest

from labs.simulator.when import BadExpression, read

SINCE = datetime(2025, 9, 13, 7, 0, 30, tzinfo=UTC)  # a Saturday


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "zone", "due", "why"),
    [
        ("at(2025-09-13T15:30:00)", "UTC", "2025-09-13 15:30", "as it is written"),
        ("at(2025-09-13T15:30:00)", "Asia/Yangon", "2025-09-13 09:00", "Yangon is six and a half hours ahead"),
        ("at(2025-09-13T07:00:30)", "UTC", None, "not after the instant itself"),
        ("cron(0 21 ? * MON *)", "Asia/Yangon", "2025-09-15 14:30", "Monday 21:00 in Yangon: the weekly release"),
        ("cron(0 2 ? * MON-FRI *)", "UTC", "2025-09-15 02:00", "a Saturday is no weekday"),
        ("cron(0/15 * * * ? *)", "UTC", "2025-09-13 07:15", "every quarter of an hour"),
        ("cron(5,35 7 * * ? *)", "UTC", "2025-09-13 07:05", "the first of a list"),
        ("cron(0 10 L * ? *)", "UTC", "2025-09-30 10:00", "the last day of the month"),
        ("cron(0 10 14W * ? *)", "UTC", "2025-09-15 10:00", "the 14th is a Sunday: the Monday after it"),
        ("cron(0 10 1W NOV ? *)", "UTC", "2025-11-03 10:00", "the 1st is a Saturday, and the Friday is in October"),
        ("cron(0 10 ? * 6L *)", "UTC", "2025-09-26 10:00", "the month's last Friday"),
        ("cron(0 10 ? * L *)", "UTC", "2025-09-13 10:00", "a Saturday"),
        ("cron(0 10 ? * 3#4 *)", "UTC", "2025-09-23 10:00", "the fourth Tuesday"),
        ("cron(0 0 29 2 ? *)", "UTC", "2028-02-29 00:00", "the next leap year"),
        ("cron(0 0 1 1 ? 2024)", "UTC", None, "that year is over"),
    ],
)
def test_a_schedule_is_due_next(expression, zone, due, why):
    assert read(expression, zone).first_after(SINCE, SINCE) == (due and utc(due)), why


def test_an_hour_that_is_left_out_has_no_schedule():
    """On the fifth Sunday of March 2026 clocks in Berlin go from 02:00 to 03:00, and 2026 has no other one."""
    assert read("cron(30 2 ? MAR SUN#5 2025-2026)", "Europe/Berlin").first_after(SINCE, SINCE) is None


def test_an_hour_that_is_repeated_counts_once():
    nightly = read("cron(30 2 * * ? *)", "Europe/Berlin")
    first = nightly.first_after(utc("2025-10-25 12:00"), SINCE)
    assert first == utc("2025-10-26 00:30")
    assert nightly.first_after(first, SINCE) == utc("2025-10-27 01:30")


def test_a_rate_counts_from_its_beginning():
    every = read("rate(5 minutes)")
    assert every.first_after(SINCE - timedelta(seconds=1), SINCE) == SINCE
    assert every.first_after(SINCE, SINCE) == SINCE + timedelta(minutes=5)
    assert every.first_after(SINCE + timedelta(minutes=12), SINCE) == SINCE + timedelta(minutes=15)
    assert read("rate(1 day)").first_after(SINCE, SINCE) == SINCE + timedelta(days=1)


@pytest.mark.parametrize(
    ("expression", "zone"),
    [
        ("at(13-09-2025T07:00:00)", "UTC"),
        ("at(2025-13-01T00:00:00)", "UTC"),
        ("at(2025-09-13T15:30:00)", "Asia/Rangun"),
        ("rate(0 minutes)", "UTC"),
        ("rate(5 weeks)", "UTC"),
        ("cron(* * * * *)", "UTC"),
        ("cron(0 2 * * MON *)", "UTC"),
        ("cron(0 2 ? * ? *)", "UTC"),
        ("cron(60 2 * * ? *)", "UTC"),
        ("cron(0 2 * * ? 2025-1999)", "UTC"),
        ("cron(0/x 2 * * ? *)", "UTC"),
        ("cron(0 2 ? * FUNDAY *)", "UTC"),
        ("tomorrow", "UTC"),
    ],
)
def test_what_aws_does_not_take_is_refused(expression, zone):
    with pytest.raises(BadExpression):
        read(expression, zone)
