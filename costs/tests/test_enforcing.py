"""Budgets that are used up: told, and after a grace time what they pay for is asked off; and never what is at work."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from costs import alerts, enforcing, metering, scopes
from costs.limits import budget_of, budgets_of
from costs.models import Alert, Budget, BudgetExtension, BudgetRules, DailySpend, Finding, Scope
from costs.tests import worlds
from costs.tests.worlds import DAY, HOUR, MINUTE, NOW, SCOPE, endpoint, instance, notebook, stranger
from costs.thresholds import BLOCKED, DELETES, STOPS, TOLD
from labs import launching
from labs.kinds.base import RUNNING, STOPPED, Seen
from labs.models import GONE, Event, Launch, Resource

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("prices")]
D = Decimal
GRACE = 2 * HOUR


def tell(**facts):
    given = {"name": "aws-ml-sep-2025", "title": "September 2025", "student_usd": D(25)}
    return scopes.tell(SCOPE, **(given | facts))


def spent(account, usd, *, day=NOW):
    DailySpend.objects.create(
        day=day.date(), account=account, owner=account.owner, scope=account.scope, service="SageMaker",
        region="us-east-1", usd=D(usd),
    )  # fmt: skip


def told_at(at):
    """Whoever tells people has told all of it."""
    for one in Alert.objects.to_tell():
        alerts.told(one, at)


def wanted(row):
    return Resource.objects.get(pk=row.pk).wanted


def rules(kind=Budget.STUDENT, scope=SCOPE, **facts):
    given = {"tell_at": 80, "block_at": 100, "stop_at": 100, "delete_at": None, "grace_minutes": 120} | facts
    BudgetRules.objects.update_or_create(scope=scope, kind=kind, defaults=given)


@pytest.fixture
def box(ayes):
    """An instance that Aye made by hand, seen now."""
    return stranger(ayes, "ec2-instance", instance(disk_gb=0, since=NOW - HOUR), NOW)


@pytest.fixture
def lab(aye, ayes):
    """A notebook in a lab of Aye's with an hour to go."""
    made = worlds.launch(aye, ayes, NOW, hours=9, nb="sagemaker-notebook")
    worlds.saw(worlds.row_of(made, "nb"), notebook(disk_gb=0), NOW)
    return made


# --- told ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("usd", "level"), [("19.99", None), ("20", TOLD), ("24.99", TOLD), ("25", STOPS), ("90", STOPS)]
)
def test_a_students_budget_is_told_of_at_its_shares(aye, ayes, usd, level):
    tell()
    spent(ayes, usd)
    enforcing.watch(NOW)
    found = Alert.objects.open().filter(rule="budget").first()
    assert (found.level if found else None) == level
    if found:
        assert (found.owner, found.scope, found.usd) == (aye, SCOPE, D(usd))
        assert found.sentence.startswith(f"Aye has spent ${D(usd):,.2f} of the budget of $25.00")
        assert found.lines == [["SageMaker", f"{D(usd):.2f}"]]


def test_a_step_further_is_told_anew_and_looking_again_is_not(ayes):
    tell()
    spent(ayes, 21)
    assert len(enforcing.watch(NOW)) == 1
    told_at(NOW)
    assert enforcing.watch(NOW + MINUTE) == [] and not Alert.objects.to_tell().exists()
    spent(ayes, 5, day=NOW + DAY)
    news = Alert.objects.get().news
    enforcing.watch(NOW + DAY)
    [again] = Alert.objects.to_tell()
    assert again.level == STOPS and again.news != news


def test_what_was_told_of_a_step_before_is_no_telling_of_this_one(ayes):
    tell()
    spent(ayes, 21)
    enforcing.watch(NOW)
    before = Alert.objects.get()
    spent(ayes, 5, day=NOW + DAY)
    enforcing.watch(NOW + DAY)
    assert not alerts.told(before, NOW + DAY), "it was read before it went further"
    assert Alert.objects.to_tell().exists()


