"""PURE: what to do next with one resource. Facts and `now` go in, one Step comes out; nothing is called or stored.

The rules are those of docs/architecture.md: intent before the call, closed only by absence seen twice, one create call
found again by identity, and what was ended outside the portal is a fact to show, not a state to repair.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from labs.kinds.base import ABSENT, DELETING, FAILED, NAME, PENDING, RUNNING, STOPPED, STOPPING, TAG, TOKEN

GONE = "gone"
STRICTNESS = {RUNNING: 0, STOPPED: 1, GONE: 2}

# Acts, in the order of a life.
WAIT, LOOK, ARM, CREATE, CONFIGURE, START, STOP, DELETE, DISARM, CLOSE, BLOCK, SETTLE = (
    "wait",
    "look",
    "arm",
    "create",
    "configure",
    "start",
    "stop",
    "delete",
    "disarm",
    "close",
    "block",
    "settle",
)

FAILED_SAID = "it failed, and AWS says: "  # how the reason begins for which such a row is closed

SOON = timedelta(seconds=2)  # something moves, and a person watches
CHILDREN = timedelta(seconds=3)
# What AWS has shown once it shows everywhere within a minute. Before the first time it may take a kind's own `settle`.
SEEN_EVERYWHERE = timedelta(minutes=1)
UNASKED_GAPS = 3  # so many times as long must be missed what AWS was not asked to delete
# Whoever gets ready tells those that wait for it (ledger.became_ready); this is for a word that was lost.
TOLD = timedelta(seconds=15)


@dataclass(frozen=True)
class Step:
    """One act, when to look again after it, and why (words for the event log)."""

    act: str
    again: timedelta = SOON
    why: str = ""


@dataclass(frozen=True)
class Facts:
    """All that a decision may depend on. Instants are aware UTC.

    seen: '' when AWS was never asked. needs_ready: every parent is running and configured. children_gone: nothing that
    has to go before this one is left. settle: how long AWS may show a new thing not at all, or not always. late: how
    long after its intent a create call may still be made, by a worker that is held up. may_go: its launch's sessions
    are revoked, or nobody has to wait for that. is_made_by_hand: no Want of ours. switch_is_due: the dead-man's switch
    has to be set, or set anew; is_armed: it is set, or may be. stop_asked_at: when we asked it to stop, unless we have
    asked it to start since. delete_taken: AWS took a delete call for it.
    """

    wanted: str
    wanted_at: datetime
    seen: str
    identity: str
    settle: timedelta
    absence_gap: timedelta
    max_age: timedelta
    late: timedelta = timedelta(0)
    seen_since: datetime | None = None
    ever_seen: bool = False
    absent_since: datetime | None = None
    create_began_at: datetime | None = None
    is_configured: bool = False
    is_made_by_hand: bool = False
    needs_ready: bool = True
    needs_lost: str = ""  # a parent that is blocked, or gone: what is said to the person
    children_gone: bool = True
    may_go: bool = True
    switch_is_due: bool = False
    is_armed: bool = False
    stop_asked_at: datetime | None = None
    delete_taken: bool = False
    can_stop: bool = False
    said: str = ""  # what AWS says of a failure, or of why it ended a thing that nobody asked it to end
    ended: str = ""  # absent, and AWS keeps a record: how it ended, in words


def strictest(wishes: Mapping[str, Mapping[str, Any]]) -> tuple[str, str]:
    """(wanted, holder) of the strictest wish in force; of equals, the first in time. ('running', '') if nobody wishes.

    wishes: {holder: {"wanted": ..., "at": ISO instant, ...}}.
    """
    best, holder = RUNNING, ""
    for name, wish in sorted(wishes.items(), key=lambda item: item[1]["at"]):
        if not holder or STRICTNESS[wish["wanted"]] > STRICTNESS[best]:
            best, holder = wish["wanted"], name
    return best, holder


def decide(facts: Facts, now: datetime) -> Step:
    """The next step for one resource that was just looked at."""
    if facts.seen == ABSENT:
        return _when_absent(facts, now)
    if facts.wanted == GONE:
        if facts.seen == DELETING:
            return Step(LOOK)
        if not facts.may_go:
            return Step(WAIT, SOON, "its sessions are revoked first")
        if not facts.children_gone:
            return Step(WAIT, CHILDREN, "what needs it goes first")
        return Step(DELETE)
    if facts.switch_is_due and (facts.seen in (PENDING, RUNNING) or (facts.is_armed and facts.seen != DELETING)):
        # Before anything else: until it is set, nothing but the portal turns this off. Of what is stopped, one that was
        # set moves on too: it might delete what its owner starts again.
        return Step(ARM)
    if facts.seen == FAILED:
        return Step(BLOCK, facts.max_age, f"AWS could not make it: {facts.said or 'no reason given'}")
    if facts.seen in (PENDING, STOPPING, DELETING):
        return Step(LOOK)
    if facts.wanted == STOPPED:
        # A stranger that its owner started again after we stopped it is theirs: it is found anew, not fought over.
        if facts.seen == RUNNING and facts.can_stop and not (facts.is_made_by_hand and _started_since(facts)):
            return Step(STOP)
        return _settled(facts)
    return _when_wanted_running(facts)


def _started_since(facts: Facts) -> bool:
    """It was stopped for this wish, and runs since. What was only coming up at the wish was not started since."""
    asked_at = facts.stop_asked_at
    return (
        asked_at is not None
        and asked_at >= facts.wanted_at
        and facts.seen_since is not None
        and facts.seen_since > asked_at
    )


def _when_wanted_running(facts: Facts) -> Step:
    if facts.seen == STOPPED:
        # By us, or before it was last asked to run: start it. By somebody else, later: they had a reason.
        # A stop of ours may take effect after the person who wanted it has pressed Start.
        asked_since = facts.stop_asked_at or facts.seen_since is None or facts.seen_since <= facts.wanted_at
        if facts.can_stop and asked_since and not facts.is_made_by_hand:
            return Step(START)
        return _settled(facts)
    if not facts.is_configured and not facts.is_made_by_hand:
        return Step(CONFIGURE)
    return _settled(facts)


def _settled(facts: Facts) -> Step:
    """Nothing moves: list calls of the census confirm it; it is described again at its kind's maximum age."""
    return Step(SETTLE, facts.max_age)


