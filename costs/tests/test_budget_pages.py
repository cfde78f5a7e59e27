"""The pages of budgets and alerts: what they show, who changes what, and what that does."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from costs import enforcing, kept, scopes
from costs.dashboard.budgets import budgets_page
from costs.limits import account_budgets, budget_of, budgets_of
from costs.models import Alert, Budget, BudgetExtension, BudgetRules, DailySpend, Scope
from costs.tests import grants, worlds
from costs.tests.test_pages import page, words
from costs.tests.worlds import DAY, HOUR, NOW, SCOPE, instance, stranger
from labs.models import Event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("prices", "now")]
D = Decimal


@pytest.fixture
def told(db):
    return scopes.tell(SCOPE, name="sep", title="September 2025", student_usd=D(25), cohort_usd=D(500))


@pytest.fixture
def an_admin(teacher):
    """Chit sees and acts on what is nobody's too."""
    grants.GRANTED[teacher.pk] = {SCOPE, ""}
    return teacher


def spent(account, usd):
    DailySpend.objects.create(
        day=NOW.date(), account=account, owner=account.owner, scope=account.scope, service="SageMaker",
        region="us-east-1", usd=D(usd),
    )  # fmt: skip


def press(client, who, key, **fields):
    client.force_login(who, backend="django.contrib.auth.backends.ModelBackend")
    return client.post(reverse("costs:budget", args=[key]), fields)


def of_aye(aye):
    return budget_of(aye.pk, [SCOPE], budgets_of([SCOPE], NOW))


def test_the_budgets_say_where_each_stands(client, teacher, told, aye, ayes, bo):
    worlds.account_of(bo, number=2)
    spent(ayes, 24)
    said = words(page(client, teacher, "budgets"))
    assert "Aye $24.00 of $25.00" in said and "Near budget" in said
    assert "Bo $0.00 of $25.00" in said
    assert "80 %" in said and "2 h after it was told" in said


def test_whoever_may_not_see_the_money_has_no_such_pages(client, aye, ayes, teacher, told):
    assert page(client, aye, "budgets").status_code == page(client, aye, "alerts").status_code == 404
    assert page(client, aye, "budget", f"person-{aye.pk}-{SCOPE}").status_code == 404
    assert press(client, aye, f"person-{aye.pk}-{SCOPE}", act="extend", more="5", why="me").status_code == 404


@pytest.mark.parametrize("key", ["person-999999-{0}", "cohort-abc", "account-999999", "nonsense", "person-1"])
def test_a_key_that_names_nobody_is_no_page(client, teacher, told, key):
    assert page(client, teacher, "budget", key.format(SCOPE)).status_code == 404


def test_another_cohorts_budgets_are_not_theirs(client, teacher, told):
    scopes.tell("d" * 32, name="other", student_usd=D(25))
    assert page(client, teacher, "budget", f"students-{'d' * 32}").status_code == 404


def test_one_person_is_given_more_for_a_while_with_a_reason_and_it_is_taken_back(client, teacher, told, aye, ayes):
    key = f"person-{aye.pk}-{SCOPE}"
    until = (NOW + DAY).strftime("%Y-%m-%dT%H:%M")
    assert press(client, teacher, key, act="extend", more="10.50", until=until, why="capstone").status_code == 302
    given = BudgetExtension.objects.get()
    assert (given.owner, given.usd, given.why, given.by, given.at) == (aye, D("10.50"), "capstone", teacher, NOW)
    assert of_aye(aye) == D("35.50")
    assert Event.objects.get(code="budget").actor == teacher
    assert "capstone" in words(page(client, teacher, "budget", key))
    press(client, teacher, key, act="undo", pk=given.pk)
    given.refresh_from_db()
    assert (given.undone_at, given.undone_by) == (NOW, teacher) and of_aye(aye) == 25
    assert press(client, teacher, key, act="undo", pk=given.pk).status_code == 422, "once"


