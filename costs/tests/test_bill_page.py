"""The Bill page: who sees whose bill, what stands on it, and its file."""

import csv
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.urls import reverse

from costs import scopes
from costs.models import Bill, BilledDay, DailySpend, OwnUse
from costs.tests import worlds
from costs.tests.test_pages import page, words
from costs.tests.worlds import NOW, SCOPE
from labs.models import Account

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]
D = Decimal
CONNECTED = datetime(2025, 8, 10, 9, tzinfo=UTC)
S3 = "Amazon Simple Storage Service"


@pytest.fixture
def shared(db):
    scopes.tell(SCOPE, name="aws-ml")
    return worlds.account_of(None, number=7, mode=Account.SHARED, name="Bootcamp", connected_at=CONNECTED)


@pytest.fixture
def own(bo):
    return worlds.account_of(bo, number=8, mode=Account.OWN, name="Bo's own", connected_at=CONNECTED)


def billed(account, usd, day=16, service=S3, record="Usage", tag="", month=9, is_estimated=False):
    BilledDay.objects.create(
        account=account,
        day=date(2025, month, day),
        service=service,
        record=record,
        tag=tag,
        usd=usd,
        is_estimated=is_estimated,
        asked_at=NOW,
    )


def spent(account, usd, day=16, service="S3", owner=None):
    DailySpend.objects.create(
        day=date(2025, 9, day), account=account, owner=owner, service=service, region="us-east-1", usd=usd
    )


@pytest.fixture
def a_bill(shared):
    """Of the 16th, which is final: $12 used and $10 metered, all of it paid by a credit, and $1.10 of tax."""
    Bill.objects.create(account=shared, ask_at=NOW, answered_at=NOW, final_through=date(2025, 9, 16))
    spent(shared, D(10))
    billed(shared, D(12))
    billed(shared, D(-12), record="Credit")
    billed(shared, D("1.10"), service="Tax", record="Tax")
    billed(shared, D("0.40"), day=17, service="Amazon Redshift", is_estimated=True)
    return shared


# --- who ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bill", "bill_csv"])
def test_a_shared_accounts_bill_is_for_who_sees_its_scopes_spend(client, aye, teacher, a_bill, name):
    assert page(client, teacher, name).status_code == 200
    assert page(client, aye, name).status_code == 404


@pytest.mark.parametrize("name", ["bill", "bill_csv"])
def test_an_own_accounts_bill_is_its_owners_and_no_teachers(client, bo, teacher, own, shared, name):
    assert page(client, bo, name, account=own.pk).status_code == 200
    assert page(client, teacher, name, account=own.pk).status_code == 404
    assert page(client, bo, name, account=shared.pk).status_code == 404


def test_who_answers_for_what_is_nobodys_sees_them_all(client, own, shared, django_user_model):
    root = worlds.person("Root", is_superuser=True)
    for account in (own, shared):
        assert account.name.split("'")[0] in words(page(client, root, "bill", account=account.pk))


def test_another_scopes_account_does_not_exist(client, teacher, shared):
    other = worlds.account_of(None, number=9, mode=Account.SHARED, scope="f" * 32, name="Elsewhere")
    assert page(client, teacher, "bill", account=other.pk).status_code == 404
    assert "Elsewhere" not in words(page(client, teacher, "bill"))


def test_an_owner_sees_nothing_of_what_the_portal_costs(client, bo, own, a_bill):
    OwnUse.objects.create(day=NOW.date(), account=own, region="us-east-1", what="metrics", quantity=5)
    assert "own part" not in words(page(client, bo, "bill"))


# --- what --------------------------------------------------------------------------------------------------------


def test_a_practice_account_has_no_bill_and_nothing_is_made_up(client, teacher, ayes):
    scopes.tell(SCOPE, name="aws-ml")
    said = words(page(client, teacher, "bill"))
    assert "No real AWS account, so no bill" in said
    assert "$" not in said.split("own part")[0].split("Practice accounts cost nothing")[1]


def test_gross_credits_and_net_are_shown_apart(client, teacher, a_bill):
    said = words(page(client, teacher, "bill"))
    assert "Used in September $12.40 By AWS, before credits" in said
    assert "Metered $10.00" in said
    assert "Credits and refunds -$12.00" in said
    assert "To pay $1.50 $1.10 tax" in said
    assert "On 1 day AWS’s bill and the meter are more than 5 % apart." in said


def test_what_is_not_metered_is_not_accrued_and_not_zero(client, teacher, a_bill):
    said = words(page(client, teacher, "bill"))
    assert "Amazon Redshift not accrued, $0.40 apart" in said
    assert "Tax $1.10 tax" in said and "Tax not accrued" not in said
    assert "Services that are not metered at all: $0.40 this month." in said


