"""A part of the spend: what the address chooses, what the sums, the page and the files make of it."""

import csv
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from costs import metering, scopes
from costs.dashboard.drill import part_page
from costs.models import DailySpend
from costs.narrowing import Choices, NoSuchPart, Part, choices_in, days_of, in_words, week_of
from costs.tests import worlds
from costs.tests.test_dashboard import a_class
from costs.tests.test_pages import page, words
from costs.tests.worlds import DAY, HOUR, NOW, SCOPE, endpoint, instance, stranger

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("prices", "now")]
D = Decimal


@pytest.fixture
def spent(aye, bo, ayes):
    """Three weeks of Aye's box in two regions, and Bo's endpoint since Tuesday of this week."""
    scopes.tell(SCOPE, name="sep", title="September 2025")
    stranger(ayes, "ec2-instance", instance(disk_gb=0, since=NOW - 16 * DAY), NOW)
    there = instance(disk_gb=0, since=NOW - 3 * DAY, name="far")
    stranger(ayes, "ec2-instance", there, NOW, region="ap-southeast-1")
    bos = worlds.account_of(bo, number=2)
    stranger(bos, "sagemaker-endpoint", endpoint(since=NOW - 2 * DAY), NOW)
    metering.meter(NOW)
    return {"aye": ayes, "bo": bos}


def sum_of(**asked):
    return sum(line.usd for line in Part(**asked).spend(DailySpend.objects.all()))


def test_a_week_is_monday_to_sunday_and_says_so():
    assert week_of(date(2025, 9, 18)) == "2025-W38"
    assert days_of("2025-W38") == (date(2025, 9, 15), date(2025, 9, 21))
    assert in_words(date(2025, 9, 15)) == "Mon 15 to Sun 21 Sep 2025"
    assert in_words(date(2025, 9, 29)) == "Mon 29 Sep to Sun 5 Oct 2025"
    for wrong in ("2025-38", "2025-W54", "W38", "2025-W00"):
        with pytest.raises(ValueError):
            days_of(wrong)


@pytest.mark.parametrize("field", ["week", "service", "person", "region", "account"])
def test_the_parts_of_a_choice_add_up_to_the_whole(spent, field):
    whole = sum(line.usd for line in DailySpend.objects.all())
    choices = choices_in([SCOPE], NOW)
    assert len(choices.of[field]) > 1, "else this says nothing"
    assert sum(sum_of(**{field: value}) for value, _ in choices.of[field]) == whole
    shown = [part_page([SCOPE], choices.part({field: value}), choices, NOW) for value, _ in choices.of[field]]
    assert sum(one.usd for one in shown) == whole
    assert sum(usd for one in shown for _, usd, _ in one.people) == whole
    assert {one.whole_usd for one in shown} == {whole}


def test_choices_go_together(spent, aye):
    part = Part(week="2025-W38", service="EC2", person=str(aye.pk), region="ap-southeast-1")
    lines = part.spend(DailySpend.objects.all())
    assert {(line.service, line.owner, line.region) for line in lines} == {("EC2", aye, "ap-southeast-1")}
    assert sum(line.usd for line in lines) == sum_of(region="ap-southeast-1")


def test_what_is_on_now_is_of_the_part_too_but_not_of_a_week_that_is_over(spent):
    choices = choices_in([SCOPE], NOW)
    here = part_page([SCOPE], choices.part({"service": "SageMaker"}), choices, NOW)
    assert (here.burning.usd_per_hour, here.burning.lights) == (D("0.115"), 1)
    this_week = part_page([SCOPE], choices.part({"week": "2025-W38"}), choices, NOW)
    assert this_week.has_now and this_week.burning.lights == 3
    assert this_week.days[-1].day == date(2025, 9, 18), "no day that has not come"
    before = part_page([SCOPE], choices.part({"week": "2025-W37"}), choices, NOW)
    assert not before.has_now and [one.day.day for one in before.days] == [*range(8, 15)]


