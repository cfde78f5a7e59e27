"""What AWS's price list becomes in our book, read from small made-up files in AWS's own shape."""

import csv
import json
import re
import tracemalloc
from datetime import date
from decimal import Decimal

import pytest

from costs import offers, pricebook
from costs.offers import BadOffer
from costs.price_lines import LINES, NOT_LISTED, why_not_listed
from costs.price_list import Reading, asked, bare
from costs.tests.offer_files import as_csv, as_json, machine, product

D = Decimal
BOTH = ["us-east-1", "ap-southeast-1"]


def everything(service, sku):
    return True


def read(*paths, regions=BOTH, wanted=everything):
    """{(kind, sku, region): USD}, and what is odd."""
    reading = Reading(regions, wanted)
    for path in paths:
        head, tiers = offers.read(path, reading.keep)
        for tier in tiers:
            reading.add(head, tier)
    prices, odd = reading.listed()
    return {(one.kind, one.sku, one.region): one.usd for one in prices}, odd


EC2 = (
    machine("t3.medium", "0.0416000000"),
    machine("t3.medium", "0.0528", prefix="APS1-", region="ap-southeast-1"),
    machine("t3.medium", "0.0456", prefix="EU-", region="eu-west-1"),
    machine("t3.medium", "0.0600", Operating_System="Windows", operation="RunInstances:0002"),
    machine("t3.medium", "0.5216", operation="RunInstances:0200", Pre_Installed_S_W="", Operating_System="SUSE"),
    machine("t3.medium", "0.9", Tenancy="Dedicated", sku="DEDICATED"),
    machine("t3.medium", "0.02", CapacityStatus="UnusedCapacityReservation", sku="UNUSED"),
    machine("t3.medium", "0.026", term="Reserved", sku="RESERVED"),
    product("EBS:VolumeUsage.gp3", "0.08", "GB-Mo", Product_Family="Storage", Volume_API_Name="gp3"),
    product("EBS:VolumeP-Throughput.gp3", "40.96", "GiBps-mo", Product_Family="Provisioned Throughput"),
    product("NatGateway-Hours", "0.045", Product_Family="NAT Gateway"),
)


@pytest.mark.parametrize("written", [as_csv, as_json])
def test_machines_disks_and_gateways_are_read_alike_from_csv_and_json(tmp_path, written):
    prices, odd = read(written(tmp_path, "AmazonEC2", *EC2))
    assert prices == {
        ("on-demand-linux", "t3.medium", "us-east-1"): D("0.0416"),
        ("on-demand-linux", "t3.medium", "ap-southeast-1"): D("0.0528"),
        ("on-demand-windows", "t3.medium", "us-east-1"): D("0.06"),
        ("volume", "gp3", "us-east-1"): D("0.08"),
        ("throughput", "gp3", "us-east-1"): D("0.04"),
        ("nat-gateway", "hour", "us-east-1"): D("0.045"),
    }
    assert odd == []


def test_of_tiers_the_first_that_costs_counts_and_it_is_said(tmp_path):
    tiers = [
        product("TimedStorage-ByteHrs", usd, "GB-Mo", begins=begins, sku="STANDARD")
        for begins, usd in (("51200", "0.0220"), ("0", "0.0230"), ("512000", "0.0210"))
    ]
    out = [
        product("DataTransfer-Out-Bytes", usd, "GB", begins=begins, sku="OUT", region="", **more)
        for begins, usd in (("0", "0.00"), ("100", "0.09"), ("10240", "0.085"))
        for more in [{"From_Region_Code": "us-east-1", "Transfer_Type": "AWS Outbound"}]
    ]
    paths = [as_csv(tmp_path, "AmazonS3", *tiers), as_json(tmp_path, "AWSDataTransfer", *out)]
    prices, _ = read(*paths)
    assert prices == {
        ("storage", "Standard-first-50TB", "us-east-1"): D("0.023"),
        ("internet-out", "first-10TB", "us-east-1"): D("0.09"),
    }
    reading = Reading(BOTH, everything)
    head, tiers = offers.read(paths[0], reading.keep)
    for tier in tiers:
        reading.add(head, tier)
    assert reading.listed()[0][0].source == (
        "AWS's price list AmazonS3 20250912225308 (AmazonS3.csv), TimedStorage-ByteHrs, the first of 3 tiers"
    )


@pytest.mark.parametrize("first", ["a.csv", "b.json"])
def test_of_two_months_lists_the_newer_counts_whichever_is_read_first(tmp_path, first):
    old = as_csv(tmp_path, "AmazonEC2", machine("t3.medium", "0.05"), published="2025-08-02T00:00:00Z", name="a.csv")
    new = as_json(tmp_path, "AmazonEC2", machine("t3.medium", "0.04"), name="b.json")
    paths = sorted([old, new], key=lambda path: path.name != first)
    prices, odd = read(*paths)
    assert (prices, odd) == ({("on-demand-linux", "t3.medium", "us-east-1"): D("0.04")}, [])


