"""Faults on purpose: error codes, delays and cut connections, by service and operation, so that tests can meet them."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from labs.simulator.call import Call

BEFORE, AFTER = "before", "after"


class BadRule(ValueError):
    """A rule that says nothing, or something unknown. `str()` names it."""


@dataclass
class Rule:
    """One fault. service, operation, account and region are regular expressions that must match whole.

    skip: so many matching calls pass first. times: so many are then hit; None means all. delay: seconds slept before
    anything else. code, status, message: the error answered instead of carrying the call out. drop: "before" cuts the
    connection without carrying the call out; "after" carries it out and then cuts, which is the time-out after success.
    """

    service: str = ".*"
    operation: str = ".*"
    account: str = ".*"
    region: str = ".*"
    code: str = ""
    message: str = "Put in its way on purpose."
    status: int = 400
    delay: float = 0.0
    drop: str = ""
    times: int | None = 1
    skip: int = 0

    def __post_init__(self) -> None:
        if not (self.code or self.delay or self.drop):
            raise BadRule("a fault needs a code, a delay or a drop")
        if self.drop not in ("", BEFORE, AFTER):
            raise BadRule(f"drop is {BEFORE!r} or {AFTER!r}, not {self.drop!r}")

    def matches(self, call: Call) -> bool:
        return all(
            re.fullmatch(pattern, value)
            for pattern, value in (
                (self.service, call.service),
                (self.operation, call.operation),
                (self.account, call.account),
                (self.region, call.region),
            )
        )


class Faults:
    """The rules in force, in order. The first that matches and is not used up is the one."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._lock = threading.Lock()

    def set(self, rules: Iterable[Mapping[str, Any]]) -> None:
        """Replace all rules. Raises BadRule and then leaves those that were."""
        try:
            made = [Rule(**rule) for rule in rules]
        except TypeError as error:
            raise BadRule(str(error)) from error
        with self._lock:
            self._rules = made

    def hit(self, call: Call) -> Rule | None:
        """The fault that this call meets, and count it; None for nearly all calls."""
        with self._lock:
            for rule in self._rules:
                if rule.times == 0 or not rule.matches(call):
                    continue
                if rule.skip:
                    rule.skip -= 1
                    continue
                if rule.times is not None:
                    rule.times -= 1
                return rule
        return None
