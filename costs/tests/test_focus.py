"""The file with FOCUS columns: what it holds, that it adds up, and that it is never whole in memory."""

import csv
import json
from collections import defaultdict
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from costs import focus, metering, pricebook
from costs.focus import CATEGORIES, COLUMNS, category_of, lines_of, unit_of
from costs.kinds import cost_service, is_free
from costs.models import DailySpend, Reading
from costs.narrowing import Part
from costs.tests import worlds
from costs.tests.test_looking import used  # noqa: F401
from costs.tests.test_pages import page
from costs.tests.worlds import NOW, SCOPE
from labs.kinds import registry
from labs.models import Resource

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("prices", "now")]
D = Decimal

# What version 1.2 of the specification calls mandatory.
MANDATORY = [
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "ServiceCategory",
    "ServiceName",
]
# The specification's whole list.
ALLOWED = {
    "AI and Machine Learning", "Analytics", "Business Applications", "Compute", "Databases", "Developer Tools",
    "Multicloud", "Identity", "Integration", "Internet of Things", "Management and Governance", "Media", "Migration",
    "Mobile", "Networking", "Security", "Storage", "Web", "Other",
}  # fmt: skip
MAY_BE_EMPTY = {"ChargeClass"}


def lines(part=Part()):  # noqa: B008
    return [dict(zip(COLUMNS, line, strict=True)) for line in lines_of([SCOPE], part)]


def test_every_mandatory_column_is_there_and_filled(used):  # noqa: F811
    assert set(MANDATORY) <= set(COLUMNS) and sorted(COLUMNS) == COLUMNS
    for line in lines():
        unpriced = line["x_PriceConfidence"] == "unpriced"
        for name in MANDATORY:
            empty = name in MAY_BE_EMPTY or (unpriced and name.endswith("Cost"))
            assert bool(line[name]) != empty, name
        assert line["ServiceCategory"] in ALLOWED


def test_the_sums_are_those_of_the_days_to_the_last_place(used):  # noqa: F811
    found = defaultdict(Decimal)
    for line in lines():
        found[line["ChargePeriodStart"][:10], line["ServiceName"], line["RegionId"]] += D(line["BilledCost"] or 0)
        assert line["BilledCost"] == line["EffectiveCost"] == line["ListCost"] == line["ContractedCost"]
    told = DailySpend.objects.order_by().values_list("day", "service", "region").annotate(Sum("usd"))
    assert found == {(day.isoformat(), service, region): usd for day, service, region, usd in told}
    assert sum(found.values()) == sum(one.usd for one in DailySpend.objects.all()) > 0


def test_a_line_is_a_resource_a_meter_and_a_day(used):  # noqa: F811
    found = lines()
    keys = [(line["ResourceId"], line["x_Meter"], line["ChargePeriodStart"], line["x_PriceAsOf"]) for line in found]
    assert len(set(keys)) == len(keys) < Reading.objects.count()
    assert sum(int(line["x_Readings"]) for line in found) == Reading.objects.count()
    assert all(line["ChargePeriodStart"].endswith("T00:00:00Z") for line in found)
    box = next(line for line in found if line["ResourceName"] == "box" and "/on-demand" in line["x_Meter"])
    assert (box["PricingUnit"], box["ListUnitPrice"], box["ServiceCategory"]) == ("Hours", "0.0416000000", "Compute")
    assert abs(D(box["PricingQuantity"]) * D(box["ListUnitPrice"]) - D(box["ListCost"])) < D("0.00000001")
    assert (box["BillingPeriodStart"], box["BillingPeriodEnd"]) == ("2025-09-01T00:00:00Z", "2025-10-01T00:00:00Z")
    assert json.loads(box["Tags"]) == {"lab": "by hand", "owner": "aye@school.example", "scope": SCOPE}
    lab = next(line for line in found if line["ResourceName"] == "second")
    assert json.loads(lab["Tags"])["launch"] == str(used["on"].pk)


def test_without_a_price_the_costs_are_empty_and_not_0(used):  # noqa: F811
    odd = [line for line in lines() if line["x_PriceConfidence"] == "unpriced"]
    assert odd and all(line["ListCost"] == line["ListUnitPrice"] == "" for line in odd)
    assert all(D(line["PricingQuantity"]) > 0 for line in odd)


def test_the_file_is_of_the_part_that_is_asked_for(client, teacher, used, aye):  # noqa: F811
    answer = page(client, teacher, "spend_focus", person=aye.pk, service="EC2")
    found = list(csv.DictReader(answer.getvalue().decode("utf-8-sig").splitlines()))
    spent = DailySpend.objects.filter(owner=aye, service="EC2").aggregate(usd=Sum("usd"))["usd"]
    assert sum(D(line["BilledCost"]) for line in found) == spent > 0
    assert page(client, teacher, "spend_focus", person="nonsense").status_code == 400
    assert page(client, aye, "spend_focus").status_code == 404


@pytest.mark.parametrize("many", [3, 30])
def test_it_comes_piece_by_piece_and_asks_no_more_for_more_of_the_same_days(ayes, monkeypatch, many):
    """Two queries a day, two a piece: as many of them as pieces, and never a list of all."""
    monkeypatch.setattr(focus, "AT_ONCE", 10)
    for number in range(many):
        worlds.stranger(ayes, "ec2-instance", worlds.instance(disk_gb=0, since=NOW, name=f"b{number}"), NOW)
    rows = list(Resource.objects.all())
    worlds.still_there(rows, NOW + worlds.HOUR)
    metering.meter(NOW + worlds.HOUR)
    with CaptureQueriesContext(connection) as queries:
        found = lines_of([SCOPE], Part())
        assert not len(queries), "nothing is read before it is asked for"
        assert next(found) and len(queries) <= 4
        assert len(list(found)) == many - 1
    assert len(queries) == 2 + 2 * -(-many // 10)


@pytest.mark.parametrize(
    ("unit", "means"),
    [
        ("Hrs", (1, "Hours")),
        ("GB-Mo", (1, "GB-Months")),
        ("GB", (1, "GB")),
        ("1k-requests", (1000, "Requests")),
        ("1M-requests", (1_000_000, "Requests")),
        ("10k-requests", (10_000, "Requests")),
        ("GB-second", (1, "GB-Seconds")),
        ("vCPU-Hrs", (1, "VCPU-Hours")),
        ("key-Mo", (1, "Key-Months")),
        ("minute", (1, "Minutes")),
    ],
)
def test_units_are_written_as_the_specification_writes_them(unit, means):
    assert unit_of(unit) == means


def test_every_service_that_has_a_price_has_its_category():
    assert set(CATEGORIES) < ALLOWED
    services = {cost_service(name) for name in registry() if not is_free(name)}
    services |= {price.service for price in pricebook.read(pricebook.SHIPPED)}
    assert [one for one in sorted(services) if category_of(one) == "Other"] == []
    assert category_of("Something new") == "Other"
