"""VPCs. Every account starts with a default one in each region, which is AWS's own and is left alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labs.aws import Refused
from labs.kinds.aws_words import mark, tag_dict, tag_specifications
from labs.kinds.base import PENDING, RUNNING, Seen, Want
from labs.kinds.ec2_tagged import HOLD_INTERFACES, EC2Kind, name_of


class VPC(EC2Kind):
    """params: cidr (10.0.0.0/16 when not given)."""

    name, title, icon, arn_type = "vpc", "VPC", "cloud", "ec2:vpc"
    is_free = True
    listing, member, ids, not_there = "describe_vpcs", "Vpcs", "VpcIds", ("InvalidVpcID.NotFound",)
    goes_after = (
        *HOLD_INTERFACES,
        "internet-gateway",
        "network-interface",
        "route-table",
        "security-group",
        "subnet",
    )

    def create(self, client, want: Want) -> None:
        client.create_vpc(
            CidrBlock=want.params.get("cidr", "10.0.0.0/16"),
            TagSpecifications=tag_specifications({"Name": want.name, **want.tags}, "vpc"),
        )

    def delete(self, client, want: Want, seen: Seen) -> None:
        """Its main route table and its default group and access list go with it. Other access lists and egress-only
        gateways are in its way; they cost nothing and are rows of nobody, so they go here."""
        in_it = [{"Name": "vpc-id", "Values": [seen.aws_id]}, {"Name": "default", "Values": ["false"]}]
        for page in client.get_paginator("describe_network_acls").paginate(Filters=in_it):
            for acl in page["NetworkAcls"]:
                client.delete_network_acl(NetworkAclId=acl["NetworkAclId"])
        for page in client.get_paginator("describe_egress_only_internet_gateways").paginate():
            for gateway in page["EgressOnlyInternetGateways"]:
                if any(each.get("VpcId") == seen.aws_id for each in gateway.get("Attachments", ())):
                    client.delete_egress_only_internet_gateway(
                        EgressOnlyInternetGatewayId=gateway["EgressOnlyInternetGatewayId"]
                    )
        client.delete_vpc(VpcId=seen.aws_id)

    def is_a_row(self, answer: Mapping[str, Any]) -> bool:
        return not answer.get("IsDefault")

    def seen(self, answer: Mapping[str, Any]) -> Seen:
        return Seen(
            PENDING if answer.get("State") == "pending" else RUNNING,
            aws_id=answer["VpcId"],
            name=name_of(answer),
            facts={"cidr": answer["CidrBlock"], "default": bool(answer.get("IsDefault"))},
            tags=tag_dict(answer.get("Tags")),
            mark=mark(answer.get("State", "available")),
        )


def default_vpc(client) -> str:
    """The id of the region's default VPC. Raises Refused where somebody deleted it."""
    found = default_vpcs(client)
    if not found:
        region = client.meta.region_name
        raise Refused(f"{region} has no default VPC. Make one in the VPC console: Actions, Create default VPC.")
    return found[0]


def default_vpcs(client) -> list[str]:
    """The ids of the region's default VPC: one, or none."""
    found = client.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    return [vpc["VpcId"] for vpc in found]
