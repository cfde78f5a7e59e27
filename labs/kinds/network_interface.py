"""Network interfaces that stand on their own. Most belong to something: to an instance that takes them with it, or to a
service (NAT gateways, endpoints, load balancers, file systems, Lambda, SageMaker), which deletes them itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labs.aws import InTheWay
from labs.kinds.aws_words import mark, tag_dict
from labs.kinds.base import RUNNING, Seen, Want
from labs.kinds.ec2_tagged import HOLD_INTERFACES, EC2Kind

# The types that somebody makes by hand; every other is made by a service for itself.
BY_HAND = ("interface", "efa", "efa-only", "trunk", "branch")


class NetworkInterface(EC2Kind):
    name, title, icon, arn_type = "network-interface", "Network interface", "network", "ec2:network-interface"
    can_create, is_free = False, True
    listing, member, ids = "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceIds"
    not_there = ("InvalidNetworkInterfaceID.NotFound",)
    goes_after = HOLD_INTERFACES

    def delete(self, client, want: Want, seen: Seen) -> None:
        facts = seen.facts
        if facts.get("attachment") and facts["device"] == 0:
            # AWS never detaches the first one of an instance.
            raise InTheWay(f"It is the first interface of {facts['attached_to']}: it can go when that is terminated.")
        if facts.get("attachment"):
            if facts["status"] != "detaching":
                client.detach_network_interface(AttachmentId=facts["attachment"], Force=True)
            return
        client.delete_network_interface(NetworkInterfaceId=seen.aws_id)

    def is_a_row(self, answer: Mapping[str, Any]) -> bool:
        attached = answer.get("Attachment", {})
        return (
            not answer.get("RequesterManaged")
            and answer.get("InterfaceType", "interface") in BY_HAND
            and not attached.get("DeleteOnTermination")
            # SageMaker attaches such to machines of its own, in an account of its own.
            and attached.get("InstanceOwnerId", answer["OwnerId"]) == answer["OwnerId"]
        )

    def seen(self, answer: Mapping[str, Any]) -> Seen:
        tags = tag_dict(answer.get("TagSet"))
        attached = answer.get("Attachment", {})
        return Seen(
            RUNNING,
            aws_id=answer["NetworkInterfaceId"],
            name=(tags.get("Name") or answer.get("Description") or "")[:255],
            facts={
                "status": answer.get("Status", ""),
                "vpc": answer.get("VpcId", ""),
                "subnet": answer.get("SubnetId", ""),
                "groups": sorted(group["GroupId"] for group in answer.get("Groups", ())),
                "attached": bool(attached),
                "attached_to": attached.get("InstanceId", ""),
                "attachment": attached.get("AttachmentId", ""),
                "device": int(attached.get("DeviceIndex", -1)),
            },
            tags=tags,
            mark=mark(answer.get("Status", ""), attached.get("AttachmentId", "-")),
        )
