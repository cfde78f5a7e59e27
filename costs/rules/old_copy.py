"""PURE. Snapshots and machine images: copies of disks that cost by their size, month after month, and are seen nowhere
else once the machine is gone."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from costs.rules.base import Facts, Verdict
from labs.kinds.base import RUNNING

NAME, RANK = "old-copy", 66

KEPT_FOR = timedelta(days=3)
SENTENCES = {
    "ebs-snapshot": gettext_noop("A snapshot of more than three days"),
    "ami": gettext_noop("A machine image of more than three days"),
}


def check(facts: Facts, now: datetime) -> Verdict | None:
    if facts.kind not in SENTENCES or facts.state != RUNNING or now - facts.state_since <= KEPT_FOR:
        return None
    return Verdict(
        SENTENCES[facts.kind],
        gettext_noop("It costs by its size for as long as it is there. Is it still needed?"),
        facts.state_since,
    )
