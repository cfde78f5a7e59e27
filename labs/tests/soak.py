"""Seeded lives of labs against the strict cloud: launch, extend, stop, start, delete and finish in random order, while
calls are throttled, denied, unanswered or held up, workers die, and somebody makes and deletes things by hand. A seed
tells the whole of a run.

    python -m labs.tests.soak --runs 10000           all of it; the last line is JSON
    python -m labs.tests.soak --seed 1234            one run again, with what happened in it
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import sys
import time
import traceback
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from unittest.mock import patch

if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()

from botocore.exceptions import ClientError
from django.contrib.auth import get_user_model
from django.db import connection, transaction

from labs import aws, catalog, census, certify, deadman, ending, kinds, launching, ledger, reconcile
from labs.catalog.base import Lab
from labs.decide import GONE
from labs.kinds.base import ABSENT, PENDING, RUNNING, STOPPED, TAG, TAG_LAUNCH, Want
from labs.models import Account, Launch, Resource, Span
from labs.tests.cast import START, Clock, Died, broken, refusal, throttled, timed_out
from labs.tests.strict_cloud import HAND, MOST_LAG, PORTAL, SCHEDULER, STRICT, StrictCloud, StrictThing, time_of

LABS = {
    slug: Lab(slug, slug, "For the soak.", "testing", 30, 2, tuple(wants), (), creates=creates)
    for slug, wants, creates in [
        ("box", [Want("box", "strict-box")], ()),
        ("notebook", [Want("net", "strict-net"), Want("book", "strict-notebook", needs=("net",))], ()),
        ("engine", [Want("net", "strict-net"), Want("engine", "strict-engine", {"of": "{net.arn}"}, ("net",))], ()),
        ("wired", [Want("wire", "strict-wire"), Want("box", "strict-box", {"in": "{wire.arn}"}, ("wire",))], ()),
        ("guarded", [Want("guard", "strict-guard"), Want("box", "strict-box")], ()),
        ("trained", [Want("job", "strict-job"), Want("engine", "strict-engine", needs=("job",))], ()),
        ("by-hand", [Want("net", "strict-net")], ("strict-box",)),
    ]
}
LEASE = ledger.LEASE.total_seconds()
PATIENCE = timedelta(minutes=45)  # simulated; what is blocked is tried again every ten minutes
OFF_AT = deadman.AFTER_THE_CLOCK + timedelta(minutes=10)  # after a lab's clock nothing that costs is left on


class Wrong(BaseException):
    """What must hold did not. kind: leaked, doubled, unreached, turned off, switch, or broken. No Exception, which the
    product would catch."""

    def __init__(self, kind: str, words: str):
        super().__init__(words)
        self.kind = kind


# --- what goes wrong at a call ---------------------------------------------------------------------------------


def denied(operation):
    return refusal("AccessDenied", 403, operation)


FAULTS: tuple[tuple[str, str, Any], ...] = (
    ("throttled", "before", throttled),
    ("500, and nothing happened", "before", broken),
    ("500, and it happened", "after", broken),
    ("no answer, and nothing happened", "before", timed_out),
    ("no answer, and it happened", "after", timed_out),
    ("denied", "before", denied),
    ("nothing known for a moment", "before", "blind"),
    ("died before the call", "before", None),
    ("died after the call, before its record", "after", None),
    ("held up before the call", "before", "held"),
    ("held up after the call", "after", "held"),
    ("died while it wrote", "", None),
)


@dataclass
class Fault:
    """One of FAULTS, at the call of that number (of that operation, if one is named)."""

    name: str
    when: str
    does: Any
    number: int
    operation: str = ""


@dataclass
class Run:
    seed: int
    account: Account
    owner: Any
    clock: Clock = field(default_factory=Clock)
    launches: list[Launch] = field(default_factory=list)
    happened: Counter = field(default_factory=Counter)
    was_dead: bool = False  # for hours, so that AWS's scheduler was the one to turn things off
    needs_census: bool = False  # something began or ended that only lists tell of
    made_at: datetime = datetime.min.replace(tzinfo=UTC)  # by hand, the last one
    census_at: datetime = START  # when the last one began
    depth: int = 0  # of transactions that are the soak's own
    is_ending: bool = False
    meanwhile: bool = False

    def __post_init__(self):
        self.dice = random.Random(f"plot {self.seed}")
        self.cloud = StrictCloud(self.clock, dice=random.Random(f"cloud {self.seed}"))
        self.cloud.at, self.cloud.turned_off = self.at_call, self.check_turned_off
        self.faults = [self.a_fault() for _ in range(self.dice.choice([1, 1, 1, 1, 2, 3, 6]))]
        self.asked: Counter = Counter()
        self.wrote = 0

    # --- faults ---

    def a_fault(self) -> Fault:
        """At any call of the run, or of one operation, so that what is called once a life is hit as often as looks."""
        name, when, does = self.dice.choice(FAULTS)
        if not when:
            return Fault(name, when, does, self.dice.randint(1, 80))
        if self.dice.random() < 0.5:
            return Fault(name, when, does, self.dice.randint(1, 50))
        verbs = ["CreateSchedule", "UpdateSchedule", "DeleteSchedule", "GetSchedule", "GetResources"]
        verbs += [f"{verb} {kind.name}" for verb in ("Create", "Delete", "Configure", "List") for kind in STRICT]
        verbs += [f"{verb} {kind.name}" for verb in ("Start", "Stop") for kind in STRICT if kind.can_stop]
        return Fault(name, when, does, self.dice.choice([1, 1, 1, 2]), self.dice.choice(verbs))

    def at_call(self, number: int, operation: str, when: str) -> None:
        if when == "before":
            self.asked[operation] += 1
        if len(connection.savepoint_ids) > self.depth:
            raise Wrong("broken", f"{operation} is called inside a transaction")
        for fault in self.faults:
            counted = self.asked[operation] if fault.operation else number
            if fault.when == when and fault.number == counted and fault.operation in ("", operation):
                if fault.does == "held" and self.meanwhile:
                    continue
                self.faults.remove(fault)
                self.hits(fault)
                if fault.does is None:
                    raise Died
                if fault.does == "blind":
                    self.cloud.is_blind = True
                    return
                if fault.does == "held":
                    self.held_up(operation, when)
                    return
                raise fault.does(operation)

    def at_write(self, execute, sql, params, many, context):
        if sql.startswith(("UPDATE", "INSERT")):
            self.wrote += 1
            for fault in self.faults:
                if not fault.when and fault.number == self.wrote:
                    self.faults.remove(fault)
                    self.hits(fault)
                    raise Died
        return execute(sql, params, many, context)

    def hits(self, fault: Fault) -> None:
        self.happened[fault.name] += 1
        self.cloud.say(f"  FAULT: {fault.name}")

    def held_up(self, operation: str, when: str) -> None:
        """The worker stands still at its call while others, and people, go on.

        No call that makes something arrives later than its worker's lease: it is bounded by time-outs of 35 s.
        """
        makes = when == "before" and operation.startswith(("Create", "Update", "Configure"))
        seconds = self.dice.uniform(5, LEASE - 8 if makes else 4 * LEASE)
        self.meanwhile = True
        try:
            if self.dice.random() < 0.6:
                self.act()
            self.live(seconds)
        finally:
            self.meanwhile = False
        self.cloud.say(f"  after {seconds:.0f} s: {operation}")

    # --- what is done ---

    def play(self) -> None:
        self.twice(self.launch)
        for _ in range(self.dice.randint(2, 6)):
            self.live(self.dice.choice([0, 1, 4, 10, 30, 90]))
            self.act()
        self.settle()
        self.end()
        self.check_end()

    def act(self) -> None:
        acts: list[tuple[int, Callable[[], Any]]] = [
            (2, self.launch),
            (3, self.extend),
            (4, self.stop),
            (4, self.start),
            (2, self.delete_one),
            (2, self.finish),
            (2, self.make_by_hand),
            (1, self.turn_off_by_hand),
            (2, self.ask_of_a_stranger),
            (1, self.census),
            (1, self.nobody_works),
        ]
        weights, doing = zip(*acts, strict=True)
        [one] = self.dice.choices(doing, weights)
        self.twice(one)

    def twice(self, does: Callable[[], Any]) -> None:
        """A web process or a clock may die while it writes: all of it is kept or nothing. It is asked again."""
        while True:
            try:
                return does()
            except Died:
                continue

    def launch(self) -> None:
        if len(self.launches) == 2 or self.is_ending:
            return  # of two at a time one sees all that several can do to each other
        lab = self.dice.choice(list(LABS.values()))
        made = launching.launch(lab, self.account, self.owner, now=self.clock())
        self.launches.append(made)
        self.needs_census |= any(kinds.registry()[want.kind].ends_by_itself for want in lab.wants)
        self.cloud.say(f"PERSON launches {lab.slug}")

    def a_launch(self) -> Launch | None:
        still = [launch for launch in self.launches if self.reread(launch).asked_to_end_at is None]
        return self.dice.choice(still) if still else None

    def extend(self) -> None:
        if launch := self.a_launch():
            try:
                launching.extend(launch, now=self.clock(), by=self.owner)
            except launching.CannotExtend:
                return
            self.cloud.say(f"PERSON extends {launch.lab}")

    def stop(self) -> None:
        if launch := self.a_launch():
            self.cloud.say(f"PERSON stops {launch.lab}")
            launching.ask_to_stop(launch, now=self.clock(), by=self.owner)

    def start(self) -> None:
        if launch := self.a_launch():
            self.cloud.say(f"PERSON starts {launch.lab}")
            launching.ask_to_start(launch, now=self.clock(), by=self.owner)

    def delete_one(self) -> None:
        if launch := self.a_launch():
            rows = list(Resource.objects.open().filter(launch=launch).order_by("created_at", "key", "aws_id"))
            if rows:
                row = self.dice.choice(rows)
                self.cloud.say(f"PERSON deletes {row.kind}")
                launching.ask_to_delete([row], now=self.clock(), by=self.owner)

    def finish(self) -> None:
        if launch := self.a_launch():
            self.cloud.say(f"PERSON finishes {launch.lab}")
            launching.ask_to_delete(launch, now=self.clock(), by=self.owner)

    def make_by_hand(self) -> None:
        """In the account; in a lab where the student makes things, with its mark."""
        kind = kinds.registry()[self.dice.choice(["strict-box", "strict-notebook", "strict-engine"])]
        name = f"mine-{len(self.cloud.made)}"
        tags = {}
        launch = self.a_launch()
        if launch and LABS[launch.lab].creates and kind.name in LABS[launch.lab].creates:
            tags = {TAG_LAUNCH: launch.id.hex}
        self.needs_census, self.made_at = True, self.clock()
        self.cloud.say("SOMEBODY makes one by hand")
        self.cloud.make(kind, Want("", kind.name, name=name, token=name, tags=tags), made_by=HAND)

    def turn_off_by_hand(self) -> None:
        there = self.cloud.alive()
        if there:
            self.needs_census = True
            thing = self.dice.choice(there)
            try:
                (self.cloud.stop if self.dice.random() < 0.5 else self.cloud.delete)(thing, HAND)
            except ClientError:
                return

    def ask_of_a_stranger(self) -> None:
        rows = list(Resource.objects.open().strangers().order_by("created_at", "aws_id"))
        if rows:
            row = self.dice.choice(rows)
            ask = self.dice.choice([launching.ask_to_stop, launching.ask_to_delete, launching.ask_to_start])
            self.cloud.say(f"PERSON: {ask.__name__} {row.aws_id}")
            ask([row], now=self.clock(), by=self.owner)

    def census(self) -> None:
        self.cloud.say("CENSUS")
        self.census_at = self.clock()
        try:
            census.census_all(self.clock)
        except Died:
            return

    def nobody_works(self) -> None:
        self.cloud.say("NOBODY works for some minutes")
        self.clock.tick(self.dice.uniform(60, 900))
        self.cloud.fire_due()

    # --- time ---

    def live(self, seconds: float) -> None:
        """Let time pass, working off what is due, from one due instant to the next."""
        end = self.clock() + timedelta(seconds=seconds)
        while self.clock() < end:
            rows = self.rows_due()
            try:
                for _ in range(sum(at <= self.clock() for at in rows)):
                    if row := ledger.claim(self.clock()):
                        reconcile.reconcile(row, self.clock)
                if any(at <= self.clock() for at in self.launches_due()):
                    ending.prepare_due(self.clock)
                    certify.prove_due(self.clock)
            except Died:
                self.cloud.say("  a worker is dead, and its row waits for the end of its lease")
            soon = self.clock() + timedelta(seconds=0.5)
            self.clock.now = max(soon, min([end, *rows, *self.launches_due()]))
            self.cloud.fire_due()

    def rows_due(self) -> list[datetime]:
        """When each open row is due; one that a worker holds, when its lease is over."""
        held = instants("SELECT next_look_at, lease_until FROM labs_resource WHERE closed_at IS NULL")
        return [max(at for at in row if at) for row in held if row[0]]

    def launches_due(self) -> list[datetime]:
        """What goes before a teardown; only then its proof."""
        to_do = instants("SELECT prepare_at, prove_at FROM labs_launch WHERE ended_at IS NULL")
        return [at for at in (prepare or prove for prepare, prove in to_do) if at]

    def settle(self) -> None:
        """Nobody asks for anything any more: in the end everything is as it was last asked for."""
        self.cloud.say("NOBODY asks for more")
        self.reach(self.unreached)

    def reach(self, unreached: Callable[[], list[str]]) -> None:
        """What beat has done every minute, a census too: but where it would tell nothing it is left out, for speed."""
        end = self.clock() + PATIENCE
        left: list[str] = []
        while self.clock() < end:
            if self.needs_census or left:
                self.census()
            self.live(60)
            left = unreached()
            # What was made in the midst of a census may not be in its lists: the next one finds it.
            if not left and self.made_at < self.census_at:
                return
        raise Wrong("unreached", "; ".join(left))

    # --- how it ends ---

    def end(self) -> None:
        self.is_ending = True
        ways = [self.finish_all, self.finish_all, self.let_the_clock_end, self.extend_late, self.die_for_good]
        self.dice.choice(ways)()
        if self.dice.random() < 0.7:
            strangers = list(Resource.objects.open().strangers())
            self.cloud.say("PERSON deletes what was made by hand")
            self.twice(lambda: launching.ask_to_delete(strangers, now=self.clock(), by=self.owner))
        self.cloud.say("ALL of it ends")
        self.reach(self.unended)
        if self.needs_census:
            self.clock.tick(2 * MOST_LAG)  # for lists to tell the truth
            self.reach(self.unended)

    def finish_all(self) -> None:
        for launch in self.launches:
            if self.reread(launch).ended_at is None:
                self.twice(lambda asked=launch: launching.ask_to_delete(asked, now=self.clock(), by=self.owner))

    def last_clock(self):
        return max(self.reread(launch).expires_at for launch in self.launches)

    def let_the_clock_end(self) -> None:
        self.cloud.say("TIME passes, and the portal lives")
        self.live((self.last_clock() - self.clock()).total_seconds() + 1)
        self.twice(lambda: launching.end_expired(self.clock()))

    def extend_late(self) -> None:
        """Two minutes before its end: what the old switches would have turned off stays on."""
        launch = self.a_launch()
        if launch:
            self.cloud.say("TIME passes until two minutes before the end")
            self.live((launch.expires_at - self.clock()).total_seconds() - 120)
            self.twice(self.extend)
            self.live(OFF_AT.total_seconds())
        self.finish_all()

    def die_for_good(self) -> None:
        """Nobody works any more; AWS's scheduler alone turns off what costs."""
        self.cloud.say("THE PORTAL is dead")
        self.was_dead = True
        end = self.last_clock() + OFF_AT
        for at in sorted(time_of(schedule) for schedule in self.cloud.schedules.values()):
            self.clock.now = min(end, max(self.clock(), at))
            self.cloud.fire_due()
        self.clock.now = end
        on = [thing.id for thing in self.cloud.alive() if self.is_on(thing) and thing.made_by == PORTAL]
        if on:
            raise Wrong("switch", f"the portal is dead, and still on are {', '.join(on)}")
        self.twice(lambda: launching.end_expired(self.clock()))

    # --- what must hold ---

    def reread(self, launch: Launch) -> Launch:
        launch.refresh_from_db()
        return launch

    def is_on(self, thing: StrictThing) -> bool:
        has_switch = thing.kind.off_call(Want("", thing.kind.name, name="n", aws_id="i")) is not None
        return has_switch and self.cloud.state(thing) in (PENDING, RUNNING)

    def rows(self) -> list[Resource]:
        return list(Resource.objects.select_related("launch", "account").order_by("created_at", "key", "aws_id"))

    def thing_of(self, row: Resource) -> StrictThing | None:
        if row.key:
            made = [thing for thing in self.cloud.things.values() if thing.resource == row.id.hex]
            for first, then in pairwise(made):
                # One that somebody deleted by hand before anybody saw it may be made anew.
                if first.ended_by != HAND or first.state_at(then.past[0][0]) != ABSENT:
                    raise Wrong("doubled", f"{row.kind} was made as {first.id} and as {then.id}")
            return made[-1] if made else None
        return self.cloud.things[row.aws_id]

    def unreached(self) -> list[str]:
        """In words: the rows that are not as they are wanted, by what is true and not only by what was seen."""
        rows = self.rows()
        self.check_known(rows)
        self.check_switches(rows)
        return [f"{row.kind} {row.aws_id}: {why}" for row in rows if (why := self.unlike(row))]

    def unlike(self, row: Resource) -> str:
        thing = self.thing_of(row)
        state = self.cloud.state(thing) if thing else ABSENT
        if row.closed_at is not None:
            return ""
        if row.wanted == GONE:
            # What a person wants gone and something that stays still uses is kept by AWS, and said so.
            is_used = thing is not None and any(self.is_to_stay(other) for other in self.cloud.held_by(thing))
            return "" if is_used else f"to go, and {row.seen or 'not seen'}: {row.blocked_why}"
        why = f"wanted {row.wanted}, seen {row.seen or 'never'}, truly {state}; {row.blocked_why}"
        if thing is None or not row.seen:
            # Nothing of it is there: because it was stopped first, because what it needs is not there, or because AWS
            # has no guard against a second, and nobody can know; or has one, and somebody deleted the first at once.
            waits = thing is None and any(parent.seen != RUNNING for parent in self.needed_by(row))
            may_be_lost = kinds.registry()[row.kind].identity == TAG if thing is None else thing.ended_by == HAND
            is_told = may_be_lost and "and shows nothing" in row.blocked_why
            return "" if state == ABSENT and (row.wanted == STOPPED or waits or is_told) else why
        if row.seen != state:
            return why
        if row.wanted == STOPPED or row.is_made_by_hand:
            return "" if row.wanted != STOPPED or state == STOPPED else why
        if state == STOPPED:
            return "" if thing.ended_by != PORTAL else why
        is_up = state == RUNNING and row.configured_at is not None
        if is_up and self.is_on(thing) and not self.is_armed(row):
            return f"its switch is not set for its clock: {row.switch_at}"
        return "" if is_up else why

    def is_to_stay(self, thing: StrictThing) -> bool:
        return Resource.objects.open().filter(aws_id=thing.id).exclude(wanted=GONE).exists()

    def needed_by(self, row: Resource) -> list[Resource]:
        return list(Resource.objects.filter(launch=row.launch_id, key__in=row.needs))

    def is_armed(self, row: Resource) -> bool:
        schedule = self.cloud.schedules.get(deadman.name_of(row))
        if schedule is None or row.launch is None:
            return schedule is not None
        early = row.launch.expires_at + deadman.AFTER_THE_CLOCK - time_of(schedule)
        return timedelta(0) <= early < timedelta(seconds=1)  # AWS's scheduler knows whole seconds

    def check_known(self, rows: list[Resource]) -> None:
        """Nothing is there that the ledger takes for gone."""
        held = {row.aws_id for row in rows if row.closed_at is None}
        for row in rows:
            thing = self.thing_of(row)
            if row.closed_at is None or thing is None or self.cloud.state(thing) == ABSENT:
                continue
            if thing.made_by == PORTAL or thing.id not in held:
                raise Wrong("leaked", f"{thing.id} is there, and its row was closed: {row.closed_why}")

    def check_switches(self, rows: list[Resource]) -> None:
        closed = {deadman.name_of(row): row for row in rows if row.closed_at is not None}
        for name in self.cloud.schedules:
            if name in closed:
                raise Wrong("switch", f"the switch of {closed[name].kind} is left, and its row is closed")

    def check_turned_off(self, thing: StrictThing, by: str, how: str) -> None:
        """While it happens: was it anybody's wish?"""
        if by == HAND:
            return
        row = (
            Resource.objects.open()
            .select_related("launch")
            .filter(**({"id": uuid.UUID(thing.resource)} if thing.resource else {"aws_id": thing.id}))
            .first()
        )
        if by == SCHEDULER:
            is_time = row.launch.expires_at <= self.clock() if row is not None and row.launch else self.was_dead
            # Whoever dies before an extension has reached AWS leaves the switch where it was.
            is_time = is_time or (self.was_dead and row.switch_at is not None and row.switch_at <= self.clock())
            if not is_time:
                raise Wrong("turned off", f"{how} of {thing.id} by its switch before its time")
        elif row is None or (how == "delete" and row.wanted != GONE):
            raise Wrong("turned off", f"{how} of {thing.id}, and wanted is {row and row.wanted}")

    def unended(self) -> list[str]:
        rows = self.rows()
        self.check_known(rows)
        left = [f"{launch.lab} has not ended" for launch in self.launches if self.reread(launch).ended_at is None]
        return left + [f"{row.kind} {row.aws_id}: {why}" for row in rows if (why := self.unlike(row))]

    def check_end(self) -> None:
        rows = self.rows()
        self.check_known(rows)
        self.check_switches(rows)
        for thing in self.cloud.alive():
            if thing.made_by == PORTAL:
                raise Wrong("leaked", f"{thing.id} is still there")
            if not any(row.aws_id == thing.id and row.closed_at is None for row in rows):
                raise Wrong("leaked", f"nobody knows of {thing.id}")
        for launch in self.launches:
            if launch.certificate is None or launch.certificate["left"]:
                raise Wrong("unreached", f"{launch.lab} has no certificate")
        if Span.objects.filter(ended=None, resource__closed_at__isnull=False).exists():
            raise Wrong("broken", "what is gone is metered on")


