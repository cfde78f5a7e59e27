"""The switch that works when the portal is dead: when it is set, moved, taken away, and that no lab starts without."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from labs import aws, census, deadman, launching, ledger
from labs.kinds import registry
from labs.kinds.base import NAME, RUNNING, TOKEN, OffCall, Seen, Want
from labs.models import Account, Launch, Resource
from labs.tests.cast import START, CannotStopKind, Clock, Died, NameKind, TokenKind, dies_at, refusal
from labs.tests.conftest import World, lab_of
from labs.tests.test_loop_simulator import EC2, SAGEMAKER

pytestmark = pytest.mark.django_db


class CostlyName(CannotStopKind):
    name, identity = "fake-costly-name", NAME

    def off_call(self, want):
        return OffCall("fake", "deleteThing", {"Name": want.aws_id or want.name})


class CostlyToken(TokenKind):
    name, identity = "fake-costly-token", TOKEN

    def off_call(self, want):
        return OffCall("fake", "terminateThing", {"Ids": [want.aws_id]}) if want.aws_id else None


LAB = lab_of(
    Want("free", NameKind.name),
    Want("named", CostlyName.name, needs=("free",)),
    Want("box", CostlyToken.name),
)


@pytest.fixture
def costly(cloud, monkeypatch):
    from labs import kinds

    for kind in (CostlyName, CostlyToken):
        monkeypatch.setitem(kinds.registry(), kind.name, kind())
    return cloud


@pytest.fixture
def start(account, aye, clock, costly):
    return lambda **more: launching.launch(LAB, account, aye, now=clock(), **more)


def switches(cloud):
    """{call: when} of what AWS would turn off by itself."""
    return {
        f"{one['Target']['Arn'].rsplit(':', 1)[-1]} {one['Target']['Input']}": one["ScheduleExpression"]
        for one in cloud.schedules.values()
    }


def test_what_costs_by_the_hour_is_armed_shortly_after_its_clock(start, world, costly):
    launch = start()
    world.run(60)
    rows = world.rows(launch)
    assert switches(costly) == {
        f'deleteThing {{"Name": "{rows["named"].name}"}}': "at(2025-09-15T16:35:00)",
        f'terminateThing {{"Ids": ["{rows["box"].aws_id}"]}}': "at(2025-09-15T16:35:00)",
    }
    assert rows["free"].switch_at is None
    assert rows["named"].switch_at == launch.expires_at + timedelta(minutes=5)


def test_a_name_is_armed_before_its_create_and_an_id_right_after(start, world, costly):
    start()
    world.run(60)
    calls = [call for call in costly.calls if "costly" in call or "Schedule" in call]
    assert calls.index("CreateSchedule") < calls.index("Create fake-costly-name")
    after = calls[calls.index("Create fake-costly-token") :]
    assert set(after[: after.index("CreateSchedule")]) == {"Create fake-costly-token", "Describe fake-costly-token"}


def test_nothing_costly_is_made_while_the_switch_cannot_be_set(start, world, costly):
    def denied(number, operation, when):
        if operation == "CreateSchedule":
            raise refusal("AccessDeniedException", 403)

    costly.at = denied
    launch = start()
    world.run(120)
    named = world.rows(launch)["named"]
    assert costly.alive(CostlyName.name) == []
    assert "does not let the portal do this" in named.blocked_why
    costly.at = lambda number, operation, when: None
    world.run(1200)
    assert world.states(launch)["named"] == "running", "it mends itself once it can"


def test_extending_moves_the_switch_at_once(start, world, costly, clock, aye):
    launch = start()
    world.run(60)
    launching.extend(launch, now=clock(), by=aye)
    world.run(5)
    assert set(switches(costly).values()) == {"at(2025-09-15T17:05:00)"}


@pytest.mark.parametrize("key", ["named", "box"])
def test_extending_while_a_worker_looks_at_the_row_moves_it_too(start, world, costly, clock, aye, account, key):
    launch = start()
    world.run(60)
    Resource.objects.filter(launch=launch).update(next_look_at=clock() - timedelta(seconds=1))
    held = ledger.claim(clock(), pk=world.rows(launch)[key].pk)
    launching.extend(launch, now=clock(), by=aye)
    ledger.put_off(held, clock() + timedelta(hours=1), now=clock())
    world.run(5)
    assert set(switches(costly).values()) == {"at(2025-09-15T17:05:00)"}


def test_extending_late_moves_the_switch_although_aws_says_no_at_first(start, world, costly, clock, aye):
    launch = start()
    world.run(60)
    clock.now = launch.expires_at - timedelta(minutes=2)
    launching.extend(launch, now=clock(), by=aye)

    def denied(number, operation, when):
        if clock() < launch.expires_at:
            raise refusal("AccessDeniedException", 403)

    costly.at = denied
    world.run(300)
    costly.fire_due()
    assert len(costly.alive()) == 3
    assert set(switches(costly).values()) == {"at(2025-09-15T17:05:00)"}


def test_extending_moves_the_switch_of_what_is_stopped_too(start, world, costly, clock, aye):
    """An instance's switch ends it, with its disk, whatever state it is in."""
    launch = start()
    world.run(60)
    launching.ask_to_stop([world.rows(launch)["box"]], now=clock(), by=aye)
    world.run(20)
    launching.extend(launch, now=clock(), by=aye)
    world.run(5)
    assert world.states(launch)["box"] == "stopped"
    assert set(switches(costly).values()) == {"at(2025-09-15T17:05:00)"}


