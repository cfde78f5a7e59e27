"""PURE. A Kendra index costs $1 an hour and more, asked or not."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from costs.rules.base import Facts, Reads, Verdict
from labs.kinds.base import RUNNING

NAME, RANK = "idle-index", 56
READS = (Reads("kendra-index", "IndexQueryCount", timedelta(hours=2)),)


def check(facts: Facts, now: datetime) -> Verdict | None:
    if facts.kind != "kendra-index" or facts.state != RUNNING:
        return None
    since = facts.silent_since("IndexQueryCount")
    if since is None:
        return None
    return Verdict(
        gettext_noop("No question for two hours"),
        gettext_noop("An index costs by the hour, asked or not."),
        since=since,
    )
