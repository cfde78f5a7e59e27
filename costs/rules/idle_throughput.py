"""PURE. Throughput of a model, bought by the hour and not used. A workshop of a student's cost $2,700 this way."""

from datetime import datetime, timedelta

from costs.rules.base import Facts, Reads, Verdict
from labs.kinds.base import RUNNING

NAME, RANK = "idle-throughput", 39
SHOWS_DISUSE = True
READS = (Reads("bedrock-provisioned-throughput", "Invocations", timedelta(minutes=30)),)


def check(facts: Facts, now: datetime) -> Verdict | None:
    if facts.kind != "bedrock-provisioned-throughput" or facts.state != RUNNING:
        return None
    since = facts.silent_since("Invocations")
    if since is None:
        return None
    bought = facts.facts.get("commitment")
    ends = f"It was bought for {bought}: AWS takes it back only then. Tell the instructor." if bought else "Delete it."
    return Verdict("Bought by the hour, and not called for half an hour", ends, since=since)
