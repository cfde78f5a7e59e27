"""When people are told: pure. From what waits for a channel, what its person chose, and now: one message, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy

AT_ONCE, HOURLY, DAILY = "at_once", "hourly", "daily"
PACES = {
    AT_ONCE: gettext_lazy("As it happens"),
    HOURLY: gettext_lazy("At most one message an hour"),
    DAILY: gettext_lazy("One message a day"),
}

# What is written down in the same minute comes in one message: one act may be news in several ways.
GATHER = timedelta(minutes=1)
# After the first, second ... failure of a channel; then always the last.
TRY_AGAIN = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240)]
# A channel that failed for so long is turned off, and its person is told so on the page.
GIVE_UP = timedelta(days=3)
# News that reached nobody for so long is none any more. It stays on the page.
STALE = timedelta(days=4)


@dataclass(frozen=True)
class Wishes:
    """When a person wants to be told. Times are of the clock in `zone`; without quiet hours both are None."""

    zone: ZoneInfo
    pace: str = HOURLY
    daily_at: time = time(8)
    quiet_from: time | None = None
    quiet_to: time | None = None


@dataclass(frozen=True)
class News:
    """One notice as it waits for one channel. at: when it was written down."""

    pk: int
    topic: str
    at: datetime
    is_urgent: bool = False


def is_quiet(wishes: Wishes, now: datetime) -> bool:
    """Whether it is within the quiet hours. They may go over midnight; from and to the same hour are none."""
    start, end = wishes.quiet_from, wishes.quiet_to
    if start is None or end is None or start == end:
        return False
    clock = now.astimezone(wishes.zone).time()
    return start <= clock < end if start < end else clock >= start or clock < end


def ripe_at(oldest: datetime, wishes: Wishes, last_told_at: datetime | None) -> datetime:
    """From when on what waits since `oldest` is to be told, quiet hours aside. An aware instant.

    The hour of HOURLY begins with the last message, so that the first news comes at once. DAILY is the first time that
    the clock in their zone shows `daily_at` after the oldest was written down.
    """
    gathered = oldest + GATHER
    if wishes.pace == HOURLY and last_told_at:
        return max(gathered, last_told_at + timedelta(hours=1))
    if wishes.pace == DAILY:
        day = oldest.astimezone(wishes.zone).date()
        found = datetime.combine(day, wishes.daily_at, wishes.zone)
        return found if found > oldest else datetime.combine(day + timedelta(days=1), wishes.daily_at, wishes.zone)
    return gathered


def due(waiting: Sequence[News], wishes: Wishes, last_told_at: datetime | None, now: datetime) -> list[News]:
    """What goes out to one channel now, as one message, the oldest first; [] when it is not yet time.

    What is urgent passes the digest and the quiet hours, alone; the rest waits on.
    """
    in_order = sorted(waiting, key=lambda news: (news.at, news.pk))
    urgent = [news for news in in_order if news.is_urgent]
    if urgent or not in_order or is_quiet(wishes, now):
        return urgent
    return in_order if ripe_at(in_order[0].at, wishes, last_told_at) <= now else []


def try_again_at(failures: int, now: datetime) -> datetime:
    """When a channel that failed `failures` times in a row (1 or more) is tried again."""
    return now + TRY_AGAIN[min(failures, len(TRY_AGAIN)) - 1]
