"""PURE. A NAT gateway costs by the hour, and is left behind when the machines that went through it are gone."""

from datetime import datetime, timedelta

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
    return Verdict("Nothing went through it for an hour", "It costs by the hour; so does its address.", since=since)
