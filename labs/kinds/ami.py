"""The account's own AMIs. An image is free; the snapshots behind it cost, and are their own rows (ebs_snapshot.py)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from labs.kinds.aws_words import code_of, mark, tag_dict, utc
from labs.kinds.base import ABSENT, FAILED, PENDING, RUNNING, Seen, Want
from labs.kinds.ec2_tagged import EC2Kind

STATES = {
    "pending": PENDING,
    "transient": PENDING,
    "available": RUNNING,
    "disabled": RUNNING,
    "deregistered": ABSENT,
    "invalid": FAILED,
    "failed": FAILED,
    "error": FAILED,
}


class AMI(EC2Kind):
    name, title, icon, arn_type = "ami", "Machine image (AMI)", "photo", "ec2:image"
    can_create, is_free = False, True
    listing, member, ids = "describe_images", "Images", "ImageIds"
    not_there = ("InvalidAMIID.NotFound", "InvalidAMIID.Unavailable")
    # A disabled image holds its snapshots like any other, and is listed only when it is asked for.
    asked_of_all: ClassVar = {"Owners": ["self"], "IncludeDisabled": True}

    def delete(self, client, want: Want, seen: Seen) -> None:
        try:
            client.deregister_image(ImageId=seen.aws_id)
        except client.exceptions.ClientError as error:
            if code_of(error) != "OperationNotPermitted":
                raise
            # Somebody protected it. With a cool-down AWS refuses for a day more, and the row says so meanwhile.
            client.disable_image_deregistration_protection(ImageId=seen.aws_id)

    def seen(self, answer: Mapping[str, Any]) -> Seen:
        state = STATES[answer["State"]]
        disks = [each["Ebs"] for each in answer.get("BlockDeviceMappings", ()) if "Ebs" in each]
        facts: dict[str, Any] = {
            "state": answer["State"],
            "public": bool(answer.get("Public")),
            "snapshots": sorted(disk["SnapshotId"] for disk in disks if disk.get("SnapshotId")),
        }
        if state == FAILED:
            facts["failure"] = answer.get("StateReason", {}).get("Message") or "AWS gives no reason"
        return Seen(
            state,
            aws_id=answer["ImageId"],
            name=(answer.get("Name") or "")[:255],
            since=utc(datetime.fromisoformat(answer["CreationDate"])) if answer.get("CreationDate") else None,
            facts=facts,
            tags=tag_dict(answer.get("Tags")),
            mark=mark(answer["State"]),
        )