def test_what_one_was_given_is_not_undone_from_anothers_page(client, teacher, told, aye, ayes, bo):
    worlds.account_of(bo, number=2)
    press(client, teacher, f"person-{aye.pk}-{SCOPE}", act="extend", more="10", why="capstone")
    given = BudgetExtension.objects.get()
    press(client, teacher, f"person-{bo.pk}-{SCOPE}", act="undo", pk=given.pk)
    given.refresh_from_db()
    assert given.undone_at is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"more": "", "why": "x"}, "required"),
        ({"more": "-5", "why": "x"}, "greater than or equal"),
        ({"more": "5", "why": ""}, "required"),
        ({"more": "5", "why": "x", "until": "2020-01-01T00:00"}, "over already"),
    ],
)
def test_a_wrong_extension_is_told_and_gives_nothing(client, teacher, told, aye, ayes, wrong, said):
    answer = press(client, teacher, f"person-{aye.pk}-{SCOPE}", act="extend", **wrong)
    assert answer.status_code == 422 and said in words(answer)
    assert not BudgetExtension.objects.exists()


def test_a_budget_of_ones_own_and_back_to_what_each_has(client, teacher, told, aye, ayes):
    key = f"person-{aye.pk}-{SCOPE}"
    press(client, teacher, key, act="amount", usd="40")
    assert of_aye(aye) == 40 and Budget.objects.get(owner=aye).kind == Budget.STUDENT
    press(client, teacher, key, act="amount", usd="")
    assert of_aye(aye) == 25 and not Budget.objects.filter(owner=aye).exists()


def test_what_each_student_has_is_set_and_goes_back_to_the_cohorts_record(client, teacher, told):
    press(client, teacher, f"students-{SCOPE}", act="amount", usd="40")
    scopes.tell(SCOPE, name="sep", student_usd=D(25), cohort_usd=D(500))
    assert Budget.objects.get(kind="student").usd == 40
    press(client, teacher, f"students-{SCOPE}", act="amount", usd="")
    assert Budget.objects.get(kind="student").usd == 25


def test_nobody_gives_more_to_themselves_but_an_admin(client, teacher, aye):
    scopes.tell(SCOPE, name="sep", student_usd=D(25), staff=[teacher.pk])
    spent(worlds.account_of(teacher, number=4), 3)
    own, all_staff = f"person-{teacher.pk}-{SCOPE}", f"staff-{SCOPE}"
    assert page(client, teacher, "budget", own).url == reverse("costs:person", args=[teacher.pk]), "what they spent"
    assert press(client, teacher, own, act="amount", usd="900").status_code == 404
    assert press(client, teacher, all_staff, act="amount", usd="900").status_code == 404
    assert reverse("costs:budget", args=[own]) not in page(client, teacher, "budgets").content.decode()
    grants.GRANTED[teacher.pk] = {SCOPE, ""}
    assert press(client, teacher, all_staff, act="amount", usd="90").status_code == 302
    assert press(client, teacher, own, act="amount", usd="100").status_code == 302
    assert Budget.objects.get(owner=teacher).kind == Budget.STAFF


def test_an_accounts_budget_is_set_by_an_admin_and_extended(client, an_admin, told):
    shared = worlds.account_of(None, number=7, scope="", mode="shared", name="Bootcamp")
    key = f"account-{shared.pk}"
    press(client, an_admin, key, act="amount", usd="300")
    press(client, an_admin, key, act="extend", more="50", why="a second class")
    assert account_budgets(NOW) == {shared.pk: D(350)}
    assert "Bootcamp" in words(page(client, an_admin, "budgets"))
    grants.GRANTED[an_admin.pk] = {SCOPE}
    assert page(client, an_admin, "budget", key).status_code == 404


def shares(**facts):
    return {"act": "rules", "tell": "70", "block": "90", "stop": "", "delete": "", "grace": "1.5"} | facts


def test_what_happens_at_which_share_is_set(client, teacher, told):
    assert press(client, teacher, f"students-{SCOPE}", **shares()).status_code == 302
    row = BudgetRules.objects.get()
    assert (row.kind, row.tell_at, row.block_at, row.stop_at, row.grace_minutes) == ("student", 70, 90, None, 90)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"stop": "100", "delete": "90"}, "Delete comes at the same share as Stop"),
        ({"tell": "100", "stop": "90"}, "Tell comes at the same share"),
        ({"grace": "-1"}, "greater than or equal"),
        ({"grace": ""}, "required"),
        ({"tell": "many"}, "whole number"),
    ],
)
def test_wrong_shares_are_told_and_change_nothing(client, teacher, told, wrong, said):
    answer = press(client, teacher, f"students-{SCOPE}", **shares(**wrong))
    assert answer.status_code == 422 and said in words(answer)
    assert not BudgetRules.objects.exists()


