"""Students' roles in the shared account: made at the first lab by the portal's role, held by what it cannot change, and
taken away when they leave."""

from dataclasses import replace
from datetime import timedelta

import pytest

from labs import (
    admitting,
    aws,
    checking,
    connecting,
    ending,
    guardrails,
    launching,
    ledger,
    panel,
    sessions,
    stack_template,
)
from labs.kinds import kind_of
from labs.kinds.base import Want
from labs.kinds.iam_identity import is_not_listed
from labs.limits import Limits, limits_of
from labs.models import Account, Launch, Resource, StudentRole
from labs.tests.cast import refusal
from labs.tests.conftest import lab_of
from labs.tests.strict_accounts import PORTAL, Accounts

pytestmark = pytest.mark.django_db

AWS_ID = "111122223333"
EMPTY = lab_of()
COHORT, SMALL = "c0ffee0123456789" * 2, Limits(instance_types=("t3.micro", "m5.xlarge"))


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
    assert "not authorized" in admitting.why_not_yet(Launch.objects.get(), aye.pk, clock())


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


# --- a cohort with limits of its own --------------------------------------------------------------------------


@pytest.fixture
def limited(shared, accounts):
    """The shared account with the stack that holds the cohort to SMALL, as the doctor saw it."""
    rules = shared.limited_to(SMALL)
    accounts.deploy(AWS_ID, stack_template.cohort_template(rules, COHORT))
    shared.limits_held = {COHORT: limits_of(rules).as_json()}
    shared.save()
    return shared


@pytest.fixture
def in_cohort(limited, clock):
    """in_cohort(person, lab): their launch as one of that cohort, their role made and known everywhere."""

    def begin(person, lab=EMPTY):
        launch = launching.launch(lab, limited, person, now=clock(), scope=COHORT, limits=SMALL)
        admitting.work_off(clock)
        clock.tick(60)
        return launch

    return begin


def test_a_student_of_it_works_under_its_own_documents(in_cohort, accounts, clock, aye):
    launch = in_cohort(aye)
    role = accounts.roles[guardrails.student_role(AWS_ID, aye.pk, COHORT)]
    assert role.boundary == guardrails.boundary_arn(AWS_ID, COHORT)
    assert role.attached == list(guardrails.student_policy_arns(AWS_ID, COHORT).values())
    assert role_of(accounts, aye) is None, "no wider one"
    session = accounts.sessions[sessions.credentials(launch, aye, clock()).access_key_id]
    assert session.role == role.arn
    assert session.policy == guardrails.session_policy(launch.rules(), launch.id.hex)
    assert launch.rules().instance_types == ("t3.micro",), "a cluster's machines are the portal's to start"


def test_who_is_in_another_cohort_too_has_a_role_for_each_and_a_fence_ends_one_lab(
    in_cohort, admitted, accounts, clock, aye
):
    here, there = in_cohort(aye), admitted(aye)
    assert StudentRole.objects.filter(student=aye).count() == 2
    assert role_of(accounts, aye).boundary == guardrails.boundary_arn(AWS_ID)
    ending.fence(here, clock())
    assert accounts.roles[guardrails.student_role(AWS_ID, aye.pk, COHORT)].inline
    assert role_of(accounts, aye).inline == {}
    assert accounts.sessions[sessions.credentials(there, aye, clock()).access_key_id].role == role_of(accounts, aye).arn


def test_roles_of_its_labs_carry_its_boundary_and_its_steps_name_it(in_cohort, limited, accounts, aye):
    launch = in_cohort(aye, lab_of(Want("role", "iam-role", {"trust": "ec2.amazonaws.com"})))
    row = ledger.claim(launch.created_at + timedelta(minutes=2))
    want = ledger.want_of(row, {})
    kind_of("iam-role").create(aws.client(limited, "iam"), want)
    ours = guardrails.boundary_arn(AWS_ID, COHORT)
    assert accounts.role(AWS_ID, row.name).boundary == ours
    assert checking.view_of(launch).boundary == ours
    assert panel.filled("--permissions-boundary {lab.boundary}", launch, []).endswith(ours)


BOX = lab_of(Want("box", "ec2-instance", {"type": "t3.micro"}))
CLUSTER = lab_of(Want("emr", "emr-cluster", {"type": "m5.xlarge"}))
LARGE = lab_of(Want("box", "ec2-instance", {"type": "t3.large"}))
BY_HAND = replace(EMPTY, by_hand=(Want("train", "sagemaker-training-job", {"type": "ml.m5.xlarge"}),))
ONE_REGION = Limits(regions=("eu-west-1",))


@pytest.mark.parametrize(
    ("lab", "limits", "held", "words"),
    [
        (BOX, SMALL, "as it should be", ""),
        (CLUSTER, SMALL, "as it should be", ""),
        (LARGE, SMALL, "as it should be", "needs t3.large. Your cohort's EC2 types: t3.micro, m5.xlarge."),
        (
            BY_HAND,
            Limits(sagemaker_types=("ml.t3.medium",)),
            "as it should be",
            "needs ml.m5.xlarge. Your cohort's Sage",
        ),
        (EMPTY, ONE_REGION, "as it should be", "needs us-east-1. Your cohort's regions: eu-west-1."),
        (BOX, SMALL, {}, "AWS does not hold this cohort's limits yet"),
        (BOX, SMALL, {"instance_types": ["t3.micro", "t3.small"]}, "AWS still holds older limits of this cohort"),
        (BOX, SMALL, {"instance_types": ["t3.small"]}, "AWS still holds older limits of this cohort"),
        (EMPTY, Limits(instance_types=("t3.micro", "t3.small")), "as it should be", ""),
        (EMPTY, Limits(instance_types=("m5.xlarge",)), "as it should be", "allows none of the cohort's EC2 types"),
    ],
)
def test_a_lab_starts_where_the_limits_allow_it_and_aws_holds_to_them(limited, clock, aye, lab, limits, held, words):
    whole = limits_of(limited.limited_to(SMALL)).as_json()
    limited.limits_held = {COHORT: whole if held == "as it should be" else held and whole | held}
    if not words:
        assert launching.launch(lab, limited, aye, now=clock(), scope=COHORT, limits=limits).limited_scope == COHORT
        return
    with pytest.raises(launching.CannotLaunch) as refused:
        launching.launch(lab, limited, aye, now=clock(), scope=COHORT, limits=limits)
    assert words in str(refused.value)
    assert not Launch.objects.exists()


def test_limits_as_wide_as_the_account_need_no_documents_and_practice_has_none(shared, account, clock, aye):
    wide = Limits(instance_types=(*shared.limits().instance_types, "m5.xlarge"))
    assert launching.launch(BOX, shared, aye, now=clock(), scope=COHORT, limits=wide).limits == {}
    assert launching.launch(BOX, account, aye, now=clock(), scope=COHORT, limits=SMALL).limits == {}
    with pytest.raises(launching.CannotLaunch, match=r"needs t3\.large"):
        launching.launch(LARGE, account, aye, now=clock(), scope=COHORT, limits=SMALL)


def test_an_account_that_allows_nothing_of_it_any_more_gives_no_session(in_cohort, limited, clock, aye):
    launch = in_cohort(aye)
    Account.objects.filter(pk=limited.pk).update(rules={"instance_types": ["t3.large"]})
    launch = Launch.objects.select_related("account").get(pk=launch.pk)
    with pytest.raises(sessions.NoSession, match="allows none of the cohort's EC2 types"):
        sessions.credentials(launch, aye, clock())


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
        ("/lab/", "boundary-c0ffee012345", True),
        ("/lab/", "student-machines-c0ffee012345", True),
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
