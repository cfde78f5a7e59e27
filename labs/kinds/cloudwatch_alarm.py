"""CloudWatch alarms, on metrics and on other alarms (composite): each costs by the month, whether it rings or not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import mark, tag_dict, tag_list, tags_by_arn, utc
from labs.kinds.base import ABSENT, GONE_FROM_AWS, RUNNING, Meter, Seen, Want
from labs.kinds.found_by_name import FoundByName

# Left out, AWS tells of metric alarms only.
ALL_TYPES = ["MetricAlarm", "CompositeAlarm"]
NEVER = "FALSE"
# An alarm that is looked at more often than this is "high resolution", and costs three times as much.
QUICK_SECONDS = 60


class CloudWatchAlarm(FoundByName):
    """params: metric (PutMetricAlarm's own members, without name and tags), or rule (of a composite alarm: "ALARM(a) OR
    ALARM(b)") and as wanted actions ([ARN])."""

    name, service = "cloudwatch-alarm", "cloudwatch"
    title, icon, cost_service, arn_type = "CloudWatch alarm", "bell-ringing", "CloudWatch", "cloudwatch:alarm"
    lost_on_delete = gettext_noop("Its history goes with it.")

    def create(self, client, want: Want) -> None:
        """Both calls write over an alarm of that name without a word; it is looked for first."""
        named = {"AlarmName": want.name, "Tags": tag_list(want.tags)}
        if want.params.get("rule"):
            actions = list(want.params.get("actions", ()))
            client.put_composite_alarm(**named, AlarmRule=want.params["rule"], AlarmActions=actions)
        else:
            client.put_metric_alarm(**named, **want.params["metric"])

    def described(self, client, aws_id: str, tags: Mapping[str, str] | None) -> Seen:
        found = _alarms(client.describe_alarms(AlarmNames=[aws_id], AlarmTypes=ALL_TYPES))
        if not found:
            return GONE_FROM_AWS
        seen = _seen(found[0])
        if tags is None:
            tags = tag_dict(client.list_tags_for_resource(ResourceARN=seen.facts["arn"])["Tags"])
        return replace(seen, tags=tags)

    def tags_of_all(self, client_of: Callable[[str], Any]) -> dict[str, dict[str, str]]:
        return tags_by_arn(client_of("resourcegroupstaggingapi"), self.arn_type)

    def delete(self, client, want: Want, seen: Seen) -> None:
        """AWS keeps an alarm on which a composite one depends, and two that depend on each other for ever: a composite
        alarm lets go of all others first, and is deleted by the next call."""
        if seen.facts["rule"] not in ("", NEVER):
            client.put_composite_alarm(AlarmName=seen.aws_id, AlarmRule=NEVER, ActionsEnabled=False)
        else:
            client.delete_alarms(AlarmNames=[seen.aws_id])

    def find_all(self, client) -> Iterable[Seen]:
        pages = client.get_paginator("describe_alarms").paginate(
            AlarmTypes=ALL_TYPES, PaginationConfig={"PageSize": 100}
        )
        for page in pages:
            for alarm in _alarms(page):
                yield replace(_seen(alarm), whole=False)  # tags are not in the list

    def meters(self, seen: Seen) -> list[Meter]:
        """By the month: each metric that it looks at, or the composite alarm as one (CloudWatch pricing)."""
        facts = seen.facts
        if seen.state == ABSENT:
            return []
        if facts["rule"]:
            return [Meter("CloudWatch", "alarms", "composite", "alarm-Mo", per="month", label="composite alarm")]
        metrics = Decimal(facts["metrics"])
        sku = "high-resolution" if facts["is_quick"] else "standard"
        label = "alarm" if metrics == 1 else f"alarm on {metrics} metrics"
        return [Meter("CloudWatch", "alarms", sku, "alarm-metric-Mo", metrics, per="month", label=label)]

    def would_be(self, want: Want) -> Seen:
        facts = _facts(want.params.get("metric") or {"AlarmRule": want.params["rule"]})
        return Seen(RUNNING, name=want.name, facts=facts)


def _alarms(page: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ())]


def _facts(alarm: Mapping[str, Any]) -> dict[str, Any]:
    """What it costs by, of an alarm as it is asked for and as it is told of."""
    looked_at = [each["MetricStat"] for each in alarm.get("Metrics", ()) if each.get("MetricStat")]
    periods = [each["Period"] for each in looked_at] or [alarm.get("Period") or QUICK_SECONDS]
    return {
        "rule": alarm.get("AlarmRule", ""),
        "metrics": max(1, len(looked_at)),
        "is_quick": min(periods) < QUICK_SECONDS,
    }


def _seen(alarm: Mapping[str, Any]) -> Seen:
    """Whether it rings is no fact of it: that changes by the minute."""
    changed = alarm["AlarmConfigurationUpdatedTimestamp"]
    return Seen(
        RUNNING,
        aws_id=alarm["AlarmName"],
        name=alarm["AlarmName"],
        since=utc(changed),
        facts={"arn": alarm["AlarmArn"], **_facts(alarm)},
        mark=mark(changed),
    )