def test_as_many_queries_for_many_people_as_for_few(told, aye, ayes):
    def asked():
        with CaptureQueriesContext(connection) as queries:
            budgets_page(Scope.objects.get(), [SCOPE], NOW)
        return len(queries)

    spent(ayes, 21)
    enforcing.watch(NOW)
    few = asked()
    for number in range(10, 40):
        spent(worlds.account_of(worlds.person(f"S{number}"), number=number), 21)
    enforcing.watch(NOW)
    assert asked() == few <= 20


# --- alerts --------------------------------------------------------------------------------------------------------


def test_alerts_show_on_spend_forgotten_and_their_own_page_and_to_the_person(client, teacher, told, aye, ayes, bo):
    spent(ayes, 24)
    enforcing.watch(NOW)
    for name in ("spend", "forgotten", "alerts"):
        answer = page(client, teacher, name)
        assert "Aye has spent $24.00 of the budget of $25.00: 96 %" in words(answer), name
        assert reverse("costs:budget", args=[f"person-{aye.pk}-{SCOPE}"]) in answer.content.decode(), name
    assert "SageMaker $24.00" in words(page(client, teacher, "alerts"))
    assert "has spent $24.00" in words(page(client, aye, "mine"))
    assert "has spent $24.00" not in words(page(client, bo, "mine"))


def test_what_is_over_is_listed_for_a_week(client, teacher, told, ayes):
    spent(ayes, 24)
    enforcing.watch(NOW - 8 * DAY)
    Alert.objects.update(closed_at=NOW - 6 * DAY)
    assert "Over, in the last week" in words(page(client, teacher, "alerts"))
    Alert.objects.update(closed_at=NOW - 8 * DAY)
    assert "has spent" not in words(page(client, teacher, "alerts"))


def test_another_cohorts_alerts_and_the_accounts_are_not_shown(client, teacher, told):
    for scope in ("d" * 32, ""):
        Alert.objects.create(rule="variance", key=scope, scope=scope, sentence="secret", opened_at=NOW)
    for name in ("spend", "forgotten", "alerts"):
        assert "secret" not in words(page(client, teacher, name)), name
    grants.GRANTED[teacher.pk] = {SCOPE, ""}
    assert "secret" in words(page(client, teacher, "alerts"))
    assert page(client, teacher, "alerts").content.decode().count("secret") == 1, "and the other cohort’s not"


# --- exposure ------------------------------------------------------------------------------------------------------


def test_spend_and_my_costs_say_what_can_still_be_spent_and_what_stops_it(client, teacher, told, aye, ayes):
    box = stranger(ayes, "ec2-instance", instance(disk_gb=0, since=NOW - HOUR), NOW)
    Budget.objects.all().delete()
    assert "Unbounded: nothing stops it by itself" in words(page(client, teacher, "spend"))
    assert "Unbounded: nothing stops it by itself" in words(page(client, aye, "mine"))
    type(box).objects.filter(pk=box.pk).update(switch_at=NOW + 4 * HOUR)
    kept.forget()  # a switch alone is no event: a minute later it would show
    for who, name in ((teacher, "spend"), (aye, "mine")):
        assert "at most $0.17 more" in words(page(client, who, name)).lower(), name
        assert "by the switch in AWS" in words(page(client, who, name)), name


def test_a_budgets_own_stop_bounds_what_nothing_else_ends(client, teacher, told, aye, ayes):
    stranger(ayes, "ec2-instance", instance(disk_gb=0, since=NOW - HOUR), NOW)
    spent(ayes, "24.90")
    # 0.10 left, and two hours of grace at 0.0416.
    assert "at most $0.18 more" in words(page(client, teacher, "spend")).lower()
    assert "by the budget’s stop" in words(page(client, teacher, "spend"))


def test_what_a_teacher_without_a_budget_spent_is_in_the_list(client, teacher, aye):
    scopes.tell(SCOPE, name="sep", student_usd=D(25), staff=[teacher.pk])
    spent(worlds.account_of(teacher, number=4), 3)
    shown = words(page(client, teacher, "budgets"))
    assert "$3.00" in shown[shown.index("Where each stands") :]
