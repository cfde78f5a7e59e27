"""Cost Explorer is asked seldom, page by page, for what is not final; a no is kept in words and stops nobody else."""

from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import boto3
import pytest
from botocore.stub import Stubber

from costs import billing
from costs.models import Alert, Bill, BilledDay, DailySpend
from costs.tests import worlds
from labs import aws
from labs.models import Account

pytestmark = pytest.mark.django_db
D = Decimal
NOW = datetime(2025, 9, 18, 8, 17, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
S3, SAGEMAKER = "Amazon Simple Storage Service", "Amazon SageMaker"


def group(usd, *keys, unit="USD"):
    return {"Keys": list(keys), "Metrics": {"UnblendedCost": {"Amount": str(usd), "Unit": unit}}}


def told(day, *groups, is_estimated=False):
    start = date(2025, 9, day)
    return {
        "TimePeriod": {"Start": start.isoformat(), "End": (start + DAY).isoformat()},
        "Total": {},
        "Groups": list(groups),
        "Estimated": is_estimated,
    }


def answer(*days, next_page=""):
    return {"ResultsByTime": list(days)} | ({"NextPageToken": next_page} if next_page else {})


class CostExplorers:
    """A Cost Explorer for each account: botocore's own client, whose answers are checked against AWS's description."""

    def __init__(self):
        self.of, self.asked = {}, []
        self.places = set()

    def client(self, account, service, region=None, config=None):
        self.places.add((service, region))
        if account.pk not in self.of:
            raise aws.Denied("the role cannot be assumed")
        return self.of[account.pk].client

    @contextmanager
    def answering(self, account, *answers):
        """It answers these, in turn, and all of them are asked for. An error: (code, message)."""
        keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
        client = boto3.client("ce", region_name="us-east-1", **keys)
        client.meta.events.register("provide-client-params.ce.GetCostAndUsage", self._note)
        with Stubber(client) as stub:
            self.of[account.pk] = stub
            for one in answers:
                if isinstance(one, tuple):
                    stub.add_client_error("get_cost_and_usage", one[0], one[1], 400)
                else:
                    stub.add_response("get_cost_and_usage", one)
            yield
            stub.assert_no_pending_responses()
        del self.of[account.pk]

    def _note(self, params, **_):
        self.asked.append(dict(params))


@pytest.fixture
def explorers(monkeypatch):
    made = CostExplorers()
    monkeypatch.setattr(aws, "client", made.client)
    return made


def real(number=1, mode=Account.OWN, owner=None, **more):
    facts = {
        "owner": owner,
        "mode": mode,
        "connected_at": datetime(2025, 9, 14, 15, tzinfo=UTC),
        "name": f"no {number}",
    }
    return worlds.account_of(number=number, **(facts | more))


@pytest.fixture
def own(aye):
    return real(owner=aye)


@pytest.fixture
def shared(db):
    return real(2, Account.SHARED)


def kept(account):
    return [
        (line.day.day, line.service, line.tag, line.record, line.usd, line.is_estimated)
        for line in BilledDay.objects.filter(account=account).order_by("day", "service", "record", "tag")
    ]


# --- asking ------------------------------------------------------------------------------------------------------


def test_every_day_since_the_first_whole_one_is_asked_for_up_to_yesterday(own, explorers):
    days = [told(15, group("1.25", S3, "Usage"), group("-1.25", S3, "Credit")), told(16), told(17, is_estimated=True)]
    with explorers.answering(own, answer(*days)):
        assert billing.ask_due(NOW) == 1
    [asked] = explorers.asked
    assert asked["TimePeriod"] == {"Start": "2025-09-15", "End": "2025-09-18"}
    assert (asked["Granularity"], asked["Metrics"]) == ("DAILY", ["UnblendedCost"])
    assert [one["Key"] for one in asked["GroupBy"]] == ["SERVICE", "RECORD_TYPE"]
    assert asked["Filter"] == {"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": [own.aws_id]}}, "no neighbour's"
    assert explorers.places == {("ce", "us-east-1")}
    assert kept(own) == [(15, S3, "", "Credit", D("-1.25"), False), (15, S3, "", "Usage", D("1.25"), False)]
    bill = Bill.objects.get()
    assert (bill.answered_at, bill.final_through, bill.trouble) == (NOW, date(2025, 9, 16), "")


