"""PURE. A function costs by its calls, but machines that are kept ready for it cost by the second."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from costs.rules.base import Facts, Reads, Verdict
from labs.kinds.base import RUNNING

NAME, RANK = "idle-concurrency", 62
READS = (Reads("lambda-function", "Invocations", timedelta(hours=1)),)


def check(facts: Facts, now: datetime) -> Verdict | None:
    if facts.kind != "lambda-function" or facts.state != RUNNING or not facts.facts.get("provisioned"):
        return None
    since = facts.silent_since("Invocations")
    if since is None:
        return None
    return Verdict(
        gettext_noop("Machines kept ready for a function that nobody calls"),
        gettext_noop("Provisioned concurrency costs by the second, with calls or without."),
        since=max(since, facts.facts_since),
    )
