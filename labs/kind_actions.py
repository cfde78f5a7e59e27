"""Which IAM actions a kind's code needs, read from its source: client.stop_instances(...) is ec2:StopInstances.

And with which thing of a lab's name AWS is asked about each: most of what the portal's role may do is tied to names.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
from botocore import xform_name

from labs import guardrails
from labs.iam_words import OF_LABS, PATH, role_arn
from labs.kinds.base import Kind, Want

# What IAM calls a service, where boto3 calls it otherwise.
IN_IAM = {
    "apigatewayv2": "apigateway",
    "bedrock-agent": "bedrock",
    "bedrock-runtime": "bedrock",
    "efs": "elasticfilesystem",
    "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing",
    "emr": "elasticmapreduce",
    "opensearchserverless": "aoss",
    "resourcegroupstaggingapi": "tag",
    "sagemaker-runtime": "sagemaker",
    "stepfunctions": "states",
}
# Calls whose action has another name than they have (service authorization reference).
NAMED_OTHERWISE = {
    "lambda.invoke": ("lambda:InvokeFunction",),
    "s3.delete_objects": ("s3:DeleteObject", "s3:DeleteObjectVersion"),
    "s3.get_bucket_lifecycle_configuration": ("s3:GetLifecycleConfiguration",),
    "s3.get_bucket_notification_configuration": ("s3:GetBucketNotification",),
    "s3.get_object_lock_configuration": ("s3:GetBucketObjectLockConfiguration",),
    "s3.get_public_access_block": ("s3:GetBucketPublicAccessBlock",),
    "s3.head_bucket": ("s3:ListBucket",),
    "s3.head_object": ("s3:GetObject",),
    "s3.list_buckets": ("s3:ListAllMyBuckets",),
    "s3.list_multipart_uploads": ("s3:ListBucketMultipartUploads",),
    "s3.list_object_versions": ("s3:ListBucketVersions",),
    "s3.list_objects_v2": ("s3:ListBucket",),
    "s3.put_bucket_lifecycle_configuration": ("s3:PutLifecycleConfiguration",),
    "s3.put_bucket_notification_configuration": ("s3:PutBucketNotification",),
    "s3.put_public_access_block": ("s3:PutBucketPublicAccessBlock",),
}


# Beside what its kinds call, a lab needs of the account: the switch, its second proof of absence, its sessions.
EVERY_LAB = (
    "scheduler:CreateSchedule",
    "scheduler:CreateScheduleGroup",
    "scheduler:DeleteSchedule",
    "scheduler:UpdateSchedule",
    "tag:GetResources",
)
# Params in which a Want hands a role over.
HANDS_OVER = ("role", "role_arn", "profile")


@cache
def actions_of(kind: Kind) -> frozenset[str]:
    """The IAM actions that this kind's verbs need. Slow the first time: AWS's description of the service is read."""
    calls = {call for source in sources_of(kind) for call in calls_in(source, kind.service)}
    return frozenset(action for call in calls for action in actions_for(kind.service, call))


def actions_of_wants(wants: Iterable[Want], kind_of: Any) -> set[str]:
    """The IAM actions that a lab of these Wants needs of the portal's role. kind_of: labs.kinds.kind_of."""
    needed = set(EVERY_LAB)
    for want in wants:
        needed |= actions_of(kind_of(want.kind))
        if any(name in want.params for name in HANDS_OVER):
            needed.add("iam:PassRole")
    return needed


def asked_with(action: str, account: str, boundary: str = "") -> tuple[str, dict[str, str]]:
    """(a resource's ARN, {condition key: value}) with which the portal's role needs this action: what a lab of the name
    lab-doctor would have. boundary: the ARN of the account's own by default."""
    bounded = {"iam:PermissionsBoundary": boundary or guardrails.boundary_arn(account)}
    name = OF_LABS.replace("*", "doctor")
    iam = f"arn:aws:iam::{account}"
    if action == "iam:PassRole":
        return role_arn(account, name), {"iam:PassedToService": "sagemaker.amazonaws.com"}
    for pattern, resource, context in (
        ("iam:*InstanceProfile*", f"{iam}:instance-profile{PATH}{name}", {}),
        ("iam:*Role*", role_arn(account, name), bounded),
        ("iam:*Group*", f"{iam}:group{PATH}{name}", {}),
        ("iam:*MFADevice", f"{iam}:user{PATH}{name}", {}),
        ("iam:*User*", f"{iam}:user{PATH}{name}", bounded),
        ("iam:*AccessKey*", f"{iam}:user{PATH}{name}", {}),
        ("iam:*LoginProfile*", f"{iam}:user{PATH}{name}", {}),
        ("iam:*SSHPublicKey*", f"{iam}:user{PATH}{name}", {}),
        ("iam:*SigningCertificate*", f"{iam}:user{PATH}{name}", {}),
        ("iam:*ServiceSpecificCredential*", f"{iam}:user{PATH}{name}", {}),
        ("iam:*Policy*", f"{iam}:policy{PATH}{name}", {}),
        ("s3:ListAllMyBuckets", "*", {}),
        ("s3:*Object*", f"arn:aws:s3:::{name}/file", {}),
        ("s3:*Multipart*", f"arn:aws:s3:::{name}/file", {}),
        ("s3:*", f"arn:aws:s3:::{name}", {}),
        ("cloudtrail:*", f"arn:aws:cloudtrail:us-east-1:{account}:trail/{name}", {}),
    ):
        if fnmatchcase(action, pattern):
            return resource, dict(context)
    return "*", {}


def sources_of(kind: Kind) -> set[Path]:
    """The files that a kind's verbs stand in: its own, its bases', and what those take from other kinds' files."""
    found: set[Path] = set()
    names = [each.__module__ for each in type(kind).__mro__ if each.__module__.startswith("labs.kinds.")]
    while names:
        module = sys.modules[names.pop()]
        path = Path(str(module.__file__))
        if path.name in ("base.py", "__init__.py") or path in found:
            continue
        found.add(path)
        taken = [thing for thing in vars(module).values() if inspect.isfunction(thing)]
        names += [each.__module__ for each in taken if each.__module__.startswith("labs.kinds.")]
    return found


def calls_in(source: Path, service: str) -> Iterator[str]:
    """Names of the service's calls in a file, as boto3 spells them: client.x(...), get_paginator("x").

    Every word that is the name of a call counts, so that a helper cannot hide one.
    """
    known = _calls_of(service)
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Attribute) and node.attr in known:
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in known:
            yield node.value


def actions_for(service: str, call: str) -> tuple[str, ...]:
    """The IAM actions of a call. labs/tests/test_own_roles.py holds each against AWS's own list: does one have a name
    of its own there, then say so in NAMED_OTHERWISE."""
    if found := NAMED_OTHERWISE.get(f"{service}.{call}"):
        return found
    operation = _calls_of(service)[call]
    prefix = IN_IAM.get(service, service)
    if prefix == "apigateway":
        model = _model(service).operation_model(operation)
        return (f"apigateway:{model.http['method']}",)
    return (f"{prefix}:{operation}",)


@cache
def _calls_of(service: str) -> dict[str, str]:
    return {xform_name(name): name for name in _model(service).operation_names}


@cache
def _model(service: str):
    return botocore.session.get_session().get_service_model(service)
