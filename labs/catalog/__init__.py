"""The labs that can be launched: every module of this folder with a `LAB`."""

import importlib
import pkgutil
from functools import cache

from labs.catalog.base import Lab


@cache
def catalog() -> dict[str, Lab]:
    """{slug: Lab}."""
    labs: dict[str, Lab] = {}
    for module in pkgutil.iter_modules(__path__, "labs.catalog."):
        lab = getattr(importlib.import_module(module.name), "LAB", None)
        if lab is not None:
            labs[lab.slug] = lab
    return labs


def all_labs() -> list[Lab]:
    return sorted(catalog().values(), key=lambda lab: lab.slug)


def get(slug: str) -> Lab:
    """The lab of that slug. Raises KeyError with the known ones."""
    try:
        return catalog()[slug]
    except KeyError:
        raise KeyError(f"no lab {slug!r}; there are {', '.join(sorted(catalog()))}") from None
