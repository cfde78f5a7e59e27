"""PURE. Stopped is not free: the disk is paid for, and a database starts again by itself."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from costs.rules.base import Facts, Verdict
from labs.kinds.base import STOPPED

NAME, RANK = "stopped-for-long", 64

# Over night, a stop is what everybody should do.
KEPT_FOR = timedelta(days=1)
STILL_COSTS = {
    "ec2-instance": gettext_noop("Its disk and its address still cost."),
    "sagemaker-notebook": gettext_noop("Its disk still costs."),
    "rds-instance": gettext_noop("Its disk still costs, and AWS starts it again by itself after 7 days."),
    "rds-cluster": gettext_noop("Its storage still costs, and AWS starts it again by itself after 7 days."),
}


def check(facts: Facts, now: datetime) -> Verdict | None:
    if facts.kind not in STILL_COSTS or facts.state != STOPPED or now - facts.state_since <= KEPT_FOR:
        return None
    return Verdict(gettext_noop("Stopped for more than a day"), STILL_COSTS[facts.kind], since=facts.state_since)
