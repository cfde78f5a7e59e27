"""From a click to a certificate, on fakes: what holds when workers die and AWS fails."""

import threading
from datetime import timedelta

import pytest
from django.db import transaction
from kombu.exceptions import OperationalError

from labs import aws, census, certify, guardrails, launching, ledger, reconcile
from labs.decide import UNASKED_GAPS
from labs.kinds import kind_of
from labs.kinds.base import RUNNING, Seen, Want
from labs.models import Event, Launch, Resource, Span
from labs.tests.cast import (
    Died,
    broken,
    dies_at,
    every_call_fails_once,
    refusal,
    throttled,
    timed_out,
)
from labs.tests.conftest import FAMILY, UNGUARDED_FAMILY, lab_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def start(account, aye, clock, cloud):
    def begin(lab=FAMILY, **more):
        return launching.launch(lab, account, aye, now=clock(), **more)

    return begin


def test_a_click_becomes_running_resources_and_a_finish_becomes_a_certificate(start, world, cloud, aye, clock):
    launch = start()
    world.run(60)
    assert world.states(launch) == {"net": "running", "role": "running", "box": "running"}
    launch.refresh_from_db()
    assert launch.ready_at

    launching.ask_to_delete(launch, now=clock(), by=aye)
    world.run(120)
    launch.refresh_from_db()
    assert launch.ended_at
    assert launch.certificate["left"] == []
    assert [line["kind"] for line in launch.certificate["rows"]] == ["Fake"] * 3
    assert cloud.alive() == []


def test_parents_are_made_before_children_and_deleted_after_them(start, world, cloud, clock):
    launch = start()
    world.run(60)
    launching.ask_to_delete(launch, now=clock())
    world.run(120)
    creates = [call for call in cloud.calls if call.startswith("Create")]
    deletes = [call for call in cloud.calls if call.startswith("Delete")]
    assert creates[-1] == "Create fake-token"
    assert deletes[0] == "Delete fake-token"
    assert "DependencyViolation" not in " ".join(Event.objects.values_list("words", flat=True))


def test_a_childs_params_carry_its_parents_facts(start, world):
    launch = start()
    world.run(60)
    rows = world.rows(launch)
    want = ledger.want_of(rows["box"], rows)
    assert want.params["role"] == rows["role"].facts["arn"]


def test_what_a_lab_makes_says_whose_it_is_by_its_tags_and_by_its_names_beginning(start, world, aye):
    launch = start()
    rows = world.rows(launch)
    want = ledger.want_of(rows["box"], rows)
    own = guardrails.tags(aye.pk, launch.id.hex)
    assert own.items() <= want.tags.items()
    assert all(row.name.startswith(guardrails.own_prefix(launch.id.hex)) for row in rows.values())


def whole_life(world, cloud, clock, account, aye, at, lab=FAMILY):
    """Launch, run, finish, with `at` in force; a killed worker is followed by another once its lease has run out."""
    cloud.calls.clear()
    cloud.made.clear()
    launch = launching.launch(lab, account, aye, now=clock())
    cloud.at = at

    def live(seconds, until):
        end = clock() + timedelta(seconds=seconds)
        while clock() < end and not until():
            try:
                world.run(10)
            except Died:
                clock.tick(ledger.LEASE.total_seconds() + 1)

    live(600, lambda: set(world.states(launch).values()) == {"running"})
    up = world.states(launch), len(cloud.made)
    launching.ask_to_delete(launch, now=clock(), by=aye)
    live(1200, lambda: Launch.objects.get(pk=launch.pk).ended_at)
    cloud.at = lambda number, operation, when: None
    return launch, up


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize(
    ("lab", "when"),
    [(FAMILY, "before"), (UNGUARDED_FAMILY, "after")],
    ids=["before the call", "after the call, one kind without a guard at AWS"],
)
def test_a_worker_that_dies_at_any_call_leaves_nothing_behind_and_nothing_twice(
    world, cloud, clock, account, aye, lab, when
):
    number = 0
    while True:
        number += 1
        launch, (states, made) = whole_life(world, cloud, clock, account, aye, dies_at(number, when), lab)
        if len(cloud.calls) < number:
            break
        launch.refresh_from_db()
        assert set(states.values()) == {"running"}, f"killed {when} call {number}: {cloud.calls[number - 1]}"
        assert made == 3, f"made twice, killed {when} call {number}: {cloud.calls}"
        assert launch.ended_at, f"never ended, killed {when} call {number}"
        assert cloud.alive() == []
    assert number > 20


