"""Subnets. Those that a default VPC has in each zone are AWS's own and are left alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labs.kinds.aws_words import mark, tag_dict, tag_specifications
from labs.kinds.base import PENDING, RUNNING, Seen, Want
from labs.kinds.ec2_tagged import HOLD_INTERFACES, EC2Kind, name_of


class Subnet(EC2Kind):
    """params: vpc, cidr, and as wanted: zone, public (instances in it get a public address)."""

    name, title, icon, arn_type = "subnet", "Subnet", "network", "ec2:subnet"
    is_free = True
    listing, member, ids, not_there = "describe_subnets", "Subnets", "SubnetIds", ("InvalidSubnetID.NotFound",)
    goes_after = (*HOLD_INTERFACES, "network-interface")

    def create(self, client, want: Want) -> None:
        asked = {"AvailabilityZone": want.params["zone"]} if want.params.get("zone") else {}
        client.create_subnet(
            VpcId=want.params["vpc"],
            CidrBlock=want.params["cidr"],
            TagSpecifications=tag_specifications({"Name": want.name, **want.tags}, "subnet"),
            **asked,
        )

    def configure(self, client, want: Want, seen: Seen) -> bool:
        if bool(want.params.get("public")) == seen.facts["public"]:
            return True
        client.modify_subnet_attribute(
            SubnetId=seen.aws_id, MapPublicIpOnLaunch={"Value": bool(want.params.get("public"))}
        )
        return False

    def delete(self, client, want: Want, seen: Seen) -> None:
        client.delete_subnet(SubnetId=seen.aws_id)

    def is_a_row(self, answer: Mapping[str, Any]) -> bool:
        return not answer.get("DefaultForAz")

    def seen(self, answer: Mapping[str, Any]) -> Seen:
        return Seen(
            PENDING if answer.get("State") == "pending" else RUNNING,
            aws_id=answer["SubnetId"],
            name=name_of(answer),
            facts={
                "vpc": answer["VpcId"],
                "cidr": answer.get("CidrBlock", ""),
                "zone": answer["AvailabilityZone"],
                "public": bool(answer.get("MapPublicIpOnLaunch")),
            },
            tags=tag_dict(answer.get("Tags")),
            mark=mark(answer.get("State", "available"), answer.get("MapPublicIpOnLaunch", "")),
        )
