"""PURE. A disk that hangs on no machine is paid for all the same."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from costs.rules.base import Facts, Verdict
from labs.kinds.base import RUNNING

NAME, RANK = "unattached-volume", 60

# Between two machines a disk may be loose for a while.
LOOSE_FOR = timedelta(hours=1)


def check(facts: Facts, now: datetime) -> Verdict | None:
    if facts.kind != "ebs-volume" or facts.state != RUNNING or facts.facts.get("attached_to"):
        return None
    if now - facts.facts_since <= LOOSE_FOR:
        return None
    return Verdict(
        gettext_noop("A disk attached to nothing"),
        gettext_noop("Its instance is gone, or it was never attached. It costs by its size, used or not."),
        since=facts.facts_since,
    )