@pytest.mark.parametrize(
    ("lab", "error", "when"),
    [
        (FAMILY, throttled, "before"),
        (FAMILY, broken, "before"),
        (FAMILY, timed_out, "before"),
        (FAMILY, timed_out, "after"),
        (FAMILY, broken, "after"),
        (UNGUARDED_FAMILY, throttled, "before"),
        (UNGUARDED_FAMILY, timed_out, "after"),
    ],
    ids=lambda value: value.wants[0].kind if hasattr(value, "wants") else getattr(value, "__name__", value),
)
def test_every_call_failing_once_ends_in_the_same_state(world, cloud, clock, account, aye, lab, error, when):
    launch, (states, made) = whole_life(world, cloud, clock, account, aye, every_call_fails_once(error, when), lab)
    launch.refresh_from_db()
    assert set(states.values()) == {"running"}
    assert made == 3
    assert launch.ended_at
    assert not launch.certificate["left"]
    assert cloud.alive() == []


def test_a_throttled_call_counts_no_attempt(start, world, cloud):
    cloud.at = every_call_fails_once(throttled)
    launch = start(lab_of(Want("role", "fake-name")))
    world.run(3)
    assert world.rows(launch)["role"].attempts == 0


def test_a_token_lost_on_the_way_is_asked_for_again_and_makes_one(start, world, cloud):
    cloud.visible_after = 90  # longer than the settle time: the create is repeated with the same token
    launch = start(lab_of(Want("box", "fake-token")))
    world.run(150)
    assert world.states(launch) == {"box": "running"}
    assert cloud.calls.count("Create fake-token") > 1
    assert cloud.made == ["fake-token-1"]


def test_a_token_of_what_somebody_deleted_at_once_is_not_asked_for_in_silence(start, world, cloud):
    """AWS answers with the first one for as long as it knows the token, and shows nothing."""
    cloud.make = lambda kind, want: None
    launch = start(lab_of(Want("box", "fake-token")))
    world.run(400)
    assert "somebody deleted it" in world.rows(launch)["box"].blocked_why
    del cloud.make
    world.run(60)
    row = world.rows(launch)["box"]
    assert (row.seen, row.blocked_why) == ("running", "")


def test_a_tag_that_is_never_seen_is_shown_to_a_person_rather_than_made_again(start, world, cloud):
    cloud.visible_after = 10_000
    launch = start(lab_of(Want("net", "fake-tag")))
    world.run(120)
    row = world.rows(launch)["net"]
    assert "look in the account" in row.blocked_why
    assert cloud.calls.count("Create fake-tag") == 1


def test_a_denied_create_is_blocked_loudly_and_mends_itself_when_it_may(start, world, cloud, clock):
    launch = start(lab_of(Want("x", "fake-denied")))
    world.run(10)
    row = world.rows(launch)["x"]
    assert "AWS does not let the portal do this" in row.blocked_why
    assert row.create_began_at is None
    assert Event.objects.filter(code="blocked").count() == 1
    launching.ask_to_delete(launch, now=clock())
    world.run(30)
    launch.refresh_from_db()
    assert launch.ended_at


def test_what_aws_could_not_make_says_why_and_can_be_deleted(start, world, cloud, clock):
    launch = start(lab_of(Want("x", "fake-never-ready")))
    world.run(20)
    assert "no capacity" in world.rows(launch)["x"].blocked_why
    launching.ask_to_delete(launch, now=clock())
    world.run(60)
    launch.refresh_from_db()
    assert launch.ended_at


def test_a_delete_that_only_says_yes_closes_nothing_and_gets_loud(start, world, cloud, clock):
    launch = start(lab_of(Want("x", "fake-liar")))
    world.run(20)
    launching.ask_to_delete(launch, now=clock())
    world.run(20 * 60, step=5)
    row = world.rows(launch)["x"]
    assert row.closed_at is None
    assert "still shows it" in row.blocked_why
    launch.refresh_from_db()
    assert launch.ended_at is None