def instants(query: str) -> list[list[datetime | None]]:
    """Written in SQL: asked between any two steps, it would take the ORM longer than all that is tested."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [[an_instant(value) for value in row] for row in cursor.fetchall()]


def an_instant(value: datetime | None) -> datetime | None:
    """SQLite knows no zones."""
    return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


# --- the stage -------------------------------------------------------------------------------------------------


class OneThread:
    """In place of the census's threads: the same seed, the same order."""

    def __init__(self, *args, **kwargs):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *args):
        pass

    def map(self, does, these):
        return [does(each) for each in these]


@dataclass
class Played:
    seed: int
    kind: str = ""  # of what was wrong; '' when all held
    why: str = ""
    trace: str = ""
    happened: Counter = field(default_factory=Counter)
    calls: int = 0

    def told(self) -> str:
        return f"{self.trace}\nseed {self.seed}: {self.kind}: {self.why}"


@contextmanager
def stage() -> Iterator[tuple[Account, Any]]:
    """An account and its owner, in a world where there are only strict kinds and their labs."""
    owner = get_user_model().objects.create_user(email="soak@school.example", password="x", name="Soak")
    account = Account.objects.create(
        name="Soak",
        mode=Account.PRACTICE,
        aws_id="200000000099",
        owner=owner,
        regions=["us-east-1"],
        lab_regions=["us-east-1"],
        created_at=START - timedelta(days=1),
    )
    with ExitStack() as stack:
        stack.enter_context(patch.dict(kinds.registry(), {kind.name: kind() for kind in STRICT}, clear=True))
        stack.enter_context(patch.object(catalog, "catalog", lambda: LABS))
        stack.enter_context(patch.object(census, "ThreadPoolExecutor", OneThread))
        yield account, owner


