"""PURE. A log group without an end keeps every line for ever, and is billed for it long after the class."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from costs.rules.base import Facts, Verdict
from labs.kinds.base import RUNNING

NAME, RANK = "logs-for-ever", 70

# Services make log groups without an end; within a day a lab has taken its own with it.
LEFT_FOR = timedelta(days=1)


def check(facts: Facts, now: datetime) -> Verdict | None:
    told = facts.facts
    if facts.kind != "log-group" or facts.state != RUNNING or told.get("days") or not told.get("mib"):
        return None
    if now - facts.state_since <= LEFT_FOR:
        return None
    return Verdict(
        gettext_noop("Logs that are kept for ever"),
        gettext_noop("Give it an end, or delete it."),
        since=facts.state_since,
    )
