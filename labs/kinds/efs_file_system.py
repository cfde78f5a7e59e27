"""EFS file systems. What is stored costs until it is deleted, and what a SageMaker Studio domain leaves behind too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import code_of, mark, tag_dict, tag_list, utc
from labs.kinds.base import (
    ABSENT,
    DELETING,
    FAILED,
    GONE_FROM_AWS,
    PENDING,
    RUNNING,
    TOKEN,
    Kind,
    Meter,
    Seen,
    Signal,
    Want,
)

GB = 2**30  # EFS bills by GB of 2^30 bytes (EFS pricing)
STATES = {
    "creating": PENDING,
    "available": RUNNING,
    "updating": RUNNING,
    "deleting": DELETING,
    "deleted": ABSENT,
    "error": FAILED,
}
# Set by SageMaker on the file system of a Studio domain, with the domain's ARN; it stays when the domain goes.
TAG_OF_STUDIO = "ManagedByAmazonSageMakerResource"
# Storage class -> line of the price book, of a file system over several zones and of one in one zone. Those that the
# book does not have are shown as unpriced.
STANDARD, ONE_ZONE = "Standard (SageMaker Studio home dirs bill here)", "OneZone-Standard"
SKUS = {"Standard": STANDARD, "IA": "IA", "Archive": "Archive"}
SKUS_OF_ONE_ZONE = {"Standard": ONE_ZONE, "IA": "OneZone-IA"}


class EFSFileSystem(Kind):
    """params: zone (kept in that zone alone, and cheaper), as wanted."""

    name, service, identity = "efs-file-system", "efs", TOKEN
    goes_after = ("sagemaker-studio-domain",)
    title, icon, cost_service = "EFS file system", "folder", "EFS"
    arn_type = "elasticfilesystem:file-system"
    signals = (Signal("AWS/EFS", "ClientConnections", "FileSystemId"),)
    lost_on_delete = gettext_noop(
        "Every file on it is deleted with it; of a Studio domain's, the home folders of its users."
    )

    def create(self, client, want: Want) -> None:
        zone = {"AvailabilityZoneName": want.params["zone"]} if want.params.get("zone") else {}
        client.create_file_system(
            CreationToken=want.token, Encrypted=True, Tags=tag_list({"Name": want.name, **want.tags}), **zone
        )

    def observe(self, client, want: Want) -> Seen:
        look = {"FileSystemId": want.aws_id} if want.aws_id else {"CreationToken": want.token}
        try:
            found = client.describe_file_systems(**look)["FileSystems"]
        except client.exceptions.ClientError as error:
            if code_of(error) == "FileSystemNotFound":
                return GONE_FROM_AWS
            raise
        return _seen(found[0]) if found else GONE_FROM_AWS

    def delete(self, client, want: Want, seen: Seen) -> None:
        """Its mount targets first, at most one a zone: until they are gone AWS says that it is in use."""
        if seen.state == DELETING:
            return
        pages = client.get_paginator("describe_mount_targets").paginate(FileSystemId=seen.aws_id)
        targets = [target for page in pages for target in page["MountTargets"]]
        for target in targets:
            if target["LifeCycleState"] not in ("deleting", "deleted"):
                client.delete_mount_target(MountTargetId=target["MountTargetId"])
        if not targets:
            client.delete_file_system(FileSystemId=seen.aws_id)

    def find_all(self, client) -> Iterable[Seen]:
        for page in client.get_paginator("describe_file_systems").paginate(PaginationConfig={"PageSize": 100}):
            for answer in page["FileSystems"]:
                seen = _seen(answer)
                if seen.state != ABSENT:
                    yield seen

    def meters(self, seen: Seen) -> list[Meter]:
        """GB-month of each storage class, as EFS measured it last (about once an hour), and throughput that is kept
        ready. What is read and written is not counted live."""
        facts = seen.facts
        if seen.state not in (RUNNING, DELETING):
            return []
        skus = SKUS_OF_ONE_ZONE if facts.get("one_zone") else SKUS
        meters = [
            Meter(
                "EFS",
                "storage",
                skus.get(storage_class, f"OneZone-{storage_class}"),
                "GB-Mo",
                (Decimal(size) / GB).quantize(Decimal("1e-10")),
                per="month",
                label=f"files, {storage_class}",
            )
            for storage_class, size in sorted(facts.get("bytes", {}).items())
            if size
        ]
        if facts.get("mibps"):
            label = f"{facts['mibps']} MiB/s kept ready"
            ready = Decimal(str(facts["mibps"]))
            meters.append(Meter("EFS", "throughput", "provisioned", "MiBps-Mo", ready, per="month", label=label))
        return meters

    def would_be(self, want: Want) -> Seen:
        """Empty, as it is when it was made."""
        return Seen(RUNNING, name=want.name, facts={"bytes": {}, "one_zone": bool(want.params.get("zone"))})


def _seen(answer: Mapping[str, Any]) -> Seen:
    state = STATES[answer["LifeCycleState"]]
    tags = tag_dict(answer.get("Tags"))
    size = answer["SizeInBytes"]
    in_class = {
        "Standard": size.get("ValueInStandard", size["Value"]),
        "IA": size.get("ValueInIA", 0),
        "Archive": size.get("ValueInArchive", 0),
    }
    facts = {
        "arn": answer.get("FileSystemArn", ""),
        "bytes": {name: int(value) for name, value in in_class.items() if value},
        "one_zone": bool(answer.get("AvailabilityZoneName")),
        "mibps": float(answer.get("ProvisionedThroughputInMibps") or 0),
        "mount_targets": int(answer.get("NumberOfMountTargets", 0)),
        "studio_domain": tags.get(TAG_OF_STUDIO, ""),
        "not_accrued": gettext_noop("What is read from and written to the file system"),
    }
    if state == FAILED:
        facts["failure"] = "AWS gives no reason"
    return Seen(
        state,
        aws_id=answer["FileSystemId"],
        name=(answer.get("Name") or "")[:255],
        since=utc(answer["CreationTime"]) if state in (PENDING, RUNNING) else None,
        facts=facts,
        tags=tags,
        mark=mark(answer["LifeCycleState"], facts["mount_targets"]),
    )
