"""Claim -> observe -> decide -> one act -> record. Deciding is `decide.py`'s; this only does the one step.

No AWS call is made inside a transaction, and no verb waits: what is not ready is put off to `next_look_at`.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings

from labs import aws, blocked, deadman, ledger
from labs.decide import (
    ARM,
    BLOCK,
    CLOSE,
    CONFIGURE,
    CREATE,
    DELETE,
    DISARM,
    GONE,
    LOOK,
    SETTLE,
    START,
    STOP,
    Facts,
    Step,
    decide,
)
from labs.kinds import kind_of
from labs.kinds.base import FAILED, GONE_FROM_AWS, NAME, RUNNING, STOPPED, Kind, Seen, Want
from labs.models import Resource

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

BLOCKED_AFTER = 8  # tries that AWS answered with a clear no
RETRY_BLOCKED = timedelta(minutes=10)
STUCK = timedelta(minutes=15)  # in one state: no longer patience, but a person's business
CHANGED_WORLD = timedelta(seconds=10)
TAKEN_AND_NOT_SHOWN = (
    "AWS takes the create call again and again and shows nothing of it: perhaps somebody deleted it as soon as it was "
    "made. Finish the lab and start it again"
)
JUST_CREATED = timedelta(seconds=0.5)  # until AWS shows it, mostly
# AWS understood, and did nothing.
CLEAR_NO = (aws.Throttled, aws.Refused, aws.Denied, aws.NotYet, aws.InTheWay, aws.NotThere)


def work_off(clock: Clock, *, until: datetime, most: int = 1000) -> int:
    """Claim and reconcile due rows, one after the other, until none is due, `until` has come or `most` are done."""
    done = 0
    while done < most and clock() < until:
        row = ledger.claim(clock())
        if row is None:
            break
        reconcile(row, clock)
        done += 1
    return done


def reconcile(row: Resource, clock: Clock) -> Step:
    """One look and one act for a claimed row, and its next look. Answers the last step.

    What AWS mostly shows at once (what was just created, set or armed) is looked at again at once, in the same lease.
    Errors of AWS never leave here; they are recorded.
    """
    kind = kind_of(row.kind)
    # Others matter to what needs them, and to what goes after them.
    family = ledger.family_of(row) if row.needs or row.wanted == GONE else {}
    step = Step(LOOK)
    acts: set[str] = set()
    try:
        # What was never begun and is not to begin now needs nobody to answer: it closes also while AWS is away.
        rests = _never_begun(row) and not (row.wanted == RUNNING and _needs_ready(row, family))
        client = None if rests else aws.client(row.account, kind.service, row.region)
        goes_on = True
        while goes_on:
            want = ledger.want_of(row, family)
            seen = _look(kind, client, want, row, family)
            ledger.saw(row, seen, clock())
            step = decide(_facts(kind, row, want, seen, family, clock()), clock())
            if step.act == LOOK and CREATE in acts:
                step = replace(step, again=JUST_CREATED)
            # Each act once, and a row in trouble step by step.
            at_once = step.act not in acts and not row.attempts and not row.blocked_why and _is_early(row, clock())
            acts.add(step.act)
            goes_on = _act(step, kind, client, want, row, seen, clock, at_once=at_once)
    except ledger.LostLease as lost:
        log.info("let go of %s: %s", row, lost)
        # If it is still ours (what is wanted changed under us), the new wish is looked at now.
        ledger.put_off(row, clock(), now=clock())
    except Exception as error:
        _put_off_after(aws.sorted_trouble(error), row, step, clock())
    return step


def _is_early(row: Resource, now: datetime) -> bool:
    """Enough of the lease is left for another look and act."""
    return row.lease_until is not None and row.lease_until - now > ledger.LEASE * 0.8


def _look(kind: Kind, client, want: Want, row: Resource, family) -> Seen:
    """Observe; unless nothing can exist yet, because no create call was ever begun.

    A NAME is looked at before its create all the same: us-east-1 answers 200 for a bucket we own, and resets its ACLs.
    """
    about_to_create = row.wanted == RUNNING and kind.identity == NAME and _needs_ready(row, family)
    if _never_begun(row) and not about_to_create:
        return GONE_FROM_AWS
    return kind.observe(client, want)


def _never_begun(row: Resource) -> bool:
    return row.create_began_at is None and not row.is_made_by_hand


def _facts(kind: Kind, row: Resource, want: Want, seen: Seen, family, now: datetime) -> Facts:
    known = replace(want, aws_id=row.aws_id)  # what was just seen for the first time has its id by now
    return Facts(
        wanted=row.wanted,
        wanted_at=row.wanted_at,
        seen=seen.state,
        seen_since=row.seen_since,
        ever_seen=row.first_seen_at is not None,
        absent_since=row.absent_since,
        create_began_at=row.create_began_at,
        is_configured=row.configured_at is not None,
        is_made_by_hand=row.is_made_by_hand,
        identity=kind.identity,
        settle=timedelta(seconds=kind.settle_seconds),
        late=ledger.LEASE,
        absence_gap=settings.ABSENCE_GAP,
        max_age=timedelta(seconds=kind.max_age_seconds),
        needs_ready=_needs_ready(row, family),
        needs_lost=_needs_lost(row, family),
        children_gone=row.wanted != GONE or not ledger.goes_before(row, kind, family),
        may_go=row.launch is None or row.launch.prepare_at is None,
        switch_is_due=deadman.is_due(row, kind, known, row.launch, row.account, now),
        is_armed=row.switch_at is not None or row.switch_began_at is not None,
        stop_asked_at=row.stop_asked_at,
        delete_taken=row.delete_asked_at is not None,
        can_stop=kind.can_stop,
        said=_said(row, seen),
        ended=str(seen.facts.get("ended", "")),
    )


def _said(row: Resource, seen: Seen) -> str:
    """AWS's reason for a failure. What was last seen failed keeps it when it goes: AWS soon shows no more of it."""
    return str(seen.facts.get("failure") or (row.facts.get("failure", "") if row.seen == FAILED else ""))


