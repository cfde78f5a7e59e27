"""PURE. A NAT gateway costs by the hour, and is left behind when the machines that went through it are gone."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from costs.rules.base import Facts, Reads, Verdict
from labs.kinds.base import RUNNING

NAME, RANK = "idle-nat-gateway", 58
SHOWS_DISUSE = True
READS = (Reads("nat-gateway", "ActiveConnectionCount", timedelta(hours=1)),)


def check(facts: Facts, now: datetime) -> Verdict | None:
    if facts.kind != "nat-gateway" or facts.state != RUNNING:
        return None
    since = facts.silent_since("ActiveConnectionCount")
    if since is None:
        return None
    return Verdict(
        gettext_noop("Nothing went through it for an hour"),
        gettext_noop("It costs by the hour; so does its address."),
        since=since,
    )
