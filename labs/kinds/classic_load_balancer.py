"""Classic load balancers, of the generation before (load_balancer.py). Each started hour costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds import public_ipv4
from labs.kinds.aws_words import code_of, mark, tag_dict, utc
from labs.kinds.base import GONE_FROM_AWS, NAME, RUNNING, Kind, Meter, OffCall, Seen, Signal, Want
from labs.kinds.load_balancer import LoadBalancer


class ClassicLoadBalancer(Kind):
    name, service, identity = "classic-load-balancer", "elb", NAME
    title, icon, cost_service, arn_type = "Classic load balancer", "server-2", "ELB", LoadBalancer.arn_type
    can_create = False
    stop_means = "delete"
    signals = (Signal("AWS/ELB", "RequestCount", "LoadBalancerName"),)
    kept_on_stop, lost_on_delete = LoadBalancer.kept_on_stop, LoadBalancer.lost_on_delete

    def observe(self, client, want: Want) -> Seen:
        name = want.aws_id or want.name
        try:
            found = client.describe_load_balancers(LoadBalancerNames=[name])["LoadBalancerDescriptions"]
            tags = client.describe_tags(LoadBalancerNames=[name])["TagDescriptions"] if found else ()
        except client.exceptions.ClientError as error:
            if code_of(error) == "LoadBalancerNotFound":
                return GONE_FROM_AWS
            raise
        return _seen(found[0], tag_dict(tags[0]["Tags"]) if tags else {}, whole=True) if found else GONE_FROM_AWS

    def delete(self, client, want: Want, seen: Seen) -> None:
        client.delete_load_balancer(LoadBalancerName=seen.aws_id)

    def off_call(self, want: Want) -> OffCall | None:
        if not want.aws_id:
            return None
        return OffCall("elasticloadbalancing", "deleteLoadBalancer", {"LoadBalancerName": want.aws_id})

    def find_all(self, client) -> Iterable[Seen]:
        pages = client.get_paginator("describe_load_balancers").paginate(PaginationConfig={"PageSize": 400})
        for page in pages:
            for answer in page["LoadBalancerDescriptions"]:
                yield _seen(answer, {}, whole=False)

    def meters(self, seen: Seen) -> list[Meter]:
        """Each started hour, and its public addresses. What goes through it is billed by the GB, and shown nowhere."""
        if seen.state != RUNNING:
            return []
        hours = Meter("ELB", "clb", "CLB-hour", "Hrs", rounding="hour", label="classic load balancer")
        return [hours, *public_ipv4.meters_of(int(seen.facts.get("public_ips", 0)))]


def _seen(answer: Mapping[str, Any], tags: Mapping[str, str], *, whole: bool) -> Seen:
    zones = answer.get("AvailabilityZones", ())
    return Seen(
        RUNNING,
        aws_id=answer["LoadBalancerName"],
        name=answer["LoadBalancerName"],
        since=utc(answer["CreatedTime"]),
        facts={
            "scheme": answer.get("Scheme", ""),
            "vpc": answer.get("VPCId", ""),
            "zones": len(zones),
            "public_ips": len(zones) if answer.get("Scheme") == "internet-facing" else 0,
            "instances": sorted(each["InstanceId"] for each in answer.get("Instances", ())),
            "not_accrued": gettext_noop("Data through the load balancer"),
        },
        tags=tags,
        mark=mark(len(zones), *sorted(each["InstanceId"] for each in answer.get("Instances", ()))),
        whole=whole,
    )
