"""PURE. An access key does not end by itself. One that got into a notebook or a repository is used by strangers within
minutes, and machines are started with it that no lab knows."""

from datetime import datetime

from django.utils.translation import gettext_noop

from costs.rules.base import Facts, Verdict
from labs.kinds.base import RUNNING

NAME, RANK = "long-lived-key", 15

USED = gettext_noop("Last used on %(day)s. A lab's temporary credentials do the same, and end.")
NEVER_USED = gettext_noop("It was never used. A lab's temporary credentials do the same, and end.")
PATTERNS = (USED,)


def check(facts: Facts, now: datetime) -> Verdict | None:
    if facts.kind != "iam-access-key" or facts.state != RUNNING:
        return None
    last = facts.facts.get("last_used")
    return Verdict(
        gettext_noop("An access key that does not end by itself"),
        USED % {"day": last} if last else NEVER_USED,
        since=facts.state_since,
    )
