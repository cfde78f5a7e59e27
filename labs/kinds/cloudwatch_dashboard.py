"""CloudWatch dashboards. They are the account's, in no region, and cost by the month from an account's fourth on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import mark, tag_dict, tag_list, utc
from labs.kinds.base import ABSENT, GONE_FROM_AWS, RUNNING, Meter, Seen, Want
from labs.kinds.found_by_name import FoundByName

# Where AWS bills what is in no region.
BILLED_IN = "us-east-1"
# How many an account has is not known to a meter: what is said is what the fourth costs.
LABEL = "dashboard (AWS gives the first three of an account free)"


class CloudWatchDashboard(FoundByName):
    """params: body (the dashboard's widgets, as a dict)."""

    name, service = "cloudwatch-dashboard", "cloudwatch"
    title, icon, cost_service = "CloudWatch dashboard", "chart-area-line", "CloudWatch"
    arn_type = "cloudwatch:dashboard"
    is_global = True
    lost_on_delete = gettext_noop("Its layout is deleted; the metrics that it showed stay.")

    def create(self, client, want: Want) -> None:
        """PutDashboard writes over one of that name without a word; it is looked for first."""
        body = json.dumps(want.params["body"], sort_keys=True)
        client.put_dashboard(DashboardName=want.name, DashboardBody=body, Tags=tag_list(want.tags))

    def described(self, client, aws_id: str, tags: Mapping[str, str] | None) -> Seen:
        """By the list of its prefix: GetDashboard does not tell when it was changed."""
        found = next((each for each in _listed(client, aws_id) if each["DashboardName"] == aws_id), None)
        if found is None:
            return GONE_FROM_AWS
        if tags is None:
            tags = tag_dict(client.list_tags_for_resource(ResourceARN=found["DashboardArn"])["Tags"])
        return replace(_seen(found), tags=tags)

    def delete(self, client, want: Want, seen: Seen) -> None:
        client.delete_dashboards(DashboardNames=[seen.aws_id])

    def find_all(self, client) -> Iterable[Seen]:
        for dashboard in _listed(client):
            yield replace(_seen(dashboard), whole=False)  # tags are not in the list

    def meters(self, seen: Seen) -> list[Meter]:
        if seen.state == ABSENT:
            return []
        return [Meter("CloudWatch", "dashboards", "dashboard", "dashboard-Mo", per="month", label=LABEL)]


def _listed(client, prefix: str = "") -> Iterable[Mapping[str, Any]]:
    asked = {"DashboardNamePrefix": prefix} if prefix else {}
    for page in client.get_paginator("list_dashboards").paginate(**asked):
        yield from page["DashboardEntries"]


def _seen(dashboard: Mapping[str, Any]) -> Seen:
    return Seen(
        RUNNING,
        aws_id=dashboard["DashboardName"],
        name=dashboard["DashboardName"],
        since=utc(dashboard["LastModified"]),
        facts={"arn": dashboard["DashboardArn"], "region": BILLED_IN},
        mark=mark(dashboard["LastModified"]),
    )