def _needs_ready(row: Resource, family) -> bool:
    return all(_is_ready(family[key]) for key in row.needs)


def _is_ready(parent: Resource) -> bool:
    if kind_of(parent.kind).ends_by_itself:
        return parent.closed_at is not None and bool(parent.facts.get("is_done"))
    return parent.seen == RUNNING and parent.configured_at is not None and parent.closed_at is None


def _needs_lost(row: Resource, family) -> str:
    lost = [family[key] for key in row.needs if family[key].closed_at is not None and not _is_ready(family[key])]
    if not lost:
        return ""
    ended = lost[0].facts.get("ended")
    return f"it needs {lost[0].name}, {f'and {ended}' if ended else 'which is gone'}"


def _act(step: Step, kind: Kind, client, want: Want, row: Resource, seen: Seen, clock: Clock, *, at_once: bool) -> bool:
    """Do it, and put the row off. Or (`at_once`) keep it, if what was done is to be looked at now; answers whether."""
    now = clock()
    if step.act in (ARM, DISARM):
        _switch(step, kind, want, row, clock)
        if not at_once:
            ledger.put_off(row, clock(), now=clock(), attempts=0, blocked_why="")
        return at_once
    if step.act == CREATE:
        first = _create(kind, client, want, row, clock)
        if first and at_once:
            return True
        soon, tries = clock() + JUST_CREATED, row.attempts if first else row.attempts + 1
        if tries >= BLOCKED_AFTER:
            ledger.block(row, TAKEN_AND_NOT_SHOWN, soon, clock())
        else:
            ledger.put_off(row, soon, now=clock(), attempts=tries)
        return False
    if step.act == CLOSE:
        ledger.close(row, now, step.why, since=seen.since, facts=seen.facts)
        if row.wanted == RUNNING:
            ledger.became_ready(row, now)  # what has done its work is waited for no longer
        return False
    if step.act == BLOCK:
        ledger.block(row, step.why, now + min(step.again, RETRY_BLOCKED), now)
        return False
    if step.act == CONFIGURE:
        if kind.configure(client, want, seen):
            now = clock()
            again = now + timedelta(seconds=kind.max_age_seconds)
            ledger.put_off(row, again, now=now, configured_at=now, attempts=0, blocked_why="")
            ledger.became_ready(row, now)
            return False
        if at_once:
            return True
    elif step.act == START:
        kind.start(client, want, seen)
        ledger.start_asked(row)
    elif step.act == STOP:
        ledger.stop_asked(row, now)
        kind.stop(client, want, seen)
    elif step.act == SETTLE and row.wanted == STOPPED == seen.state:
        ledger.stop_served(row, now)
    elif step.act == DELETE:
        ledger.delete_asked(row, now)
        try:
            kind.delete(client, want, seen)
        except Exception as error:
            trouble = aws.sorted_trouble(error)
            is_gone = isinstance(trouble, aws.NotThere)  # what was asked for: the next look will tell
            # Of what is new no answer means nothing, and "not there" neither: AWS may not know it everywhere yet.
            if _is_new(row, kind, now) or (isinstance(trouble, CLEAR_NO) and not is_gone):
                ledger.delete_refused(row)
            if not is_gone:
                raise trouble from error
    asked_at = row.delete_asked_at
    if step.act in (DELETE, LOOK) and row.wanted == GONE and asked_at is not None and now - asked_at > STUCK:
        minutes = int((now - asked_at).total_seconds() // 60)
        why = f"{blocked.STILL_SHOWN} {minutes // 15 * 15} minutes ago and still shows it: look at it in the console"
        ledger.block(row, why, now + timedelta(seconds=60), now)
        return False
    # A look at something on its way proves nothing yet; any other step says that what was in the way is over.
    is_well = step.act != LOOK and row.seen != FAILED and (row.attempts or row.blocked_why)
    ledger.put_off(
        row, clock() + _pace(step, row, now), now=clock(), **({"attempts": 0, "blocked_why": ""} if is_well else {})
    )
    return False


def _is_new(row: Resource, kind: Kind, now: datetime) -> bool:
    return row.create_began_at is not None and now - row.create_began_at < timedelta(seconds=kind.settle_seconds)


def _switch(step: Step, kind: Kind, want: Want, row: Resource, clock: Clock) -> None:
    """Set or take away the dead-man's switch."""
    scheduler = aws.client(row.account, "scheduler", row.region)
    call = kind.off_call(replace(want, aws_id=row.aws_id))
    at = deadman.due_at(row, row.launch, row.account, clock()) if step.act == ARM else None
    if at is not None and call is not None:
        ledger.begin_switch(row, clock())
        # AWS takes no time that is over: what should be off already goes off in a minute.
        deadman.arm(scheduler, row, call, max(at, clock() + timedelta(minutes=1)), clock=clock)
    else:
        deadman.disarm(scheduler, row)
    ledger.switched(row, at)


def _pace(step: Step, row: Resource, now: datetime) -> timedelta:
    """A delete that takes minutes is not asked for every two seconds."""
    if row.delete_asked_at is None or step.act not in (DELETE, LOOK):
        return step.again
    return min(max(step.again, (now - row.delete_asked_at) / 6), timedelta(seconds=30))


def _create(kind: Kind, client, want: Want, row: Resource, clock: Clock) -> bool:
    """True when AWS was asked for it for the first time."""
    first = ledger.begin_create(row, clock())
    try:
        kind.create(client, want)
    except Exception as error:
        trouble = aws.sorted_trouble(error)
        if isinstance(trouble, aws.AlreadyThere):
            pass  # made by an earlier try whose answer was lost: the next look finds it
        else:
            if first and isinstance(trouble, CLEAR_NO):
                ledger.create_refused(row)
            raise trouble from error
    return first


def _put_off_after(trouble: aws.Trouble, row: Resource, step: Step, now: datetime) -> None:
    """When to try again, and whether a person has to be told. Throttling is nobody's fault."""
    try:
        if isinstance(trouble, aws.ChangedWorld):
            log.warning("%s is left alone: %s", row, trouble)
            ledger.put_off(row, now + CHANGED_WORLD, now=now)
        elif isinstance(trouble, aws.Throttled):
            ledger.put_off(row, now + _backoff(min(row.attempts + 2, 5)), now=now)
        elif isinstance(trouble, aws.Denied):
            ledger.block(row, f"{blocked.DENIED}: {trouble}", _retry_at(row, now), now)
        else:
            tries = row.attempts + 1
            # Waiting for a child or for a role to be known everywhere takes minutes, and is not a failure of ours.
            patience = BLOCKED_AFTER * 4 if isinstance(trouble, (aws.NotYet, aws.InTheWay)) else BLOCKED_AFTER
            if tries >= patience:
                ledger.block(row, _loud(step, trouble), _retry_at(row, now), now)
            else:
                ledger.put_off(row, now + _backoff(tries), now=now, attempts=tries)
                log.info("%s: %s (try %s)", row, trouble, tries)
    except ledger.LostLease:
        log.info("%s was taken over", row)


def _retry_at(row: Resource, now: datetime) -> datetime:
    """When to try again what a person has to look at; in a minute where a switch acts soon. The lab may have been
    extended, and then its old switch has to be moved before."""
    acts_soon = row.switch_at is not None and now < row.switch_at < now + 2 * RETRY_BLOCKED
    return now + (timedelta(minutes=1) if acts_soon else RETRY_BLOCKED)


def _loud(step: Step, trouble: aws.Trouble) -> str:
    if step.act == DELETE:
        return f"{blocked.IN_USE if isinstance(trouble, aws.InTheWay) else blocked.KEPT}: {trouble}"
    return f"{trouble}"


def _backoff(tries: int) -> timedelta:
    """2, 4, 8 ... at most 60 s, with jitter so that a class that was throttled together does not come back together."""
    return timedelta(seconds=min(2**tries, 60) * random.uniform(0.5, 1.0))  # noqa: S311  jitter, not a secret
