"""The weekly rhythm: the course's own dates, every boundary to the second, and any zone with any clock change."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.schedule import (
    OPTIONAL,
    Change,
    Moment,
    Rhythm,
    ScheduleError,
    calendar,
    current_week,
    days,
    events,
    instant,
    is_late,
    is_released,
    late_points,
    read_changes,
    this_week,
    time_left,
)

YANGON = ZoneInfo("Asia/Yangon")
ENROLMENT = datetime(2025, 9, 1, 3, 0, tzinfo=UTC)
# Zones whose clocks move at night, at midnight, by half an hour, that are +06:30, +05:45, or left out a whole day.
ZONES = [
    "Asia/Yangon",
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",
    "Africa/Cairo",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "UTC",
]


def mmt(*parts):
    return datetime(*parts, tzinfo=YANGON)


def september(**more):
    return calendar(date(2025, 9, 6), YANGON, enrolment_opens_at=ENROLMENT, **more)


def test_the_run_of_september_2025_has_exactly_the_dates_of_the_course():
    told = [(d.number, d.released_at, d.due_at, d.feedback_at, d.session_at) for d in september()]
    assert told == [
        (0, ENROLMENT, None, None, mmt(2025, 9, 6, 9)),
        (1, mmt(2025, 9, 8, 21), mmt(2025, 9, 11, 23, 59, 59), mmt(2025, 9, 13, 9), mmt(2025, 9, 13, 9)),
        (2, mmt(2025, 9, 15, 21), mmt(2025, 9, 18, 23, 59, 59), mmt(2025, 9, 20, 9), mmt(2025, 9, 20, 9)),
        (3, mmt(2025, 9, 22, 21), mmt(2025, 9, 25, 23, 59, 59), mmt(2025, 9, 27, 9), mmt(2025, 9, 27, 9)),
        (4, mmt(2025, 9, 29, 21), mmt(2025, 10, 2, 23, 59, 59), mmt(2025, 10, 4, 9), mmt(2025, 10, 4, 9)),
        (5, mmt(2025, 10, 4, 9), None, None, None),
    ]


def test_week_one_opens_on_monday_2100_to_the_second():
    week_one = september()[1]
    assert not is_released(week_one, mmt(2025, 9, 8, 20, 59, 59, 999999))
    assert is_released(week_one, mmt(2025, 9, 8, 21))


@pytest.mark.parametrize(
    "arrives, late, why",
    [
        (mmt(2025, 9, 18, 23, 59, 58), False, "before the announced second"),
        (mmt(2025, 9, 18, 23, 59, 59), False, "the announced second itself"),
        (mmt(2025, 9, 18, 23, 59, 59, 999999), False, "any fraction of the announced second"),
        (mmt(2025, 9, 19, 0, 0, 0), True, "the first instant of Friday"),
    ],
)
def test_what_arrives_in_the_announced_second_is_on_time(arrives, late, why):
    assert is_late(arrives, september()[2].due_at) is late, why


def test_a_week_without_a_deadline_is_never_late():
    assert not is_late(mmt(2030, 1, 1), None)


def test_the_time_left_ends_at_zero_when_late_begins():
    due = september()[2].due_at
    assert time_left(due, mmt(2025, 9, 18, 23, 59, 59)) == timedelta(seconds=1)
    assert time_left(due, mmt(2025, 9, 19)) == timedelta(0)
    assert time_left(due, mmt(2025, 9, 20)) == timedelta(0)


def test_onboarding_is_open_from_enrolment_and_the_optional_lectures_from_the_closing_session():
    told = september()
    assert is_released(told[0], ENROLMENT)
    assert not is_released(told[-1], mmt(2025, 10, 4, 8, 59, 59))
    assert is_released(told[-1], mmt(2025, 10, 4, 9))


@pytest.mark.parametrize(
    "now, number",
    [
        (ENROLMENT - timedelta(seconds=1), None),
        (ENROLMENT, 0),
        (mmt(2025, 9, 8, 20, 59), 0),
        (mmt(2025, 9, 8, 21), 1),
        (mmt(2025, 9, 14, 12), 1),  # Sunday still belongs to the week that it ends
        (mmt(2025, 9, 18, 14, 47), 2),
        (mmt(2026, 1, 1), 4),
    ],
)
def test_the_current_week_is_the_one_released_last(now, number):
    assert current_week(september(), now) == number


def test_the_days_of_week_two_mean_what_the_course_says():
    now = mmt(2025, 9, 18, 14, 47)
    strip = this_week(september(), YANGON, now)
    assert [day.date.day for day in strip] == [15, 16, 17, 18, 19, 20, 21]
    assert [day.means for day in strip] == ["events", "study", "study", "events", "feedback", "events", "free"]
    assert [[event.kind for event in day.events] for day in strip if day.events] == [
        ["release"],
        ["due"],
        ["feedback", "session"],
    ]
    assert [day.is_today for day in strip].index(True) == 3
    assert [day.is_past for day in strip] == [True] * 3 + [False] * 4


def test_a_reader_in_sydney_sees_the_deadline_on_their_friday():
    strip = this_week(september(), ZoneInfo("Australia/Sydney"), mmt(2025, 9, 18, 14, 47))
    assert [event.kind for event in strip[4].events] == ["due"]


def test_before_the_course_and_after_it_days_are_free():
    assert {day.means for day in days(september(), date(2026, 1, 5), 7, YANGON, ENROLMENT)} == {"free"}


def test_a_week_moved_alone_leaves_the_others_where_they_are():
    plain, moved = september(), september(changes=[Change.read({"week": 3, "days": 7, "why": "The hall is booked"})])
    assert moved[3].released_at - plain[3].released_at == timedelta(days=7)
    assert moved[3].due_at - plain[3].due_at == timedelta(days=7)
    assert moved[4] == plain[4]


def test_a_week_moved_with_all_that_follow_takes_the_closing_and_the_optional_lectures_along():
    plain, moved = september(), september(changes=[Change.read({"week": 3, "days": 7, "following": True})])
    assert moved[:3] == plain[:3]
    for week in (3, 4):
        assert moved[week].session_at - plain[week].session_at == timedelta(days=7)
    assert moved[5].released_at == moved[4].session_at


def test_one_date_can_be_set_anew():
    change = Change.read({"week": 3, "session": "2025-09-27T13:00", "why": "The hall is booked"})
    week = september(changes=[change])[3]
    assert week.session_at == mmt(2025, 9, 27, 13)
    assert week.due_at == mmt(2025, 9, 25, 23, 59, 59)


@pytest.mark.parametrize(
    "entry",
    [
        {"days": 7},
        {"week": 3, "sesion": "2025-09-27T13:00"},
        {"week": 3, "session": "Saturday"},
        {"week": 3, "session": "2025-09-27T13:00+06:30"},
        "week 3",
        7,
    ],
)
def test_an_exception_that_cannot_be_read_says_so(entry):
    with pytest.raises(ScheduleError, match="exception"):
        Change.read(entry)


def test_exceptions_are_a_list():
    with pytest.raises(ScheduleError, match="a list"):
        read_changes({"week": 3, "days": 7})
    assert read_changes([{"week": 3, "days": 7}]) == [Change(week=3, days=7)]


def test_a_cohort_can_have_another_hour():
    rhythm = Rhythm.read({"due": "Wed 18:00", "session": "Sat 13:00"})
    week = september(rhythm=rhythm)[1]
    assert (week.due_at, week.session_at) == (mmt(2025, 9, 10, 18), mmt(2025, 9, 13, 13))
    assert week.released_at == mmt(2025, 9, 8, 21)


@pytest.mark.parametrize(
    "differences, said",
    [
        ({"due": "Thursday 23:59"}, "weekday and a time"),
        ({"due": "Thu"}, "weekday and a time"),
        ({"due": 4}, "weekday and a time"),
        ({"deadline": "Thu 23:59"}, "deadline"),
        ({"due": "Mon 20:00"}, "release comes first"),
        ([], "written as in"),
    ],
)
def test_a_wrong_rhythm_is_explained(differences, said):
    with pytest.raises(ScheduleError, match=said):
        Rhythm.read(differences)


def test_a_moment_reads_what_it_writes():
    assert Moment.read(str(Moment(3, time(23, 59, 59)))) == Moment(3, time(23, 59, 59))


def test_a_cohort_that_starts_on_a_wednesday_is_refused():
    with pytest.raises(ScheduleError, match="starts on a Sat"):
        calendar(date(2025, 9, 3), YANGON, enrolment_opens_at=ENROLMENT)


def test_a_time_that_the_clock_skips_is_taken_as_if_it_had_not_been_moved():
    berlin = ZoneInfo("Europe/Berlin")  # 2025-03-30: 02:00 becomes 03:00
    assert instant(datetime(2025, 3, 30, 2, 30), berlin) == datetime(2025, 3, 30, 1, 30, tzinfo=UTC)
    assert instant(datetime(2025, 3, 30, 2, 30), berlin, deadline=True) == datetime(2025, 3, 30, 1, 30, tzinfo=UTC)


def test_of_a_time_that_comes_twice_a_deadline_is_the_second_and_anything_else_the_first():
    berlin = ZoneInfo("Europe/Berlin")  # 2025-10-26: 03:00 becomes 02:00
    assert instant(datetime(2025, 10, 26, 2, 30), berlin) == datetime(2025, 10, 26, 0, 30, tzinfo=UTC)
    assert instant(datetime(2025, 10, 26, 2, 30), berlin, deadline=True) == datetime(2025, 10, 26, 1, 30, tzinfo=UTC)


saturdays = st.integers(min_value=0, max_value=52 * 35).map(lambda n: date(2001, 1, 6) + timedelta(weeks=n))
zones = st.sampled_from(ZONES).map(ZoneInfo)


@given(saturdays, zones)
def test_in_any_zone_every_week_opens_then_is_due_then_comes_back(start_on, zone):
    opens = datetime.combine(start_on - timedelta(days=7), time(), tzinfo=UTC)
    told = calendar(start_on, zone, enrolment_opens_at=opens)
    for week in told[1:-1]:
        assert week.released_at < week.due_at < week.feedback_at <= week.session_at
    openings = [week.released_at for week in told]
    assert openings == sorted(openings)
    assert told[-1].number == OPTIONAL


@given(saturdays, zones)
def test_in_any_zone_dates_read_on_the_wall_what_the_rhythm_says(start_on, zone):
    """Except in the night of a clock change, which the course's own hours meet only where a whole day is left out."""
    told = calendar(start_on, zone, enrolment_opens_at=datetime(2000, 1, 1, tzinfo=UTC))
    for number, week in enumerate(told[1:-1], start=1):
        saturday = start_on + timedelta(weeks=number)
        if date(2011, 12, 30) in [saturday - timedelta(days=n) for n in range(6)] and zone.key == "Pacific/Apia":
            continue
        for at, day, clock in (
            (week.released_at, saturday - timedelta(days=5), time(21)),
            (week.due_at, saturday - timedelta(days=2), time(23, 59, 59)),
            (week.session_at, saturday, time(9)),
        ):
            wall = at.astimezone(zone)
            assert (wall.date(), wall.time()) == (day, clock)