def test_the_page_says_what_is_chosen_and_keeps_it_in_the_form_and_the_file(client, teacher, spent, aye):
    response = page(client, teacher, "spend", week="2025-W38", service="EC2", person=aye.pk)
    said, html = words(response), response.content.decode()
    assert "Only Mon 15 to Sun 21 Sep 2025 , EC2 , Aye ." in said
    assert '<option value="EC2" selected>' in html and f'<option value="{aye.pk}" selected>' in html
    address = f"{reverse('costs:spend_csv')}?week=2025-W38&amp;service=EC2&amp;person={aye.pk}"
    assert address in html and address.replace("spend.csv", "spend-focus.csv") in html
    lines = list(csv.DictReader(client.get(address.replace("&amp;", "&")).getvalue().decode("utf-8-sig").splitlines()))
    assert {(line["service"], line["person"]) for line in lines} == {("EC2", "Aye")}
    assert min(line["day_utc"] for line in lines) == "2025-09-15"
    assert sum(D(line["usd"]) for line in lines) == response.context["page"].usd > 0


def test_a_chosen_nothing_is_all_of_it(client, teacher, spent):
    response = page(client, teacher, "spend", week="", service="")
    assert "All of it." in words(response)
    assert response.context["page"].usd == page(client, teacher, "spend").context["page"].spent_usd


@pytest.mark.parametrize(
    "wrong",
    [
        {"week": "2025-W99"},
        {"week": "x"},
        {"service": "<b>"},
        {"person": "999999"},
        {"account": "-1"},
        {"region": "mars"},
    ],
)
def test_what_is_not_here_is_told_and_everything_is_shown(client, teacher, spent, wrong):
    response = page(client, teacher, "spend", **(wrong | {"service": wrong.get("service", "EC2")}))
    said = words(response)
    assert "Nothing here is of" in said and "This is everything. Choose again below." in said
    assert response.context["page"].usd == sum(line.usd for line in DailySpend.objects.all())
    assert b"<b>\xe2" not in response.content
    answer = page(client, teacher, "spend_csv", **wrong)
    assert answer.status_code == 400 and "Nothing here is of" in answer.content.decode()


def test_nobodys_spend_has_its_own_choice(client, teacher, spent):
    shared = worlds.account_of(None, number=5, mode="shared", name="Bootcamp")
    stranger(shared, "ec2-instance", instance(disk_gb=0, since=NOW - HOUR, name="whose"), NOW)
    metering.meter(NOW)
    response = page(client, teacher, "spend", person="nobody")
    assert "Nobody’s" in words(response) and response.context["page"].usd == D("0.0416")
    assert page(client, teacher, "person", "nobody").context["page"].spent_usd == D("0.0416")


def test_another_scopes_people_and_accounts_are_no_choice(teacher, spent, chit):
    elsewhere = worlds.account_of(chit, number=9, scope="f" * 32)
    stranger(elsewhere, "ec2-instance", instance(since=NOW - HOUR, name="x"), NOW, region="eu-west-1")
    metering.meter(NOW)
    choices = choices_in([SCOPE], NOW)
    assert str(elsewhere.pk) not in dict(choices.of["account"])
    assert "eu-west-1" not in dict(choices.of["region"]) and str(chit.pk) not in dict(choices.of["person"])
    with pytest.raises(NoSuchPart):
        choices.part({"account": str(elsewhere.pk)})


def test_an_address_says_only_what_is_chosen():
    part = Part(week="2025-W38", service="API Gateway", region="us-east-1")
    assert part.query() == "week=2025-W38&service=API+Gateway&region=us-east-1"
    assert part.of_a_day == "&region=us-east-1" and Part(service="EC2").of_a_day == ""
    assert Part().is_whole and not part.is_whole
    assert isinstance(choices_in([SCOPE], NOW), Choices)


@pytest.mark.parametrize("number", [24, 240])
def test_a_part_asks_as_many_queries_for_240_people_as_for_24(number):
    scopes.tell(SCOPE, name="sep")
    a_class(number)
    with CaptureQueriesContext(connection) as choosing:
        choices = choices_in([SCOPE], NOW)
    part = choices.part({"service": "EC2", "region": "us-east-1", "week": "2025-W38"})
    with CaptureQueriesContext(connection) as reading:
        shown = part_page([SCOPE], part, choices, NOW)
    assert len(shown.people) == number // 4
    assert (len(choosing), len(reading)) == (3, 5)
    assert not [one for one in (*choosing, *reading) if "costs_reading" in one["sql"]], "sums of days, never readings"
