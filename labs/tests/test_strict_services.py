"""The real kinds that practice mode lacks, through the real controller, on a strict fake of their services.

Each is made by hand, found, entered, deleted and seen absent, also while every call fails once and workers are killed.
What they cost in between: costs/tests/test_strict_services_by_hand.py.
"""

from datetime import timedelta
from itertools import pairwise

import pytest

from labs import aws, census, launching, ledger
from labs.catalog.base import Lab
from labs.kinds import kind_of, registry
from labs.kinds.base import RUNNING, Want
from labs.models import Account, Launch, Resource
from labs.tests.by_hand_strict import BY_HAND, open_app, space, studio
from labs.tests.cast import START, Died, broken, every_call_fails_once, throttled, timed_out
from labs.tests.conftest import World
from labs.tests.soak import OneThread
from labs.tests.strict_services import WRITES, StrictServices
from labs.tests.strict_sorts import ACCOUNT, REGION

pytestmark = [pytest.mark.django_db, pytest.mark.once]

LACKING = sorted(name for name, kind in registry().items() if kind.not_in_practice)
STUDIO = [f"sagemaker-studio-{name}" for name in ("app", "space", "profile", "domain")]
DELETES = ["DeleteApp", "DeleteSpace", "DeleteUserProfile", "DeleteDomain"]
DOMAIN = {"role_arn": "arn:aws:iam::500000000001:role/lab/studio", "vpc": "vpc-1", "subnets": ["subnet-1"]}
A_STUDIO = Lab(
    "a-studio",
    "A Studio of one's own",
    "A domain, a profile, a space.",
    "testing",
    30,
    2,
    (
        Want("domain", "sagemaker-studio-domain", DOMAIN),
        Want("aye", "sagemaker-studio-profile", {"domain": "{domain.aws_id}"}, needs=("domain",)),
        Want(
            "desk", "sagemaker-studio-space", {"domain": "{domain.aws_id}", "profile": "{aye.name}"}, ("domain", "aye")
        ),
    ),
    (),
    modes=(Account.OWN,),
)


@pytest.fixture
def services(clock, monkeypatch):
    made = StrictServices(clock)
    monkeypatch.setattr(aws, "client", made.client)
    monkeypatch.setattr(census, "ThreadPoolExecutor", OneThread)
    return made


@pytest.fixture
def world(clock, services):
    return World(clock)


@pytest.fixture
def account(aye):
    """Aye's own, and no simulated one: these kinds are looked for in real accounts."""
    return Account.objects.create(
        name="Aye's own",
        mode=Account.OWN,
        aws_id=ACCOUNT,
        owner=aye,
        regions=[REGION],
        lab_regions=[REGION],
        created_at=START - timedelta(days=1),
        connected_at=START - timedelta(days=1),
    )


def look(account, clock, *names):
    """A census of these kinds, as it would be of a whole account."""
    return census.survey([group for group in census.groups_of([account]) if group.kind in names], clock)


# --- by hand -----------------------------------------------------------------------------------------------------


def test_every_kind_that_practice_mode_lacks_is_made_by_hand_here():
    assert sorted(BY_HAND) == LACKING


@pytest.mark.parametrize("name", LACKING)
def test_made_by_hand_it_is_found_armed_deleted_in_aws_order_and_seen_absent(
    name, services, world, account, aye, clock
):
    BY_HAND[name](services, clock)
    clock.tick(5)
    found = look(account, clock, name)
    [row] = found.strangers
    assert (found.trouble, row.owner, row.owner_proof, row.launch) == ({}, aye, "account", None)
    world.run(4000)  # what costs nothing by the hour is looked at by itself within the hour
    row.refresh_from_db()
    assert row.seen == RUNNING and row.facts["arn"] == services.arn_of(row.aws_id)
    has_switch = kind_of(name).off_call(Want("", name, aws_id=row.aws_id)) is not None
    assert (row.switch_at is not None, len(services.schedules)) == (has_switch, int(has_switch))
    assert look(account, clock, name).confirmed == 1, "as it is: nobody asks for it again"

    launching.ask_to_delete([row], now=clock(), by=aye)
    world.run(300)
    row.refresh_from_db()
    assert row.closed_at and row.closed_why == "seen absent"
    assert services.refused == [], "nothing was asked for that AWS would not do"
    assert services.schedules == {}
    assert not any(row.aws_id in (thing.id, thing.arn) for thing in services.alive())
    assert look(account, clock, name).strangers == []


