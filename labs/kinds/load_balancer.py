"""Load balancers: application, network and gateway. Each started hour costs, with no target behind it too.

Its listeners go with it. Target groups stay; they are free and in the way of nothing, so they are no kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds import public_ipv4
from labs.kinds.aws_words import code_of, mark, tag_dict, utc
from labs.kinds.base import (
    FAILED,
    GONE_FROM_AWS,
    NAME,
    PENDING,
    RUNNING,
    Kind,
    Meter,
    OffCall,
    Seen,
    Signal,
    Want,
)

STATES = {"provisioning": PENDING, "active": RUNNING, "active_impaired": RUNNING, "failed": FAILED}
# Type -> kind and sku of the price book. A type that is not here is shown as unpriced.
HOURS = {"application": ("alb", "ALB-hour"), "network": ("nlb", "NLB-hour")}


class LoadBalancer(Kind):
    name, service, identity = "load-balancer", "elbv2", NAME
    title, icon, cost_service = "Load balancer", "server-2", "ELB"
    arn_type = "elasticloadbalancing:loadbalancer"
    can_create = False
    stop_means = "delete"
    signals = (
        Signal("AWS/ApplicationELB", "RequestCount", "LoadBalancer"),
        Signal("AWS/NetworkELB", "NewFlowCount", "LoadBalancer"),
    )
    kept_on_stop = gettext_noop("A load balancer has no stop: it is deleted. What is behind it is kept.")
    lost_on_delete = gettext_noop(
        "Its address and its listeners are deleted with it. What is behind it is not touched."
    )

    def observe(self, client, want: Want) -> Seen:
        # Found by ARN: the same name can be another one by now.
        by_arn = want.aws_id.startswith("arn:")
        look = {"LoadBalancerArns": [want.aws_id]} if by_arn else {"Names": [want.aws_id or want.name]}
        try:
            found = client.describe_load_balancers(**look)["LoadBalancers"]
            if not found:
                return GONE_FROM_AWS
            tags = client.describe_tags(ResourceArns=[found[0]["LoadBalancerArn"]])["TagDescriptions"]
        except client.exceptions.ClientError as error:
            if code_of(error) == "LoadBalancerNotFound":
                return GONE_FROM_AWS
            raise
        return _seen(found[0], tag_dict(tags[0]["Tags"]) if tags else {}, whole=True)

    def delete(self, client, want: Want, seen: Seen) -> None:
        try:
            client.delete_load_balancer(LoadBalancerArn=seen.aws_id)
        except client.exceptions.ClientError as error:
            if code_of(error) != "OperationNotPermitted":
                raise
            # Somebody protected it against deletion; the next call of this verb will get through.
            client.modify_load_balancer_attributes(
                LoadBalancerArn=seen.aws_id, Attributes=[{"Key": "deletion_protection.enabled", "Value": "false"}]
            )

    def off_call(self, want: Want) -> OffCall | None:
        if not want.aws_id:
            return None
        return OffCall("elasticloadbalancingv2", "deleteLoadBalancer", {"LoadBalancerArn": want.aws_id})

    def find_all(self, client) -> Iterable[Seen]:
        pages = client.get_paginator("describe_load_balancers").paginate(PaginationConfig={"PageSize": 400})
        for page in pages:
            for answer in page["LoadBalancers"]:
                yield _seen(answer, {}, whole=False)

    def meters(self, seen: Seen) -> list[Meter]:
        """Each started hour, and a public address a zone at least, of one that faces the internet. Capacity units (LCU)
        follow its load, which no list shows."""
        if seen.state != RUNNING:
            return []
        kind, sku = HOURS.get(seen.facts["type"], (seen.facts["type"], "hour"))
        hours = Meter("ELB", kind, sku, "Hrs", rounding="hour", label=f"{seen.facts['type']} load balancer")
        return [hours, *public_ipv4.meters_of(int(seen.facts.get("public_ips", 0)))]

    def dimensions(self, signal: Signal, seen: Seen) -> list[dict[str, str]]:
        """CloudWatch names it by the end of its ARN: "app/NAME/ID"."""
        return [{signal.dimension: seen.aws_id.split(":loadbalancer/", 1)[-1]}]


def _seen(answer: Mapping[str, Any], tags: Mapping[str, str], *, whole: bool) -> Seen:
    state = answer["State"]
    zones = answer.get("AvailabilityZones", ())
    # An Elastic IP that it was given in a zone is counted by its own row.
    own = [zone for zone in zones if any(each.get("AllocationId") for each in zone.get("LoadBalancerAddresses", ()))]
    lent = len(zones) - len(own)
    facts = {
        "arn": answer["LoadBalancerArn"],
        "type": answer["Type"],
        "scheme": answer.get("Scheme", ""),
        "vpc": answer.get("VpcId", ""),
        "zones": len(zones),
        "public_ips": lent if answer.get("Scheme") == "internet-facing" else 0,
        "not_accrued": gettext_noop("Load of the load balancer (LCU hours) and data transfer"),
    }
    if STATES[state["Code"]] == FAILED:
        facts["failure"] = state.get("Reason") or "AWS gives no reason"
    return Seen(
        STATES[state["Code"]],
        aws_id=answer["LoadBalancerArn"],
        name=answer["LoadBalancerName"],
        since=utc(answer["CreatedTime"]),
        facts=facts,
        tags=tags,
        mark=mark(state["Code"], len(zones), lent),
        whole=whole,
    )