def test_a_cohorts_and_an_accounts_budgets_are_told_of(aye, ayes, bo):
    tell(student_usd=None, cohort_usd=D(100))
    spent(ayes, 85)
    Budget.objects.create(kind=Budget.ACCOUNT, account=ayes, usd=50)
    enforcing.watch(NOW)
    found = {one.key: one for one in Alert.objects.filter(rule="budget")}
    assert found[SCOPE].level == TOLD and found[SCOPE].lines == [["Aye", "85.00"]]
    assert found[f"account-{ayes.pk}"].account == ayes and found[f"account-{ayes.pk}"].level == STOPS


def test_an_accounts_budget_begins_anew_with_the_utc_month(ayes):
    tell(student_usd=None)
    Budget.objects.create(kind=Budget.ACCOUNT, account=ayes, usd=50)
    spent(ayes, 60)
    enforcing.watch(NOW)
    assert Alert.objects.open().filter(account=ayes).exists()
    enforcing.watch(NOW.replace(month=10, day=1))
    assert not Alert.objects.open().filter(account=ayes).exists()


def test_who_teaches_has_the_teachers_budget(chit):
    tell(staff=[chit.pk])
    Budget.objects.create(kind=Budget.STAFF, scope=SCOPE, usd=100)
    own = worlds.account_of(chit)
    spent(own, 60)
    enforcing.watch(NOW)
    assert not Alert.objects.exists(), "60 of 100, and not of a student's 25"
    spent(own, 25, day=NOW - DAY)
    enforcing.watch(NOW)
    assert Alert.objects.get().level == TOLD


def test_a_dress_rehearsals_budget_is_nobodys(db):
    tell()
    tester = worlds.person("rehearsal-x")
    tester.email = "rehearsal-x@lightsout.invalid"
    tester.save()
    spent(worlds.account_of(tester), 99)
    enforcing.watch(NOW)
    assert not Alert.objects.exists()


def test_a_budget_of_a_cohort_that_has_ended_is_history_unless_something_is_still_on(ayes):
    tell(ends_at=NOW - 20 * DAY)
    spent(ayes, 30)
    enforcing.watch(NOW)
    assert not Alert.objects.exists()
    stranger(ayes, "ec2-instance", instance(disk_gb=0, since=NOW - HOUR), NOW)
    enforcing.watch(NOW)
    assert Alert.objects.get().level == STOPS


def test_what_is_on_until_the_next_session_is_told_ahead_and_no_longer_once_it_is_off(ayes, box):
    tell(look_ahead_until=NOW + 3 * DAY)
    spent(ayes, 19)
    metering.meter(NOW)
    enforcing.watch(NOW)
    assert not Alert.objects.filter(rule="budget_ahead").exists(), "3 days at $0.0416 are $3.00"
    spent(ayes, "3.50", day=NOW - DAY)
    enforcing.watch(NOW)
    ahead = Alert.objects.open().get(rule="budget_ahead")
    assert ahead.owner_id == ayes.owner_id and ahead.usd > 25
    worlds.gone(box, NOW + MINUTE)
    enforcing.watch(NOW + MINUTE)
    assert not Alert.objects.open().filter(rule="budget_ahead").exists()


# --- done ----------------------------------------------------------------------------------------------------------


def test_nothing_is_stopped_before_it_was_told_and_the_grace_time_is_over(ayes, box, lab):
    tell()
    spent(ayes, 30)
    enforcing.watch(NOW)
    enforcing.watch(NOW + 9 * HOUR)
    assert wanted(box) == RUNNING, "nobody was told"
    told_at(NOW + 9 * HOUR)
    enforcing.watch(NOW + 9 * HOUR + GRACE - MINUTE)
    assert wanted(box) == RUNNING, "told, and the time is not over"
    enforcing.watch(NOW + 9 * HOUR + GRACE)
    assert (wanted(box), wanted(worlds.row_of(lab, "nb"))) == (STOPPED, STOPPED)
    assert Resource.objects.get(pk=box.pk).wanted_by == "budget"
    assert Launch.objects.get().asked_to_end_at is None, "a stop keeps the lab"


