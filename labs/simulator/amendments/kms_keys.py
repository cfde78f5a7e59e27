"""KMS. AWS schedules the deletion of a key once: until it is cancelled, another date is refused."""

from __future__ import annotations

from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.kms.models import KmsBackend

from labs.simulator.amendments import instead_of


@instead_of(KmsBackend, "schedule_key_deletion")
def schedule_key_deletion(was: Any, self: Any, key_id: str, pending_window_in_days: int) -> Any:
    key = self.keys[key_id]
    if key.key_state == "PendingDeletion":
        raise JsonRESTError("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    return was(self, key_id, pending_window_in_days)
