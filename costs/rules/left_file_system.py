"""PURE. Studio keeps home folders on a file system of its own, and leaves it behind when its domain is deleted."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from costs.rules.base import Facts, Verdict
from labs.kinds.base import RUNNING

NAME, RANK = "left-file-system", 67

PLAIN = gettext_noop("It costs by its size.")
OF_STUDIO = gettext_noop("A Studio domain left it behind. It costs by its size.")

LOOSE_FOR = timedelta(hours=1)


def check(facts: Facts, now: datetime) -> Verdict | None:
    told = facts.facts
    if facts.kind != "efs-file-system" or facts.state != RUNNING or told.get("mount_targets", 1):
        return None
    if now - facts.facts_since <= LOOSE_FOR:
        return None
    detail = OF_STUDIO if told.get("studio_domain") else PLAIN
    return Verdict(gettext_noop("A file system that nothing is attached to"), detail, facts.facts_since)
