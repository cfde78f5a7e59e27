"""The Free Tier's pages: what they say, and to whom."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from costs import kept, metering
from costs.models import AccountPlan, Price, PriceList
from costs.tests import worlds
from costs.tests.test_pages import page, words
from costs.tests.worlds import DAY, HOUR, NOW, notebook, stranger

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("prices", "now")]


@pytest.fixture
def used(ayes):
    row = stranger(ayes, "sagemaker-notebook", notebook(disk_gb=0), NOW - 240 * HOUR)
    worlds.still_there([row], NOW)
    metering.meter(NOW)
    return ayes


def test_the_page_shows_each_account_with_what_is_nearest_to_its_end(client, teacher, used):
    said = words(page(client, teacher, "free_tier"))
    assert "AWS counts per account, over all regions, and never per student" in said
    assert "SageMaker ml.t3.medium notebook" in said and "240 of 250 Hrs" in said and "Nearly used up" in said
    assert "$88.00 of credits left" in said
    assert "counted as if each were a new AWS account with credits: nobody is billed there" in said


def test_an_account_without_use_is_told_in_words(client, teacher, ayes):
    assert "1 practice account uses nothing of it." in words(page(client, teacher, "free_tier"))


def test_an_accounts_page_names_what_is_on_what_labs_need_and_what_is_not_seen(client, aye, used):
    answer = page(client, aye, "account_free_tier", used.pk)
    said = words(answer)
    assert "240 of 250 Hrs" in said and "nb of Aye" in said
    assert "Would leave it" in said and "Cost from the first second on" in said
    assert "Not seen by our meter" in said and "Lambda requests 1,000,000 requests" in said
    assert f'href="{reverse("costs:free_tier")}"' not in answer.content.decode(), "that page is not a student's"


def test_what_aws_tells_stands_beside(client, aye):
    own = worlds.account_of(aye, number=4, mode="own")
    told = {"service": "AWS Lambda", "usageType": "Global-Request", "actualUsageAmount": 1200.0, "limit": 1000000.0}
    told |= {"forecastedUsageAmount": 2000.0, "unit": "Requests", "freeTierType": "Always Free"}
    AccountPlan.objects.create(
        account=own, plan="free", credits_usd=Decimal("87.35"), told_at=NOW - DAY, ends_at=NOW + 90 * DAY, usage=[told]
    )
    said = words(page(client, aye, "account_free_tier", own.pk))
    assert "As AWS tells it" in said and "AWS Lambda Global-Request 1200 of 1000000 Requests" in said
    assert "$87.35 of credits left, as AWS told" in said and "The free plan ends" in said


def test_an_unknown_plan_and_a_refusal_are_said(client, aye):
    own = worlds.account_of(aye, number=4, mode="own")
    AccountPlan.objects.create(account=own, asked_at=NOW, trouble="not authorized: freetier:GetFreeTierUsage")
    said = words(page(client, aye, "account_free_tier", own.pk))
    assert "Not known: only what every account has is counted" in said
    assert "AWS does not tell more: not authorized: freetier:GetFreeTierUsage" in said


def test_anothers_account_does_not_exist(client, bo, teacher, used, aye):
    assert page(client, bo, "account_free_tier", used.pk).status_code == 404
    elsewhere = worlds.account_of(aye, number=8, scope="f" * 32, mode="own")
    assert page(client, teacher, "account_free_tier", elsewhere.pk).status_code == 404
    assert page(client, teacher, "account_free_tier", used.pk).status_code == 200


# --- how old prices are --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["spend", "readings", "calculator"])
def test_pages_with_prices_say_how_old_they_are_and_loudly_when_they_are_old(client, teacher, used, name):
    args = [used.resources.first().pk] if name == "readings" else []
    Price.objects.update(valid_from=date(2025, 9, 1))
    said = words(page(client, teacher, name, *args))
    assert "Prices as of 1 Sep 2025, 17 days old." in said
    Price.objects.update(valid_from=date(2025, 1, 1))
    kept.forget()  # prices come once a day: a minute later it would show
    assert "260 days old: AWS may have changed them since" in words(page(client, teacher, name, *args))


def test_a_list_that_changed_nothing_makes_the_book_young_again(client, teacher, used):
    Price.objects.update(valid_from=date(2025, 1, 1))
    PriceList.objects.create(offer="AmazonEC2", version="1", published_on=date(2025, 9, 17), read_at=timezone.now())
    assert "Prices as of 17 Sep 2025, 1 day old." in words(page(client, teacher, "spend"))
