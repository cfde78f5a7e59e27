"""PURE: the CloudFormation template with which an AWS account is connected. Its documents are those of guardrails.py.

It names no account: the same file serves a student's own account (with the parameter Student) and the bootcamp's shared
one (without; there the portal makes a role for each student). All that it makes lies under /lab/.

A cohort with limits of its own in a shared account is a stack of its own beside it: made, changed and taken away by
itself, and short enough for AWS to take it without a bucket, however many cohorts there are.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlencode

import yaml

from labs import guardrails, own_roles
from labs.iam_words import CONTROLLER, EMR_SERVICE, PATH, STUDENTS, SWITCH, Document, role_arn

# Raised with every change that connected accounts should have: the doctor names those that lag behind.
VERSION = 3
KNOWS_COHORTS = 3  # from this one on the portal's role may make roles under a cohort's own boundary
TAG_VERSION = "lightsout:template"
STACK = "lightsout"
_OF_A_COHORT = re.compile(rf"{STACK}-limits-[0-9a-f]{{{guardrails.COHORT_LENGTH}}}")

# What stands in a document until AWS fills it in: an account, a student and an external id that nobody has.
_ACCOUNT, _STUDENT, _EXTERNAL_ID = "000000000000", "999999999999999999", "external-id-of-this-account"
_FILLED = {_ACCOUNT: "${AWS::AccountId}", _STUDENT: "${Student}", _EXTERNAL_ID: "${ExternalId}"}


def template(portal_role: str, rules: guardrails.Rules) -> dict[str, Any]:
    """The template, for json.dumps or `as_text`. portal_role: the ARN of the only role that the controller lets in.

    Raises ValueError when that is no role, or when the rules make a document longer than AWS takes.
    """
    controller = role_arn(_ACCOUNT, CONTROLLER)
    documents = {
        **guardrails.student_policies(rules, _ACCOUNT),
        "boundary": guardrails.boundary(rules, _ACCOUNT),
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Lightsout, template {VERSION}: lets the learning portal start labs here, and end them.",
        "Parameters": {
            "ExternalId": {
                "Type": "String",
                "MinLength": 16,
                "MaxLength": 64,
                "Description": "As the portal's page shows it. Without it nobody enters, not even the portal.",
            },
            "Student": {
                "Type": "String",
                "Default": "",
                "AllowedPattern": "[0-9]{0,18}",
                "Description": "The student's number on the portal, in an account of their own. Empty in a shared one.",
            },
        },
        "Conditions": {"HasAStudent": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Student"}, ""]}]}},
        "Resources": _with_references(
            {
                "Controller": _role(
                    CONTROLLER,
                    "The learning portal's own role. It makes what labs want and ends it.",
                    own_roles.controller_trust(portal_role, _EXTERNAL_ID),
                    Policies=[{"PolicyName": "portal", "PolicyDocument": own_roles.controller_policy(_ACCOUNT)}],
                ),
                "Switch": _role(
                    SWITCH,
                    "The dead-man's switch. EventBridge Scheduler turns labs off when the portal is silent.",
                    own_roles.switch_trust(_ACCOUNT),
                    Policies=[{"PolicyName": "switch", "PolicyDocument": own_roles.switch_policy(_ACCOUNT)}],
                ),
                "EMRService": _role(
                    EMR_SERVICE,
                    "What EMR works with. It starts and ends the machines of a lab's cluster.",
                    own_roles.emr_trust(_ACCOUNT),
                    Policies=[{"PolicyName": "clusters", "PolicyDocument": own_roles.emr_policy(_ACCOUNT)}],
                ),
                **{_logical(name): _policy(name, document) for name, document in documents.items()},
                "TheStudent": {
                    "Condition": "HasAStudent",
                    # AWS refuses a trust whose principal is not there yet.
                    "DependsOn": "Controller",
                    **_role(
                        STUDENTS.replace("*", _STUDENT),
                        "What the student works with in a lab.",
                        guardrails.student_trust(controller, _STUDENT),
                        PermissionsBoundary={"Ref": _logical("boundary")},
                        ManagedPolicyArns=[{"Ref": _logical(name)} for name in guardrails.STUDENT_POLICIES],
                    ),
                },
            }
        ),
        "Outputs": {"Account": {"Description": "What the portal's page asks for", "Value": {"Ref": "AWS::AccountId"}}},
    }


def cohort_template(rules: guardrails.Rules, scope: str) -> dict[str, Any]:
    """The template of what holds one cohort of a shared account to limits of its own (limits.Limits.of gives `rules`).

    Raises ValueError when the rules make a document longer than AWS takes.
    """
    documents = cohort_documents(rules, _ACCOUNT, scope)
    mark = guardrails.cohort_mark(scope)
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Lightsout, template {VERSION}: the limits of cohort {mark}, beside the stack {STACK}.",
        "Resources": _with_references({_logical(name): _policy(name, made) for name, made in documents.items()}),
    }


def cohort_documents(rules: guardrails.Rules, account: str, scope: str) -> dict[str, Document]:
    """{name: managed policy} of all that a cohort's own stack makes."""
    made = guardrails.student_policies(rules, account, scope) | {"boundary": guardrails.boundary(rules, account, scope)}
    return {guardrails.named(name, scope): one for name, one in made.items()}


