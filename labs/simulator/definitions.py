"""PURE: what AWS sees at once in the definition of a state machine: a way that leads nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_ENDS = ("Succeed", "Fail")


def dead_ends(machine: Mapping[str, Any], where: str = "") -> Iterator[str]:
    """Every fault in words, as AWS words it; nothing for a definition whose states all lead on or end."""
    states = machine.get("States") or {}
    if machine.get("StartAt") not in states:
        yield f"MISSING_TRANSITION_TARGET: Missing 'StartAt' target: {machine.get('StartAt')} at {where}/StartAt"
    for name, state in states.items():
        at = f"{where}/States/{name}"
        for member, target in _targets(state):
            if target not in states:
                yield f"MISSING_TRANSITION_TARGET: Missing '{member}' target: {target} at {at}/{member}"
        leads_on = "Next" in state or state.get("End") or state.get("Type") in (*_ENDS, "Choice")
        if not leads_on:
            yield f"SCHEMA_VALIDATION_FAILED: the state has neither Next nor End at {at}"
        inner = [*state.get("Branches", ()), *(state[key] for key in ("ItemProcessor", "Iterator") if key in state)]
        for each in inner:
            yield from dead_ends(each, at)


def _targets(state: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(member, the state that it names) of every way out of a state."""
    for member in ("Next", "Default"):
        if member in state:
            yield member, state[member]
    for way in [*state.get("Choices", ()), *state.get("Catch", ())]:
        if "Next" in way:
            yield "Next", way["Next"]
