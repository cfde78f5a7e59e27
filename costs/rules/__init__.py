"""The rules that call a resource forgotten: every module of this folder with a `check`. A rule is a file."""

import importlib
import pkgutil
from functools import cache
from types import ModuleType

from costs.rules.base import Facts, Verdict


@cache
def all_rules() -> tuple[ModuleType, ...]:
    """The rule modules, the one that speaks first in front."""
    modules = (importlib.import_module(found.name) for found in pkgutil.iter_modules(__path__, "costs.rules."))
    return tuple(sorted((module for module in modules if hasattr(module, "check")), key=lambda module: module.RANK))


@cache
def signals_read() -> dict[str, frozenset[str]]:
    """{kind: metrics} that some rule reads. No other metric is asked for: each costs money."""
    read: dict[str, set[str]] = {}
    for rule in all_rules():
        for kind, metric in getattr(rule, "READS", ()):
            read.setdefault(kind, set()).add(metric)
    return {kind: frozenset(metrics) for kind, metrics in read.items()}


def rank_of(name: str) -> int:
    """Where the rule of that name speaks among others; a rule that no longer exists speaks last."""
    return next((rule.RANK for rule in all_rules() if name == rule.NAME), 1000)


__all__ = ["Facts", "Verdict", "all_rules", "rank_of", "signals_read"]
