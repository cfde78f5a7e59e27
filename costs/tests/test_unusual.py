"""A day far above its own past: by table, and as it is found and told."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from costs import anomalies
from costs.models import Alert, DailySpend
from costs.tests import worlds
from costs.tests.worlds import SCOPE
from costs.unusual import FLOOR, SPENT, judged, median

D = Decimal
NOW = datetime(2025, 9, 18, 12, 0, tzinfo=UTC)
TODAY = date(2025, 9, 18)


def days(*amounts):
    return [D(str(amount)) for amount in amounts]


@pytest.mark.parametrize(
    ("why", "past", "usd", "is_odd"),
    [
        ("like every day", days(1, 1.1, 0.9, 1), "1.2", False),
        ("ten times the usual day", days(1, 1.1, 0.9, 1), "10", True),
        ("cents never alarm, whatever was before", days(0.01, 0.01, 0.01, 0.01), "1.99", False),
        ("three times, but days differ as much", days(1, 9, 2, 8, 1, 9, 5), "15", False),
        ("twice the usual of many equal days", days(*[5] * 14), "10", False),
        ("more than three times of it", days(*[5] * 14), "15.01", True),
        ("one dear night before hides no second one", days(1, 1, 80, 1, 1), "60", True),
        ("two days of a class a week, the rest quiet", days(2, 0, 0, 2, 0, 0, 0, 2, 0, 0, 2, 0, 0, 0), "2.5", False),
        ("and one far above these", days(2, 0, 0, 2, 0, 0, 0, 2, 0, 0, 2, 0, 0, 0), "20", True),
        ("not enough past: nothing", [], "500", False),
        ("not enough past: two days", days(1, 1), "500", False),
        ("not enough past: only quiet days", days(*[0] * 14), "500", False),
        ("what is older than two weeks does not count", days(1, 1, 1, *[0] * 14), "500", False),
    ],
)
def test_a_day_is_judged_against_the_days_before(why, past, usd, is_odd):
    assert (judged(past, D(usd)) is not None) is is_odd, why


amounts = st.decimals(0, 500, places=2)


@given(st.lists(amounts, max_size=20), amounts, amounts)
def test_what_is_far_above_stays_so_while_the_day_goes_on(past, usd, more):
    odd = judged(past, usd)
    if odd:
        assert judged(past, usd + more) is not None
        assert odd.limit_usd >= odd.usual_usd + FLOOR and usd > odd.limit_usd


@given(st.lists(amounts, min_size=3, max_size=14), amounts, st.randoms())
def test_the_order_of_the_days_does_not_matter(past, usd, chance):
    shuffled = chance.sample(past, len(past))
    assert (judged(past, usd) is None) == (judged(shuffled, usd) is None)


@given(st.lists(amounts.filter(lambda usd: usd >= SPENT), min_size=1))
def test_half_of_the_days_are_on_either_side_of_the_median(past):
    middle = median(past)
    assert sum(usd <= middle for usd in past) * 2 >= len(past) <= sum(usd >= middle for usd in past) * 2


# --- found ---------------------------------------------------------------------------------------------------------


def spent(account, amounts, *, service="SageMaker", owner=None, last=TODAY):
    """Its days up to `last`, the latest last."""
    for back, usd in enumerate(reversed(amounts)):
        DailySpend.objects.create(
            day=last - timedelta(days=back), account=account, owner=owner or account.owner, scope=account.scope,
            service=service, region="us-east-1", usd=D(str(usd)),
        )  # fmt: skip


@pytest.mark.django_db
def test_a_students_day_and_a_services_are_told_with_what_they_are_made_of(aye, ayes):
    spent(ayes, [1, 1, 1, 1, 30])
    spent(ayes, [0.5], service="EC2")
    new = anomalies.find(NOW)
    by_owner = {one.owner_id: one for one in new}
    assert set(by_owner) == {aye.pk, None} and len(new) == 2
    assert by_owner[aye.pk].sentence == "Aye: $30.50 on 18 September (UTC), and $1.00 is usual"
    assert by_owner[aye.pk].lines == [["SageMaker", "30.00"], ["EC2", "0.50"]]
    assert by_owner[None].sentence.startswith("SageMaker: $30.00") and by_owner[None].lines == [["Aye", "30.00"]]
    assert anomalies.find(NOW) == [], "nothing new"


@pytest.mark.django_db
def test_a_class_whose_every_day_is_usual_has_no_alert(aye, bo, ayes):
    spent(ayes, [1, 1, 1, 1, 1.5])
    spent(worlds.account_of(bo, number=2), [2, 2, 2, 2, 2])
    assert anomalies.find(NOW) == []


@pytest.mark.django_db
def test_yesterdays_news_is_read_this_morning_and_closes_the_day_after(aye, ayes):
    spent(ayes, [1, 1, 1, 30], last=TODAY - timedelta(days=1))
    assert {one.owner_id for one in anomalies.find(NOW)} == {aye.pk, None}
    anomalies.find(NOW + timedelta(days=1))
    assert not Alert.objects.open().exists()


@pytest.mark.django_db
def test_the_same_person_in_another_cohort_has_another_past(aye, ayes):
    spent(ayes, [1, 1, 1, 1])
    elsewhere = worlds.account_of(aye, number=5, scope="d" * 32, mode="own")
    spent(elsewhere, [30])
    assert anomalies.find(NOW) == []


@pytest.mark.django_db
def test_a_dress_rehearsal_is_nobodys_day(db):
    tester = worlds.person("rehearsal-x")
    tester.email = "rehearsal-x@lightsout.invalid"
    tester.save()
    spent(worlds.account_of(tester), [1, 1, 1, 30], service="EC2")
    assert [one.owner_id for one in anomalies.find(NOW)] == [None], "of the service it is told all the same"


@pytest.mark.django_db
def test_as_many_queries_for_forty_people_as_for_two(aye, bo):
    def asked():
        Alert.objects.all().delete()
        with CaptureQueriesContext(connection) as queries:
            anomalies.find(NOW)
        return len(queries)

    for number, owner in enumerate((aye, bo), start=1):
        spent(worlds.account_of(owner, number=number), [1, 1, 1, 30])
    few = asked()
    for number in range(10, 50):
        spent(worlds.account_of(worlds.person(f"S{number}"), number=number, scope=SCOPE), [1, 1, 1, 30])
    assert asked() == few
