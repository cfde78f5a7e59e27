"""Schedules of EventBridge Scheduler: one call at a time, or ever again. Free; what they start is not.

A schedule has no tags: it bears the lab's name, and its group bears the tags.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import mark, utc
from labs.kinds.base import GONE_FROM_AWS, RUNNING, STOPPED, OffCall, Seen, Want
from labs.kinds.found_by_name import FoundByName
from labs.kinds.scheduler_group import AWS_OWN, SWITCH_GROUP, tags_of_group

# What GetSchedule tells and UpdateSchedule takes; what is left out of an update is reset.
KEPT = (
    "Name",
    "GroupName",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "StartDate",
    "EndDate",
    "Description",
    "KmsKeyArn",
    "Target",
    "FlexibleTimeWindow",
    "ActionAfterCompletion",
)


class SchedulerSchedule(FoundByName):
    """params: schedule (at(...), rate(...) or cron(...)), target (an ARN, or a universal target), role_arn, and as
    wanted: zone ("UTC"), group ("default"), input (a dict). One that has fired for the last time deletes itself."""

    name, service = "scheduler-schedule", "scheduler"
    title, icon, cost_service, arn_type = "Schedule", "calendar-time", "EventBridge", "scheduler:schedule"
    is_free, can_stop = True, True
    kept_on_stop = gettext_noop("A disabled schedule keeps its time and its target, and starts nothing.")
    lost_on_delete = gettext_noop("What it started goes on.")

    def create(self, client, want: Want) -> None:
        params = want.params
        client.create_schedule(
            Name=want.name,
            GroupName=params.get("group", AWS_OWN),
            ScheduleExpression=params["schedule"],
            ScheduleExpressionTimezone=params.get("zone", "UTC"),
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={
                "Arn": params["target"],
                "RoleArn": params["role_arn"],
                "Input": json.dumps(params.get("input", {}), sort_keys=True),
            },
            ActionAfterCompletion="DELETE",
            Description="Made for a lab",
            ClientToken=want.token,
        )

    def id_of(self, want: Want) -> str:
        return want.aws_id or f"{want.params.get('group', AWS_OWN)}/{want.name}"

    def described(self, client, aws_id: str, tags: Mapping[str, str] | None) -> Seen:
        place = _place(aws_id)
        try:
            schedule = client.get_schedule(**place)
            return _seen(schedule, tags_of_group(client, place["GroupName"]) if tags is None else tags, whole=True)
        except client.exceptions.ResourceNotFoundException:
            return GONE_FROM_AWS

    def start(self, client, want: Want, seen: Seen) -> None:
        _put_state(client, seen, "ENABLED")

    def stop(self, client, want: Want, seen: Seen) -> None:
        _put_state(client, seen, "DISABLED")

    def delete(self, client, want: Want, seen: Seen) -> None:
        client.delete_schedule(**_place(seen.aws_id))

    def off_call(self, want: Want) -> OffCall:
        # It would start again what the switch has stopped. Deleted, since AWS has no call that only disables one.
        return OffCall("scheduler", "deleteSchedule", _place(self.id_of(want)))

    def find_all(self, client) -> Iterable[Seen]:
        """Those of the dead-man's switch are left out: they are the portal's own, and end with what they switch off."""
        for page in client.get_paginator("list_schedules").paginate(PaginationConfig={"PageSize": 100}):
            for schedule in page["Schedules"]:
                if schedule["GroupName"] != SWITCH_GROUP:
                    yield _seen(schedule, {}, whole=False)  # neither its time nor its group's tags are in the list


def _place(aws_id: str) -> dict[str, str]:
    """As the calls take it: a schedule's name is its own within its group only."""
    group, _, name = aws_id.partition("/")
    return {"Name": name, "GroupName": group}


def _put_state(client, seen: Seen, state: str) -> None:
    kept = client.get_schedule(**_place(seen.aws_id))
    client.update_schedule(**{member: kept[member] for member in KEPT if kept.get(member)}, State=state)


def _seen(schedule: Mapping[str, Any], tags: Mapping[str, str], *, whole: bool) -> Seen:
    facts = {"arn": schedule["Arn"], "group": schedule["GroupName"], "target": schedule["Target"]["Arn"]}
    if whole:
        facts |= {"schedule": schedule["ScheduleExpression"], "zone": schedule.get("ScheduleExpressionTimezone", "UTC")}
    return Seen(
        STOPPED if schedule["State"] == "DISABLED" else RUNNING,
        aws_id=f"{schedule['GroupName']}/{schedule['Name']}",
        name=schedule["Name"],
        since=utc(schedule["LastModificationDate"]),
        facts=facts,
        tags=tags,
        mark=mark(schedule["State"], schedule["LastModificationDate"]),
        whole=whole,
    )
