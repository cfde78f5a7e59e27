"""EC2's tags. AWS answers a list of a thousand instances in a moment; moto reads every tag of the region for each."""

from __future__ import annotations

from typing import Any

from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix

from labs.simulator.amendments import instead_of


@instead_of(TaggedEC2Resource, "get_tags")
def get_tags(was: Any, self: Any) -> list[dict[str, str]]:
    tags = self.ec2_backend.tags.get(self.id) if self.id else None
    if not tags:
        return []
    kind = EC2_PREFIX_TO_RESOURCE.get(get_prefix(self.id), "")
    return [{"resource_id": self.id, "key": k, "value": v, "resource_type": kind} for k, v in tags.items()]