def test_what_nobody_asked_to_go_is_closed_only_when_it_is_missed_again_and_again(start, world, cloud, clock, settings):
    launch = start(lab_of(Want("role", "fake-name")))
    world.run(20)
    thing = cloud.alive()[0]
    thing.gone_at = clock()  # deleted by hand
    row = world.rows(launch)["role"]
    ledger.hurry([row.pk], clock())
    reconcile.reconcile(ledger.claim(clock(), pk=row.pk), clock)
    row.refresh_from_db()
    assert row.absent_since == clock()
    for _ in range(UNASKED_GAPS):
        assert row.closed_at is None
        clock.tick(settings.ABSENCE_GAP.total_seconds())
        reconcile.reconcile(ledger.claim(clock(), pk=row.pk), clock)
        row.refresh_from_db()
    assert row.closed_why == "it was ended outside the portal"
    assert cloud.calls.count("Create fake-name") == 1


def test_what_aws_could_not_make_and_ended_keeps_its_reason(start, world, cloud, clock):
    launch = start(lab_of(Want("x", "fake-never-ready")))
    world.run(20)
    assert world.rows(launch)["x"].blocked_why == "AWS could not make it: no capacity"
    cloud.alive()[0].gone_at = clock()  # AWS clears away what never ran, and then shows nothing of it
    world.run(15 * 60)
    row = world.rows(launch)["x"]
    assert row.closed_at
    assert row.closed_why == "it failed, and AWS says: no capacity"


def test_a_thing_that_aws_hides_for_a_moment_is_not_closed(start, world, cloud, clock):
    launch = start(lab_of(Want("role", "fake-name")))
    world.run(20)
    row = world.rows(launch)["role"]
    thing = cloud.alive()[0]
    thing.visible_at = clock() + timedelta(seconds=2)
    ledger.hurry([row.pk], clock())
    world.run(15)
    row.refresh_from_db()
    assert row.closed_at is None
    assert row.absent_since is None


@pytest.mark.parametrize("finish", [False, True], ids=["while it is wanted", "when it is to go"])
def test_a_new_thing_that_aws_hides_for_longer_is_not_taken_for_gone(start, world, cloud, clock, finish):
    """Seen in one place, and not yet known in another."""
    launch = start(lab_of(Want("role", "fake-name")))
    world.run(6)
    thing = cloud.alive()[0]
    thing.visible_at = clock() + timedelta(seconds=10)
    if finish:
        launching.ask_to_delete(launch, now=clock())
    else:
        ledger.hurry([world.rows(launch)["role"].pk], clock())
    world.run(8)
    row = world.rows(launch)["role"]
    assert row.absent_since and row.closed_at is None
    world.run(120)
    assert [each.id for each in cloud.alive()] == ([] if finish else [thing.id])
    assert bool(Launch.objects.get(pk=launch.pk).ended_at) == finish


def test_a_create_that_arrives_late_and_is_shown_late_is_found_before_its_row_closes(start, world, cloud, clock):
    """Held up for nearly its lease, then not shown for a while: until all of that has passed, it may still appear."""
    cloud.visible_after = 15
    launch = start(lab_of(Want("role", "fake-name")))

    def held_up(number, operation, when):
        if operation == "Create fake-name" and when == "before":
            cloud.at = lambda *args: None
            clock.tick(ledger.LEASE.total_seconds() - 5)
            launching.ask_to_delete(launch, now=clock())

    cloud.at = held_up
    world.run(300)
    assert cloud.made and cloud.alive() == []


def test_start_pressed_while_a_stop_is_on_its_way_brings_it_back(start, world, cloud, clock, aye):
    launch = start(lab_of(Want("box", "fake-token")))
    world.run(30)

    def pressed_meanwhile(number, operation, when):
        if operation == "Stop fake-token" and when == "before":
            cloud.at = lambda *args: None
            launching.ask_to_start(launch, now=clock(), by=aye)
            clock.tick(3)

    cloud.at = pressed_meanwhile
    launching.ask_to_stop(launch, now=clock(), by=aye)
    world.run(30)
    assert "Stop fake-token" in cloud.calls
    assert world.states(launch) == {"box": "running"}
    assert cloud.alive()[0].state == RUNNING
    # What somebody else stops from now on is theirs again.
    cloud.alive()[0].state, cloud.alive()[0].since = "stopped", clock()
    ledger.hurry([world.rows(launch)["box"].pk], clock())
    world.run(10)
    assert world.states(launch) == {"box": "stopped"}


