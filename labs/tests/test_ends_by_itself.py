"""What ends by itself, as a training job: told as what it is, made once, waited for by what needs it."""

import pytest

from labs import catalog, launching, ledger
from labs.kinds.base import Want
from labs.models import Resource, Span
from labs.panel import panel
from labs.tests.conftest import lab_of

pytestmark = pytest.mark.django_db

JOB = Want("train", "fake-job")
ROLE = Want("role", "fake-name")
MODEL = Want("model", "fake-token", {"data": "{train.artifacts}"}, needs=("train",))


@pytest.fixture
def start(account, aye, clock, cloud):
    return lambda *wants: launching.launch(lab_of(*wants), account, aye, now=clock())


@pytest.fixture
def look(world, clock):
    """What a census does with a row that its list no longer shows."""

    def again(launch, seconds=20):
        ledger.hurry(Resource.objects.open().filter(launch=launch).values_list("pk", flat=True), clock())
        world.run(seconds)
        return world.rows(launch)

    return again


def told_of(launch):
    return list(launch.events.filter(code="gone").values_list("words", flat=True))


def test_a_job_that_completes_is_not_ended_outside_the_portal(start, world, cloud, look):
    launch = start(JOB, ROLE)
    world.run(90)
    row = look(launch)["train"]
    assert row.closed_why == "it completed"
    assert told_of(launch) == [f"Fake {row.name} has ended: it completed"]
    assert world.rows(launch)["role"].closed_at is None, "the rest of the lab goes on"


def test_its_meter_stops_where_aws_says_that_it_ended_and_not_when_we_noticed(start, world, cloud, look):
    launch = start(JOB)
    world.run(200)
    look(launch)
    (thing,) = cloud.things.values()
    assert [span.state for span in Span.objects.order_by("began")] == ["pending", "running"]
    assert Span.objects.get(state="running").ended == thing.gone_at


def test_a_job_that_fails_is_told_with_what_aws_says(start, world, cloud, look):
    cloud.job_failure = "AlgorithmError: no column 'label'"
    launch = start(JOB, ROLE)
    world.run(90)
    row = look(launch)["train"]
    assert row.closed_why == "it failed: AlgorithmError: no column 'label'"
    assert told_of(launch) == [f"Fake {row.name} has ended: {row.closed_why}"]


def test_a_job_that_ended_before_anybody_saw_it_is_closed_and_not_asked_for_again(start, world, cloud, clock):
    """Its name is used up: each further try would be refused, for ever."""
    cloud.job_seconds = 0.1
    cloud.ready_after = 0.1
    launch = start(JOB, ROLE)
    world.run(60)
    row = world.rows(launch)["train"]
    assert row.closed_why == "it completed"
    assert cloud.calls.count("Create fake-job") == 1
    assert told_of(launch) == [f"Fake {row.name} has ended: it completed"]


def test_what_needs_a_job_is_made_when_its_work_is_done(start, world, cloud, look):
    launch = start(JOB, MODEL)
    world.run(40)
    rows = world.rows(launch)
    assert (rows["train"].seen, rows["model"].create_began_at) == ("running", None)
    world.run(40)
    rows = look(launch, 60)
    assert rows["model"].seen == "running"
    assert ledger.want_of(rows["model"], rows).params["data"] == f"s3://{rows['train'].name}"


def test_what_needs_a_job_that_failed_says_so(start, world, cloud, look):
    cloud.job_failure = "no such image"
    launch = start(JOB, MODEL)
    world.run(80)
    rows = look(launch)
    assert rows["model"].blocked_why == f"it needs {rows['train'].name}, and it failed: no such image"
    assert rows["model"].create_began_at is None


def test_a_lab_is_ready_also_when_its_job_has_ended_before_the_rest_was_there(start, world, cloud, look):
    cloud.job_seconds = 0.1
    cloud.ready_after = 30
    launch = start(JOB, ROLE)
    world.run(100)
    look(launch)
    launch.refresh_from_db()
    assert launch.ready_at


def test_finish_stops_a_job_and_what_it_saved_is_waited_for(start, world, cloud, clock, aye):
    launch = start(JOB, ROLE)
    world.run(30)
    launching.ask_to_delete(launch, now=clock(), by=aye)
    world.run(60)
    assert cloud.calls.count("Stop fake-job") == 1, "while it stops, it is not told again"
    assert world.rows(launch)["train"].closed_why == "it was stopped before it was done"
    launch.refresh_from_db()
    assert launch.certificate["left"] == []


def test_a_lab_whose_last_resource_was_a_job_ends_with_it(start, world, look):
    launch = start(JOB)
    world.run(90)
    look(launch, 40)
    launch.refresh_from_db()
    assert launch.certificate["rows"][0]["why"] == "it completed"


@pytest.mark.parametrize(
    ("failure", "finished", "wrong"),
    [("", False, False), ("no such image", False, True), ("no such image", True, False)],
    ids=["it completed", "it failed", "it failed while the lab was being finished"],
)
def test_the_page_shows_a_failure_as_one(start, aye, clock, cloud, world, look, monkeypatch, failure, finished, wrong):
    monkeypatch.setitem(catalog.catalog(), "fakes", lab_of(JOB, ROLE))
    cloud.job_failure = failure
    launch = start(JOB, ROLE)
    world.run(20)
    if finished:
        launching.ask_to_delete(launch, now=clock(), by=aye)
    world.run(80)
    look(launch)
    line = next(line for line in panel(launch, clock()).lines if line.row.key == "train")
    assert (line.shown, line.has_ended, line.went_wrong) == ("gone", True, wrong)
