"""ECR repositories, with the images in them: deleted together, and billed by what the images weigh."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import code_of, mark, tag_dict, tag_list, utc
from labs.kinds.base import GONE_FROM_AWS, NAME, RUNNING, Kind, Meter, Seen, Want

GB = Decimal(2**30)
IMAGES_LOOKED_AT = 1000  # what DescribeImages gives at once
LARGE = 10**9  # bytes: from here on it is asked whether anything ever goes
NOT_ACCRUED = gettext_noop("Data transfer of container images out of the region")
NOT_ACCRUED_LARGE = gettext_noop("Storage of repositories with more than a thousand images")


class ECRRepository(Kind):
    """params, as wanted: lifecycle (AWS's own policy, {"rules": [...]}), immutable (bool: a tag is used once), scan
    (bool: look into what is pushed)."""

    name, service, identity = "ecr-repository", "ecr", NAME
    title, icon, cost_service, arn_type = "ECR repository", "cloud-computing", "ECR", "ecr:repository"
    lost_on_delete = gettext_noop("The images in it are deleted with it.")

    def create(self, client, want: Want) -> None:
        client.create_repository(
            repositoryName=want.name,
            tags=tag_list(want.tags),
            imageTagMutability="IMMUTABLE" if want.params.get("immutable") else "MUTABLE",
            imageScanningConfiguration={"scanOnPush": bool(want.params.get("scan"))},
        )

    def observe(self, client, want: Want) -> Seen:
        # Our own row needs no tags read back; a stranger's may tell whose it is.
        return _described(client, want.aws_id or want.name, want.tags or None)

    def complete(self, client, glimpsed: Seen, tags: Mapping[str, str] | None = None) -> Seen:
        return _described(client, glimpsed.aws_id, tags)

    def configure(self, client, want: Want, seen: Seen) -> bool:
        wanted = want.params.get("lifecycle")
        if not wanted or _lifecycle(client, seen.aws_id) == wanted:
            return True
        client.put_lifecycle_policy(repositoryName=seen.aws_id, lifecyclePolicyText=json.dumps(wanted))
        return False

    def delete(self, client, want: Want, seen: Seen) -> None:
        client.delete_repository(repositoryName=seen.aws_id, force=True)

    def find_all(self, client) -> Iterable[Seen]:
        for page in client.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": 1000}):
            for repository in page["repositories"]:
                # No tags and no images in the list: a stranger is looked at once.
                yield _seen(repository, {}, {}, whole=False)

    def meters(self, seen: Seen) -> list[Meter]:
        """GB-month of the images. Layers that images share are stored once, and counted here for each: this may be too
        high, and is never too low."""
        size = Decimal(seen.facts.get("bytes", 0))
        if not size:
            return []
        gb = (size / GB).quantize(Decimal("1e-10"))
        return [Meter("ECR", "private-storage", "storage", "GB-Mo", gb, per="month", label="container images")]


def _described(client, name: str, tags: Mapping[str, str] | None) -> Seen:
    try:
        (repository,) = client.describe_repositories(repositoryNames=[name])["repositories"]
        images = _images(client, name)
        if tags is None:
            tags = tag_dict(client.list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"])
    except client.exceptions.ClientError as error:
        if code_of(error) == "RepositoryNotFoundException":
            return GONE_FROM_AWS
        raise
    return _seen(repository, images, tags, whole=True)


def _images(client, name: str) -> dict[str, Any]:
    """{"images": how many, "bytes": what they weigh} when one page shows all, and what is not counted; of a large one
    also {"expires": whether a rule takes old images away}."""
    page = client.describe_images(repositoryName=name, maxResults=IMAGES_LOOKED_AT)
    if page.get("nextToken"):
        return {"not_accrued": NOT_ACCRUED_LARGE}
    sizes = [int(image.get("imageSizeInBytes") or 0) for image in page["imageDetails"]]
    facts: dict[str, Any] = {"images": len(sizes), "bytes": sum(sizes), "not_accrued": NOT_ACCRUED}
    if facts["bytes"] > LARGE:  # nobody asks of a small one, so neither do we
        facts["expires"] = _lifecycle(client, name) is not None
    return facts


def _lifecycle(client, name: str) -> Any:
    try:
        return json.loads(client.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"])
    except client.exceptions.ClientError as error:
        if code_of(error) == "LifecyclePolicyNotFoundException":
            return None
        raise


def _seen(repository: Mapping[str, Any], images: Mapping[str, Any], tags: Mapping[str, str], *, whole: bool) -> Seen:
    return Seen(
        RUNNING,
        aws_id=repository["repositoryName"],
        name=repository["repositoryName"],
        since=utc(repository["createdAt"]),
        facts={"arn": repository["repositoryArn"], "uri": repository["repositoryUri"], **images},
        tags=tags,
        mark=mark(repository["createdAt"], repository["imageTagMutability"]),
        whole=whole,
    )