def test_the_switch_is_there_until_the_thing_is_seen_gone_and_not_longer(start, world, costly, clock, aye):
    launch = start()
    world.run(60)
    deletes_at = len(costly.calls)
    launching.ask_to_delete(launch, now=clock(), by=aye)
    world.run(120)
    launch.refresh_from_db()
    assert launch.ended_at and costly.schedules == {}
    calls = costly.calls[deletes_at:]
    last_look = max(n for n, call in enumerate(calls) if call == "Describe fake-costly-name")
    assert calls.index("DeleteSchedule") > calls.index("Delete fake-costly-name")
    assert last_look > calls.index("Delete fake-costly-name") + 1


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_that_dies_at_any_call_of_the_switch_leaves_one_switch_a_thing(start, world, costly, clock, aye, when):
    number = 0
    while True:
        number += 1
        costly.calls.clear()
        costly.at = dies_at(number, when)
        launch = start()
        for _ in range(12):
            try:
                world.run(20)
            except Died:
                clock.tick(ledger.LEASE.total_seconds() + 1)
        assert set(world.states(launch).values()) == {"running"}
        assert len(costly.schedules) == 2
        launching.ask_to_delete(launch, now=clock(), by=aye)
        for _ in range(12):
            try:
                world.run(20)
            except Died:
                clock.tick(ledger.LEASE.total_seconds() + 1)
        launch.refresh_from_db()
        assert launch.ended_at and costly.schedules == {} and costly.alive() == []
        if len(costly.calls) < number:
            break
    assert number > 15


def test_when_the_portal_is_dead_the_switches_turn_everything_off(start, world, costly, clock):
    launch = start()
    world.run(60)
    clock.now = launch.expires_at + timedelta(minutes=15)  # nobody works off anything
    costly.fire_due()
    clock.tick(10)
    assert [thing.kind for thing in costly.alive()] == [NameKind.name]


# --- what was made by hand -----------------------------------------------------------------------------------


def found(account, clock, seen_since=None, kind=CostlyToken.name):
    account.created_at = START - timedelta(days=1)
    account.save()
    seen = Seen(RUNNING, "by-hand-1", "by-hand", seen_since or clock())
    [row] = ledger.enter_strangers([(account, kind, seen, "us-east-1")], clock())
    return row


@pytest.fixture
def alive_by_hand(costly):
    """The thing itself, so that a look finds it."""
    from labs.tests.cast import Thing

    costly.things["by-hand-1"] = Thing("by-hand-1", CostlyToken.name, "by-hand", "", {}, [], START, START, since=START)


@pytest.mark.usefixtures("alive_by_hand")
def test_what_was_made_by_hand_is_armed_when_it_is_found_and_again_while_the_portal_lives(
    account, clock, world, costly
):
    row = found(account, clock)
    world.run(10)
    row.refresh_from_db()
    first = row.switch_at
    assert first - START >= timedelta(hours=4)
    assert json.loads(next(iter(costly.schedules.values()))["Target"]["Input"]) == {"Ids": ["by-hand-1"]}
    world.run(5 * 3600)
    row.refresh_from_db()
    assert costly.alive(CostlyToken.name), "a portal that lives moves it on; forgetting is another matter"
    assert row.switch_at - clock() > timedelta(hours=2)


@pytest.mark.usefixtures("alive_by_hand")
def test_what_its_owner_stopped_is_not_ended_while_the_portal_lives(account, clock, world, costly):
    row = found(account, clock)
    world.run(10)
    thing = costly.things["by-hand-1"]
    thing.state, thing.since = "stopped", clock()
    ledger.hurry([row.pk], clock())
    for _ in range(5):
        world.run(3600, step=60)
        costly.fire_due()
    assert costly.alive(CostlyToken.name) == [thing]