def over(account, at=NOW):
    """Used up and told, and the grace time over at `at`."""
    spent(account, 30)
    enforcing.watch(at - GRACE)
    told_at(at - GRACE)


def test_acting_twice_asks_once(ayes, box):
    tell()
    over(ayes)
    enforcing.watch(NOW)
    asked = Event.objects.filter(code="asked").count()
    enforcing.watch(NOW + MINUTE)
    assert asked == Event.objects.filter(code="asked").count() == 1


@pytest.mark.parametrize("dies", ["settle", "act", "ask_to_stop"])
def test_a_worker_that_dies_anywhere_is_made_good_by_the_next(ayes, box, lab, monkeypatch, dies):
    """Between telling and acting, and in the middle of acting, after the first of two was asked."""
    tell()
    over(ayes)
    whole, at = launching.ask_to_stop, {"settle": enforcing, "act": enforcing, "ask_to_stop": launching}[dies]

    def half(rows, **more):
        whole(rows[:1], **more)
        raise SystemExit("killed")

    def killed(*args, **more):
        raise SystemExit("killed")

    with monkeypatch.context() as death:
        death.setattr(at, dies, half if dies == "ask_to_stop" else killed)
        with pytest.raises(SystemExit):
            enforcing.watch(NOW)
    told = Alert.objects.get().told_at
    enforcing.watch(NOW + MINUTE)
    assert (wanted(box), wanted(worlds.row_of(lab, "nb"))) == (STOPPED, STOPPED)
    assert Event.objects.filter(code="asked").count() == 2, "each was asked once"
    assert Alert.objects.get().told_at == told, "and nobody is told again"


def test_only_what_the_budget_pays_for_is_stopped(ayes, box, bo):
    tell()
    bos = stranger(worlds.account_of(bo, number=2), "ec2-instance", instance(name="bos", since=NOW - HOUR), NOW)
    elsewhere = worlds.account_of(ayes.owner, number=3, scope="d" * 32, mode="own")
    other = stranger(elsewhere, "ec2-instance", instance(name="other", since=NOW - HOUR), NOW)
    over(ayes)
    enforcing.watch(NOW)
    assert (wanted(box), wanted(bos), wanted(other)) == (STOPPED, RUNNING, RUNNING)


def test_a_cohorts_budget_stops_everybodys(ayes, box, bo):
    tell(student_usd=None, cohort_usd=D(25))
    bos = stranger(worlds.account_of(bo, number=2), "sagemaker-endpoint", endpoint(since=NOW - HOUR), NOW)
    over(ayes)
    enforcing.watch(NOW)
    assert (wanted(box), wanted(bos)) == (STOPPED, GONE), "an endpoint has no stop: it is deleted, its model stays"


def test_an_accounts_budget_stops_what_is_in_it(ayes, box, bo):
    tell(student_usd=None)
    bos = stranger(worlds.account_of(bo, number=2), "ec2-instance", instance(name="bos", since=NOW - HOUR), NOW)
    Budget.objects.create(kind=Budget.ACCOUNT, account=ayes, usd=25)
    over(ayes)
    enforcing.watch(NOW)
    assert (wanted(box), wanted(bos)) == (STOPPED, RUNNING)


def job(name="job"):
    return Seen(RUNNING, name, name, NOW - HOUR, {"type": "ml.m5.large", "count": 1, "disk_gb": 0})


