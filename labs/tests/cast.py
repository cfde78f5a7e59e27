"""A cast for failure: a small AWS in memory that behaves as docs say AWS does, and the kinds that live in it.

The cloud delays visibility, refuses deletes while children are there, honours client tokens and names, and can be told
to fail, time out after success, or kill the worker at any call.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

from botocore.exceptions import ClientError, ReadTimeoutError

from labs.kinds.base import (
    ABSENT,
    DELETING,
    FAILED,
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
    Kind,
    Meter,
    Seen,
)

START = datetime(2025, 9, 15, 14, 30, tzinfo=UTC)  # Monday 21:00 in Yangon, week 2


class Clock:
    """Time as tests tell it. Calling it answers now."""

    def __init__(self, now: datetime = START):
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def tick(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now


class Died(BaseException):
    """kill -9: no except clause of the product may catch it."""


def refusal(code: str, status: int = 400, operation: str = "Fake") -> ClientError:
    answer = {
        "Error": {"Code": code, "Message": f"the fake says {code}"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, operation)


@dataclass
class Thing:
    id: str
    kind: str
    name: str
    token: str
    tags: dict
    needs: list[str]
    visible_at: datetime
    ready_at: datetime
    state: str = RUNNING
    since: datetime = START
    gone_at: datetime | None = None
    settings: bool = False


@dataclass
class Cloud:
    """The AWS of one account, as seen through `client`. `made` counts creates that really made something."""

    clock: Clock
    ready_after: float = 4
    visible_after: float = 1
    gone_after: float = 3
    job_seconds: float = 60  # how long a job works
    job_failure: str = ""  # what a job fails of
    things: dict[str, Thing] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    schedules: dict[str, dict] = field(default_factory=dict)
    has_group: bool = False
    exceptions = SimpleNamespace(ClientError=ClientError)
    # at(number of the call, operation, "before" | "after") may raise what happens there.
    at: Callable[[int, str, str], None] = lambda number, operation, when: None

    def call(self, operation: str, act):
        number = len(self.calls) + 1
        self.calls.append(operation)
        self.at(number, operation, "before")
        answer = act()
        self.at(number, operation, "after")
        return answer

    def alive(self, kind: str | None = None) -> list[Thing]:
        return [
            thing
            for thing in self.things.values()
            if (kind is None or thing.kind == kind) and (thing.gone_at is None or thing.gone_at > self.clock())
        ]

    def make(self, kind: Kind, want) -> None:
        for thing in self.alive(kind.name):
            if kind.identity == NAME and thing.name == want.name:
                raise refusal("EntityAlreadyExists", 409)
            if kind.identity == TOKEN and thing.token == want.token:
                return  # AWS answers with the first one
        number = f"{kind.name}-{len(self.made) + 1}"
        now = self.clock()
        self.made.append(number)
        needs = [str(want.parents[key]["aws_id"]) for key in want.needs]
        self.things[number] = Thing(
            number,
            kind.name,
            want.name,
            want.token,
            dict(want.tags),
            needs,
            now + timedelta(seconds=self.visible_after),
            now + timedelta(seconds=self.ready_after),
            since=now,
        )

    def find(self, kind: Kind, want) -> Thing | None:
        for thing in self.alive(kind.name):
            if thing.visible_at > self.clock():
                continue
            if want.aws_id:
                if thing.id == want.aws_id:
                    return thing
            elif (
                (kind.identity == NAME and thing.name == want.name)
                or (kind.identity == TOKEN and thing.token == want.token)
                or (kind.identity == TAG and thing.tags.get(TAG_RESOURCE) == want.tags.get(TAG_RESOURCE))
            ):
                return thing
        return None

    def state_of(self, thing: Thing) -> str:
        if thing.gone_at is not None:
            return DELETING
        if thing.ready_at > self.clock():
            return STOPPING if thing.state == STOPPED else PENDING
        return thing.state

    def delete(self, thing: Thing) -> None:
        if any(thing.id in other.needs for other in self.alive()):
            raise refusal("DependencyViolation")
        if thing.gone_at is None:
            thing.gone_at = self.clock() + timedelta(seconds=self.gone_after)

    def tagged(self, launch_hex: str) -> list[str]:
        return [
            f"arn:aws:fake:::{thing.kind}/{thing.id}"
            for thing in self.alive()
            if thing.tags.get(TAG_LAUNCH) == launch_hex
        ]

    # EventBridge Scheduler, as deadman.py calls it.
    def create_schedule_group(self, Name):
        def act():
            if self.has_group:
                raise refusal("ConflictException", 409)
            self.has_group = True

        self.call("CreateScheduleGroup", act)

    def create_schedule(self, **schedule):
        def act():
            if not self.has_group:
                raise refusal("ResourceNotFoundException", 404)
            if schedule["Name"] in self.schedules:
                raise refusal("ConflictException", 409)
            self.schedules[schedule["Name"]] = schedule

        self.call("CreateSchedule", act)

    def update_schedule(self, **schedule):
        def act():
            if schedule["Name"] not in self.schedules:
                raise refusal("ResourceNotFoundException", 404)
            self.schedules[schedule["Name"]] = schedule

        self.call("UpdateSchedule", act)

    def get_schedule(self, Name, GroupName):
        def act():
            if Name not in self.schedules:
                raise refusal("ResourceNotFoundException", 404)
            return self.schedules[Name]

        return self.call("GetSchedule", act)

    def delete_schedule(self, Name, GroupName):
        def act():
            if self.schedules.pop(Name, None) is None:
                raise refusal("ResourceNotFoundException", 404)

        self.call("DeleteSchedule", act)

    def fire_due(self) -> None:
        """AWS's scheduler by itself: it deletes the things that due schedules name, and the schedules."""
        for name, schedule in list(self.schedules.items()):
            at = datetime.strptime(schedule["ScheduleExpression"], "at(%Y-%m-%dT%H:%M:%S)").replace(tzinfo=UTC)
            if at <= self.clock():
                del self.schedules[name]
                said = json.dumps(json.loads(schedule["Target"]["Input"]))
                for thing in self.alive():
                    if f'"{thing.id}"' in said or f'"{thing.name}"' in said:
                        self.delete(thing)

    # The tagging API, as certify.py calls it.
    def get_paginator(self, operation):
        assert operation == "get_resources"
        cloud = self

        class Pages:
            def paginate(self, TagFilters):
                def act():
                    arns = cloud.tagged(TagFilters[0]["Values"][0])
                    return [{"ResourceTagMappingList": [{"ResourceARN": arn} for arn in arns]}]

                return cloud.call("GetResources", act)

        return Pages()