def cohort_stack(scope: str) -> str:
    """The name of the stack that holds a cohort to limits of its own."""
    return f"{STACK}-limits-{guardrails.cohort_mark(scope)}"


def is_ours(stack: str) -> bool:
    """Whether a stack of this name is how the portal and students come into an account."""
    return stack == STACK or bool(_OF_A_COHORT.fullmatch(stack))


def as_text(made: dict[str, Any]) -> str:
    """The template as YAML, as it is shown and downloaded."""
    return yaml.safe_dump(made, sort_keys=False, default_flow_style=None, width=110)


def quick_create_link(template_url: str, region: str, external_id: str, student: str = "") -> str:
    """An address that opens AWS's console at this template with its parameters filled in. student: '' for shared."""
    asked = {
        "templateURL": template_url,
        "stackName": STACK,
        "param_ExternalId": external_id,
        "param_Student": student,
    }
    home = f"https://{region}.console.aws.amazon.com/cloudformation/home?region={region}"
    return f"{home}#/stacks/create/review?{urlencode(asked, quote_via=quote)}"


def deploy_command(file: str, region: str, external_id: str, student: str = "") -> str:
    """The one command that does the same with the downloaded file."""
    parameters = f"ExternalId={external_id}" + (f" Student={student}" if student else "")
    return (
        f"aws cloudformation deploy --stack-name {STACK} --region {region} --template-file {file} "
        f"--capabilities CAPABILITY_NAMED_IAM --parameter-overrides {parameters}"
    )


def deploy_cohort_command(file: str, region: str, scope: str) -> str:
    """The command that makes a cohort's own stack of the downloaded file, or brings it up to date."""
    return (
        f"aws cloudformation deploy --stack-name {cohort_stack(scope)} --region {region} --template-file {file} "
        "--capabilities CAPABILITY_NAMED_IAM"
    )


def delete_command(region: str, stack: str = STACK) -> str:
    """The command that takes all of a stack away again."""
    return f"aws cloudformation delete-stack --stack-name {stack} --region {region}"


def _role(name: str, description: str, trust: Document, **more: Any) -> dict[str, Any]:
    facts = {"RoleName": name, "Path": PATH, "Description": description, "AssumeRolePolicyDocument": trust}
    tags = [{"Key": TAG_VERSION, "Value": str(VERSION)}]
    return {"Type": "AWS::IAM::Role", "Properties": facts | more | {"Tags": tags}}


def _policy(name: str, document: Document) -> dict[str, Any]:
    facts = {"ManagedPolicyName": name, "Path": PATH, "PolicyDocument": document}
    return {"Type": "AWS::IAM::ManagedPolicy", "Properties": facts}


def _logical(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))


def _with_references(value: Any) -> Any:
    """What stands for an account, a student and an external id, made into references that AWS fills in."""
    if isinstance(value, dict):
        return {key: _with_references(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_with_references(inner) for inner in value]
    if not isinstance(value, str) or not any(stand_in in value for stand_in in _FILLED):
        return value
    if value in _FILLED:
        return {"Ref": _FILLED[value][2:-1]}
    # A variable of IAM's own, "${aws:PrincipalTag/lab}", is not CloudFormation's to fill in.
    said = value.replace("${", "${!")
    for stand_in, reference in _FILLED.items():
        said = said.replace(stand_in, reference)
    return {"Fn::Sub": said}
