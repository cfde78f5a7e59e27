"""What would become of dates that were told: a week moved, one date set anew, a holiday. Pure: no database, no clock.

It begins from what was told, not from the rhythm: what was announced is what people wrote into their calendars. What is
past stays as it was. Moves are by days of the cohort's clock: 21:00 stays 21:00 over a change to summer time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from labs.day_words import written_day
from portal.schedule import FIELDS, OPTIONAL, Change, Dates, Rhythm, ScheduleError, calendar, events, instant

MOST_DAYS = 90
# A course that meets more holidays than this in a row is not one that the rhythm can carry.
MOST_WEEKS = 12


@dataclass(frozen=True)
class Moved:
    """One date that was told and is to be another. kind: of schedule.FIELDS."""

    number: int
    kind: str
    was: datetime
    becomes: datetime


@dataclass(frozen=True)
class Days:
    """A holiday: days of the cohort's zone, both of them included."""

    first: date
    last: date
    name: str

    def has(self, at: datetime, zone: ZoneInfo) -> bool:
        return self.first <= at.astimezone(zone).date() <= self.last


def shifted(at: datetime, days: int, zone: ZoneInfo, *, deadline=False) -> datetime:
    """The same time by the clock of `zone`, `days` later: not always days x 24 hours."""
    local = at.astimezone(zone).replace(tzinfo=None) + timedelta(days=days)
    return instant(local, zone, deadline=deadline)


def move_week(told: Sequence[Dates], number: int, days: int, following: bool, zone: ZoneInfo, now: datetime):
    """The Moveds of a week moved by `days`, alone or with all that follow; what is past stays.

    Raises ScheduleError, in words for the person who asked, when that cannot be.
    """
    if not days or abs(days) > MOST_DAYS:
        words = _("Write by how many days the week moves: 1 to %(most)s, or less than zero for earlier.")
        raise ScheduleError(words % {"most": MOST_DAYS})
    if number not in [dates.number for dates in told]:
        raise ScheduleError(_("There is no such week in this cohort."))
    moves = [
        Moved(event.number, event.kind, event.at, shifted(event.at, days, zone, deadline=event.kind == "due"))
        for event in events(told)
        if event.at > now and (event.number == number or (following and event.number > number))
    ]
    return _judged(told, _with_what_goes_along(told, moves, now), zone, now)


def set_date(told: Sequence[Dates], number: int, kind: str, local: datetime, zone: ZoneInfo, now: datetime):
    """The Moveds of one date set anew to `local`, a wall-clock time of `zone`. Feedback that was told for the live
    session's hour goes with the session. Raises ScheduleError."""
    dates = next((dates for dates in told if dates.number == number), None)
    was = dates and kind in FIELDS and getattr(dates, FIELDS[kind])
    if not was:
        raise ScheduleError(_("This week has no such date."))
    if was <= now:
        raise ScheduleError(_("That date is past. What has happened stays as it was told."))
    becomes = instant(local, zone, deadline=kind == "due")
    moves = [Moved(number, kind, was, becomes)]
    if kind == "session" and dates.feedback_at == was:
        moves.append(Moved(number, "feedback", was, becomes))
    return _judged(told, _with_what_goes_along(told, moves, now), zone, now)


def clear_of(holidays: Sequence[Days], told: Sequence[Dates], zone: ZoneInfo, now: datetime):
    """The Moveds by which no date that is to come lies on one of the holidays: each week that meets one moves by whole
    weeks, with all that follow. Empty when none does. Raises ScheduleError."""
    moves: dict[tuple[int, str], Moved] = {}
    after = list(told)
    for _turn in range(MOST_WEEKS):
        meets = next((e for e in events(after) if e.at > now and _on(holidays, e.at, zone)), None)
        if meets is None:
            return _judged(told, [one for one in moves.values() if one.was != one.becomes], zone, now)
        # Optional lectures open with the closing session: it is that week which has to move.
        number = meets.number if meets.number != OPTIONAL else max(d.number for d in after if d.number != OPTIONAL)
        for one in move_week(after, number, 7, True, zone, now):
            first = moves.get((one.number, one.kind), one)
            moves[one.number, one.kind] = replace(one, was=first.was)
        after = applied(after, moves.values())
    raise ScheduleError(_("There is no week without a holiday to move to. Move the weeks by hand."))


