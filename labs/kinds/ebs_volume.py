"""EBS volumes that stand on their own. A disk that is deleted with its instance is counted there (ec2_instance.py)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from labs.aws import Refused
from labs.kinds.aws_words import code_of, mark, tag_dict, tag_specifications, utc
from labs.kinds.base import (
    ABSENT,
    DELETING,
    FAILED,
    GONE_FROM_AWS,
    PENDING,
    RUNNING,
    TAG_RESOURCE,
    TOKEN,
    Kind,
    Meter,
    Seen,
    Want,
)
from labs.kinds.ebs_meters import disk_of, meters_of

STATES = {
    "creating": PENDING,
    "available": RUNNING,
    "in-use": RUNNING,
    "deleting": DELETING,
    "deleted": ABSENT,
    "error": FAILED,
}


class EBSVolume(Kind):
    """params: gb, and as wanted: type (gp3), zone, attach_to (an instance id, in the same zone) with device."""

    name, service, identity = "ebs-volume", "ec2", TOKEN
    title, icon, cost_service, arn_type = "EBS volume", "disc", "EBS", "ec2:volume"
    goes_after = ("ec2-instance",)
    lost_on_delete = gettext_noop("What is stored on it is lost: no snapshot is made.")

    def create(self, client, want: Want) -> None:
        client.create_volume(
            AvailabilityZone=want.params.get("zone") or _first_zone(client),
            Size=int(want.params["gb"]),
            VolumeType=want.params.get("type", "gp3"),
            ClientToken=want.token,
            TagSpecifications=tag_specifications({"Name": want.name, **want.tags}, "volume"),
        )

    def observe(self, client, want: Want) -> Seen:
        if want.aws_id:
            look: dict[str, Any] = {"VolumeIds": [want.aws_id]}
        else:
            look = {"Filters": [{"Name": f"tag:{TAG_RESOURCE}", "Values": [want.token]}]}
        try:
            found = client.describe_volumes(**look)["Volumes"]
        except client.exceptions.ClientError as error:
            if code_of(error) == "InvalidVolume.NotFound":
                return GONE_FROM_AWS
            raise
        # An instance hands its tags to its own disk, and those disks are the instance's.
        found = [volume for volume in found if want.aws_id or not _goes_with(volume)]
        return _seen(found[0]) if found else GONE_FROM_AWS

    def configure(self, client, want: Want, seen: Seen) -> bool:
        instance = want.params.get("attach_to")
        if not instance or instance in seen.facts["attached_to"]:
            return True
        device = want.params.get("device", "/dev/sdf")
        client.attach_volume(VolumeId=seen.aws_id, InstanceId=instance, Device=device)
        return False

    def delete(self, client, want: Want, seen: Seen) -> None:
        if seen.state == DELETING:
            return
        for instance in seen.facts["attached_to"]:
            client.detach_volume(VolumeId=seen.aws_id, InstanceId=instance)
        if not seen.facts["attached_to"]:
            client.delete_volume(VolumeId=seen.aws_id)

    def find_all(self, client) -> Iterable[Seen]:
        pages = client.get_paginator("describe_volumes").paginate(PaginationConfig={"PageSize": 500})
        for page in pages:
            for volume in page["Volumes"]:
                if not _goes_with(volume) and volume["State"] != "deleted":
                    yield _seen(volume)

    def meters(self, seen: Seen) -> list[Meter]:
        """GB-month from creation to deletion, attached or not. Nothing while an instance counts it as its own."""
        if seen.state in (FAILED, ABSENT) or seen.facts.get("goes_with"):
            return []
        return meters_of([seen.facts])

    def would_be(self, want: Want) -> Seen:
        disk = disk_of({"VolumeType": want.params.get("type", "gp3"), "Size": want.params["gb"]})
        return Seen(RUNNING, name=want.name, facts=disk)


def _first_zone(client) -> str:
    zones = client.describe_availability_zones(Filters=[{"Name": "state", "Values": ["available"]}])
    names = sorted(zone["ZoneName"] for zone in zones["AvailabilityZones"])
    if not names:
        raise Refused(f"There is no availability zone to use in {client.meta.region_name}.")
    return names[0]


def _goes_with(volume: Mapping[str, Any]) -> str:
    """The instance that takes this volume with it when it is terminated, '' for none."""
    for attachment in volume.get("Attachments", ()):
        if attachment.get("DeleteOnTermination"):
            return attachment["InstanceId"]
    return ""


def _seen(volume: Mapping[str, Any]) -> Seen:
    state = STATES[volume["State"]]
    if state == ABSENT:
        return GONE_FROM_AWS
    tags = tag_dict(volume.get("Tags"))
    instances = sorted(attachment["InstanceId"] for attachment in volume.get("Attachments", ()))
    return Seen(
        state,
        aws_id=volume["VolumeId"],
        name=tags.get("Name", "")[:255],
        since=utc(volume["CreateTime"]),
        facts={
            **disk_of(volume),
            "zone": volume["AvailabilityZone"],
            "attached": bool(instances),
            "attached_to": instances,
            "goes_with": _goes_with(volume),
        },
        tags=tags,
        mark=mark(volume["State"], volume.get("Size"), *instances),
    )
