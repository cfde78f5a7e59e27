"""PURE. An interface endpoint costs by the hour in each subnet. A notebook's network is left with it."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from costs.rules.base import Facts, Reads, Verdict
from labs.kinds.base import RUNNING

NAME, RANK = "idle-vpc-endpoint", 61
SHOWS_DISUSE = True
READS = (Reads("vpc-endpoint", "BytesProcessed", timedelta(days=1)),)


def check(facts: Facts, now: datetime) -> Verdict | None:
    # A gateway endpoint is free, and CloudWatch does not count it.
    if facts.kind != "vpc-endpoint" or facts.state != RUNNING or facts.facts.get("type") == "Gateway":
        return None
    since = facts.silent_since("BytesProcessed")
    if since is None:
        return None
    return Verdict(
        gettext_noop("Not a byte went through it for a day"),
        gettext_noop("It costs by the hour, in each of its subnets."),
        since=since,
    )
