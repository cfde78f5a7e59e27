"""The doctor's visit to an account: what AWS is asked, what is kept, and what stops labs from starting there."""

from datetime import timedelta

import pytest

from labs import aws, connecting, doctor, examining, guardrails, launching, stack_template
from labs.examining import Patient
from labs.kinds.base import Want
from labs.limits import Limits, limits_of
from labs.models import Account
from labs.tests.cast import Clock, refusal
from labs.tests.conftest import lab_of
from labs.tests.strict_accounts import PORTAL, Accounts

pytestmark = pytest.mark.django_db

AWS_ID = "111122223333"
LAB = lab_of(
    Want("bucket", "s3-bucket"),
    Want("role", "iam-role", {"trust": "ec2.amazonaws.com"}),
    Want("box", "ec2-instance", {"type": "t3.medium", "profile": "{role.name}"}, needs=("role",)),
    slug="boxes",
)


@pytest.fixture
def accounts(monkeypatch, settings):
    settings.PORTAL_ROLE_ARN = PORTAL
    made = Accounts()
    made.stand_in(monkeypatch)
    quotas = {"QuotaCode": "L-1216C47A", "QuotaName": "Running On-Demand Standard instances", "Value": 5.0}
    made.answers |= {
        ("ec2", "describe_regions"): {"Regions": [{"RegionName": "us-east-1"}]},
        ("ec2", "describe_instance_types"): {
            "InstanceTypes": [{"InstanceType": "t3.medium", "VCpuInfo": {"DefaultVCpus": 2}}]
        },
        ("service-quotas", "list_aws_default_service_quotas"): {"Quotas": [quotas]},
        ("service-quotas", "list_service_quotas"): {"Quotas": [quotas | {"Value": 64.0}]},
    }
    yield made
    aws.forget_clients()


@pytest.fixture
def clock():
    from datetime import UTC, datetime

    return Clock(datetime.now(UTC))


@pytest.fixture
def connected(accounts, clock, aye):
    account = connecting.begin(mode=Account.SHARED, name="Bootcamp", regions=[], lab_regions=["us-east-1"], now=clock())
    template = stack_template.template(PORTAL, account.limits())
    accounts.deploy(AWS_ID, template, ExternalId=account.external_id)
    bound = connecting.connect(account, AWS_ID, now=clock(), by=aye)
    Account.objects.filter(pk=bound.pk).update(looked_at=clock())
    bound.refresh_from_db()
    return bound


@pytest.fixture
def look(connected, clock):
    """look() -> {check: [verdicts]} of a visit now, for a class of 24."""

    def visit(people=24):
        connected.refresh_from_db()
        found = {}
        for one in examining.examine(Patient(connected, (LAB,), people), clock):
            found.setdefault(one.check, []).append(one.verdict)
        return found

    return visit


def test_an_account_that_is_as_the_template_makes_it_is_well(look, connected, clock):
    assert {check: found for check, found in look().items() if found != [doctor.OK]} == {}
    connected.refresh_from_db()
    assert (connected.examined_at, connected.proved_at, connected.trouble) == (clock(), clock(), "")
    assert connected.examine_at == clock() + timedelta(hours=1)
    assert connected.report["quotas"] == [
        {"title": "Standard vCPU, EC2", "lab": LAB.title, "needs": 48, "has": 64.0}
    ], "an applied value goes before the default"


def test_permissions_are_asked_about_by_simulation_with_names_of_labs(look, accounts):
    asked = []
    accounts.answers["iam", "simulate_principal_policy"] = lambda given: (
        asked.append(given)
        or {"EvaluationResults": [{"EvalActionName": name, "EvalDecision": "allowed"} for name in given["ActionNames"]]}
    )
    look()
    of = {action: given for given in asked for action in given["ActionNames"]}
    assert of["s3:CreateBucket"]["ResourceArns"] == ["arn:aws:s3:::lab-doctor"]
    assert of["iam:CreateRole"]["ContextEntries"][0]["ContextKeyName"] == "iam:PermissionsBoundary"
    assert {"ec2:RunInstances", "iam:PassRole", "scheduler:CreateSchedule"} <= set(of)
    assert {given["PolicySourceArn"] for given in asked} == {f"arn:aws:iam::{AWS_ID}:role/lab/controller"}


