"""Route tables. A VPC's main one goes with the VPC and is left alone; every other is in the way of its VPC's end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labs.kinds.aws_words import mark, tag_dict, tag_specifications
from labs.kinds.base import RUNNING, Seen, Want
from labs.kinds.ec2_tagged import EC2Kind, name_of

# Where a route may lead: the member of AWS's answer, which is also that of CreateRoute, and the param that asks for it.
LEADS_TO = {"gateway": "GatewayId", "nat": "NatGatewayId"}


class RouteTable(EC2Kind):
    """params: vpc, subnets (ids), routes: [{"cidr", and "gateway" or "nat": an id}]."""

    name, title, icon, arn_type = "route-table", "Route table", "route", "ec2:route-table"
    is_free = True
    listing, member, ids = "describe_route_tables", "RouteTables", "RouteTableIds"
    not_there = ("InvalidRouteTableID.NotFound",)
    page_size = 100
    # What lies in its subnets needs it until it is gone; a gateway endpoint has a route in it.
    goes_after = ("subnet", "vpc-endpoint")

    def create(self, client, want: Want) -> None:
        tags = tag_specifications({"Name": want.name, **want.tags}, "route-table")
        client.create_route_table(VpcId=want.params["vpc"], TagSpecifications=tags)

    def configure(self, client, want: Want, seen: Seen) -> bool:
        missing = [route for route in want.params.get("routes", ()) if _asked(route) not in seen.facts["routes"]]
        for route in missing:
            leads_to = {member: route[param] for param, member in LEADS_TO.items() if route.get(param)}
            client.create_route(RouteTableId=seen.aws_id, DestinationCidrBlock=route["cidr"], **leads_to)
        loose = [subnet for subnet in want.params.get("subnets", ()) if subnet not in seen.facts["subnets"]]
        for subnet in loose:
            client.associate_route_table(RouteTableId=seen.aws_id, SubnetId=subnet)
        return not missing and not loose

    def delete(self, client, want: Want, seen: Seen) -> None:
        for association in seen.facts["associations"]:
            client.disassociate_route_table(AssociationId=association)
        client.delete_route_table(RouteTableId=seen.aws_id)

    def is_a_row(self, answer: Mapping[str, Any]) -> bool:
        return not any(each.get("Main") for each in answer.get("Associations", ()))

    def seen(self, answer: Mapping[str, Any]) -> Seen:
        associations = [each for each in answer.get("Associations", ()) if not each.get("Main")]
        routes = sorted(words for words in map(_spelt, answer.get("Routes", ())) if words)
        return Seen(
            RUNNING,
            aws_id=answer["RouteTableId"],
            name=name_of(answer),
            facts={
                "vpc": answer["VpcId"],
                "subnets": sorted(each["SubnetId"] for each in associations if each.get("SubnetId")),
                "associations": sorted(each["RouteTableAssociationId"] for each in associations),
                "routes": routes,
            },
            tags=tag_dict(answer.get("Tags")),
            mark=mark(len(associations), len(routes)),
        )


def _asked(route: Mapping[str, Any]) -> str:
    """A route of params in the words of `_spelt`."""
    return f"{route['cidr']} {next(route[param] for param in LEADS_TO if route.get(param))}"


def _spelt(route: Mapping[str, Any]) -> str:
    """A route in words: "0.0.0.0/0 igw-1". '' for what AWS puts in itself (local, a gateway endpoint's prefix list)."""
    ends = [route[member] for member in LEADS_TO.values() if route.get(member)]
    cidr = route.get("DestinationCidrBlock")
    return f"{cidr} {ends[0]}" if cidr and ends and ends[0] != "local" else ""
