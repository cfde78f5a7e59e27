"""PURE. More than a gigabyte of files or images, kept by the month with nothing that ever takes any of it away."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from costs.rules.base import Facts, Verdict
from labs.kinds.base import RUNNING

NAME, RANK = "large-and-kept", 69

LEFT_FOR = timedelta(days=1)
# Of these the fact "expires" is there only from a gigabyte on.
WHAT = {
    "s3-bucket": gettext_noop("%(size)s GB of files, and no rule takes any away"),
    "ecr-repository": gettext_noop("%(size)s GB of images, and no rule takes any away"),
}
PATTERNS = tuple(WHAT.values())


def check(facts: Facts, now: datetime) -> Verdict | None:
    told = facts.facts
    if facts.kind not in WHAT or facts.state != RUNNING or facts.in_lab or told.get("expires", True):
        return None
    stored = told.get("bytes", 0)
    size = sum(stored.values()) if isinstance(stored, dict) else stored
    if now - facts.facts_since <= LEFT_FOR:
        return None
    return Verdict(
        WHAT[facts.kind] % {"size": f"{size / 10**9:.1f}"},
        gettext_noop("It costs by its size every month. Delete it, or give it a rule that lets old ones go."),
        since=facts.facts_since,
    )
