"""PURE: when a schedule is due. AWS's expressions: at(...) once, rate(...) ever again, cron(...) by the calendar.

Each of the three answers `first_after(after, since)`: the first instant after `after`, aware UTC; None when there is
none. since: when the schedule began, from which rates count. Zones are IANA's; EventBridge's rules are always in UTC.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)\)")
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\(([^()]+)\)")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_YEARS = (1970, 2199)  # what AWS takes
# No rule of the calendar comes back later: 29 February, over a century that is no leap year.
_LOOKED_AHEAD = timedelta(days=366 * 9)


class BadExpression(ValueError):
    """Not an expression of AWS's, or not a zone. `str()` says what is wrong."""


@dataclass(frozen=True)
class At:
    instant: datetime

    def first_after(self, after: datetime, since: datetime) -> datetime | None:
        return self.instant if self.instant > after else None


@dataclass(frozen=True)
class Rate:
    every: timedelta

    def first_after(self, after: datetime, since: datetime) -> datetime:
        """`since` itself, or a whole number of times later."""
        times = (after - since) // self.every + 1 if after >= since else 0
        return since + times * self.every


@dataclass(frozen=True)
class Cron:
    """Minutes and so on that fit; days: the fields day-of-month and day-of-week, one of which is '?'."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: tuple[int, ...]
    years: tuple[int, ...]
    day_of_month: str
    day_of_week: str
    zone: ZoneInfo

    def first_after(self, after: datetime, since: datetime) -> datetime | None:
        day = after.astimezone(self.zone).date()
        last = min(day + _LOOKED_AHEAD, date(_YEARS[1], 12, 30))
        while day <= last:
            if day.year in self.years and day.month in self.months and self._fits(day):
                for instant in self._instants(day):
                    if instant > after:
                        return instant
            day += timedelta(days=1)
        return None

    def _instants(self, day: date) -> Iterator[datetime]:
        for hour in self.hours:
            for minute in self.minutes:
                local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone)
                instant = local.astimezone(UTC)
                # An hour that daylight saving leaves out has no such minute; one that it repeats counts once.
                if instant.astimezone(self.zone).replace(fold=0) == local:
                    yield instant

    def _fits(self, day: date) -> bool:
        if self.day_of_week == "?":
            return _fits_month(self.day_of_month, day)
        return _fits_week(self.day_of_week, day)


def read(expression: str, zone: str = "UTC") -> At | Rate | Cron:
    """The expression understood. Raises BadExpression."""
    try:
        place = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadExpression(f"{zone} is not a time zone") from error
    if found := _AT.fullmatch(expression):
        try:
            return At(datetime.fromisoformat(found[1]).replace(tzinfo=place).astimezone(UTC))
        except ValueError as error:
            raise BadExpression(f"{found[1]} is not a date and time") from error
    if found := _RATE.fullmatch(expression):
        if int(found[1]) < 1:
            raise BadExpression("a rate is of at least one")
        return Rate(timedelta(**{f"{found[2]}s": int(found[1])}))
    if found := _CRON.fullmatch(expression):
        return _cron(found[1].upper().split(), place)
    raise BadExpression(f"{expression} is neither at(...) nor rate(...) nor cron(...)")


def _cron(fields: list[str], zone: ZoneInfo) -> Cron:
    if len(fields) != 6:
        raise BadExpression("cron has six fields: minutes, hours, day of month, month, day of week, year")
    minutes, hours, day_of_month, month, day_of_week, year = fields
    if (day_of_month == "?") == (day_of_week == "?"):
        raise BadExpression("one of day of month and day of week is ?, and the other is not")
    made = Cron(
        _numbers(minutes, 0, 59),
        _numbers(hours, 0, 23),
        _numbers(month, 1, 12, _MONTHS),
        _numbers(year, *_YEARS),
        day_of_month,
        day_of_week,
        zone,
    )
    made._fits(date(2024, 1, 1))  # says now what cannot be read
    return made


def _numbers(field: str, low: int, high: int, names: tuple[str, ...] = ()) -> tuple[int, ...]:
    """The numbers that a field stands for: "*", "5", "1-5", "0/15", "MON-FRI", and lists of these."""
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        if span == "*":
            begin, end = low, high
        else:
            begin = _number(first, names, low)
            end = _number(last, names, low) if dash else high if slash else begin
        if not (low <= begin <= end <= high) or (slash and not (step.isdigit() and int(step))):
            raise BadExpression(f"{part} is not within {low} to {high}")
        found.update(range(begin, end + 1, int(step or 1)))
    return tuple(sorted(found))


def _number(text: str, names: tuple[str, ...], low: int) -> int:
    if text in names:
        return names.index(text) + low
    if not text.isdigit():
        raise BadExpression(f"{text or 'nothing'} is not a number")
    return int(text)


def _fits_month(field: str, day: date) -> bool:
    """A day-of-month field: numbers, L (the last day), 15W (the weekday that is nearest to the 15th)."""
    last = monthrange(day.year, day.month)[1]
    if field == "L":
        return day.day == last
    if field.endswith("W"):
        wanted = day.replace(day=min(_number(field[:-1], (), 1) or 1, last))
        off = {5: -1, 6: 1}.get(wanted.weekday(), 0)
        nearest = wanted + timedelta(days=off)
        if nearest.month != day.month:  # never over the end of the month: two days the other way
            nearest = wanted - timedelta(days=2 * off)
        return day == nearest
    return day.day in _numbers(field, 1, 31)


def _fits_week(field: str, day: date) -> bool:
    """A day-of-week field: 1 is Sunday. 6L is the month's last Friday, L alone any Saturday; 3#2 its second Tuesday."""
    weekday = day.isoweekday() % 7 + 1
    if field == "L":
        return weekday == 7
    if field.endswith("L"):
        is_last = day.day + 7 > monthrange(day.year, day.month)[1]
        return weekday == _number(field[:-1], _WEEKDAYS, 1) and is_last
    if "#" in field:
        which, _, nth = field.partition("#")
        return weekday == _number(which, _WEEKDAYS, 1) and (day.day - 1) // 7 + 1 == _number(nth, (), 1)
    return weekday in _numbers(field, 1, 7, _WEEKDAYS)
