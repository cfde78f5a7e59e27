"""EC2 instances, with the disks that go when they go. Other disks are rows of their own (ebs_volume.py), and the
machines of an EMR cluster are counted with it (emr_cluster.py)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext_noop

from labs.aws import Refused
from labs.kinds import public_ipv4
from labs.kinds.aws_words import code_of, mark, tag_dict, tag_specifications, utc
from labs.kinds.base import (
    ABSENT,
    DELETING,
    FAILED,
    GONE_FROM_AWS,
    PENDING,
    RUNNING,
    STOPPED,
    STOPPING,
    TAG_RESOURCE,
    TOKEN,
    Kind,
    Meter,
    OffCall,
    Seen,
    Signal,
    Want,
)
from labs.kinds.ebs_meters import disk_of, meters_of

STATES = {
    "pending": PENDING,
    "running": RUNNING,
    "stopping": STOPPING,
    "stopped": STOPPED,
    "shutting-down": DELETING,
    "terminated": ABSENT,
}
NEWEST_AMAZON_LINUX = "al2023-ami-2023.*-{architecture}"
# Reasons of an end that a person, the portal or the machine itself asked for; "" where AWS tells none.
ENDED_BY_SOMEBODY = ("Client.UserInitiatedShutdown", "Client.InstanceInitiatedShutdown", "")
BURSTABLE = ("t2.", "t3.", "t3a.", "t4g.")
# EMR puts it on each machine of a cluster; nobody else can set a tag that begins with aws:.
TAG_CLUSTER = "aws:elasticmapreduce:job-flow-id"
# "User initiated (2026-11-22 20:42:04 GMT)": the only place where EC2 tells when an instance was stopped.
_REASON = re.compile(r"\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:GMT|UTC)\)")


class EC2Instance(Kind):
    """params: type, gb (root disk), and as wanted: image (an AMI id; the newest Amazon Linux 2023 by default),
    architecture, profile (name), security_groups (ids), subnet, zone, key (name of a key pair), user_data."""

    name, service, identity = "ec2-instance", "ec2", TOKEN
    title, icon, cost_service, arn_type = "EC2 instance", "server", "EC2", "ec2:instance"
    can_stop = True
    signals = (
        Signal("AWS/EC2", "CPUUtilization", "InstanceId", "Maximum"),
        Signal("AWS/EC2", "NetworkIn", "InstanceId"),
        Signal("AWS/EC2", "NetworkOut", "InstanceId"),
    )
    kept_on_stop = gettext_noop("Its disk is kept, and still costs. Its public address is given back.")
    lost_on_delete = gettext_noop("Its disk is deleted with it.")

    def create(self, client, want: Want) -> None:
        params = want.params
        image = _image(client, params)
        disk = {"VolumeSize": int(params.get("gb", 8)), "VolumeType": "gp3", "DeleteOnTermination": True}
        asked: dict[str, Any] = {
            "ImageId": image["ImageId"],
            "InstanceType": params["type"],
            "MinCount": 1,
            "MaxCount": 1,
            "ClientToken": want.token,
            "BlockDeviceMappings": [{"DeviceName": image["RootDeviceName"], "Ebs": disk}],
            # Who shuts it down from inside ends it: a stopped disk that nobody remembers would go on costing.
            "InstanceInitiatedShutdownBehavior": "terminate",
            "MetadataOptions": {"HttpTokens": "required"},
            "TagSpecifications": tag_specifications({"Name": want.name, **want.tags}, "instance", "volume"),
        }
        if params["type"].startswith(BURSTABLE):
            # "unlimited", the default of t3, bills busy CPU beside the hourly rate and without an upper bound.
            asked["CreditSpecification"] = {"CpuCredits": "standard"}
        if params.get("profile"):
            asked["IamInstanceProfile"] = {"Name": params["profile"]}
        if params.get("zone"):
            asked["Placement"] = {"AvailabilityZone": params["zone"]}
        for name, member in (
            ("security_groups", "SecurityGroupIds"),
            ("subnet", "SubnetId"),
            ("key", "KeyName"),
            ("user_data", "UserData"),
        ):
            if params.get(name):
                asked[member] = params[name]
        client.run_instances(**asked)

    def observe(self, client, want: Want) -> Seen:
        if want.aws_id:
            look: dict[str, Any] = {"InstanceIds": [want.aws_id]}
        else:
            # By our tag, not by client token: both are set in the create call, and the tag is also in the lists.
            look = {"Filters": [{"Name": f"tag:{TAG_RESOURCE}", "Values": [want.token]}]}
        try:
            answer = client.describe_instances(**look)
        except client.exceptions.ClientError as error:
            if code_of(error) == "InvalidInstanceID.NotFound":
                return GONE_FROM_AWS
            raise
        found = [instance for reservation in answer["Reservations"] for instance in reservation["Instances"]]
        if not found:
            return GONE_FROM_AWS
        alive = [instance for instance in found if instance["State"]["Name"] != "terminated"]
        instance = (alive or found)[0]
        if not alive:
            return _ended(instance) if want.aws_id else _never_ran(instance)
        return _seen(instance, _volumes(client, _own_disks(instance)))

    def start(self, client, want: Want, seen: Seen) -> None:
        client.start_instances(InstanceIds=[seen.aws_id])

    def stop(self, client, want: Want, seen: Seen) -> None:
        client.stop_instances(InstanceIds=[seen.aws_id])

    def delete(self, client, want: Want, seen: Seen) -> None:
        if seen.state == DELETING:
            return
        try:
            client.terminate_instances(InstanceIds=[seen.aws_id])
        except client.exceptions.ClientError as error:
            if code_of(error) != "OperationNotPermitted":
                raise
            # Somebody protected it against termination; the next call of this verb will get through.
            client.modify_instance_attribute(InstanceId=seen.aws_id, DisableApiTermination={"Value": False})

    def off_call(self, want: Want) -> OffCall | None:
        # Not stop: a stopped one still pays for its disk, and a dead portal deletes nothing.
        return OffCall("ec2", "terminateInstances", {"InstanceIds": [want.aws_id]}) if want.aws_id else None

    def find_all(self, client) -> Iterable[Seen]:
        pages = client.get_paginator("describe_instances").paginate(
            Filters=[{"Name": "instance-state-name", "Values": [name for name in STATES if name != "terminated"]}],
            PaginationConfig={"PageSize": 1000},
        )
        instances = [
            instance for page in pages for reservation in page["Reservations"] for instance in reservation["Instances"]
        ]
        instances = [instance for instance in instances if not _cluster_of(instance)]
        # Sizes are only in the list of volumes: one list more for all of them, none where there is no instance.
        volumes = _volumes(client) if any(map(_own_disks, instances)) else {}
        return [_seen(instance, volumes) for instance in instances]

    def meters(self, seen: Seen) -> list[Meter]:
        """Hours only while running, by the second and 60 s at least a start; disks as long as they are there; a public
        IPv4 address as long as AWS lends it one (EC2, EBS and VPC pricing). Nothing where a cluster counts it."""
        facts, meters = seen.facts, []
        if facts.get("goes_with"):
            return []
        if seen.state == RUNNING:
            kind = "spot" if facts.get("spot") else f"on-demand-{facts.get('platform', 'linux')}"
            meters.append(
                Meter("EC2", kind, facts["type"], "Hrs", minimum_seconds=60, label=f"{facts['type']}, {kind}")
            )
        if seen.state in (FAILED, ABSENT):
            return []
        if seen.state != DELETING:
            meters += public_ipv4.meters_of(int(facts.get("public_ips", 0)))
        return meters + meters_of(facts.get("disks", ()))

    def would_be(self, want: Want) -> Seen:
        """With a public address: the default subnets give one to every instance."""
        disk = disk_of({"VolumeType": "gp3", "Size": want.params.get("gb", 8)})
        return Seen(RUNNING, name=want.name, facts={"type": want.params["type"], "disks": [disk], "public_ips": 1})


def _image(client, params: Mapping[str, Any]) -> dict[str, Any]:
    """{"ImageId", "RootDeviceName"} of the image asked for, or of the newest Amazon Linux 2023. Raises Refused."""
    if params.get("image"):
        return client.describe_images(ImageIds=[params["image"]])["Images"][0]
    pattern = NEWEST_AMAZON_LINUX.format(architecture=params.get("architecture", "x86_64"))
    images = client.describe_images(
        Owners=["amazon"],
        Filters=[{"Name": "name", "Values": [pattern]}, {"Name": "state", "Values": ["available"]}],
    )["Images"]
    if not images:
        raise Refused(f"There is no Amazon Linux image like {pattern} in {client.meta.region_name}.")
    return max(images, key=lambda image: (image["CreationDate"], image["Name"]))


def _cluster_of(instance: Mapping[str, Any]) -> str:
    """The EMR cluster that it is a machine of, '' for none."""
    return tag_dict(instance.get("Tags")).get(TAG_CLUSTER, "")


def _own_disks(instance: Mapping[str, Any]) -> list[str]:
    """Volumes that are deleted with the instance, and therefore metered with it."""
    return [
        mapping["Ebs"]["VolumeId"]
        for mapping in instance.get("BlockDeviceMappings", ())
        if mapping.get("Ebs", {}).get("DeleteOnTermination")
    ]


def _volumes(client, ids: list[str] | None = None) -> dict[str, dict[str, Any]]:
    """{volume id: the facts that EBS bills by}: these, or (None) every one in the region. A filter, not VolumeIds: one
    that is gone by now is no error."""
    if ids is not None and not ids:
        return {}
    filters = [{"Name": "volume-id", "Values": ids}] if ids else []
    pages = client.get_paginator("describe_volumes").paginate(Filters=filters, PaginationConfig={"PageSize": 500})
    return {volume["VolumeId"]: disk_of(volume) for page in pages for volume in page["Volumes"]}


def _seen(instance: Mapping[str, Any], volumes: Mapping[str, Mapping[str, Any]]) -> Seen:
    state = STATES[instance["State"]["Name"]]
    tags = tag_dict(instance.get("Tags"))
    platform = (instance.get("PlatformDetails") or "Linux/UNIX").lower()
    disks = [volumes[disk] for disk in _own_disks(instance) if disk in volumes]
    facts = {
        "type": instance["InstanceType"],
        "platform": "linux" if platform == "linux/unix" else platform.replace(" ", "-"),
        "spot": instance.get("InstanceLifecycle") == "spot",
        "image": instance.get("ImageId", ""),
        "zone": instance.get("Placement", {}).get("AvailabilityZone", ""),
        "profile": instance.get("IamInstanceProfile", {}).get("Arn", ""),
        "disks": sorted(disks, key=lambda disk: (disk["type"], disk["gb"])),
        "disk_gb": sum(disk["gb"] for disk in disks),
        "public_ips": _public_addresses(instance),
    }
    if _cluster_of(instance):
        facts["goes_with"] = _cluster_of(instance)
    return Seen(
        state,
        aws_id=instance["InstanceId"],
        name=tags.get("Name", "")[:255],
        since=_since(instance, state),
        facts=facts,
        tags=tags,
        mark=mark(instance["State"]["Name"], instance["LaunchTime"], facts["public_ips"]),
    )


def _public_addresses(instance: Mapping[str, Any]) -> int:
    """How many public IPv4 addresses AWS lends it while it runs. How many, not which: a new address is not a new fact.

    An Elastic IP belongs to the account, and is counted by its own row, attached or not (elastic_ip.py).
    """
    return sum(
        address.get("Association", {}).get("IpOwnerId") == "amazon"
        for card in instance.get("NetworkInterfaces", ())
        for address in card.get("PrivateIpAddresses", ())
    )


def _since(instance: Mapping[str, Any], state: str) -> datetime | None:
    """LaunchTime is the last start; the end of a run stands only in the words of StateTransitionReason."""
    if state in (PENDING, RUNNING):
        return utc(instance["LaunchTime"])
    found = _REASON.search(instance.get("StateTransitionReason") or "")
    return datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) if found else None


def _ended(instance: Mapping[str, Any]) -> Seen:
    """AWS shows terminated instances for about an hour: gone, since when, and why where AWS itself ended it."""
    by_aws = instance.get("StateReason", {}).get("Code", "") not in ENDED_BY_SOMEBODY
    facts = {"failure": _reason(instance)} if by_aws else {}
    return Seen(ABSENT, aws_id=instance["InstanceId"], since=_since(instance, ABSENT), facts=facts)


def _never_ran(instance: Mapping[str, Any]) -> Seen:
    """Terminated before anybody saw it alive, for instance because the account's disk quota is used up. AWS answers the
    same token with the same dead instance for ever, so asking again is no cure: a person has to read why."""
    facts = {"type": instance["InstanceType"], "failure": _reason(instance)}
    return Seen(FAILED, aws_id=instance["InstanceId"], facts=facts)


def _reason(instance: Mapping[str, Any]) -> str:
    return instance.get("StateReason", {}).get("Message") or "AWS gives no reason"
