"""Stored sentences, said again in the reader's language.

A finding, an alert and a fact of a resource are written once for everybody who may see them, so they are kept in
English, and events quote them. A sentence with nothing in it is its own message. One with a figure or a name in it is
made from a pattern (`PATTERNS` of the module that writes it), which is found again here and filled with the same
values; a value whose name begins with "why" is a sentence itself. Several sentences that stand together are told one by
one. What nobody knows (an older version's words, what AWS said, what a person wrote) is shown as it is.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from functools import cache

from django.utils.translation import get_language, gettext

from costs.rules import all_rules

# Who else keeps sentences that are made from patterns.
WRITERS = ("costs.anomalies", "costs.allowances", "costs.billing", "costs.enforcing")
SENTENCE_ENDS = re.compile(r"(?<=\.) ")
VALUE = re.compile(r"%\((\w+)\)[sd]|%%")


def retold(stored: str) -> str:
    """The same in the language that is active, as far as it is known; in English what was stored."""
    # The empty message is the catalog's own head.
    if not stored or (get_language() or "en").startswith("en"):
        return stored
    whole = _known(stored)
    if whole is not None:
        return whole
    sentences = SENTENCE_ENDS.split(stored)
    return " ".join(_known(one) or one for one in sentences) if len(sentences) > 1 else stored


def _known(stored: str) -> str | None:
    """Of one message; None where it is none."""
    said = gettext(stored)
    if said != stored:
        return said
    for pattern, shape in _shapes():
        found = shape.fullmatch(stored)
        if found:
            values = found.groupdict().items()
            return gettext(pattern) % {name: retold(text) if name.startswith("why") else text for name, text in values}
    return None


def patterns() -> Iterator[str]:
    for module in (*all_rules(), *map(importlib.import_module, WRITERS)):
        yield from getattr(module, "PATTERNS", ())


@cache
def _shapes() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The longest first: of two that fit, it says more."""
    return tuple((one, _shape(one)) for one in sorted(patterns(), key=len, reverse=True))


def _shape(pattern: str) -> re.Pattern[str]:
    parts, at = [], 0
    for value in VALUE.finditer(pattern):
        parts.append(re.escape(pattern[at : value.start()]))
        name = value.group(1)
        parts.append(f"(?P<{name}>.+?)" if name else "%")
        at = value.end()
    return re.compile("".join([*parts, re.escape(pattern[at:])]), re.DOTALL)
