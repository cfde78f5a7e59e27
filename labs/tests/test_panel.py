"""What the lab page shows, and what it asks the database."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from labs import catalog, checking, launching
from labs.catalog.base import Checked, Lab, Step
from labs.kinds.base import Want
from labs.models import Event, Launch, StepCheck
from labs.panel import filled, panel
from labs.tests.by_hand import Row
from labs.tests.cast import refusal

pytestmark = pytest.mark.django_db


def looks(view):
    client = view.client("fake")
    return client.call("Check", lambda: Checked(len(client.alive()) > 1, "There is no second thing yet."))


STEPS = (
    Step("look", "Look around", "Your role is `{role.name}` in {region}.", check=looks),
    Step("finish", "Finish", "Turn it off."),
)


@pytest.fixture
def lab(monkeypatch):
    made = Lab("fakes", "A lab of fakes", "Fakes.", "testing", 30, Decimal(2), (Want("role", "fake-name"),), STEPS)
    monkeypatch.setitem(catalog.catalog(), "fakes", made)
    return made


@pytest.fixture
def launch(lab, account, aye, clock, world):
    return launching.launch(lab, account, aye, now=clock())


def test_three_queries_whatever_the_number_of_resources_and_events(launch, world, clock, django_assert_num_queries):
    world.run(20)
    Event.objects.bulk_create(
        Event(at=clock(), launch=launch, code="x", words=f"event {number}") for number in range(200)
    )
    launch = Launch.objects.select_related("account").get(pk=launch.pk)
    with django_assert_num_queries(3):
        shown = panel(launch, clock())
    assert len(shown.events) == 30


def test_it_comes_up_runs_and_goes(launch, world, clock, aye):
    shown = panel(launch, clock())
    assert (shown.shown, shown.is_moving) == ("creating", True)
    world.run(30)
    launch.refresh_from_db()
    shown = panel(launch, clock())
    assert (shown.shown, shown.is_moving) == ("running", False)
    assert shown.steps[0].body_md == f"Your role is `{shown.lines[0].row.name}` in us-east-1."
    launching.ask_to_delete(launch, now=clock(), by=aye)
    launch.refresh_from_db()
    assert panel(launch, clock()).shown == "stopping"
    world.run(60)
    launch.refresh_from_db()
    assert panel(launch, clock()).shown == "gone"


def test_the_step_of_finishing_is_done_when_the_lab_has_its_certificate_and_not_before(launch, world, clock, aye):
    world.run(30)
    launching.ask_to_delete(launch, now=clock(), by=aye)
    launch.refresh_from_db()
    assert [step.is_done for step in panel(launch, clock()).steps] == [False, False]
    world.run(60)
    launch.refresh_from_db()
    assert launch.certificate
    shown = panel(launch, clock())
    assert [step.is_done for step in shown.steps] == [False, True]
    assert shown.steps_done == 1


def test_a_steps_words_say_how_names_and_tags_of_this_launch_begin(lab, monkeypatch, account, aye, clock, world):
    words = "Name it {lab.prefix}role, tag it student={lab.student} and lab={lab.tag}, bound by {lab.boundary}."
    empty = replace(lab, wants=(), steps=(Step("make", "Make it", words, looks), *lab.steps[1:]))
    monkeypatch.setitem(catalog.catalog(), lab.slug, empty)
    launch = launching.launch(empty, account, aye, now=clock())
    mark = launch.id.hex[:12]
    shown = panel(launch, clock()).steps[0].body_md
    boundary = f"arn:aws:iam::{account.aws_id}:policy/lab/boundary"
    assert shown == f"Name it lab-{mark}-role, tag it student={aye.pk} and lab={mark}, bound by {boundary}."
    view = checking.view_of(launch)
    assert (view.prefix, view.tags) == (f"lab-{mark}-", {"student": str(aye.pk), "lab": mark})
    assert (view.boundary, view.mode) == (boundary, "practice")


def test_what_is_stuck_says_why(launch, world, cloud, clock):
    cloud.ready_after = 3600
    world.run(17 * 60, step=10)
    launch.refresh_from_db()
    shown = panel(launch, clock())
    assert shown.shown == "stuck"
    assert "more than 15 minutes" in shown.lines[0].words


def test_what_aws_ended_by_itself_has_failed_and_keeps_saying_why(lab, monkeypatch, account, aye, world, cloud, clock):
    with_a_box = replace(lab, wants=(*lab.wants, Want("box", "fake-never-ready")))
    monkeypatch.setitem(catalog.catalog(), lab.slug, with_a_box)
    launch = launching.launch(with_a_box, account, aye, now=clock())
    world.run(20)
    assert panel(launch, clock()).shown == "stuck"
    cloud.alive("fake-never-ready")[0].gone_at = clock()
    world.run(15 * 60)
    shown = panel(launch, clock())
    assert (shown.shown, [line.shown for line in shown.lines]) == ("failed", ["running", "failed"])
    assert shown.lines[1].words == "it failed, and AWS says: no capacity"


def test_a_state_that_nobody_confirmed_for_long_is_unknown_not_running(launch, world, clock):
    world.run(30)
    row = world.rows(launch)["role"]
    clock.now = row.next_look_at + timedelta(minutes=16)
    launch.refresh_from_db()
    assert panel(launch, clock()).shown == "unknown"


def test_check_my_progress_says_what_is_missing_and_then_passes(launch, world, cloud, clock, aye):
    world.run(30)
    first = checking.check_step(launch, "look", now=clock(), by=aye)
    assert (first.passed, first.said) == (False, "There is no second thing yet.")
    twin = cloud.alive()[0]
    cloud.things["second"] = type(twin)(**{**vars(twin), "id": "second"})
    assert checking.check_step(launch, "look", now=clock(), by=aye).passed
    del cloud.things["second"]
    assert checking.check_step(launch, "look", now=clock(), by=aye).passed, "what was passed stays passed"
    assert StepCheck.objects.count() == 1


@pytest.mark.parametrize(
    ("mode", "expect", "said", "adds"),
    [
        ("practice", "Nothing is computed.", "It is there.", True),
        ("practice", "Nothing is computed.", "In practice mode it holds a sentence.", False),
        ("practice", "", "It is there.", False),
        ("own", "Nothing is computed.", "It is there.", False),
    ],
)
def test_a_marked_step_that_passes_in_practice_mode_says_so(
    launch, lab, clock, aye, monkeypatch, mode, expect, said, adds
):
    marked = replace(STEPS[0], check=lambda view: Checked(True, said), expect=expect)
    monkeypatch.setitem(catalog.catalog(), "fakes", replace(lab, steps=(marked, STEPS[1])))
    launch.account.mode = mode
    found = checking.check_step(launch, "look", now=clock(), by=aye)
    assert (found.passed, found.said) == (True, f"{said} {checking.LESS_HERE}" if adds else said)


def test_a_check_that_aws_does_not_answer_is_not_the_students_failure(launch, world, cloud, clock, aye):
    world.run(30)

    def at(number, operation, when):
        if operation == "Check":
            raise refusal("InternalError", 500)

    cloud.at = at
    said = checking.check_step(launch, "look", now=clock(), by=aye)
    assert not said.passed
    assert "We could not look" in said.said


def test_a_step_without_a_check_is_not_checked(launch, world, clock, aye):
    with pytest.raises(checking.NoSuchStep):
        checking.check_step(launch, "finish", now=clock(), by=aye)
    with pytest.raises(checking.NoSuchStep):
        checking.check_step(launch, "no-such", now=clock(), by=aye)


def test_an_address_of_practice_mode_is_told_as_a_laptop_reaches_it(launch, settings):
    settings.SIMULATOR_URL, settings.GATEWAY_URL = "http://127.0.0.1:5566", "https://lights.example/practice"
    api = Row("api", "shop", "a1", {"url": "http://127.0.0.1:5566/execute-api/a1/prod"})
    words = filled("curl {api.url}/health", launch, [api])
    assert words == "curl https://lights.example/practice/execute-api/a1/prod/health"
    settings.SIMULATOR_URL = ""
    assert filled("{api.name}", launch, [api]) == "shop"
