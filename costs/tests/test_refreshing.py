"""The price book made to say what AWS's list says: by files, by the API, and never for what was spent already."""

from datetime import date, timedelta
from decimal import Decimal

import boto3
import pytest
from botocore.stub import Stubber
from django.core.management import CommandError, call_command

from costs import metering, pricebook
from costs.dashboard.book import price_age
from costs.models import Price, PriceList, Reading
from costs.tests import worlds
from costs.tests.offer_files import answer, as_csv, as_json, machine, product
from costs.tests.worlds import DAY, HOUR, NOW, instance, stranger
from labs import aws
from labs.kinds.base import Meter

pytestmark = pytest.mark.django_db
D = Decimal
T3 = Meter("EC2", "on-demand-linux", "t3.medium", "Hrs")
PUBLISHED = "2025-09-12T22:53:08Z"


@pytest.fixture(autouse=True)
def one_region(settings):
    settings.LAB_REGIONS = settings.WATCHED_REGIONS = settings.PRACTICE_REGIONS = ["us-east-1"]


def known(usd, day, sku="t3.medium", **more):
    facts = {"service": "EC2", "kind": "on-demand-linux", "region": "us-east-1", "unit": "Hrs", "confidence": "quoted"}
    return Price.objects.create(**(facts | more), sku=sku, usd=D(usd), valid_from=day, source="a table")


def refresh(capsys, *paths, **options):
    call_command("refresh_prices", file=list(paths), **options)
    return capsys.readouterr().out


def test_what_differs_is_a_new_line_from_the_day_of_the_list_and_the_old_one_stays(tmp_path, capsys):
    known("0.0400", date(2025, 1, 1))
    said = refresh(capsys, as_csv(tmp_path, "AmazonEC2", machine("t3.medium", "0.0416")))
    assert "EC2 on-demand-linux t3.medium, us-east-1: $0.04 (quoted, 2025-01-01) -> $0.0416 per Hrs" in said
    assert "0 lines are new, 1 are changed, 0 are as AWS says" in said
    new = Price.objects.get(valid_from=date(2025, 9, 12))
    assert (new.usd, new.confidence) == (D("0.0416"), "list")
    assert new.source == "AWS's price list AmazonEC2 20250912225308 (AmazonEC2.csv), BoxUsage:t3.medium"
    assert Price.objects.get(valid_from=date(2025, 1, 1)).usd == D("0.04")


def test_what_is_the_same_gets_no_line_and_twice_changes_nothing(tmp_path, capsys):
    known("0.0416", date(2025, 1, 1))
    path = as_json(tmp_path, "AmazonEC2", machine("t3.medium", "0.0416000000"))
    for _ in range(2):
        assert "0 lines are new, 0 are changed, 1 are as AWS says" in refresh(capsys, path)
    assert Price.objects.count() == 1
    assert PriceList.objects.get().published_on == date(2025, 9, 12)


def test_a_price_change_never_rewrites_the_past(tmp_path, capsys, ayes):
    known("0.0400", date(2025, 1, 1))
    row = stranger(ayes, "ec2-instance", instance(disk_gb=0, since=NOW - 8 * DAY), NOW - 8 * DAY)
    worlds.still_there([row], NOW - 5 * HOUR)
    metering.meter(NOW - 5 * HOUR)
    before = list(Reading.objects.order_by("start").values())
    refresh(capsys, as_csv(tmp_path, "AmazonEC2", machine("t3.medium", "0.0500"), published="2025-09-18T01:00:00Z"))
    worlds.still_there([row], NOW)
    metering.meter(NOW)
    after = list(Reading.objects.order_by("start").values())
    assert after[: len(before)] == before, "what was metered keeps its rate, of the day of the change too"
    assert {reading["rate"] for reading in before} == {D("0.04")}
    assert {reading["rate"] for reading in after[len(before) :]} == {D("0.05")}


