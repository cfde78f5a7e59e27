"""What the portal itself asks of AWS is counted where it is asked, and priced by the price book."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from botocore.stub import Stubber

from costs import activity, own_use
from costs.dashboard import own_part
from costs.models import OwnUse
from costs.own_use import USES, Share, cost_of
from costs.pricebook import PriceBook
from costs.tests import worlds
from costs.tests.test_activity import FakeCloudWatch
from costs.tests.worlds import DAY, HOUR, NOW, SCOPE, endpoint, notebook, stranger
from labs import aws
from labs.models import Account

D = Decimal


@pytest.fixture(autouse=True)
def nothing_counted():
    own_use.take()
    yield
    own_use.take()


def kept():
    return {(row.account_id, row.region, row.what): row.quantity for row in OwnUse.objects.all()}


# --- what AWS bills ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "operation", "what"),
    [
        ("ce", "GetCostAndUsage", "bill-pages"),
        ("s3", "ListBuckets", "s3-lists"),
        ("s3", "PutObject", "s3-lists"),
        ("s3", "ListObjectVersions", "s3-lists"),
        ("s3", "GetBucketTagging", "s3-reads"),
        ("s3", "HeadBucket", "s3-reads"),
        ("s3", "DeleteObjects", ""),
        ("s3", "AbortMultipartUpload", ""),
        ("cloudwatch", "DescribeAlarms", "cloudwatch-calls"),
        ("cloudwatch", "GetMetricData", ""),
        ("kms", "DescribeKey", "kms-calls"),
        ("secretsmanager", "ListSecrets", "secrets-calls"),
        ("scheduler", "CreateSchedule", "schedules"),
        ("scheduler", "UpdateSchedule", ""),
        ("ec2", "DescribeInstances", ""),
        ("sagemaker", "ListEndpoints", ""),
    ],
)
def test_which_calls_aws_bills(service, operation, what):
    assert own_use.use_of(service, operation) == what
    assert what == "" or what in USES


def test_every_call_that_aws_bills_has_a_price_where_labs_run(whole_book):
    book = PriceBook.open()
    for region in ("us-east-1", "ap-southeast-1"):
        unknown = [what for what, use in USES.items() if book.price_of(use.meter, region, NOW) is None]
        assert unknown == ([] if region == "us-east-1" else ["bill-pages"]), "Cost Explorer is in us-east-1 alone"


# --- counting ----------------------------------------------------------------------------------------------------


@pytest.fixture
def stubbed_s3(monkeypatch, ayes):
    """ayes' client of S3, as labs.aws makes it, which calls nobody."""
    monkeypatch.setattr(
        aws,
        "assume",
        lambda *_, **__: {
            "AccessKeyId": "ASIA1",
            "SecretAccessKey": "secret",
            "SessionToken": "token",
            "Expiration": datetime.now(UTC) + HOUR,
        },
    )
    aws.forget_clients()
    client = aws.client(ayes, "s3", "ap-southeast-1")
    with Stubber(client) as stub:
        yield client, stub
    aws.forget_clients()


def test_each_call_of_an_accounts_client_is_counted_in_its_account_and_region(stubbed_s3, ayes):
    client, stub = stubbed_s3
    stub.add_response("list_buckets", {"Buckets": []})
    stub.add_client_error("list_buckets", "AccessDenied", "no")
    stub.add_response("delete_bucket", {})
    client.list_buckets()
    with pytest.raises(client.exceptions.ClientError):
        client.list_buckets()
    client.delete_bucket(Bucket="b")
    assert own_use.take() == {(ayes.pk, "ap-southeast-1", "s3-lists"): 2}


def test_counts_are_added_up_by_the_day(ayes):
    own_use.count(ayes.pk, "us-east-1", "s3-lists", 3)
    assert own_use.record(NOW) == 1
    own_use.count(ayes.pk, "us-east-1", "s3-lists", 4)
    own_use.count(ayes.pk, "us-east-1", "metrics", 1)
    assert own_use.record(NOW + HOUR) == 2
    assert own_use.record(NOW + HOUR) == 0, "nothing is counted twice"
    assert kept() == {(ayes.pk, "us-east-1", "s3-lists"): 7, (ayes.pk, "us-east-1", "metrics"): 1}
    own_use.count(ayes.pk, "us-east-1", "s3-lists", 1)
    own_use.record(NOW + DAY)
    assert OwnUse.objects.count() == 3