def test_it_says_how_old_it_is_and_what_is_final(client, teacher, a_bill):
    said = words(page(client, teacher, "bill"))
    assert "final up to 16 Sep 2025" in said
    assert "Wed 17 Sep AWS’s estimate" in said and "Tue 16 Sep final" in said


def test_a_bill_that_cannot_be_read_says_why(client, teacher, shared):
    Bill.objects.create(account=shared, ask_at=NOW, trouble="Cost Explorer is not enabled in this account.")
    said = words(page(client, teacher, "bill"))
    assert "The bill of Bootcamp cannot be read. Cost Explorer is not enabled in this account." in said
    assert "AWS has told nothing yet" in said


def test_months_are_led_through_from_the_first_day_on(client, teacher, a_bill):
    assert "Aug 2025" in words(page(client, teacher, "bill"))
    billed(a_bill, D("3.21"), day=20, month=8)
    billed(a_bill, D("9.99"), day=5, month=8)
    august = words(page(client, teacher, "bill", month="2025-08"))
    assert "$3.21" in august and "Jul 2025" not in august and "Sep 2025" in august
    assert "$9.99" not in august, "before the account was connected"
    for nonsense in ("2025-13", "x", "1999-01", "9999-12"):
        assert page(client, teacher, "bill", month=nonsense).status_code == 200


def test_shares_by_our_tag_are_shown_by_name(client, teacher, aye, a_bill):
    assert "By student" not in words(page(client, teacher, "bill"))
    billed(a_bill, D(5), tag=str(aye.pk), service="Amazon SageMaker")
    billed(a_bill, D(1), tag="gone", service="Amazon SageMaker")
    spent(a_bill, D(4), service="SageMaker", owner=aye)
    said = words(page(client, teacher, "bill"))
    assert "Aye $4.00 $5.00" in said and "gone $0.00 $1.00" in said


def test_the_portals_own_part_is_told_and_practice_is_as_if(client, teacher, a_bill, ayes, whole_book):
    OwnUse.objects.create(day=NOW.date(), account=a_bill, region="us-east-1", what="bill-pages", quantity=60)
    OwnUse.objects.create(day=NOW.date(), account=ayes, region="us-east-1", what="metrics", quantity=1000)
    said = words(page(client, teacher, "bill"))
    assert "The portal’s own part, this month $0.6000" in said
    assert "Practice accounts, as if at AWS nobody pays for it $0.0100" in said


@pytest.mark.parametrize("number", [2, 12])
def test_the_page_asks_as_much_for_many_as_for_few(client, teacher, a_bill, django_assert_num_queries, number):
    for one in range(number):
        other = worlds.account_of(None, number=20 + one, mode=Account.SHARED, name=f"no {one}")
        OwnUse.objects.create(day=NOW.date(), account=other, region="us-east-1", what="metrics", quantity=1)
        billed(a_bill, D(1), day=1 + one, tag=str(teacher.pk))
        spent(a_bill, D(1), day=1 + one, owner=teacher)
    page(client, teacher, "bill")
    with django_assert_num_queries(17):
        client.get(reverse("costs:bill"), {"account": a_bill.pk})


# --- the file ----------------------------------------------------------------------------------------------------


def test_the_file_has_every_line_with_all_its_places(client, teacher, a_bill):
    text = b"".join(page(client, teacher, "bill_csv").streaming_content).decode("utf-8-sig")
    redshift, s3, tax = csv.DictReader(text.splitlines())
    assert (s3["account"], s3["day_utc"], s3["service"]) == (a_bill.aws_id, "2025-09-16", "S3")
    assert (s3["metered_usd"], s3["billed_usd"], s3["difference_usd"]) == (
        "10.0000000000",
        "12.0000000000",
        "2.0000000000",
    )
    assert (s3["credits_usd"], s3["to_pay_usd"], s3["aws_says"]) == ("'-12.0000000000", "0.0000000000", "final")
    assert (redshift["metered_usd"], redshift["aws_says"]) == ("not accrued", "estimate")
    assert (tax["billed_usd"], tax["tax_usd"]) == ("0.0000000000", "1.1000000000")


def test_a_day_without_an_answer_is_empty_in_the_file(client, teacher, shared):
    spent(shared, D(1))
    text = b"".join(page(client, teacher, "bill_csv").streaming_content).decode("utf-8-sig")
    [line] = csv.DictReader(text.splitlines())
    assert (line["metered_usd"], line["billed_usd"], line["aws_says"]) == ("1.0000000000", "", "nothing yet")