def test_a_job_at_work_is_never_stopped_nor_is_the_rest_of_its_lab(aye, ayes, box):
    tell()
    by_hand = stranger(ayes, "sagemaker-training-job", job("by-hand"), NOW)
    made = worlds.launch(aye, ayes, NOW, hours=9, nb="sagemaker-notebook", job="sagemaker-training-job")
    worlds.saw(worlds.row_of(made, "nb"), notebook(disk_gb=0), NOW)
    worlds.saw(worlds.row_of(made, "job"), job(), NOW)
    over(ayes)
    enforcing.watch(NOW)
    assert wanted(box) == STOPPED
    assert {wanted(by_hand), wanted(worlds.row_of(made, "nb")), wanted(worlds.row_of(made, "job"))} == {RUNNING}
    worlds.gone(worlds.row_of(made, "job"), NOW + MINUTE)
    enforcing.watch(NOW + 2 * MINUTE)
    assert wanted(worlds.row_of(made, "nb")) == STOPPED, "its work is done"


def test_a_job_is_not_ended_by_a_budget_that_deletes_either(aye, ayes):
    tell()
    rules(delete_at=100)
    made = worlds.launch(aye, ayes, NOW, hours=9, job="sagemaker-training-job")
    worlds.saw(worlds.row_of(made, "job"), job(), NOW)
    over(ayes)
    enforcing.watch(NOW)
    assert wanted(worlds.row_of(made, "job")) == RUNNING and Launch.objects.get().asked_to_end_at is None


def test_a_cluster_is_stopped_only_once_it_is_found_without_work(ayes):
    tell()
    facts = {"instances": [], "release": "emr-7.0.0"}
    cluster = stranger(ayes, "emr-cluster", Seen(RUNNING, "j-1", "cluster", NOW - HOUR, facts), NOW)
    over(ayes)
    enforcing.watch(NOW)
    assert wanted(cluster) == RUNNING
    Finding.objects.create(resource=cluster, rule="idle-cluster", sentence="A cluster without work", opened_at=NOW)
    enforcing.watch(NOW + MINUTE)
    assert wanted(cluster) == GONE


@pytest.mark.parametrize(
    ("why", "facts"),
    [
        ("nobody is proved to own it", {"owner": None, "owner_proof": ""}),
        ("it was there before the account was connected", {"seen_since": NOW - 90 * DAY}),
    ],
)
def test_what_is_not_ours_to_turn_off_stays(ayes, box, why, facts):
    tell(student_usd=None, cohort_usd=D(25))
    Resource.objects.filter(pk=box.pk).update(**facts)
    over(ayes)
    enforcing.watch(NOW)
    assert wanted(box) == RUNNING, why


def test_a_budget_that_deletes_finishes_labs_and_deletes_what_is_on(ayes, box, lab):
    tell()
    rules(stop_at=100, delete_at=120)
    over(ayes)
    assert Alert.objects.get().level == DELETES
    enforcing.watch(NOW)
    assert wanted(box) == GONE and Launch.objects.get().asked_to_end_at == NOW
    enforcing.watch(NOW + MINUTE)
    assert Launch.objects.get().asked_to_end_at == NOW


def test_from_stopped_to_deleted_it_is_told_again_and_waits_again(ayes, box):
    tell()
    rules(stop_at=100, delete_at=200)
    over(ayes)
    enforcing.watch(NOW)
    spent(ayes, 30, day=NOW - DAY)
    enforcing.watch(NOW + MINUTE)
    enforcing.watch(NOW + DAY)
    assert wanted(box) == STOPPED, "not told yet; and the stop stays"
    told_at(NOW + DAY)
    enforcing.watch(NOW + DAY + GRACE)
    assert wanted(box) == GONE


# --- more is given ------------------------------------------------------------------------------------------------


def give(usd, *, owner=None, until=None, at=NOW, **facts):
    given = {"kind": Budget.STUDENT if owner else Budget.COHORT, "scope": SCOPE, "owner": owner} | facts
    return BudgetExtension.objects.create(usd=usd, until=until, why="a project", at=at, **given)


