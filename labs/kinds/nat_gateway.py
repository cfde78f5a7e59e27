"""NAT gateways: each started hour costs, traffic or none. Its Elastic IP stays behind, and is its own row."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds import public_ipv4
from labs.kinds.aws_words import mark, tag_dict, tag_specifications, utc
from labs.kinds.base import (
    ABSENT,
    DELETING,
    FAILED,
    PENDING,
    RUNNING,
    TOKEN,
    Meter,
    OffCall,
    Seen,
    Signal,
    Want,
)
from labs.kinds.ec2_tagged import EC2Kind, name_of

# AWS goes on listing a deleted one for about an hour, and deletes a failed one itself.
STATES = {"pending": PENDING, "available": RUNNING, "deleting": DELETING, "deleted": ABSENT, "failed": FAILED}


class NATGateway(EC2Kind):
    """params: subnet, address (the allocation id of an Elastic IP; without one it is private)."""

    name, title, icon, identity = "nat-gateway", "NAT gateway", "logout", TOKEN
    cost_service, arn_type = "VPC", "ec2:natgateway"
    listing, member, ids, filters = "describe_nat_gateways", "NatGateways", "NatGatewayIds", "Filter"
    not_there = ("NatGatewayNotFound",)
    settle_seconds = 60
    stop_means = "delete"
    signals = (Signal("AWS/NATGateway", "ActiveConnectionCount", "NatGatewayId", "Maximum"),)
    kept_on_stop = gettext_noop(
        "A NAT gateway has no stop: it is deleted. Its Elastic IP address is kept, and still costs."
    )
    lost_on_delete = gettext_noop(
        "What is in private subnets cannot reach the internet any more. Its Elastic IP address stays."
    )

    def create(self, client, want: Want) -> None:
        address = want.params.get("address")
        public = {"AllocationId": address, "ConnectivityType": "public"}
        client.create_nat_gateway(
            SubnetId=want.params["subnet"],
            ClientToken=want.token,
            TagSpecifications=tag_specifications({"Name": want.name, **want.tags}, "natgateway"),
            **(public if address else {"ConnectivityType": "private"}),
        )

    def delete(self, client, want: Want, seen: Seen) -> None:
        if seen.state != DELETING:
            client.delete_nat_gateway(NatGatewayId=seen.aws_id)

    def off_call(self, want: Want) -> OffCall | None:
        return OffCall("ec2", "deleteNatGateway", {"NatGatewayId": want.aws_id}) if want.aws_id else None

    def meters(self, seen: Seen) -> list[Meter]:
        """Each started hour while it is available (VPC pricing); a regional one in each of its zones, and with the
        addresses that AWS allocates for it. An Elastic IP that it was given is counted by its own row."""
        if seen.state != RUNNING:
            return []
        zones, addresses = int(seen.facts.get("zones", 1)), int(seen.facts.get("public_ips", 0))
        label = "NAT gateway" if zones == 1 else f"NAT gateway in {zones} zones"
        meters = [Meter("VPC", "nat-gateway", "hour", "Hrs", Decimal(zones), rounding="hour", label=label)]
        return meters + public_ipv4.meters_of(addresses, "public IPv4 of AWS's own")

    def would_be(self, want: Want) -> Seen:
        return Seen(RUNNING, name=want.name, facts={"zones": 1, "public_ips": 0})

    def seen(self, answer: Mapping[str, Any]) -> Seen:
        state = STATES[answer["State"]]
        addresses = answer.get("NatGatewayAddresses", ())
        is_regional = answer.get("AvailabilityMode") == "regional"
        zones = {each["AvailabilityZone"] for each in addresses if each.get("AvailabilityZone")}
        by_aws = is_regional and answer.get("AutoScalingIps") == "enabled"
        facts = {
            "vpc": answer.get("VpcId", ""),
            "subnet": answer.get("SubnetId", ""),
            "zones": max(1, len(zones)) if is_regional else 1,
            "public_ips": sum(bool(each.get("PublicIp")) for each in addresses) if by_aws else 0,
            "addresses": sorted(each["AllocationId"] for each in addresses if each.get("AllocationId")),
            "not_accrued": gettext_noop("Data through the NAT gateway"),
        }
        if state == FAILED:
            facts["failure"] = answer.get("FailureMessage") or answer.get("FailureCode") or "AWS gives no reason"
        return Seen(
            state,
            aws_id=answer["NatGatewayId"],
            name=name_of(answer),
            since=utc(answer.get("DeleteTime") if state == ABSENT else answer["CreateTime"]),
            facts=facts,
            tags=tag_dict(answer.get("Tags")),
            mark=mark(answer["State"], len(zones)),
        )
