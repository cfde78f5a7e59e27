"""AWS's words and ours: tags, error codes, marks. What every kind has to translate."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from labs.kinds.base import TAG_LAUNCH, TAG_OWNER, TAG_RESOURCE

# What the names of all that labs make begin with (ledger.name_for).
LAB_NAMES = "lab-"
_WRITTEN = re.compile(r"lightsout\.([0-9a-f]{32})\.([0-9a-f]{32})\.([0-9]*)")


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


def written(tags: Mapping[str, str]) -> str:
    """Our tags as one word of [a-z0-9.], for a description or an id: for what AWS lets nobody tag when it is made."""
    return f"lightsout.{tags.get(TAG_RESOURCE, '')}.{tags.get(TAG_LAUNCH, '')}.{tags.get(TAG_OWNER, '')}"


def read_back(text: str | None) -> dict[str, str]:
    """The tags that are written somewhere in the text; {} where there are none."""
    found = _WRITTEN.search(text or "")
    return dict(zip((TAG_RESOURCE, TAG_LAUNCH, TAG_OWNER), found.groups(), strict=True)) if found else {}


def tag_specifications(tags: Mapping[str, str], *types: str) -> list[dict[str, Any]]:
    """EC2's TagSpecifications: the same tags on everything that one create call makes."""
    return [{"ResourceType": each, "Tags": tag_list(tags)} for each in types]


def code_of(error: Any) -> str:
    """The error code of a ClientError, '' when it has none."""
    return str(error.response.get("Error", {}).get("Code") or "")


def message_of(error: Any) -> str:
    """The message of a ClientError. AWS may leave it out altogether."""
    return str(error.response.get("Error", {}).get("Message") or "")


def is_at_aws(client: Any) -> bool:
    """Whether the client talks to AWS itself, and not to the simulator of practice mode."""
    return str(urlsplit(str(client.meta.endpoint_url)).hostname).endswith(".amazonaws.com")


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
