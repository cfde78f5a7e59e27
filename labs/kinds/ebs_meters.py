"""What EBS bills for disks, whether a volume stands alone or comes with its instance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from labs.kinds.base import Meter

# In the price of a gp3 volume (EBS pricing, as of 2026); what is above is billed apart.
GP3_IOPS, GP3_MIBPS = 3000, 125


def disk_of(volume: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of one volume that EBS bills by, from DescribeVolumes: {"type", "gb", "iops", "mibps"}."""
    return {
        "type": volume.get("VolumeType", "unknown"),
        "gb": int(volume.get("Size", 0)),
        "iops": int(volume.get("Iops") or 0),
        "mibps": int(volume.get("Throughput") or 0),
    }


def meters_of(disks: Iterable[Mapping[str, Any]]) -> list[Meter]:
    """GB-month of each volume type, and what was bought beyond it. Of two disks of one type, one meter for both.

    Billed from creation to deletion whatever the instance does; 60 s at least (EBS pricing).
    """
    by_type: dict[str, list[Mapping[str, Any]]] = {}
    for disk in disks:
        by_type.setdefault(disk["type"], []).append(disk)
    meters = []
    for kind, of_type in sorted(by_type.items()):
        meters.append(_monthly("volume", kind, "GB-Mo", sum(disk["gb"] for disk in of_type), "disk {} GB"))
        if kind == "gp3":
            extra = sum(max(0, disk["iops"] - GP3_IOPS) for disk in of_type)
            meters.append(_monthly("iops", kind, "IOPS-Mo", extra, "{} more IOPS"))
            extra = sum(max(0, disk["mibps"] - GP3_MIBPS) for disk in of_type)
            meters.append(_monthly("throughput", kind, "MiBps-Mo", extra, "{} MiB/s more throughput"))
        elif kind in ("io1", "io2"):
            meters.append(_monthly("iops", kind, "IOPS-Mo", sum(disk["iops"] for disk in of_type), "{} IOPS"))
    return [meter for meter in meters if meter.quantity]


def _monthly(kind: str, sku: str, unit: str, quantity: int, label: str) -> Meter:
    return Meter(
        "EBS", kind, sku, unit, Decimal(quantity), per="month", minimum_seconds=60, label=label.format(quantity)
    )
