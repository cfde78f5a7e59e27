"""AWS's words and ours: tags, error codes, marks. What every kind has to translate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """{"a": "b"} as AWS takes it: [{"Key": "a", "Value": "b"}]."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tag_dict(listed: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    """AWS's list of tags as a dict; {} for none."""
    return {tag["Key"]: tag.get("Value", "") for tag in listed or ()}


def lower_tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """As `tag_list`, for the services that write key and value in lower case: Step Functions, CodePipeline."""
    return [{"key": key, "value": value} for key, value in tags.items()]


def lower_tag_dict(listed: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    """As `tag_dict`, for the same services."""
    return {tag["key"]: tag.get("value", "") for tag in listed or ()}


def tags_by_arn(client: Any, arn_type: str) -> dict[str, dict[str, str]]:
    """{ARN: tags} of what is tagged in the client's region, by the tagging API. arn_type: "s3", "sagemaker:model"."""
    pages = client.get_paginator("get_resources").paginate(
        ResourceTypeFilters=[arn_type], PaginationConfig={"PageSize": 100}
    )
    return {one["ResourceARN"]: tag_dict(one["Tags"]) for page in pages for one in page["ResourceTagMappingList"]}


def tag_specifications(tags: Mapping[str, str], *types: str) -> list[dict[str, Any]]:
    """EC2's TagSpecifications: the same tags on everything that one create call makes."""
    return [{"ResourceType": each, "Tags": tag_list(tags)} for each in types]


def code_of(error: Any) -> str:
    """The error code of a ClientError, '' when it has none."""
    return str(error.response.get("Error", {}).get("Code") or "")


def message_of(error: Any) -> str:
    """The message of a ClientError. AWS may leave it out altogether."""
    return str(error.response.get("Error", {}).get("Message") or "")


def utc(instant: datetime | None) -> datetime | None:
    """AWS's instant (aware, in any zone) in UTC."""
    return instant.astimezone(UTC) if instant is not None else None


def mark(*parts: Any) -> str:
    """What a list call shows of a modification, at most 80 characters; instants to the second, in UTC.

    observe() and find_all() must come to the same mark for the same thing, or the census describes it every time.
    """
    said = (
        part.astimezone(UTC).strftime("%Y%m%dT%H%M%S") if isinstance(part, datetime) else str(part) for part in parts
    )
    return " ".join(said)[:80]
