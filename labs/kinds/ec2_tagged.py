"""What the EC2 kinds have in common that are found by id, and by our tag before the id is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from labs.kinds.aws_words import code_of, tag_dict
from labs.kinds.base import ABSENT, GONE_FROM_AWS, TAG, TAG_RESOURCE, Kind, Seen, Want

# Kinds whose network interfaces lie in a subnet, wear its groups and hold addresses: they go before all of those.
HOLD_INTERFACES = (
    "classic-load-balancer",
    "ec2-instance",
    "efs-file-system",
    "emr-cluster",
    "lambda-function",
    "load-balancer",
    "nat-gateway",
    "rds-instance",
    "sagemaker-notebook",
    "sagemaker-studio-domain",
    "vpc-endpoint",
)


class EC2Kind(Kind):
    """An EC2 kind says how it is listed, which codes say that there is none, and how one answer reads (`seen`).

    Its list shows everything, tags too, so that what the census finds needs no second call.
    """

    service, identity, cost_service = "ec2", TAG, "EC2"
    listing: ClassVar[str]  # "describe_vpcs"
    member: ClassVar[str]  # where its answer holds them: "Vpcs"
    ids: ClassVar[str]  # how it is asked for some by id: "VpcIds"
    filters: ClassVar[str] = "Filters"
    not_there: ClassVar[tuple[str, ...]]
    asked_of_all: ClassVar[Mapping[str, Any]] = {}  # what the list is asked with when every one is wanted
    page_size: ClassVar[int] = 1000

    def seen(self, answer: Mapping[str, Any]) -> Seen:
        """One line of the list. Of what has ended AWS may still show a line: it is absent, since when it tells."""
        raise TypeError(f"{self.name} does not say what it sees")

    def is_a_row(self, answer: Mapping[str, Any]) -> bool:
        """False for a line that is AWS's own, or part of another kind's row."""
        return True

    def listed(self, client) -> Iterable[Mapping[str, Any]]:
        """Every line of the list, all pages."""
        pages = client.get_paginator(self.listing).paginate(
            **self.asked_of_all, PaginationConfig={"PageSize": self.page_size}
        )
        for page in pages:
            yield from page[self.member]

    def observe(self, client, want: Want) -> Seen:
        if want.aws_id:
            look: dict[str, Any] = {self.ids: [want.aws_id]}
        else:
            look = {self.filters: [{"Name": f"tag:{TAG_RESOURCE}", "Values": [want.token]}]}
        try:
            found = getattr(client, self.listing)(**look)[self.member]
        except client.exceptions.ClientError as error:
            if code_of(error) in self.not_there:
                return GONE_FROM_AWS
            raise
        seen = [self.seen(each) for each in found]
        alive = [each for each in seen if each.state != ABSENT]
        if alive or not seen:
            return alive[0] if alive else GONE_FROM_AWS
        return Seen(ABSENT, aws_id=seen[0].aws_id, since=seen[0].since)

    def find_all(self, client) -> Iterable[Seen]:
        for answer in self.listed(client):
            if self.is_a_row(answer):
                seen = self.seen(answer)
                if seen.state != ABSENT:
                    yield seen


def name_of(answer: Mapping[str, Any]) -> str:
    """The Name tag, '' without one."""
    return tag_dict(answer.get("Tags")).get("Name", "")[:255]