def test_it_is_asked_seldom_and_never_again_for_what_is_final(own, explorers):
    with explorers.answering(own, answer(told(15), told(16), told(17, group(1, S3, "Usage"), is_estimated=True))):
        billing.ask_due(NOW)
    assert billing.ask_due(NOW + 13 * DAY) == 0
    with explorers.answering(own, answer(told(17, group(2, S3, "Usage")), *map(told, range(18, 31)))):
        assert billing.ask_due(NOW + 14 * DAY - timedelta(hours=9)) == 0
        explorers.asked.clear()
        assert billing.ask_due(datetime(2025, 10, 2, 9, tzinfo=UTC)) == 1
    assert explorers.asked[0]["TimePeriod"]["Start"] == "2025-09-17"
    assert kept(own) == [(17, S3, "", "Usage", D(2), False)], "what was an estimate was written anew"


def test_a_shared_account_is_asked_each_day(shared, explorers):
    with explorers.answering(shared, answer(told(15, is_estimated=True)), answer()):
        billing.ask_due(NOW)
    assert billing.ask_due(NOW + 23 * HOUR) == 0
    with explorers.answering(shared, answer(told(15, is_estimated=True)), answer()):
        assert billing.ask_due(NOW + DAY) == 1


def test_all_pages_are_read(own, explorers):
    pages = [
        answer(told(15, group(1, S3, "Usage")), next_page="two"),
        answer(told(15, group(2, SAGEMAKER, "Usage")), told(16, group(3, S3, "Usage"))),
    ]
    with explorers.answering(own, *pages):
        billing.ask_due(NOW)
    assert [asked.get("NextPageToken") for asked in explorers.asked] == [None, "two"]
    assert [line[4] for line in kept(own)] == [D(2), D(1), D(3)]


def test_a_bill_without_an_end_is_not_paid_for(own, explorers, monkeypatch):
    monkeypatch.setattr(billing, "MOST_PAGES", 2)
    with explorers.answering(own, answer(told(15), next_page="two"), answer(told(15), next_page="three")):
        assert billing.ask_due(NOW) == 0
    assert "more than 2 pages" in Bill.objects.get().trouble


def test_practice_and_unconnected_accounts_have_no_bill(ayes, bo, explorers):
    real(3, owner=bo, aws_id="")
    assert billing.ask_due(NOW) == 0
    assert not Bill.objects.exists()


def test_an_account_connected_today_costs_no_page(aye, explorers):
    real(owner=aye, connected_at=NOW)
    assert billing.ask_due(NOW) == 0
    assert explorers.asked == []
    assert Bill.objects.get().ask_at == NOW + DAY


def test_what_another_worker_took_meanwhile_is_not_paid_for_twice(own, shared, monkeypatch):
    asked = []

    def ask(bill, now):
        asked.append(bill.account)
        Bill.objects.exclude(pk=bill.pk).update(ask_at=now + DAY)  # the other worker takes the rest
        return True

    monkeypatch.setattr(billing, "ask", ask)
    assert billing.ask_due(NOW) == 1
    assert len(asked) == 1


# --- by tag ------------------------------------------------------------------------------------------------------


def test_where_aws_sums_by_our_tag_the_use_is_split_by_student(shared, explorers):
    by_record = answer(told(15, group(10, S3, "Usage"), group(-4, S3, "Credit")))
    by_tag = answer(told(15, group(7, S3, "lightsout:owner$42"), group(3, S3, "lightsout:owner$")))
    with explorers.answering(shared, by_record, by_tag):
        billing.ask_due(NOW)
    assert [one["Key"] for one in explorers.asked[1]["GroupBy"]] == ["SERVICE", "lightsout:owner"]
    assert kept(shared) == [
        (15, S3, "", "Credit", D(-4), False),
        (15, S3, "", "Usage", D(3), False),
        (15, S3, "42", "Usage", D(7), False),
    ]


@pytest.mark.parametrize(
    ("by_tag", "why"),
    [
        (answer(told(15, group(10, S3, "lightsout:owner$"))), "the tag is not activated"),
        (answer(told(15, group(9, S3, "lightsout:owner$42"))), "AWS counted on between the two questions"),
        (("ValidationException", "unknown tag"), "a no"),
    ],
)
def test_the_whole_is_never_lost_for_its_parts(shared, explorers, by_tag, why):
    with explorers.answering(shared, answer(told(15, group(10, S3, "Usage"))), by_tag):
        assert billing.ask_due(NOW) == 1
    assert kept(shared) == [(15, S3, "", "Usage", D(10), False)], why


# --- trouble -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "message", "words", "again"),
    [
        ("AccessDeniedException", "User not enabled for cost explorer access", "is not enabled in this account", DAY),
        (
            "AccessDeniedException",
            "User: x is not authorized to perform: ce:Get",
            "not let the portal's role read",
            DAY,
        ),
        ("DataUnavailableException", "Data is not available.", "about a day after", DAY),
        ("LimitExceededException", "You made too many calls", "slow down", HOUR),
        ("ThrottlingException", "Rate exceeded", "", HOUR),
        ("InternalFailure", "oops", "", HOUR),
    ],
)
def test_a_no_is_kept_in_words_and_asked_again_later(own, explorers, code, message, words, again):
    with explorers.answering(own, (code, message)):
        assert billing.ask_due(NOW) == 0
    bill = Bill.objects.get()
    assert words in bill.trouble and bill.trouble
    assert (bill.ask_at, bill.answered_at) == (NOW + again, None)


