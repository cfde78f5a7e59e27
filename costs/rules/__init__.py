"""The rules that call a resource forgotten: every module of this folder with a `check`. A rule is a file."""

import importlib
import pkgutil
from datetime import timedelta
from functools import cache
from types import ModuleType

from costs.rules.base import Facts, Reads, Verdict


@cache
def all_rules() -> tuple[ModuleType, ...]:
    """The rule modules, the one that speaks first in front."""
    modules = (importlib.import_module(found.name) for found in pkgutil.iter_modules(__path__, "costs.rules."))
    return tuple(sorted((module for module in modules if hasattr(module, "check")), key=lambda module: module.RANK))


@cache
def signals_read() -> dict[str, dict[str, timedelta]]:
    """{kind: {metric: over how long}} that some rule reads. No other metric is asked for: each costs money."""
    read: dict[str, dict[str, timedelta]] = {}
    for rule in all_rules():
        for signal in getattr(rule, "READS", ()):
            of_kind = read.setdefault(signal.kind, {})
            of_kind[signal.metric] = max(signal.over, of_kind.get(signal.metric, signal.over))
    return read


def rank_of(name: str) -> int:
    """Where the rule of that name speaks among others; a rule that no longer exists speaks last."""
    return next((rule.RANK for rule in all_rules() if name == rule.NAME), 1000)


def shows_disuse(name: str) -> bool:
    """Whether the rule of that name tells that nobody uses the thing, and not only that it is there."""
    return any(name == rule.NAME for rule in all_rules() if getattr(rule, "SHOWS_DISUSE", False))


__all__ = ["Facts", "Reads", "Verdict", "all_rules", "rank_of", "shows_disuse", "signals_read"]
