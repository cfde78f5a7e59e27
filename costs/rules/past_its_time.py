"""PURE. Its lab's time is over, and it is still there."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from costs.rules.base import Facts, Verdict

NAME, RANK = "past-its-time", 10

# A notebook takes minutes to stop and to go; only then is it forgotten rather than on its way.
TEARDOWN_TAKES = timedelta(minutes=15)

PLAIN = gettext_noop("It did not go by itself.")
BLOCKED = gettext_noop("It did not go by itself: %(why)s")
PATTERNS = (BLOCKED,)


def check(facts: Facts, now: datetime) -> Verdict | None:
    if not facts.in_lab:
        return None
    over = facts.lab_ended_at or min(filter(None, (facts.lab_asked_to_end_at, facts.lab_expires_at)), default=None)
    # What AWS refuses to let go is told at once; what is on its way gets its time.
    if over is None or now <= over + (timedelta(0) if facts.blocked_why else TEARDOWN_TAKES):
        return None
    detail = BLOCKED % {"why": facts.blocked_why} if facts.blocked_why else PLAIN
    return Verdict(gettext_noop("Its lab's time is over"), detail[:400], since=over)
