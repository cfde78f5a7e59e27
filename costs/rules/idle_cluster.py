"""PURE. An EMR cluster without work for a quarter of an hour: all its machines are paid for while it waits."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from costs.rules.base import Facts, Reads, Verdict
from labs.kinds.base import RUNNING

NAME, RANK = "idle-cluster", 42
SHOWS_DISUSE = True
READS = (Reads("emr-cluster", "IsIdle", timedelta(minutes=15)),)

ENOUGH = 3  # datapoints of five minutes


def check(facts: Facts, now: datetime) -> Verdict | None:
    look = facts.signals.get("IsIdle")
    if facts.kind != "emr-cluster" or facts.state != RUNNING or look is None or facts.state_since > look.began:
        return None
    # Of each five minutes the least: 1 when it was idle throughout.
    if look.datapoints < ENOUGH or look.value != look.datapoints:
        return None
    return Verdict(
        gettext_noop("A cluster without work"),
        gettext_noop("Every machine of it is paid for while it waits."),
        since=look.began,
    )
