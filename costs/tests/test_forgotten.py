"""Findings open and close by themselves; people remind and put off."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from costs import forgotten
from costs.models import Activity, Finding, Scope
from costs.tests import worlds
from costs.tests.worlds import DAY, HOUR, MINUTE, NOW, SCOPE, instance, notebook, stranger
from labs import launching, ledger
from labs.kinds.base import STOPPED
from labs.models import Event

pytestmark = pytest.mark.django_db


def sentences(row):
    return set(Finding.objects.open().filter(resource=row).values_list("sentence", flat=True))


def words(row, code):
    return list(Event.objects.filter(resource=row, code=code).values_list("words", flat=True))


def test_something_made_by_hand_in_another_region_is_found_with_its_reasons(ayes):
    row = stranger(ayes, "ec2-instance", instance(since=NOW - 26 * HOUR), NOW, region="ap-southeast-1")
    assert forgotten.judge(NOW) == forgotten.Judged(opened=2, closed=0, open=2)
    assert sentences(row) == {
        "In ap-southeast-1, where no lab runs",
        "In no lab: made by hand, or by a service",
    }
    found = Finding.objects.get(resource=row, rule="wrong-region")
    assert (found.action, found.since) == ("stop", NOW - 26 * HOUR)
    assert words(row, "forgotten") == [
        "EC2 instance box: In no lab: made by hand, or by a service",
        "EC2 instance box: In ap-southeast-1, where no lab runs",
    ]


def test_judging_again_opens_nothing_twice(ayes):
    row = stranger(ayes, "ec2-instance", instance(), NOW)
    forgotten.judge(NOW)
    assert forgotten.judge(NOW + MINUTE) == forgotten.Judged(0, 0, 1)
    assert len(words(row, "forgotten")) == 1


def test_a_lab_within_its_time_is_not_forgotten(aye, ayes):
    made = worlds.launch(aye, ayes, NOW, box="ec2-instance")
    worlds.saw(worlds.row_of(made, "box"), instance(), NOW)
    assert forgotten.judge(NOW + HOUR).open == 0


def test_what_outlives_its_lab_is_found_and_says_why_it_did_not_go(aye, ayes):
    made = worlds.launch(aye, ayes, NOW, hours=1, box="ec2-instance")
    row = worlds.saw(worlds.row_of(made, "box"), instance(), NOW)
    ledger.block(row, "AWS does not let the portal do this", NOW + 2 * HOUR, NOW + HOUR)
    forgotten.judge(NOW + 2 * HOUR)
    found = Finding.objects.get(resource=row)
    assert found.sentence == "Its lab's time is over"
    assert found.detail.endswith("AWS does not let the portal do this")


def test_a_finding_closes_when_the_resource_is_gone(ayes):
    row = stranger(ayes, "ec2-instance", instance(), NOW)
    forgotten.judge(NOW)
    worlds.gone(row, NOW + HOUR)
    assert forgotten.judge(NOW + HOUR).closed == 1
    found = Finding.objects.get(resource=row)
    assert (found.closed_at, found.closed_why) == (NOW + HOUR, "it is gone")
    assert words(row, "not_forgotten") == ["EC2 instance box: it is gone (in no lab: made by hand, or by a service)"]


def test_a_finding_closes_when_its_rule_no_longer_fires_and_opens_anew_when_it_does(ayes):
    row = stranger(ayes, "sagemaker-notebook", notebook(since=NOW - 3 * HOUR), NOW)
    looked = Activity.objects.create(
        resource=row, signal="CPUUtilization", window_began=NOW - HOUR, at=NOW, value=0.4, datapoints=12
    )
    forgotten.judge(NOW)
    assert "Idle for an hour" in sentences(row)
    Activity.objects.filter(pk=looked.pk).update(value=60.0)
    forgotten.judge(NOW + MINUTE)
    assert "Idle for an hour" not in sentences(row)
    Activity.objects.filter(pk=looked.pk).update(value=0.2)
    forgotten.judge(NOW + 2 * MINUTE)
    assert Finding.objects.filter(resource=row, rule="idle-notebook").count() == 2


def test_once_stopped_the_next_step_is_to_delete(ayes):
    row = stranger(ayes, "sagemaker-notebook", notebook(), NOW)
    forgotten.judge(NOW)
    assert Finding.objects.get(resource=row).action == "stop"
    worlds.saw(row, notebook(STOPPED), NOW + MINUTE)
    forgotten.judge(NOW + MINUTE)
    assert Finding.objects.get(resource=row).action == "delete"


def test_the_next_session_comes_from_the_scope_and_else_from_the_launch(aye, ayes):
    by_hand = stranger(ayes, "ec2-instance", instance(), NOW)
    made = worlds.launch(aye, ayes, NOW - 9 * HOUR, hours=1, look_ahead_until=NOW + 2 * DAY, box="ec2-instance")
    in_lab = worlds.saw(worlds.row_of(made, "box"), instance(name="two"), NOW)

    def looks_ahead(row):
        return Finding.objects.get(resource=row).look_ahead_until

    forgotten.judge(NOW)
    assert (looks_ahead(by_hand), looks_ahead(in_lab)) == (None, NOW + 2 * DAY)
    Scope.objects.create(key=SCOPE, name="aws-ml", look_ahead_until=NOW + DAY)
    forgotten.judge(NOW + MINUTE)
    assert looks_ahead(by_hand) == looks_ahead(in_lab) == NOW + DAY
    forgotten.judge(NOW + 2 * MINUTE, look_ahead={SCOPE: NOW + 3 * DAY})
    assert looks_ahead(by_hand) == NOW + 3 * DAY


def test_as_many_queries_for_many_resources_as_for_few(ayes):
    def queries(number):
        for n in range(number):
            stranger(ayes, "ec2-instance", instance(name=f"{number}-{n}"), NOW)
        forgotten.judge(NOW)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            forgotten.judge(NOW + MINUTE)
        return len(asked)

    assert queries(2) == queries(60)


def test_a_snooze_hides_a_finding_until_its_time(ayes, bo):
    row = stranger(ayes, "ec2-instance", instance(), NOW)
    forgotten.judge(NOW)
    assert forgotten.snooze([row], until=NOW + DAY, why="Aye trains until tomorrow", now=NOW, by=bo) == [row]
    assert not Finding.objects.shown(NOW + HOUR).exists()
    assert Finding.objects.snoozed(NOW + HOUR).count() == 1
    assert Finding.objects.shown(NOW + DAY).count() == 1, "it comes back"
    assert words(row, "snoozed") == ["EC2 instance box was put off: Aye trains until tomorrow"]
    forgotten.wake([row], now=NOW)
    assert Finding.objects.shown(NOW + HOUR).count() == 1


def test_a_snooze_into_the_past_is_refused(ayes, bo):
    with pytest.raises(ValueError, match="still to come"):
        forgotten.snooze([], until=NOW, why="", now=NOW, by=bo)


def test_a_reminder_waits_until_the_owner_was_told_and_is_not_asked_for_twice_a_day(aye, ayes, bo):
    row = stranger(ayes, "ec2-instance", instance(), NOW, region="ap-southeast-1")
    forgotten.judge(NOW)
    assert forgotten.remind([row], now=NOW, by=bo) == [row]
    due = forgotten.reminders_due()
    assert list(due) == [aye.pk] and len(due[aye.pk]) == 1, "one for the resource, not one for each rule"
    assert forgotten.remind([row], now=NOW + HOUR, by=bo) == []
    forgotten.reminded(due[aye.pk], NOW + HOUR)
    assert forgotten.reminders_due() == {}
    assert forgotten.remind([row], now=NOW + DAY, by=bo) == [row]


def test_nobody_is_reminded_of_what_is_nobodys(bo):
    shared = worlds.account_of(None, number=9, mode="shared")
    row = stranger(shared, "ec2-instance", instance(), NOW)
    forgotten.judge(NOW)
    assert forgotten.remind([row], now=NOW, by=bo) == []


def test_asking_it_to_stop_does_not_close_the_finding_until_it_is_seen(ayes, bo):
    row = stranger(ayes, "ec2-instance", instance(), NOW)
    forgotten.judge(NOW)
    launching.ask_to_delete([row], now=NOW, by=bo, why="left on")
    forgotten.judge(NOW + MINUTE)
    assert sentences(row) == {"In no lab: made by hand, or by a service"}
