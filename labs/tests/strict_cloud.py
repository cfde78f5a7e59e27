"""The cast's AWS made strict: it behaves as AWS does on a bad day, and keeps the truth beside what it shows.

Reads are answered by one of two replicas, of which the second lags; lists and the tagging API lag more, and the latter
goes on naming what is gone. A thing cannot be made before what it needs is known everywhere, stopped or deleted in
the wrong state, nor deleted while something holds it. Tokens and names are honoured for the kinds that have them only.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from random import Random
from typing import Any

from labs.kinds.base import (
    ABSENT,
    DELETING,
    GONE_FROM_AWS,
    NAME,
    PENDING,
    RUNNING,
    STOPPED,
    STOPPING,
    TAG,
    TAG_LAUNCH,
    TAG_RESOURCE,
    TOKEN,
    OffCall,
    Seen,
)
from labs.tests.cast import Cloud, FakeKind, refusal

PORTAL, SCHEDULER, HAND = "the portal", "AWS's scheduler", "somebody by hand"
# Shorter than the kinds' settle_seconds: how late AWS is told in docs, not without bound.
MOST_LAG = 12.0
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
TAGS_REMAIN = timedelta(hours=1)


@dataclass
class StrictThing:
    """One resource as it truly is. past: [(from when, state)], also of what is still to come: a start takes time."""

    id: str
    kind: StrictKind
    name: str
    token: str
    tags: dict
    params: dict
    needs: list[str]
    made_by: str
    usable_at: datetime
    past: list[tuple[datetime, str]]
    is_set_up: bool = False
    ended_by: str = ""  # who last turned it off: one of PORTAL, SCHEDULER, HAND

    def state_at(self, at: datetime) -> str:
        before = bisect_right(self.past, at, key=itemgetter(0))
        return self.past[before - 1][1] if before else ABSENT

    def since(self, at: datetime) -> datetime:
        return self.past[bisect_right(self.past, at, key=itemgetter(0)) - 1][0]

    def turn(self, now: datetime, *then: tuple[datetime, str]) -> None:
        """From now on this, instead of what was to come."""
        self.past = [one for one in self.past if one[0] <= now] + list(then)

    @property
    def resource(self) -> str:
        """The row of the ledger that it was made for, '' for what was made by hand."""
        return self.tags.get(TAG_RESOURCE, "")


@dataclass
class StrictCloud(Cloud):
    dice: Random = field(default_factory=Random)
    things: dict[str, StrictThing] = field(default_factory=dict)  # type: ignore[assignment]
    is_blind: bool = False  # the next call is answered by one that knows of nothing
    trace: list[tuple[datetime, str]] = field(default_factory=list)
    # turned_off(thing, by whom, "stop" | "delete"), while it happens.
    turned_off: Callable[[StrictThing, str, str], None] = lambda thing, by, how: None

    def __post_init__(self):
        lag = self.dice.choice([0, 0, 0, self.dice.uniform(0, MOST_LAG)])
        self.lags = (timedelta(0), timedelta(seconds=lag))
        self.list_lag = timedelta(seconds=max(lag, self.dice.choice([0, MOST_LAG])))
        self.as_of = self.clock()

    def say(self, words: str) -> None:
        self.trace.append((self.clock(), words))

    def call(self, operation, act):
        self.clock.tick(0.1)
        self.fire_due()
        number = len(self.calls) + 1
        self.calls.append(operation)
        self.say(operation)
        self.at(number, operation, "before")
        # Looked at when the call arrives, which may be later than it was begun.
        is_list = operation.startswith(("List", "Get"))
        self.as_of = self.clock() - (self.list_lag if is_list else self.dice.choice(self.lags))
        if self.is_blind:
            self.as_of, self.is_blind = LONG_AGO, False
        answer = act()
        self.at(number, operation, "after")
        return answer

    # --- the truth ---

    def state(self, thing: StrictThing) -> str:
        return thing.state_at(self.clock())

    def alive(self, kind=None) -> list[StrictThing]:  # type: ignore[override]
        there = [thing for thing in self.things.values() if self.state(thing) != ABSENT]
        return there if kind is None else [thing for thing in there if thing.kind.name == kind]

    def make(self, kind, want, made_by=PORTAL) -> None:
        now = self.clock()
        for thing in self.things.values():
            if thing.kind is not kind:
                continue
            if kind.identity == NAME and thing.name == want.name and kind.is_name_taken(self.state(thing)):
                raise refusal("EntityAlreadyExists", 409)
            if kind.identity == TOKEN and thing.token == want.token:
                if thing.params != want.params:
                    raise refusal("IdempotentParameterMismatch")
                return  # AWS answers with the first one, also when that is gone by now
        needs = [str(want.parents[key]["aws_id"]) for key in want.needs]
        for parent in (self.things[each] for each in needs):
            if self.state(parent) == ABSENT and not kind_ends(parent):
                raise refusal("InvalidParameterValue")
            if parent.usable_at > now:
                raise refusal("IncorrectState")
        number = f"{kind.name}-{len(self.made) + 1}"
        self.made.append(number)
        self.say(f"  made {number} for {made_by}")
        up = now + timedelta(seconds=self.dice.choice(kind.takes) * self.dice.uniform(0.5, 1))
        usable = now + timedelta(seconds=self.dice.uniform(0, MOST_LAG))
        past = [(now, PENDING), (up, RUNNING)]
        if kind.ends_by_itself:
            past.append((up + timedelta(seconds=self.dice.uniform(5, 60)), ABSENT))
        self.things[number] = StrictThing(
            number, kind, want.name, want.token, dict(want.tags), dict(want.params), needs, made_by, usable, past
        )

    def refuse_unknown(self, thing: StrictThing, by=PORTAL) -> None:
        """What is gone, and what the replica that is asked does not know yet."""
        if self.state(thing) == ABSENT or (by == PORTAL and self.state_of(thing) == ABSENT):
            raise refusal("ResourceNotFoundException", 404)

    def start(self, thing: StrictThing, by=PORTAL) -> None:
        self.refuse_unknown(thing, by)
        if self.state(thing) != STOPPED:
            raise refusal("IncorrectInstanceState")
        now = self.clock()
        thing.turn(now, (now, PENDING), (now + self._while(), RUNNING))
        self.say(f"  {by} started {thing.id}")

    def stop(self, thing: StrictThing, by=PORTAL) -> None:
        self.refuse_unknown(thing, by)
        if self.state(thing) != RUNNING:
            raise refusal("IncorrectInstanceState")
        now = self.clock()
        thing.turn(now, (now, STOPPING), (now + self._while(), thing.kind.after_stop))
        self._off(thing, by, "stop")

    def delete(self, thing: StrictThing, by=PORTAL) -> None:  # type: ignore[override]
        self.refuse_unknown(thing, by)
        now, state = self.clock(), self.state(thing)
        if state == DELETING:
            return
        if state not in thing.kind.deletable_when:
            raise refusal("IncorrectInstanceState")
        if self.held_by(thing):
            raise refusal("DependencyViolation")
        thing.turn(now, (now, DELETING), (now + self._while(), ABSENT))
        self._off(thing, by, "delete")

    def _while(self) -> timedelta:
        return timedelta(seconds=self.dice.choice([0, 0, 1, 8]))

    def _off(self, thing: StrictThing, by: str, how: str) -> None:
        thing.ended_by = by
        self.say(f"  {how} of {thing.id} by {by}")
        self.turned_off(thing, by, how)

    def held_by(self, thing: StrictThing) -> list[StrictThing]:
        return [other for other in self.things.values() if self._holds(other, thing)]

    def _holds(self, other: StrictThing, thing: StrictThing) -> bool:
        """AWS lets go of a parent some seconds after the child is gone, not at once."""
        of_it = thing.id in other.needs
        beside_it = other.kind.name in thing.kind.goes_after and (
            other.tags.get(TAG_LAUNCH) == thing.tags.get(TAG_LAUNCH)
        )
        if not (of_it or beside_it) or kind_ends(thing):
            return False
        return other.state_at(self.clock() - self.lags[1]) != ABSENT or self.state(other) != ABSENT

    # --- what it shows ---

    def state_of(self, thing) -> str:
        return thing.state_at(self.as_of)

    def find(self, kind, want) -> StrictThing | None:  # type: ignore[override]
        for thing in self.things.values():
            if thing.kind is kind and self.state_of(thing) != ABSENT and kind.is_it(thing, want):
                return thing
        return None

    def shown(self, kind) -> list[StrictThing]:
        return [thing for thing in self.things.values() if thing.kind is kind and self.state_of(thing) != ABSENT]

    def tagged(self, launch_hex: str) -> list[str]:
        now = self.clock()
        return [
            f"arn:aws:fake:::{thing.kind.name}/{thing.id}"
            for thing in self.things.values()
            if thing.tags.get(TAG_LAUNCH) == launch_hex
            and (self.state_of(thing) != ABSENT or thing.since(now) > now - TAGS_REMAIN)
        ]

    # --- AWS's scheduler by itself ---

    def create_schedule(self, **schedule):
        self._refuse_the_past(schedule)
        super().create_schedule(**schedule)

    def update_schedule(self, **schedule):
        self._refuse_the_past(schedule)
        super().update_schedule(**schedule)

    def _refuse_the_past(self, schedule) -> None:
        if time_of(schedule) <= self.clock():
            raise refusal("ValidationException")

    def fire_due(self) -> None:
        for name, schedule in list(self.schedules.items()):
            if time_of(schedule) > self.clock():
                continue
            del self.schedules[name]
            said = json.loads(schedule["Target"]["Input"])
            stops = schedule["Target"]["Arn"].endswith(":stopThing")
            for thing in self.alive():
                if said["Id"] in (thing.id, thing.name):
                    try:
                        (self.stop if stops else self.delete)(thing, SCHEDULER)
                    except self.exceptions.ClientError as error:
                        self.say(f"  the switch of {thing.id} was refused: {error}")


def time_of(schedule: dict) -> datetime:
    return datetime.strptime(schedule["ScheduleExpression"], "at(%Y-%m-%dT%H:%M:%S)").replace(tzinfo=UTC)


def kind_ends(thing: StrictThing) -> bool:
    """Of a job AWS keeps the record, which can be referred to as long as one likes."""
    return thing.kind.ends_by_itself


class StrictKind(FakeKind):
    """Subclasses say how AWS guards them."""

    settle_seconds = 30
    max_age_seconds = 3600
    can_stop = False
    takes: tuple[int, ...] = (0, 0, 3)  # seconds until it runs
    deletable_when: tuple[str, ...] = (PENDING, RUNNING, STOPPED)
    after_stop = STOPPED

    def is_name_taken(self, state: str) -> bool:
        return state != ABSENT

    def is_it(self, thing: StrictThing, want) -> bool:
        if want.aws_id:
            return thing.id == want.aws_id
        if self.identity == NAME:
            return thing.name == want.name
        if self.identity == TOKEN:
            return thing.token == want.token
        return thing.resource == want.tags.get(TAG_RESOURCE)

    def _seen(self, client, thing):
        state = client.state_of(thing)
        facts = {"arn": f"arn:{thing.id}", "settings": thing.is_set_up}
        since = thing.since(client.as_of)
        return Seen(state, thing.id, thing.name, since=since, facts=facts, tags=thing.tags, mark=state)

    def configure(self, client, want, seen):
        def act():
            client.refuse_unknown(client.things[seen.aws_id])
            client.things[seen.aws_id].is_set_up = True
            return True

        return bool(seen.facts["settings"]) or client.call(f"Configure {self.name}", act)

    def _turn(self, client, aws_id, state):
        (client.start if state == RUNNING else client.stop)(client.things[aws_id])

    def find_all(self, client):
        return client.call(f"List {self.name}", lambda: [self._seen(client, thing) for thing in client.shown(self)])

    def meters(self, seen):
        return []


class Net(StrictKind):
    """As a role: found by name, free, held by what uses it."""

    name, identity, title = "strict-net", NAME, "Net"


class Wire(StrictKind):
    """As a subnet: AWS has no guard against a second one."""

    name, identity, title = "strict-wire", TAG, "Wire"


class Box(StrictKind):
    """As an instance: a client token, stop and start, and a switch that ends it."""

    name, identity, title, can_stop = "strict-box", TOKEN, "Box", True
    takes = (0, 2, 12)

    def off_call(self, want):
        return OffCall("fake", "endThing", {"Id": want.aws_id}) if want.aws_id else None


class Notebook(StrictKind):
    """As a SageMaker notebook: found by name, and deleted only while it is stopped."""

    name, identity, title, can_stop = "strict-notebook", NAME, "Notebook", True
    takes = (0, 2, 12)
    deletable_when = (STOPPED,)

    def off_call(self, want):
        return OffCall("fake", "stopThing", {"Id": want.aws_id or want.name})

    def delete(self, client, want, seen):
        if seen.state == RUNNING:
            self.stop(client, want, seen)
        elif seen.state == STOPPED:
            super().delete(client, want, seen)


class Engine(StrictKind):
    """As an endpoint: costs by the hour and has no stop."""

    name, identity, title, stop_means = "strict-engine", NAME, "Engine", "delete"
    takes = (0, 2, 12)

    def off_call(self, want):
        return OffCall("fake", "endThing", {"Id": want.aws_id or want.name})


class Guard(StrictKind):
    """As a security group: no box of its lab may be left when it goes."""

    name, identity, title, goes_after = "strict-guard", NAME, "Guard", ("strict-box",)


class Job(StrictKind):
    """As a training job: ends by itself; AWS keeps the record, and gives its name to nobody else."""

    name, identity, title, stop_means, ends_by_itself = "strict-job", NAME, "Job", "delete", True
    after_stop = ABSENT

    def is_name_taken(self, state):
        return True

    def observe(self, client, want):
        def act():
            for thing in client.things.values():
                if thing.kind is self and self.is_it(thing, want) and thing.past[0][0] <= client.as_of:
                    return self._seen(client, thing)
            return GONE_FROM_AWS

        return client.call(f"Describe {self.name}", act)

    def _seen(self, client, thing):
        seen = super()._seen(client, thing)
        facts: dict[str, Any] = {"arn": f"arn:{thing.id}", "settings": True}
        if seen.state == ABSENT:
            how = "it was stopped before it was done" if thing.ended_by else "it completed"
            facts |= {"ended": how, "is_done": not thing.ended_by}
        return Seen(seen.state, thing.id, thing.name, seen.since, facts, thing.tags, seen.state)

    def delete(self, client, want, seen):
        if seen.state == RUNNING:
            client.call(f"Stop {self.name}", lambda: client.stop(client.things[seen.aws_id]))


STRICT = (Net, Wire, Box, Notebook, Engine, Guard, Job)
