"""Every row of the controller's decision table, each with its reason in words."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from labs import decide as d
from labs.decide import Facts, decide, strictest
from labs.kinds.base import NAME, TAG, TOKEN

NOW = datetime(2025, 9, 15, 14, 30, tzinfo=UTC)
GAP = timedelta(seconds=5)


def ago(seconds):
    return NOW - timedelta(seconds=seconds)


NEW = Facts(
    wanted="running",
    wanted_at=ago(600),
    seen="absent",
    identity=TOKEN,
    settle=timedelta(seconds=30),
    absence_gap=GAP,
    max_age=timedelta(hours=1),
)
MADE = replace(NEW, create_began_at=ago(500), ever_seen=True, is_configured=True, can_stop=True)

CASES = [
    ("nothing was begun and its parents are ready", NEW, d.CREATE),
    ("its parents are not ready", replace(NEW, needs_ready=False), d.WAIT),
    ("a parent is gone for good: a person has to know", replace(NEW, needs_lost="it needs x"), d.BLOCK),
    ("it was asked to go before it was begun", replace(NEW, wanted="gone"), d.CLOSE),
    ("it was asked to stop before it was begun: nothing is made", replace(NEW, wanted="stopped"), d.WAIT),
    ("created a moment ago, AWS shows new things late", replace(NEW, create_began_at=ago(5)), d.LOOK),
    ("the create was never answered: the same token makes no second", replace(NEW, create_began_at=ago(60)), d.CREATE),
    ("the same for a name", replace(NEW, identity=NAME, create_began_at=ago(60)), d.CREATE),
    ("without a guard at AWS a person decides", replace(NEW, identity=TAG, create_began_at=ago(60)), d.BLOCK),
    (
        "asked to go while a create is unanswered: it may still appear",
        replace(NEW, wanted="gone", create_began_at=ago(5)),
        d.LOOK,
    ),
    (
        "asked to go, and a worker that was held up may still make it until its lease is over",
        replace(NEW, wanted="gone", create_began_at=ago(100), absent_since=ago(90), late=timedelta(seconds=90)),
        d.LOOK,
    ),
    (
        "asked to go, and nobody may still make it, nor AWS still hide it",
        replace(NEW, wanted="gone", create_began_at=ago(121), absent_since=ago(90), late=timedelta(seconds=90)),
        d.CLOSE,
    ),
    (
        "it never appeared, once: look again",
        replace(NEW, wanted="gone", create_began_at=ago(60), absent_since=ago(1)),
        d.LOOK,
    ),
    (
        "it never appeared, twice",
        replace(NEW, wanted="gone", create_began_at=ago(60), absent_since=ago(6)),
        d.CLOSE,
    ),
    ("seen absent for the first time", replace(MADE, absent_since=NOW), d.LOOK),
    (
        "seen absent twice, some seconds apart, after AWS took our delete",
        replace(MADE, absent_since=ago(5), wanted="gone", delete_taken=True),
        d.CLOSE,
    ),
    ("seen absent twice, and nobody asked AWS for it: it may be a moment", replace(MADE, absent_since=ago(5)), d.LOOK),
    (
        "the same where a person wants it gone, and no delete was asked for yet",
        replace(MADE, absent_since=ago(14), wanted="gone"),
        d.LOOK,
    ),
    (
        "new, seen, and then hidden: AWS does not know it everywhere yet",
        replace(MADE, create_began_at=ago(25), absent_since=ago(15)),
        d.LOOK,
    ),
    (
        "seen, ended by its owner within the time in which it might not have appeared at all, and looked for twice",
        replace(MADE, create_began_at=ago(61), absent_since=ago(15), settle=timedelta(minutes=3)),
        d.CLOSE,
    ),
    (
        "new, hidden, and asked to go: what is not known to be going is there",
        replace(MADE, create_began_at=ago(25), absent_since=ago(15), wanted="gone"),
        d.LOOK,
    ),
    (
        "new, and gone since AWS took its delete",
        replace(MADE, create_began_at=ago(25), absent_since=ago(5), wanted="gone", delete_taken=True),
        d.CLOSE,
    ),
    ("ended outside the portal: closed, not made again", replace(MADE, absent_since=ago(15)), d.CLOSE),
    (
        "its work is over, and AWS keeps a record of it",
        replace(MADE, absent_since=ago(5), ended="it completed"),
        d.CLOSE,
    ),
    ("its work is over: the record is read twice too", replace(MADE, absent_since=NOW, ended="it completed"), d.LOOK),
    (
        "it ended before anybody saw it: AWS shows the record, so that no second one is asked for",
        replace(NEW, create_began_at=ago(60), absent_since=ago(1), ended="it failed: no image"),
        d.LOOK,
    ),
    (
        "it ended before anybody saw it, and that is seen twice",
        replace(NEW, create_began_at=ago(60), absent_since=ago(6), ended="it failed: no image"),
        d.CLOSE,
    ),
    (
        "asked to go, and it had ended before anybody saw it",
        replace(NEW, wanted="gone", create_began_at=ago(60), absent_since=ago(6), ended="it completed"),
        d.CLOSE,
    ),
    ("it is coming up", replace(MADE, seen="pending"), d.LOOK),
    ("it runs and has not its settings", replace(MADE, seen="running", is_configured=False), d.CONFIGURE),
    ("it runs as wanted", replace(MADE, seen="running"), d.SETTLE),
    (
        "a stranger is never configured",
        replace(MADE, seen="running", is_configured=False, is_made_by_hand=True),
        d.SETTLE,
    ),
    ("AWS could not make it", replace(MADE, seen="failed"), d.BLOCK),
    ("it failed and is to go: it can be deleted", replace(MADE, seen="failed", wanted="gone"), d.DELETE),
    ("asked to stop", replace(MADE, seen="running", wanted="stopped"), d.STOP),
    (
        "a stranger whose owner started it again after our stop is found anew, not fought over",
        replace(
            MADE,
            seen="running",
            wanted="stopped",
            is_made_by_hand=True,
            seen_since=ago(100),
            wanted_at=ago(600),
            stop_asked_at=ago(598),
        ),
        d.SETTLE,
    ),
    (
        "a stranger that was only coming up when it was asked to stop",
        replace(MADE, seen="running", wanted="stopped", is_made_by_hand=True, seen_since=ago(100), wanted_at=ago(600)),
        d.STOP,
    ),
    (
        "a stranger whose stop was asked for once more, after its owner had started it again",
        replace(
            MADE,
            seen="running",
            wanted="stopped",
            is_made_by_hand=True,
            seen_since=ago(700),
            wanted_at=ago(600),
            stop_asked_at=ago(900),
        ),
        d.STOP,
    ),
    ("it is stopping", replace(MADE, seen="stopping", wanted="stopped"), d.LOOK),
    ("it is stopped as wanted", replace(MADE, seen="stopped", wanted="stopped"), d.SETTLE),
    ("it cannot stop and costs nothing", replace(MADE, seen="running", wanted="stopped", can_stop=False), d.SETTLE),
    (
        "asked to run after it had stopped",
        replace(MADE, seen="stopped", seen_since=ago(700), wanted_at=ago(600)),
        d.START,
    ),
    (
        "somebody stopped it after we asked: they had a reason",
        replace(MADE, seen="stopped", seen_since=ago(100), wanted_at=ago(600)),
        d.SETTLE,
    ),
    (
        "a stop of ours took effect after it was asked to run again",
        replace(MADE, seen="stopped", seen_since=ago(100), wanted_at=ago(105), stop_asked_at=ago(110)),
        d.START,
    ),
    (
        "asked to go while what needs it is there",
        replace(MADE, seen="running", wanted="gone", children_gone=False),
        d.WAIT,
    ),
    ("asked to go", replace(MADE, seen="running", wanted="gone"), d.DELETE),
    ("asked to go while stopped", replace(MADE, seen="stopped", wanted="gone"), d.DELETE),
    ("its delete is on the way", replace(MADE, seen="deleting", wanted="gone"), d.LOOK),
    (
        "asked to go, but its sessions are not revoked yet",
        replace(MADE, seen="running", wanted="gone", may_go=False),
        d.WAIT,
    ),
    ("found by name: its switch is set before there is anything", replace(NEW, switch_is_due=True), d.ARM),
    ("its parents come before its switch", replace(NEW, switch_is_due=True, needs_ready=False), d.WAIT),
    (
        "found by its id: its switch is set as soon as it is seen",
        replace(MADE, seen="pending", switch_is_due=True),
        d.ARM,
    ),
    ("its clock was moved: so is its switch", replace(MADE, seen="running", is_armed=True, switch_is_due=True), d.ARM),
    (
        "stopped, and its clock was moved: the old switch might delete it",
        replace(MADE, seen="stopped", wanted="stopped", is_armed=True, switch_is_due=True),
        d.ARM,
    ),
    ("what is off needs no new switch", replace(MADE, seen="stopped", wanted="stopped", switch_is_due=True), d.SETTLE),
    (
        "while it goes its switch stays: who deletes may die",
        replace(MADE, seen="running", wanted="gone", is_armed=True),
        d.DELETE,
    ),
    (
        "gone: its switch goes before its row is closed",
        replace(MADE, absent_since=ago(15), wanted="gone", is_armed=True),
        d.DISARM,
    ),
    ("seen absent once: its switch stays", replace(MADE, absent_since=NOW, wanted="gone", is_armed=True), d.LOOK),
    ("armed, and never made after all", replace(NEW, wanted="gone", is_armed=True), d.DISARM),
    ("a stranger that is missed for some time", replace(MADE, is_made_by_hand=True, absent_since=ago(15)), d.CLOSE),
]


@pytest.mark.parametrize(("reason", "facts", "act"), CASES, ids=[case[0] for case in CASES])
def test_the_next_step(reason, facts, act):
    assert decide(facts, NOW).act == act


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({}, "it was ended outside the portal"),
        ({"wanted": "gone"}, "seen absent"),
        ({"said": "Volume limit exceeded"}, "it failed, and AWS says: Volume limit exceeded"),
        ({"said": "Volume limit exceeded", "wanted": "gone"}, "it failed, and AWS says: Volume limit exceeded"),
        ({"ended": "it completed"}, "it completed"),
        ({"ended": "it failed: no image"}, "it failed: no image"),
        ({"ended": "it was stopped before it was done", "wanted": "gone"}, "it was stopped before it was done"),
    ],
)
def test_a_closed_row_says_who_ended_it(facts, why):
    """A job that completes by itself was not "ended outside the portal"."""
    assert decide(replace(MADE, absent_since=ago(15), **facts), NOW).why == why


def wish(wanted, at):
    return {"wanted": wanted, "at": at}


def test_the_strictest_wish_counts():
    wishes = {"person": wish("running", "2025-09-15T10:00"), "clock": wish("gone", "2025-09-15T09:00")}
    assert strictest(wishes) == ("gone", "clock")


def test_a_person_does_not_undo_a_budgets_stop():
    wishes = {"budget": wish("stopped", "2025-09-15T09:00"), "person": wish("running", "2025-09-15T10:00")}
    assert strictest(wishes) == ("stopped", "budget")


def test_of_equal_wishes_the_first_in_time_is_named():
    wishes = {"lights-out": wish("gone", "2025-09-15T11:00"), "person": wish("gone", "2025-09-15T10:00")}
    assert strictest(wishes) == ("gone", "person")


def test_nobody_wishes_anything():
    assert strictest({}) == ("running", "")
