"""Internet gateways. The one of a region's default VPC is AWS's own and is left alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from labs.kinds.aws_words import mark, tag_dict, tag_specifications
from labs.kinds.base import RUNNING, Seen, Want
from labs.kinds.ec2_tagged import HOLD_INTERFACES, EC2Kind, name_of
from labs.kinds.vpc import default_vpcs


class InternetGateway(EC2Kind):
    """params: vpc (the id of the one to attach it to), as wanted."""

    name, title, icon, arn_type = "internet-gateway", "Internet gateway", "world", "ec2:internet-gateway"
    is_free = True
    listing, member, ids = "describe_internet_gateways", "InternetGateways", "InternetGatewayIds"
    not_there = ("InvalidInternetGatewayID.NotFound",)
    # It cannot be detached while anything in its VPC has a public address.
    goes_after = (*HOLD_INTERFACES, "elastic-ip", "network-interface")

    def create(self, client, want: Want) -> None:
        tags = tag_specifications({"Name": want.name, **want.tags}, "internet-gateway")
        client.create_internet_gateway(TagSpecifications=tags)

    def configure(self, client, want: Want, seen: Seen) -> bool:
        vpc = want.params.get("vpc")
        if not vpc or vpc in seen.facts["vpcs"]:
            return True
        client.attach_internet_gateway(InternetGatewayId=seen.aws_id, VpcId=vpc)
        return False

    def delete(self, client, want: Want, seen: Seen) -> None:
        for vpc in seen.facts["vpcs"]:
            client.detach_internet_gateway(InternetGatewayId=seen.aws_id, VpcId=vpc)
        client.delete_internet_gateway(InternetGatewayId=seen.aws_id)

    def find_all(self, client) -> Iterable[Seen]:
        found = list(super().find_all(client))
        # No line of the list says that a VPC is the default one: one call more, where there is any gateway.
        aws_own = set(default_vpcs(client)) if found else set()
        return [each for each in found if not aws_own & set(each.facts["vpcs"])]

    def seen(self, answer: Mapping[str, Any]) -> Seen:
        attached = [each for each in answer.get("Attachments", ()) if each.get("State") != "detached"]
        vpcs = sorted(each["VpcId"] for each in attached)
        return Seen(
            RUNNING,
            aws_id=answer["InternetGatewayId"],
            name=name_of(answer),
            facts={"vpcs": vpcs},
            tags=tag_dict(answer.get("Tags")),
            mark=mark(*vpcs),
        )
