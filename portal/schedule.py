"""The weekly rhythm as data, and a calendar over it. Pure: no database, no clock; `now` is an argument.

A week of the course is a calendar week of the cohort's zone: it opens on Monday evening, its case study is due on
Thursday night, feedback is prepared on Friday, Saturday is live, Sunday is free. `calendar()` computes a cohort's dates
from its first Saturday; what was told is then stored (CohortWeek), and all that stands below `calendar()` reads that.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

ONBOARDING = 0
OPTIONAL = 5
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SECOND = timedelta(seconds=1)
# What may be told of a week, in the order in which it happens, and where Dates keeps it.
FIELDS = {"release": "released_at", "due": "due_at", "feedback": "feedback_at", "session": "session_at"}
A_SESSION = timedelta(hours=3)
JOIN_BEFORE = timedelta(hours=1)


class ScheduleError(ValueError):
    """A rhythm or an exception that cannot be read; the message says which part and how to write it."""


@dataclass(frozen=True)
class Moment:
    """A weekday (0 is Monday) and a wall-clock time of the cohort's zone."""

    weekday: int
    at: time

    @classmethod
    def read(cls, text):
        """'Thu 23:59:59' or 'Mon 21:00'."""
        try:
            day, clock = text.split()
            return cls(DAYS.index(day), time.fromisoformat(clock))
        except (ValueError, AttributeError) as unread:
            raise ScheduleError(
                _("%(text)s is not a weekday and a time. Write it as in 'Thu 23:59:59'.") % {"text": repr(text)}
            ) from unread

    def __str__(self):
        return f"{DAYS[self.weekday]} {self.at.isoformat()}"


@dataclass(frozen=True)
class Rhythm:
    release: Moment = Moment(0, time(21))
    due: Moment = Moment(3, time(23, 59, 59))
    # Prepared on the Friday; students are told that it comes with the live session.
    feedback: Moment = Moment(5, time(9))
    session: Moment = Moment(5, time(9))

    @classmethod
    def read(cls, differences):
        """From {"due": "Wed 23:59:59"}: what is not named keeps the course's own rhythm. Raises ScheduleError."""
        if not isinstance(differences, dict):
            raise ScheduleError(_('A rhythm is written as in {"due": "Wed 23:59:59"}, or {} for the course\'s own.'))
        unknown = set(differences) - set(cls.__dataclass_fields__)
        if unknown:
            raise ScheduleError(
                _("A rhythm has no %(names)s: it has release, due, feedback, session.")
                % {"names": ", ".join(sorted(unknown))}
            )
        rhythm = cls(**{name: Moment.read(text) for name, text in differences.items()})
        places = [(moment.weekday, moment.at) for moment in (rhythm.release, rhythm.due, rhythm.feedback)]
        if places != sorted(set(places)):
            raise ScheduleError(_("In a week the release comes first, then the deadline, then the feedback."))
        return rhythm


@dataclass(frozen=True)
class Change:
    """An exception: a week moved by days, alone or with all that follow, or single dates set anew (local, naive)."""

    week: int
    days: int = 0
    following: bool = False
    why: str = ""
    at: dict[str, datetime] = field(default_factory=dict)

    @classmethod
    def read(cls, entry):
        """From {"week": 3, "days": 7, "following": true} or {"week": 3, "session": "2025-09-27T13:00"}."""
        try:
            kept = dict(entry)
            at = {name: datetime.fromisoformat(kept.pop(name)) for name in Rhythm.__dataclass_fields__ if name in kept}
            change = cls(at=at, **kept)
        except (TypeError, ValueError) as unread:
            raise ScheduleError(_("This exception cannot be read: %(entry)s.") % {"entry": repr(entry)}) from unread
        if any(local.tzinfo for local in at.values()):
            raise ScheduleError(
                _("Times in an exception are the cohort's own, without an offset: %(entry)s.") % {"entry": repr(entry)}
            )
        return change


def read_changes(entries):
    """The Changes of a list of entries. Raises ScheduleError."""
    if not isinstance(entries, list):
        raise ScheduleError(_('Exceptions are a list, as in [{"week": 3, "days": 7}], or [] for none.'))
    return [Change.read(entry) for entry in entries]


@dataclass(frozen=True)
class Dates:
    """What a cohort is told about one week: aware instants in UTC. None where the week has no such thing."""

    number: int
    released_at: datetime
    due_at: datetime | None = None
    feedback_at: datetime | None = None
    session_at: datetime | None = None


def instant(local: datetime, zone: ZoneInfo, *, deadline=False) -> datetime:
    """The UTC instant of a wall-clock time, also where the clock is moved that night.

    A time that the clock skips is taken as if it had not been moved yet: 02:30 of a skipped hour is 03:30. Of a time
    that the clock shows twice, a deadline is the second and anything else the first: nobody is late by their own clock.
    """
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return max(first, second) if deadline else first


