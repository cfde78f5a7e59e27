"""States take time, as at AWS: what was asked for shows a state on the way first, and what was deleted leaves later.

moto answers the final state at once. A `Timed` attribute sits over a status of moto's and shows, for `pace.seconds`
after it was set, the state that AWS shows on the way; `later` is for what happens at the end of it.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable, Mapping
from typing import Any


class Pace:
    """How long a state takes, in seconds. One for the process: moto's world is one for the process too."""

    def __init__(self) -> None:
        self.seconds = 0.0


pace = Pace()


class Timed:
    """A status that is seen on its way: Timed({"running": "pending"}) reads "pending" for a while after being set.

    The value last set is what moto decides by, and lies under `settled`.
    """

    def __init__(self, on_the_way: Mapping[str, str]):
        self.on_the_way = on_the_way

    def __set_name__(self, owner: type, name: str) -> None:
        self.slot = f"_timed_{name}"

    def __set__(self, thing: Any, value: str) -> None:
        thing.__dict__[self.slot] = (value, time.monotonic())

    def __get__(self, thing: Any, owner: type | None = None) -> Any:
        if thing is None:
            return self
        value, since = thing.__dict__[self.slot]
        return self.on_the_way.get(value, value) if time.monotonic() < since + pace.seconds else value


def make_timed(owner: type, name: str, on_the_way: Mapping[str, str]) -> None:
    """Lay a Timed status over attribute `name` of a class of moto's."""
    status = Timed(on_the_way)
    status.__set_name__(owner, name)
    setattr(owner, name, status)


_agenda: list[tuple[float, int, Callable[[], Any]]] = []
_order = itertools.count()


def later(act: Callable[[], Any], *, times: float = 1.0) -> None:
    """Do `act` when `times` x pace.seconds have gone by; done by the first call that comes after."""
    heapq.heappush(_agenda, (time.monotonic() + times * pace.seconds, next(_order), act))


def do_what_is_due() -> None:
    """Everything on the agenda whose time has come, in order. The gate calls it under its lock before every call."""
    while _agenda and _agenda[0][0] <= time.monotonic():
        heapq.heappop(_agenda)[2]()


def forget_agenda() -> None:
    _agenda.clear()
