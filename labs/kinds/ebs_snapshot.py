"""EBS snapshots of the account's own. Those behind an image cannot be deleted before it (ami.py)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import mark, tag_dict, tag_specifications, utc
from labs.kinds.base import FAILED, PENDING, RUNNING, Meter, Seen, Want
from labs.kinds.ec2_tagged import EC2Kind, name_of

GB = 2**30
# recoverable, recovering: in the recycle bin and on its way out of it; what lies there costs on.
STATES = {"pending": PENDING, "completed": RUNNING, "recoverable": RUNNING, "recovering": PENDING, "error": FAILED}


class EBSSnapshot(EC2Kind):
    """params: volume (its id)."""

    name, title, icon = "ebs-snapshot", "EBS snapshot", "device-floppy"
    cost_service, arn_type = "EBS", "ec2:snapshot"
    listing, member, ids = "describe_snapshots", "Snapshots", "SnapshotIds"
    not_there = ("InvalidSnapshot.NotFound",)
    asked_of_all: ClassVar = {"OwnerIds": ["self"]}
    goes_after = ("ami",)
    lost_on_delete = gettext_noop("What was stored on the disk at that time is lost with it.")

    def create(self, client, want: Want) -> None:
        client.create_snapshot(
            VolumeId=want.params["volume"],
            Description=f"Made for a lab: {want.name}",
            TagSpecifications=tag_specifications({"Name": want.name, **want.tags}, "snapshot"),
        )

    def delete(self, client, want: Want, seen: Seen) -> None:
        client.delete_snapshot(SnapshotId=seen.aws_id)

    def meters(self, seen: Seen) -> list[Meter]:
        """GB-month of what it holds, at most: of several snapshots of one disk AWS bills each changed block once, and
        shows nowhere how much that is. Archived ones have another price."""
        if seen.state != RUNNING or not seen.facts.get("bytes"):
            return []
        gb = (Decimal(seen.facts["bytes"]) / GB).quantize(Decimal("1e-10"))
        label = f"snapshot, at most {gb:.2f} GB"
        return [Meter("EBS", "snapshot", seen.facts["tier"], "GB-Mo", gb, per="month", label=label)]

    def would_be(self, want: Want) -> Seen:
        """Of the whole disk, the one parent that has a size."""
        gb = sum(int(params["gb"]) for params in want.parents.values() if "gb" in params)
        return Seen(RUNNING, name=want.name, facts={"bytes": gb * GB, "tier": "standard"})

    def seen(self, answer: Mapping[str, Any]) -> Seen:
        state = STATES[answer["State"]]
        facts = {
            # Empty blocks of the disk are not in it; where AWS does not say how many are, it counts whole.
            "bytes": int(answer.get("FullSnapshotSizeInBytes") or answer["VolumeSize"] * GB),
            "tier": answer.get("StorageTier", "standard"),
            "volume": answer.get("VolumeId", ""),
            "description": answer.get("Description", "")[:255],
        }
        if state == FAILED:
            facts["failure"] = answer.get("StateMessage") or "AWS gives no reason"
        return Seen(
            state,
            aws_id=answer["SnapshotId"],
            name=name_of(answer),
            since=utc(answer["StartTime"]),
            facts=facts,
            tags=tag_dict(answer.get("Tags")),
            mark=mark(answer["State"], facts["tier"]),
        )
