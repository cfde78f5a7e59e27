"""The price book: what is known, how sure it is, and what happens when nothing is known."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from costs import pricebook
from costs.models import Price
from costs.pricebook import BadPriceFile, PriceBook
from labs.kinds.base import Meter

pytestmark = pytest.mark.django_db
D = Decimal
AT = datetime(2025, 9, 18, 12, tzinfo=UTC)
HEAD = "service,kind,sku,region,unit,usd,as_of,confidence,source\n"
T3 = Meter("EC2", "on-demand-linux", "t3.medium", "Hrs")


def file(tmp_path, *lines):
    path = tmp_path / "prices.csv"
    path.write_text(HEAD + "\n".join(lines) + "\n")
    return path


def line(usd="0.0416", as_of="2025-01-01", confidence="list", region="us-east-1"):
    return f"EC2,on-demand-linux,t3.medium,{region},Hrs,{usd},{as_of},{confidence},a source"


TAUGHT = {
    "t3.medium": "0.0416",
    "t3.large": "0.0832",
    "c5.large": "0.085",
    "c5.xlarge": "0.17",
    "c5.4xlarge": "0.68",
    "r5.large": "0.126",
    "r5.xlarge": "0.252",
    "r5.4xlarge": "1.008",
    "g4dn.xlarge": "0.526",
    "p3.2xlarge": "3.06",
    "p3.8xlarge": "12.24",
}


def test_the_shipped_book_has_the_prices_that_the_course_teaches(whole_book):
    book = PriceBook.open(["EC2"], ["us-east-1"])
    known = {sku: book.price_of(Meter("EC2", "on-demand-linux", sku, "Hrs"), "us-east-1", AT).usd for sku in TAUGHT}
    assert known == {sku: D(usd) for sku, usd in TAUGHT.items()}


def test_loading_twice_changes_nothing(whole_book):
    before = list(Price.objects.order_by("pk").values())
    assert pricebook.load() == (0, 0)
    assert list(Price.objects.order_by("pk").values()) == before


def test_every_shipped_price_says_how_sure_it_is_and_where_it_is_from(whole_book):
    assert not Price.objects.exclude(confidence__in=pricebook.CONFIDENCE).exists()
    assert not Price.objects.filter(source="").exists()


def test_an_unknown_region_is_unpriced_and_never_anothers_price(prices):
    assert pricebook.price_of(T3, "us-east-1", AT) is not None
    assert pricebook.price_of(T3, "mars-north-1", AT) is None


def test_an_unknown_unit_is_unpriced(prices):
    assert pricebook.price_of(Meter("EC2", "on-demand-linux", "t3.medium", "Days"), "us-east-1", AT) is None


def test_where_sagemaker_has_only_a_derived_price_it_counts_and_says_so(prices):
    meter = Meter("SageMaker", "notebook", "ml.t3.medium", "Hrs")
    assert pricebook.price_of(meter, "us-east-1", AT).confidence == "list"
    derived = pricebook.price_of(meter, "ap-southeast-1", AT)
    assert (derived.region, derived.confidence) == ("ap-southeast-1", "derived")


def test_the_price_of_a_day_is_the_last_one_read_by_then(tmp_path):
    pricebook.load(file(tmp_path, line("0.05", "2025-01-01"), line("0.04", "2025-09-19")))
    book = PriceBook.open()
    assert book.price_of(T3, "us-east-1", AT).usd == D("0.05")
    assert book.price_of(T3, "us-east-1", datetime(2025, 9, 19, tzinfo=UTC)).usd == D("0.04")
    assert book.price_of(T3, "us-east-1", datetime(2020, 1, 1, tzinfo=UTC)).usd == D("0.05"), "the first one known"


def test_a_day_may_be_a_month_or_a_year(tmp_path):
    pricebook.load(file(tmp_path, line(as_of="2024-07"), line(as_of="2023", region="eu-west-1")))
    assert set(Price.objects.values_list("valid_from", flat=True)) == {date(2024, 7, 1), date(2023, 1, 1)}


def test_a_corrected_line_corrects_the_price(tmp_path):
    pricebook.load(file(tmp_path, line("0.0416")))
    assert pricebook.load(file(tmp_path, line("0.0418"))) == (0, 1)
    assert Price.objects.get().usd == D("0.0418")


@pytest.mark.parametrize(
    "lines, said",
    [
        ([line(), line("cheap")], "line 3: usd is 'cheap'"),
        ([line("-1")], "line 2: usd is '-1'"),
        ([line(confidence="sure")], "line 2: confidence is 'sure'"),
        ([line(as_of="yesterday")], "line 2: as_of is 'yesterday'"),
        ([line(region="")], "line 2: region is missing"),
        ([line(), line("0.05")], "line 3: the same price as in line 2"),
    ],
)
def test_a_broken_file_names_its_line_and_loads_nothing(tmp_path, lines, said):
    with pytest.raises(BadPriceFile, match=said):
        pricebook.load(file(tmp_path, *lines))
    assert not Price.objects.exists()


def test_many_prices_are_one_query(prices, django_assert_num_queries):
    with django_assert_num_queries(1):
        book = PriceBook.open(regions=["us-east-1"])
        for sku in ("t3.micro", "t3.medium", "t3.large"):
            assert book.price_of(Meter("EC2", "on-demand-linux", sku, "Hrs"), "us-east-1", AT)
