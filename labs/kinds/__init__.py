"""The registry of kinds: every module of this package that defines a Kind with a name."""

import importlib
import pkgutil
from functools import cache

from labs.kinds.base import Kind


@cache
def registry() -> dict[str, Kind]:
    """{name: the kind}, in the order of names."""
    found: dict[str, Kind] = {}
    for module in pkgutil.iter_modules(__path__, "labs.kinds."):
        for thing in vars(importlib.import_module(module.name)).values():
            if isinstance(thing, type) and issubclass(thing, Kind) and thing is not Kind and "name" in vars(thing):
                found[thing.name] = thing()
    return dict(sorted(found.items()))


def kind_of(name: str) -> Kind:
    """The kind of that name. Raises KeyError with the known names."""
    try:
        return registry()[name]
    except KeyError:
        raise KeyError(f"no kind {name!r}; there are {', '.join(registry())}") from None
