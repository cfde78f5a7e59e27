"""PURE. A notebook whose processor did nothing for an hour. Without datapoints nobody knows, and nothing is said."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from costs.rules.base import Facts, Reads, Verdict
from labs.kinds.base import RUNNING

NAME, RANK = "idle-notebook", 50
SHOWS_DISUSE = True
READS = (Reads("sagemaker-notebook", "CPUUtilization", timedelta(hours=1)),)

DETAIL = gettext_noop("Its processor was never above %(percent)s %%. Files are kept when it is stopped.")
PATTERNS = (DETAIL,)

IDLE_BELOW = 3.0  # percent at its highest; an open tab that runs nothing stays below
ENOUGH = 6  # datapoints of five minutes in the hour


def check(facts: Facts, now: datetime) -> Verdict | None:
    if facts.kind != "sagemaker-notebook" or facts.state != RUNNING:
        return None
    since = facts.lowest_since("CPUUtilization", IDLE_BELOW, ENOUGH)
    if since is None:
        return None
    highest = facts.signals["CPUUtilization"].value
    return Verdict(
        gettext_noop("Idle for an hour"),
        DETAIL % {"percent": f"{highest:.1f}"},
        since=since,
    )
