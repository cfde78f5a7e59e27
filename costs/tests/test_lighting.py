"""What was left on is told of, looked at anew, stopped and deleted by itself, one step at a time; or let be."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from costs import forgotten, lighting, metering, scopes
from costs.lives import AT_ONCE, GRACE, Policy
from costs.models import Activity, Finding
from costs.tests import worlds
from costs.tests.worlds import DAY, HOUR, MINUTE, NOW, SCOPE, endpoint, instance, notebook, stranger, volume
from labs.kinds.base import RUNNING, STOPPED, Seen
from labs.models import Event, Resource

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("prices")]


@pytest.fixture(autouse=True)
def cloudwatch(monkeypatch):
    """AWS answers each look as `says` has it: {resource: (metric, value)}, silence (a zero) for all others."""
    says = {}

    def look(now, resources=None):
        for row in resources or ():
            metric, value = says.get(row.pk, SILENT[row.kind])
            quiet(row, now, metric, value)

    monkeypatch.setattr("costs.activity.look", look)
    return says


SILENT = {"sagemaker-notebook": ("CPUUtilization", 0.4), "sagemaker-endpoint": ("Invocations", 0)}


def quiet(row, at, metric="CPUUtilization", value=0.4):
    Activity.objects.update_or_create(
        resource=row,
        signal=metric,
        defaults={"window_began": at - HOUR, "at": at, "value": value, "datapoints": 12},
    )


def policy_is(level=GRACE, grace=2 * HOUR, delete_after=None):
    scopes.tell(SCOPE, name="aws-ml", look_ahead_until=NOW + 2 * DAY, policy=Policy(level, grace, delete_after))


@pytest.fixture
def idle(ayes):
    """A notebook that Aye made by hand, and that did nothing for an hour."""
    row = stranger(ayes, "sagemaker-notebook", notebook(since=NOW - 3 * HOUR), NOW)
    quiet(row, NOW)
    return row


def turn(at, *, tells=True):
    """What one minute does: judge, tend, and the portal tells whom it concerns."""
    worlds.still_there(Resource.objects.open(), at)
    metering.meter(at)
    forgotten.judge(at)
    done = lighting.tend(at)
    if tells:
        for found in forgotten.reminders_due().values():
            forgotten.reminded(found, at)
        for found in lighting.staff_due().values():
            lighting.staff_told(found, at)
    return done


def minutes(start, number):
    return [turn(start + n * MINUTE) for n in range(number)]


def wanted(row):
    row.refresh_from_db()
    return row.wanted, row.wanted_by


def codes(row):
    return list(Event.objects.filter(resource=row).order_by("at", "pk").values_list("code", flat=True))


def test_told_then_grace_then_looked_at_anew_then_stopped_each_once(idle):
    policy_is()
    assert turn(NOW).told == 1
    assert minutes(NOW + MINUTE, 3) == [lighting.Tended()] * 3
    assert wanted(idle) == ("running", "")
    assert turn(NOW + 2 * HOUR).told_staff == 1, "nothing happened for two hours"
    assert turn(NOW + 2 * HOUR + MINUTE).looked == 1
    assert turn(NOW + 2 * HOUR + 2 * MINUTE).stopped == 1
    assert wanted(idle) == ("stopped", "policy")
    assert minutes(NOW + 2 * HOUR + 3 * MINUTE, 3) == [lighting.Tended()] * 3, "it is on its way"
    assert [code for code in codes(idle) if code in ("reminder", "told_staff", "asked")] == [
        "reminder",
        "told_staff",
        "asked",
    ]
    assert Event.objects.get(resource=idle, code="asked").words == (
        "Stop asked for SageMaker notebook nb: left on (idle for an hour)"
    )


def test_what_is_used_again_during_its_grace_is_not_stopped(idle, cloudwatch):
    policy_is()
    turn(NOW)
    cloudwatch[idle.pk] = ("CPUUtilization", 80.0)
    # Nobody has looked since: only the look before the stop shows that somebody is back.
    assert turn(NOW + 2 * HOUR).told_staff == 1
    assert turn(NOW + 2 * HOUR + MINUTE).looked == 1
    after = minutes(NOW + 2 * HOUR + 2 * MINUTE, 60)
    assert sum(one.stopped for one in after) == 0
    assert wanted(idle) == ("running", "")


def test_in_use_again_and_idle_again_begins_anew(idle):
    policy_is(grace=HOUR)
    turn(NOW)
    quiet(idle, NOW + MINUTE, value=90.0)
    turn(NOW + MINUTE)
    quiet(idle, NOW + 90 * MINUTE)
    assert turn(NOW + 90 * MINUTE).told == 1, "it is told of once more, and its grace counts from then"
    assert sum(one.stopped for one in minutes(NOW + 91 * MINUTE, 50)) == 0
    minutes(NOW + 150 * MINUTE, 3)
    assert wanted(idle) == ("stopped", "policy")


def test_only_tell_stops_nothing_and_is_what_holds_unless_chosen(idle):
    scopes.tell(SCOPE, name="aws-ml")
    for hour in range(30):
        turn(NOW + hour * HOUR)
    assert wanted(idle) == ("running", "")
    assert "told_staff" in codes(idle)


def test_at_once_needs_no_grace_but_fresh_news(idle):
    policy_is(AT_ONCE)
    assert [(one.told, one.looked, one.stopped) for one in minutes(NOW, 3)] == [(1, 0, 0), (0, 1, 0), (0, 0, 1)]


def test_as_long_as_nobody_was_told_the_grace_does_not_begin(idle):
    policy_is(grace=HOUR)
    for hour in range(5):
        turn(NOW + hour * HOUR, tells=False)
    assert wanted(idle) == ("running", "")


def test_what_costs_by_the_hour_and_has_no_stop_goes_if_nothing_is_lost(ayes):
    policy_is(AT_ONCE)
    row = stranger(ayes, "sagemaker-endpoint", endpoint(since=NOW - 3 * HOUR), NOW)
    quiet(row, NOW, "Invocations", 0)
    minutes(NOW, 3)
    assert wanted(row) == ("gone", "policy")


def test_a_disk_is_only_told_of(ayes):
    policy_is(AT_ONCE)
    row = stranger(ayes, "ebs-volume", volume(since=NOW - 3 * DAY), NOW)
    assert turn(NOW).told == 1
    minutes(NOW + MINUTE, 5)
    assert wanted(row) == ("running", "")


def test_a_stranger_at_work_is_only_told_of(ayes):
    """That no lab made it says nothing of whether somebody uses it."""
    policy_is(AT_ONCE)
    row = stranger(ayes, "ec2-instance", instance(since=NOW - 3 * HOUR), NOW, region="ap-southeast-1")
    minutes(NOW, 10)
    assert wanted(row) == ("running", "") and "reminder" in codes(row)


def test_a_job_at_work_for_hours_is_only_told_of(ayes):
    policy_is(AT_ONCE)
    facts = {"type": "ml.m5.large", "count": 1, "disk_gb": 5}
    job = Seen(RUNNING, "train", "train", NOW - 5 * HOUR, facts)
    row = stranger(ayes, "sagemaker-training-job", job, NOW)
    minutes(NOW, 10)
    assert Finding.objects.open().filter(resource=row, rule="long-work").exists()
    assert wanted(row) == ("running", "")


def test_what_is_in_a_lab_in_use_is_left_to_its_clock(aye, ayes):
    policy_is(AT_ONCE)
    made = worlds.launch(aye, ayes, NOW - 3 * HOUR, hours=5, nb="sagemaker-notebook")
    row = worlds.saw(worlds.row_of(made, "nb"), notebook(since=NOW - 3 * HOUR), NOW)
    quiet(row, NOW)
    minutes(NOW, 5)
    assert wanted(row) == ("running", "")


def test_in_an_account_of_ones_own_what_no_lab_made_is_only_told_of(bo):
    policy_is(AT_ONCE)
    own = worlds.account_of(bo, number=7, mode="own")
    row = stranger(own, "sagemaker-notebook", notebook(since=NOW - 3 * HOUR), NOW)
    quiet(row, NOW)
    minutes(NOW, 5)
    assert wanted(row) == ("running", "") and "reminder" in codes(row)


def test_a_snooze_holds_everything_up_and_after_it_all_begins_anew(idle, bo):
    policy_is(grace=HOUR)
    turn(NOW)
    forgotten.snooze([idle], until=NOW + DAY, why="trains", now=NOW + MINUTE, by=bo)
    assert sum(one.stopped + one.told + one.looked for one in minutes(NOW + 2 * HOUR, 3)) == 0
    quiet(idle, NOW + DAY)
    assert turn(NOW + DAY).told == 1
    assert turn(NOW + DAY + 30 * MINUTE).stopped == 0
    minutes(NOW + DAY + 61 * MINUTE, 3)
    assert wanted(idle) == ("stopped", "policy")


def test_waking_begins_anew(idle, bo):
    policy_is(grace=HOUR)
    turn(NOW)
    forgotten.snooze([idle], until=NOW + DAY, why="", now=NOW + MINUTE, by=bo)
    forgotten.wake([idle], now=NOW)
    assert turn(NOW + 50 * MINUTE).told == 1
    assert sum(one.stopped for one in minutes(NOW + 61 * MINUTE, 5)) == 0


def test_what_is_started_again_in_spite_of_the_policy_is_let_be(idle):
    policy_is(AT_ONCE)
    minutes(NOW, 3)
    at = NOW + 5 * MINUTE
    Resource.objects.filter(pk=idle.pk).update(stop_asked_at=at)
    worlds.saw(idle, notebook(STOPPED, since=at + MINUTE), at + MINUTE)
    worlds.saw(idle, notebook(since=at + 10 * MINUTE), at + 10 * MINUTE)
    turn(at + 11 * MINUTE)
    assert wanted(idle)[0] == "running"
    assert "let_be" in codes(idle)
    assert not Finding.objects.open().filter(resource=idle, rule="idle-notebook").exists()


def test_stopped_and_paying_is_deleted_after_the_days_chosen_and_not_before_it_was_told(ayes):
    policy_is(delete_after=3 * DAY)
    row = stranger(ayes, "sagemaker-notebook", notebook(STOPPED, since=NOW - 10 * DAY), NOW)
    assert turn(NOW).told == 1
    turn(NOW + 23 * HOUR)
    assert wanted(row)[0] == "running"
    assert turn(NOW + 24 * HOUR).deleted == 1
    assert wanted(row) == ("gone", "policy")


def test_stopped_and_paying_is_kept_unless_days_are_chosen(ayes):
    policy_is(AT_ONCE)
    row = stranger(ayes, "sagemaker-notebook", notebook(STOPPED, since=NOW - 10 * DAY), NOW)
    for day in range(10):
        turn(NOW + day * DAY)
    assert wanted(row)[0] == "running"


def test_nobodys_is_told_to_those_who_teach_and_in_no_cohort_the_operators_policy_holds(settings):
    settings.LEFT_ON_POLICY = "at_once"
    shared = worlds.account_of(None, number=9, mode="shared", scope="")
    row = stranger(shared, "sagemaker-notebook", notebook(since=NOW - 3 * HOUR), NOW)
    quiet(row, NOW)
    assert turn(NOW, tells=False).told_staff == 1
    assert list(lighting.staff_due()) == [""]
    minutes(NOW + MINUTE, 3)
    assert wanted(row) == ("stopped", "policy")


def test_the_owner_is_told_of_what_was_turned_off_once(idle, aye):
    policy_is(AT_ONCE)
    minutes(NOW, 3)
    due = lighting.acts_due()
    assert list(due) == [aye.pk] and due[aye.pk][0].resource == idle
    lighting.acts_told(due[aye.pk], NOW + 5 * MINUTE)
    assert lighting.acts_due() == {}


def test_as_many_queries_for_many_as_for_few_where_nothing_is_due(ayes):
    policy_is(grace=timedelta(days=5))

    def queries(number):
        for n in range(number):
            stranger(ayes, "ec2-instance", instance(name=f"{number}-{n}"), NOW)
        turn(NOW + MINUTE)
        with CaptureQueriesContext(connection) as asked:
            lighting.tend(NOW + 2 * MINUTE)
        return len(asked)

    assert queries(2) == queries(40)
