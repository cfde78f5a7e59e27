"""Where moto does other than AWS, and a lab or a test of ours would meet it: one subject a file, a few lines each.

A file says in its first lines what AWS does. `instead_of` replaces one method of moto's and hands over the one that
was; it fails at the start when a new moto has no such method, rather than in silence. `added_to` is for an operation
that moto has not got; it fails at the start when a new moto has it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labs.simulator.world import World

_worlds: list[World] = []


def apply() -> None:
    """Amend moto, once a process."""
    for subject in pkgutil.iter_modules(__path__, f"{__name__}."):
        importlib.import_module(subject.name)


def belong_to(world: World) -> None:
    """The world that amended moto serves from now on: sessions are remembered in its keys, regions are its regions."""
    _worlds[:] = [world]


def the_world() -> World:
    return _worlds[0]


def added_to(owner: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: an operation that moto lacks. Fails at the start when moto has it by now: its own counts then."""

    def add(operation: Callable[..., Any]) -> Callable[..., Any]:
        if hasattr(owner, operation.__name__):
            raise TypeError(f"moto's {owner.__name__} has a {operation.__name__} of its own")
        setattr(owner, operation.__name__, operation)
        return operation

    return add


def instead_of(owner: Any, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: the function stands in for owner.name from now on, and gets the one that was as its first argument."""
    was = getattr(owner, name)

    def replace(amended: Callable[..., Any]) -> Callable[..., Any]:
        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            return amended(was, self, *args, **kwargs)

        method.__name__ = name  # moto finds a response's method by its name
        method.__doc__ = amended.__doc__
        setattr(owner, name, method)
        return amended

    return replace