def test_a_line_of_the_same_day_is_not_touched_and_the_new_price_counts_from_the_next(tmp_path, capsys):
    known("0.0400", date(2025, 9, 12))
    refresh(capsys, as_csv(tmp_path, "AmazonEC2", machine("t3.medium", "0.0416")))
    assert list(Price.objects.order_by("valid_from").values_list("valid_from", "usd")) == [
        (date(2025, 9, 12), D("0.04")),
        (date(2025, 9, 13), D("0.0416")),
    ]


def test_what_the_book_knows_from_a_later_day_stays_and_is_told(tmp_path, capsys):
    known("0.0400", date(2025, 10, 20))
    said = refresh(capsys, as_csv(tmp_path, "AmazonEC2", machine("t3.medium", "0.0416")))
    assert "The book is newer than the list: EC2 on-demand-linux t3.medium, us-east-1: $0.04" in said
    assert Price.objects.count() == 1


def test_pretending_says_what_would_change_and_changes_nothing(tmp_path, capsys):
    known("0.0400", date(2025, 1, 1))
    said = refresh(capsys, as_csv(tmp_path, "AmazonEC2", machine("t3.medium", "0.0416")), pretend=True)
    assert "0 lines would be new, 1 would be changed" in said and "-> $0.0416" in said
    assert (Price.objects.count(), PriceList.objects.count()) == (1, 0)


def test_nothing_that_the_list_lacks_is_dropped_in_silence(tmp_path, capsys):
    known("0.0416", date(2025, 1, 1))
    known("3.06", date(2025, 1, 1), "p3.2xlarge")
    known("0.01", date(2025, 1, 1), kind="spot")
    known("0.14", date(2025, 1, 1), "ML-storage-gp2", service="SageMaker", kind="storage", unit="GB-Mo")
    said = refresh(capsys, as_csv(tmp_path, "AmazonEC2", machine("t3.medium", "0.0416")))
    assert "AWS's list has no line for: EC2 on-demand-linux p3.2xlarge per Hrs, us-east-1" in said
    assert "Not asked for, 1 lines: EC2 spot: spot prices move by the hour" in said
    assert "Not read, 1 lines of the book: AmazonSageMaker" in said


def test_only_machines_that_matter_get_a_line_unless_all_are_asked_for(tmp_path, capsys, ayes):
    known("0.0416", date(2025, 1, 1))
    row = stranger(ayes, "ec2-instance", instance(type="x9.odd", disk_gb=0), NOW - HOUR)
    worlds.still_there([row], NOW)
    metering.meter(NOW)
    rows = [machine("t3.medium", "0.0416"), machine("x9.odd", "9"), machine("u7.huge", "400")]
    path = as_csv(tmp_path, "AmazonEC2", *rows)
    refresh(capsys, path)
    assert set(Price.objects.values_list("sku", flat=True)) == {"t3.medium", "x9.odd"}, "what is on and unpriced too"
    refresh(capsys, path, all_types=True)
    assert Price.objects.filter(sku="u7.huge").exists()


def test_other_regions_than_those_allowed_are_left_out(tmp_path, capsys):
    known("0.0416", date(2025, 1, 1))
    path = as_csv(tmp_path, "AmazonEC2", machine("t3.medium", "0.0528", prefix="APS1-", region="ap-southeast-1"))
    assert "0 lines are new" in refresh(capsys, path)
    assert "1 lines are new" in refresh(capsys, path, region=["ap-southeast-1"])


def test_a_broken_file_among_good_ones_loads_nothing(tmp_path, capsys):
    known("0.0400", date(2025, 1, 1))
    as_csv(tmp_path, "AmazonEC2", machine("t3.medium", "0.0416"))
    as_csv(tmp_path, "AmazonS3", product("TimedStorage-ByteHrs", "much", "GB-Mo"), name="z.csv")
    with pytest.raises(
        CommandError, match=r"z\.csv, line 7: PricePerUnit is 'much', not an amount\. Nothing was chang"
    ):
        refresh(capsys, tmp_path)
    assert (Price.objects.count(), PriceList.objects.count()) == (1, 0)


