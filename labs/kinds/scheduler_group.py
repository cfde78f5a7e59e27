"""Groups of EventBridge Scheduler: what bears the tags of the schedules in it, which have none. Free."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import mark, tag_dict, tag_list, utc
from labs.kinds.base import DELETING, GONE_FROM_AWS, RUNNING, Seen, Want
from labs.kinds.found_by_name import FoundByName

# Where the portal keeps the schedules of its dead-man's switch: they outlive the labs that they end, and are no lab's.
SWITCH_GROUP = "lightsout-switch"
AWS_OWN = "default"


class SchedulerGroup(FoundByName):
    name, service = "scheduler-group", "scheduler"
    title, icon, cost_service, arn_type = "Schedule group", "folder", "EventBridge", "scheduler:schedule-group"
    is_free = True
    lost_on_delete = gettext_noop("Every schedule in it is deleted with it.")

    def create(self, client, want: Want) -> None:
        client.create_schedule_group(Name=want.name, Tags=tag_list(want.tags), ClientToken=want.token)

    def described(self, client, aws_id: str, tags: Mapping[str, str] | None) -> Seen:
        try:
            group = client.get_schedule_group(Name=aws_id)
            if tags is None:
                tags = tag_dict(client.list_tags_for_resource(ResourceArn=group["Arn"])["Tags"])
        except client.exceptions.ResourceNotFoundException:
            return GONE_FROM_AWS
        return _seen(group, tags, whole=True)

    def delete(self, client, want: Want, seen: Seen) -> None:
        client.delete_schedule_group(Name=seen.aws_id)

    def find_all(self, client) -> Iterable[Seen]:
        for page in client.get_paginator("list_schedule_groups").paginate(PaginationConfig={"PageSize": 100}):
            for group in page["ScheduleGroups"]:
                if group["Name"] not in (AWS_OWN, SWITCH_GROUP):
                    yield _seen(group, {}, whole=False)  # tags are not in the list


def tags_of_group(client, name: str) -> dict[str, str]:
    """Its tags; {} for the default group, which can have none of a lab's."""
    if name == AWS_OWN:
        return {}
    arn = client.get_schedule_group(Name=name)["Arn"]
    return tag_dict(client.list_tags_for_resource(ResourceArn=arn)["Tags"])


def _seen(group: Mapping[str, Any], tags: Mapping[str, str], *, whole: bool) -> Seen:
    changed = group.get("LastModificationDate") or group.get("CreationDate")
    return Seen(
        DELETING if group["State"] == "DELETING" else RUNNING,
        aws_id=group["Name"],
        name=group["Name"],
        since=utc(group.get("CreationDate")),
        facts={"arn": group["Arn"]},
        tags=tags,
        mark=mark(group["State"], changed),
        whole=whole,
    )
