"""PURE. More than a gigabyte of files or images, kept by the month with nothing that ever takes any of it away."""

from datetime import datetime, timedelta

from costs.rules.base import Facts, Verdict
from labs.kinds.base import RUNNING

NAME, RANK = "large-and-kept", 69

LEFT_FOR = timedelta(days=1)
# Of these the fact "expires" is there only from a gigabyte on.
WHAT = {"s3-bucket": "files", "ecr-repository": "images"}


def check(facts: Facts, now: datetime) -> Verdict | None:
    told = facts.facts
    if facts.kind not in WHAT or facts.state != RUNNING or facts.in_lab or told.get("expires", True):
        return None
    stored = told.get("bytes", 0)
    size = sum(stored.values()) if isinstance(stored, dict) else stored
    if now - facts.facts_since <= LEFT_FOR:
        return None
    return Verdict(
        f"{size / 10**9:.1f} GB of {WHAT[facts.kind]}, and no rule takes any away",
        "It costs by its size every month. Delete it, or give it a rule that lets old ones go.",
        since=facts.facts_since,
    )