def test_what_stands_in_a_domain_goes_before_it_and_no_file_system_stays(services, world, account, aye, clock):
    studio(services, clock)
    clock.tick(5)
    rows = look(account, clock, *STUDIO).strangers
    assert sorted(row.kind for row in rows) == sorted(STUDIO)
    launching.ask_to_delete(rows, now=clock(), by=aye)
    world.run(400)
    assert not Resource.objects.open().exists()
    assert [call for call in services.calls if call.startswith("Delete") and "Schedule" not in call] == DELETES
    assert (services.refused, services.alive(), services.file_systems) == ([], [], set())


def test_a_domain_alone_takes_along_what_nobody_knows_of_however_much_it_is(services, world, account, aye, clock):
    """Seven apps: AWS takes five such calls a second, and shows two a page."""
    inside = space(services, clock)
    for number in range(6):
        services.client(None, "sagemaker").create_user_profile(DomainId=inside, UserProfileName=f"guest{number}")
        clock.tick(21)
        open_app(services, inside, UserProfileName=f"guest{number}")
    open_app(services, inside)
    clock.tick(30)
    [row] = look(account, clock, "sagemaker-studio-domain").strangers
    launching.ask_to_delete([row], now=clock(), by=aye)
    world.run(900)
    row.refresh_from_db()
    assert row.closed_at and services.alive() == [] and services.file_systems == set()
    assert {each.partition(": ")[2] for each in services.refused} == {"ThrottlingException: Rate exceeded"}
    order = [DELETES.index(call) for call in services.calls if call in DELETES]
    assert all(earlier <= later for earlier, later in pairwise(order))


def test_the_switch_makes_a_call_that_aws_understands_when_the_portal_is_dead(services, world, account, clock):
    """Its words are held against the service's own description, and done by it."""
    studio(services, clock)
    for make in (
        BY_HAND["sagemaker-mlflow-server"],
        BY_HAND["kendra-index"],
        BY_HAND["bedrock-provisioned-throughput"],
    ):
        make(services, clock)
    clock.tick(100)
    look(account, clock, *LACKING)
    world.run(180)
    switched = Resource.objects.exclude(switch_at=None)
    assert sorted(row.kind for row in switched) == sorted(
        name for name in LACKING if Resource.objects.filter(kind=name).exists() and has_call(name)
    )
    clock.now = max(row.switch_at for row in switched) + timedelta(seconds=1)
    assert sorted(services.fire_due()) == [
        "DeleteApp",
        "DeleteIndex",
        "DeleteProvisionedModelThroughput",
        "StopMlflowTrackingServer",
    ]
    clock.tick(100)
    on = {thing.sort for thing in services.alive()}
    assert on == {"domain", "profile", "space", "mlflow"} and services.refused == []


def has_call(name):
    return kind_of(name).off_call(Want("", name, name="n", aws_id="i")) is not None


# --- a lab -------------------------------------------------------------------------------------------------------


@pytest.fixture
def start(account, aye, clock):
    return lambda: launching.launch(A_STUDIO, account, aye, now=clock())


