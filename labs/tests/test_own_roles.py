"""The portal's own roles in a real account: they can do what every kind asks of them, and not what nobody asked for."""

from __future__ import annotations

import pytest

from labs import own_roles
from labs.guardrails import boundary_arn
from labs.iam_words import INLINE_LIMIT, TRUST_LIMIT, role_arn, text
from labs.kind_actions import EVERY_LAB, actions_of, asked_with
from labs.kinds import registry
from labs.kinds.base import Want
from labs.policy_evaluator import Call, Principal, is_allowed, matches
from labs.tests.guarded_world import (
    ACCOUNT,
    AS_MINE,
    BOUNDARY,
    CONTROLLER,
    LAB_ROLE,
    MINE,
    OWN,
    REGION,
    STUDENT_ROLE,
    bucket,
    ec2,
    function,
    pass_role,
    policy,
    sagemaker,
    state_machine,
    user,
)
from labs.tests.iam_facts import actions_like, faults, impossible

PORTAL_ROLE = "arn:aws:iam::444455556666:role/lightsout"
EXTERNAL_ID = "c0ffee00-1234-5678-9abc-def012345678"
BOUND = {"iam:PermissionsBoundary": BOUNDARY}
# The scheduler's names of services are those of AWS's SDK for Java; IAM has its own.
SCHEDULERS_NAMES = {
    "elasticloadbalancingv2": "elasticloadbalancing",
    "emr": "elasticmapreduce",
    "emrserverless": "emr-serverless",
    "eventbridge": "events",
    "opensearchserverless": "aoss",
    "sfn": "states",
}

DOCUMENTS = {
    "controller's policy": (own_roles.controller_policy(ACCOUNT), INLINE_LIMIT),
    "controller's trust": (own_roles.controller_trust(PORTAL_ROLE, EXTERNAL_ID), TRUST_LIMIT),
    "switch's policy": (own_roles.switch_policy(ACCOUNT), INLINE_LIMIT),
    "switch's trust": (own_roles.switch_trust(ACCOUNT), TRUST_LIMIT),
    "EMR's policy": (own_roles.emr_policy(ACCOUNT), INLINE_LIMIT),
    "EMR's trust": (own_roles.emr_trust(ACCOUNT), TRUST_LIMIT),
}


def who(name: str) -> Principal:
    context = {"aws:RequestedRegion": REGION, "aws:PrincipalArn": role_arn(ACCOUNT, name)}
    policy_of = {
        "controller": "controller's policy",
        "deadman": "switch's policy",
        "emr-service": "EMR's policy",
    }[name]
    return Principal(context, (DOCUMENTS[policy_of][0],))


# --- the documents -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_sound_and_short_enough(name):
    document, limit = DOCUMENTS[name]
    assert list(faults(document)) == []
    assert len(text(document)) <= limit


def test_an_external_id_that_can_be_guessed_is_refused():
    with pytest.raises(ValueError, match="16 characters or more"):
        own_roles.controller_trust(PORTAL_ROLE, "lightsout")


def test_what_is_no_role_is_refused_as_the_portal():
    with pytest.raises(ValueError, match="is not the ARN of a role"):
        own_roles.controller_trust("*", EXTERNAL_ID)


def test_only_the_portals_role_enters_and_only_with_the_id():
    (statement,) = own_roles.controller_trust(PORTAL_ROLE, EXTERNAL_ID)["Statement"]
    enter = Call("sts:AssumeRole", CONTROLLER)
    assert statement["Principal"] == {"AWS": PORTAL_ROLE}
    assert matches(statement, enter, {"sts:externalid": EXTERNAL_ID})
    assert not matches(statement, enter, {"sts:externalid": "another"})
    assert not matches(statement, enter, {})


@pytest.mark.parametrize(
    ("role", "made", "service"),
    [("deadman", own_roles.switch_trust, "scheduler"), ("emr-service", own_roles.emr_trust, "elasticmapreduce")],
)
def test_only_its_service_enters_a_services_role_and_only_for_this_account(role, made, service):
    (statement,) = made(ACCOUNT)["Statement"]
    enter = Call("sts:AssumeRole", role_arn(ACCOUNT, role))
    assert statement["Principal"] == {"Service": f"{service}.amazonaws.com"}
    assert matches(statement, enter, {"aws:sourceaccount": ACCOUNT})
    assert not matches(statement, enter, {"aws:sourceaccount": "999988887777"})


