"""CloudTrail trails. AWS shows a trail for all regions in each of them; here it is listed where it was made only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import mark, tag_dict, tag_list
from labs.kinds.base import GONE_FROM_AWS, NAME, RUNNING, Kind, Seen, Want


class CloudTrailTrail(Kind):
    """params: bucket (its name; its policy must let CloudTrail write), and as wanted all_regions (bool)."""

    name, service, identity = "cloudtrail-trail", "cloudtrail", NAME
    title, icon, cost_service, arn_type = "CloudTrail trail", "history", "CloudTrail", "cloudtrail:trail"
    is_free = True
    lost_on_delete = gettext_noop(
        "Nothing is recorded from then on. What it wrote stays in its bucket, and costs there."
    )

    def create(self, client, want: Want) -> None:
        client.create_trail(
            Name=want.name,
            S3BucketName=want.params["bucket"],
            IsMultiRegionTrail=bool(want.params.get("all_regions")),
            TagsList=tag_list(want.tags),
        )

    def observe(self, client, want: Want) -> Seen:
        # DescribeTrails is silent about a trail that is not there; asked by name it shows another region's as well.
        found = [trail for trail in _at_home(client) if trail["Name"] == (want.aws_id or want.name)]
        if not found:
            return GONE_FROM_AWS
        # Our own row needs no tags read back; a stranger's may tell whose it is.
        return _seen(found[0], want.tags or _tags(client, found)[found[0]["TrailARN"]])

    def configure(self, client, want: Want, seen: Seen) -> bool:
        """A trail that was just made records nothing yet."""
        if client.get_trail_status(Name=seen.aws_id)["IsLogging"]:
            return True
        client.start_logging(Name=seen.aws_id)
        return False

    def delete(self, client, want: Want, seen: Seen) -> None:
        client.delete_trail(Name=seen.aws_id)

    def find_all(self, client) -> Iterable[Seen]:
        # Five trails a region at most, by CloudTrail's own limit: the tags of all are one call more.
        trails = _at_home(client)
        tags = _tags(client, trails)
        return [_seen(trail, tags[trail["TrailARN"]]) for trail in trails]


def _at_home(client) -> list[Mapping[str, Any]]:
    trails = client.describe_trails(includeShadowTrails=False)["trailList"]
    return [trail for trail in trails if trail.get("HomeRegion") == client.meta.region_name]


def _tags(client, trails: list[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """{ARN: tags} of these trails."""
    tags: dict[str, dict[str, str]] = {trail["TrailARN"]: {} for trail in trails}
    if tags:
        for page in client.get_paginator("list_tags").paginate(ResourceIdList=list(tags)):
            tags |= {each["ResourceId"]: tag_dict(each.get("TagsList")) for each in page["ResourceTagList"]}
    return tags


def _seen(trail: Mapping[str, Any], tags: Mapping[str, str]) -> Seen:
    return Seen(
        RUNNING,
        aws_id=trail["Name"],
        name=trail["Name"],
        facts={
            "arn": trail["TrailARN"],
            "bucket": trail.get("S3BucketName", ""),
            "all_regions": bool(trail.get("IsMultiRegionTrail")),
            "of_the_organization": bool(trail.get("IsOrganizationTrail")),
            "not_accrued": gettext_noop(
                "Events of a second trail, data events, and what the trail stores in its bucket"
            ),
        },
        tags=tags,
        mark=mark(trail.get("S3BucketName", ""), bool(trail.get("IsMultiRegionTrail"))),
    )
