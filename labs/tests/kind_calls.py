"""Which IAM actions a kind's code needs, read from its source: client.stop_instances(...) is ec2:StopInstances."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import botocore.session
from botocore import xform_name

from labs.tests.iam_facts import actions_like

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
    """The IAM actions of a call. Raises LookupError for one whose action has a name of its own, unknown here."""
    if found := NAMED_OTHERWISE.get(f"{service}.{call}"):
        return found
    operation = _calls_of(service)[call]
    prefix = IN_IAM.get(service, service)
    if prefix == "apigateway":
        model = _model(service).operation_model(operation)
        return (f"apigateway:{model.http['method']}",)
    if not actions_like(f"{prefix}:{operation}"):
        raise LookupError(f"{service}.{call}: AWS has no {prefix}:{operation}; say in NAMED_OTHERWISE what it is")
    return (f"{prefix}:{operation}",)


@cache
def _calls_of(service: str) -> dict[str, str]:
    return {xform_name(name): name for name in _model(service).operation_names}


@cache
def _model(service: str):
    return botocore.session.get_session().get_service_model(service)
