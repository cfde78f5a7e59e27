"""Dates that were told and are to be others: what moves, what stays, over any change of clocks; never into the past."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.replanning import (
    Days,
    Moved,
    applied,
    around,
    clear_of,
    move_week,
    remarks,
    set_date,
)
from portal.schedule import OPTIONAL, Rhythm, ScheduleError, calendar, events, live_state

YANGON, BERLIN = ZoneInfo("Asia/Yangon"), ZoneInfo("Europe/Berlin")
NOW = datetime(2025, 9, 18, 14, 47, tzinfo=YANGON)  # Thursday of week 2
OPENED = datetime(2025, 9, 1, 3, 0, tzinfo=UTC)
TOLD = calendar(date(2025, 9, 6), YANGON, enrolment_opens_at=OPENED)
ZONES = ["Asia/Yangon", "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Africa/Cairo", "Pacific/Apia"]


def wall(at, zone=YANGON):
    return f"{at.astimezone(zone):%m-%d %H:%M}"


def said(moves, zone=YANGON):
    return [(one.number, one.kind, wall(one.was, zone), wall(one.becomes, zone)) for one in moves]


def test_a_week_that_moves_with_all_that_follow_takes_each_date_along_by_whole_days():
    assert said(move_week(TOLD, 3, 7, True, YANGON, NOW)) == [
        (3, "release", "09-22 21:00", "09-29 21:00"),
        (3, "due", "09-25 23:59", "10-02 23:59"),
        (3, "feedback", "09-27 09:00", "10-04 09:00"),
        (3, "session", "09-27 09:00", "10-04 09:00"),
        (4, "release", "09-29 21:00", "10-06 21:00"),
        (4, "due", "10-02 23:59", "10-09 23:59"),
        (4, "feedback", "10-04 09:00", "10-11 09:00"),
        (4, "session", "10-04 09:00", "10-11 09:00"),
        (5, "release", "10-04 09:00", "10-11 09:00"),
    ]


def test_of_the_week_that_is_on_only_what_is_to_come_moves():
    assert said(move_week(TOLD, 2, 1, False, YANGON, NOW)) == [
        (2, "due", "09-18 23:59", "09-19 23:59"),
        (2, "feedback", "09-20 09:00", "09-21 09:00"),
        (2, "session", "09-20 09:00", "09-21 09:00"),
    ]


def test_the_optional_lectures_follow_the_closing_session_also_when_only_that_moves():
    moves = set_date(TOLD, 4, "session", datetime(2025, 10, 4, 13, 0), YANGON, NOW)
    assert said(moves) == [
        (4, "feedback", "10-04 09:00", "10-04 13:00"),
        (4, "session", "10-04 09:00", "10-04 13:00"),
        (5, "release", "10-04 09:00", "10-04 13:00"),
    ]


def test_feedback_that_was_set_apart_from_the_session_stays_when_the_session_moves():
    apart = applied(TOLD, set_date(TOLD, 3, "feedback", datetime(2025, 9, 26, 20, 0), YANGON, NOW))
    assert [kind for _, kind, *_ in said(set_date(apart, 3, "session", datetime(2025, 9, 27, 13, 0), YANGON, NOW))] == [
        "session"
    ]


@pytest.mark.parametrize(
    "act, words",
    [
        (lambda: move_week(TOLD, 3, 0, True, YANGON, NOW), "by how many days"),
        (lambda: move_week(TOLD, 3, 91, True, YANGON, NOW), "by how many days"),
        (lambda: move_week(TOLD, 9, 7, True, YANGON, NOW), "no such week"),
        (lambda: move_week(TOLD, 3, -5, False, YANGON, NOW), "Wed 17 Sep, 21:00 is past already"),
        (lambda: set_date(TOLD, 1, "due", datetime(2025, 9, 30), YANGON, NOW), "That date is past"),
        (lambda: set_date(TOLD, 0, "due", datetime(2025, 9, 30), YANGON, NOW), "no such date"),
        (lambda: set_date(TOLD, 3, "scope", datetime(2025, 9, 30), YANGON, NOW), "no such date"),
        (lambda: set_date(TOLD, 3, "due", datetime(2025, 9, 1), YANGON, NOW), "past already"),
        (lambda: set_date(TOLD, 3, "release", datetime(2025, 9, 26, 8), YANGON, NOW), "upside down"),
        (lambda: set_date(TOLD, 3, "due", datetime(2025, 9, 27, 9), YANGON, NOW), "upside down"),
    ],
)
def test_what_cannot_be_is_refused_in_words(act, words):
    with pytest.raises(ScheduleError, match=words):
        act()


def test_a_deadline_keeps_its_hour_when_the_move_crosses_the_end_of_summer_time():
    told = calendar(date(2025, 10, 4), BERLIN, enrolment_opens_at=OPENED)
    week = move_week(told, 3, 7, False, BERLIN, datetime(2025, 10, 1, tzinfo=UTC))
    assert said(week, BERLIN)[1] == (3, "due", "10-23 23:59", "10-30 23:59")
    assert week[1].becomes - week[1].was == timedelta(days=7, hours=1)


@settings(max_examples=40)
@given(
    st.integers(0, 52 * 20).map(lambda n: date(2005, 1, 1) + timedelta(weeks=n)),
    st.sampled_from(ZONES).map(ZoneInfo),
    st.integers(1, 4),
    st.integers(1, 60),
)
def test_a_move_and_its_way_back_is_as_it_was_told(start_on, zone, number, by):
    """But where a clock was moved, by which a wall time may not exist or come twice."""
    start_on += timedelta(days=(5 - start_on.weekday()) % 7)
    before = datetime.combine(start_on, time(), UTC) - timedelta(days=90)
    told = calendar(start_on, zone, enrolment_opens_at=before)
    there = applied(told, move_week(told, number, by, True, zone, before))
    back = applied(there, move_week(there, number, -by, True, zone, before))
    for was, now in zip(events(told), events(back), strict=True):
        assert (was.kind, was.number) == (now.kind, now.number)
        assert abs(was.at - now.at) <= timedelta(hours=24 if zone.key == "Pacific/Apia" else 1)


THINGYAN = Days(date(2026, 4, 13), date(2026, 4, 16), "Thingyan")


def test_a_new_cohort_skips_the_week_of_a_holiday_and_all_that_follow_come_later():
    changes = around([THINGYAN], date(2026, 3, 28), YANGON, Rhythm(), 4)
    assert [(one.week, one.days, one.following, one.why) for one in changes] == [(3, 7, True, "Thingyan")]
    told = calendar(date(2026, 3, 28), YANGON, enrolment_opens_at=OPENED, changes=changes)
    assert [wall(dates.session_at) for dates in told[:-1]] == [
        "03-28 09:00",
        "04-04 09:00",
        "04-11 09:00",
        "04-25 09:00",
        "05-02 09:00",
    ]


def test_two_holidays_in_a_row_are_two_weeks():
    later = Days(date(2026, 4, 20), date(2026, 4, 20), "One more")
    changes = around([THINGYAN, later], date(2026, 3, 28), YANGON, Rhythm(), 4)
    assert [(one.week, one.why) for one in changes] == [(3, "Thingyan"), (3, "One more")]


def test_a_year_of_holidays_leaves_no_week():
    with pytest.raises(ScheduleError, match="leave no week"):
        around([Days(date(2026, 1, 1), date(2026, 12, 31), "A year off")], date(2026, 3, 28), YANGON, Rhythm(), 4)


def test_a_holiday_in_a_running_cohort_moves_the_week_that_meets_it_and_what_follows():
    moves = clear_of([Days(date(2025, 9, 25), date(2025, 9, 25), "A day off")], TOLD, YANGON, NOW)
    assert said(moves)[0] == (3, "release", "09-22 21:00", "09-29 21:00")
    assert {one.number for one in moves} == {3, 4, OPTIONAL}
    assert all(not Days(date(2025, 9, 25), date(2025, 9, 25), "").has(one.becomes, YANGON) for one in moves)


def test_a_holiday_on_a_free_day_or_in_the_past_moves_nothing():
    assert clear_of([Days(date(2025, 9, 28), date(2025, 9, 28), "A Sunday")], TOLD, YANGON, NOW) == []
    assert clear_of([Days(date(2025, 9, 11), date(2025, 9, 11), "Last week")], TOLD, YANGON, NOW) == []


def test_whoever_moves_one_week_alone_is_told_what_collides():
    alone = move_week(TOLD, 3, 7, False, YANGON, NOW)
    assert remarks(TOLD, alone, [], Rhythm(), YANGON) == [
        "The live sessions of week 3 and week 4 would be on one day.",
        "Week 4 would open before the case study of week 3 is due.",
    ]


def test_whoever_moves_is_told_of_holidays_and_of_an_unusual_hour():
    moves = set_date(TOLD, 3, "session", datetime(2025, 9, 28, 13, 0), YANGON, NOW)
    holiday = [Days(date(2025, 9, 28), date(2025, 9, 28), "Full moon")]
    assert remarks(TOLD, moves, holiday, Rhythm(), YANGON) == [
        "Sun 28 Sep is a holiday (Full moon).",
        "The live session of week 3 would begin at 13:00, not at 09:00.",
    ]


def test_a_move_that_harms_nothing_says_nothing():
    assert remarks(TOLD, move_week(TOLD, 3, 7, True, YANGON, NOW), [], Rhythm(), YANGON) == []


def test_moves_name_each_date_once():
    moves = clear_of([Days(date(2025, 9, 22), date(2025, 10, 3), "Two weeks off")], TOLD, YANGON, NOW)
    assert len({(one.number, one.kind) for one in moves}) == len(moves)
    assert moves[0] == Moved(
        3, "release", datetime(2025, 9, 22, 21, tzinfo=YANGON), datetime(2025, 10, 6, 21, tzinfo=YANGON)
    )


@pytest.mark.parametrize(
    "before, state",
    [("1:00:01", "ahead"), ("1:00:00", "open"), ("0:00:00", "open"), ("-2:59:59", "open"), ("-3:00:00", "over")],
)
def test_a_session_can_be_joined_from_an_hour_before_until_it_is_over(before, state):
    at = datetime(2025, 9, 20, 9, tzinfo=YANGON)
    hours, minutes, seconds = (int(part) for part in before.lstrip("-").split(":"))
    length = timedelta(hours=hours, minutes=minutes, seconds=seconds) * (-1 if before.startswith("-") else 1)
    assert live_state(at, at - length) == state
    assert live_state(None, at) == "none"
