"""Students' roles in the shared account: made at the first lab by the portal's role, held by what it cannot change, and
taken away when they leave."""

from datetime import timedelta

import pytest

from labs import admitting, aws, connecting, ending, guardrails, launching, ledger, sessions, stack_template
from labs.kinds import kind_of
from labs.kinds.base import Want
from labs.kinds.iam_identity import is_not_listed
from labs.models import Account, Launch, Resource, StudentRole
from labs.tests.cast import refusal
from labs.tests.conftest import lab_of
from labs.tests.strict_accounts import PORTAL, Accounts

pytestmark = pytest.mark.django_db

AWS_ID = "111122223333"
EMPTY = lab_of()


@pytest.fixture
def accounts(monkeypatch):
    made = Accounts()
    made.stand_in(monkeypatch)
    yield made
    aws.forget_clients()


@pytest.fixture
def shared(accounts, clock, aye):
    account = connecting.begin(mode=Account.SHARED, name="Bootcamp", regions=[], lab_regions=["us-east-1"], now=clock())
    template = stack_template.template(PORTAL, account.limits())
    accounts.deploy(AWS_ID, template, ExternalId=account.external_id)
    return connecting.connect(account, AWS_ID, now=clock(), by=aye)


@pytest.fixture
def admitted(shared, clock):
    """admitted(person): their launch of an empty lab, their role made and known everywhere."""

    def begin(person):
        launch = launching.launch(EMPTY, shared, person, now=clock())
        admitting.work_off(clock)
        clock.tick(60)
        return launch

    return begin


def role_of(accounts, person):
    return accounts.roles.get(guardrails.student_role(AWS_ID, person.pk))


def test_the_first_lab_makes_a_role_that_is_held(admitted, accounts, aye, bo):
    admitted(aye)
    role = role_of(accounts, aye)
    assert role.boundary == guardrails.boundary_arn(AWS_ID)
    assert role.attached == list(guardrails.student_policy_arns(AWS_ID).values())
    assert role.tags["student"] == str(aye.pk)
    assert role.trust == guardrails.student_trust(accounts.role(AWS_ID, "controller").arn, aye.pk)
    assert role_of(accounts, bo) is None


def test_a_second_lab_of_theirs_makes_no_second_role(admitted, accounts, aye):
    admitted(aye)
    before = len(accounts.calls)
    admitted(aye)
    assert StudentRole.objects.count() == 1
    assert accounts.calls[before:] == []


def test_a_role_that_is_half_made_is_made_whole(shared, accounts, clock, aye):
    launching.launch(EMPTY, shared, aye, now=clock())
    accounts.answers["iam", "attach_role_policy"] = refusal("Throttling")
    admitting.work_off(clock)
    assert role_of(accounts, aye).attached == []
    kept = StudentRole.objects.get()
    assert kept.made_at is None and "Throttling" in kept.trouble
    accounts.answers.clear()
    clock.tick(31)
    admitting.work_off(clock)
    assert len(role_of(accounts, aye).attached) == 3
    kept.refresh_from_db()
    assert (kept.made_at, kept.trouble, kept.next_try_at) == (clock(), "", None)


def test_what_the_portal_may_not_do_is_told_and_tried_more_slowly(shared, accounts, clock, aye):
    launching.launch(EMPTY, shared, aye, now=clock())
    accounts.role(AWS_ID, "controller").inline.clear()
    admitting.work_off(clock)
    assert "not authorized" in StudentRole.objects.get().trouble
    assert StudentRole.objects.get().next_try_at == clock() + timedelta(minutes=10)
    assert "not authorized" in admitting.why_not_yet(shared, aye.pk, clock())


def test_until_it_is_there_and_known_nobody_gets_credentials(shared, accounts, clock, aye):
    launch = launching.launch(EMPTY, shared, aye, now=clock())
    with pytest.raises(sessions.NoSession, match="is being made"):
        sessions.credentials(launch, aye, clock())
    admitting.work_off(clock)
    with pytest.raises(sessions.NoSession, match="half a minute to know it"):
        sessions.credentials(launch, aye, clock())
    clock.tick(30)
    assert sessions.credentials(launch, aye, clock()).access_key_id in accounts.sessions


def test_a_session_in_a_shared_account_is_held_to_its_lab(admitted, accounts, clock, aye):
    launch = admitted(aye)
    made = sessions.credentials(launch, aye, clock())
    session = accounts.sessions[made.access_key_id]
    assert session.policy == guardrails.session_policy(launch.account.limits(), launch.id.hex)
    assert session.tags == guardrails.tags(aye.pk, launch.id.hex)