def test_stop_keeps_the_disk_and_start_brings_it_back(start, world, cloud, clock, aye):
    launch = start()
    world.run(60)
    launching.ask_to_stop(launch, now=clock(), by=aye)
    world.run(20)
    assert world.states(launch)["box"] == "stopped"
    launching.ask_to_start(launch, now=clock(), by=aye)
    world.run(20)
    assert world.states(launch)["box"] == "running"


def test_stop_deletes_what_costs_by_the_hour_and_cannot_stop(start, world, cloud, clock, aye):
    launch = start(lab_of(Want("endpoint", "fake-no-stop"), Want("role", "fake-name")))
    world.run(30)
    launching.ask_to_stop(launch, now=clock(), by=aye)
    world.run(60)
    rows = world.rows(launch)
    assert rows["endpoint"].closed_at
    assert rows["role"].closed_at is None


def test_what_somebody_stopped_by_hand_is_not_started_again(start, world, cloud, clock):
    launch = start(lab_of(Want("box", "fake-token")))
    world.run(30)
    thing = cloud.alive()[0]
    thing.state, thing.since = "stopped", clock()
    row = world.rows(launch)["box"]
    ledger.hurry([row.pk], clock())
    world.run(10)
    assert world.states(launch) == {"box": "stopped"}
    assert "Start fake-token" not in cloud.calls


def test_the_clock_deletes_a_lab_past_its_time_and_a_person_cannot_undo_it(start, world, cloud, clock, aye):
    launch = start()
    world.run(60)
    clock.tick(2 * 3600)
    assert launching.end_expired(clock()) == 1
    assert launching.end_expired(clock()) == 0
    launching.ask_to_start(launch, now=clock(), by=aye)
    world.run(120)
    launch.refresh_from_db()
    assert launch.ended_at
    assert {row.wanted_by for row in Resource.objects.filter(launch=launch)} == {"clock"}


@pytest.mark.parametrize("ask", [launching.ask_to_stop, launching.ask_to_start], ids=["stop", "start"])
def test_a_finish_is_not_taken_back_by_a_page_that_is_out_of_date(start, world, cloud, clock, aye, ask):
    launch = start()
    world.run(60)
    launching.ask_to_delete(launch, now=clock(), by=aye)
    ask(launch, now=clock(), by=aye)
    world.run(120)
    launch.refresh_from_db()
    assert launch.ended_at
    assert cloud.alive() == []


def test_the_clock_asks_also_where_a_finish_left_something_on(start, world, cloud, clock, aye):
    launch = start()
    world.run(60)
    Launch.objects.filter(pk=launch.pk).update(asked_to_end_at=clock())
    clock.tick(2 * 3600)
    assert launching.end_expired(clock()) == 1
    assert launching.end_expired(clock()) == 0


def test_deleting_a_parent_takes_its_children_along(start, world, cloud, clock, aye):
    launch = start()
    world.run(60)
    launching.ask_to_delete([world.rows(launch)["net"]], now=clock(), by=aye)
    world.run(60)
    rows = world.rows(launch)
    assert rows["box"].closed_at and rows["net"].closed_at
    assert rows["role"].closed_at is None


def test_an_answer_that_the_portal_does_not_understand_is_counted_and_gets_loud(start, world, cloud, clock):
    def at(number, operation, when):
        if operation.startswith("Describe"):
            raise KeyError("SomeNewStatus")

    cloud.at = at
    launch = start(lab_of(Want("box", "fake-token")))
    world.run(900, step=5)
    assert "SomeNewStatus" in world.rows(launch)["box"].blocked_why


def test_what_was_never_begun_closes_also_while_aws_is_away(start, world, cloud, clock, monkeypatch, aye):
    launch = start()

    def nobody(*args, **kwargs):
        raise aws.NoAnswer("nobody there")

    with monkeypatch.context() as away:
        away.setattr(aws, "client", nobody)
        launching.ask_to_delete(launch, now=clock(), by=aye)
        world.run(30)
        assert all(row.closed_at for row in world.rows(launch).values())