def test_a_no_of_one_account_does_not_stop_the_others_and_keeps_what_is_known(own, shared, explorers):
    BilledDay.objects.create(
        account=own, day=date(2025, 9, 15), service=S3, record="Usage", usd=1, is_estimated=True, asked_at=NOW
    )
    with explorers.answering(shared, answer(told(15, group(2, S3, "Usage"))), answer()):
        assert billing.ask_due(NOW) == 1
    assert Bill.objects.get(account=own).trouble == "the role cannot be assumed"
    assert len(kept(own)) == 1 and len(kept(shared)) == 1


def test_an_answer_ends_the_trouble(own, explorers):
    Bill.objects.create(account=own, ask_at=NOW, trouble="it was so")
    with explorers.answering(own, answer(told(15))):
        billing.ask_due(NOW)
    assert Bill.objects.get().trouble == ""


def test_another_currency_is_not_taken_for_dollars(own, explorers):
    with explorers.answering(own, answer(told(15, group(7, S3, "Usage", unit="CNY")))):
        assert billing.ask_due(NOW) == 0
    assert "in CNY" in Bill.objects.get().trouble
    assert kept(own) == []


# --- judging -----------------------------------------------------------------------------------------------------


def spent(account, usd, day=16, service="S3", owner=None):
    DailySpend.objects.create(
        day=date(2025, 9, day), account=account, owner=owner, service=service, region="us-east-1", usd=usd
    )


def billed(account, usd, day=16, service=S3, **more):
    facts = {"record": "Usage", "is_estimated": False, "asked_at": NOW} | more
    BilledDay.objects.create(account=account, day=date(2025, 9, day), service=service, usd=usd, **facts)


def final(account, day=17):
    Bill.objects.create(account=account, ask_at=NOW, answered_at=NOW, final_through=date(2025, 9, day))


def test_a_final_day_that_is_far_off_is_an_alert_with_its_lines(shared):
    final(shared)
    spent(shared, D("10"))
    billed(shared, D("12"))
    billed(shared, D("40"), service="Amazon Redshift", day=17)
    [alert] = billing.judge(NOW)
    assert (alert.rule, alert.account, alert.scope, alert.usd, alert.level) == ("variance", shared, worlds.SCOPE, 42, 2)
    assert alert.sentence == "AWS billed $42.00 more than was metered in no 2, on 2 days"
    assert alert.lines == [
        ["17 Sep 2025, Amazon Redshift: metered nothing (not accrued), billed $40.00", "40.00"],
        ["16 Sep 2025, S3: metered $10.00, billed $12.00", "2.00"],
    ]
    assert billing.judge(NOW + HOUR) == [], "the same is not new"


def test_the_alert_closes_when_they_agree(shared):
    final(shared)
    spent(shared, D("10"))
    billed(shared, D("12"))
    billing.judge(NOW)
    DailySpend.objects.update(usd=D("11.9"))
    billing.judge(NOW + HOUR)
    assert not Alert.objects.open().exists()


def test_credits_raise_no_alert_and_hide_none(shared):
    final(shared)
    spent(shared, D("10"))
    billed(shared, D("10"))
    billed(shared, D("-10"), record="Credit")
    assert billing.judge(NOW) == []
    billed(shared, D("5"), record="DiscountedUsage")
    assert len(billing.judge(NOW)) == 1


def test_estimates_and_days_before_the_connection_are_not_judged(shared):
    final(shared, day=15)
    billed(shared, D("50"), day=14)
    billed(shared, D("50"), day=16, is_estimated=True)
    assert billing.judge(NOW) == []


def test_a_students_own_bill_is_their_own_and_the_admins(own, aye):
    final(own)
    billed(own, D("9"), service="Amazon Lightsail")
    [alert] = billing.judge(NOW)
    assert (alert.scope, alert.owner) == ("", aye)


@pytest.mark.parametrize("number", [2, 12])
def test_judging_asks_as_much_for_many_accounts_as_for_few(django_assert_num_queries, number):
    for one in range(number):
        account = real(10 + one, Account.SHARED, scope="")
        final(account)
        spent(account, D(1))
        billed(account, D(2))
    with django_assert_num_queries(10):
        assert len(billing.judge(NOW)) == number
