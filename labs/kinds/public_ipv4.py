"""What VPC bills for public IPv4 addresses, whoever holds them. Each is counted by one row alone: an Elastic IP by its
own (elastic_ip.py), one that AWS lends to something by that.
"""

from __future__ import annotations

from decimal import Decimal

from labs.kinds.base import Meter

IN_USE, IDLE = "in-use-address", "idle-address-EIP"


def meters_of(addresses: int, label: str = "public IPv4", sku: str = IN_USE) -> list[Meter]:
    """By the hour, 60 s at least (VPC pricing, since 2024-02). [] for no address."""
    if not addresses:
        return []
    label = label if addresses == 1 else f"{addresses} {label}"
    return [Meter("VPC", "public-ipv4", sku, "Hrs", Decimal(addresses), minimum_seconds=60, label=label)]
