"""A small account for tests of guardrails: aye's lab and other lab, bo's lab, and requests as AWS authorises them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from labs import guardrails as g
from labs.iam_words import role_arn
from labs.limits import Limits
from labs.policy_evaluator import Call, Principal

ACCOUNT, ELSEWHERE = "111122223333", "999988887777"
REGION = "us-east-1"
RULES = g.Rules()
AYE, BO = "7", "8"
LAUNCH, OTHER_LAUNCH, BOS_LAUNCH = "a1b2c3d4e5f6" + "0" * 20, "a9a9a9a9a9a9" + "0" * 20, "b0b0b0b0b0b0" + "0" * 20
OWN, OTHERS_OWN, BOS = g.own_prefix(LAUNCH), g.own_prefix(OTHER_LAUNCH), g.own_prefix(BOS_LAUNCH)

CONTROLLER = role_arn(ACCOUNT, "controller")
STUDENT_ROLE = g.student_role(ACCOUNT, AYE)
BOS_ROLE = g.student_role(ACCOUNT, BO)
LAB_ROLE = role_arn(ACCOUNT, f"{OWN}fn")
BOUNDARY = g.boundary_arn(ACCOUNT)

ALLOW_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


# --- who calls -----------------------------------------------------------------------------------------------


def session_of(role: str) -> dict[str, Any]:
    """What comes with every call of a session of aye's lab."""
    return {
        "aws:PrincipalArn": role,
        "aws:PrincipalTag/student": AYE,
        "aws:PrincipalTag/lab": g.lab_of(LAUNCH),
        "aws:RequestedRegion": REGION,
        "aws:ResourceAccount": ACCOUNT,
        "aws:TokenIssueTime": "2025-09-13T14:30:00Z",
    }


DOCUMENTS = {
    **g.student_policies(RULES, ACCOUNT),
    "boundary": g.boundary(RULES, ACCOUNT),
    "session": g.session_policy(RULES, LAUNCH),
}


def actors(documents: Mapping[str, Any] = DOCUMENTS, student_role: str = STUDENT_ROLE) -> dict[str, Principal]:
    """The student as it should be; the student with one of the documents lost, or all but one; and a role of a lab to
    which a student gave everything."""
    student, role = session_of(student_role), session_of(LAB_ROLE)
    policies = tuple(documents[name] for name in g.STUDENT_POLICIES)
    boundary, session = documents["boundary"], documents["session"]
    # Whom a role's trust names may tag the session as he likes, and such tags count before the role's own.
    as_bo = {"aws:PrincipalTag/student": BO, "aws:PrincipalTag/lab": g.lab_of(BOS_LAUNCH)}
    half_bo = {"aws:PrincipalTag/student": BO}
    return {
        "student": Principal(student, policies, boundary, session),
        "student without boundary": Principal(student, policies, None, session),
        "student without session policy": Principal(student, policies, boundary, None),
        "policies alone": Principal(student, policies),
        "session policy alone": Principal(student, (ALLOW_ALL,), None, session),
        "student with everything": Principal(student, (ALLOW_ALL,), boundary, session),
        "role with everything": Principal(role, (ALLOW_ALL,), boundary, None),
        "role with everything, entered as bo's": Principal(role | as_bo, (ALLOW_ALL,), boundary, None),
        "role with everything, entered as bo": Principal(role | half_bo, (ALLOW_ALL,), boundary, None),
    }


# Two cohorts that share the account, each with limits of its own. aye is in the first.
NARROW, OTHER_NARROW = "a0" * 16, "b0" * 16
LIMITS = {
    NARROW: Limits((REGION,), ("t3.micro",), ("ml.t3.medium", "ml.m5.large")),
    OTHER_NARROW: Limits((), ("t3.large",), ("ml.m5.xlarge",)),
}


def documents_of(scope: str) -> dict[str, Any]:
    """What holds a student of that cohort."""
    rules = LIMITS[scope].of(RULES)
    return {
        **g.student_policies(rules, ACCOUNT, scope),
        "boundary": g.boundary(rules, ACCOUNT, scope),
        "session": g.session_policy(rules, LAUNCH),
    }


def under(scope: str, call: Call) -> Call:
    """The same call where aye's roles are those of that cohort: under its boundary."""
    theirs = {BOUNDARY: g.boundary_arn(ACCOUNT, scope), STUDENT_ROLE: g.student_role(ACCOUNT, AYE, scope)}
    context = {
        key: theirs.get(value, value) if isinstance(value, str) else value for key, value in call.context.items()
    }
    return replace(call, resource=theirs.get(call.resource, call.resource), context=context)


# --- tags ----------------------------------------------------------------------------------------------------


def tagged(student: str, launch: str) -> dict[str, Any]:
    """The tags that a thing carries."""
    return {f"aws:ResourceTag/{key}": value for key, value in g.tags(student, launch).items()}


