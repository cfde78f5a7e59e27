"""A month of a class with known truth, on a strict clock: what is spent, what is forgotten, what is in use.

The controller, the census, the meter, the rules and the look at CloudWatch work at their intervals against the strict
cloud of labs/tests, in which labs run, and things are made by hand, by a seed. What was spent is counted a second time
from what truly was (costs/tests/second_by_second.py), what was forgotten and what was in use is known beforehand.

    python -m costs.tests.month                     fifty students, four weeks; the last line is JSON
    python -m costs.tests.month --students 6 --days 3 --seed 7
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Sum

from costs import activity, forgotten, metering
from costs.models import Finding, Metered, Price, Reading
from costs.tests.second_by_second import bill, lines_of
from labs import aws, catalog, census, certify, ending, kinds, launching, ledger, reconcile
from labs.catalog.base import Lab
from labs.kinds.base import ABSENT, NAME, PENDING, RUNNING, STOPPING, TAG_OWNER, TOKEN, Seen, Want
from labs.kinds.ebs_volume import EBSVolume
from labs.kinds.ec2_instance import EC2Instance
from labs.kinds.nat_gateway import NATGateway
from labs.kinds.sagemaker_endpoint import SageMakerEndpoint
from labs.kinds.sagemaker_notebook import SageMakerNotebook
from labs.models import Account, Launch, Resource
from labs.tests.cast import Clock
from labs.tests.soak import OneThread, database, instants
from labs.tests.strict_cloud import HAND, Box, Engine, Notebook, StrictCloud, StrictKind, StrictThing

# Monday 21:00 in Yangon, week 1; the month ends on the way, and prices change on the 25th.
BEGAN = datetime(2025, 9, 8, 14, 30, tzinfo=UTC)
CHANGE = date(2025, 9, 25)
RATES = {
    ("EC2", "on-demand-linux", "t3.medium", "Hrs"): ("0.0416", "0.0458"),
    ("EBS", "volume", "gp3", "GB-Mo"): ("0.08", "0.088"),
    ("VPC", "public-ipv4", "in-use-address", "Hrs"): ("0.005", "0.0055"),
    ("VPC", "nat-gateway", "hour", "Hrs"): ("0.045", "0.0495"),
    ("SageMaker", "notebook", "ml.t3.medium", "Hrs"): ("0.05", "0.055"),
    ("SageMaker", "hosting", "ml.m5.large", "Hrs"): ("0.115", "0.1265"),
    ("SageMaker", "storage", "ML-storage-gp2", "GB-Mo"): ("0.14", "0.154"),
}
HOME, ELSEWHERE = "us-east-1", "ap-southeast-1"
CENSUS = timedelta(minutes=15)
# Of what lists show, found by the census after it began, and judged a minute later at most.
FOUND_WITHIN = CENSUS + timedelta(minutes=1)
# Idleness is found when metrics are next looked at: once an hour, and over two.
IDLE_FOUND_WITHIN = activity.LOOK_EVERY + timedelta(minutes=10)
IDLE_RULES = ("idle-instance", "idle-notebook", "idle-endpoint")


def price(key: tuple, day: date) -> Decimal:
    return Decimal(RATES[key][day >= CHANGE])


class Real(StrictKind):
    """Behaves as the strict cloud's kinds do, and is seen, and billed, as one of the portal's own."""

    of: Any

    def __init_subclass__(cls):
        super().__init_subclass__()
        cls.name, cls.title, cls.cost_service = cls.of.name, cls.of.title, cls.of.cost_service
        cls.signals, cls.meters = cls.of.signals, cls.of.meters

    @staticmethod
    def facts_in(state: str) -> dict[str, Any]:
        return {}

    def _seen(self, client, thing):
        seen = super()._seen(client, thing)
        return Seen(
            seen.state,
            seen.aws_id,
            seen.name,
            seen.since,
            {**seen.facts, **self.facts_in(seen.state)},
            seen.tags,
            seen.mark,
        )

    def dimensions(self, signal, seen):
        return [{signal.dimension: seen.aws_id}]


class MonthsMachine(Real, Box):
    of = EC2Instance()

    @staticmethod
    def facts_in(state):
        disks = [{"type": "gp3", "gb": 8, "iops": 3000, "mibps": 125}]
        lent = int(state in (PENDING, RUNNING, STOPPING))
        return {"type": "t3.medium", "platform": "linux", "spot": False, "disks": disks, "public_ips": lent}


class MonthsNotebook(Real, Notebook):
    of = SageMakerNotebook()

    @staticmethod
    def facts_in(state):
        return {"type": "ml.t3.medium", "disk_gb": 5}


class MonthsEndpoint(Real, Engine):
    of = SageMakerEndpoint()

    @staticmethod
    def facts_in(state):
        return {"variants": [{"name": "all", "type": "ml.m5.large", "count": 1, "disk_gb": 0, "serverless": False}]}


class MonthsVolume(Real):
    of, identity = EBSVolume(), TOKEN

    @staticmethod
    def facts_in(state):
        return {"type": "gp3", "gb": 100, "iops": 3000, "mibps": 125, "attached_to": [], "goes_with": ""}


class MonthsGateway(Real):
    of, identity = NATGateway(), NAME


KINDS = {kind.name: kind() for kind in (MonthsMachine, MonthsNotebook, MonthsEndpoint, MonthsVolume, MonthsGateway)}
LABS = {
    slug: Lab(slug, slug, "For the month.", "testing", 30, hours, (Want("it", kind),), ())
    for slug, kind, hours in [
        ("machine", "ec2-instance", 2),
        ("notebook", "sagemaker-notebook", 2),
        ("endpoint", "sagemaker-endpoint", 2),
        ("long-machine", "ec2-instance", 8),
    ]
}


@dataclass
class MonthsCloud(StrictCloud):
    """One region. used: {thing's id: until when somebody works with it}."""

    used: dict[str, datetime] = field(default_factory=dict)

    def is_used(self, thing: StrictThing, at: datetime) -> bool:
        return at < self.used.get(thing.id, at)

    def get_paginator(self, operation):
        return (
            SimpleNamespace(paginate=self.metrics)
            if operation == "get_metric_data"
            else super().get_paginator(operation)
        )

    def metrics(self, MetricDataQueries, StartTime, EndTime):
        return [
            {
                "MetricDataResults": [
                    {"Id": q["Id"], "Values": self._values(q, StartTime, EndTime)} for q in MetricDataQueries
                ]
            }
        ]

    def _values(self, query, start, end):
        metric = query["MetricStat"]["Metric"]
        thing = self.things[metric["Dimensions"][0]["Value"]]
        calls = metric["MetricName"] == "Invocations"
        busy, idle = {"CPUUtilization": (40.0, 0.4)}.get(metric["MetricName"], (10.0**8, 1000.0))
        at, found = start, []
        while at < end:
            if thing.state_at(at) == RUNNING and (self.is_used(thing, at) or not calls):
                found.append(busy if self.is_used(thing, at) else idle)
            at += timedelta(seconds=activity.PERIOD)
        return found


@dataclass(frozen=True)
class Planted:
    """Something forgotten: from when on it is, and by when it has to be found, if it is there until then."""

    region: str
    thing: StrictThing
    since: datetime
    within: timedelta


@dataclass
class Month:
    seed: int
    students: int
    days: int
    look_every: timedelta = timedelta(minutes=5)
    by_hand_chance: float = 0.04  # that a student makes something by hand on a working evening
    clock: Clock = field(default_factory=lambda: Clock(BEGAN))
    planted: list[Planted] = field(default_factory=list)
    false_stops: list[str] = field(default_factory=list)
    called_idle: list[str] = field(default_factory=list)
    asked: set = field(default_factory=set)  # launches whose student finished them
    fell: int = 0

    def __post_init__(self):
        self.dice = random.Random(f"month {self.seed}")
        self.clouds = {
            region: MonthsCloud(self.clock, dice=random.Random(f"{region} {self.seed}")) for region in (HOME, ELSEWHERE)
        }
        for cloud in self.clouds.values():
            cloud.turned_off = lambda thing, by, how, cloud=cloud: self.check_turned_off(cloud, thing, by, how)
        self.end = BEGAN + timedelta(days=self.days)
        self.plot: list[tuple[datetime, int, Any]] = []
        self.launches: dict[Any, tuple[Launch, datetime]] = {}
        self.most = Decimal(0)
        self.seen_idle: set = set()
        self.next_census = self.next_look = BEGAN

    # --- what happens ---

    def at(self, when: datetime, does) -> None:
        self.plot.append((when, len(self.plot), does))

    def write_plot(self, people) -> None:
        dice = self.dice
        for day in range(self.days):
            evening = BEGAN + timedelta(days=day)
            if evening.weekday() in (3, 4, 6):  # Thursday, Friday and Sunday are free
                continue
            for person in people:
                if dice.random() < 0.35:
                    self.at(evening + timedelta(minutes=dice.uniform(0, 90)), lambda who=person: self.a_lab(who))
                if dice.random() < self.by_hand_chance:
                    self.at(evening + timedelta(minutes=dice.uniform(0, 240)), lambda who=person: self.by_hand(who))
        for day in range(1, self.days + 1):
            self.at(BEGAN + timedelta(days=day, hours=-4), self.tidy_up)
        self.plot.sort(key=lambda each: each[:2])

    def a_lab(self, person) -> None:
        """Used for a while; then finished, or left to its clock. One in four is stopped and started between."""
        now = self.clock()
        lab = self.dice.choice(list(LABS.values()))
        launch = launching.launch(lab, self.account, person, now=now)
        minutes = self.dice.uniform(15, 100) if lab.hours == 2 else self.dice.choice([30, 400])
        used_until = now + timedelta(minutes=minutes)
        self.launches[launch.pk] = (launch, used_until)
        end = self.dice.random()
        if end < 0.5:
            self.later(used_until, lambda: self.finish(launch))
        elif end < 0.7 and kinds.registry()[lab.wants[0].kind].can_stop:
            self.later(used_until, lambda: launching.ask_to_stop(launch, now=self.clock(), by=person))

    def finish(self, launch) -> None:
        self.asked.add(launch.pk)
        launching.ask_to_delete(launch, now=self.clock(), by=launch.owner)

    def by_hand(self, person) -> None:
        """In no lab, at home or in another region, of somebody whom a tag tells or of nobody. Some are used a while."""
        kind = self.dice.choice(list(KINDS.values()))
        region = self.dice.choice([HOME, HOME, ELSEWHERE])
        cloud = self.clouds[region]
        name = f"mine-{len(cloud.made)}"
        tags = {TAG_OWNER: str(person.pk)} if self.dice.random() < 0.7 else {}
        cloud.make(kind, Want("", kind.name, name=name, token=name, tags=tags), made_by=HAND)
        thing = cloud.things[cloud.made[-1]]
        if self.dice.random() < 0.3:
            cloud.used[thing.id] = self.clock() + timedelta(minutes=self.dice.uniform(30, 300))
        self.planted.append(Planted(region, thing, self.clock(), FOUND_WITHIN))

    def tidy_up(self) -> None:
        """In the morning, from the page: what was found is stopped, or deleted; what was stopped yesterday, deleted."""
        found = {one.resource_id: one.resource for one in Finding.objects.open().select_related("resource")}
        going = [row for row in found.values() if row.launch_id is None and not self.is_row_used(row)]
        for row in going:
            can_stop = kinds.registry()[row.kind].can_stop and row.seen == RUNNING and self.dice.random() < 0.5
            (launching.ask_to_stop if can_stop else launching.ask_to_delete)([row], now=self.clock())

    def later(self, when: datetime, does) -> None:
        self.at(when, does)
        self.plot.sort(key=lambda each: each[:2])

    # --- what is true ---

    def thing_of(self, row) -> tuple[MonthsCloud, StrictThing] | None:
        cloud = self.clouds[row.region]
        thing = cloud.things.get(row.aws_id)
        return (cloud, thing) if thing else None

    def is_row_used(self, row) -> bool:
        found = self.thing_of(row)
        return found is not None and found[0].is_used(found[1], self.clock())

    def check_turned_off(self, cloud: MonthsCloud, thing: StrictThing, by: str, how: str) -> None:
        """While it happens: is somebody working with it, within its lab's time, who did not ask for it?"""
        if by == HAND or not cloud.is_used(thing, self.clock()):
            return
        row = Resource.objects.filter(aws_id=thing.id, region=HOME).select_related("launch").first()
        launch = row and row.launch
        if launch is None or (launch.pk not in self.asked and launch.expires_at > self.clock()):
            self.false_stops.append(f"{self.clock()}: {how} of {thing.id} by {by}")

    def mark_used(self) -> None:
        """What a launch made is in use as its student is."""
        for row in Resource.objects.filter(launch__in=list(self.launches)).exclude(aws_id=""):
            launch, until = self.launches[row.launch_id]
            if row.aws_id not in self.clouds[HOME].used:
                self.clouds[HOME].used[row.aws_id] = until
                thing = self.clouds[HOME].things[row.aws_id]
                # A lab that runs on: idle two hours after its student left, and not yet at its end.
                idle = until + timedelta(hours=2)
                if launch.lab == "long-machine":
                    self.planted.append(Planted(HOME, thing, idle, IDLE_FOUND_WITHIN))
        self.launches = {pk: one for pk, one in self.launches.items() if one[1] > self.clock() - timedelta(hours=3)}

    # --- time ---

    def play(self, account, people) -> dict[str, Any]:
        self.account = account
        self.write_plot(people)
        while self.clock() < self.end:
            while self.plot and self.plot[0][0] <= self.clock():
                self.plot.pop(0)[2]()
            self.work_off()
            if self.clock() >= self.next_census:
                self.next_census = max(self.next_census, self.clock() - CENSUS) + CENSUS
                census.census_all(self.clock)
                self.next_look = self.clock()  # what it found is judged a moment later
            if self.clock() >= self.next_look:
                self.look()
            # Workers look for due rows every two seconds.
            self.clock.now = max(self.clock() + timedelta(seconds=2), min(self.end, self.next_instant()))
        return self.told()

    def work_off(self) -> None:
        """What is due, as a worker does it. Each step may make the next one due in seconds."""
        while row := ledger.claim(self.clock()):
            reconcile.reconcile(row, self.clock)
        if any(at <= self.clock() for at in self.due_launches()):
            ending.prepare_due(self.clock)
            certify.prove_due(self.clock)

    def look(self) -> None:
        """What beat has done every minute."""
        self.next_look = self.clock() + self.look_every
        launching.end_expired(self.clock())
        census.survey(census.groups_with_rows(self.clock()), self.clock)
        self.mark_used()
        metering.meter(self.clock())
        forgotten.judge(self.clock())
        activity.look(self.clock())
        self.look_at_findings()

    def next_instant(self) -> datetime:
        rows = instants("SELECT next_look_at, lease_until FROM labs_resource WHERE closed_at IS NULL")
        due = [max(at for at in row if at) for row in rows if row[0]] + self.due_launches()
        ahead = [self.plot[0][0]] if self.plot else [self.end]
        if due or any(cloud.alive() for cloud in self.clouds.values()):
            return min([*due, *ahead, self.next_look, self.next_census])
        # Nothing is there and nothing is known: looks would tell nothing until somebody does something.
        self.next_look, self.next_census = max(self.next_look, *ahead), max(self.next_census, *ahead)
        return min(ahead)

    @staticmethod
    def due_launches() -> list[datetime]:
        to_do = instants("SELECT prepare_at, prove_at FROM labs_launch WHERE ended_at IS NULL")
        return [at for at in (prepare or prove for prepare, prove in to_do) if at]

    def look_at_findings(self) -> None:
        for one in (
            Finding.objects.filter(rule__in=IDLE_RULES).exclude(pk__in=self.seen_idle).select_related("resource")
        ):
            self.seen_idle.add(one.pk)
            found = self.thing_of(one.resource)
            if found and found[0].used.get(found[1].id, BEGAN) > one.since:
                self.called_idle.append(f"{found[1].id}: {one.rule} since {one.since}")
        total = Metered.objects.aggregate(usd=Sum("usd"))["usd"] or Decimal(0)
        self.fell += total < self.most - Decimal("0.00000001")
        self.most = total

    # --- what came of it ---

    def told(self) -> dict[str, Any]:
        metering.meter(self.clock(), Resource.objects.exclude(seen_at=None))
        ours = Metered.objects.aggregate(usd=Sum("usd"))["usd"] or Decimal(0)
        truth = sum(
            (self.bill_of(cloud, thing) for cloud in self.clouds.values() for thing in cloud.things.values()),
            Fraction(0),
        )
        missed = [one for one in self.planted if self.had_to_be_found(one) and not self.was_found(one)]
        return {
            "students": self.students,
            "days": self.days,
            "things": sum(len(cloud.things) for cloud in self.clouds.values()),
            "readings": Reading.objects.count(),
            "usd": f"{ours:.4f}",
            "reference_usd": f"{float(truth):.4f}",
            "off_by_percent": round(float(abs(Fraction(ours) - truth) / truth * 100), 4) if truth else 0.0,
            "forgotten": sum(map(self.had_to_be_found, self.planted)),
            "missed": [f"{one.thing.id} since {one.since}" for one in missed],
            "in_use": sum(len(cloud.used) for cloud in self.clouds.values()),
            "false_stops": self.false_stops,
            "called_idle_in_use": self.called_idle,
            "totals_that_fell": self.fell,
        }

    def bill_of(self, cloud: MonthsCloud, thing: StrictThing) -> Fraction:
        until = min(self.clock(), self.end) if cloud.state(thing) != ABSENT else self.clock()
        ends = [at for at, _ in thing.past[1:]] + [until]
        stretches = [
            (
                at,
                max(at, min(end, until)),
                lines_of(thing.kind.name, state, thing.kind.facts_in(state)) if state != ABSENT else [],
            )
            for (at, state), end in zip(thing.past, ends, strict=True)
            if at < until
        ]
        return bill(stretches, price)

    def had_to_be_found(self, one: Planted) -> bool:
        """It was there, and forgotten, until it had to be known; on, where idleness is what had to be seen."""
        by = one.since + one.within
        if by > self.clock():
            return False
        if one.within == FOUND_WITHIN:
            return one.thing.state_at(by) != ABSENT
        times = [at for at, _ in one.thing.past if one.since - timedelta(hours=2) <= at <= by]
        return not times and one.thing.state_at(by) == RUNNING

    def was_found(self, one: Planted) -> bool:
        found = Finding.objects.filter(resource__aws_id=one.thing.id, resource__region=one.region)
        return found.filter(opened_at__lte=one.since + one.within, closed_at=None).exists() or (
            found.filter(opened_at__lte=one.since + one.within, closed_at__gt=one.since).exists()
        )


@contextmanager
def stage(month: Month) -> Iterator[tuple[Account, list]]:
    """One account of the whole class, its people, the prices, and no other kinds and labs than the month's."""
    for key, both in RATES.items():
        for usd, day in zip(both, (date(2024, 1, 1), CHANGE), strict=True):
            for region in (HOME, ELSEWHERE):
                Price.objects.create(
                    service=key[0], kind=key[1], sku=key[2], unit=key[3], region=region, usd=usd, valid_from=day
                )
    people = [
        get_user_model().objects.create_user(email=f"month-{n}@school.example", name=f"Student {n}")
        for n in range(month.students)
    ]
    account = Account.objects.create(
        name="The class's",
        mode=Account.PRACTICE,
        aws_id="200000000098",
        regions=[HOME, ELSEWHERE],
        lab_regions=[HOME],
        created_at=BEGAN - timedelta(days=1),
    )
    with ExitStack() as stack:
        stack.enter_context(patch.dict(kinds.registry(), KINDS, clear=True))
        stack.enter_context(patch.object(catalog, "catalog", lambda: LABS))
        stack.enter_context(patch.object(census, "ThreadPoolExecutor", OneThread))
        stack.enter_context(
            patch.object(aws, "client", lambda account, service, region=HOME, **_: month.clouds[region or HOME])
        )
        yield account, people


def live(seed: int, students: int, days: int, **how: Any) -> dict[str, Any]:
    """Play a month in the database that is there; nothing of it stays."""
    month = Month(seed, students, days, **how)
    jitter = random.getstate()
    random.seed(f"jitter {seed}")
    with transaction.atomic(), stage(month) as (account, people):
        told = month.play(account, people)
        transaction.set_rollback(True)
    random.setstate(jitter)
    return told


def holds(told: dict[str, Any]) -> bool:
    """Within half a percent, nothing missed, nothing in use touched."""
    wrong = told["missed"] or told["false_stops"] or told["called_idle_in_use"] or told["totals_that_fell"]
    return told["off_by_percent"] <= 0.5 and not wrong


def main(arguments: list[str]) -> int:
    asked = argparse.ArgumentParser(prog="python -m costs.tests.month", description=__doc__)
    asked.add_argument("--students", type=int, default=50)
    asked.add_argument("--days", type=int, default=28)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--look-every", type=int, default=300, help="seconds between two looks at what is on")
    said = asked.parse_args(arguments)
    logging.disable(logging.CRITICAL)
    began = time.monotonic()
    with database():
        told = live(said.seed, said.students, said.days, look_every=timedelta(seconds=said.look_every))
    sys.stdout.write(json.dumps(told | {"seconds": round(time.monotonic() - began)}) + "\n")
    return 0 if holds(told) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