# --- what the portal does ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", registry())
def test_the_portal_may_make_every_call_of_a_kind(name):
    """Does it fail for a new kind? Then labs/own_roles.py does not name the action yet."""
    kind = registry()[name]
    asked = actions_of(kind)
    assert len(asked) >= 2  # one to see it and one to end it
    assert sorted(action for action in asked if not actions_like(action)) == []
    assert sorted(action for action in asked if not is_named(action)) == []


@pytest.mark.parametrize("name", registry())
def test_what_the_doctor_asks_aws_about_a_kind_is_what_the_portal_may(name):
    """Else the doctor would find a permission missing in an account that is as it should be."""
    asked = {*actions_of(registry()[name]), *EVERY_LAB, "iam:PassRole"}
    refused = [
        action
        for action in asked
        for resource, context in [asked_with(action, ACCOUNT)]
        if not is_allowed(who("controller"), Call(action, resource, context))
    ]
    assert sorted(refused) == []


def is_named(action: str) -> bool:
    """Whether a statement allows it with some resource."""
    statements = own_roles.controller_policy(ACCOUNT)["Statement"]
    return any(matches({"Action": one["Action"]}, Call(action), {}) for one in statements)


PORTAL_NEEDS = [
    Call("iam:CreateRole", LAB_ROLE, {**BOUND, **AS_MINE}),
    Call("iam:PutRolePolicy", LAB_ROLE, BOUND),
    Call("iam:CreateRole", STUDENT_ROLE, {**BOUND, **AS_MINE}),
    Call("iam:AttachRolePolicy", STUDENT_ROLE, {**BOUND, "iam:PolicyARN": policy("lab/student-account")}),
    Call("iam:PutRolePolicy", STUDENT_ROLE, BOUND),  # the fence
    Call("iam:CreateRole", LAB_ROLE, {"iam:PermissionsBoundary": boundary_arn(ACCOUNT, "a0" * 16), **AS_MINE}),
    Call("iam:DeleteRole", LAB_ROLE, BOUND),
    Call("iam:CreateInstanceProfile", f"arn:aws:iam::{ACCOUNT}:instance-profile/lab/{OWN}p", AS_MINE),
    Call("sts:AssumeRole", STUDENT_ROLE, AS_MINE),
    Call("sts:TagSession", STUDENT_ROLE, AS_MINE),
    Call("sts:SetSourceIdentity", STUDENT_ROLE, {"sts:SourceIdentity": "student-7"}),
    Call("ec2:RunInstances", ec2("instance", "*"), AS_MINE),
    Call("ec2:TerminateInstances", ec2("instance")),  # a stranger without any tag
    Call("sagemaker:DeleteEndpoint", sagemaker("endpoint", "somebody-s")),
    Call("sagemaker:CreateTrainingJob", sagemaker("training-job", f"{OWN}t"), AS_MINE),
    Call("s3:CreateBucket", bucket(f"{OWN}data")),
    Call("s3:DeleteObject", bucket(f"{OWN}data/raw/a.csv")),
    Call("s3:GetBucketLocation", bucket("somebody-s")),
    Call("elasticmapreduce:RunJobFlow"),
    Call("scheduler:CreateSchedule", f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/lightsout/{OWN}nb"),
    Call("cloudwatch:GetMetricData"),
    Call("tag:GetResources"),
    pass_role(LAB_ROLE, "sagemaker"),
    pass_role(role_arn(ACCOUNT, "emr-service"), "elasticmapreduce"),
    pass_role(role_arn(ACCOUNT, "deadman"), "scheduler"),
]

# {why not: call}
NOT_THE_PORTALS = {
    "a role that nothing bounds could do everything": Call("iam:CreateRole", LAB_ROLE, AS_MINE),
    "nor one that is bounded by what it made itself": Call(
        "iam:CreateRole", LAB_ROLE, {"iam:PermissionsBoundary": policy(f"lab/{OWN}all"), **AS_MINE}
    ),
    "nor by one of nearly the same name": Call(
        "iam:CreateRole", LAB_ROLE, {"iam:PermissionsBoundary": policy("lab/boundary-mine"), **AS_MINE}
    ),
    "its own policy is the account's to give": Call("iam:PutRolePolicy", CONTROLLER, BOUND),
    "its own trust too": Call("iam:UpdateAssumeRolePolicy", CONTROLLER, BOUND),
    "the switch must work when the portal has gone wrong": Call("iam:DeleteRole", role_arn(ACCOUNT, "deadman"), BOUND),
    "the boundary is the account's": Call("iam:CreatePolicyVersion", BOUNDARY),
    "and nothing else may become one": Call("iam:CreatePolicy", policy("lab/boundary-mine")),
    "what holds students is the account's": Call("iam:DeletePolicy", policy("lab/student-account")),
    "a boundary stays on": Call("iam:DeleteRolePermissionsBoundary", LAB_ROLE, BOUND),
    "the roles of the account are not its business": Call("iam:DeleteRole", f"arn:aws:iam::{ACCOUNT}:role/Admin"),
    "keys are never made": Call("iam:CreateAccessKey", user(f"lab/{OWN}u")),
    "nor passwords": Call("iam:CreateLoginProfile", user(f"lab/{OWN}u")),
    "the account's own users stay": Call("iam:DeleteUser", user("instructor")),
    "and their keys": Call("iam:DeleteAccessKey", user("instructor")),
    "a user that nothing bounds": Call("iam:CreateUser", user(f"lab/{OWN}u")),
    "secrets are for their owners": Call(
        "secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:db-0a1b2c"
    ),
    "files that no lab made stay": Call("s3:DeleteObject", bucket("thesis/chapter-1.tex")),
    "and are not read": Call("s3:GetObject", bucket("thesis/chapter-1.tex")),
    "nor their bucket deleted": Call("s3:DeleteBucket", bucket("thesis")),
    "nobody else is let in to a bucket": Call("s3:PutBucketPolicy", bucket(f"{OWN}data")),
    "nor to a snapshot": Call("ec2:ModifySnapshotAttribute", ec2("snapshot")),
    "the school's trail goes on": Call("cloudtrail:StopLogging", f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/school"),
    "nothing is bought": Call("ec2:PurchaseReservedInstancesOffering"),
    "nor for GPUs by the month": Call("sagemaker:CreateTrainingPlan", sagemaker("training-plan", "x")),
    "hosts are not taken": Call("ec2:AllocateHosts", ec2("dedicated-host", "*")),
    "it becomes students and nobody else": Call("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/Admin"),
    "it hands over no role but those of labs": pass_role(f"arn:aws:iam::{ACCOUNT}:role/Admin", "lambda"),
    "nor its own": pass_role(CONTROLLER, "lambda"),
    "the switch's role goes to the scheduler alone": pass_role(role_arn(ACCOUNT, "deadman"), "lambda"),
    "roles of services only as needed": Call(
        "iam:CreateServiceLinkedRole",
        f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/organizations.amazonaws.com/AWSServiceRoleForOrganizations",
        {"iam:AWSServiceName": "organizations.amazonaws.com"},
    ),
    "the account is not its to leave": Call("organizations:LeaveOrganization"),
    "budgets are the account's": Call("budgets:ModifyBudget", f"arn:aws:budgets::{ACCOUNT}:budget/class"),
}


def test_the_portal_does_what_it_has_to():
    assert [call for call in PORTAL_NEEDS if not is_allowed(who("controller"), call)] == []


@pytest.mark.parametrize("why", NOT_THE_PORTALS)
def test_the_portal_does_not_do_what_nobody_asked_for(why):
    assert not is_allowed(who("controller"), NOT_THE_PORTALS[why])


def test_aws_knows_every_call_of_the_portals_tables():
    calls = [
        *(*PORTAL_NEEDS, *NOT_THE_PORTALS.values(), *ENDED.values(), *NOT_THE_SWITCHS.values()),
        *(*OF_CLUSTERS.values(), *NOT_EMRS.values()),
    ]
    assert [fault for call in calls for fault in impossible(call)] == []


# --- the dead-man's switch -----------------------------------------------------------------------------------

# {what: call} of what has our name or the tag of a lab.
ENDED = {
    "an instance of a lab": Call("ec2:TerminateInstances", ec2("instance"), MINE),
    "an endpoint by its name": Call("sagemaker:DeleteEndpoint", sagemaker("endpoint", f"{OWN}e")),
    "a notebook by its tag, whatever its name": Call(
        "sagemaker:StopNotebookInstance", sagemaker("notebook-instance", "mine"), MINE
    ),
    "a job": Call("sagemaker:StopTrainingJob", sagemaker("training-job", f"{OWN}t")),
    "a cluster": Call(
        "elasticmapreduce:TerminateJobFlows", f"arn:aws:elasticmapreduce:{REGION}:{ACCOUNT}:cluster/j-1", MINE
    ),
}
NOT_THE_SWITCHS = {
    "an instance of nobody's": Call("ec2:TerminateInstances", ec2("instance")),
    "an endpoint of another name": Call("sagemaker:DeleteEndpoint", sagemaker("endpoint", "production")),
    "a database of another name": Call("rds:StopDBInstance", f"arn:aws:rds:{REGION}:{ACCOUNT}:db:production"),
    "starting": Call("ec2:StartInstances", ec2("instance"), MINE),
    "making": Call("sagemaker:CreateEndpoint", sagemaker("endpoint", f"{OWN}e"), AS_MINE),
    "tags, which would widen what it ends": Call("ec2:CreateTags", ec2("instance"), AS_MINE),
    "files": Call("s3:DeleteObject", bucket(f"{OWN}data/a.csv")),
    "a function called": Call("lambda:InvokeFunction", function(f"{OWN}fn")),
    "a workflow started": Call("states:StartExecution", state_machine(f"{OWN}sm")),
    "a role handed on": pass_role(LAB_ROLE, "lambda"),
    "the portal's role": Call("sts:AssumeRole", CONTROLLER),
}


@pytest.mark.parametrize("what", ENDED)
def test_the_switch_ends(what):
    assert is_allowed(who("deadman"), ENDED[what])


@pytest.mark.parametrize("what", NOT_THE_SWITCHS)
def test_the_switch_does_not_touch(what):
    assert not is_allowed(who("deadman"), NOT_THE_SWITCHS[what])


def off_call(name: str):
    return registry()[name].off_call(Want("x", name, name=f"{OWN}x", aws_id="x-1", account_id=ACCOUNT, region=REGION))


@pytest.mark.parametrize("name", [name for name in registry() if off_call(name)])
def test_the_switch_may_make_the_call_that_turns_a_kind_off(name):
    off = off_call(name)
    named = f"{SCHEDULERS_NAMES.get(off.service, off.service)}:{off.action[0].upper()}{off.action[1:]}"
    action = named if actions_like(named) else "apigateway:DELETE"
    statements = own_roles.switch_policy(ACCOUNT)["Statement"]
    assert any(matches({"Action": one["Action"]}, Call(action), {}) for one in statements)


# --- EMR's service role --------------------------------------------------------------------------------------

NEW = {"ec2:CreateAction": "RunInstances"}
# {what: call} that EMR makes with it, when a cluster of a lab comes and goes.
OF_CLUSTERS = {
    "a machine": Call("ec2:RunInstances", ec2("instance", "*"), AS_MINE),
    "its disk": Call("ec2:RunInstances", ec2("volume", "*"), AS_MINE),
    "in a subnet": Call("ec2:RunInstances", ec2("subnet")),
    "behind a security group": Call("ec2:RunInstances", ec2("security-group")),
    "of an image": Call("ec2:RunInstances", f"arn:aws:ec2:{REGION}::image/ami-1"),
    "its tags": Call("ec2:CreateTags", ec2("instance", "*"), NEW | AS_MINE),
    "its role": pass_role(LAB_ROLE, "ec2"),
    "its end": Call("ec2:TerminateInstances", ec2("instance"), MINE),
    "a look at networks": Call("ec2:DescribeSubnets"),
    "groups that let machines talk": Call("ec2:AuthorizeSecurityGroupIngress", ec2("security-group")),
}
NOT_EMRS = {
    "a machine of no cluster of a lab": Call("ec2:RunInstances", ec2("instance", "*")),
    "somebody's machine": Call("ec2:TerminateInstances", ec2("instance")),
    "another tag on what is there": Call("ec2:CreateTags", ec2("instance"), AS_MINE),
    "the portal's role on a machine": pass_role(CONTROLLER, "ec2"),
    "its own role on a machine": pass_role(role_arn(ACCOUNT, "emr-service"), "ec2"),
    "a role of the account on a machine": pass_role(f"arn:aws:iam::{ACCOUNT}:role/Admin", "ec2"),
    "a role of a lab on a function": pass_role(LAB_ROLE, "lambda"),
    "files": Call("s3:GetObject", bucket(f"{OWN}data/a.csv")),
}


@pytest.mark.parametrize("what", OF_CLUSTERS)
def test_emr_makes_of_a_cluster(what):
    assert is_allowed(who("emr-service"), OF_CLUSTERS[what])


@pytest.mark.parametrize("what", NOT_EMRS)
def test_emr_does_not_touch(what):
    assert not is_allowed(who("emr-service"), NOT_EMRS[what])
