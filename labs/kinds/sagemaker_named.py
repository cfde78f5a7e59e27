"""What the SageMaker kinds have in common: all are found by name, and answer alike when there is none of that name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from labs.aws import NotThere, sorted_trouble
from labs.kinds.aws_words import tag_dict, tags_by_arn
from labs.kinds.base import GONE_FROM_AWS, NAME, Kind, Seen, Want


class SageMakerKind(Kind):
    """A SageMaker kind says how one is described and listed (`describe`, `listed`) and how an answer reads (`seen`)."""

    service, identity, cost_service = "sagemaker", NAME, "SageMaker"
    arn_member = ""  # "NotebookInstanceArn": where its answers hold the ARN

    def describe(self, client, name: str) -> Mapping[str, Any]:
        raise TypeError(f"{self.name} does not say how it is described")

    def listed(self, client) -> Iterable[Mapping[str, Any]]:
        raise TypeError(f"{self.name} does not say how it is listed")

    def seen(self, client, answer: Mapping[str, Any], tags: Mapping[str, str]) -> Seen:
        """One whole answer of `describe`."""
        raise TypeError(f"{self.name} does not say what it sees")

    def glimpsed(self, answer: Mapping[str, Any]) -> Seen:
        """One line of `listed`."""
        raise TypeError(f"{self.name} does not say what a list shows")

    def observe(self, client, want: Want) -> Seen:
        # Our own row needs no tags read back; a stranger's may tell whose it is.
        return self._described(client, want.aws_id or want.name, want.tags or None)

    def complete(self, client, glimpsed: Seen, tags: Mapping[str, str] | None = None) -> Seen:
        """Of what is free, and whose it is is known, the rest waits for its own first look: no price hangs on it."""
        if self.is_free and tags is not None:
            return replace(glimpsed, tags=tags, whole=True)
        return self._described(client, glimpsed.aws_id, tags)

    def _described(self, client, name: str, tags: Mapping[str, str] | None) -> Seen:
        try:
            answer = self.describe(client, name)
        except client.exceptions.ClientError as error:
            if is_not_there(error):
                return GONE_FROM_AWS
            raise
        return self.seen(client, answer, self._tags(client, answer[self.arn_member]) if tags is None else tags)

    def find_all(self, client) -> Iterable[Seen]:
        for answer in self.listed(client):
            yield self.glimpsed(answer)

    def tags_of_all(self, client_of: Callable[[str], Any]) -> dict[str, dict[str, str]] | None:
        return tags_by_arn(client_of("resourcegroupstaggingapi"), self.arn_type)

    def _tags(self, client, arn: str) -> dict[str, str]:
        pages = client.get_paginator("list_tags").paginate(ResourceArn=arn)
        return tag_dict(tag for page in pages for tag in page["Tags"])


def is_not_there(error: Any) -> bool:
    """SageMaker has hardly a code for it: mostly a ValidationException whose words say so, sorted as everywhere."""
    return isinstance(sorted_trouble(error), NotThere)


def pages_of(client, operation: str, member: str, **asked: Any) -> Iterable[Mapping[str, Any]]:
    """Every line of a SageMaker list, a hundred a call (its most)."""
    for page in client.get_paginator(operation).paginate(**asked, PaginationConfig={"PageSize": 100}):
        yield from page[member]
