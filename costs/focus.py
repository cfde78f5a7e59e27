"""Spend with the columns of FOCUS 1.2, the FinOps Open Cost and Usage Specification: a line a resource, meter and UTC
day, added up from readings day by day, so that a year of a school is no more in memory than its longest day.

All that the specification calls mandatory is here; columns of our own begin with x_, as it asks. Costs are our estimate
at list price; of practice accounts too, where nothing is billed: x_AccountMode tells them apart. Where no price is
known the costs are empty. The specification wants a number there; a 0 would be a lie.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from django.db.models import Count, Sum

from costs.dashboard.days import bounds
from costs.kinds import title_of
from costs.models import DailySpend, Price, Reading
from costs.narrowing import Part
from costs.pricing import TEN_PLACES
from labs.models import Resource

AT_ONCE = 1000  # lines whose resources are looked up together
AWS = "AWS"

# The specification's word for what each service, as the bill calls it, is for.
CATEGORIES = {
    "AI and Machine Learning": ["Bedrock", "Kendra", "SageMaker"],
    "Analytics": ["EMR", "EMR Serverless", "OpenSearch Serverless"],
    "Compute": ["EC2", "ECR", "Lambda"],
    "Databases": ["ElastiCache", "RDS"],
    "Developer Tools": ["CodeBuild", "CodePipeline"],
    "Identity": ["IAM"],
    "Integration": ["API Gateway", "EventBridge", "Step Functions"],
    "Management and Governance": ["CloudFormation", "CloudWatch", "Cost Explorer"],
    "Networking": ["DataTransfer", "ELB", "VPC"],
    "Security": ["KMS", "Secrets Manager"],
    "Storage": ["EBS", "EFS", "S3"],
}
CATEGORY_OF = {service: category for category, services in CATEGORIES.items() for service in services}

COLUMNS = [
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "RegionName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "SubAccountId",
    "SubAccountName",
    "Tags",
    "x_AccountMode",
    "x_Meter",
    "x_PriceAsOf",
    "x_PriceConfidence",
    "x_Readings",
]

TIMES = {"Hrs": "Hours", "Mo": "Months", "second": "Seconds", "minute": "Minutes"}
MULTIPLES = {"k": 1000, "M": 1_000_000}


def category_of(service: str) -> str:
    """Never empty: what has no place yet is "Other"."""
    return CATEGORY_OF.get(service, "Other")


def unit_of(unit: str) -> tuple[int, str]:
    """A price's unit as FOCUS writes units: how many make one of it, and what of: Hrs is (1, "Hours"), GB-Mo is
    (1, "GB-Months"), 1k-requests is (1000, "Requests")."""
    found = re.fullmatch(r"(\d+)([kM]?)-(.+)", unit)
    many = int(found[1]) * MULTIPLES.get(found[2], 1) if found else 1
    parts = [TIMES.get(part, part[:1].upper() + part[1:]) for part in (found[3] if found else unit).split("-")]
    return many, "-".join(parts)


def lines_of(scopes: Iterable[str], part: Part) -> Iterator[list[str]]:
    """The file's lines, in the order of days. Two queries a day, and two more for each thousand lines."""
    keys = list(scopes)
    days = part.spend(DailySpend.objects.filter(scope__in=keys)).order_by("day").values_list("day", flat=True)
    for day in list(days.distinct()):
        begins, ends = bounds(day)
        found = (
            Reading.objects.filter(part.of_readings(), resource__scope__in=keys, start__gte=begins, start__lt=ends)
            .order_by("resource", "meter", "price")
            .values("resource", "meter", "service", "unit", "rate", "price")
            .annotate(quantity=Sum("quantity"), cost=Sum("usd"), readings=Count("pk"))
        )
        lines = found.iterator(chunk_size=AT_ONCE)
        while some := list(islice(lines, AT_ONCE)):
            resources = Resource.objects.select_related("account", "owner", "launch").in_bulk(
                {line["resource"] for line in some}
            )
            prices = Price.objects.in_bulk({line["price"] for line in some if line["price"]})
            for line in some:
                yield _line(line, day, resources[line["resource"]], prices.get(line["price"]))


def _line(line: Any, day: date, row: Resource, price: Price | None) -> list[str]:
    begins, ends = bounds(day)
    month = begins.replace(day=1)
    many, unit = unit_of(line["unit"])
    account = row.account.aws_id or str(row.account_id)
    cost, rate = _amount(line["cost"]), _amount(line["rate"])
    told = {
        "BilledCost": cost,
        "BillingAccountId": account,
        "BillingAccountName": row.account.name,
        "BillingCurrency": "USD",
        "BillingPeriodEnd": _instant((month + timedelta(days=32)).replace(day=1)),
        "BillingPeriodStart": _instant(month),
        "ChargeCategory": "Usage",
        "ChargeClass": "",  # a correction would be "Correction"; readings are never changed
        "ChargeDescription": f"{title_of(row.kind)} {row.name or row.aws_id}: {line['meter']}",
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodEnd": _instant(ends),
        "ChargePeriodStart": _instant(begins),
        "ConsumedQuantity": _amount(line["quantity"] * many),
        "ConsumedUnit": unit,
        "ContractedCost": cost,
        "ContractedUnitPrice": rate,
        "EffectiveCost": cost,
        "InvoiceIssuerName": AWS,
        "ListCost": cost,
        "ListUnitPrice": rate,
        "PricingCategory": "Dynamic" if "/spot/" in line["meter"] else "Standard",
        "PricingQuantity": _amount(line["quantity"]),
        "PricingUnit": unit if many == 1 else f"{many} {unit}",
        "ProviderName": AWS,
        "PublisherName": AWS,
        "RegionId": row.region,
        "RegionName": row.region,
        "ResourceId": row.aws_id or str(row.pk),
        "ResourceName": row.name,
        "ResourceType": title_of(row.kind),
        "ServiceCategory": category_of(line["service"]),
        "ServiceName": line["service"],
        "SubAccountId": account,
        "SubAccountName": row.account.name,
        "Tags": json.dumps(_tags(row), ensure_ascii=False, sort_keys=True),
        "x_AccountMode": row.account.mode,
        "x_Meter": line["meter"],
        "x_PriceAsOf": price.valid_from.isoformat() if price else "",
        "x_PriceConfidence": price.confidence if price else "unpriced",
        "x_Readings": str(line["readings"]),
    }
    return [told[name] for name in COLUMNS]


def _tags(row: Resource) -> dict[str, str]:
    tags = {"owner": row.owner.email if row.owner else "nobody", "scope": row.scope}
    return tags | ({"lab": row.launch.lab, "launch": str(row.launch.pk)} if row.launch else {"lab": "by hand"})


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _amount(usd: Decimal | None) -> str:
    """With ten places; empty where no price is known."""
    return "" if usd is None else f"{usd.quantize(TEN_PLACES):f}"