def around(holidays: Sequence[Days], start_on: date, zone: ZoneInfo, rhythm: Rhythm, weeks: int) -> list[Change]:
    """The Changes by which a new cohort's weeks keep clear of holidays: a taught week that meets one comes a week
    later, and all that follow. Raises ScheduleError."""
    opens = datetime.combine(start_on, datetime.min.time(), zone)
    changes: list[Change] = []
    for _turn in range(MOST_WEEKS):
        planned = calendar(start_on, zone, enrolment_opens_at=opens, rhythm=rhythm, changes=changes, weeks=weeks)
        meets = next(
            (e for e in events(planned) if 0 < e.number != OPTIONAL and _on(holidays, e.at, zone)),
            None,
        )
        if meets is None:
            return changes
        why = next(one.name for one in holidays if one.has(meets.at, zone))
        changes.append(Change(meets.number, 7, True, why))
    raise ScheduleError(_("These holidays leave no week for the course. Begin on another day."))


def applied(told: Sequence[Dates], moves: Iterable[Moved]) -> list[Dates]:
    """The dates as they would be told."""
    by_week: dict[int, dict] = {}
    for one in moves:
        by_week.setdefault(one.number, {})[FIELDS[one.kind]] = one.becomes
    return [replace(dates, **by_week.get(dates.number, {})) for dates in told]


def _on(holidays, at, zone):
    return any(one.has(at, zone) for one in holidays)


def _with_what_goes_along(told, moves, now):
    """Optional lectures open at the closing session, also when only that one moves."""
    optional = next((dates for dates in told if dates.number == OPTIONAL), None)
    if optional is None or optional.released_at <= now:
        return moves
    closing = max((d for d in told if d.number != OPTIONAL), key=lambda d: d.number, default=None)
    leads = next((m for m in moves if closing and m.number == closing.number and m.kind == "session"), None)
    along = [m for m in moves if m.number == OPTIONAL]
    if leads and not along and optional.released_at == leads.was:
        return [*moves, Moved(OPTIONAL, "release", leads.was, leads.becomes)]
    return moves


def _judged(told, moves, zone, now):
    """The moves in order of time. Raises ScheduleError when one would lie in the past, or a week be upside down."""
    kinds = list(FIELDS)
    moves = [one for one in moves if one.was != one.becomes]
    moves.sort(key=lambda one: (one.was, one.number, kinds.index(one.kind)))
    early = next((one for one in moves if one.becomes <= now), None)
    if early:
        local = early.becomes.astimezone(zone)
        words = _("%(day)s, %(time)s is past already; a date only moves to one that is to come.")
        raise ScheduleError(words % {"day": written_day(local), "time": f"{local:%H:%M}"})
    touched = {one.number for one in moves}
    for dates in applied(told, moves):
        order = [at for at in (dates.released_at, dates.due_at, dates.feedback_at) if at is not None]
        if dates.number in touched and order != sorted(set(order)):
            words = _(
                "Week %(week)s would be upside down: it opens first, then the case study is due, "
                "then comes the feedback."
            )
            raise ScheduleError(words % {"week": dates.number})
    return moves


def remarks(told: Sequence[Dates], moves: Sequence[Moved], holidays: Sequence[Days], rhythm: Rhythm, zone: ZoneInfo):
    """What whoever decides should know of the dates that would be: sentences, each once."""
    after = applied(told, moves)
    touched = {one.number for one in moves}
    said = []
    days: dict[date, int] = {}
    for dates in after:
        if dates.session_at is None:
            continue
        day = dates.session_at.astimezone(zone).date()
        if day in days and touched & {dates.number, days[day]}:
            words = _("The live sessions of week %(week)s and week %(other)s would be on one day.")
            said.append(words % {"week": days[day], "other": dates.number})
        days.setdefault(day, dates.number)
    taught = [dates for dates in after if dates.due_at is not None]
    for one, following in zip(taught, taught[1:], strict=False):
        if touched & {one.number, following.number} and following.released_at <= one.due_at:
            words = _("Week %(following)s would open before the case study of week %(week)s is due.")
            said.append(words % {"following": following.number, "week": one.number})
    for move in moves:
        local = move.becomes.astimezone(zone)
        name = next((one.name for one in holidays if one.has(move.becomes, zone)), "")
        if name:
            said.append(_("%(day)s is a holiday (%(name)s).") % {"day": written_day(local), "name": name})
        if move.kind == "session" and local.time() != rhythm.session.at:
            words = _("The live session of week %(week)s would begin at %(time)s, not at %(usual)s.")
            facts = {"week": move.number, "time": f"{local:%H:%M}", "usual": f"{rhythm.session.at:%H:%M}"}
            said.append(words % facts)
    return list(dict.fromkeys(said))
