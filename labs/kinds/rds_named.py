"""What RDS's instances and clusters have in common: no lab makes one, all are found by name, and both show one list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from labs.aws import is_not_there
from labs.kinds.base import DELETING, FAILED, GONE_FROM_AWS, NAME, PENDING, RUNNING, STOPPED, STOPPING, Kind, Seen, Want

_STATES = {
    "creating": PENDING,
    "starting": PENDING,
    "stopping": STOPPING,
    "stopped": STOPPED,
    "deleting": DELETING,
    "delete-precheck": DELETING,
    "failed": FAILED,
    "inaccessible-encryption-credentials": FAILED,
    "incompatible-network": FAILED,
    "incompatible-restore": FAILED,
    "insufficient-capacity": FAILED,
}


class RDSKind(Kind):
    service, identity, cost_service = "rds", NAME, "RDS"
    can_create, can_stop = False, True
    operation, argument, member = "", "", ""  # "describe_db_instances", "DBInstanceIdentifier", "DBInstances"

    def seen(self, answer: Mapping[str, Any]) -> Seen:
        """One line of the list: RDS's lists show all that a describe shows."""
        raise TypeError(f"{self.name} does not say what it sees")

    def observe(self, client, want: Want) -> Seen:
        try:
            found = getattr(client, self.operation)(**{self.argument: want.aws_id or want.name})[self.member]
        except client.exceptions.ClientError as error:
            if is_not_there(error):
                return GONE_FROM_AWS
            raise
        return self.seen(found[0]) if found else GONE_FROM_AWS

    def find_all(self, client) -> Iterable[Seen]:
        for page in client.get_paginator(self.operation).paginate(PaginationConfig={"PageSize": 100}):
            for each in page[self.member]:
                yield self.seen(each)


def state_of(status: str) -> str:
    """Ours for RDS's. It has forty words more (backing-up, modifying, storage-full ...): in each of them it runs, and
    is billed like what is available (RDS User Guide, "DB instance status")."""
    return _STATES.get(status, RUNNING)


def restart_of(answer: Mapping[str, Any]) -> dict[str, str]:
    """When AWS starts by itself what was stopped, 7 days after: {"restarts_at": ISO instant}, {} for what runs."""
    at = answer.get("AutomaticRestartTime")
    return {"restarts_at": at.isoformat()} if at else {}
