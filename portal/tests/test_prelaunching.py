"""A lab for a whole class: planned, told before, started once each, and running at the hour."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conftest import member
from costs import scopes
from costs.tests import worlds
from labs import catalog, launching
from labs.kinds.base import Want
from labs.models import Account, Event, Launch, Rehearsal
from portal import enrolling, prelaunching, rules_of_use
from portal.models import ClassSeat, ClassStart, CohortWeek, LabInWeek, Membership
from portal.prelaunching import Impossible

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def part(cohort):
    return LabInWeek.objects.select_related("week").get(week__number=2)


@pytest.fixture
def at(cohort):
    """Saturday's live session."""
    return CohortWeek.objects.get(cohort=cohort, week__number=2).session_at


@pytest.fixture
def planned(cohort, part, at, aye, bo, chit, lab, now):
    return prelaunching.plan(cohort, part, at, now=now, by=chit)


@pytest.fixture
def costly(lab, monkeypatch, prices):
    """The week's lab wants a machine of $0.05 an hour or so."""
    from dataclasses import replace

    made = replace(lab, wants=(Want("nb", "sagemaker-notebook", {"type": "ml.t3.medium", "disk_gb": 5}),))
    monkeypatch.setattr(catalog, "catalog", lambda: {made.slug: made})
    return made


@pytest.fixture
def prices(db):
    from costs import pricebook

    pricebook.load()


def outcomes(planned):
    return {seat.student.name: (seat.outcome, seat.said) for seat in planned.seats.select_related("student")}


def started(person):
    return list(Launch.objects.filter(owner=person))


# --- planning ----------------------------------------------------------------------------------------------------


def test_everybody_has_a_seat_and_the_last_one_starts_early_enough_to_run(planned, at):
    starts = [seat.start_at for seat in planned.seats.all()]
    assert starts == [at - 15 * MINUTE - timedelta(seconds=1), at - 15 * MINUTE], (
        "nobody has started it yet: 15 minutes"
    )
    assert planned.begins_at == starts[0]


def test_how_early_is_known_from_the_slowest_start_so_far(cohort, part, at, aye, lab, now):
    account = Account.objects.get(owner=aye)
    for minutes in (2, 6, 4):
        made = worlds.launch(aye, account, now - 9 * HOUR, slug=lab.slug)
        Launch.objects.filter(pk=made.pk).update(ready_at=made.created_at + minutes * MINUTE, ended_at=now)
    told = prelaunching.preview(cohort, part, at, now=now)
    assert (told.lead, told.is_known) == (9 * MINUTE, True)


def test_starts_are_spread_over_as_long_as_was_asked(cohort, part, at, aye, bo, lab, now):
    told = prelaunching.preview(cohort, part, at, now=now, spread=10 * MINUTE)
    assert told.spread == 10 * MINUTE and told.starts[-1][1] == at - told.lead


def test_the_same_plan_twice_is_one(planned, cohort, part, at, chit, now):
    assert prelaunching.plan(cohort, part, at, now=now, by=chit) == planned
    assert (ClassStart.objects.count(), ClassSeat.objects.count()) == (1, 2)


def test_after_a_cancel_the_same_hour_can_be_planned_again(planned, cohort, part, at, chit, now):
    prelaunching.cancel(planned, now=now, by=chit)
    assert prelaunching.plan(cohort, part, at, now=now, by=chit) != planned


def why_not(*args, **given):
    with pytest.raises(Impossible) as why:
        prelaunching.plan(*args, by=None, **given)
    assert not ClassStart.objects.exists()
    return str(why.value)


def test_an_hour_that_is_too_soon_or_over_is_refused_with_what_would_do(cohort, part, aye, lab, now):
    assert "That is too soon. The first start is 15 minutes before the hour" in why_not(
        cohort, part, now + 10 * MINUTE, now=now
    )
    assert "That hour is over." in why_not(cohort, part, now - HOUR, now=now)


