"""A cohort's own money beside USD: at one dated rate, never summed, and USD stays what is kept."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from costs import currency, metering, scopes
from costs.currency import Rate
from costs.models import ExchangeRate, Reading, Scope
from costs.templatetags.currency import about_in
from costs.tests import worlds
from costs.tests.test_pages import page, words
from costs.tests.worlds import HOUR, NOW, SCOPE, instance, stranger

pytestmark = pytest.mark.django_db
D = Decimal
SGD = Rate("SGD", D("1.29"), date(2025, 9, 1))
MMK = Rate("MMK", D("2100"), date(2025, 9, 1))


@pytest.mark.parametrize(
    "usd, rate, shown",
    [
        ("0.0543", SGD, "SGD 0.07"),
        ("1000", SGD, "SGD 1,290.00"),
        ("0.001", SGD, "under SGD 0.01"),
        ("0", SGD, "SGD 0.00"),
        ("-2", SGD, "-SGD 2.58"),
        ("0.05", MMK, "MMK 105"),
        ("0.0001", MMK, "under MMK 1"),
    ],
)
def test_an_amount_is_shown_in_the_cohorts_money(usd, rate, shown):
    assert rate.shown(D(usd)) == shown


def test_where_there_is_no_rate_or_no_amount_nothing_is_shown_beside():
    assert about_in(D("0.05"), None) == about_in(None, SGD) == ""
    assert about_in(D("0.0543"), SGD) == "about SGD 0.07"


def test_the_latest_rate_known_by_then_counts():
    for rate, day in (("1.30", date(2025, 8, 1)), ("1.29", date(2025, 9, 1)), ("1.20", date(2025, 12, 1))):
        currency.enter("SGD", D(rate), day)
    assert currency.rate_of("SGD", NOW).per_usd == D("1.29")
    assert currency.rate_of("SGD", NOW - timedelta(days=30)).per_usd == D("1.30")
    assert currency.rate_of("SGD", NOW - timedelta(days=90)) is None


def test_without_a_currency_nobody_is_asked(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert currency.rate_of("", NOW) is None
        assert currency.rate_of("USD", NOW) is None
        assert currency.shared_rate([Scope(currency="SGD"), Scope(currency="MMK")], NOW) is None
        assert currency.shared_rate([Scope(currency="SGD"), Scope(currency="")], NOW) is None
        assert currency.shared_rate([], NOW) is None


def test_the_command_keeps_a_rate_and_corrects_that_of_the_day(capsys):
    call_command("exchange_rate", "sgd", "1.29", on="2025-09-01", source="central bank")
    assert capsys.readouterr().out == "SGD 1.29 for a US dollar on 2025-09-01.\n"
    call_command("exchange_rate", "SGD", "1.28", on="2025-09-01")
    assert ExchangeRate.objects.get().per_usd == D("1.28")


@pytest.mark.parametrize(
    "told, said",
    [
        (("SGD", "much"), "much is no number"),
        (("SGD", "0"), "0 is no rate"),
        (("SGD", "-1"), "-1 is no rate"),
        (("SGD", "NaN"), "NaN is no rate"),
        (("USD", "1"), "USD is no currency to convert to"),
        (("dollars", "1"), "DOLLARS is no currency"),
    ],
)
def test_a_wrong_rate_is_refused_in_words(told, said):
    with pytest.raises(CommandError, match=said):
        call_command("exchange_rate", *told)
    assert not ExchangeRate.objects.exists()


def test_a_wrong_day_is_refused():
    with pytest.raises(CommandError, match="yesterday is no day"):
        call_command("exchange_rate", "SGD", "1.29", on="yesterday")


# --- on pages ------------------------------------------------------------------------------------------------------


@pytest.fixture
def spent(ayes, prices):
    row = stranger(ayes, "ec2-instance", instance(disk_gb=0), NOW - 10 * HOUR)
    worlds.still_there([row], NOW)
    metering.meter(NOW)


@pytest.mark.usefixtures("now", "spent")
class TestPages:
    def test_spend_and_my_costs_show_both_and_say_the_rate_and_its_day(self, client, teacher, aye):
        scopes.tell(SCOPE, name="aws-ml", currency="SGD")
        currency.enter("SGD", D("1.29"), date(2025, 9, 1))
        for who, name in ((teacher, "spend"), (aye, "mine")):
            said = words(page(client, who, name))
            assert "SGD at 1.29 for a US dollar, of 1 Sep 2025" in said
            assert "$0.42" in said and "about SGD 0.54" in said, said
        assert Reading.objects.first().rate == D("0.0416"), "what is kept stays USD"

    def test_without_a_rate_usd_alone_is_shown(self, client, teacher):
        scopes.tell(SCOPE, name="aws-ml", currency="SGD")
        assert "SGD" not in words(page(client, teacher, "spend"))

    def test_cohorts_of_two_currencies_are_shown_in_usd_alone(self, client, teacher):
        from costs.tests import grants

        scopes.tell(SCOPE, name="aws-ml", currency="SGD")
        scopes.tell("f" * 32, name="another", currency="MMK")
        grants.GRANTED[teacher.pk] = {SCOPE, "f" * 32}
        for code in ("SGD", "MMK"):
            currency.enter(code, D("2"), date(2025, 9, 1))
        said = words(page(client, teacher, "spend"))
        assert "SGD" not in said and "MMK" not in said
