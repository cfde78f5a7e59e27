"""PURE. An access key does not end by itself. One that got into a notebook or a repository is used by strangers within
minutes, and machines are started with it that no lab knows."""

from datetime import datetime

from costs.rules.base import Facts, Verdict
from labs.kinds.base import RUNNING

NAME, RANK = "long-lived-key", 15


def check(facts: Facts, now: datetime) -> Verdict | None:
    if facts.kind != "iam-access-key" or facts.state != RUNNING:
        return None
    last = facts.facts.get("last_used")
    used = f"Last used on {last}." if last else "It was never used."
    return Verdict(
        "An access key that does not end by itself",
        f"{used} A lab's temporary credentials do the same, and end.",
        since=facts.state_since,
    )