def test_a_lab_whose_week_is_not_open_by_then_is_refused(cohort, aye, lab, now):
    later = LabInWeek.objects.select_related("week").get(week__number=3)
    opens = CohortWeek.objects.get(cohort=cohort, week__number=3).released_at
    assert "not open by then" in why_not(cohort, later, opens, now=now)
    assert prelaunching.preview(cohort, later, opens + HOUR, now=now).impossible == []


def test_a_class_of_nobody_is_refused(cohort, part, at, lab, now):
    assert "Nobody is in this cohort yet." in why_not(cohort, part, at, now=now)


# --- what it costs -----------------------------------------------------------------------------------------------


def test_the_price_is_told_an_hour_and_at_most_with_the_time_before_the_class(cohort, part, at, aye, bo, costly, now):
    told = prelaunching.preview(cohort, part, at, now=now)
    each = told.price.usd_per_hour
    assert told.usd_per_hour == 2 * each and each > Decimal("0.05")
    before = Decimal(901) / 3600
    assert told.at_most == 2 * each * (2 + before)


def test_budgets_that_would_refuse_are_told_by_name_before_and_at_the_start(
    cohort, part, at, aye, bo, chit, costly, now
):
    scopes.tell(cohort.scope, name=cohort.slug, student_usd=Decimal(25), cohort_usd=Decimal("0.15"))
    told = prelaunching.preview(cohort, part, at, now=now)
    assert list(told.refused) == [bo] and "the cohort has $0.03 left" in told.refused[bo], "aye is first"
    planned = prelaunching.plan(cohort, part, at, now=now, by=chit)
    prelaunching.start_due(at)
    assert outcomes(planned)["Aye"][0] == "started"
    outcome, said = outcomes(planned)["Bo"]
    assert outcome == "refused" and "the cohort has" in said


def test_when_nobodys_would_start_nothing_is_planned(cohort, part, at, aye, bo, costly, now):
    scopes.tell(cohort.scope, name=cohort.slug, student_usd=Decimal("0.01"), cohort_usd=Decimal(500))
    assert "Nobody's would start. This can cost up to" in why_not(cohort, part, at, now=now)


def test_who_has_two_labs_on_or_this_one_is_told_before(cohort, part, at, aye, bo, lab, now):
    account = Account.objects.get(owner=aye)
    for slug in ("one", "two"):
        worlds.launch(aye, account, now, slug=slug)
    worlds.launch(bo, Account.objects.get(owner=bo), now, slug=lab.slug)
    told = prelaunching.preview(cohort, part, at, now=now)
    assert "2 labs at once is the most" in told.refused[aye]
    assert (told.on_already, told.would_start) == ([bo], 0)


# --- quotas ------------------------------------------------------------------------------------------------------


@pytest.fixture
def shared(cohort, costly, aye, bo, now):
    """The bootcamp's account, in which the cohort's labs start; its doctor has looked."""
    cohort.lab_mode = Account.SHARED
    cohort.save()
    account = Account.objects.create(
        name="Bootcamp", mode=Account.SHARED, aws_id="123412341234", scope="", regions=["us-east-1"],
        lab_regions=["us-east-1"], connected_at=now, created_at=now,
    )  # fmt: skip
    Rehearsal.objects.create(account=account, lab=costly.slug, at=now, passed=True)
    for person in (aye, bo):
        rules_of_use.accept(person, now)
    return account


def has(account, number):
    title = "ml.t3.medium for notebook instance usage"
    account.report = {"quotas": [{"title": title, "lab": "x", "needs": 1, "has": number}]}
    account.save()


def test_a_quota_that_is_too_small_refuses_the_plan_and_says_what_would_help(cohort, part, at, shared, now):
    has(shared, 1.0)
    said = why_not(cohort, part, at, now=now)
    assert "ml.t3.medium for notebook instance usage: AWS gives account 123412341234 1, and this needs 2." in said
    assert "start it in groups of 1 at most, or ask AWS for more, in its console under Service Quotas." in said


