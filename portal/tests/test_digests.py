"""When people are told: by table, with plain values."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from portal.digests import AT_ONCE, DAILY, GIVE_UP, HOURLY, TRY_AGAIN, News, Wishes, due, is_quiet, try_again_at

YANGON = ZoneInfo("Asia/Yangon")
NOON = datetime(2025, 9, 18, 12, tzinfo=YANGON)
OLD = News(1, "lights", NOON - timedelta(minutes=10))
NEW = News(2, "budget", NOON - timedelta(minutes=5))
FRESH = News(3, "lights", NOON - timedelta(seconds=20))
URGENT = News(4, "budget", NOON, is_urgent=True)
NIGHT = {"quiet_from": time(22), "quiet_to": time(7)}
ALL_DAY = {"quiet_from": time(9), "quiet_to": time(17)}


@pytest.mark.parametrize(
    ("waiting", "wishes", "last_minutes_ago", "expected", "why"),
    [
        ([], {}, None, [], "nothing waits"),
        ([NEW, OLD], {"pace": AT_ONCE}, 1, [1, 2], "what waits goes out together, the oldest first"),
        ([FRESH], {"pace": AT_ONCE}, None, [], "what comes in the same minute is gathered first"),
        ([OLD, FRESH], {"pace": AT_ONCE}, None, [1, 3], "but only for a minute after the first"),
        ([OLD], {"pace": HOURLY}, None, [1], "the first news of an hour comes at once"),
        ([OLD], {"pace": HOURLY}, 59, [], "the next within the hour waits"),
        ([OLD, NEW], {"pace": HOURLY}, 60, [1, 2], "and comes with all others when it is over"),
        ([OLD], {"pace": DAILY, "daily_at": time(12)}, None, [1], "it is the hour of the day"),
        ([OLD], {"pace": DAILY, "daily_at": time(8)}, None, [], "today's hour was before the news: tomorrow"),
        ([OLD], {"pace": DAILY, "daily_at": time(13)}, None, [], "it is not yet the hour"),
        ([OLD], {"pace": AT_ONCE, **ALL_DAY}, None, [], "quiet hours hold it back"),
        ([OLD], {"pace": AT_ONCE, **NIGHT}, None, [1], "these are over"),
        ([OLD, URGENT], {"pace": DAILY, **ALL_DAY}, 1, [4], "what is urgent passes all that, and takes nothing along"),
    ],
)
def test_one_message_when_it_is_time(waiting, wishes, last_minutes_ago, expected, why):
    last = None if last_minutes_ago is None else NOON - timedelta(minutes=last_minutes_ago)
    assert [news.pk for news in due(waiting, Wishes(YANGON, **wishes), last, NOON)] == expected, why


@pytest.mark.parametrize(
    ("start", "end", "clock", "quiet"),
    [
        (time(22), time(7), time(22), True),
        (time(22), time(7), time(6, 59), True),
        (time(22), time(7), time(7), False),
        (time(22), time(7), time(12), False),
        (time(9), time(17), time(9), True),
        (time(9), time(17), time(17), False),
        (time(9), time(9), time(9), False),
        (None, None, time(3), False),
        (time(9), None, time(10), False),
    ],
)
def test_quiet_hours_may_go_over_midnight(start, end, clock, quiet):
    at = datetime.combine(NOON.date(), clock, YANGON)
    assert is_quiet(Wishes(YANGON, quiet_from=start, quiet_to=end), at) is quiet


def test_quiet_hours_are_of_the_persons_own_clock():
    wishes = Wishes(YANGON, quiet_from=time(22), quiet_to=time(7))
    assert is_quiet(wishes, datetime(2025, 9, 18, 16, 0, tzinfo=UTC))  # 22:30 in Yangon
    assert is_quiet(wishes, datetime(2025, 9, 18, 23, 0, tzinfo=UTC))  # 5:30
    assert not is_quiet(wishes, datetime(2025, 9, 18, 1, 0, tzinfo=UTC))  # 7:30


def test_a_daily_message_keeps_its_hour_over_a_change_of_the_clocks():
    """Berlin's clocks go back on 26 October 2025: 8:00 is 6:00 UTC before, and 7:00 UTC after."""
    berlin = ZoneInfo("Europe/Berlin")
    wishes = Wishes(berlin, pace=DAILY, daily_at=time(8))
    news = News(1, "lights", datetime(2025, 10, 25, 12, tzinfo=UTC))
    assert due([news], wishes, None, datetime(2025, 10, 26, 6, 59, tzinfo=UTC)) == []
    assert due([news], wishes, None, datetime(2025, 10, 26, 7, 0, tzinfo=UTC)) == [news]


def test_a_channel_that_fails_is_tried_later_each_time_and_some_more_before_it_is_given_up():
    waits = [try_again_at(failures, NOON) - NOON for failures in range(1, 9)]
    assert waits == sorted(waits)
    assert waits[0] == TRY_AGAIN[0]
    assert waits[-1] == waits[-2] == TRY_AGAIN[-1]
    assert sum(waits, timedelta()) < GIVE_UP
