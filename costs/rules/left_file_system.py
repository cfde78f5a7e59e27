"""PURE. Studio keeps home folders on a file system of its own, and leaves it behind when its domain is deleted."""

from datetime import datetime, timedelta

from costs.rules.base import Facts, Verdict
from labs.kinds.base import RUNNING

NAME, RANK = "left-file-system", 67

LOOSE_FOR = timedelta(hours=1)


def check(facts: Facts, now: datetime) -> Verdict | None:
    told = facts.facts
    if facts.kind != "efs-file-system" or facts.state != RUNNING or told.get("mount_targets", 1):
        return None
    if now - facts.facts_since <= LOOSE_FOR:
        return None
    of_studio = "A Studio domain left it behind. " if told.get("studio_domain") else ""
    return Verdict("A file system that nothing is attached to", f"{of_studio}It costs by its size.", facts.facts_since)
