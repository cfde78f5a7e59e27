"""States take time, as at AWS: what was asked for shows a state on the way first, and what was deleted leaves later.

moto answers the final state at once. A `Timed` attribute sits over a status of moto's and shows, for `pace.seconds`
after it was set, the state that AWS shows on the way; `later` is for what happens at the end of it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Any

WORK_SECONDS = 90.0  # of a job that nobody stops, for whom nothing else is said: AWS takes minutes to hours


class Pace:
    """How long things take, in seconds. One for the process: moto's world is one for the process too."""

    def __init__(self) -> None:
        self.seconds = 0.0
        # How long a terminated instance is still listed: AWS takes about an hour.
        self.listed_seconds = 60.0
        # How far the clock on the wall is ahead of the true time. Apart from what states have skipped: a test puts this
        # clock right again, and what had come to its end must not begin anew by it.
        self.ahead_seconds = 0.0
        self.work_seconds = WORK_SECONDS
        self._skipped = 0.0

    def now(self) -> float:
        """Seconds since some instant; runs on with the wall clock and jumps when time is let pass."""
        return time.monotonic() + self._skipped

    def wall(self) -> datetime:
        """What the clock on the wall shows here, aware UTC: by it schedules fire. Jumps when time is let pass."""
        return datetime.now(UTC) + timedelta(seconds=self.ahead_seconds)

    def instant(self) -> datetime:
        """The same without a zone, as moto has it."""
        return self.wall().replace(tzinfo=None)

    def let_pass(self, seconds: float) -> None:
        """As if so many seconds had gone by: tests need not wait for a state or a schedule."""
        self._skipped += seconds
        self.ahead_seconds += seconds

    def forget_what_passed(self) -> None:
        self._skipped = 0.0

    def is_on_the_way(self, since: float) -> bool:
        return self.now() < since + self.seconds


pace = Pace()


class Timed:
    """A status that is seen on its way: Timed({"running": "pending"}) reads "pending" for a while after being set."""

    def __init__(self, name: str, on_the_way: Mapping[str, str]):
        self.slot, self.on_the_way = f"_timed_{name}", on_the_way

    def __set__(self, thing: Any, value: str) -> None:
        thing.__dict__[self.slot] = (value, pace.now())

    def arrive(self, thing: Any, value: str) -> None:
        """Set without a way: it is seen at once."""
        thing.__dict__[self.slot] = (value, float("-inf"))

    def __get__(self, thing: Any, owner: type | None = None) -> Any:
        if thing is None:
            return self
        value, since = thing.__dict__[self.slot]
        return self.on_the_way.get(value, value) if pace.is_on_the_way(since) else value


def make_timed(owner: type, name: str, on_the_way: Mapping[str, str]) -> None:
    """Lay a Timed status over attribute `name` of a class of moto's."""
    setattr(owner, name, Timed(name, on_the_way))


_Agenda = deque[tuple[float, Callable[[], Any]]]
_when_the_state_ends: _Agenda = deque()
_when_no_longer_listed: _Agenda = deque()
# Soonest first; of what is due at the same time, what was written down first.
_at_its_time: list[tuple[float, int, Callable[[], Any]]] = []
_written = count()


def later(act: Callable[[], Any]) -> None:
    """Do `act` when pace.seconds have gone by; done by the first call that comes after."""
    _when_the_state_ends.append((pace.now(), act))


def by_way_of(thing: Any, name: str, on_the_way: str, at_last: str) -> None:
    """Set attribute `name` to what AWS shows on the way, and in a while to `at_last`, unless something else sets it
    first. For a status whose way depends on where it comes from (starting or creating, then available)."""
    if not pace.seconds:
        setattr(thing, name, at_last)
        return

    def arrive() -> None:
        if getattr(thing, name) == on_the_way:
            setattr(thing, name, at_last)

    setattr(thing, name, on_the_way)
    later(arrive)


def later_than_listed(act: Callable[[], Any]) -> None:
    """Do `act` when what has ended has also been listed for its while."""
    _when_no_longer_listed.append((pace.now(), act))


def after(seconds: float, act: Callable[[], Any]) -> None:
    """Do `act` when so many seconds have gone by; at the first call that comes then."""
    heappush(_at_its_time, (pace.now() + seconds, next(_written), act))


def do_what_is_due() -> None:
    """Everything on the agenda whose time has come. The gate calls it under its lock before every call."""
    for agenda, seconds in (
        (_when_the_state_ends, pace.seconds),
        (_when_no_longer_listed, pace.seconds + pace.listed_seconds),
    ):
        while agenda and agenda[0][0] + seconds <= pace.now():
            agenda.popleft()[1]()
    while _at_its_time and _at_its_time[0][0] <= pace.now():
        heappop(_at_its_time)[2]()


def forget_agenda() -> None:
    _when_the_state_ends.clear()
    _when_no_longer_listed.clear()
    _at_its_time.clear()
