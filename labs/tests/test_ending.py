"""The end of a lab: its sessions are revoked and no other's, and what its student made goes with it, in AWS's order."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from labs import adopting, aws, catalog, census, ending, launching, sessions
from labs.kinds.base import RUNNING, TAG_LAUNCH, Seen, Want
from labs.models import Account, Event, Launch, Resource
from labs.tests.cast import START, Clock
from labs.tests.conftest import World, lab_of

pytestmark = [pytest.mark.django_db]

BUCKET = lab_of(Want("bucket", "s3-bucket", {"prefixes": ["raw/"]}))
# The student makes the role and the profile.
MAKING = replace(lab_of(slug="making"), creates=("iam-role", "instance-profile", "s3-bucket"))


@pytest.fixture
def labs_known(monkeypatch):
    monkeypatch.setattr(catalog, "catalog", lambda: {lab.slug: lab for lab in (BUCKET, MAKING)})


# --- whose it is ---------------------------------------------------------------------------------------------


def launch_in(account, lab="making", **more):
    return Launch(lab=lab, account=account, region="us-east-1", created_at=START, **more)


def an_account(mode):
    return Account(pk=7, mode=mode, regions=["us-east-1"])


CASES = [
    ("its tag says so", "shared", "iam-role", lambda hex: Seen(RUNNING, "r", "r", tags={TAG_LAUNCH: hex}), "tag"),
    ("its name carries the launch's mark", "own", "iam-role", lambda hex: Seen(RUNNING, "r", f"my-{hex[:12]}"), "name"),
    (
        "of a kind that nobody was asked to make, by its name",
        "own",
        "ebs-volume",
        lambda hex: Seen(RUNNING, "v", hex),
        "name",
    ),
    ("in practice: since the lab began", "practice", "iam-role", lambda hex: Seen(RUNNING, "r", "r", START), "time"),
    (
        "before the lab began",
        "practice",
        "iam-role",
        lambda hex: Seen(RUNNING, "r", "r", START - timedelta(seconds=1)),
        "",
    ),
    ("a kind that this lab does not ask for", "practice", "ebs-volume", lambda hex: Seen(RUNNING, "v", "v", START), ""),
    ("a real account holds other things too", "own", "iam-role", lambda hex: Seen(RUNNING, "r", "r", START), ""),
]


@pytest.mark.parametrize(("why", "mode", "kind", "made", "proof"), CASES, ids=[case[0] for case in CASES])
def test_what_is_made_in_a_lab_is_the_labs_when_that_can_be_shown(labs_known, why, mode, kind, made, proof):
    account = an_account(mode)
    launch = launch_in(account)
    found = adopting.launch_of(account, kind, made(launch.id.hex), "us-east-1", [launch])
    assert found == ((launch, proof) if proof else (None, ""))


def test_of_two_labs_that_ask_for_the_same_kind_time_alone_shows_nothing(labs_known):
    account = an_account("practice")
    two = [launch_in(account), launch_in(account)]
    assert adopting.launch_of(account, "iam-role", Seen(RUNNING, "r", "r", START), "us-east-1", two) == (None, "")


def test_in_another_region_than_the_labs_it_is_nobodys_plan(labs_known):
    account = an_account("practice")
    bucket = Seen(RUNNING, "b", "b", START)
    launch = launch_in(account)
    assert adopting.launch_of(account, "sagemaker-model", bucket, "ap-southeast-1", [launch]) == (None, "")
    assert adopting.launch_of(account, "s3-bucket", bucket, "ap-southeast-1", [launch]) == (launch, "time")


# --- on the simulator ----------------------------------------------------------------------------------------


@pytest.fixture
def clock():
    return Clock(datetime.now(UTC))


@pytest.fixture
def account(simulator, settings, aye, clock):
    simulator.serves(settings)
    aws.forget_clients()
    yield Account.objects.create(
        name="Aye's",
        mode=Account.PRACTICE,
        aws_id=simulator.new_account(),
        owner=aye,
        regions=["us-east-1", "ap-southeast-1"],
        lab_regions=["us-east-1"],
        boot_id=simulator.boot()["boot_id"],
        created_at=clock(),
    )
    aws.forget_clients()


@pytest.fixture
def start(account, aye, clock, labs_known):
    def begin(lab):
        launch = launching.launch(lab, account, aye, now=clock())
        World(clock).run(15)
        launch.refresh_from_db()
        assert launch.ready_at
        return launch

    return begin


def client_with(credentials, simulator, service):
    return simulator.client(
        service,
        "",
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
        aws_session_token=credentials.session_token,
    )


@pytest.mark.simulator
def test_finishing_a_lab_ends_its_credentials_and_those_of_no_other_lab(start, simulator, aye, clock):
    over, other = start(BUCKET), start(BUCKET)
    ended, lives = (
        client_with(sessions.credentials(launch, aye, clock()), simulator, "s3") for launch in (over, other)
    )
    bucket = Resource.objects.get(launch=other).name
    ended.put_object(Bucket=bucket, Key="before", Body=b"1")
    launching.ask_to_delete(over, now=clock(), by=aye)
    World(clock).run(60)
    over.refresh_from_db()
    assert over.fenced_at and over.ended_at
    with pytest.raises(ClientError, match="AccessDenied"):
        ended.put_object(Bucket=bucket, Key="after", Body=b"1")
    lives.put_object(Bucket=bucket, Key="after", Body=b"1")


@pytest.mark.simulator
def test_a_lab_of_which_nobody_had_credentials_is_not_fenced(start, aye, clock):
    launch = start(BUCKET)
    launching.ask_to_delete(launch, now=clock(), by=aye)
    launch.refresh_from_db()
    assert launch.prepare_at is None
    World(clock).run(60)
    launch.refresh_from_db()
    assert launch.ended_at and launch.fenced_at is None


@pytest.mark.simulator
def test_nothing_is_deleted_before_the_fence_stands(start, aye, clock, monkeypatch):
    launch = start(BUCKET)
    sessions.credentials(launch, aye, clock())
    monkeypatch.setattr(ending, "fence", lambda launch, now: (_ for _ in ()).throw(aws.NoAnswer("nobody answers")))
    launching.ask_to_delete(launch, now=clock(), by=aye)
    World(clock).run(100)
    assert Resource.objects.get(launch=launch).closed_at is None
    assert "nobody answers" in Event.objects.filter(launch=launch, code="unprepared").first().words
    World(clock).run(120)
    launch.refresh_from_db()
    assert launch.ended_at, "after two minutes the lab goes all the same"
    assert Event.objects.filter(launch=launch, code="unfenced").count() == 1


@pytest.mark.simulator
def test_fences_whose_sessions_are_over_are_taken_away(start, aye, clock, account):
    iam = aws.client(account, "iam")
    old = f"lightsout-fence-{'0' * 12}-{clock() - timedelta(hours=2):%Y%m%dT%H%M}"
    launch = start(BUCKET)
    sessions.credentials(launch, aye, clock())
    anything = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
    iam.put_role_policy(RoleName="student", PolicyName=old, PolicyDocument=json.dumps(anything))
    ending.fence(launch, clock())
    [kept] = iam.list_role_policies(RoleName="student")["PolicyNames"]
    assert kept.startswith(f"lightsout-fence-{launch.id.hex[:12]}")


@pytest.mark.simulator
def test_what_a_student_makes_in_a_lab_is_found_within_a_minute_and_goes_with_it(start, simulator, aye, clock):
    launch = start(MAKING)
    mine = client_with(sessions.credentials(launch, aye, clock()), simulator, "iam")
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    mine.create_role(RoleName="my-role", AssumeRolePolicyDocument=trust)
    census.survey(census.groups_with_rows(clock()), clock)
    row = Resource.objects.get(launch=launch)
    assert (row.kind, row.name, row.owner, row.owner_proof) == ("iam-role", "my-role", aye, "time")

    # Made after the last look, and in AWS's way: the role cannot go while it is in a profile.
    mine.create_instance_profile(InstanceProfileName="my-profile")
    mine.add_role_to_instance_profile(InstanceProfileName="my-profile", RoleName="my-role")
    launching.ask_to_delete(launch, now=clock(), by=aye)
    World(clock).run(120)
    launch.refresh_from_db()
    assert launch.ended_at
    assert {line["name"] for line in launch.certificate["rows"]} == {"my-role", "my-profile"}
    assert list(Resource.objects.order_by("closed_at").values_list("kind", flat=True)) == [
        "instance-profile",
        "iam-role",
    ]
    assert Resource.objects.open().strangers().count() == 0


@pytest.mark.simulator
def test_a_making_lab_without_anything_made_ends_with_an_empty_certificate(start, aye, clock):
    launch = start(MAKING)
    launching.ask_to_delete(launch, now=clock(), by=aye)
    World(clock).run(60)
    launch.refresh_from_db()
    assert launch.ended_at and launch.certificate["rows"] == []


@pytest.mark.simulator
def test_a_making_lab_goes_on_when_the_student_deletes_what_was_made(start, simulator, aye, clock):
    launch = start(MAKING)
    mine = client_with(sessions.credentials(launch, aye, clock()), simulator, "s3")
    name = f"mine-{adopting.mark_of(launch)}"
    mine.create_bucket(Bucket=name)
    census.survey(census.groups_with_rows(clock()), clock)
    assert Resource.objects.get(launch=launch).owner_proof == "name"
    mine.delete_bucket(Bucket=name)
    census.survey(census.groups_with_rows(clock()), clock)
    World(clock).run(60)
    launch.refresh_from_db()
    assert Resource.objects.get(launch=launch).closed_at
    assert launch.ended_at is None and launch.prove_at is None
