"""Starting a lab from its week: released, allowed, affordable, and not too many at once."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.urls import reverse

from conftest import YANGON
from costs import currency, metering
from costs.budget import rate_of
from costs.models import Budget, DailySpend
from costs.pricebook import load
from labs import catalog, ledger
from labs.catalog import all_labs, sagemaker_notebook
from labs.kinds.base import RUNNING, Seen
from labs.models import Account, Launch
from portal import enrolling
from portal.templatetags.look import rate_h, usd

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "lab")]


def start(client, number=2):
    return client.post(reverse("portal:start_lab", args=[number, "s3-for-ml"]))


def test_a_lab_of_this_week_starts_in_the_students_own_account(signed_in, aye, cohort, now):
    answer = start(signed_in(aye))
    launch = Launch.objects.get()
    assert answer.url == reverse("labs:panel", args=[launch.pk])
    assert (launch.owner, launch.account, launch.scope) == (aye, Account.objects.get(owner=aye), cohort.scope)
    assert (launch.labels, launch.region) == ({"week": 2}, "us-east-1")
    assert launch.look_ahead_until == datetime(2025, 9, 20, 9, tzinfo=YANGON)


def test_the_price_is_asked_about_before_anything_starts(signed_in, aye):
    said = signed_in(aye).get(reverse("portal:start_lab", args=[2, "s3-for-ml"])).content.decode()
    assert "Off by itself" in said and "after 2 h" in said
    assert not Launch.objects.exists()


@pytest.mark.once
@pytest.mark.parametrize("real", all_labs(), ids=lambda lab: lab.slug)
def test_price_time_modes_and_what_stays_are_said_of_every_lab_before_it_starts(real, signed_in, aye, now, monkeypatch):
    load()
    here = replace(real, slug="s3-for-ml")
    monkeypatch.setattr(catalog, "catalog", lambda: {here.slug: here})
    said = unescape(signed_in(aye).get(reverse("portal:start_lab", args=[2, "s3-for-ml"])).content.decode())
    price = rate_of(here, "us-east-1", now)
    assert price.at_most is not None and price.at_most >= here.calls_usd
    assert f"{rate_h(price.usd_per_hour)}</dd>" in said
    assert f"{usd(price.at_most)}</dd>" in said
    assert f"{here.minutes} min</dd>" in said
    assert here.kept in said and here.calls_note in said
    assert said.count(f"${here.calls_usd} of that sum") <= 1 and "counted in" not in said, "an allowance is told once"
    assert f"It may run in {here.modes_words}." in said
    marks = re.search(r"In practice mode, (\d+) of its", said)
    assert (int(marks[1]) if marks else 0) == sum(bool(step.expect) for step in here.steps)


@pytest.fixture
def notebook_lab(monkeypatch):
    load()
    here = replace(sagemaker_notebook.LAB, slug="s3-for-ml")
    monkeypatch.setattr(catalog, "catalog", lambda: {here.slug: here})
    return here


def start_page(client):
    page = client.get(reverse("portal:start_lab", args=[2, "s3-for-ml"])).content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", unescape(page)))


def test_what_is_left_of_the_free_tier_is_said_before_it_starts(signed_in, aye, notebook_lab):
    said = start_page(signed_in(aye))
    hours = f"{Decimal(str(notebook_lab.hours)).normalize():f}"
    assert "Free Tier, as of a new account" in said
    assert "SageMaker ml.t3.medium notebook: up to " in said
    assert f"up to {hours} of 250 Hrs left this month" in said
    assert "Not in it, and paid from the first second on: disk 5 GB." in said
    assert "would leave it" not in said


def test_a_lab_that_would_leave_the_free_tier_says_so(signed_in, aye, notebook_lab, now):
    account = enrolling.practice_account(aye, now=now)
    began = now - timedelta(hours=249)
    box = Seen(RUNNING, "nb", "nb", began, {"type": "ml.t3.medium", "disk_gb": 0})
    [row] = ledger.enter_strangers([(account, "sagemaker-notebook", box, "us-east-1")], began)
    Account.objects.update(created_at=began)
    ledger.confirm([row.pk], now)
    metering.meter(now)
    said = start_page(signed_in(aye))
    assert "This lab would leave it. SageMaker ml.t3.medium notebook: up to" in said
    assert "of 0 Hrs left this month" in said, "what is on uses the last hour up"


def test_the_price_stands_there_in_the_cohorts_own_money_too(signed_in, aye, cohort, notebook_lab, now):
    said = start_page(signed_in(aye))
    assert "SGD" not in said
    cohort.currency = "SGD"
    cohort.save()
    currency.enter("SGD", Decimal("1.29"), now.date())
    said = start_page(signed_in(aye))
    assert re.search(r"about SGD 0\.0\d/h ?At most ?\$0\.\d\d ?about SGD 0\.\d\d", said)
    assert "SGD at 1.29 for a US dollar, of 18 Sep 2025" in said


def test_a_lab_that_is_on_is_shown_not_started_again(signed_in, aye):
    client = signed_in(aye)
    assert start(client).url == start(client).url
    assert Launch.objects.count() == 1


def test_a_lab_of_a_week_that_is_not_released_does_not_exist(signed_in, aye):
    assert start(signed_in(aye), 3).status_code == 404
    assert not Launch.objects.exists()


def test_a_lab_that_the_catalogue_does_not_know_does_not_exist(signed_in, aye, course):
    course.weeks.get(number=2).labs.update(lab_slug="gone")
    client = signed_in(aye)
    assert client.post(reverse("portal:start_lab", args=[2, "gone"])).status_code == 404
    assert client.get(reverse("portal:week", args=[2])).status_code == 200


def test_no_third_lab_starts_while_two_are_on(signed_in, aye, settings):
    settings.LABS_AT_ONCE = 0
    answer = start(signed_in(aye))
    assert answer.status_code == 422
    assert "Finish one first" in answer.content.decode()
    assert not Launch.objects.exists()


def test_a_lab_that_does_not_fit_into_the_budget_is_refused_with_the_reason(signed_in, aye, cohort, lab, monkeypatch):
    dear = replace(lab, calls_usd=Decimal(3), hours=Decimal(2))
    monkeypatch.setattr(catalog, "catalog", lambda: {dear.slug: dear})
    Budget.objects.filter(scope=cohort.scope, kind="student").update(usd=0)
    monkeypatch.setattr("costs.budget.LabPrice.usd_per_hour", property(lambda self: Decimal("1.00")))
    answer = start(signed_in(aye))
    assert answer.status_code == 422
    assert "you have $0.00 left of your $0.00" in answer.content.decode()
    assert not Launch.objects.exists()


def test_a_lab_without_a_price_is_not_started(signed_in, aye, monkeypatch):
    monkeypatch.setattr("costs.budget.LabPrice.usd_per_hour", property(lambda self: None))
    answer = start(signed_in(aye))
    assert answer.status_code == 422
    assert "unpriced" in answer.content.decode()


def test_an_instructor_rehearses_a_lab_of_a_later_week_in_their_own_account(signed_in, chit):
    start(signed_in(chit), 3)
    assert Launch.objects.get().account.owner == chit


def test_where_no_account_can_run_a_lab_it_is_refused_in_words_and_leaves_no_row(signed_in, aye, chit, settings):
    settings.SIMULATOR_URL = ""
    why = "Labs are not connected on this server yet. Ask your instructor"
    client = signed_in(aye)
    assert why in client.get(reverse("portal:labs")).content.decode()
    asked = client.get(reverse("portal:start_lab", args=[2, "s3-for-ml"])).content.decode()
    assert why in asked and "disabled" in asked and "practice account" not in asked
    answer = start(client)
    assert answer.status_code == 422 and why in answer.content.decode()
    assert start(signed_in(chit), 3).status_code == 422
    assert not Launch.objects.exists()
    assert not Account.objects.filter(owner=chit).exists(), "an account that nobody could look into"


def test_what_is_on_is_on_today_and_on_the_labs_page(signed_in, aye):
    client = signed_in(aye)
    start(client)
    panel = reverse("labs:panel", args=[Launch.objects.get().pk])
    for name in ("today", "labs"):
        assert panel in client.get(reverse(f"portal:{name}")).content.decode()


def test_a_lab_is_extended_twice_and_its_budget_is_asked_each_time(signed_in, aye, cohort, lab, monkeypatch, now):
    client = signed_in(aye)
    start(client)
    launch = Launch.objects.get()
    monkeypatch.setattr("costs.budget.rates_of_labs", lambda labs, now: {one.pk: Decimal(1) for one in labs})
    Budget.objects.filter(scope=cohort.scope, kind="student").update(usd=Decimal("2.60"))
    extend = reverse("costs:extend", args=[launch.pk])
    assert "Extended. 1 more left." in client.post(extend, follow=True).content.decode()
    said = client.post(extend, follow=True).content.decode()
    assert "Not extended: it goes off when it would have. This can cost up to $0.50, and you have $0.10 left" in said
    launch.refresh_from_db()
    assert launch.expires_at == now + timedelta(hours=2, minutes=30)


def test_a_finished_lab_can_be_started_again(signed_in, aye, now):
    client = signed_in(aye)
    start(client)
    Launch.objects.update(asked_to_end_at=now, ended_at=now)
    assert "Again…" in client.get(reverse("portal:week", args=[2])).content.decode()
    start(client)
    assert Launch.objects.open().count() == 1


def test_today_shows_the_budget_and_what_is_spent_of_it(signed_in, aye):
    said = signed_in(aye).get(reverse("portal:today")).content.decode()
    assert "$0.00 spent of $25.00, 0 percent" in said


@pytest.mark.parametrize(
    ("spent", "said", "is_near"),
    [("0.01", "under 1 %", False), ("19.99", "80 %", False), ("20", "80 %", True), ("24.99", "over 99 %", True)],
)
def test_today_rounds_the_share_of_the_budget_but_warns_from_the_exact_one(
    signed_in, aye, cohort, now, spent, said, is_near
):
    DailySpend.objects.create(
        day=now.date(), account=Account.objects.get(owner=aye), owner=aye, scope=cohort.scope, service="EC2",
        region="us-east-1", usd=Decimal(spent),
    )  # fmt: skip
    gauge = signed_in(aye).get(reverse("portal:today")).content.decode()
    assert f"{said} used" in gauge
    assert ('class="arc text-warning"' in gauge) is is_near


def test_the_roster_counts_the_labs_that_are_on(signed_in, aye, chit, cohort):
    start(signed_in(aye))
    assert "1 on" in signed_in(chit).get(reverse("portal:cohort_page", args=[cohort.slug])).content.decode()


def test_the_lab_page_says_that_a_job_ended_and_that_another_failed(signed_in, aye, now):
    client = signed_in(aye)
    start(client)
    launch = Launch.objects.get()
    for key, ended in (("well", "it completed"), ("badly", "it failed: no such image")):
        launch.resources.create(
            account=launch.account,
            region=launch.region,
            kind="sagemaker-training-job",
            key=key,
            name=f"lab-{key}",
            owner=aye,
            wanted_at=now,
            created_at=now,
            closed_at=now,
            closed_why=ended,
            seen="absent",
            facts={"ended": ended, "is_done": key == "well"},
        )
    said = ('text-secondary">It completed</span>', 'text-danger">It failed: no such image</span>')
    page = client.get(reverse("labs:panel", args=[launch.pk])).content.decode()
    assert page.count("Ended") == 2
    assert all(words in page for words in said)
    Launch.objects.update(ended_at=now)
    page = client.get(reverse("labs:panel", args=[launch.pk])).content.decode()
    assert all(words in page for words in said), "also when the lab is finished"