def calendar(
    start_on: date,
    zone: ZoneInfo,
    *,
    enrolment_opens_at: datetime,
    rhythm: Rhythm | None = None,
    changes: Iterable[Change] = (),
    weeks: int = 4,
) -> list[Dates]:
    """Dates of onboarding, of weeks 1 to `weeks` and of the optional lectures of a cohort that starts on `start_on`.

    Onboarding is open from enrolment, the optional lectures from the closing session. Raises ScheduleError when
    `start_on` is not a day of the live session.
    """
    rhythm = rhythm or Rhythm()
    changes = list(changes)
    if start_on.weekday() != rhythm.session.weekday:
        raise ScheduleError(
            _("A cohort starts on a %(day)s: %(date)s is not one.")
            % {"day": DAYS[rhythm.session.weekday], "date": start_on}
        )
    first_monday = start_on - timedelta(days=start_on.weekday())

    def at(number, name):
        moment = getattr(rhythm, name)
        days = sum(c.days for c in changes if c.week == number or (c.following and c.week < number))
        local = datetime.combine(first_monday + timedelta(days=7 * number + moment.weekday + days), moment.at)
        for change in changes:
            if change.week == number and name in change.at:
                local = change.at[name]
        return instant(local, zone, deadline=name == "due")

    onboarding = Dates(ONBOARDING, enrolment_opens_at.astimezone(UTC), session_at=at(ONBOARDING, "session"))
    taught = [
        Dates(number, at(number, "release"), at(number, "due"), at(number, "feedback"), at(number, "session"))
        for number in range(1, weeks + 1)
    ]
    optional = Dates(OPTIONAL, (taught[-1] if taught else onboarding).session_at)
    return [onboarding, *taught, optional]


def is_released(dates: Dates, now: datetime) -> bool:
    return dates.released_at <= now


def is_late(at: datetime, due_at: datetime | None) -> bool:
    """Whether what arrives at `at` misses the deadline. The announced second counts in full: 23:59:59.9 is on time."""
    return due_at is not None and at >= due_at + SECOND


def live_state(session_at: datetime | None, now: datetime) -> str:
    """ "none", "ahead", "open" (to be joined: from an hour before) or "over" (three hours after its beginning)."""
    if session_at is None:
        return "none"
    if now < session_at - JOIN_BEFORE:
        return "ahead"
    return "open" if now < session_at + A_SESSION else "over"


def late_points(at: datetime, due_at: datetime | None, a_day: int, most: int) -> int:
    """What comes off for work of `at`: `a_day` points for each day after the deadline or part of one, up to `most`."""
    if due_at is None or not is_late(at, due_at):
        return 0
    days_begun = (at - due_at - SECOND) // timedelta(days=1) + 1
    return min(a_day * days_begun, most)


def time_left(due_at: datetime, now: datetime) -> timedelta:
    """Until the last instant that is on time; never negative."""
    return max(due_at + SECOND - now, timedelta(0))


def current_week(weeks: Sequence[Dates], now: datetime) -> int | None:
    """The number of the taught week (or onboarding) that was released last; None before enrolment opens."""
    numbers = [dates.number for dates in weeks if dates.number != OPTIONAL and is_released(dates, now)]
    return max(numbers, default=None)


@dataclass(frozen=True)
class Event:
    at: datetime
    kind: str  # release, due, feedback, session
    number: int


def events(weeks: Iterable[Dates]) -> list[Event]:
    """Everything that was told, in order of time."""
    told = []
    for dates in weeks:
        for kind, field_name in FIELDS.items():
            at = getattr(dates, field_name)
            if at is not None:
                told.append(Event(at, kind, dates.number))
    return sorted(told, key=lambda event: (event.at, event.number))


@dataclass(frozen=True)
class Day:
    """A day of the reader's calendar and what it means. `means` is study, feedback, free or events (then they tell)."""

    date: date
    events: tuple[Event, ...]
    means: str
    is_today: bool
    is_past: bool


def days(weeks: Sequence[Dates], first: date, count: int, zone: ZoneInfo, now: datetime) -> list[Day]:
    """`count` days from `first` on, as days of `zone`: the reader's, so a Thursday night may be their Friday."""
    told = events(weeks)
    today = now.astimezone(zone).date()
    found = []
    for offset in range(count):
        day = first + timedelta(days=offset)
        on_it = tuple(event for event in told if event.at.astimezone(zone).date() == day)
        means = "events" if on_it else _quiet_day(weeks, day, zone)
        found.append(Day(day, on_it, means, is_today=day == today, is_past=day < today))
    return found


def _quiet_day(weeks, day, zone):
    for dates in weeks:
        if dates.due_at is None or dates.feedback_at is None:
            continue
        opens, due, back = (at.astimezone(zone).date() for at in (dates.released_at, dates.due_at, dates.feedback_at))
        if opens < day < due:
            return "study"
        if due < day < back:
            return "feedback"
    return "free"


def this_week(weeks: Sequence[Dates], zone: ZoneInfo, now: datetime) -> list[Day]:
    """Monday to Sunday of the reader's week that holds `now`."""
    today = now.astimezone(zone).date()
    return days(weeks, today - timedelta(days=today.weekday()), 7, zone, now)