class FakeKind(Kind):
    """A kind that behaves. Subclasses misbehave, each in one way."""

    def __init_subclass__(cls):
        if hasattr(cls, "name"):
            cls.arn_type = f"fake:{cls.name}"

    service = "fake"
    title = "Fake"
    can_stop = True
    settle_seconds = 20
    max_age_seconds = 600

    def create(self, client, want):
        client.call(f"Create {self.name}", lambda: client.make(self, want))

    def observe(self, client, want):
        def act():
            thing = client.find(self, want)
            return GONE_FROM_AWS if thing is None else self._seen(client, thing)

        return client.call(f"Describe {self.name}", act)

    def _seen(self, client, thing):
        return Seen(
            client.state_of(thing),
            thing.id,
            thing.name,
            since=thing.since,
            facts={"arn": f"arn:{thing.id}", "settings": thing.settings},
            tags=thing.tags,
            mark=client.state_of(thing),
        )

    def configure(self, client, want, seen):
        def act():
            client.things[seen.aws_id].settings = True
            return True

        return bool(seen.facts["settings"]) or client.call(f"Configure {self.name}", act)

    def start(self, client, want, seen):
        client.call(f"Start {self.name}", lambda: self._turn(client, seen.aws_id, RUNNING))

    def stop(self, client, want, seen):
        client.call(f"Stop {self.name}", lambda: self._turn(client, seen.aws_id, STOPPED))

    def _turn(self, client, aws_id, state):
        thing = client.things[aws_id]
        thing.state, thing.since = state, client.clock()
        thing.ready_at = client.clock() + timedelta(seconds=2)

    def delete(self, client, want, seen):
        def act():
            if seen.aws_id not in client.things:
                raise refusal("ResourceNotFoundException", 404)
            client.delete(client.things[seen.aws_id])

        client.call(f"Delete {self.name}", act)

    def find_all(self, client):
        return client.call(
            f"List {self.name}",
            lambda: [
                self._seen(client, thing) for thing in client.alive(self.name) if thing.visible_at <= client.clock()
            ],
        )

    def meters(self, seen):
        return [Meter("EC2", "on-demand-linux", "t3.micro", "Hrs", Decimal(1))] if seen.state == RUNNING else []


