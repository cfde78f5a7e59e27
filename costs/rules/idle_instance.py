"""PURE. A machine that neither computed nor talked for two hours.

A long download or a training on little data needs little processor: what still moves data is in use.
"""

from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from costs.rules.base import Facts, Reads, Verdict
from labs.kinds.base import RUNNING

NAME, RANK = "idle-instance", 51
SHOWS_DISUSE = True
OVER = timedelta(hours=2)
READS = tuple(Reads("ec2-instance", metric, OVER) for metric in ("CPUUtilization", "NetworkIn", "NetworkOut"))

DETAIL = gettext_noop(
    "Its processor was never above %(percent)s %%, and it sent and got next to nothing. Its disk is kept when it is "
    "stopped."
)
PATTERNS = (DETAIL,)

IDLE_BELOW = 3.0  # percent at its highest
ENOUGH = 12  # datapoints of five minutes in two hours
TALK = 20 * 2**20  # bytes each way: what a system sends and gets by itself stays below


def check(facts: Facts, now: datetime) -> Verdict | None:
    if facts.kind != "ec2-instance" or facts.state != RUNNING:
        return None
    quiet = [facts.lowest_since(metric, TALK, ENOUGH) for metric in ("NetworkIn", "NetworkOut")]
    since = facts.lowest_since("CPUUtilization", IDLE_BELOW, ENOUGH)
    if since is None or None in quiet:
        return None
    return Verdict(
        gettext_noop("Idle for two hours"),
        DETAIL % {"percent": f"{facts.signals['CPUUtilization'].value:.1f}"},
        since=since,
    )