def test_what_could_not_be_written_is_kept_for_the_next_time(ayes, monkeypatch):
    own_use.count(ayes.pk, "us-east-1", "s3-lists", 3)
    with monkeypatch.context() as broken:
        broken.setattr(own_use, "_add_up", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            own_use.record(NOW)
    assert own_use.record(NOW) == 1
    assert kept() == {(ayes.pk, "us-east-1", "s3-lists"): 3}


def test_an_account_that_is_no_more_stops_nobody(ayes):
    own_use.count(ayes.pk, "us-east-1", "s3-lists", 3)
    own_use.count(ayes.pk + 999, "us-east-1", "s3-lists", 3)
    assert own_use.record(NOW) == 1


def test_metrics_are_counted_by_the_metric(ayes, monkeypatch):
    monkeypatch.setattr(aws, "client", FakeCloudWatch().client)
    one = {"type": "ml.m5.large", "disk_gb": 0, "count": 1, "serverless": False}
    two = endpoint(variants=[one | {"name": "a"}, one | {"name": "b"}], since=NOW - 2 * HOUR)
    stranger(ayes, "sagemaker-endpoint", two, NOW)
    stranger(ayes, "sagemaker-notebook", notebook(since=NOW - 2 * HOUR), NOW)
    activity.look(NOW)
    assert own_use.take() == {(ayes.pk, "us-east-1", "metrics"): 3}


# --- what it costs -----------------------------------------------------------------------------------------------


def test_what_is_free_is_free_once_a_month_and_account():
    costs = cost_of(
        [
            Share(1, "kms-calls", 15_000, D("0.03")),
            Share(1, "kms-calls", 15_000, D("0.04")),
            Share(2, "kms-calls", 20_000, D("0.03")),
        ]
    )
    [cost] = costs
    assert (cost.quantity, cost.free, cost.usd) == (50_000, 40_000, D("0.04"))


def test_a_thousand_metrics_are_a_cent_and_a_page_is_one():
    costs = cost_of([Share(1, "metrics", 2500, D("0.01")), Share(1, "bill-pages", 3, D("0.01"))])
    assert [(cost.what, cost.usd) for cost in costs] == [("bill-pages", D("0.03")), ("metrics", D("0.025"))]


def test_what_has_no_price_is_unknown_and_not_free():
    unknown, free = Share(1, "metrics", 1, None), Share(1, "cloudwatch-calls", 1, None)
    assert {cost.what: cost.usd for cost in cost_of([unknown, free])} == {"metrics": None, "cloudwatch-calls": 0}
    known = Share(1, "metrics", 1000, D("0.01"))
    assert cost_of([unknown, known])[0].usd is None and cost_of([known, unknown])[0].usd is None


@pytest.mark.parametrize("number", [2, 12])
def test_the_own_part_is_of_this_month_and_the_readers_scopes(whole_book, aye, django_assert_num_queries, number):
    practice = worlds.account_of(aye)
    for one in range(number):
        real = worlds.account_of(None, number=5 + one, mode=Account.SHARED)
        OwnUse.objects.create(day=NOW.date(), account=real, region="us-east-1", what="bill-pages", quantity=10)
    OwnUse.objects.create(day=NOW.date() - 30 * DAY, account=real, region="us-east-1", what="metrics", quantity=10)
    OwnUse.objects.create(day=NOW.date(), account=practice, region="us-east-1", what="metrics", quantity=5000)
    with django_assert_num_queries(2):
        own = own_part([SCOPE], NOW)
    assert [(cost.what, cost.usd) for cost in own.real] == [("bill-pages", D("0.1") * number)]
    assert [(cost.what, cost.usd) for cost in own.practice] == [("metrics", D("0.05"))]
    assert (own.usd, own.practice_usd, own.unpriced) == (D("0.1") * number, D("0.05"), 0)
    assert own_part(["f" * 32], NOW).usd == 0