class TokenKind(FakeKind):
    name, identity = "fake-token", TOKEN


class NameKind(FakeKind):
    name, identity = "fake-name", NAME


class TagKind(FakeKind):
    """No guard against a second create on the side of AWS."""

    name, identity = "fake-tag", TAG


class NeverReadyKind(FakeKind):
    """AWS takes it and then says that it failed."""

    name, identity = "fake-never-ready", NAME

    def _seen(self, client, thing):
        seen = super()._seen(client, thing)
        state = seen.state if seen.state == DELETING else FAILED
        return Seen(state, seen.aws_id, seen.name, seen.since, {**seen.facts, "failure": "no capacity"}, seen.tags)


class DeniedKind(FakeKind):
    name, identity = "fake-denied", NAME

    def create(self, client, want):
        def act():
            raise refusal("AccessDenied", 403)

        client.call("Create denied", act)


class LiesAboutDelete(FakeKind):
    """Answers 200 to every delete and keeps the thing."""

    name, identity = "fake-liar", NAME

    def delete(self, client, want, seen):
        client.call("Delete liar", lambda: None)


class CannotStopKind(FakeKind):
    """Costs by the hour and has no stop, as an endpoint."""

    name, identity, can_stop, stop_means = "fake-no-stop", NAME, False, "delete"


class JobKind(FakeKind):
    """Ends by itself. AWS keeps a record of it, and gives its name to nobody else."""

    name, identity, can_stop, stop_means = "fake-job", NAME, False, "delete"
    ends_by_itself = True

    def create(self, client, want):
        def act():
            if self._records(client, want.name):
                raise refusal("EntityAlreadyExists", 409)
            client.make(self, want)
            thing = client.things[client.made[-1]]
            thing.gone_at = thing.ready_at + timedelta(seconds=client.job_seconds)

        client.call(f"Create {self.name}", act)

    def observe(self, client, want):
        def act():
            found = self._records(client, want.name)
            return self._seen(client, found[0]) if found else GONE_FROM_AWS

        return client.call(f"Describe {self.name}", act)

    @staticmethod
    def _records(client, name):
        made = [thing for thing in client.things.values() if (thing.kind, thing.name) == ("fake-job", name)]
        return [thing for thing in made if thing.visible_at <= client.clock()]

    def _seen(self, client, thing):
        facts, now = {"arn": f"arn:{thing.id}", "settings": True}, client.clock()
        if thing.gone_at <= now:
            how = "it was stopped before it was done" if thing.state == STOPPED else "it completed"
            if client.job_failure:
                how = f"it failed: {client.job_failure}"
            facts |= {"ended": how, "is_done": how == "it completed", "artifacts": f"s3://{thing.name}"}
            return Seen(ABSENT, thing.id, thing.name, since=thing.gone_at, facts=facts)
        state = PENDING if thing.ready_at > now else STOPPING if thing.state == STOPPED else RUNNING
        return Seen(state, thing.id, thing.name, since=thing.since, facts=facts, tags=thing.tags, mark=state)

    def delete(self, client, want, seen):
        def act():
            thing = client.things[seen.aws_id]
            thing.state, thing.gone_at = STOPPED, client.clock() + timedelta(seconds=client.gone_after)

        if seen.state != STOPPING:
            client.call(f"Stop {self.name}", act)


CAST = (TokenKind, NameKind, TagKind, NeverReadyKind, DeniedKind, LiesAboutDelete, CannotStopKind, JobKind)


# --- what happens at a call ----------------------------------------------------------------------------------


def dies_at(number: int, when: str = "after"):
    """The worker is killed at the call of that number, once."""
    spent = []

    def at(now_at, operation, at_when):
        if now_at == number and at_when == when and not spent:
            spent.append(True)
            raise Died

    return at


def every_call_fails_once(error: Callable[[str], Exception], when: str = "before"):
    """Each operation fails the first time it is called; `when='after'` is a time-out after success."""
    seen: set[str] = set()

    def at(number, operation, at_when):
        if at_when == when and operation not in seen:
            seen.add(operation)
            raise error(operation)

    return at


def throttled(operation):
    return refusal("ThrottlingException", 400, operation)


def broken(operation):
    return refusal("InternalError", 500, operation)


def timed_out(operation):
    return ReadTimeoutError(endpoint_url="http://fake")
