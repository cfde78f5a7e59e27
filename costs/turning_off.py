"""What of a resource may be turned off without a person: by a budget that is used up."""

from __future__ import annotations

from costs.kinds import can_stop, is_free, stop_deletes
from labs.kinds import registry
from labs.kinds.base import FAILED, PENDING, RUNNING, STOPPED
from labs.models import Resource


def may_turn_off(row: Resource) -> bool:
    """Whether a Stop does anything to it, and may be asked without a person: of what no lab made, only what is proved
    to be somebody's and is not older than the account's connection (as labs/deadman.py). Reads row.account."""
    if is_free(row.kind) or row.seen in (STOPPED, FAILED) or not (can_stop(row.kind) or stop_deletes(row.kind)):
        return False
    is_older = row.seen_since is not None and row.seen_since < row.account.created_at
    return row.launch_id is not None or (row.owner_id is not None and not is_older)


def is_at_work(row: Resource) -> bool:
    """It does work that is lost when it is turned off: a job that ends by itself, or a cluster, which has no stop."""
    kind = registry().get(row.kind)
    return bool(kind and row.seen in (PENDING, RUNNING) and (kind.ends_by_itself or row.kind == "emr-cluster"))