def test_a_studio_lab_is_made_parents_first_and_goes_children_first_with_the_app_its_student_opened(
    start, services, world, account, aye, clock
):
    launch = start()
    world.run(300)
    assert set(world.states(launch).values()) == {RUNNING}
    rows = world.rows(launch)
    open_app(services, rows["domain"].aws_id, SpaceName=rows["desk"].name)
    world.run(60)
    [app] = look(account, clock, *STUDIO).strangers
    assert app.kind == "sagemaker-studio-app"
    launching.ask_to_delete(launch, now=clock(), by=aye)
    world.run(600)
    look(account, clock, *STUDIO)
    world.run(600)
    launch.refresh_from_db()
    app.refresh_from_db()
    assert launch.ended_at and launch.certificate["left"] == []
    assert [call for call in services.calls if call in DELETES] == DELETES
    assert services.alive() == [] and services.file_systems == set() and services.schedules == {}
    assert app.closed_at, "the app's own row closes too"


def test_a_stop_leaves_an_mlflow_server_there_and_stopped(services, world, account, aye, clock):
    BY_HAND["sagemaker-mlflow-server"](services, clock)
    clock.tick(100)
    [row] = look(account, clock, "sagemaker-mlflow-server").strangers
    launching.ask_to_stop([row], now=clock(), by=aye)
    world.run(120)
    row.refresh_from_db()
    assert (row.seen, services.refused) == ("stopped", [])


# --- faults ------------------------------------------------------------------------------------------------------


def whole_life(services, world, clock, account, aye, at):
    """A lab from its launch to its certificate, with an app that its student opened, while `at` is in force. A worker
    that is killed is followed by another when its lease has run out."""
    services.calls.clear()
    services.at = at
    launch = launching.launch(A_STUDIO, account, aye, now=clock())

    def live(seconds, until):
        end = clock() + timedelta(seconds=seconds)
        while clock() < end and not until():
            try:
                world.run(15)
            except Died:
                clock.tick(ledger.LEASE.total_seconds() + 1)

    live(1500, lambda: set(world.states(launch).values()) == {RUNNING})
    up = set(world.states(launch).values())
    rows, services.at = world.rows(launch), nothing
    open_app(services, rows["domain"].aws_id, SpaceName=rows["desk"].name)
    clock.tick(25)
    services.at = at
    launching.ask_to_delete(launch, now=clock(), by=aye)
    live(2400, lambda: Launch.objects.get(pk=launch.pk).ended_at)
    services.at = nothing
    launch.refresh_from_db()
    assert up == {RUNNING}
    assert launch.ended_at and launch.certificate["left"] == [], world.states(launch)
    assert (services.alive(), services.file_systems, services.schedules) == ([], set(), {})
    assert sorted(thing.sort for thing in services.things) == ["app", "domain", "profile", "space"], "made twice"
    services.things.clear()


def nothing(number, operation, when):
    pass


@pytest.mark.parametrize(
    ("error", "when"),
    [(throttled, "before"), (broken, "before"), (timed_out, "before"), (timed_out, "after")],
    ids=["throttled", "a server error", "no answer", "done, and no answer"],
)
def test_every_call_fails_once_and_the_lab_still_ends_with_nothing_left(
    services, world, clock, account, aye, error, when
):
    whole_life(services, world, clock, account, aye, every_call_fails_once(error, when))


def test_a_worker_that_is_killed_after_any_sort_of_change_leaves_nothing_behind_and_nothing_twice(
    services, world, clock, account, aye
):
    """After the first of each operation, when AWS has done it and nobody has written it down."""
    whole_life(services, world, clock, account, aye, nothing)
    # What changes something, and the proof. CreateApp is the student's.
    operations = {call for call in services.calls if call.startswith(WRITES) or call == "GetResources"} - {"CreateApp"}
    assert set(DELETES) < operations
    for operation in sorted(operations):
        died = dies_at_first(operation)
        whole_life(services, world, clock, account, aye, died)
        assert died.number, f"nobody was killed at {operation}"


def dies_at_first(operation):
    def at(number, asked, when):
        if asked == operation and when == "after" and not at.number:
            at.number = number
            raise Died

    at.number = 0
    return at