def tagging(student: str, launch: str, **more: str) -> dict[str, Any]:
    """The tags that a request gives."""
    given = g.tags(student, launch) | more
    return {f"aws:RequestTag/{key}": value for key, value in given.items()} | {"aws:TagKeys": list(given)}


MINE, BOS_TAGS, OTHER_LABS_TAGS = tagged(AYE, LAUNCH), tagged(BO, BOS_LAUNCH), tagged(AYE, OTHER_LAUNCH)
AS_MINE = tagging(AYE, LAUNCH)


# --- ARNs ----------------------------------------------------------------------------------------------------


def ec2(kind: str, name: str = "0123456789abcdef0", region: str = REGION) -> str:
    account = "" if kind in ("image", "snapshot") else ACCOUNT
    return f"arn:aws:ec2:{region}:{account}:{kind}/{name}"


def sagemaker(kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name}"


def function(name: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def state_machine(name: str) -> str:
    return f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{name}"


def bucket(name: str) -> str:
    return f"arn:aws:s3:::{name}"


def log_stream(group: str, stream: str) -> str:
    return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:log-stream:{stream}"


def profile(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:instance-profile/lab/{name}"


def user(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:user/{name}"


def policy(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:policy/{name}"


# --- requests that are several calls -------------------------------------------------------------------------


def pass_role(role: str, service: str) -> Call:
    return Call("iam:PassRole", role, {"iam:PassedToService": f"{service}.amazonaws.com"})


def run_instances(
    *,
    type="t3.micro",
    gb=8,
    disk: str | None = "gp3",
    tenancy: str | None = "default",
    tags=AS_MINE,
    disk_tags=None,
    image=None,
    group=None,
    snapshot=None,
    region=REGION,
) -> tuple[Call, ...]:
    """Every authorisation of one RunInstances. image, group, snapshot: contexts, where they are not AWS's image, the
    account's default group, and no snapshot. disk, tenancy: None where the request does not name them."""
    where = {"aws:RequestedRegion": region}
    disk_tags = tags if disk_tags is None else disk_tags
    machine = {"ec2:InstanceType": type, **({"ec2:Tenancy": tenancy} if tenancy else {})}
    volume = {"ec2:VolumeSize": gb, **({"ec2:VolumeType": disk} if disk else {})}
    calls = [
        Call("ec2:RunInstances", ec2("instance", "*"), {**machine, **tags, **where}),
        Call("ec2:RunInstances", ec2("volume", "*"), {**volume, **disk_tags, **where}),
        Call("ec2:RunInstances", ec2("image"), {**({"ec2:Owner": "amazon"} if image is None else image), **where}),
        Call("ec2:RunInstances", ec2("subnet"), where),
        Call("ec2:RunInstances", ec2("network-interface", "*"), where),
        Call("ec2:RunInstances", ec2("security-group"), {**(group or {}), **where}),
    ]
    if snapshot is not None:
        calls.append(Call("ec2:RunInstances", ec2("snapshot"), {**snapshot, **where}))
    for kind, given in (("instance", tags), ("volume", disk_tags)):
        if given:
            calls.append(Call("ec2:CreateTags", ec2(kind, "*"), {"ec2:CreateAction": "RunInstances", **given, **where}))
    return tuple(calls)


def notebook(name=f"{OWN}nb", type="ml.t3.medium", tags=AS_MINE, role=LAB_ROLE, **more) -> tuple[Call, ...]:
    types = {"sagemaker:InstanceTypes": [type]} if type else {}
    return (
        Call("sagemaker:CreateNotebookInstance", sagemaker("notebook-instance", name), {**types, **tags, **more}),
        Call("sagemaker:AddTags", sagemaker("notebook-instance", name), tags),
        pass_role(role, "sagemaker"),
    )


def training(
    name=f"{OWN}xgb", types=("ml.m5.large",), seconds: int | None = 1800, tags=AS_MINE, role=LAB_ROLE
) -> tuple[Call, ...]:
    sized: dict[str, Any] = {"sagemaker:InstanceTypes": list(types)} if types else {}
    sized |= {"sagemaker:MaxRuntimeInSeconds": seconds} if seconds is not None else {}
    return (
        Call("sagemaker:CreateTrainingJob", sagemaker("training-job", name), {**sized, **tags}),
        Call("sagemaker:AddTags", sagemaker("training-job", name), tags),
        pass_role(role, "sagemaker"),
    )


def new_role(name=LAB_ROLE, boundary: str | None = BOUNDARY, tags=AS_MINE) -> tuple[Call, ...]:
    bounded = {"iam:PermissionsBoundary": boundary} if boundary else {}
    return (Call("iam:CreateRole", name, {**bounded, **tags}), Call("iam:TagRole", name, tags))


def new_function(name=f"{OWN}fn", role=LAB_ROLE, tags=AS_MINE) -> tuple[Call, ...]:
    return (
        Call("lambda:CreateFunction", function(name), tags),
        Call("lambda:TagResource", function(name), tags),
        pass_role(role, "lambda"),
    )
