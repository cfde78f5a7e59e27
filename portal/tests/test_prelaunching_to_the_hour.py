"""A class of 24 is played to its hour: beat's task, the workers and an AWS that takes its time, on a told clock."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from conftest import member
from costs import pricebook
from labs import aws, catalog, kinds
from labs.kinds.base import RUNNING, Want
from labs.models import Account, Launch, Rehearsal
from labs.tests.cast import Clock, Cloud, TokenKind, refusal
from labs.tests.conftest import World
from portal import prelaunching, rules_of_use
from portal.models import ClassSeat, CohortWeek, LabInWeek

pytestmark = [pytest.mark.django_db, pytest.mark.once]
HOUR = timedelta(hours=1)
BEAT = timedelta(seconds=5)  # settings: "start labs of classes"
APART = timedelta(seconds=10)
TAKES = timedelta(seconds=60)  # until one runs
STUDENTS = 24


@pytest.fixture
def at(cohort):
    return CohortWeek.objects.get(cohort=cohort, week__number=2).session_at


@pytest.fixture
def box(lab, monkeypatch):
    """The week's lab wants one thing, of which AWS takes one create every ten seconds in an account."""
    monkeypatch.setitem(kinds.registry(), TokenKind.name, TokenKind())
    monkeypatch.setattr(TokenKind, "creates_per_second", 1 / APART.total_seconds())
    pricebook.load()
    made = replace(lab, wants=(Want("box", TokenKind.name),))
    monkeypatch.setattr(catalog, "catalog", lambda: {made.slug: made})
    return made


@pytest.fixture
def students(cohort, box, now):
    """In the bootcamp's account, where they wait for each other."""
    cohort.lab_mode = Account.SHARED
    cohort.save()
    account = Account.objects.create(
        name="Bootcamp", mode=Account.SHARED, aws_id="123412341234", scope="", regions=["us-east-1"],
        lab_regions=["us-east-1"], connected_at=now, created_at=now,
    )  # fmt: skip
    Rehearsal.objects.create(account=account, lab=box.slug, at=now, passed=True)
    joined = [member(cohort, f"student{number:02}", "student", now) for number in range(STUDENTS)]
    for student in joined:
        rules_of_use.accept(student, now)
    Launch.objects.create(
        lab=box.slug, account=account, owner=joined[0], region="us-east-1", created_at=now - 3 * HOUR,
        expires_at=now - HOUR, ready_at=now - 3 * HOUR + TAKES, ended_at=now - 2 * HOUR,
    )  # fmt: skip
    return joined


class SlowAws(Cloud):
    """It throttles whoever creates sooner than ten seconds after the last."""

    def __init__(self, clock):
        super().__init__(clock, ready_after=TAKES.total_seconds())
        self.at, self.created, self.throttled = self.paced, [], 0

    def paced(self, number, operation, when):
        if when == "before" and operation.startswith("Create fake"):
            if self.created and self.clock() - self.created[-1] < APART:
                self.throttled += 1
                raise refusal("ThrottlingException")
            self.created.append(self.clock())


def test_a_class_of_24_keeps_awss_rate_and_all_of_it_runs_at_the_hour(
    students, cohort, chit, at, box, now, monkeypatch
):
    clock = Clock(now)
    cloud = SlowAws(clock)
    monkeypatch.setattr(aws, "client", lambda account, service, region=None, config=None: cloud)
    part = LabInWeek.objects.select_related("week").get(week__number=2)
    planned = prelaunching.plan(cohort, part, at, now=now, by=chit)
    lead = at - planned.begins_at - (STUDENTS - 1) * APART
    assert TAKES < lead == 1.5 * TAKES, "as the last one took, with a reserve"

    # Beat's seconds are not the plan's.
    world, clock.now = World(clock), planned.begins_at - timedelta(seconds=8)
    while ClassSeat.objects.filter(outcome="").exists():
        prelaunching.start_due(clock())
        world.run(BEAT.total_seconds())
    world.run((at - clock()).total_seconds())

    assert clock() == at
    seats = list(planned.seats.select_related("launch").order_by("start_at"))
    assert Counter(seat.outcome for seat in seats) == {ClassSeat.STARTED: STUDENTS}
    begun = [seat.launch.created_at for seat in seats]
    assert all(seat.start_at <= when < seat.start_at + BEAT for seat, when in zip(seats, begun, strict=True))
    assert min(then - first for first, then in pairwise(begun)) == APART, "no faster than planned"
    assert (cloud.throttled, len(cloud.made)) == (0, STUDENTS)

    assert [cloud.state_of(thing) for thing in cloud.alive()] == [RUNNING] * STUDENTS, "at AWS"
    launches = Launch.objects.filter(owner__in=students, ended_at=None)
    assert launches.filter(ready_at__lte=at).count() == STUDENTS, "and in the portal"
    assert {one.expires_at for one in launches} == {at + timedelta(hours=float(box.hours))}