def play(seed: int, account: Account, owner: Any) -> Played:
    """One run, of which the database keeps nothing."""
    jitter = random.getstate()
    run = Run(seed, account, owner)
    random.seed(f"jitter {seed}")
    played = Played(seed, happened=run.happened)
    ids = random.Random(f"ids {seed}")
    with ExitStack() as stack:
        for model in (Launch, Resource):
            of_seed = patch.object(model._meta.get_field("id"), "_get_default", lambda: an_id(ids))
            stack.enter_context(of_seed)
        stack.enter_context(patch.object(aws, "client", lambda *args, **kwargs: run.cloud))
        stack.enter_context(transaction.atomic())
        run.depth = len(connection.savepoint_ids)
        stack.enter_context(connection.execute_wrapper(run.at_write))
        try:
            run.play()
        except Wrong as wrong:
            played.kind, played.why = wrong.kind, str(wrong)
        except (Exception, Died) as error:
            played.kind, played.why = "broken", f"{type(error).__name__}: {error}"
            run.cloud.say("".join(traceback.format_exception(error)))
        transaction.set_rollback(True)
    random.setstate(jitter)
    played.calls = len(run.cloud.calls)
    played.trace = "\n".join(f"{(at - START).total_seconds():9.1f}  {words}" for at, words in run.cloud.trace)
    return played


