"""The course's cost framework and both of its worked examples, to the cent."""

from decimal import Decimal

import pytest

from costs.calculator import Plan, framework, on_demand, on_spot, reserved

D = Decimal
CENT = D("0.01")

P3_FOR_8_HOURS = Plan(
    instance_usd_per_hour=D("3.06"),
    hours_a_day=D(8),
    disk_gb=D(100),
    disk_usd_per_hour_in_all=D("0.0133"),
    transfer_gb=D(50),
    transfer_usd_per_gb=D("0.018"),
)
C5_FOR_A_MONTH = Plan(
    instance_usd_per_hour=D("0.68"),
    hours_a_day=D(2),
    days=D(30),
    disk_gb=D(1000),
    disk_usd_per_gb_month=D("0.08"),
    disk_kept_all_month=True,
)


def cents(cost):
    return [part.quantize(CENT) for part in (cost.instance, cost.disk, cost.transfer, cost.total)]


def test_the_courses_first_example():
    assert cents(on_demand(P3_FOR_8_HOURS)) == [D("24.48"), D("0.11"), D("0.90"), D("25.49")]


def test_the_courses_first_example_at_awss_own_disk_price_and_with_free_transfer_within_a_region():
    own = Plan(D("3.06"), D(8), disk_gb=D(100), disk_usd_per_gb_month=D("0.08"))
    assert cents(on_demand(own)) == [D("24.48"), D("0.09"), D("0.00"), D("24.57")]


def test_the_courses_second_example_keeps_its_disk_all_month():
    assert cents(on_demand(C5_FOR_A_MONTH)) == [D("40.80"), D("80.00"), D("0.00"), D("120.80")]


def test_without_the_disk_kept_all_month_the_framework_gives_about_47():
    kept_only_while_on = Plan(**{**vars(C5_FOR_A_MONTH), "disk_kept_all_month": False})
    assert on_demand(kept_only_while_on).total.quantize(CENT) == D("47.38")


def test_the_four_lines_of_the_framework():
    lines = framework(Plan(D("0.0416"), D(4), days=D(20)))
    assert (lines.hourly, lines.daily) == (D("0.0416"), D("0.1664"))
    assert (lines.monthly, lines.annual) == (D("3.328"), D("39.936"))


def test_spot_and_reserved_are_what_remains_to_be_paid_not_what_is_saved():
    plan = Plan(D("1.00"), D(10), disk_gb=D(73), disk_usd_per_gb_month=D("0.10"))
    spot = on_spot(plan, discount=D("0.7"), interruption_factor=D("1.1"))
    assert (spot.instance, spot.disk) == (D("3.30"), D("0.10"))
    assert reserved(plan, discount=D("0.4")).instance == D("6.00")
    assert on_demand(plan).total - spot.total == D("6.70"), "the saving"


@pytest.mark.parametrize("discount", [D("-0.1"), D("1.01"), D(90)])
def test_a_discount_of_90_percent_is_written_0_point_9(discount):
    with pytest.raises(ValueError, match="between 0 and 1"):
        reserved(C5_FOR_A_MONTH, discount=discount)


def test_work_done_again_never_makes_spot_cheaper():
    with pytest.raises(ValueError, match="1 or more"):
        on_spot(C5_FOR_A_MONTH, discount=D("0.7"), interruption_factor=D("0.9"))
