"""Our meter beside AWS's bill: what is compared with what, and what is worth a person's time."""

from datetime import date
from decimal import Decimal

import pytest

from costs.bill_words import AWS_NAMES, MACHINES, TOGETHER, compared_as, kind_of, ours_of
from costs.kinds import cost_service, is_free
from costs.variance import Billed, Metered, lines, sums_of
from labs.kinds import registry

D = Decimal
DAY, NEXT = date(2025, 9, 16), date(2025, 9, 17)


def billed(usd, service="Amazon Simple Storage Service", record="Usage", *, day=DAY, is_estimated=False):
    return Billed(day, service, record, D(usd), is_estimated)


def metered(usd, service="S3", *, day=DAY, unpriced=0):
    return Metered(day, service, D(usd), unpriced)


def the_line(ours, theirs, final_through=None):
    [line] = lines(ours, theirs, final_through)
    return line


def test_every_service_that_is_metered_has_a_name_of_awss():
    metered_here = {compared_as(cost_service(name)) for name in registry() if not is_free(name)}
    assert sorted(metered_here - AWS_NAMES.keys()) == []


def test_a_name_of_awss_is_one_service_of_ours():
    names = [name for of in AWS_NAMES.values() for name in of]
    assert len(names) == len(set(names))
    assert set(TOGETHER.values()) <= AWS_NAMES.keys()


def test_a_disk_and_an_address_are_compared_with_their_instance():
    ours = [metered(1, "EC2"), metered(2, "EBS"), metered(3, "VPC"), metered(4, "EMR")]
    theirs = [
        billed("5", "Amazon Elastic Compute Cloud - Compute"),
        billed("3", "EC2 - Other"),
        billed("1.5", "Amazon Virtual Private Cloud"),
        billed("0.5", "Amazon Elastic MapReduce"),
    ]
    line = the_line(ours, theirs)
    assert (line.service, line.ours, line.theirs, line.difference) == (MACHINES, D(10), D(10), D(0))


def test_a_service_that_nobody_knows_is_shown_by_awss_name_and_is_not_accrued():
    line = the_line([], [billed("2.50", "Amazon Redshift")])
    assert (line.service, line.ours, line.theirs, line.is_odd) == ("Amazon Redshift", None, D("2.5"), True)


def test_tax_alone_is_no_use_that_could_have_been_metered():
    assert the_line([], [billed("1.10", "Tax", "Tax")]).is_without_use
    assert not the_line([], [billed("2.50", "Amazon Redshift")]).is_without_use
    assert not the_line([metered("1")], []).is_without_use


def test_sagemaker_has_two_names_at_aws():
    assert {ours_of("Amazon SageMaker"), ours_of("Amazon SageMaker AI")} == {"SageMaker"}


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        ("Usage", "usage"),
        ("DiscountedUsage", "usage"),
        ("SavingsPlanCoveredUsage", "usage"),
        ("Credit", "credit"),
        ("Refund", "refund"),
        ("Tax", "tax"),
        ("SavingsPlanNegation", "other"),
        ("Support", "other"),
        ("Fee", "other"),
    ],
)
def test_what_kind_of_line_it_is(record, kind):
    assert kind_of(record) == kind


def test_a_credit_does_not_hide_what_was_used():
    line = the_line([metered("30")], [billed("30"), billed("-30", record="Credit"), billed("2.40", record="Tax")])
    assert (line.theirs, line.credits, line.tax, line.net, line.difference) == (D(30), D(-30), D("2.4"), D("2.4"), 0)
    assert not line.is_odd
    sums = sums_of([line])
    assert (sums.gross, sums.credits, sums.net, sums.ours) == (D(30), D(-30), D("2.4"), D(30))


def test_a_refund_and_a_fee_stand_apart_from_the_use():
    line = the_line([metered("1")], [billed("1"), billed("-0.5", record="Refund"), billed("10", record="Support")])
    assert (line.theirs, line.refunds, line.other, line.net) == (D(1), D("-0.5"), D(10), D("10.5"))


@pytest.mark.parametrize(
    ("ours", "theirs", "is_odd", "why"),
    [
        ("10.00", "10.50", False, "5 % of what was billed is not over it"),
        ("10.00", "10.60", True, "over 5 %, more"),
        ("10.00", "9.40", True, "over 5 %, less"),
        ("0.01", "0.10", False, "nine cents, however large the share"),
        ("0.00", "0.10", True, "ten cents that nobody metered"),
        ("0.10", "0.00", True, "ten cents that AWS did not bill"),
        ("100.00", "100.20", False, "twenty cents of a hundred dollars"),
    ],
)
def test_what_is_too_far_apart(ours, theirs, is_odd, why):
    assert the_line([metered(ours)], [billed(theirs)]).is_odd is is_odd, why


def test_an_estimate_is_never_odd():
    line = the_line([metered("1")], [billed("9", is_estimated=True)])
    assert (line.difference, line.is_estimated, line.is_odd) == (D(8), True, False)


def test_a_day_of_which_aws_told_nothing_yet_has_no_difference():
    line = the_line([metered("1")], [])
    assert (line.theirs, line.difference, line.is_told, line.is_odd) == (None, None, False, False)
    assert sums_of([line]).ours == 0, "sums are of the same days on both sides"


def test_what_a_final_day_does_not_name_was_not_billed():
    line = the_line([metered("1")], [], final_through=DAY)
    assert (line.theirs, line.difference, line.is_odd) == (D(0), D(-1), True)


def test_a_service_that_is_metered_and_was_not_used_is_zero_and_not_unknown():
    [line] = lines([], [billed("0.30")])
    assert (line.ours, line.difference) == (D(0), D("0.3"))


def test_the_latest_day_and_its_dearest_service_come_first():
    found = lines(
        [metered(1, day=DAY), metered(1, day=NEXT), metered(5, "SageMaker", day=NEXT, unpriced=60)],
        [billed("1", day=NEXT), billed("5", "Amazon SageMaker", day=NEXT)],
    )
    assert [(line.day, line.service) for line in found] == [(NEXT, "SageMaker"), (NEXT, "S3"), (DAY, "S3")]
    assert found[0].unpriced_seconds == 60
