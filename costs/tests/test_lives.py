"""The life of what was left on, by table: what is known of it, the policy, and the step that comes of both."""

from datetime import timedelta

import pytest

from costs.lives import (
    AT_ONCE,
    DELETE,
    GRACE,
    LOOK,
    ONLY_TELL,
    STOP,
    TELL_OWNER,
    TELL_STAFF,
    Left,
    Policy,
    end_of,
    next_step,
    why_never,
)
from costs.tests.worlds import DAY, HOUR, MINUTE, NOW

TELL, TWO_HOURS, NOW_OFF = Policy(ONLY_TELL), Policy(GRACE, 2 * HOUR), Policy(AT_ONCE)
DAYS = Policy(GRACE, 2 * HOUR, 3 * DAY)
AGO = NOW - 5 * HOUR


def left(**facts):
    """On, of somebody, and unused for five hours as a finding says."""
    return Left(**({"opened_at": AGO, "unused_since": AGO} | facts))


def told(at=AGO, **facts):
    return left(**({"owner_asked_at": at, "owner_told_at": at, "staff_asked_at": NOW, "staff_told_at": NOW} | facts))


LOOKED = {"look_asked_at": NOW - MINUTE, "news_at": NOW - MINUTE / 2}
OFF = {"is_on": False, "is_stopped": True, "unused_since": None, "stopped_since": NOW - 10 * DAY}
TABLE = [
    ("just found: its owner first, whatever the policy", left(), NOW_OFF, TELL_OWNER),
    ("asked for, and not told yet: nothing is stopped", left(owner_asked_at=AGO, staff_asked_at=NOW), TWO_HOURS, None),
    ("told an hour ago: those who teach wait", told(NOW - HOUR, staff_asked_at=None), TELL, None),
    ("told three hours ago, and nothing happened", told(NOW - 3 * HOUR, staff_asked_at=None), TELL, TELL_STAFF),
    ("nobody's: those who teach at once", left(has_owner=False), TELL, TELL_STAFF),
    ("only told, for ever", told(), TELL, None),
    ("told, and its grace is not over", told(NOW - HOUR), TWO_HOURS, None),
    ("its grace is over, but the news is old", told(), TWO_HOURS, LOOK),
    ("looked at, and nothing came back yet", told(look_asked_at=NOW - MINUTE, news_at=AGO), TWO_HOURS, None),
    ("looked at long ago", told(look_asked_at=AGO, news_at=AGO + MINUTE), TWO_HOURS, LOOK),
    ("its grace is over, and nobody uses it now", told(**LOOKED), TWO_HOURS, STOP),
    ("at once: no grace", told(NOW, opened_at=NOW, unused_since=NOW, **LOOKED), NOW_OFF, STOP),
    ("nothing says that nobody uses it", told(unused_since=None, **LOOKED), NOW_OFF, None),
    ("a job at work", told(is_work=True, **LOOKED), NOW_OFF, None),
    ("its lab is in use: that has a clock", told(in_use_until=NOW + HOUR, **LOOKED), NOW_OFF, None),
    ("in somebody's own account, in no lab", told(is_theirs=True, **LOOKED), NOW_OFF, None),
    ("no Stop, and there may be data on it", told(can_go=False, **LOOKED), NOW_OFF, None),
    ("it goes off already", told(is_going=True, **LOOKED), NOW_OFF, None),
    ("it costs nothing", left(costs=False), NOW_OFF, None),
    ("put off", left(snoozed_until=NOW + HOUR), NOW_OFF, None),
    ("its time is over: it begins anew", left(snoozed_until=NOW - HOUR), NOW_OFF, TELL_OWNER),
    (
        "put off after it was told of, and told again an hour ago",
        told(NOW - HOUR, snoozed_until=NOW - HOUR),
        TWO_HOURS,
        None,
    ),
    (
        "nobody's, told three hours ago",
        left(has_owner=False, staff_asked_at=AGO, staff_told_at=AGO, **LOOKED),
        TWO_HOURS,
        STOP,
    ),
    ("nobody's, and nobody was told", left(has_owner=False, staff_asked_at=AGO, **LOOKED), TWO_HOURS, None),
    ("stopped for ten days, never deleted by itself", told(**OFF), TWO_HOURS, None),
    ("stopped for ten days, deleted after three", told(NOW - 2 * DAY, **OFF), DAYS, DELETE),
    ("and its owner knows of it since an hour", told(NOW - HOUR, **OFF), DAYS, None),
    ("stopped for two days, deleted after three", told(**OFF | {"stopped_since": NOW - 2 * DAY}), DAYS, None),
    ("stopped in a lab in use", told(NOW - 2 * DAY, in_use_until=NOW + HOUR, **OFF), DAYS, None),
]


@pytest.mark.parametrize(("facts", "policy", "act"), [pytest.param(*case, id=words) for words, *case in TABLE])
def test_the_next_step(facts, policy, act):
    step = next_step(facts, policy, NOW)
    assert (step.act if step and step.at <= NOW else None) == act


def test_what_comes_is_told_with_its_instant():
    assert end_of(told(NOW - HOUR), TWO_HOURS, NOW).at == NOW + HOUR
    assert end_of(told(NOW - HOUR, **OFF), DAYS, NOW).at == NOW + 23 * HOUR
    assert end_of(left(), TWO_HOURS, NOW).at == NOW + 2 * HOUR, "it was not told of yet: counted from now"
    assert end_of(told(), TELL, NOW) is None


def test_looking_anew_is_not_asked_for_every_minute():
    waits = told(look_asked_at=NOW - MINUTE, news_at=AGO)
    assert next_step(waits, TWO_HOURS, NOW).at == NOW + 4 * MINUTE


@pytest.mark.parametrize(
    ("facts", "policy", "words"),
    [
        (told(is_work=True), NOW_OFF, "ends by itself"),
        (told(is_theirs=True), NOW_OFF, "somebody’s own account"),
        (told(unused_since=None), NOW_OFF, "We cannot see that nobody uses it"),
        (told(can_go=False), NOW_OFF, "no Stop"),
    ],
)
def test_why_it_is_never_stopped_is_said(facts, policy, words):
    assert words in why_never(facts, policy)
    assert end_of(facts, policy, NOW) is None


def test_a_policy_in_words():
    assert str(TELL) == "Told at once, never stopped by itself"
    assert str(TWO_HOURS) == "Told at once, stopped after 2 h"
    assert str(DAYS) == "Told at once, stopped after 2 h; deleted after 3 days stopped"
    assert str(Policy(GRACE, timedelta(minutes=90))) == "Told at once, stopped after 1 h 30 min"
    assert str(NOW_OFF) == "Stopped as soon as nobody uses it, and told"