def test_an_account_whose_role_may_not_end_what_it_makes_fails(look, accounts, connected):
    policy = accounts.role(AWS_ID, "controller").inline["portal"]
    for statement in policy["Statement"]:
        if "ec2:TerminateInstances" in statement["Action"]:
            statement["Action"].remove("ec2:TerminateInstances")
    assert look()["permissions"] == [doctor.FAILS]
    [said] = [one for one in stored(connected) if one["check"] == "permissions"]
    assert said["details"] == [f"ec2:TerminateInstances: denied, {LAB.title}"]


def stored(account):
    account.refresh_from_db()
    return account.report["findings"]


def test_where_nothing_is_simulated_ec2_is_tried_dry_and_the_rest_is_not_known(look, accounts, connected):
    accounts.answers["iam", "simulate_principal_policy"] = refusal("AccessDenied", 403)
    accounts.answers["ec2", "describe_instances"] = refusal("DryRunOperation", 412)
    accounts.answers["ec2", "describe_volumes"] = refusal("UnauthorizedOperation", 403)
    assert look()["permissions"] == [doctor.FAILS, doctor.UNKNOWN]
    denied, unknown = (one["details"] for one in stored(connected) if one["check"] == "permissions")
    assert denied == [f"ec2:DescribeVolumes: denied, {LAB.title}"]
    assert "ec2:RunInstances" in unknown and "ec2:DescribeInstances" not in unknown
    assert "ec2:describe_instances" in accounts.calls


def test_a_class_that_is_too_large_is_told(look):
    assert look(people=40)["quotas"] == [doctor.FAILS]


def test_quotas_that_aws_does_not_tell_are_not_enough_and_not_too_few(look, accounts):
    for operation in ("list_aws_default_service_quotas", "list_service_quotas"):
        accounts.answers["service-quotas", operation] = refusal("AccessDeniedException", 403)
    assert look()["quotas"] == [doctor.UNKNOWN]


def test_a_clock_that_is_wrong_is_seen_in_the_date_of_awss_answer(look, accounts):
    accounts.skew = timedelta(minutes=-7)
    assert look()["clock"] == [doctor.FAILS]


def test_a_stack_that_is_gone_stops_labs_and_one_that_is_back_lets_them_start(look, accounts, connected, clock, aye):
    accounts.delete_stack(AWS_ID)
    assert look()["reach"] == [doctor.FAILS]
    connected.refresh_from_db()
    assert "do not reach the account" in connected.trouble
    template = stack_template.template(PORTAL, connected.limits())
    accounts.deploy(AWS_ID, template, ExternalId=connected.external_id)
    clock.tick(60)
    look()
    connected.refresh_from_db()
    assert (connected.trouble, connected.proved_at) == ("", clock())


def test_that_aws_is_away_for_a_moment_stops_nothing(look, accounts, connected):
    accounts.is_away = True
    assert look()["reach"] == [doctor.FAILS]
    connected.refresh_from_db()
    assert connected.trouble == ""


def test_strangers_who_are_let_in_stop_labs(look, accounts, connected):
    [statement] = accounts.role(AWS_ID, "controller").trust["Statement"]
    del statement["Condition"]
    assert look()["strangers"] == [doctor.FAILS]
    connected.refresh_from_db()
    assert "lets in strangers" in connected.trouble


def test_a_switch_without_its_role_and_an_older_template_are_told(look, accounts, connected):
    del accounts.roles[f"arn:aws:iam::{AWS_ID}:role/lab/deadman"]
    accounts.role(AWS_ID, "controller").tags["lightsout:template"] = "0"
    found = look()
    assert (found["switch"], found["template"]) == ([doctor.FAILS], [doctor.FAILS])
    connected.refresh_from_db()
    assert connected.template_version == 0


COHORT, SMALL = "c0ffee0123456789" * 2, Limits(instance_types=("t3.micro",))


@pytest.fixture
def look_at_limits(connected, clock):
    """look_at_limits(limits) -> (verdicts about them, what is kept of them) of a visit now."""

    def visit(limits=SMALL):
        connected.refresh_from_db()
        patient = Patient(connected, (), 1, limits={COHORT: ("September", limits)})
        found = [one.verdict for one in examining.examine(patient, clock) if one.check == "limits"]
        return found, connected.limits_held

    return visit


def deploy(accounts, account, limits):
    accounts.deploy(AWS_ID, stack_template.cohort_template(account.limited_to(limits), COHORT))