def test_what_we_count_by_the_thousand_is_a_thousand_times_awss_price(tmp_path):
    put = product("APS1-Requests-Tier1", "0.000005", "Requests", region="ap-southeast-1")
    assert read(as_csv(tmp_path, "AmazonS3", put))[0] == {
        ("requests", "Standard-PUT-COPY-POST-LIST", "ap-southeast-1"): D("0.005")
    }


def test_sagemakers_machines_are_told_apart_by_what_they_are_for(tmp_path):
    rows = [
        product(f"USE1-{what}:ml.t3.medium", usd)
        for what, usd in (("Notebk", "0.05"), ("Host", "0.06"), ("Train", "0.07"), ("Tsform", "0.08"))
    ]
    rows += [product("USE1-Studio:JupyterLab-ml.t3.medium", "0.05"), product("USE1-Host:ml.eia2.medium-x", "0.12")]
    prices, _ = read(as_csv(tmp_path, "AmazonSageMaker", *rows))
    assert {kind: usd for (kind, _, _), usd in prices.items()} == {
        "notebook": D("0.05"),
        "hosting": D("0.06"),
        "training": D("0.07"),
        "transform": D("0.08"),
        "studio": D("0.05"),
    }


def test_a_price_of_no_region_holds_in_all_that_are_asked_for(tmp_path):
    row = product("DashboardsUsageHour", "3.00", "Dashboards", region="", Product_Family="Dashboard")
    prices, _ = read(as_json(tmp_path, "AmazonCloudWatch", row))
    assert prices == {("dashboards", "dashboard", region): D(3) for region in BOTH}


def test_two_prices_for_one_line_are_told_and_neither_is_taken(tmp_path):
    rows = [
        product(f"USE1-{what}:VolumeUsage.gp2", usd, "GB-Mo") for what, usd in (("Notebk", "0.14"), ("Host", "0.16"))
    ]
    prices, odd = read(as_csv(tmp_path, "AmazonSageMaker", *rows))
    assert ("storage", "ML-storage-gp2", "us-east-1") not in prices
    assert prices["storage", "notebook-ML-storage-gp2", "us-east-1"] == D("0.14")
    assert odd == [
        "SageMaker storage ML-storage-gp2 in us-east-1: AWS's list has $0.14 and $0.16 for it, so neither was taken"
    ]


def test_two_products_of_one_line_that_cost_alike_are_one_price(tmp_path):
    rows = [product(f"USE1-{what}OCU", "0.24", "OCU-hours") for what in ("Indexing", "Search")]
    assert read(as_csv(tmp_path, "AmazonES", *rows))[0] == {("ocu", "indexing-or-search", "us-east-1"): D("0.24")}


def test_another_unit_than_expected_is_told_and_not_taken(tmp_path):
    row = product("EBS:VolumeP-Throughput.gp3", "0.04", "MiBps-Mo", Product_Family="Provisioned Throughput")
    prices, odd = read(as_csv(tmp_path, "AmazonEC2", row))
    assert prices == {}
    assert odd == ["AmazonEC2: EBS:VolumeP-Throughput.gp3 is counted in MiBps-Mo, which is not the unit that we know"]


@pytest.mark.parametrize(
    "usage, without",
    [
        ("APS1-BoxUsage:t3.medium", "BoxUsage:t3.medium"),
        ("EU-Requests-Tier1", "Requests-Tier1"),
        ("ap-southeast-1-KMS-Keys", "KMS-Keys"),
        ("EMR-SERVERLESS-vCPUHours", "EMR-SERVERLESS-vCPUHours"),
        ("DataTransfer-Out-Bytes", "DataTransfer-Out-Bytes"),
        ("CW:AlarmMonitorUsage", "CW:AlarmMonitorUsage"),
    ],
)
def test_a_usage_type_is_known_without_its_region(usage, without):
    assert bare(usage) == without


def test_every_line_of_the_shipped_book_is_mapped_or_says_why_not():
    with pricebook.SHIPPED.open(newline="") as file:
        shipped = {(row["service"], row["kind"], row["unit"], row["sku"]) for row in csv.DictReader(file)}
    named = {(line.service, line.kind, line.unit, line.sku) for line in LINES if line.sku}
    typed = {(line.service, line.kind, line.unit) for line in LINES if not line.sku}
    lost = {
        (service, kind, unit, sku)
        for service, kind, unit, sku in shipped
        if (service, kind, unit, sku) not in named
        and (service, kind, unit) not in typed
        and not why_not_listed(service, kind, sku)
    }
    assert lost == set()


def test_no_reason_is_given_for_what_is_read_all_the_same():
    assert not {(line.service, line.kind, line.sku) for line in LINES} & set(NOT_LISTED)
    assert not {(line.service, line.kind, "") for line in LINES if why_not_listed(line.service, line.kind, line.sku)}