def test_a_student_does_not_become_another_one(admitted, accounts, clock, aye, bo):
    launch = admitted(aye)
    admitted(bo)
    made = sessions.credentials(launch, aye, clock())
    mine = accounts.client("sts", aws_access_key_id=made.access_key_id)
    with pytest.raises(mine.exceptions.ClientError, match="not authorized"):
        mine.assume_role(
            RoleArn=guardrails.student_role(AWS_ID, bo.pk),
            RoleSessionName=f"student-{bo.pk}",
            DurationSeconds=900,
            Tags=[{"Key": "student", "Value": str(bo.pk)}, {"Key": "lab", "Value": launch.id.hex[:12]}],
            SourceIdentity=f"student-{bo.pk}",
        )


def test_the_end_of_a_lab_is_put_up_on_its_students_role_alone(admitted, accounts, clock, aye, bo):
    launch = admitted(aye)
    admitted(bo)
    ending.fence(launch, clock())
    assert len(role_of(accounts, aye).inline) == 1
    assert role_of(accounts, bo).inline == {}


# --- leaving -------------------------------------------------------------------------------------------------


def test_who_leaves_loses_the_role_when_no_lab_of_theirs_is_on(admitted, accounts, clock, aye, bo):
    launch = admitted(aye)
    admitted(bo)
    ending.fence(launch, clock())
    admitting.ask_to_leave(StudentRole.objects.filter(student=aye), clock())
    admitting.work_off(clock)
    assert role_of(accounts, aye), "a lab is on"
    Launch.objects.filter(pk=launch.pk).update(ended_at=clock())
    clock.tick(31)
    admitting.work_off(clock)
    assert role_of(accounts, aye) is None
    assert role_of(accounts, bo)
    assert list(StudentRole.objects.values_list("student", flat=True)) == [bo.pk]


def test_a_role_that_somebody_has_deleted_is_as_good(admitted, accounts, clock, aye):
    Launch.objects.filter(pk=admitted(aye).pk).update(ended_at=clock())
    del accounts.roles[guardrails.student_role(AWS_ID, aye.pk)]
    admitting.ask_to_leave(StudentRole.objects.all(), clock())
    admitting.work_off(clock)
    assert not StudentRole.objects.exists()


def test_who_comes_back_before_it_is_gone_keeps_it(admitted, accounts, clock, aye, shared):
    Launch.objects.filter(pk=admitted(aye).pk).update(ended_at=clock())
    admitting.ask_to_leave(StudentRole.objects.all(), clock())
    launching.launch(EMPTY, shared, aye, now=clock())
    admitting.work_off(clock)
    assert len(role_of(accounts, aye).attached) == 3
    assert StudentRole.objects.get().leaves_at is None


def test_an_account_that_is_let_go_of_is_left_without_students_roles(admitted, accounts, shared, clock, aye):
    Launch.objects.filter(pk=admitted(aye).pk).update(ended_at=clock())
    connecting.disconnect(shared, now=clock(), by=aye)
    admitting.work_off(clock)
    assert sorted(role.name for role in accounts.roles.values()) == ["controller", "deadman", "emr-service"]


def test_in_an_own_or_a_practice_account_the_portal_makes_none(account, clock, aye):
    launching.launch(EMPTY, account, aye, now=clock())
    assert not StudentRole.objects.exists()


# --- what the census and the reconciler have to know ----------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "name", "is_ours"),
    [
        ("/lab/", "controller", True),
        ("/lab/", "deadman", True),
        ("/lab/", "student", True),
        ("/lab/", "lab-student-7", True),
        ("/lab/", "boundary", True),
        ("/lab/", "student-machines", True),
        ("/lab/", "lab-a1b2c3d4e5f6-role", False),
        ("/", "controller", False),
        ("/", "lab-student-7", False),
    ],
)
def test_what_the_stack_and_the_portal_made_is_no_stranger(path, name, is_ours):
    assert is_not_listed(path, name) is is_ours


def test_a_labs_role_in_a_real_account_is_bounded_and_nobody_elses_would_be_made(shared, accounts, clock, aye):
    lab = lab_of(Want("role", "iam-role", {"trust": "ec2.amazonaws.com"}))
    launch = launching.launch(lab, shared, aye, now=clock())
    row = Resource.objects.select_related("account").get(launch=launch)
    kind_of("iam-role").create(aws.client(shared, "iam"), ledger.want_of(row, {}))
    made = accounts.role(AWS_ID, row.name)
    assert made.boundary == guardrails.boundary_arn(AWS_ID)
    assert made.tags["lab"] == launch.id.hex[:12]


def test_practice_has_no_boundary(account, clock, aye):
    lab = lab_of(Want("role", "iam-role", {"trust": "ec2.amazonaws.com"}))
    launch = launching.launch(lab, account, aye, now=clock())
    row = Resource.objects.select_related("account").get(launch=launch)
    assert ledger.want_of(row, {}).boundary == ""
