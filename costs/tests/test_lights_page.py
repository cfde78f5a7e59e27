"""The forgotten page says what happens next and when; "saved so far" leads to what it is made of."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from costs import forgotten, metering, scopes
from costs.lives import GRACE, Policy
from costs.models import Activity, TurnedOff
from costs.tests import worlds
from costs.tests.test_pages import page, words
from costs.tests.worlds import HOUR, NOW, SCOPE, instance, notebook, stranger, volume

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("prices", "now")]


@pytest.fixture
def told(db):
    scopes.tell(SCOPE, name="aws-ml", title="September", policy=Policy(GRACE, 2 * HOUR))


def idle(account, name="nb"):
    row = stranger(account, "sagemaker-notebook", notebook(since=NOW - 3 * HOUR, name=name), NOW)
    Activity.objects.create(
        resource=row, signal="CPUUtilization", window_began=NOW - HOUR, at=NOW, value=0.4, datapoints=12
    )
    return row


def test_each_row_says_what_happens_next_and_the_page_what_the_policy_is(client, teacher, told, ayes, bo):
    idle(ayes)
    stranger(ayes, "ec2-instance", instance(name="busy"), NOW)
    own = worlds.account_of(bo, number=7, mode="own")
    idle(own, "theirs")
    metering.meter(NOW)
    forgotten.judge(NOW)
    said = words(page(client, teacher, "forgotten"))
    # 08:17 UTC and two hours, in Yangon.
    assert "Goes off Thu 18 Sep, 16:47 unless it is used or snoozed." in said
    assert "We cannot see that nobody uses it, so nothing stops it: its people are only told." in said
    assert "It is in somebody’s own account: it is only told of." in said
    assert "Told at once, stopped after 2 h" in said
    assert reverse("portal:lights_policy", args=["aws-ml"]) in page(client, teacher, "forgotten").content.decode()


def test_nobodys_is_first_and_its_maker_is_named(client, teacher, told, ayes):
    stranger(ayes, "ec2-instance", instance(name="dear", type="m5.large"), NOW)
    shared = worlds.account_of(None, number=9, mode="shared")
    row = stranger(shared, "ebs-volume", volume(gb=1, name="cheap"), NOW)
    type(row).objects.filter(pk=row.pk).update(made_by="the IAM user zaw")
    metering.meter(NOW)
    forgotten.judge(NOW)
    said = words(page(client, teacher, "forgotten"))
    assert said.index("cheap") < said.index("dear")
    assert "Nobody’s first, then what will cost most" in said and "Made by the IAM user zaw" in said


def test_saved_so_far_leads_to_what_it_is_made_of_with_as_many_queries_for_many(client, teacher, told, ayes):
    def off(number, rate):
        row = stranger(ayes, "ec2-instance", instance(name=f"box{number}"), NOW)
        times = {"off_at": NOW - 3 * HOUR, "until": NOW - HOUR}
        TurnedOff.objects.create(resource=row, scope=SCOPE, act="stop", by="clock", usd_per_hour=rate, **times)

    def queries():
        with CaptureQueriesContext(connection) as asked:
            page(client, teacher, "saved")
        return len(asked)

    off(0, Decimal("1.25"))
    page(client, teacher, "saved")  # signing in anew asks once more than the first time
    few = queries()
    for number in range(1, 25):
        off(number, None)
    assert queries() == few
    said = words(page(client, teacher, "saved"))
    assert "Saved so far: about $2.50" in said and "24 had no price, and are not in the sum." in said
    assert "Its lab’s clock" in said and "practice" in said
    linked = page(client, teacher, "forgotten").content.decode()
    assert reverse("costs:saved") in linked and "about $2.50" in linked
