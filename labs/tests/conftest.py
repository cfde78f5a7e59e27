"""The small worlds that the controller's tests are played in."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db.models import Min

from labs import aws, certify, ending, kinds, reconcile
from labs.catalog.base import Lab
from labs.kinds.base import Want
from labs.models import Account, Launch, Resource
from labs.tests.account_with_functions import AccountWithFunctions
from labs.tests.cast import CAST, START, Clock, Cloud


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def cloud(clock, monkeypatch):
    """A fake AWS behind every client of labs.aws, and the fake kinds in the registry."""
    made = Cloud(clock)
    monkeypatch.setattr(aws, "client", lambda account, service, region=None, config=None: made)
    for fake in CAST:
        monkeypatch.setitem(kinds.registry(), fake.name, fake())
    return made


@pytest.fixture
def aye(db):
    return get_user_model().objects.create_user(email="aye@school.example", password="x", name="Aye")


@pytest.fixture
def bo(db):
    return get_user_model().objects.create_user(email="bo@school.example", password="x", name="Bo")


@pytest.fixture
def account(aye):
    return Account.objects.create(
        name="Aye's",
        mode=Account.PRACTICE,
        aws_id="200000000001",
        owner=aye,
        regions=["us-east-1", "ap-southeast-1"],
        lab_regions=["us-east-1"],
        created_at=START,
    )


@pytest.fixture
def practice(simulator):
    """A simulated account where functions are not run."""
    return AccountWithFunctions(simulator)


@pytest.fixture
def running(simulator_that_runs):
    """A simulated account where they are: for tests with the marker bwrap."""
    return AccountWithFunctions(simulator_that_runs)


def lab_of(*wants, hours=2, slug="fakes"):
    return Lab(slug, "A lab of fakes", "Fakes.", "testing", 30, hours, tuple(wants), ())


def family(net):
    """Two parents and a child; `net` is the kind of the first."""
    return lab_of(
        Want("net", net),
        Want("role", "fake-name"),
        Want("box", "fake-token", {"role": "{role.arn}"}, needs=("net", "role")),
    )


FAMILY = family("fake-name")
# AWS has no guard against a second create of its first parent.
UNGUARDED_FAMILY = family("fake-tag")


class World:
    """Drives the reconciler through time without sleeping."""

    def __init__(self, clock):
        self.clock = clock

    def run(self, seconds: float = 120, *, step: float = 1.0) -> None:
        """Let time pass, working off what is due, as beat and the workers do; from one due row to the next."""
        end = self.clock() + timedelta(seconds=seconds)
        while self.clock() < end:
            reconcile.work_off(self.clock, until=self.clock() + timedelta(seconds=1), most=50)
            ending.prepare_due(self.clock)
            certify.prove_due(self.clock)
            self.clock.now = min(end, max(self.clock() + timedelta(seconds=step), self._next_due(end)))

    def _next_due(self, end):
        """Rows that a killed worker holds are due when its lease has run out: time goes on by steps then."""
        if Resource.objects.open().exclude(lease_until=None).exists():
            return self.clock()
        looks = Resource.objects.open().aggregate(at=Min("next_look_at"))["at"]
        proofs = Launch.objects.open().aggregate(at=Min("prove_at"))["at"]
        return min(at for at in (looks, proofs, end) if at is not None)

    def rows(self, launch: Launch) -> dict[str, Resource]:
        return {row.key: row for row in Resource.objects.filter(launch=launch)}

    def states(self, launch: Launch) -> dict[str, str]:
        return {key: row.seen for key, row in self.rows(launch).items()}


@pytest.fixture
def world(clock, cloud):
    return World(clock)
