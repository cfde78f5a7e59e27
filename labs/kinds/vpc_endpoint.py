"""VPC endpoints. An interface endpoint costs each started hour in each zone it has an interface in; a gateway one is
free.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

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
from labs.kinds.vpc import default_vpc

# In lower case: AWS's answers and its documentation differ in it. One that waits for its service's owner may wait for
# ever, and its interfaces cost meanwhile: it is not on its way to anything.
STATES = {
    "pending": PENDING,
    "pendingacceptance": RUNNING,
    "available": RUNNING,
    "partial": RUNNING,
    "rejected": FAILED,
    "failed": FAILED,
    "expired": FAILED,
    "deleting": DELETING,
    "deleted": ABSENT,
}


class VPCEndpoint(EC2Kind):
    """params: service ("s3", "sagemaker.api"), type ("Interface" or "Gateway"), and as wanted: vpc (else the default
    one); of an interface endpoint subnets (one a zone) and security_groups; of a gateway endpoint route_tables."""

    name, title, icon, identity = "vpc-endpoint", "VPC endpoint", "link", TOKEN
    cost_service, arn_type = "VPC", "ec2:vpc-endpoint"
    listing, member, ids = "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointIds"
    not_there = ("InvalidVpcEndpointId.NotFound", "InvalidVpcEndpoint.NotFound")
    settle_seconds = 60
    stop_means = "delete"
    signals = (Signal("AWS/PrivateLinkEndpoints", "BytesProcessed", "VPC Endpoint Id"),)
    kept_on_stop = gettext_noop("A VPC endpoint has no stop: it is deleted. What it leads to is not touched.")
    lost_on_delete = gettext_noop("What is in private subnets cannot reach the service through it any more.")

    def create(self, client, want: Want) -> None:
        params = want.params
        asked = {
            member: list(params[name])
            for name, member in (
                ("subnets", "SubnetIds"),
                ("security_groups", "SecurityGroupIds"),
                ("route_tables", "RouteTableIds"),
            )
            if params.get(name)
        }
        client.create_vpc_endpoint(
            VpcEndpointType=params["type"],
            VpcId=params.get("vpc") or default_vpc(client),
            ServiceName=f"com.amazonaws.{client.meta.region_name}.{params['service']}",
            ClientToken=want.token,
            TagSpecifications=tag_specifications({"Name": want.name, **want.tags}, "vpc-endpoint"),
            **asked,
        )

    def delete(self, client, want: Want, seen: Seen) -> None:
        if seen.state == DELETING:
            return
        for kept in client.delete_vpc_endpoints(VpcEndpointIds=[seen.aws_id]).get("Unsuccessful", ()):
            # AWS answers 200 all the same: the refusal stands in the answer.
            raise client.exceptions.ClientError({"Error": kept["Error"]}, "DeleteVpcEndpoints")

    def off_call(self, want: Want) -> OffCall | None:
        return OffCall("ec2", "deleteVpcEndpoints", {"VpcEndpointIds": [want.aws_id]}) if want.aws_id else None

    def is_a_row(self, answer: Mapping[str, Any]) -> bool:
        return not answer.get("RequesterManaged")

    def meters(self, seen: Seen) -> list[Meter]:
        """Each started hour in each zone, whatever its service's owner says (PrivateLink pricing). Of the types that
        are neither interface nor gateway no price is known: they are shown as unpriced."""
        zones, kind = int(seen.facts.get("zones", 0)), str(seen.facts.get("type", "")).lower()
        if seen.state not in (RUNNING, FAILED) or not zones or kind == "gateway":
            return []
        label = f"{seen.facts['service'].rsplit('.', 1)[-1]} endpoint in {zones} zone{'s' if zones > 1 else ''}"
        hours = Meter(
            "VPC", f"{kind}-endpoint", "endpoint-hour-per-AZ", "Hrs", Decimal(zones), rounding="hour", label=label
        )
        return [hours]

    def would_be(self, want: Want) -> Seen:
        params = want.params
        zones = len(params.get("subnets", ())) if params["type"] == "Interface" else 0
        facts = {"type": params["type"], "service": params["service"], "zones": zones}
        return Seen(RUNNING, name=want.name, facts=facts)

    def dimensions(self, signal: Signal, seen: Seen) -> list[dict[str, str]]:
        """CloudWatch counts by all four together, and by the endpoint alone not at all."""
        facts = seen.facts
        return [
            {
                "Endpoint Type": facts["type"],
                "Service Name": facts["service"],
                "VPC Endpoint Id": seen.aws_id,
                "VPC Id": facts["vpc"],
            }
        ]

    def seen(self, answer: Mapping[str, Any]) -> Seen:
        state = STATES[answer["State"].lower()]
        interfaces = answer.get("NetworkInterfaceIds", ())
        facts = {
            "type": answer.get("VpcEndpointType", "Gateway"),
            "service": answer.get("ServiceName", ""),
            "vpc": answer["VpcId"],
            "zones": len(interfaces),
            "status": answer["State"].lower(),
        }
        if interfaces:
            facts["not_accrued"] = gettext_noop("Data through the VPC endpoint")
        if state == FAILED:
            said = answer.get("LastError", {}).get("Message") or answer.get("FailureReason")
            facts["failure"] = said or f"it is {facts['status']}"
        return Seen(
            state,
            aws_id=answer["VpcEndpointId"],
            name=name_of(answer),
            since=utc(answer["CreationTimestamp"]) if state in (PENDING, RUNNING) else None,
            facts=facts,
            tags=tag_dict(answer.get("Tags")),
            mark=mark(facts["status"], len(interfaces)),
        )