def an_id(dice: random.Random) -> uuid.UUID:
    return uuid.UUID(int=dice.getrandbits(128), version=4)


def soak(seeds) -> list[Played]:
    """Play these seeds in the database that is there; nothing of them stays."""
    with transaction.atomic(), stage() as (account, owner):
        played = [play(seed, account, owner) for seed in seeds]
        transaction.set_rollback(True)
    return played


# --- the command -----------------------------------------------------------------------------------------------


@contextmanager
def database() -> Iterator[None]:
    """One in memory, whatever the portal's own is."""
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = None
    kept = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(kept, verbosity=0)


def soak_apart(seeds) -> list[Played]:
    """In a process of its own."""
    logging.disable(logging.CRITICAL)  # what goes wrong is what is played
    with database():
        return soak(seeds)


def main(arguments: list[str]) -> int:
    asked = argparse.ArgumentParser(prog="python -m labs.tests.soak", description=__doc__)
    asked.add_argument("--runs", type=int, default=10_000)
    asked.add_argument("--first", type=int, default=0, help="the first seed")
    asked.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked.add_argument("--seed", type=int, help="play this one again and show what happened in it")
    said = asked.parse_args(arguments)
    began = time.monotonic()
    if said.seed is not None:
        [played] = soak_apart([said.seed])
        sys.stdout.write(f"{played.trace}\n")
        all_played = [played]
    else:
        seeds = range(said.first, said.first + said.runs)
        with ProcessPoolExecutor(said.processes) as pool:
            parts = pool.map(soak_apart, [seeds[part :: said.processes] for part in range(said.processes)])
            all_played = [played for part in parts for played in part]
    wrong = sorted((played for played in all_played if played.kind), key=lambda played: played.seed)
    for played in wrong:
        sys.stdout.write(f"seed {played.seed}: {played.kind}: {played.why}\n")
    sys.stdout.write(json.dumps(summary(all_played) | {"seconds": round(time.monotonic() - began, 1)}) + "\n")
    return 1 if wrong else 0


def summary(all_played: list[Played]) -> dict[str, Any]:
    """{"runs", a count for each kind of wrong, "failed": seeds, "faults": how often each was met, "calls"}."""
    wrong = Counter(played.kind for played in all_played if played.kind)
    named = ("leaked", "doubled", "unreached", "turned off", "switch", "broken")
    return {
        "runs": len(all_played),
        **{kind.replace(" ", "_"): wrong[kind] for kind in named},
        "failed": [played.seed for played in all_played if played.kind][:50],
        "faults": dict(sum((played.happened for played in all_played), Counter())),
        "calls": sum(played.calls for played in all_played),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
