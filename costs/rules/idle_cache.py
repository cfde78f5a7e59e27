"""PURE. A REST API costs by its calls, but the cache of a stage costs by the hour."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from costs.rules.base import Facts, Reads, Verdict
from labs.kinds.base import RUNNING

NAME, RANK = "idle-cache", 63
READS = (Reads("api-gateway-rest", "Count", timedelta(hours=1)),)


def check(facts: Facts, now: datetime) -> Verdict | None:
    if facts.kind != "api-gateway-rest" or facts.state != RUNNING or not facts.facts.get("caches"):
        return None
    since = facts.silent_since("Count")
    if since is None:
        return None
    return Verdict(
        gettext_noop("A cache for an API that nobody calls"),
        gettext_noop("The cache costs by the hour."),
        since=max(since, facts.facts_since),
    )
