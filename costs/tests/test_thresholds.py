"""How far a budget is used up, and when what that means is done."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.thresholds import BLOCKED, DEFAULT, DELETES, STOPS, TOLD, WITHIN, Thresholds, act_of, comes_to, is_ahead

NOW = datetime(2025, 9, 18, 12, 0, tzinfo=UTC)
D, HOUR = Decimal, timedelta(hours=1)
ALL = Thresholds(80, 100, 120, 150)


@pytest.mark.parametrize(
    ("why", "rules", "spent", "level"),
    [
        ("well within", DEFAULT, "19.99", WITHIN),
        ("told from 80 %", DEFAULT, "20.00", TOLD),
        ("by default used up means stopped", DEFAULT, "25.00", STOPS),
        ("each its own share: near", ALL, "24.99", TOLD),
        ("no new labs", ALL, "25", BLOCKED),
        ("stopped", ALL, "30", STOPS),
        ("deleted", ALL, "37.50", DELETES),
        ("what never happens is never reached", Thresholds(None, None, None, None), "1000", WITHIN),
        ("only told", Thresholds(100, None, None, None), "1000", TOLD),
        ("stopped, though new labs may start", Thresholds(None, None, 100, None), "25", STOPS),
    ],
)
def test_the_level_is_the_furthest_share_that_is_reached(why, rules, spent, level):
    assert rules.level(D(spent), D(25)) == level, why


@pytest.mark.parametrize(
    ("why", "level", "told", "act"),
    [
        ("nobody was told: nothing is done, however long it is so", STOPS, None, ""),
        ("told just now", STOPS, NOW, ""),
        ("the grace time is not over", STOPS, NOW - 2 * HOUR + timedelta(seconds=1), ""),
        ("it is over", STOPS, NOW - 2 * HOUR, "stop"),
        ("further gone", DELETES, NOW - 2 * HOUR, "delete"),
        ("told anew of the further step: it waits again", DELETES, NOW - HOUR, ""),
        ("only told", TOLD, NOW - 9 * HOUR, ""),
        ("only kept from new labs", BLOCKED, NOW - 9 * HOUR, ""),
    ],
)
def test_it_is_told_first_and_done_a_grace_time_later(why, level, told, act):
    assert act_of(level, told, 2 * HOUR, NOW) == act, why


percents = st.none() | st.integers(1, 1000)
some_rules = st.builds(Thresholds, percents, percents, percents, percents)
amounts = st.decimals(0, 10_000, places=4)


@given(some_rules, amounts, amounts, amounts)
def test_spending_more_never_lowers_the_level_and_a_larger_budget_never_raises_it(rules, spent, more, usd):
    assert rules.level(spent + more, usd) >= rules.level(spent, usd) >= rules.level(spent, usd + more)


@given(some_rules, amounts, amounts)
def test_whoever_may_start_no_lab_is_at_or_beyond_the_limit(rules, spent, usd):
    limit = rules.limit(usd)
    assert limit is None or (spent >= limit) <= (rules.level(spent, usd) >= BLOCKED)


@given(st.integers(0, 4), st.integers(-500, 500), st.integers(0, 500))
def test_nothing_is_ever_done_before_its_grace_time_is_over(level, told_ago, grace):
    told, grace = NOW - timedelta(minutes=told_ago), timedelta(minutes=grace)
    if act_of(level, told, grace, NOW):
        assert level >= STOPS and told + grace <= NOW


@pytest.mark.parametrize(
    ("why", "spent", "labs", "by_hand", "hours", "ahead"),
    [
        ("a lab that ends in time", "20", "4.99", "0", "48", False),
        ("to the cent is within", "20", "5", "0", "48", False),
        ("a lab that does not", "20", "5.01", "0", "48", True),
        ("what was made by hand goes on to the next session", "20", "0", "0.2", "48", True),
        ("and ends before it is too much", "20", "0", "0.1", "48", False),
        ("both together", "20", "3", "0.1", "24", True),
        ("used up already: that is another alert", "25", "9", "9", "9", False),
    ],
)
def test_a_budget_that_what_is_on_will_use_up_is_told_ahead(why, spent, labs, by_hand, hours, ahead):
    whole = comes_to(D(spent), D(labs), D(by_hand), D(hours))
    assert is_ahead(D(spent), whole, D(25)) is ahead, why
