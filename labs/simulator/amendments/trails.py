"""CloudTrail. AWS refuses a second trail of a name, and to delete one that is not there."""

from __future__ import annotations

from typing import Any

from moto.cloudtrail.models import CloudTrailBackend
from moto.core.exceptions import JsonRESTError

from labs.simulator.amendments import instead_of


@instead_of(CloudTrailBackend, "create_trail")
def create_trail(was: Any, self: Any, name: str, *args: Any, **kwargs: Any) -> Any:
    if name in self.trails:
        raise JsonRESTError("TrailAlreadyExistsException", f"Trail {name} already exists for customer.")
    return was(self, name, *args, **kwargs)


@instead_of(CloudTrailBackend, "delete_trail")
def delete_trail(was: Any, self: Any, name: str) -> None:
    was(self, self.get_trail(name).trail_name)