def test_a_quota_that_is_enough_or_that_aws_does_not_tell_is_shown(cohort, part, at, shared, now):
    told = prelaunching.preview(cohort, part, at, now=now)
    assert [(one.needs, one.has, one.is_enough) for one in told.quotas] == [(2, None, None)]
    has(shared, 2.0)
    shared.refresh_from_db()
    told = prelaunching.preview(cohort, part, at, now=now)
    assert ([one.is_enough for one in told.quotas], told.impossible) == ([True], [])


def test_in_one_account_starts_are_as_far_apart_as_aws_takes_them(cohort, part, at, shared, monkeypatch, now):
    from labs.kinds import kind_of

    monkeypatch.setattr(type(kind_of("sagemaker-notebook")), "creates_per_second", 1 / 20)
    assert prelaunching.preview(cohort, part, at, now=now).apart == timedelta(seconds=20)
    cohort.lab_mode = Account.PRACTICE
    assert prelaunching.preview(cohort, part, at, now=now).apart == timedelta(seconds=1), "each has an account there"


def test_who_did_not_accept_the_rules_is_told_before(cohort, part, at, shared, bo, now):
    rules_of_use.RulesAccepted.objects.filter(user=bo).delete()
    told = prelaunching.preview(cohort, part, at, now=now)
    assert list(told.refused) == [bo] and "Read and accept the rules of use" in told.refused[bo]


def test_practice_mode_has_no_quotas(cohort, part, at, aye, costly, now):
    assert prelaunching.preview(cohort, part, at, now=now).quotas == []


# --- starting ----------------------------------------------------------------------------------------------------


def test_nothing_is_started_before_its_time_and_each_once_however_often_the_task_runs(planned, at, aye, bo):
    assert prelaunching.start_due(planned.begins_at - MINUTE) == 0
    assert prelaunching.start_due(planned.begins_at) == 1
    for minute in range(20):
        prelaunching.start_due(planned.begins_at + minute * MINUTE)
    assert outcomes(planned) == {"Aye": ("started", ""), "Bo": ("started", "")}
    assert len(started(aye)) == len(started(bo)) == 1


def test_its_hours_count_from_when_the_class_begins(planned, at, aye, lab):
    prelaunching.start_due(planned.begins_at + timedelta(seconds=5))
    [launch] = started(aye)
    assert launch.created_at < at
    assert launch.expires_at == at + timedelta(hours=float(lab.hours))
    assert launch.labels == {"week": 2}


def test_one_that_is_started_late_has_its_whole_hours(planned, at, aye, lab):
    prelaunching.start_due(at + 10 * MINUTE)
    [launch] = started(aye)
    assert launch.expires_at == at + 10 * MINUTE + timedelta(hours=float(lab.hours))


def test_who_pressed_launch_themselves_or_left_is_skipped(planned, cohort, at, aye, bo, lab, now):
    worlds.launch(aye, Account.objects.get(owner=aye), now, slug=lab.slug)
    Membership.objects.get(user=bo).delete()
    prelaunching.start_due(at)
    assert outcomes(planned) == {
        "Aye": ("skipped", "They have it on already."),
        "Bo": ("skipped", "They have left the cohort."),
    }
    assert len(started(aye)) == 1 and started(bo) == []


def test_who_may_not_sign_in_any_more_is_skipped(planned, at, bo):
    bo.is_active = False
    bo.save()
    prelaunching.start_due(at)
    assert outcomes(planned)["Bo"] == ("skipped", "They have left the cohort.")


def test_whose_last_one_is_still_going_off_waits_for_it_and_is_refused_at_the_hour(planned, at, aye, lab, now):
    last = worlds.launch(aye, Account.objects.get(owner=aye), now, slug=lab.slug)
    launching.ask_to_delete(last, now=now)
    prelaunching.start_due(at - 10 * MINUTE)
    assert outcomes(planned)["Aye"] == ("", "")
    Launch.objects.filter(pk=last.pk).update(ended_at=at - 9 * MINUTE)
    prelaunching.start_due(at - 8 * MINUTE)
    assert outcomes(planned)["Aye"][0] == "started"


