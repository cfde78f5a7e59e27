"""What can still be spent, and what stops it: by table, and for any parts."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.exposing import BUDGET, CLOCK, IS_OFF, NOTHING, SWITCH, Exposure, Part, capped, exposed, passes_at, together

NOW = datetime(2025, 9, 18, 12, 0, tzinfo=UTC)
D, HOUR = Decimal, timedelta(hours=1)


@pytest.mark.parametrize(
    ("why", "part", "usd", "until", "by"),
    [
        ("a lab ends with its clock", Part(D("0.05"), NOW + 3 * HOUR), D("0.15"), NOW + 3 * HOUR, CLOCK),
        ("calls are beside it", Part(D("0.05"), NOW + HOUR, calls_usd=D(1)), D("1.05"), NOW + HOUR, CLOCK),
        ("the clock is before the switch", Part(D(1), NOW + HOUR, NOW + 2 * HOUR), D(1), NOW + HOUR, CLOCK),
        ("by hand there is only the switch", Part(D(1), switch_at=NOW + 4 * HOUR), D(4), NOW + 4 * HOUR, SWITCH),
        ("by hand without a switch", Part(D(1)), None, None, NOTHING),
        ("a switch that has fired bounds nothing", Part(D(1), switch_at=NOW), None, None, NOTHING),
        ("a clock that has run out ends it now", Part(D(1), NOW - HOUR), D(0), NOW - HOUR, CLOCK),
        ("what has no price may cost anything", Part(None, NOW + HOUR), None, NOW + HOUR, CLOCK),
        ("what was asked to go is going", Part(D(1), NOW + HOUR, is_going=True), D(0), None, IS_OFF),
    ],
)
def test_a_part_costs_its_rate_until_the_first_stop(why, part, usd, until, by):
    found = exposed(part, NOW)
    assert (found.usd, found.until, found.by) == (usd, until, by), why


def test_the_whole_names_the_stop_of_what_goes_off_last():
    lab, by_hand = exposed(Part(D(1), NOW + HOUR), NOW), exposed(Part(D(2), switch_at=NOW + 3 * HOUR), NOW)
    whole = together([lab, by_hand])
    assert (whole.usd, whole.until, whole.by) == (D(7), NOW + 3 * HOUR, SWITCH)
    assert whole == together([by_hand, lab])


def test_one_thing_without_an_end_leaves_the_whole_without_one_and_its_known_part_is_kept():
    whole = together([exposed(Part(D(1), NOW + HOUR), NOW), exposed(Part(D(2)), NOW)])
    assert (whole.usd, whole.until, whole.by, whole.known_usd, whole.unbounded) == (None, None, NOTHING, D(1), 1)


ENDLESS = Exposure(None, None, NOTHING, unbounded=1)
TWO_HOURS = Exposure(D(2), NOW + 2 * HOUR, CLOCK, D(2))


@pytest.mark.parametrize(
    ("why", "whole", "left", "rate", "usd", "by"),
    [
        ("a budget ends what nothing else does, a grace time after it is used up", ENDLESS, D(3), D(1), D(4), BUDGET),
        ("the clock is first", TWO_HOURS, D(3), D(1), D(2), CLOCK),
        ("the budget is first", Exposure(D(9), NOW + 9 * HOUR, CLOCK, D(9)), D(3), D(1), D(4), BUDGET),
        ("used up long ago, only the grace time is left", ENDLESS, D(-5), D(1), D(1), BUDGET),
        (
            "what is unpriced uses up nobody knows what",
            Exposure(None, NOW, NOTHING, unpriced=1),
            D(3),
            D(1),
            None,
            NOTHING,
        ),
        ("at no rate nothing is used up", ENDLESS, D(3), D(0), None, NOTHING),
        ("nothing is on", Exposure(), D(3), D(1), D(0), IS_OFF),
    ],
)
def test_a_budget_bounds_what_is_on_when_it_is_the_first_to_stop_it(why, whole, left, rate, usd, by):
    found = capped(whole, left, rate, HOUR, NOW)
    assert (found.usd, found.by) == (usd, by), why


rates = st.decimals(0, 50, places=4)
hours = st.integers(0, 400).map(lambda minutes: NOW + timedelta(minutes=minutes))
parts = st.builds(Part, rates, st.none() | hours, st.none() | hours)


@given(st.lists(parts, max_size=6), parts)
def test_one_thing_more_never_makes_it_less(some, one):
    before, after = (together(exposed(part, NOW) for part in each) for each in (some, [*some, one]))
    assert after.known_usd >= before.known_usd >= 0
    assert after.usd is None or (before.usd is not None and after.usd >= before.usd)
    assert (after.usd is None) == (after.by == NOTHING), "what is priced and ends has an amount"


@given(st.lists(parts, max_size=6), st.decimals(0, 100, places=2), st.decimals("0.01", 50, places=2))
def test_a_budget_never_promises_more_than_there_was_nor_less_than_is_left(some, left, rate):
    whole = together(exposed(part, NOW) for part in some)
    found = capped(whole, left, rate, HOUR, NOW)
    assert found == whole or (found.by == BUDGET and found.usd >= left and (whole.usd is None or found.usd < whole.usd))


@pytest.mark.parametrize(
    ("left", "rate", "at"),
    [
        (D(2), D(1), NOW + 2 * HOUR),
        (D(0), D(1), NOW),
        (D(-1), D(0), NOW),
        (D(1), D(0), None),
        (D(100000), D("0.0001"), None),
    ],
)
def test_when_so_much_is_spent(left, rate, at):
    assert passes_at(left, rate, NOW) == at