def test_the_api_is_asked_for_ec2_by_what_is_read_of_it_and_region_by_region():
    questions = asked("AmazonEC2", BOTH)
    assert {question["regionCode"] for question in questions} == set(BOTH)
    assert all("productFamily" in question for question in questions)
    assert asked("AmazonSageMaker", ["us-east-1"]) == [{"regionCode": "us-east-1"}]
    assert {"productFamily": "Dashboard"} in asked("AmazonCloudWatch", BOTH)
    assert asked("AWSDataTransfer", ["us-east-1"]) == [{"fromRegionCode": "us-east-1"}]


def test_the_head_says_what_list_it_is(tmp_path):
    for path in (as_csv(tmp_path, "AmazonEC2", *EC2), as_json(tmp_path, "AmazonEC2", *EC2)):
        head, _ = offers.read(path, Reading(BOTH, everything).keep)
        assert (head.offer, head.version, head.published_on) == ("AmazonEC2", "20250912225308", date(2025, 9, 12))


# --- broken files --------------------------------------------------------------------------------------------------


def broken(path, old, new):
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    return path


@pytest.mark.parametrize(
    "old, new, said",
    [
        ('"0.0416000000"', '"cheap"', "AmazonEC2.csv, line 7: PricePerUnit is 'cheap', not an amount"),
        ('"0.0416000000","USD"', '"0.0416000000","CNY"', "AmazonEC2.csv, line 7: its price is in CNY, not in USD"),
        ('"0.0416000000","USD"', '"USD"', "AmazonEC2.csv, line 7: it has 32 columns, and the header has 33"),
        ('"PricePerUnit"', '"Price"', "AmazonEC2.csv, line 6: the column PricePerUnit is missing"),
        ('"OfferCode","AmazonEC2"', '"x","y"', "do not say OfferCode, so it is no offer file"),
        ("2025-09-12T22:53:08Z", "lately", "its publication date is 'lately', not an instant"),
    ],
)
def test_a_broken_csv_says_where(tmp_path, old, new, said):
    path = broken(as_csv(tmp_path, "AmazonEC2", *EC2), old, new)
    with pytest.raises(BadOffer, match=re.escape(said)):
        read(path)


@pytest.mark.parametrize(
    "old, new, said",
    [
        ('"0.0416000000"', '"cheap"', "pricePerUnit is 'cheap', not an amount"),
        ('"USD": "0.0416000000"', '"CNY": "0.0416000000"', "its price is in CNY, not in USD"),
        ('"attributes"', '"attribute"', "it has no attributes"),
        ('"priceDimensions"', '"dimensions"', "they are no prices as AWS writes them"),
        ('"offerCode"', '"offer"', "offerCode does not come before its products"),
        ('"terms": {', '"terms": {{', "line "),
    ],
)
def test_a_broken_json_says_where(tmp_path, old, new, said):
    path = broken(as_json(tmp_path, "AmazonEC2", *EC2), old, new)
    with pytest.raises(BadOffer, match=re.escape(said)):
        read(path)


def test_a_json_that_ends_too_early_says_in_which_line(tmp_path):
    path = as_json(tmp_path, "AmazonEC2", *EC2)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-30]))
    with pytest.raises(BadOffer, match=r"AmazonEC2\.json, line \d+: "):
        read(path)


def test_another_kind_of_file_is_refused(tmp_path):
    path = tmp_path / "prices.xlsx"
    path.write_bytes(b"PK")
    with pytest.raises(BadOffer, match="end in .csv or .json"):
        read(path)


# --- large files ---------------------------------------------------------------------------------------------------


def test_values_may_lie_across_what_is_read_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(offers, "CHUNK", 7)
    prices, _ = read(as_json(tmp_path, "AmazonEC2", *EC2))
    assert prices["on-demand-linux", "t3.medium", "us-east-1"] == D("0.0416")


@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_a_large_file_is_never_held_whole(tmp_path, suffix):
    """6 MB of products that are not read, and one that is: what is held at once stays far below the file."""
    path = (as_csv if suffix == "csv" else as_json)(tmp_path, "AmazonEC2", machine("t3.medium", "0.0416"))
    text = path.read_text()
    if suffix == "csv":
        line = text.splitlines(keepends=True)[-1].replace("t3.medium", "x9.huge").replace("Shared", "Host")
        path.write_text(text + line * (6_000_000 // len(line)))
    else:
        other = json.dumps({"sku": "X", "productFamily": "Dedicated Host", "attributes": {"usagetype": "x" * 900}})
        many = "".join(f'"X{number}": {other},' for number in range(6_000_000 // len(other)))
        path.write_text(text.replace('"products": {', '"products": {' + many, 1))
    tracemalloc.start()
    try:
        prices, _ = read(path)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert prices == {("on-demand-linux", "t3.medium", "us-east-1"): D("0.0416")}
    assert most < path.stat().st_size / 2