def test_a_cohorts_limits_are_held_once_its_stack_is_there(look_at_limits, accounts, connected):
    assert look_at_limits() == ([doctor.FAILS], {})
    [said] = [one for one in stored(connected) if one["check"] == "limits"]
    assert "September" in said["title"] and stack_template.cohort_stack(COHORT) in said["mend"]
    deploy(accounts, connected, SMALL)
    kept = limits_of(connected.limited_to(SMALL)).as_json()
    assert look_at_limits() == ([doctor.OK], {COHORT: kept})
    wider = Limits(instance_types=("t3.micro", "t3.large"))
    assert look_at_limits(wider) == ([doctor.FAILS], {COHORT: kept}), "the stack is older than what was chosen"
    assert look_at_limits(Limits()) == ([], {}), "what needs no stack is not asked for"


def test_a_stack_of_a_cohort_that_is_not_whole_holds_nobody(look_at_limits, accounts, connected):
    deploy(accounts, connected, SMALL)
    del accounts.policies[guardrails.student_policy_arns(AWS_ID, COHORT)["student-account"]]
    assert look_at_limits() == ([doctor.FAILS], {})


def test_older_documents_with_the_same_limits_are_told_and_hold_all_the_same(look_at_limits, accounts, connected):
    deploy(accounts, connected, SMALL)
    before = look_at_limits()[1]
    accounts.policies[guardrails.boundary_arn(AWS_ID, COHORT)]["Statement"].pop()
    assert look_at_limits() == ([doctor.FAILS], before)


def test_a_portals_role_that_knows_no_cohorts_makes_no_roles_of_one(look_at_limits, accounts, connected):
    deploy(accounts, connected, SMALL)
    accounts.role(AWS_ID, "controller").tags["lightsout:template"] = "2"
    assert look_at_limits() == ([doctor.FAILS], {})
    [said] = [one for one in stored(connected) if one["check"] == "limits"]
    assert said["mend"].startswith("update the stack to template")


def test_while_aws_does_not_tell_it_holds_what_it_held(look_at_limits, accounts, connected):
    deploy(accounts, connected, SMALL)
    kept = look_at_limits()[1]
    accounts.answers["iam", "get_policy"] = refusal("Throttling", 400)
    assert look_at_limits() == ([doctor.UNKNOWN], kept) and kept
    accounts.answers.clear()
    accounts.delete_stack(AWS_ID)
    assert look_at_limits() == ([], kept), "nobody sees into it now; no lab starts there anyway"


def test_a_long_lived_key_of_the_portals_is_told_even_where_it_is_allowed(look, accounts, settings):
    settings.ALLOW_LONG_LIVED_KEY = True
    accounts.own_key = "AKIALONGLIVED0000001"
    aws.forget_clients()
    assert look()["key"] == [doctor.FAILS]


def test_a_portal_without_an_identity_is_told_so_and_asks_nothing(look, accounts, connected):
    accounts.get_credentials = lambda: None
    aws.forget_clients()
    asked = len(accounts.calls)
    assert look() == {"reach": [doctor.FAILS], "key": [doctor.FAILS], "census": [doctor.OK]}
    assert len(accounts.calls) == asked
    assert "give the portal an identity" in stored(connected)[0]["mend"]
    assert connected.trouble == "", "the account is as it was"


@pytest.mark.simulator
def test_a_practice_account_is_looked_at_and_says_what_practice_cannot_show(simulator, settings, aye, clock):
    simulator.serves(settings)
    aws.forget_clients()
    account = Account.objects.create(
        name="Aye's",
        mode=Account.PRACTICE,
        aws_id=simulator.new_account(),
        owner=aye,
        regions=["us-east-1", "ap-southeast-1"],
        lab_regions=["us-east-1"],
        boot_id=simulator.boot()["boot_id"],
        looked_at=clock(),
        created_at=clock(),
    )
    found = {one.check: one.verdict for one in examining.examine(Patient(account, (LAB,)), clock)}
    assert found == {
        "reach": doctor.OK,
        "who": doctor.OK,
        "strangers": doctor.UNKNOWN,
        "permissions": doctor.UNKNOWN,
        "quotas": doctor.OK,
        "regions": doctor.OK,
        "clock": doctor.OK,
        "switch": doctor.OK,
        "census": doctor.OK,
    }
    account.refresh_from_db()
    assert account.examine_at is None and account.trouble == ""
    assert launching.launch(lab_of(), account, aye, now=clock())
    aws.forget_clients()
