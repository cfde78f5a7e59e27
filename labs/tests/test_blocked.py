"""A teardown that is blocked: what is said of it, and that a person can have it tried at once."""

from datetime import timedelta

import pytest

from labs import blocked, launching, ledger
from labs.decide import GONE
from labs.kinds.base import Want
from labs.models import Event, Resource
from labs.panel import panel
from labs.tests.cast import START, refusal
from labs.tests.conftest import lab_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def lab(monkeypatch):
    from labs import catalog

    made = lab_of(Want("role", "fake-name"), slug="s")
    monkeypatch.setitem(catalog.catalog(), "s", made)
    return made


@pytest.fixture
def stuck(lab, account, aye, clock, world, cloud):
    """A lab that was asked to end, and whose only thing AWS does not let go: {why it does not: the row}."""

    def make(code, status=400):
        launch = launching.launch(lab, account, aye, now=clock())
        world.run(30)

        def at(number, operation, when):
            if operation.startswith("Delete"):
                raise refusal(code, status)

        cloud.at = at
        launching.ask_to_delete(launch, now=clock(), by=aye)
        world.run(33 * 60)
        return Resource.objects.select_related("launch", "account").get(launch=launch)

    return make


@pytest.mark.parametrize(
    ("code", "status", "begins", "to_do"),
    [
        ("AccessDenied", 403, blocked.DENIED, "lacks a permission"),
        ("DependencyViolation", 400, blocked.IN_USE, "delete that first"),
        ("ValidationError", 400, blocked.KEPT, "deletes it there"),
    ],
)
def test_what_aws_refuses_to_delete_says_why_and_what_to_do(stuck, code, status, begins, to_do):
    row = stuck(code, status)
    assert blocked.is_blocked_teardown(row)
    assert row.blocked_why.startswith(begins) and code in row.blocked_why
    assert to_do in blocked.advice(row) and blocked.BY_ITSELF in blocked.advice(row)


def test_a_delete_that_aws_took_and_does_not_do_is_told_too(lab, account, aye, clock, world, monkeypatch):
    from labs import catalog

    liar = lab_of(Want("it", "fake-liar"), slug="s")
    monkeypatch.setitem(catalog.catalog(), "s", liar)
    launch = launching.launch(liar, account, aye, now=clock())
    world.run(30)
    launching.ask_to_delete(launch, now=clock(), by=aye)
    world.run(20 * 60)
    row = Resource.objects.get(launch=launch)
    assert row.blocked_why.startswith(blocked.STILL_SHOWN)
    assert "take AWS up to an hour" in blocked.advice(row)


def test_what_is_blocked_on_its_way_up_is_no_blocked_teardown():
    assert not blocked.is_blocked_teardown(Resource(wanted="running", blocked_why="no capacity"))
    assert not blocked.is_blocked_teardown(Resource(wanted=GONE, blocked_why=""))
    assert not blocked.is_blocked_teardown(Resource(wanted=GONE, blocked_why="x", closed_at=START))


def test_trying_again_does_not_wait_for_its_turn(stuck, cloud, clock, world, aye):
    row = stuck("AccessDenied", 403)
    assert row.next_look_at - clock() > timedelta(minutes=1)
    cloud.at = lambda number, operation, when: None
    assert launching.try_again([row], now=clock(), by=aye) == [row]
    world.run(40)
    row.refresh_from_db()
    assert row.closed_at, "what AWS takes now is not told as taken half an hour ago"
    event = Event.objects.get(resource=row, code="asked", words__startswith="Another try")
    assert event.actor == aye


def test_trying_again_while_a_worker_holds_the_row_is_not_lost(stuck, cloud, clock, world, aye):
    row = stuck("AccessDenied", 403)
    clock.now = row.next_look_at
    held = ledger.claim(clock(), pk=row.pk)
    launching.try_again([row], now=clock() + timedelta(seconds=1), by=aye)
    ledger.block(held, "AWS does not let the portal do this: as before", clock() + timedelta(minutes=10), clock())
    row.refresh_from_db()
    assert row.next_look_at <= clock() + timedelta(seconds=1)


def test_what_is_not_blocked_is_not_tried_again(lab, account, aye, clock, world):
    launch = launching.launch(lab, account, aye, now=clock())
    world.run(30)
    rows = list(Resource.objects.filter(launch=launch))
    assert launching.try_again(rows, now=clock(), by=aye) == []
    assert not Event.objects.filter(launch=launch, code="asked").exists()


def test_an_end_that_is_not_proved_says_what_is_left(lab, account, aye, clock, world, cloud):
    launch = launching.launch(lab, account, aye, now=clock())
    world.run(30)
    [thing] = cloud.alive()
    cloud.things["twin"] = type(thing)(**{**vars(thing), "id": "twin", "name": "twin"})
    launching.ask_to_delete(launch, now=clock(), by=aye)
    world.run(120)
    launch.refresh_from_db()
    assert launch.ended_at is None
    assert "Still there after the lab" in panel(launch, clock()).unproved
    cloud.things["twin"].gone_at = clock()
    world.run(60)
    launch.refresh_from_db()
    assert launch.ended_at and panel(launch, clock()).unproved == ""
