"""Small made-up offer files as AWS writes them: CSV with five lines before its header, JSON products before terms."""

import csv
import json

COLUMNS = [
    "SKU",
    "OfferTermCode",
    "RateCode",
    "TermType",
    "PriceDescription",
    "EffectiveDate",
    "StartingRange",
    "EndingRange",
    "Unit",
    "PricePerUnit",
    "Currency",
    "LeaseContractLength",
    "PurchaseOption",
    "OfferingClass",
    "Product Family",
    "serviceCode",
    "Location",
    "Location Type",
    "Instance Type",
    "Tenancy",
    "Operating System",
    "License Model",
    "Volume API Name",
    "Transfer Type",
    "usageType",
    "operation",
    "CapacityStatus",
    "From Region Code",
    "MarketOption",
    "Pre Installed S/W",
    "Region Code",
    "serviceName",
    "softwareType",
]
IN_JSON = {
    "Instance Type": "instanceType",
    "Tenancy": "tenancy",
    "Operating System": "operatingSystem",
    "usageType": "usagetype",
    "operation": "operation",
    "CapacityStatus": "capacitystatus",
    "Pre Installed S/W": "preInstalledSw",
    "Region Code": "regionCode",
    "From Region Code": "fromRegionCode",
    "Transfer Type": "transferType",
    "Volume API Name": "volumeApiName",
    "softwareType": "softwareType",
}
PLAIN = {
    "Product Family": "Compute Instance",
    "Tenancy": "Shared",
    "Operating System": "Linux",
    "CapacityStatus": "Used",
    "Pre Installed S/W": "NA",
    "operation": "RunInstances",
    "MarketOption": "OnDemand",
}


def product(usage, usd, unit="Hrs", *, region="us-east-1", begins="0", sku="", term="OnDemand", **more):
    """One price of one product. Attributes by their CSV names, with `_` for a space."""
    told = {
        "SKU": sku or f"SKU{abs(hash((usage, region, tuple(sorted(more.items()))))) % 10**10:010}",
        "TermType": term,
        "StartingRange": begins,
        "EndingRange": "Inf",
        "Unit": unit,
        "PricePerUnit": usd,
        "Currency": "USD",
        "usageType": usage,
        "Region Code": region,
    }
    return told | {name.replace("_", " "): value for name, value in more.items()}


def machine(type, usd, *, prefix="", region="us-east-1", **more):
    facts = {name.replace(" ", "_"): value for name, value in PLAIN.items()} | {"Instance_Type": type}
    return product(f"{prefix}BoxUsage:{type}", usd, region=region, **(facts | more))


def as_csv(folder, offer, *products, published="2025-09-12T22:53:08Z", version="20250912225308", name=""):
    path = folder / (name or f"{offer}.csv")
    with path.open("w", newline="") as file:
        lines = csv.writer(file, quoting=csv.QUOTE_ALL)
        lines.writerows(
            [
                ["FormatVersion", "v1.0"],
                ["Disclaimer", "This pricing list is for informational purposes only, and made up."],
                ["Publication Date", published],
                ["Version", version],
                ["OfferCode", offer],
                COLUMNS,
            ]
        )
        lines.writerows([[one.get(column, "") for column in COLUMNS] for one in products])
    return path


def as_json(folder, offer, *products, published="2025-09-12T22:53:08Z", version="20250912225308", name=""):
    whole = {
        "formatVersion": "v1.0",
        "disclaimer": "This pricing list is made up.",
        "offerCode": offer,
        "version": version,
        "publicationDate": published,
        "products": {one["SKU"]: described(one) for one in products},
        "terms": {},
        "attributesList": {},
    }
    for one in products:
        terms = whole["terms"].setdefault(one["TermType"], {}).setdefault(one["SKU"], {})
        term = terms.setdefault(f"{one['SKU']}.JRTCKXETXF", term_of(one))
        term["priceDimensions"] |= dimension_of(one)
    path = folder / (name or f"{offer}.json")
    path.write_text(json.dumps(whole, indent=2))
    return path


def answer(one, published="2025-09-12T22:53:08Z"):
    """As GetProducts answers it."""
    term = term_of(one) | {"priceDimensions": dimension_of(one)}
    return json.dumps(
        {
            "product": described(one),
            "serviceCode": "AmazonEC2",
            "terms": {"OnDemand": {f"{one['SKU']}.JRTCKXETXF": term}},
            "version": "20250912225308",
            "publicationDate": published,
        }
    )


def described(one):
    attributes = {IN_JSON[name]: value for name, value in one.items() if name in IN_JSON}
    return {"sku": one["SKU"], "productFamily": one.get("Product Family", ""), "attributes": attributes}


def term_of(one):
    return {"offerTermCode": "JRTCKXETXF", "sku": one["SKU"], "priceDimensions": {}, "termAttributes": {}}


def dimension_of(one):
    code = f"{one['SKU']}.JRTCKXETXF.{one['StartingRange']}"
    return {
        code: {
            "rateCode": code,
            "beginRange": one["StartingRange"],
            "endRange": one["EndingRange"],
            "unit": one["Unit"],
            "pricePerUnit": {one["Currency"]: one["PricePerUnit"]},
            "appliesTo": [],
        }
    }
