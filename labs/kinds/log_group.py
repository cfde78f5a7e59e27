"""CloudWatch log groups. A service that still writes makes its group anew: so one goes last, after all that write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import mark, tags_by_arn
from labs.kinds.base import ABSENT, GONE_FROM_AWS, RUNNING, Meter, Seen, Want
from labs.kinds.found_by_name import FoundByName

DAYS = 7  # a lab's logs are read in the lab
MIB, GIB = 2**20, 2**30
NOT_ACCRUED = gettext_noop("Data that is written to log groups")


class LogGroup(FoundByName):
    """params: days (how long a line is kept; 7)."""

    name, service = "log-group", "logs"
    title, icon, cost_service, arn_type = "Log group", "file-text", "CloudWatch", "logs:log-group"
    # Kinds that write logs; a new one that does joins here.
    goes_after = (
        "api-gateway-http",
        "api-gateway-rest",
        "lambda-function",
        "sagemaker-endpoint",
        "sagemaker-notebook",
        "sagemaker-processing-job",
        "sagemaker-training-job",
        "sagemaker-transform-job",
        "step-functions-state-machine",
    )
    lost_on_delete = gettext_noop("Every line in it is deleted with it.")

    def create(self, client, want: Want) -> None:
        client.create_log_group(logGroupName=want.name, tags=dict(want.tags))

    def described(self, client, aws_id: str, tags: Mapping[str, str] | None) -> Seen:
        """By the list of its prefix: AWS has no call for one alone. The first of a sorted list is the aws_id itself."""
        groups = client.describe_log_groups(logGroupNamePrefix=aws_id)["logGroups"]
        found = next((group for group in groups if group["logGroupName"] == aws_id), None)
        if found is None:
            return GONE_FROM_AWS
        seen = _seen(found)
        if tags is None:
            tags = client.list_tags_for_resource(resourceArn=seen.facts["arn"])["tags"]
        return replace(seen, tags=tags)

    def tags_of_all(self, client_of: Callable[[str], Any]) -> dict[str, dict[str, str]]:
        return tags_by_arn(client_of("resourcegroupstaggingapi"), self.arn_type)

    def configure(self, client, want: Want, seen: Seen) -> bool:
        """CreateLogGroup takes no retention, and AWS's own is for ever."""
        days = int(want.params.get("days", DAYS))
        if seen.facts["days"] == days:
            return True
        client.put_retention_policy(logGroupName=seen.aws_id, retentionInDays=days)
        return False

    def delete(self, client, want: Want, seen: Seen) -> None:
        if seen.facts.get("is_protected"):
            client.put_log_group_deletion_protection(logGroupIdentifier=seen.aws_id, deletionProtectionEnabled=False)
        client.delete_log_group(logGroupName=seen.aws_id)

    def find_all(self, client) -> Iterable[Seen]:
        for page in client.get_paginator("describe_log_groups").paginate(PaginationConfig={"PageSize": 50}):
            for group in page["logGroups"]:
                yield replace(_seen(group), whole=False)  # tags are not in the list

    def meters(self, seen: Seen) -> list[Meter]:
        """What lies in it, by GB-month; what is written, 0.50 USD a GB and more, cannot be seen live."""
        mib = int(seen.facts.get("mib") or 0)
        if seen.state == ABSENT or not mib:
            return []
        gb = Decimal(mib * MIB) / GIB
        return [Meter("CloudWatch", "logs", "storage", "GB-Mo", gb, per="month", label=f"logs {mib} MB")]

    def would_be(self, want: Want) -> Seen:
        return Seen(RUNNING, name=want.name, facts={"mib": 0})  # nothing is in it yet


def _seen(group: Mapping[str, Any]) -> Seen:
    name, days = group["logGroupName"], group.get("retentionInDays", 0)
    # By the megabyte, rounded up: a fact that changed with every line would begin a span with every line.
    mib = -(-int(group.get("storedBytes", 0)) // MIB)
    return Seen(
        RUNNING,
        aws_id=name,
        name=name,
        facts={
            # Tags are asked for by the ARN without the star.
            "arn": group.get("logGroupArn") or group["arn"].removesuffix(":*"),
            "days": days,
            "mib": mib,
            "is_protected": bool(group.get("deletionProtectionEnabled")),
            "not_accrued": NOT_ACCRUED,
        },
        mark=mark(days, mib),
    )
