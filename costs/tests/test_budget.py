"""What a lab would cost, and whether somebody can afford it."""

from dataclasses import replace
from decimal import Decimal

import pytest

from costs import budget, metering, pricebook, scopes
from costs.budget import may_extend, may_launch, rate_of
from costs.models import Budget, Scope
from costs.tests import worlds
from costs.tests.worlds import HOUR, NOW, SCOPE, instance, notebook, stranger
from labs import catalog, launching
from labs.kinds.base import Want

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("prices")]
D = Decimal

A_NOTEBOOK = worlds.lab_of(Want("nb", "sagemaker-notebook", {"type": "ml.t3.medium", "gb": 5}), hours=4)


def tell(**more):
    told = {"name": "aws-ml-sep-2025", "student_usd": D(25), "cohort_usd": D(500)}
    return scopes.tell(SCOPE, **(told | more))


def test_a_lab_has_its_price_before_it_is_launched():
    price = rate_of(A_NOTEBOOK, "us-east-1", NOW)
    disk = D(5) * D("0.14") / 720
    assert price.usd_per_hour == pytest.approx(D("0.05") + disk, abs=D("1e-9"))
    assert price.at_most == pytest.approx(4 * (D("0.05") + disk), abs=D("1e-8"))
    assert [line.label for line in price.rate.lines] == ["ml.t3.medium", "disk 5 GB"]


def test_an_endpoint_is_priced_by_the_configuration_that_it_needs():
    lab = worlds.lab_of(
        Want("model", "sagemaker-model", {}),
        Want("config", "sagemaker-endpoint-config", {"model": "{model.name}", "type": "ml.m5.large"}, ("model",)),
        Want("endpoint", "sagemaker-endpoint", {"config": "{config.name}"}, ("config",)),
    )
    assert rate_of(lab, "us-east-1", NOW).usd_per_hour == D("0.115")


def test_an_instance_is_priced_with_its_disk_and_its_address():
    lab = worlds.lab_of(Want("box", "ec2-instance", {"type": "t3.micro", "gb": 8}))
    assert rate_of(lab, "us-east-1", NOW).usd_per_hour == pytest.approx(
        D("0.0104") + D("0.005") + D(8) * D("0.08") / 720, abs=D("1e-9")
    )


def test_what_the_student_is_to_make_by_hand_is_in_the_price_too():
    by_hand = Want("server", "ec2-instance", {"type": "t3.micro", "gb": 8})
    lab = replace(worlds.lab_of(Want("group", "security-group", {})), creates=("ec2-instance",), by_hand=(by_hand,))
    assert rate_of(lab, "us-east-1", NOW).usd_per_hour == rate_of(worlds.lab_of(by_hand), "us-east-1", NOW).usd_per_hour


def test_in_a_region_without_a_price_a_lab_has_none():
    price = rate_of(A_NOTEBOOK, "eu-central-1", NOW)
    assert (price.usd_per_hour, price.at_most) == (None, None)
    assert len(price.rate.unpriced) == 2


def test_every_lab_of_the_catalogue_has_a_price_where_it_is_launched(whole_book):
    book = pricebook.PriceBook.open(regions=["us-east-1"])
    for lab in catalog.all_labs():
        assert rate_of(lab, "us-east-1", NOW, book=book).at_most is not None, lab.slug


def test_without_a_budget_everything_fits(aye):
    assert may_launch(aye, SCOPE, D(1000), 10, NOW).allowed


def test_what_nobody_can_price_is_not_launched(aye):
    verdict = may_launch(aye, SCOPE, None, 1, NOW)
    assert not verdict.allowed and "no price" in verdict.reason


def test_what_was_spent_counts(aye, ayes):
    tell()
    stranger(ayes, "ec2-instance", instance(type="p3.2xlarge", disk_gb=0, since=NOW - 8 * HOUR), NOW)
    metering.meter(NOW)
    assert may_launch(aye, SCOPE, D("0.13"), 4, NOW).allowed, "24.48 + 0.52 is 25.00 to the cent"
    verdict = may_launch(aye, SCOPE, D("0.14"), 4, NOW)
    assert verdict == budget.Verdict(
        False,
        "This can cost up to $0.56, and you have $0.52 left of your $25.00. Ask your instructor for more.",
    )


