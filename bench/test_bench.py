"""What of the benches is pure."""

from collections import Counter

import pytest

from bench import deadline, pages
from bench.plain import missing
from bench.planting import A_STUDENT, _baskets
from bench.spend_page import holds, p95, result_of


def test_the_peer_makes_as_many_calls_of_each_as_we_made_and_none_less():
    ours = {"s3:HeadBucket": 200, "iam:GetRole": 90, "sts:AssumeRole": 4}
    planned = {"s3:HeadBucket": 150, "iam:GetRole": 100}
    assert missing(ours, planned) == Counter({"s3:HeadBucket": 50, "sts:AssumeRole": 4})


def test_no_two_baskets_share_a_name_and_each_holds_forty():
    planted = [(kind, name) for kind, name, _ in _baskets(range(7, 10))]
    assert len(planted) == len(set(planted)) == 3 * A_STUDENT == 120


def test_the_spend_page_is_judged_by_the_slowest_one_in_twenty():
    assert p95([5.0] * 19 + [100.0]) == 5.0
    assert p95([float(n) for n in range(100, 0, -1)]) == 95.0


@pytest.mark.parametrize(
    "wrong",
    [{"ratio_p95_postgres": 3.0}, {"ratio_p95_sqlite": 6.0}, {"queries_large": 23}, {"metering_s": 10.0}],
)
def test_the_spend_page_holds_only_when_every_bar_is_met(wrong):
    one = {"page_p95_ms": 25.0, "bare_p95_ms": 10.0, "queries_small": 22, "queries_large": 22, "metering_s": 9.0}
    result = result_of({"postgres": one, "sqlite": one | {"page_p95_ms": 59.0}})
    assert result["ratio_p95_sqlite"] == 5.9
    assert holds(result)
    assert not holds(result | wrong)


def test_percentiles_are_of_the_nearest_rank():
    times = [float(n) for n in range(100, 0, -1)]
    assert [deadline.percentile(times, part) for part in (50, 95, 99, 100)] == [50.0, 95.0, 99.0, 100.0]
    assert deadline.percentile([7.0], 95) == 7.0


@pytest.mark.parametrize("wrong", [{"p95_ms": 500.1}, {"ratio": 2.01}, {"errors": 1}, {"lost": 1}])
def test_the_deadline_holds_only_when_every_bar_is_met(wrong):
    result = deadline.result_of([10.0] * 19 + [500.0], [5.0] * 18 + [250.0] * 2, 0, 0)
    assert result == {"p50_ms": 10.0, "p95_ms": 10.0, "p99_ms": 500.0, "errors": 0, "lost": 0, "ratio": 0.04}
    result = result | {"p95_ms": 500.0, "ratio": 2.0}
    assert deadline.holds(result)
    assert not deadline.holds(result | wrong)


GOOD = {"performance": 95.0, "accessibility": 100.0, "best-practices": 100.0}


@pytest.mark.parametrize(
    "wrong",
    [
        {"today_first_bytes": 120_001},
        {"today_later_bytes": 8_001},
        {"performance": 94},
        {"accessibility": 99},
        {"best_practices": 96},
    ],
)
def test_pages_hold_only_when_the_worst_of_them_meets_every_bar(wrong):
    result = pages.result_of((120_000, 8_000), {"a": GOOD | {"performance": 99.0}, "b": GOOD})
    assert result["performance"] == 95
    assert pages.holds(result)
    assert not pages.holds(result | wrong)


def test_runs_while_other_work_had_the_processor_do_not_count_but_where_there_are_no_others():
    free, busy = {"performance": 99.0, "index": 2400.0}, {"performance": 60.0, "index": 300.0}
    assert pages.undisturbed([busy, free, busy]) == [free]
    assert pages.undisturbed([busy, busy]) == [busy, busy]