def test_whose_last_one_never_went_is_told_so_at_the_hour(planned, at, aye, lab, now):
    last = worlds.launch(aye, Account.objects.get(owner=aye), now, slug=lab.slug)
    launching.ask_to_delete(last, now=now)
    prelaunching.start_due(at)
    outcome, said = outcomes(planned)["Aye"]
    assert outcome == "refused" and "still going off" in said


def test_who_joins_after_the_plan_was_made_is_started_with_the_rest(planned, cohort, at, now):
    dara = member(cohort, "dara", "student", now)
    prelaunching.start_due(planned.begins_at)
    assert len(started(dara)) == 1
    prelaunching.start_due(at)
    assert outcomes(planned)["Dara"][0] == "started" and len(started(dara)) == 1


def test_a_cancelled_plan_starts_nobody_and_what_runs_stays_on(planned, at, aye, bo, chit):
    prelaunching.start_due(planned.begins_at)
    assert prelaunching.cancel(planned, now=planned.begins_at, by=chit) == 1
    assert prelaunching.cancel(planned, now=at, by=chit) == 0
    prelaunching.start_due(at)
    assert len(started(aye)) + len(started(bo)) == 1
    assert Launch.objects.get().asked_to_end_at is None


def test_a_server_that_comes_back_after_the_class_starts_nothing(planned, at, aye):
    prelaunching.start_due(at + 31 * MINUTE)
    assert outcomes(planned)["Aye"] == ("refused", prelaunching.AWAY)
    assert started(aye) == []


def test_one_students_trouble_is_not_the_classs_and_is_tried_again(planned, at, aye, bo, monkeypatch):
    real = prelaunching.begin

    def breaks(standing, *args, **given):
        if standing.user == aye:
            raise RuntimeError("the database is away")
        return real(standing, *args, **given)

    monkeypatch.setattr(prelaunching, "begin", breaks)
    prelaunching.start_due(at)
    assert outcomes(planned) == {"Aye": ("", ""), "Bo": ("started", "")}
    monkeypatch.setattr(prelaunching, "begin", real)
    prelaunching.start_due(at + MINUTE)
    assert outcomes(planned)["Aye"] == ("started", "")


def test_a_worker_that_dies_after_the_launch_was_written_leaves_neither_or_both(planned, at, aye, monkeypatch):
    class Died(BaseException):
        pass

    def dies(*args, **facts):
        raise Died

    with monkeypatch.context() as patch, pytest.raises(Died):
        patch.setattr(ClassSeat, "save", dies)
        prelaunching.start_due(planned.begins_at)
    assert started(aye) == []
    prelaunching.start_due(at)
    assert len(started(aye)) == 1


def test_the_lab_says_for_whom_and_by_whom_it_was_started(planned, at, aye, chit):
    prelaunching.start_due(at)
    event = Event.objects.get(launch=started(aye)[0], code="class")
    assert event.actor == chit and "Started for the class by Chit" in event.words


def test_students_of_another_cohort_are_none_of_this_class(planned, other_cohort, at, now):
    eve = member(other_cohort, "eve", "student", now)
    enrolling.practice_account(eve, now=now)
    prelaunching.start_due(at)
    assert started(eve) == []


def test_beat_starts_them(planned, at, aye):
    from portal import tasks

    with time_machine.travel(at, tick=False):
        tasks.start_classes()
    assert len(started(aye)) == 1


def test_a_preview_asks_as_many_queries_for_a_large_class_in_a_real_account(cohort, part, at, shared, now):
    def asked():
        with CaptureQueriesContext(connection) as queries:
            prelaunching.preview(cohort, part, at, now=now)
        return len(queries)

    two = asked()
    for number in range(10):
        rules_of_use.accept(member(cohort, f"student{number}", "student", now), now)
    assert asked() == two