@pytest.mark.usefixtures("alive_by_hand")
def test_a_worker_that_dies_between_a_switch_and_its_record_leaves_none_behind(account, clock, world, costly):
    row = found(account, clock)

    def dies(number, operation, when):
        if operation == "CreateSchedule" and when == "after":
            costly.at = lambda *args: None
            raise Died

    costly.at = dies
    with pytest.raises(Died):
        world.run(10)
    assert costly.schedules
    launching.ask_to_delete([row], now=clock())
    world.run(180)
    row.refresh_from_db()
    assert row.closed_at and costly.schedules == {}


@pytest.mark.usefixtures("alive_by_hand")
def test_nobodys_is_not_turned_off_without_a_person(account, clock, world, costly):
    account.owner, account.mode = None, Account.SHARED
    found(account, clock)
    world.run(60)
    assert costly.schedules == {}


@pytest.mark.usefixtures("alive_by_hand")
def test_what_was_there_before_the_account_was_connected_is_not_ours_to_turn_off(account, clock, world, costly):
    row = found(account, clock, seen_since=START - timedelta(days=30))
    world.run(60)
    assert deadman.due_at(row, None, account, clock()) is None
    assert costly.schedules == {}


# --- on the simulator ----------------------------------------------------------------------------------------


@pytest.mark.simulator
@pytest.mark.once
def test_with_web_worker_and_beat_dead_for_good_nothing_that_costs_by_the_hour_is_left_running(
    simulator, settings, aye
):
    """Only the simulator lives on, as AWS would: nobody asks it for anything until its clock says expiry + 15 min."""
    simulator.serves(settings)
    aws.forget_clients()
    clock = Clock(datetime.now(UTC))
    account = Account.objects.create(
        name="Aye's",
        mode=Account.PRACTICE,
        aws_id=simulator.new_account(),
        owner=aye,
        regions=["us-east-1"],
        lab_regions=["us-east-1"],
        boot_id=simulator.boot()["boot_id"],
        created_at=clock() - timedelta(hours=1),
    )
    launches = [launching.launch(lab, account, aye, now=clock()) for lab in (EC2, SAGEMAKER)]
    aws.client(account, "sagemaker").create_notebook_instance(
        NotebookInstanceName="by-hand", InstanceType="ml.t3.medium", RoleArn=f"arn:aws:iam::{account.aws_id}:role/any"
    )
    census.survey(census.groups_of([account]), clock)
    World(clock).run(60)
    assert all(Launch.objects.get(pk=launch.pk).ready_at for launch in launches)
    assert burning(account) == ["ec2-instance", "sagemaker-endpoint", "sagemaker-notebook", "sagemaker-notebook"]

    fifteen_minutes = timedelta(minutes=15)
    for_all = max(launch.expires_at for launch in launches) + fifteen_minutes
    simulator.let_pass((for_all - datetime.now(UTC)).total_seconds())
    assert burning(account) == ["sagemaker-notebook"], "of the labs nothing; what was made by hand has longer"
    by_hand = Resource.objects.get(name="by-hand")
    assert by_hand.launch is None and by_hand.switch_at > for_all
    simulator.let_pass((by_hand.switch_at - for_all + fifteen_minutes).total_seconds())
    assert burning(account) == []
    aws.forget_clients()


def burning(account):
    """Kinds of what runs and costs by the hour, as AWS shows it now."""
    running = []
    for kind in registry().values():
        if kind.is_free or kind.not_in_practice:
            continue
        for seen in kind.find_all(aws.client(account, kind.service, "us-east-1")):
            whole = seen if seen.whole else kind.complete(aws.client(account, kind.service, "us-east-1"), seen, {})
            if any(meter.per == "hour" and meter.sku != "in-use-address" for meter in kind.meters(whole)):
                running.append(kind.name)
    return sorted(running)


# --- what bounds an exposure -----------------------------------------------------------------------------------


def a_row(kind, *, key="it", began=START, at=None, seen=RUNNING, facts=None, **more):
    return Resource(
        kind=kind, key=key, create_began_at=began, switch_at=at, seen=seen, facts=facts or {}, wanted_at=START, **more
    )


