"""Lifecycle configurations of SageMaker notebook instances: scripts that run when one is made or started. Free. AWS
keeps one while a notebook instance names it.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any

from labs.kinds.aws_words import mark, tag_list, utc
from labs.kinds.base import RUNNING, Seen, Want
from labs.kinds.sagemaker_named import SageMakerKind, pages_of


class SageMakerLifecycleConfig(SageMakerKind):
    """params: on_create and on_start: shell scripts, at most 5 minutes each; either may be left out."""

    name, title, icon = "sagemaker-lifecycle-config", "SageMaker lifecycle configuration", "terminal-2"
    arn_type = "sagemaker:notebook-instance-lifecycle-config"
    arn_member = "NotebookInstanceLifecycleConfigArn"
    is_free, goes_after = True, ("sagemaker-notebook",)

    def create(self, client, want: Want) -> None:
        scripts = {"OnCreate": want.params.get("on_create"), "OnStart": want.params.get("on_start")}
        client.create_notebook_instance_lifecycle_config(
            NotebookInstanceLifecycleConfigName=want.name,
            Tags=tag_list(want.tags),
            **{when: [{"Content": b64encode(script.encode()).decode()}] for when, script in scripts.items() if script},
        )

    def delete(self, client, want: Want, seen: Seen) -> None:
        client.delete_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=seen.aws_id)

    def describe(self, client, name: str) -> Mapping[str, Any]:
        return client.describe_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=name)

    def listed(self, client) -> Iterable[Mapping[str, Any]]:
        return pages_of(client, "list_notebook_instance_lifecycle_configs", "NotebookInstanceLifecycleConfigs")

    def seen(self, client, answer: Mapping[str, Any], tags: Mapping[str, str]) -> Seen:
        return _seen(answer, tags, whole=True)

    def glimpsed(self, answer: Mapping[str, Any]) -> Seen:
        return _seen(answer, {}, whole=False)


def _seen(answer: Mapping[str, Any], tags: Mapping[str, str], *, whole: bool) -> Seen:
    return Seen(
        RUNNING,
        aws_id=answer["NotebookInstanceLifecycleConfigName"],
        name=answer["NotebookInstanceLifecycleConfigName"],
        since=utc(answer["CreationTime"]),
        facts={"arn": answer["NotebookInstanceLifecycleConfigArn"]},
        tags=tags,
        mark=mark(answer["LastModifiedTime"]),
        whole=whole,
    )