def test_with_more_given_a_lab_starts_again_and_what_was_made_by_hand_is_its_owners_to_start(aye, ayes, box, lab):
    tell()
    over(ayes)
    enforcing.watch(NOW)
    give(20, owner=aye, at=NOW + MINUTE)
    enforcing.watch(NOW + 2 * MINUTE)
    assert (wanted(worlds.row_of(lab, "nb")), wanted(box)) == (RUNNING, RUNNING)
    assert not Alert.objects.open().exists()


def test_what_a_person_stopped_stays_stopped_when_the_budget_has_room_again(aye, ayes, lab):
    tell()
    over(ayes)
    enforcing.watch(NOW)
    launching.ask_to_stop(lab, now=NOW, by=aye)
    give(20, owner=aye)
    enforcing.watch(NOW + MINUTE)
    assert wanted(worlds.row_of(lab, "nb")) == STOPPED


def test_one_budget_with_room_does_not_take_back_what_another_stopped(aye, ayes, box):
    tell(cohort_usd=D(25))
    over(ayes)
    enforcing.watch(NOW)
    give(20, owner=aye)
    enforcing.watch(NOW + MINUTE)
    assert wanted(box) == STOPPED, "the cohort's is used up too"
    give(20)
    enforcing.watch(NOW + 2 * MINUTE)
    assert wanted(box) == RUNNING


def test_used_up_again_it_is_told_again_and_stopped_again(aye, ayes, lab):
    tell()
    over(ayes)
    enforcing.watch(NOW)
    give(20, owner=aye, until=NOW + 3 * HOUR)
    enforcing.watch(NOW + MINUTE)
    assert wanted(worlds.row_of(lab, "nb")) == RUNNING
    enforcing.watch(NOW + 3 * HOUR)
    assert wanted(worlds.row_of(lab, "nb")) == RUNNING and Alert.objects.to_tell().exists()
    told_at(NOW + 3 * HOUR)
    enforcing.watch(NOW + 3 * HOUR + GRACE)
    assert wanted(worlds.row_of(lab, "nb")) == STOPPED


@pytest.mark.parametrize(
    ("why", "facts", "usd"),
    [
        ("for good", {}, 45),
        ("for a while", {"until": NOW + HOUR}, 45),
        ("it is over", {"until": NOW}, 25),
        ("it was taken back", {"undone_at": NOW}, 25),
        ("to somebody else", {"owner": None}, 25),
    ],
)
def test_what_was_given_counts_as_long_as_it_was_given(aye, why, facts, usd):
    tell()
    give(20, **({"owner": aye} | facts))
    assert budget_of(aye.pk, [SCOPE], budgets_of([SCOPE], NOW)) == usd, why


def test_a_budget_that_somebody_set_stays_until_something_new_is_told(db):
    tell()
    Budget.objects.filter(kind=Budget.STUDENT).update(usd=40)
    tell()
    assert Budget.objects.get().usd == 40
    tell(student_usd=D(30))
    assert Budget.objects.get().usd == 30


def test_a_budget_that_only_blocks_stops_nothing(ayes, box):
    tell()
    rules(stop_at=None)
    over(ayes)
    assert Alert.objects.get().level == BLOCKED
    enforcing.watch(NOW + DAY)
    assert wanted(box) == RUNNING


def test_as_many_queries_for_a_class_as_for_two(aye, bo):
    tell(cohort_usd=D(5000))

    def asked():
        enforcing.watch(NOW)
        with CaptureQueriesContext(connection) as queries:
            enforcing.watch(NOW + timedelta(seconds=1))
        return len(queries)

    for number, who in enumerate((aye, bo), start=1):
        spent(worlds.account_of(who, number=number), 21)
    few = asked()
    for number in range(10, 40):
        spent(worlds.account_of(worlds.person(f"S{number}"), number=number), 21)
    assert asked() == few
    assert Scope.objects.count() == 1 and Alert.objects.open().count() == 32