IN_AN_HOUR = START + timedelta(hours=1)
NOTEBOOK = {"type": "ml.t3.medium", "disk_gb": 5}
EXPOSED = [
    ("armed for an instant to come", a_row("ec2-instance", at=IN_AN_HOUR), "armed"),
    ("not armed yet", a_row("ec2-instance"), "unarmed"),
    ("asked for and not seen yet: it may be there", a_row("ec2-instance", seen=""), "unarmed"),
    ("a switch that has fired bounds nothing any more", a_row("ec2-instance", at=START), "unarmed"),
    ("asked to go, and still there", a_row("ec2-instance", wanted="gone"), "unarmed"),
    ("nobody began to make it", a_row("ec2-instance", began=None, seen=""), ""),
    ("made by hand, so nobody here began it", a_row("ec2-instance", key="", began=None), "unarmed"),
    ("gone", a_row("ec2-instance", closed_at=START), ""),
    ("seen absent once", a_row("ec2-instance", seen="absent"), ""),
    ("neither a call nor a cost by the hour", a_row("iam-role"), ""),
    ("billed by the month", a_row("ebs-volume", facts={"type": "gp3", "gb": 100, "iops": 3000, "mibps": 125}), ""),
    ("no cost, but it starts what has one", a_row("eventbridge-rule"), "unarmed"),
    ("stopped: its disk is billed by the month", a_row("sagemaker-notebook", seen="stopped", facts=NOTEBOOK), ""),
    ("a kind that this version does not know", a_row("from-the-future"), "unarmed"),
]


@pytest.mark.parametrize(("why", "row", "side"), EXPOSED, ids=[case[0] for case in EXPOSED])
def test_an_exposure_is_bounded_by_what_aws_turns_off_by_itself(why, row, side):
    reach = deadman.reach([row], START)
    assert [name for name in ("armed", "unarmed") if row in getattr(reach, name)] == ([side] if side else [])


def test_one_that_costs_by_the_hour_and_has_no_call_is_unbounded(cloud):
    rows = [a_row(TokenKind.name), a_row(NameKind.name, seen="stopped"), a_row("ec2-instance", at=IN_AN_HOUR)]
    reach = deadman.reach(rows, START)
    assert (reach.unarmed, reach.off_at) == ((rows[0],), IN_AN_HOUR)


def test_a_lab_is_unbounded_until_its_switches_are_set_and_again_when_they_were_no_use(start, world, costly, clock):
    launch = start()

    def reach():
        rows = Resource.objects.filter(launch=launch).exclude(key="free")
        return deadman.reach(rows, clock())

    assert reach() == deadman.Reach(), "nothing is there yet"
    costly.at = lambda number, operation, when: (
        (_ for _ in ()).throw(refusal("Throttling")) if "Sched" in operation else None
    )
    world.run(10)
    assert [row.key for row in reach().unarmed] == ["box"], "the named one is not made before its switch is set"
    costly.at = lambda number, operation, when: None
    world.run(60)
    assert reach().unarmed == () and reach().off_at == launch.expires_at + timedelta(minutes=5)
    clock.now = launch.expires_at + timedelta(minutes=6)
    assert len(reach().unarmed) == 2


def test_every_kind_that_can_cost_by_the_hour_is_among_those_that_pages_ask_for():
    listed = deadman.kinds_with_a_switch()
    for name, kind in registry().items():
        assert (name in listed) == bool(kind.no_off_call or kind.off_call(Want("", name, name="n", aws_id="i")))
    assert {"ec2-instance", "sagemaker-endpoint", "sagemaker-feature-group"} <= set(listed)
    assert "iam-role" not in listed


def test_no_certificate_while_a_switch_of_the_lab_is_left_and_it_is_taken_away(start, world, costly, clock, aye):
    launch = start()
    world.run(60)
    kept = dict(costly.schedules)
    launching.ask_to_delete(launch, now=clock(), by=aye)

    def set_again(number, operation, when):
        """A worker that was held up sets one after its row was closed."""
        if operation == "GetResources" and when == "before" and not seen:
            seen.append(True)
            costly.schedules.update(dict(list(kept.items())[:1]))

    seen = []
    costly.at = set_again
    world.run(30)
    launch.refresh_from_db()
    assert seen and launch.ended_at is None
    assert "dead-man's switch of" in launch.events.filter(code="left").get().words
    world.run(60)
    launch.refresh_from_db()
    assert launch.ended_at and costly.schedules == {}
    [method] = [one for one in launch.certificate["methods"] if "scheduler" in one["method"]]
    assert (method["asked"], method["left"]) == (2, 0)
    assert [one["method"] for one in launch.certificate["methods"] if one.get("is_independent")] == [
        "tagging API, by the lab's tag",
        "lists of the lab's kinds, by tag and name",
    ]