def test_two_extensions_of_half_an_hour_and_no_third(start, clock, aye):
    launch = start()
    before = launch.expires_at
    launching.extend(launch, now=clock(), by=aye)
    kept = launching.extend(launch, now=clock(), by=aye)
    assert kept.expires_at - before == timedelta(hours=1)
    with pytest.raises(launching.CannotExtend, match="already extended 2 times"):
        launching.extend(launch, now=clock(), by=aye)


def test_a_lab_that_goes_off_is_not_extended(start, clock, aye):
    launch = start()
    launching.ask_to_delete(launch, now=clock(), by=aye)
    with pytest.raises(launching.CannotExtend, match="already going off"):
        launching.extend(launch, now=clock(), by=aye)


def test_asked_to_go_between_the_decision_and_the_create_makes_nothing(start, world, cloud, clock, aye):
    launch = start(lab_of(Want("box", "fake-token")))
    row = ledger.claim(clock())
    launching.ask_to_delete(launch, now=clock(), by=aye)
    reconcile.reconcile(row, clock)
    world.run(30)
    assert cloud.made == []
    launch.refresh_from_db()
    assert launch.ended_at


def test_a_worker_whose_lease_ran_out_writes_nothing(start, clock):
    start(lab_of(Want("box", "fake-token")))
    slow = ledger.claim(clock())
    clock.tick(ledger.LEASE.total_seconds() + 1)
    quick = ledger.claim(clock())
    assert quick.pk == slow.pk
    with pytest.raises(ledger.LostLease):
        ledger.begin_create(slow, clock())
    ledger.begin_create(quick, clock())


def test_a_row_is_claimed_once(start, clock):
    start(lab_of(Want("box", "fake-token")))
    assert ledger.claim(clock())
    assert ledger.claim(clock()) is None


def test_a_certificate_is_not_written_while_the_second_method_finds_something(start, world, cloud, clock):
    launch = start(lab_of(Want("role", "fake-name")))
    world.run(20)
    twin = cloud.alive()[0]
    cloud.things["left"] = type(twin)(**{**vars(twin), "id": "left", "name": "left-behind"})
    launching.ask_to_delete(launch, now=clock())
    world.run(40)
    launch.refresh_from_db()
    assert launch.ended_at is None
    assert "left-behind" in launch.events.filter(code="left").first().words
    del cloud.things["left"]
    world.run(40)
    launch.refresh_from_db()
    assert launch.ended_at


def test_what_was_closed_too_early_and_met_again_as_a_stranger_holds_the_certificate(
    start, world, cloud, account, clock
):
    launch = start(lab_of(Want("role", "fake-name")))
    world.run(20)
    row = world.rows(launch)["role"]
    ledger.close(ledger.claim(row.next_look_at, pk=row.pk), clock(), "taken for gone")
    (stranger,) = census.survey([census.Group(account, row.region, row.kind)], clock).strangers
    assert (stranger.kind, stranger.aws_id) == (row.kind, row.aws_id)
    launching.ask_to_delete(launch, now=clock())
    world.run(40)
    launch.refresh_from_db()
    assert launch.ended_at is None
    launching.ask_to_delete([stranger], now=clock())
    world.run(60)
    launch.refresh_from_db()
    assert launch.ended_at
    assert cloud.alive() == []


def test_a_tag_on_what_has_an_arn_for_its_id_is_resolved_by_the_whole_of_it(account, cloud, monkeypatch):
    """By the end of its ARN, "7", a model version would look as if it were gone."""
    arn, asked = "arn:aws:sagemaker:us-east-1:200000000001:model-package/group/7", []

    def observe(client, want):
        asked.append(want.aws_id)
        return Seen(RUNNING, aws_id=arn)

    monkeypatch.setattr(kind_of("sagemaker-model-package"), "observe", observe)
    assert certify._is_there(Launch(account=account), "us-east-1", arn, [], set())
    assert asked == [arn]
    strangers = {("sagemaker-model-package", arn)}
    assert not certify._is_there(Launch(account=account), "us-east-1", arn, [], strangers)


