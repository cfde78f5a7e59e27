"""The week in figures, told on Sunday evening to whoever teaches."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conftest import member
from costs import metering, pricebook
from costs.models import Finding, TurnedOff
from costs.weeks import week_of
from labs import ledger, practice
from labs.kinds.base import Seen
from portal import weekly
from portal.models import Notice

pytestmark = pytest.mark.django_db
YANGON = ZoneInfo("Asia/Yangon")
SUNDAY = datetime(2025, 9, 21, 18, 0, tzinfo=YANGON)
HOUR = timedelta(hours=1)


@pytest.fixture
def left_on(cohort, aye):
    """Aye's machine, on for ten hours at $0.0416, and metered."""
    pricebook.load()
    began = SUNDAY - 10 * HOUR
    account = practice.account_of(aye, now=began, scope=cohort.scope)
    seen = Seen("running", "i-1", "box", began, {"type": "t3.medium", "platform": "linux", "spot": False, "disks": []})
    [row] = ledger.enter_strangers([(account, "ec2-instance", seen, "us-east-1")], began)
    ledger.confirm([row.pk], SUNDAY)
    metering.meter(SUNDAY)
    Finding.objects.create(resource=row, rule="stranger", sentence="No lab made it", opened_at=began)
    return row


@pytest.mark.parametrize(
    ("at", "is_told"),
    [
        (SUNDAY - timedelta(seconds=1), False),
        (SUNDAY, True),
        (SUNDAY.replace(hour=23, minute=59), True),
        (SUNDAY + 6 * HOUR, False),
        (SUNDAY - timedelta(days=1), False),
    ],
)
def test_sunday_evening_is_the_cohorts_own(at, is_told):
    assert (weekly.sunday_of(at.astimezone(UTC), YANGON) is not None) == is_told


def test_who_teaches_is_told_once_a_week_and_students_are_not(cohort, aye, chit):
    assert weekly.tell(SUNDAY) == 1
    assert weekly.tell(SUNDAY + HOUR) == 0
    assert weekly.tell(SUNDAY + timedelta(days=7)) == 1
    assert {notice.person for notice in Notice.objects.all()} == {chit}


def test_a_cohort_that_is_over_for_long_tells_no_more(cohort, chit):
    assert weekly.tell(datetime(2026, 9, 6, 19, 0, tzinfo=YANGON)) == 0


def test_it_has_spend_the_top_what_is_on_and_what_was_saved(cohort, chit, left_on):
    TurnedOff.objects.create(
        resource=left_on,
        scope=cohort.scope,
        act="stop",
        by="clock",
        off_at=SUNDAY - 4 * HOUR,
        until=SUNDAY - 2 * HOUR,
        usd_per_hour=Decimal("1.5"),
    )
    weekly.tell(SUNDAY)
    notice = Notice.objects.get()
    assert (notice.topic, notice.subject) == ("teaching", "September 2025 cohort: $0.42 this week, 1 light left on")
    for line in (
        "- Aye: $0.42",
        "- EC2 instance box, Aye: $0.42",
        "- EC2 instance box, Aye: No lab made it.",
        "about $3.00",
        "Of it $3.00 in practice mode, where nobody is billed.",
    ):
        assert line in notice.words


def test_the_sum_is_of_seven_utc_days(cohort, left_on):
    assert week_of(cohort.scope, SUNDAY).usd == Decimal("0.416")
    assert week_of(cohort.scope, SUNDAY + timedelta(days=6)).usd == Decimal("0.416")
    assert week_of(cohort.scope, SUNDAY + timedelta(days=7)).usd == 0


def test_as_many_queries_for_many_students_as_for_few(cohort, chit, left_on):
    def queries(number):
        for n in range(number):
            person = member(cohort, f"s{number}-{n}", "student", SUNDAY - 10 * HOUR)
            account = practice.account_of(person, now=SUNDAY - 10 * HOUR, scope=cohort.scope)
            seen = Seen("running", f"i-{person.pk}", "box", SUNDAY - 10 * HOUR, left_on.facts)
            [row] = ledger.enter_strangers([(account, "ec2-instance", seen, "us-east-1")], SUNDAY - 10 * HOUR)
            ledger.confirm([row.pk], SUNDAY)
        metering.meter(SUNDAY)
        with CaptureQueriesContext(connection) as asked:
            week_of(cohort.scope, SUNDAY)
        return len(asked)

    assert queries(2) == queries(6)
