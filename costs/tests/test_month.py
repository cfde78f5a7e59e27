"""An evening and a night of the simulated month (`make month` plays all four weeks of fifty students)."""

import pytest

from costs.tests import month

GOOD = {"off_by_percent": 0.5, "missed": [], "false_stops": [], "called_idle_in_use": [], "totals_that_fell": 0}


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.once
def test_in_a_class_all_is_counted_what_is_forgotten_is_found_and_what_is_in_use_stays_on():
    told = month.live(seed=5, students=5, days=1, by_hand_chance=0.4)
    assert month.holds(told), told
    assert told["forgotten"] >= 3 and told["in_use"] >= 3, "what never happened proves nothing"
    assert float(told["reference_usd"]) > 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"off_by_percent": 0.51},
        {"missed": ["ec2-instance-1"]},
        {"false_stops": ["stop of ec2-instance-1"]},
        {"called_idle_in_use": ["ec2-instance-1"]},
        {"totals_that_fell": 1},
    ],
)
def test_a_month_in_which_anything_went_wrong_does_not_hold(wrong):
    assert month.holds(GOOD)
    assert not month.holds(GOOD | wrong)