def test_what_labs_that_are_on_can_still_cost_counts_and_finishing_one_helps(aye, ayes):
    tell(student_usd=D(1))
    made = worlds.launch(aye, ayes, NOW, hours=10, nb="sagemaker-notebook")
    worlds.saw(worlds.row_of(made, "nb"), notebook(disk_gb=0), NOW)
    metering.meter(NOW)
    verdict = may_launch(aye, SCOPE, D("0.30"), 2, NOW)
    assert verdict == budget.Verdict(
        False,
        "This can cost up to $0.60, and you have $0.50 left of your $1.00. Your labs that are on can still cost $0.50: "
        "finish one, and that part is yours again.",
    )
    launching.ask_to_delete(made, now=NOW, by=aye)
    assert may_launch(aye, SCOPE, D("0.30"), 2, NOW).allowed


def test_a_lab_that_is_just_starting_counts_already(aye, ayes, monkeypatch):
    tell(student_usd=D("0.30"))
    monkeypatch.setattr(catalog, "catalog", lambda: {A_NOTEBOOK.slug: A_NOTEBOOK})
    assert may_launch(aye, SCOPE, D("0.06"), 4, NOW).allowed
    worlds.launch(aye, ayes, NOW, slug=A_NOTEBOOK.slug, nb="sagemaker-notebook")
    assert not may_launch(aye, SCOPE, D("0.06"), 4, NOW).allowed


def test_what_a_student_may_still_make_in_a_lab_counts_until_it_ends(aye, ayes, monkeypatch):
    tell(student_usd=D("0.30"))
    by_hand = Want("server", "ec2-instance", {"type": "t3.medium", "gb": 0})
    lab = replace(worlds.lab_of(hours=4, slug="by-hand"), creates=("ec2-instance",), by_hand=(by_hand,))
    monkeypatch.setattr(catalog, "catalog", lambda: {lab.slug: lab})
    made = worlds.launch(aye, ayes, NOW, hours=4, slug=lab.slug)
    type(made).objects.filter(pk=made.pk).update(ready_at=NOW)
    assert not may_launch(aye, SCOPE, D("0.06"), 4, NOW).allowed, "nothing is made yet, and may be at any moment"
    launching.ask_to_delete(made, now=NOW, by=aye)
    assert may_launch(aye, SCOPE, D("0.06"), 4, NOW).allowed


def test_a_lab_is_extended_as_long_as_its_owners_budget_has_room(aye, ayes):
    tell(student_usd=D("0.30"))
    made = worlds.launch(aye, ayes, NOW, hours=5, nb="sagemaker-notebook")
    worlds.saw(worlds.row_of(made, "nb"), notebook(disk_gb=0), NOW)
    metering.meter(NOW)
    assert may_extend(made, 1, NOW).allowed, "5 h are 0.25 already: one more at 0.05 fits to the cent"
    verdict = may_extend(made, 2, NOW)
    assert not verdict.allowed
    assert verdict.reason.startswith("This can cost up to $0.10, and you have $0.05 left of your $0.30.")


def test_a_lab_is_not_extended_into_what_others_left_on_of_the_cohorts_budget(aye, bo, ayes):
    tell(student_usd=None, cohort_usd=D(25))
    made = worlds.launch(aye, ayes, NOW, hours=10, nb="sagemaker-notebook")
    worlds.saw(worlds.row_of(made, "nb"), notebook(disk_gb=0), NOW)
    assert may_extend(made, "0.5", NOW).allowed
    bos = worlds.account_of(bo, number=2)
    stranger(bos, "ec2-instance", instance(type="p3.2xlarge", disk_gb=0, since=NOW - 8 * HOUR), NOW)
    metering.meter(NOW)
    verdict = may_extend(made, "0.5", NOW)
    assert not verdict.allowed and "the cohort has $0.02 left" in verdict.reason


def test_somebody_with_a_budget_of_their_own_has_that_one(aye, bo):
    tell()
    Budget.objects.create(kind=Budget.STUDENT, scope=SCOPE, owner=aye, usd=D(100))
    assert may_launch(aye, SCOPE, D(12), 4, NOW).allowed
    assert not may_launch(bo, SCOPE, D(12), 4, NOW).allowed


def test_the_cohorts_budget_stops_everybody(aye, bo):
    bos = worlds.account_of(bo, number=2)
    tell(student_usd=None, cohort_usd=D(25))
    stranger(bos, "ec2-instance", instance(type="p3.2xlarge", disk_gb=0, since=NOW - 8 * HOUR), NOW)
    metering.meter(NOW)
    verdict = may_launch(aye, SCOPE, D(1), 1, NOW)
    assert not verdict.allowed
    assert verdict.reason.startswith("This can cost up to $1.00, and the cohort has $0.52 left of its $25.00.")


