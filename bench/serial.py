"""The peer that everybody writes first: one loop over boto3, one call after the other.

It asks for what a census enters of each thing (state, type, size, place, tags): by the list where the list says so,
else by the calls that do. No threads, no memory of what it saw before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError


def everything(client: Callable[[str], Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(kind, id, what AWS says of it) of every resource of the kinds of the registry, in one account and region."""
    yield from _ec2(client("ec2"))
    yield from _s3(client("s3"))
    yield from _iam(client("iam"))
    yield from _sagemaker(client("sagemaker"))


def _ec2(ec2: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    disks = {disk["VolumeId"]: disk for disk in _pages(ec2, "describe_volumes", "Volumes")}
    for reservation in _pages(ec2, "describe_instances", "Reservations"):
        for instance in reservation["Instances"]:
            own = [mapping["Ebs"]["VolumeId"] for mapping in instance["BlockDeviceMappings"]]
            yield "ec2-instance", instance["InstanceId"], instance | {"Disks": [disks.pop(each) for each in own]}
    for disk in disks.values():
        yield "ebs-volume", disk["VolumeId"], disk
    for group in _pages(ec2, "describe_security_groups", "SecurityGroups"):
        if group["GroupName"] != "default":
            yield "security-group", group["GroupId"], group
    for pair in ec2.describe_key_pairs()["KeyPairs"]:
        yield "ec2-key-pair", pair["KeyName"], pair


def _s3(s3: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for bucket in _pages(s3, "list_buckets", "Buckets"):
        name = bucket["Name"]
        head = s3.head_bucket(Bucket=name)
        try:
            tags = s3.get_bucket_tagging(Bucket=name)["TagSet"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchTagSet":
                raise
            tags = []
        yield "s3-bucket", name, {"Region": head["BucketRegion"], "Tags": tags}


def _iam(iam: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for role in _pages(iam, "list_roles", "Roles"):
        yield "iam-role", role["RoleName"], iam.get_role(RoleName=role["RoleName"])["Role"]
    for profile in _pages(iam, "list_instance_profiles", "InstanceProfiles"):
        name = profile["InstanceProfileName"]
        yield "instance-profile", name, iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]


def _sagemaker(sagemaker: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for kind, lists, member, name, arn, describe in (
        ("notebook", "list_notebook_instances", "NotebookInstances", *_named("NotebookInstance")),
        ("model", "list_models", "Models", *_named("Model")),
        ("endpoint-config", "list_endpoint_configs", "EndpointConfigs", *_named("EndpointConfig")),
        ("endpoint", "list_endpoints", "Endpoints", *_named("Endpoint")),
    ):
        for listed in _pages(sagemaker, lists, member):
            told = getattr(sagemaker, describe)(**{name: listed[name]})
            if kind == "endpoint":  # the machines are only in its configuration
                told["Config"] = sagemaker.describe_endpoint_config(EndpointConfigName=told["EndpointConfigName"])
            told["Tags"] = sagemaker.list_tags(ResourceArn=listed[arn])["Tags"]
            yield f"sagemaker-{kind}", listed[name], told


def _named(what: str) -> tuple[str, str, str]:
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in what)
    return f"{what}Name", f"{what}Arn", f"describe{snake}"


def _pages(client: Any, operation: str, member: str) -> Iterator[Any]:
    for page in client.get_paginator(operation).paginate():
        yield from page[member]
