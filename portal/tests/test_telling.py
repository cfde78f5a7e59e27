"""What costs are told of cohorts, and people of what is odd about money."""

from datetime import timedelta

import pytest
from django.utils import timezone

from costs import alerts
from costs.models import Alert, Budget, Scope
from labs import practice
from portal import telling
from portal.models import Cohort, Notice, User

pytestmark = pytest.mark.django_db


def test_costs_know_the_next_session_and_the_budgets_and_twice_changes_nothing(cohort, now):
    Cohort.objects.update(currency="SGD")
    assert telling.tell_costs(now) == 1
    telling.tell_costs(now)
    told = Scope.objects.get(key=cohort.scope)
    assert (told.name, told.currency) == (cohort.slug, "SGD")
    assert told.look_ahead_until == cohort.told.get(week__number=2).session_at
    assert Budget.objects.filter(scope=cohort.scope).count() == 2


def test_costs_know_what_is_done_about_what_was_left_on(cohort, now):
    cohort.lights_level, cohort.lights_grace_minutes, cohort.lights_delete_days = "grace", 45, 3
    cohort.save()
    telling.tell_costs(now)
    assert str(Scope.objects.get(key=cohort.scope).policy) == (
        "Told at once, stopped after 45 min; deleted after 3 days stopped"
    )


# --- alerts --------------------------------------------------------------------------------------------------------


def alert(rule="budget", **facts):
    given = {"rule": rule, "key": "k", "sentence": "Aye has spent $30.00", "level": 3, "opened_at": timezone.now()}
    return Alert.objects.create(**(given | facts))


def told():
    return {(one.person.name, one.topic, one.url) for one in Notice.objects.select_related("person")}


MINE, ALL = "/costs/mine/", "/costs/alerts/"


@pytest.mark.parametrize(
    ("why", "rule", "is_ayes", "is_cohorts", "whom"),
    [
        ("a person's budget", "budget", True, True, {("Aye", "budget", MINE), ("Chit", "teaching", ALL)}),
        ("a person's unusual day", "anomaly", True, True, {("Aye", "budget", MINE), ("Chit", "teaching", ALL)}),
        ("a cohort's budget", "budget", False, True, {("Chit", "teaching", ALL)}),
        ("what is no cohort's", "variance", False, False, {("Admin", "teaching", ALL)}),
        ("a bill is not the student's", "variance", True, True, {("Chit", "teaching", ALL)}),
    ],
)
def test_an_alert_is_told_to_whom_it_concerns(cohort, aye, chit, admin, now, why, rule, is_ayes, is_cohorts, whom):
    User.objects.filter(pk=admin.pk).update(name="Admin")
    alert(rule, owner=aye if is_ayes else None, scope=cohort.scope if is_cohorts else "")
    assert telling.tell_alerts(now) == 1
    assert told() == whom, why
    assert Alert.objects.get().told_at == now


def test_an_alert_of_an_account_is_the_admins(cohort, aye, chit, admin, now):
    alert(account=practice.account_of(aye, now=now, scope=cohort.scope), scope=cohort.scope)
    telling.tell_alerts(now)
    assert [one.person for one in Notice.objects.all()] == [admin]


def test_an_alert_is_told_once_and_a_rise_of_it_again(cohort, aye, chit, now):
    def settled(level, at):
        found = Alert(key="k", scope=cohort.scope, owner=aye, sentence="Aye has spent", level=level)
        alerts.settle("budget", [found], at)
        return telling.tell_alerts(at)

    later = [now + timedelta(minutes=number) for number in range(5)]
    assert [settled(1, later[0]), settled(1, later[1]), settled(3, later[2])] == [1, 0, 1]
    assert [settled(1, later[3]), settled(3, later[4])] == [0, 1], "it fell back, and rose again"
    assert Notice.objects.filter(person=aye).count() == 3
    assert Notice.objects.filter(person=aye, is_urgent=True).count() == 2, "what is about to be turned off"


def test_a_death_between_telling_and_noting_it_tells_nobody_twice(cohort, aye, chit, now, monkeypatch):
    alert(owner=aye, scope=cohort.scope)

    def killed(*_):
        raise SystemExit("killed")

    with monkeypatch.context() as death:
        death.setattr(alerts, "told", killed)
        with pytest.raises(SystemExit):
            telling.tell_alerts(now)
    assert telling.tell_alerts(now + timedelta(minutes=1)) == 1
    assert Notice.objects.count() == 2 and Alert.objects.get().told_at is not None