def test_another_scopes_spend_does_not_count(aye):
    tell()
    elsewhere = worlds.account_of(aye, number=3, scope="d" * 32, mode="own")
    stranger(elsewhere, "ec2-instance", instance(type="p3.2xlarge", disk_gb=0, since=NOW - 9 * HOUR), NOW)
    metering.meter(NOW)
    assert may_launch(aye, SCOPE, D(6), 4, NOW).allowed


def test_telling_a_scope_twice_changes_nothing_and_taking_a_budget_away_does():
    tell()
    tell()
    assert (Scope.objects.count(), Budget.objects.count()) == (1, 2)
    tell(cohort_usd=None)
    assert list(Budget.objects.values_list("kind", "usd")) == [("student", D(25))]


def test_the_same_queries_with_one_lab_on_and_with_many(aye, ayes, django_assert_num_queries):
    tell()
    for number in range(12):
        made = worlds.launch(aye, ayes, NOW, nb="sagemaker-notebook")
        worlds.saw(worlds.row_of(made, "nb"), notebook(name=f"nb-{number}"), NOW)
        made.ready_at = NOW
        made.save()
    metering.meter(NOW)
    with django_assert_num_queries(8):
        may_launch(aye, SCOPE, D("0.05"), 4, NOW)


def test_who_teaches_has_no_students_budget_but_the_cohorts_holds_for_them_too(aye, chit):
    tell(student_usd=D(1), cohort_usd=D(50), staff=[chit.pk])
    assert not may_launch(aye, SCOPE, D(5), 4, NOW).allowed
    assert may_launch(chit, SCOPE, D(5), 4, NOW).allowed
    assert not may_launch(chit, SCOPE, D(20), 4, NOW).allowed


def test_who_teaches_is_held_to_a_budget_of_their_own(chit, ayes):
    tell(staff=[chit.pk])
    Budget.objects.create(kind=Budget.STAFF, scope=SCOPE, owner=chit, usd=D(30))
    assert may_launch(chit, SCOPE, D(7), 4, NOW).allowed
    verdict = may_launch(chit, SCOPE, D(8), 4, NOW)
    assert not verdict.allowed
    assert verdict.reason.startswith("This can cost up to $32.00, and you have $30.00 left of your $30.00.")
    assert verdict.reason.endswith("Ask an admin for more.")


def test_an_accounts_budget_of_the_month_stops_whoever_starts_something_in_it(aye, bo, ayes):
    tell(student_usd=None, cohort_usd=None)
    Budget.objects.create(kind=Budget.ACCOUNT, account=ayes, usd=D(30))
    stranger(ayes, "ec2-instance", instance(type="p3.2xlarge", disk_gb=0, since=NOW - 8 * HOUR), NOW)
    metering.meter(NOW)
    assert may_launch(aye, SCOPE, D(2), 4, NOW, account=ayes.pk).allowed is False
    reason = may_launch(aye, SCOPE, D(2), 4, NOW, account=ayes.pk).reason
    assert "this AWS account has $5.52 left of its" in reason and "Ask an admin for more" in reason
    assert may_launch(aye, SCOPE, D(1), 4, NOW, account=ayes.pk).allowed
    assert may_launch(bo, SCOPE, D(2), 4, NOW, account=worlds.account_of(bo, number=2).pk).allowed
    assert may_launch(aye, SCOPE, D(2), 4, NOW + 31 * 24 * HOUR, account=ayes.pk).allowed, "another month"


@pytest.mark.parametrize(
    ("spent", "of", "said", "why"),
    [
        ("0", "25", "0", "nothing was spent"),
        ("0.01", "25", "under 1", "something was, and 0 % would hide it"),
        ("0.125", "25", "1", "half a percent is rounded up"),
        ("1.12", "25", "4", "4.48"),
        ("1.125", "25", "5", "4.5"),
        ("24.58", "500", "5", "4.916 was cut to 4"),
        ("24.75", "25", "99", "exactly"),
        ("24.88", "25", "over 99", "99.52: 100 % would say that nothing is left"),
        ("25", "25", "100", "all of it"),
        ("25.20", "25", "101", "100.8"),
        ("0", "0", "100", "of nothing there is nothing left"),
    ],
)
def test_a_percentage_is_rounded_and_never_hides_what_was_spent_or_what_is_left(spent, of, said, why):
    assert budget.percent(D(spent), D(of)) == said, why
