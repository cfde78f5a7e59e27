"""VPCs. AWS keeps a subnet while an interface is in it, an internet gateway attached while something in its VPC has a
public address, and a VPC while anything but its main route table and its default group and access list is in it.

A subnet that goes leaves its route table and access list; and only those that a default VPC began with are default.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import DependencyViolationError
from moto.ec2.models.internet_gateways import InternetGatewayBackend
from moto.ec2.models.subnets import Subnet, SubnetBackend
from moto.ec2.models.vpcs import VPCBackend

from labs.simulator.amendments import instead_of
from labs.simulator.amendments.network_interfaces import interfaces_in


@instead_of(SubnetBackend, "create_subnet")
def create_subnet(was: Any, self: Any, vpc_id: str, cidr_block: str, *args: Any, **asked: Any) -> Subnet:
    if not args and not asked.get("availability_zone") and not asked.get("availability_zone_id"):
        asked["availability_zone"] = self.describe_availability_zones()[0].name
    subnet: Subnet = was(self, vpc_id, cidr_block, *args, **asked)
    if not self.get_vpc(vpc_id).is_default:
        subnet.default_for_az = subnet.map_public_ip_on_launch = False
    return subnet


@instead_of(SubnetBackend, "delete_subnet")
def delete_subnet(was: Any, self: Any, subnet_id: str) -> Any:
    if any(interface.subnet.id == subnet_id for interface in interfaces_in(self)):
        raise DependencyViolationError(f"The subnet '{subnet_id}' has dependencies and cannot be deleted.")
    gone = was(self, subnet_id)
    for table in self.route_tables.values():
        table._associations = {key: to for key, to in table._associations.items() if to != subnet_id}
    for acl in self.network_acls.values():
        acl._associations = {key: each for key, each in acl._associations.items() if each.subnet_id != subnet_id}
    return gone


@instead_of(InternetGatewayBackend, "detach_internet_gateway")
def detach_internet_gateway(was: Any, self: Any, internet_gateway_id: str, vpc_id: str) -> None:
    if any(interface.public_ip and interface.vpc_id == vpc_id for interface in interfaces_in(self)):
        raise DependencyViolationError(
            f"Network {vpc_id} has some mapped public address(es). Please unmap those public address(es) before "
            "detaching the gateway."
        )
    was(self, internet_gateway_id, vpc_id)


@instead_of(VPCBackend, "delete_vpc")
def delete_vpc(was: Any, self: Any, vpc_id: str) -> Any:
    self.get_vpc(vpc_id)
    in_it = [
        *(gateway for gateway in self.internet_gateways.values() if gateway.vpc and gateway.vpc.id == vpc_id),
        *(gateway for gateway in self.egress_only_internet_gateways.values() if gateway.vpc_id == vpc_id),
        *(group for group in self.groups[vpc_id].values() if group.name != "default"),
        *(acl for acl in self.network_acls.values() if acl.vpc_id == vpc_id and not acl.default),
        *(endpoint for endpoint in self.vpc_end_points.values() if endpoint.vpc_id == vpc_id),
        *(interface for interface in interfaces_in(self) if interface.vpc_id == vpc_id),
    ]
    if in_it:
        raise DependencyViolationError(f"The vpc '{vpc_id}' has dependencies and cannot be deleted.")
    return was(self, vpc_id)
