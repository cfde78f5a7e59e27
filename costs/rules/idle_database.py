"""PURE. A database that nobody was connected to for two hours."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from costs.rules.base import Facts, Reads, Verdict
from labs.kinds.base import RUNNING

NAME, RANK = "idle-database", 55
SHOWS_DISUSE = True
READS = (Reads("rds-instance", "DatabaseConnections", timedelta(hours=2)),)

ENOUGH = 12  # datapoints of five minutes in two hours


def check(facts: Facts, now: datetime) -> Verdict | None:
    if facts.kind != "rds-instance" or facts.state != RUNNING:
        return None
    since = facts.lowest_since("DatabaseConnections", 1, ENOUGH)
    if since is None:
        return None
    return Verdict(
        gettext_noop("Nobody connected for two hours"),
        gettext_noop("Its data is kept when it is stopped; its disk still costs."),
        since=since,
    )
