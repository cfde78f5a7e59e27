"""PURE. An endpoint costs by the hour whether it is called or not. Called by nobody for an hour, it is forgotten."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from costs.rules.base import Facts, Reads, Verdict
from labs.kinds.base import RUNNING

NAME, RANK = "idle-endpoint", 40
SHOWS_DISUSE = True
READS = (Reads("sagemaker-endpoint", "Invocations", timedelta(hours=1)),)


def check(facts: Facts, now: datetime) -> Verdict | None:
    if facts.kind != "sagemaker-endpoint" or facts.state != RUNNING:
        return None
    since = facts.silent_since("Invocations")
    if since is None:
        return None
    return Verdict(
        gettext_noop("No calls for an hour"),
        gettext_noop("An endpoint costs the same with no calls as with many."),
        since=since,
    )
