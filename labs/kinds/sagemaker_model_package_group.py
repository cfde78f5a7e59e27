"""Groups of the SageMaker model registry. Free. AWS keeps one that has versions in it: they are deleted first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import mark, tag_list, utc
from labs.kinds.base import DELETING, FAILED, PENDING, RUNNING, Seen, Want
from labs.kinds.sagemaker_named import SageMakerKind, pages_of

STATES = {
    "Pending": PENDING,
    "InProgress": PENDING,
    "Completed": RUNNING,
    "Failed": FAILED,
    "Deleting": DELETING,
    "DeleteFailed": FAILED,
}
DELETES_A_CALL = 10


class SageMakerModelPackageGroup(SageMakerKind):
    """params: description."""

    name, title, icon = "sagemaker-model-package-group", "SageMaker model group", "archive"
    arn_type, arn_member = "sagemaker:model-package-group", "ModelPackageGroupArn"
    is_free, goes_after = True, ("sagemaker-model-package",)
    lost_on_delete = gettext_noop("The model versions in it are deleted with it; their files stay in their bucket.")

    def create(self, client, want: Want) -> None:
        client.create_model_package_group(
            ModelPackageGroupName=want.name,
            ModelPackageGroupDescription=str(want.params.get("description") or "Made for a lab")[:1024],
            Tags=tag_list(want.tags),
        )

    def delete(self, client, want: Want, seen: Seen) -> None:
        if seen.state == DELETING:
            return
        versions = pages_of(client, "list_model_packages", "ModelPackageSummaryList", ModelPackageGroupName=seen.aws_id)
        some = list(islice(versions, DELETES_A_CALL))
        for version in some:
            client.delete_model_package(ModelPackageName=version["ModelPackageArn"])
        if len(some) < DELETES_A_CALL:
            client.delete_model_package_group(ModelPackageGroupName=seen.aws_id)

    def describe(self, client, name: str) -> Mapping[str, Any]:
        return client.describe_model_package_group(ModelPackageGroupName=name)

    def listed(self, client) -> Iterable[Mapping[str, Any]]:
        return pages_of(client, "list_model_package_groups", "ModelPackageGroupSummaryList")

    def seen(self, client, answer: Mapping[str, Any], tags: Mapping[str, str]) -> Seen:
        return _seen(answer, tags, whole=True)

    def glimpsed(self, answer: Mapping[str, Any]) -> Seen:
        return _seen(answer, {}, whole=False)


def _seen(answer: Mapping[str, Any], tags: Mapping[str, str], *, whole: bool) -> Seen:
    status = answer["ModelPackageGroupStatus"]
    return Seen(
        STATES[status],
        aws_id=answer["ModelPackageGroupName"],
        name=answer["ModelPackageGroupName"],
        since=utc(answer["CreationTime"]),
        facts={"arn": answer["ModelPackageGroupArn"]},
        tags=tags,
        mark=mark(status, answer["CreationTime"]),
        whole=whole,
    )
