"""CloudWatch log groups. To the tagging API one is a "logs:log-group"; its tags go with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from moto.core.resource_tagging import TaggedResource
from moto.logs.models import LogsBackend

from labs.simulator.amendments import instead_of


@instead_of(LogsBackend, "iter_tagged_resources")
def iter_tagged_resources(was: Any, self: LogsBackend) -> Iterator[TaggedResource]:
    for group in was(self):
        yield replace(group, resource_type="logs:log-group")


@instead_of(LogsBackend, "delete_log_group")
def delete_log_group(was: Any, self: LogsBackend, log_group_name: str) -> None:
    group = self.groups.get(log_group_name)
    was(self, log_group_name)
    if group is not None:
        self.tagger.delete_all_tags_for_resource(group.arn)
