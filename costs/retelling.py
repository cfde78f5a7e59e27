"""Stored sentences of money, said again in the reader's language.

A finding, an alert and a fact of a resource are written once for everybody who may see them, so they are kept in
English, and events quote them. A sentence with nothing in it is its own message. One with a figure or a name in it is
made from a pattern (`PATTERNS` of the module that writes it), which is found again (labs/retelling.py) and filled with
the same values; a value whose name begins with "why" is a sentence itself. What nobody knows (an older version's words,
what AWS said, what a person wrote) is shown as it is.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from costs.rules import all_rules
from labs import retelling as of_labs

# Who else keeps sentences that are made from patterns.
WRITERS = ("costs.anomalies", "costs.allowances", "costs.billing", "costs.enforcing")


def patterns() -> Iterator[str]:
    for module in (*all_rules(), *map(importlib.import_module, WRITERS)):
        yield from getattr(module, "PATTERNS", ())


OF_MONEY = of_labs.Sentences(patterns, beyond=of_labs.retold)


def retold(stored: str) -> str:
    """What the rules and the alerts wrote, or labs, in the language that is active."""
    return OF_MONEY.retold(stored)