def test_a_folder_without_files_and_a_file_that_is_not_there_are_told(tmp_path, capsys):
    with pytest.raises(CommandError, match="has no file that ends in"):
        refresh(capsys, tmp_path)
    with pytest.raises(CommandError, match="Nothing was changed"):
        refresh(capsys, tmp_path / "gone.csv")


# --- the API -------------------------------------------------------------------------------------------------------


class OwnSession:
    def __init__(self, client, key="ASIA1"):
        self.made, self.key = client, key

    def get_credentials(self):
        return type("Credentials", (), {"access_key": self.key})

    def client(self, service, **asked):
        assert (service, asked["region_name"]) == ("pricing", "us-east-1")
        return self.made


@pytest.fixture
def pricing(monkeypatch):
    client = boto3.client("pricing", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    monkeypatch.setattr(aws, "_own_session", lambda: OwnSession(client))
    with Stubber(client) as stub:
        yield stub


def filters(**attributes):
    return [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in attributes.items()]


def test_the_api_is_read_page_by_page(pricing, capsys):
    known("0.023", date(2025, 1, 1), "Standard-first-50TB", service="S3", kind="storage", unit="GB-Mo")
    asked = {"ServiceCode": "AmazonS3", "Filters": filters(regionCode="us-east-1")}
    storage = product("TimedStorage-ByteHrs", "0.024", "GB-Mo", sku="A")
    other = product("Requests-Tier1", "0.000005", "Requests", sku="B")
    pricing.add_response("get_products", {"PriceList": [answer(storage)], "NextToken": "more"}, asked)
    pricing.add_response("get_products", {"PriceList": [answer(other)]}, asked | {"NextToken": "more"})
    call_command("refresh_prices", offer=["AmazonS3"])
    assert "AmazonS3 20250912225308, published 2025-09-12 (Pricing API)" in capsys.readouterr().out
    assert Price.objects.get(valid_from=date(2025, 9, 12), kind="storage").usd == D("0.024")
    assert Price.objects.get(kind="requests").usd == D("0.005")


def test_where_the_portal_may_not_ask_it_says_so_and_changes_nothing(pricing):
    pricing.add_client_error("get_products", "AccessDeniedException", "not authorized to perform pricing:GetProducts")
    with pytest.raises(CommandError, match="Pricing API: .*Nothing was changed"):
        call_command("refresh_prices", offer=["AmazonS3"])
    assert not Price.objects.exists()


def test_a_long_lived_key_is_not_used(pricing, monkeypatch):
    monkeypatch.setattr(aws, "_own_session", lambda: OwnSession(pricing.client, "AKIA1"))
    with pytest.raises(CommandError, match="long-lived access key"):
        call_command("refresh_prices", offer=["AmazonS3"])


def test_an_offer_that_is_not_metered_is_refused():
    with pytest.raises(CommandError, match="Nothing of AmazonGameLift is metered"):
        call_command("refresh_prices", offer=["AmazonGameLift"])


# --- its age -------------------------------------------------------------------------------------------------------


def test_the_book_is_as_old_as_the_newest_list_that_was_read(tmp_path, capsys, django_assert_num_queries):
    known("0.0416", date(2025, 1, 1))
    assert (price_age(NOW).as_of, price_age(NOW).is_old) == (date(2025, 1, 1), True)
    refresh(capsys, as_csv(tmp_path, "AmazonEC2", machine("t3.medium", "0.0416"), published=PUBLISHED))
    with django_assert_num_queries(1):
        age = price_age(NOW)
    assert (age.as_of, age.days_old, age.is_old) == (date(2025, 9, 12), 6, False)
    assert price_age(NOW + timedelta(days=100)).is_old


def test_an_empty_book_has_no_age():
    assert price_age(NOW).as_of is None


def test_the_shipped_snapshot_has_an_age_until_then():
    pricebook.load()
    assert price_age(NOW).as_of is not None