def test_a_certificate_waits_while_aws_does_not_answer(start, world, cloud, clock):
    launch = start(lab_of(Want("role", "fake-name")))
    world.run(20)
    launching.ask_to_delete(launch, now=clock())

    def at(number, operation, when):
        if operation == "GetResources":
            raise refusal("AccessDenied", 403)

    cloud.at = at
    world.run(60)
    launch.refresh_from_db()
    assert launch.ended_at is None
    assert launch.events.filter(code="unproved").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_click_does_not_wait_for_a_broker_that_is_away(start, monkeypatch):
    asked, answered = threading.Event(), threading.Event()

    def slow(*args, **kwargs):
        asked.set()
        answered.wait(5)
        raise OperationalError("nobody there")

    monkeypatch.setattr(launching.current_app, "send_task", slow)
    launch = start(lab_of(Want("role", "fake-name")))
    assert asked.wait(5)
    assert launch.pk
    assert not answered.is_set(), "the launch came back while the broker was still silent"
    answered.set()


def test_a_launch_is_all_or_nothing(account, aye, clock, cloud):
    broken_lab = lab_of(Want("a", "fake-name"), Want("b", "no-such-kind"))
    with pytest.raises(KeyError), transaction.atomic():
        launching.launch(broken_lab, account, aye, now=clock())
    assert Launch.objects.count() == 0
    assert Resource.objects.count() == 0


def test_a_lab_is_refused_where_it_cannot_run(account, aye, clock, cloud):
    lab = lab_of(Want("a", "fake-name"))
    with pytest.raises(launching.CannotLaunch, match="not a region of this account"):
        launching.launch(lab, account, aye, now=clock(), region="eu-west-3")
    account.is_open = False
    with pytest.raises(launching.CannotLaunch, match="closed for new labs"):
        launching.launch(lab, account, aye, now=clock())


def test_spans_tell_the_life_of_a_resource_without_gap_or_overlap(start, world, cloud, clock):
    launch = start(lab_of(Want("box", "fake-token")))
    world.run(60)
    launching.ask_to_stop(launch, now=clock())
    world.run(30)
    launching.ask_to_delete(launch, now=clock())
    world.run(60)
    row = world.rows(launch)["box"]
    spans = list(Span.objects.filter(resource=row))
    assert [span.state for span in spans][0] == "pending"
    assert "running" in [span.state for span in spans]
    assert "stopped" in [span.state for span in spans]
    assert all(span.ended for span in spans)
    assert all(first.ended == then.began for first, then in zip(spans, spans[1:], strict=False))


def test_a_certificate_is_proved_once(start, world, cloud, clock):
    launch = start(lab_of(Want("role", "fake-name")))
    world.run(20)
    launching.ask_to_delete(launch, now=clock())
    world.run(60)
    assert certify.prove_due(clock) == 0
    assert Event.objects.filter(launch=launch, code="proved").count() == 1


def test_what_aws_shows_at_once_takes_one_claim_from_its_create_to_its_running(start, world, cloud, clock):
    cloud.visible_after = cloud.ready_after = 0
    launch = start(lab_of(Want("role", "fake-name")))
    assert reconcile.work_off(clock, until=clock() + timedelta(seconds=1), most=1) == 1
    row = world.rows(launch)["role"]
    assert (row.seen, row.configured_at, row.lease_until) == ("running", clock(), None)
    assert cloud.calls.count("Create fake-name") == 1


def test_what_waits_for_its_parents_is_looked_at_when_the_last_is_ready_and_not_before(start, world, cloud, clock):
    cloud.visible_after = cloud.ready_after = 0
    launch = start()
    reconcile.work_off(clock, until=clock() + timedelta(seconds=1))
    assert world.states(launch) == {"net": "running", "role": "running", "box": "running"}
    assert world.rows(launch)["box"].fence <= 2, "once a parent, at the most"


def test_a_child_that_is_looked_at_while_its_parent_gets_ready_is_looked_at_again(start, world, cloud, clock):
    launch = start(lab_of(Want("role", "fake-name"), Want("box", "fake-token", needs=("role",))))
    rows = world.rows(launch)
    ledger.hurry([rows["box"].pk], clock())
    child = ledger.claim(clock(), pk=rows["box"].pk)
    clock.tick(1)
    ledger.became_ready(rows["role"], clock())
    ledger.put_off(child, clock() + timedelta(hours=1), now=clock())
    assert world.rows(launch)["box"].next_look_at == clock()
