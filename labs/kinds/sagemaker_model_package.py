"""Models in the SageMaker registry: versions of a group, and packages by themselves. Free; a student, a pipeline or a
job registers them. A version has no name and no tags: its ARN names it, and its group's tags are its tags.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import mark, utc
from labs.kinds.base import DELETING, FAILED, PENDING, RUNNING, Seen, Want
from labs.kinds.sagemaker_named import SageMakerKind, pages_of

STATES = {
    "Pending": PENDING,
    "InProgress": PENDING,
    "Completed": RUNNING,
    "Failed": FAILED,
    "Deleting": DELETING,
}


class SageMakerModelPackage(SageMakerKind):
    name, title, icon = "sagemaker-model-package", "SageMaker model version", "archive"
    arn_type, arn_member = "sagemaker:model-package", "ModelPackageArn"
    can_create = False
    is_free = True
    id_is_arn = True
    lost_on_delete = gettext_noop("The model's files stay in their bucket.")

    def tags_of_all(self, client_of: Callable[[str], Any]) -> dict[str, dict[str, str]] | None:
        return None  # the tagging API knows the group: each version is asked itself

    def delete(self, client, want: Want, seen: Seen) -> None:
        if seen.state != DELETING:
            client.delete_model_package(ModelPackageName=seen.aws_id)

    def describe(self, client, name: str) -> Mapping[str, Any]:
        return client.describe_model_package(ModelPackageName=name)

    def listed(self, client) -> Iterable[Mapping[str, Any]]:
        # Without a type AWS lists only what is in no group.
        return pages_of(client, "list_model_packages", "ModelPackageSummaryList", ModelPackageType="Both")

    def seen(self, client, answer: Mapping[str, Any], tags: Mapping[str, str]) -> Seen:
        return _seen(answer, tags, whole=True)

    def glimpsed(self, answer: Mapping[str, Any]) -> Seen:
        return _seen(answer, {}, whole=False)


def _seen(answer: Mapping[str, Any], tags: Mapping[str, str], *, whole: bool) -> Seen:
    arn, status = answer["ModelPackageArn"], answer["ModelPackageStatus"]
    return Seen(
        STATES[status],
        aws_id=arn,
        name=arn.partition(":model-package/")[2],
        since=utc(answer["CreationTime"]),
        facts={
            "arn": arn,
            "group": answer.get("ModelPackageGroupName", ""),
            "approval": answer.get("ModelApprovalStatus", ""),
        },
        tags=tags,
        mark=mark(status, answer.get("ModelApprovalStatus", ""), answer["CreationTime"]),
        whole=whole,
    )