@given(saturdays, zones, st.timedeltas(min_value=timedelta(days=-9), max_value=timedelta(days=40)))
def test_what_is_released_stays_released_and_the_current_week_never_falls(start_on, zone, offset):
    told = calendar(start_on, zone, enrolment_opens_at=datetime(2000, 1, 1, tzinfo=UTC))
    now = datetime.combine(start_on, time(), tzinfo=UTC) + offset
    later = now + timedelta(hours=1)
    assert {w.number for w in told if is_released(w, now)} <= {w.number for w in told if is_released(w, later)}
    assert current_week(told, now) <= current_week(told, later)


@given(saturdays, zones, zones, st.timedeltas(min_value=timedelta(days=-3), max_value=timedelta(days=33)))
def test_a_reader_anywhere_sees_each_event_on_exactly_one_day(start_on, zone, readers, offset):
    told = calendar(start_on, zone, enrolment_opens_at=datetime.combine(start_on, time(), tzinfo=UTC))
    now = datetime.combine(start_on, time(), tzinfo=UTC) + offset
    shown = days(told, start_on - timedelta(days=7), 60, readers, now)
    assert [event for day in shown for event in sorted(day.events, key=lambda e: (e.at, e.number))] == events(told)
    assert sum(day.is_today for day in shown) == 1


@pytest.mark.parametrize(
    "after, points",
    [
        (timedelta(microseconds=999_999), 0),
        (timedelta(seconds=1), 2),
        (timedelta(days=1), 2),
        (timedelta(days=1, seconds=1), 4),
        (timedelta(days=30), 10),
    ],
)
def test_points_come_off_for_each_day_that_has_begun_and_never_more_than_there_are(after, points):
    due = datetime(2025, 9, 18, 23, 59, 59, tzinfo=YANGON)
    assert late_points(due + after, due, 2, 10) == points
    assert late_points(due + after, None, 2, 10) == 0
