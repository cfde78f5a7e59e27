"""Staff look at a student's lab and help; and what staff start or make themselves is counted as anyone's."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from costs import budget, forgotten, metering, pricebook, scopes
from costs.dashboard import forgotten_page, spend_page
from costs.models import Metered
from costs.tests import worlds
from labs import ledger
from labs.models import Account, Event, Launch
from portal import enrolling

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "lab")]


@pytest.fixture
def launch(aye, lab, now):
    return worlds.launch(aye, Account.objects.get(owner=aye), now, slug=lab.slug, nb="sagemaker-notebook")


def test_staff_see_a_students_lab_and_nothing_in_it_that_is_the_students_to_press(signed_in, aye, chit, launch):
    page = reverse("labs:panel", args=[launch.pk])
    mine = signed_in(aye).get(page).content.decode()
    theirs = signed_in(chit).get(page).content.decode()
    for action in ("finish", "credentials"):
        address = reverse(f"labs:{action}", args=[launch.pk])
        assert address in mine and address not in theirs
    extend = reverse("costs:extend", args=[launch.pk])
    assert extend in mine and extend not in theirs
    assert "Aye’s lab" in theirs


@pytest.mark.parametrize(
    "action",
    ["labs:credentials", "labs:token", "labs:console", "labs:start", "labs:stop", "labs:finish", "costs:extend"],
)
def test_what_is_the_students_does_not_exist_for_staff(signed_in, chit, launch, action):
    assert signed_in(chit).post(reverse(action, args=[launch.pk])).status_code == 404
    assert not Event.objects.filter(launch=launch, code="credentials").exists()
    assert Launch.objects.get(pk=launch.pk).session_at is None


def test_looking_is_noted_once_an_hour_and_a_students_own_look_is_not(signed_in, aye, chit, launch, clock, now):
    page = reverse("labs:panel", args=[launch.pk])
    signed_in(aye).get(page)
    client = signed_in(chit)
    for _ in range(3):
        client.get(page)
        client.get(page, headers={"HX-Request": "true"})
    looks = Event.objects.filter(launch=launch, code="looked")
    assert [(look.actor, look.words) for look in looks] == [(chit, "Chit looked at this lab")]
    clock.move_to(now + timedelta(minutes=61))
    client.get(page)
    assert looks.all().count() == 2


def test_why_a_lab_ended_is_not_lost_behind_who_looked_at_it(signed_in, chit, launch, clock, now):
    ledger.note("ended", "The lab ended: practice mode started anew", now, launch=launch)
    Launch.objects.filter(pk=launch.pk).update(ended_at=now, prove_at=None)
    clock.move_to(now + timedelta(minutes=5))
    page = signed_in(chit).get(reverse("labs:panel", args=[launch.pk])).content.decode()
    assert Event.objects.filter(launch=launch, code="looked").exists()
    assert "practice mode started anew" in page and "looked at this lab" not in page


def test_what_staff_start_or_make_by_hand_is_metered_budgeted_and_found(cohort, chit, aye, now):
    pricebook.load()
    scopes.tell(cohort.scope, name=cohort.slug, student_usd=Decimal(25), cohort_usd=Decimal("1.00"), staff=[chit.pk])
    account = enrolling.practice_account(chit, now=now)
    begun = now - timedelta(hours=10)
    Account.objects.filter(pk=account.pk).update(created_at=begun - timedelta(days=1))
    account.refresh_from_db()
    by_hand = worlds.stranger(account, "sagemaker-endpoint", worlds.endpoint(since=begun), begun)
    lab = worlds.launch(chit, account, begun, slug="s3-for-ml", hours=20, nb="sagemaker-notebook")
    nb = worlds.saw(worlds.row_of(lab, "nb"), worlds.notebook(since=begun), begun)
    worlds.still_there([by_hand, nb], now)
    metering.meter(now)
    forgotten.judge(now)

    assert Metered.objects.get(resource=by_hand).usd == pytest.approx(Decimal("1.15"), abs=Decimal("0.01"))
    assert Metered.objects.get(resource=nb).usd == pytest.approx(Decimal("0.51"), abs=Decimal("0.01"))
    assert spend_page([cohort.scope], now).staff_usd > Decimal("1.60")
    assert [one.owner for one in forgotten_page([cohort.scope], now).lights] == ["Chit"]
    refused = budget.may_launch(aye, cohort.scope, Decimal("0.05"), 1, now)
    assert not refused.allowed and "the cohort has $0.00 left" in refused.reason, "the instructor's spend counts"
    assert not budget.may_launch(chit, cohort.scope, Decimal("0.05"), 1, now).allowed
