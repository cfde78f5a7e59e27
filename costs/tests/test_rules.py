"""Each rule by a table: when it fires, when it does not, and when nobody can know."""

from datetime import timedelta

import pytest

from costs.rules import (
    all_rules,
    idle_endpoint,
    idle_notebook,
    past_its_time,
    signals_read,
    stranger,
    unattached_volume,
    wrong_region,
)
from costs.rules.base import DELETE, STOP, Facts, Looked
from costs.tests.worlds import HOUR, MINUTE, NOW

AN_HOUR_AGO = NOW - HOUR


def facts(**more):
    told = {
        "kind": "ec2-instance",
        "region": "us-east-1",
        "state": "running",
        "state_since": NOW - 5 * HOUR,
        "facts_since": NOW - 5 * HOUR,
        "lab_regions": ("us-east-1",),
    }
    return Facts(**(told | more))


def in_lab(expires=NOW + HOUR, **more):
    return facts(in_lab=True, lab_region="us-east-1", lab_expires_at=expires, **more)


def looked(value, datapoints=12, began=AN_HOUR_AGO):
    return Looked(began, NOW, value, datapoints)


def idle_ep(value, **more):
    return facts(kind="sagemaker-endpoint", signals={"Invocations": looked(value, 0 if value is None else 12)}, **more)


def idle_nb(value, datapoints=12, **more):
    return facts(kind="sagemaker-notebook", signals={"CPUUtilization": looked(value, datapoints)}, **more)


def disk(attached_to=(), since=NOW - 2 * HOUR, **more):
    return facts(kind="ebs-volume", facts={"attached_to": list(attached_to)}, facts_since=since, **more)


FIRES = [
    (past_its_time, in_lab(NOW - 16 * MINUTE), "its time ran out and it did not go"),
    (past_its_time, in_lab(NOW + HOUR, lab_ended_at=NOW - HOUR), "its lab was closed and it is still there"),
    (wrong_region, facts(region="ap-southeast-1"), "made by hand in a region that no lab uses"),
    (stranger, facts(), "no lab made it"),
    (stranger, facts(state="stopped"), "no lab made it, and its disk still costs"),
    (idle_endpoint, idle_ep(None), "no datapoint means no call"),
    (idle_endpoint, idle_ep(0.0), "AWS says zero"),
    (idle_endpoint, idle_ep(None, in_lab=True), "idle in a lab is idle too"),
    (idle_notebook, idle_nb(1.4), "its processor slept for an hour"),
    (unattached_volume, disk(), "attached to nothing for two hours"),
]

DOES_NOT_FIRE = [
    (past_its_time, in_lab(NOW - 14 * MINUTE), "it is on its way: a notebook takes minutes to stop"),
    (past_its_time, in_lab(NOW + MINUTE), "it still has time"),
    (past_its_time, facts(), "it is in no lab, so it has no time"),
    (wrong_region, facts(), "labs run in this region"),
    (wrong_region, in_lab(region="us-east-1", lab_regions=("eu-west-1",)), "its own lab runs there"),
    (wrong_region, facts(region="ap-southeast-1", lab_regions=()), "nobody said where labs run"),
    (stranger, in_lab(), "a lab made it"),
    (idle_endpoint, idle_ep(3.0), "it was called"),
    (idle_endpoint, idle_ep(None, state="pending"), "it is not there yet"),
    (idle_endpoint, idle_nb(0.0), "a notebook has no invocations"),
    (idle_notebook, idle_nb(3.0), "something runs in it"),
    (idle_notebook, idle_nb(0.1, state="stopped"), "it is off already"),
    (unattached_volume, disk(["i-1"]), "it hangs on an instance"),
    (unattached_volume, disk(since=NOW - 59 * MINUTE), "loose for less than an hour"),
    (unattached_volume, disk(state="deleting"), "it is going"),
]

NOT_ENOUGH_DATA = [
    (idle_endpoint, facts(kind="sagemaker-endpoint"), "nobody looked yet"),
    (idle_endpoint, idle_ep(None, state_since=NOW - 59 * MINUTE), "younger than the window: silence proves nothing"),
    (idle_notebook, facts(kind="sagemaker-notebook"), "nobody looked yet"),
    (idle_notebook, idle_nb(None, 0), "no datapoint of a processor is not an idle processor"),
    (idle_notebook, idle_nb(0.5, 5), "too few datapoints for an hour"),
    (idle_notebook, idle_nb(0.5, state_since=NOW - 30 * MINUTE), "it was started within the hour"),
]


def named(cases):
    return [pytest.param(rule, told, id=f"{rule.NAME}: {why}") for rule, told, why in cases]


@pytest.mark.parametrize("rule, told", named(FIRES))
def test_it_fires(rule, told):
    verdict = rule.check(told, NOW)
    assert verdict is not None
    assert 0 < len(verdict.sentence) <= 200
    assert len(verdict.detail) <= 400
    assert verdict.since is not None and verdict.since <= NOW


@pytest.mark.parametrize("rule, told", named(DOES_NOT_FIRE))
def test_it_does_not_fire(rule, told):
    assert rule.check(told, NOW) is None


@pytest.mark.parametrize("rule, told", named(NOT_ENOUGH_DATA))
def test_without_enough_data_it_says_nothing(rule, told):
    assert rule.check(told, NOW) is None


def test_every_rule_is_in_each_table():
    quiet_without_signals = {"past-its-time", "wrong-region", "stranger", "unattached-volume"}
    for cases, exempt in ((FIRES, set()), (DOES_NOT_FIRE, set()), (NOT_ENOUGH_DATA, quiet_without_signals)):
        assert {rule.NAME for rule in all_rules()} - exempt == {rule.NAME for rule, _, _ in cases}


def test_names_and_ranks_are_unique():
    rules = all_rules()
    assert len({rule.NAME for rule in rules}) == len({rule.RANK for rule in rules}) == len(rules)


def test_what_did_not_go_says_why():
    verdict = past_its_time.check(in_lab(NOW - HOUR, blocked_why="AWS does not let the portal do this"), NOW)
    assert verdict.detail == "It did not go by itself: AWS does not let the portal do this"
    assert verdict.since == NOW - HOUR


@pytest.mark.parametrize(
    "told, action",
    [
        (facts(can_stop=True), STOP),
        (facts(can_stop=True, state="stopped"), DELETE),
        (facts(kind="sagemaker-endpoint"), DELETE),
    ],
)
def test_the_mildest_act_that_turns_it_off(told, action):
    assert told.turned_off_by == action


def test_only_signals_that_a_rule_reads_are_asked_for():
    assert signals_read() == {
        "sagemaker-endpoint": frozenset({"Invocations"}),
        "sagemaker-notebook": frozenset({"CPUUtilization"}),
    }


def test_idle_for_a_moment_less_than_an_hour_is_not_idle():
    told = idle_nb(0.5, state_since=AN_HOUR_AGO + timedelta(microseconds=1))
    assert idle_notebook.check(told, NOW) is None