def _closed(facts: Facts, why: str) -> Step:
    """What is gone needs no switch: a schedule left behind would fire at nothing, or be taken for a resource."""
    return Step(DISARM) if facts.is_armed else Step(CLOSE, why=why)


def _when_absent(facts: Facts, now: datetime) -> Step:
    # A record of its end proves that it was there, also when nobody saw it run: asked again, AWS would refuse its name.
    if facts.ever_seen or facts.ended:
        # Nobody asked AWS for it: it may only know nothing of it for a moment, at one look and at the next.
        gap = facts.absence_gap if facts.delete_taken or facts.ended else UNASKED_GAPS * facts.absence_gap
        if facts.absent_since is None or now - facts.absent_since < gap:
            return Step(LOOK, facts.absence_gap)
        if facts.ended:
            return _closed(facts, facts.ended)
        began = facts.create_began_at
        if began is not None and now - began < min(facts.settle, SEEN_EVERYWHERE) and not facts.delete_taken:
            # AWS shows a new thing in one place and not yet in another: closed now, it would live on unknown.
            return Step(LOOK, facts.absence_gap)
        if facts.said:
            return _closed(facts, f"{FAILED_SAID}{facts.said}")
        return _closed(facts, "seen absent" if facts.wanted == GONE else "it was ended outside the portal")

    if facts.create_began_at is None:
        if facts.wanted == GONE or facts.is_made_by_hand:
            return _closed(facts, "it was never made")
        if facts.wanted == STOPPED:
            return Step(WAIT, facts.max_age, "asked to stop before it was made")
        if facts.needs_lost:
            return Step(BLOCK, facts.max_age, facts.needs_lost)
        if not facts.needs_ready:
            return Step(WAIT, TOLD, "what it needs is not ready")
        return Step(ARM) if facts.switch_is_due else Step(CREATE)

    # A create call began and nothing is seen yet: it may be on its way, or it may never have arrived.
    unseen_for = now - facts.create_began_at
    if unseen_for < facts.settle + (facts.late if facts.wanted == GONE else timedelta(0)):
        return Step(LOOK)
    if facts.wanted == GONE:
        twice = facts.absent_since is not None and now - facts.absent_since >= facts.absence_gap
        return _closed(facts, "it never appeared") if twice else Step(LOOK, facts.absence_gap)
    if facts.wanted == STOPPED:
        return Step(WAIT, facts.max_age, "asked to stop before it was made")
    if facts.identity in (TOKEN, NAME):
        # The same token, the same name: AWS answers with the first one, so asking again cannot make a second.
        return Step(CREATE)
    if facts.identity == TAG:
        return Step(
            BLOCK,
            facts.max_age,
            "AWS did not answer the create call and shows nothing with its tag. It may exist all the same: look in the "
            "account before you start the lab again",
        )
    raise ValueError(f"unknown identity {facts.identity!r}")
