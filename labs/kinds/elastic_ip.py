"""Elastic IP addresses: each costs by the hour from allocation to release, used or not, and always by its own row.

An instance counts only the address that AWS lends it while it runs (ec2_instance.py): so nothing is counted twice, and
nothing is lost between two uses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds import public_ipv4
from labs.kinds.aws_words import mark, tag_dict, tag_specifications
from labs.kinds.base import RUNNING, Meter, OffCall, Seen, Want
from labs.kinds.ec2_tagged import HOLD_INTERFACES, EC2Kind, name_of


class ElasticIP(EC2Kind):
    """params: instance (the id of one to give it to), as wanted."""

    name, title, icon = "elastic-ip", "Elastic IP address", "map-pin"
    cost_service, arn_type = "VPC", "ec2:elastic-ip"
    listing, member, ids = "describe_addresses", "Addresses", "AllocationIds"
    not_there = ("InvalidAllocationID.NotFound", "InvalidAddress.NotFound")
    goes_after = (*HOLD_INTERFACES, "network-interface")
    lost_on_delete = gettext_noop("Nobody gets the same address again.")

    def create(self, client, want: Want) -> None:
        tags = tag_specifications({"Name": want.name, **want.tags}, "elastic-ip")
        client.allocate_address(Domain="vpc", TagSpecifications=tags)

    def configure(self, client, want: Want, seen: Seen) -> bool:
        instance = want.params.get("instance")
        if not instance or seen.facts["attached_to"] == instance:
            return True
        client.associate_address(AllocationId=seen.aws_id, InstanceId=instance, AllowReassociation=True)
        return False

    def delete(self, client, want: Want, seen: Seen) -> None:
        # What a NAT gateway or a load balancer holds cannot be taken from it: AWS says so, and it is freed with them.
        if seen.facts.get("association"):
            client.disassociate_address(AssociationId=seen.facts["association"])
        client.release_address(AllocationId=seen.aws_id)

    def off_call(self, want: Want) -> OffCall | None:
        return OffCall("ec2", "releaseAddress", {"AllocationId": want.aws_id}) if want.aws_id else None

    def listed(self, client) -> Iterable[Mapping[str, Any]]:
        return client.describe_addresses()["Addresses"]  # AWS has no pages of these

    def is_a_row(self, answer: Mapping[str, Any]) -> bool:
        # What a service allocates for itself comes, goes and is counted with it.
        return bool(answer.get("AllocationId")) and not answer.get("ServiceManaged")

    def meters(self, seen: Seen) -> list[Meter]:
        """Attached or not. An address that somebody brought along is free."""
        if seen.state != RUNNING or seen.facts.get("own_pool"):
            return []
        if seen.facts.get("attached"):
            return public_ipv4.meters_of(1, "public IPv4, in use")
        return public_ipv4.meters_of(1, "public IPv4, idle", public_ipv4.IDLE)

    def would_be(self, want: Want) -> Seen:
        return Seen(RUNNING, name=want.name, facts={"attached": bool(want.params.get("instance"))})

    def seen(self, answer: Mapping[str, Any]) -> Seen:
        holder = answer.get("InstanceId") or answer.get("NetworkInterfaceId") or ""
        return Seen(
            RUNNING,
            aws_id=answer["AllocationId"],
            name=name_of(answer) or answer["PublicIp"],
            facts={
                "ip": answer["PublicIp"],
                "attached": bool(answer.get("AssociationId")),
                "attached_to": holder,
                "association": answer.get("AssociationId", ""),
                "own_pool": answer.get("PublicIpv4Pool", "amazon") != "amazon",
            },
            tags=tag_dict(answer.get("Tags")),
            mark=mark(answer.get("AssociationId", "-")),
        )
