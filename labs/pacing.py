"""PURE: how far apart a class starts a lab, so that AWS's rates of creates are kept; and how early, so that it runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from labs.catalog.base import Lab
from labs.kinds import kind_of

# Between two starts of a class, whatever AWS takes: so long as our workers need for what one lab creates.
BY_US = timedelta(seconds=1)
# A lab that nobody has started there yet is begun so early. AWS takes minutes for what takes the longest.
UNKNOWN_LEAD = timedelta(minutes=15)
LEAST_LEAD = timedelta(minutes=1)


def apart(lab: Lab) -> timedelta:
    """Between two starts of the lab in one account: what it wants most slowly, by its kinds' creates_per_second."""
    wanted = Counter(want.kind for want in lab.wants)
    seconds = (count / kind_of(kind).creates_per_second for kind, count in wanted.items())
    return timedelta(seconds=max(seconds, default=0))


def lead(took: Iterable[timedelta]) -> timedelta:
    """How long before the hour the last one is started: 1.5 times what the slowest took, UNKNOWN_LEAD when nobody
    knows. took: from a start until it ran, as often as that is known."""
    slowest = max(took, default=None)
    return UNKNOWN_LEAD if slowest is None else max(LEAST_LEAD, slowest * 1.5)


def starts(at: datetime, before: timedelta, apart_by: timedelta, number: int) -> list[datetime]:
    """When each of so many is started: the last one `before` the hour `at`, each of the others `apart_by` earlier."""
    return [at - before - apart_by * (number - 1 - place) for place in range(number)]
