"""One example of every kind, to walk the registry with: what it needs first, what it is asked with, what is seen of
it. Each module of this folder holds the `EXAMPLES` of one service; a kind without one fails the walk.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from labs.kinds import kind_of
from labs.kinds.base import RUNNING, Seen, Want
from labs.tests.kinds.examples.world import REGION, AccountOfAye, Example, want_for

__all__ = ["EXAMPLES", "REGION", "AccountOfAye", "Example", "configure", "delete", "example_of", "make", "want_for"]

EXAMPLES: dict[str, Example] = {
    kind: example
    for module in pkgutil.iter_modules(__path__, f"{__name__}.")
    for kind, example in getattr(importlib.import_module(module.name), "EXAMPLES", {}).items()
}


def example_of(kind: str) -> Seen:
    return Seen(RUNNING, aws_id="it", name="it", facts=EXAMPLES[kind].running)


def make(kind: str, account: AccountOfAye, params: Mapping[str, Any] | None = None) -> tuple[Any, Want, Seen]:
    """Make one in the account and look at it: (client, want, seen)."""
    client, example = account.client(kind_of(kind).service), EXAMPLES[kind]
    if example.by_hand is not None:
        # The ledger knows of it what the census found.
        want = want_for(kind, name="", token="", tags={}, aws_id=example.by_hand(account), account_id=account.id)
    else:
        want = want_for(kind, example.params(account) if params is None else params, account_id=account.id)
        kind_of(kind).create(client, want)
    return client, want, kind_of(kind).observe(client, want)


def configure(kind: str, client: Any, want: Want, seen: Seen) -> Seen:
    """Configure until it says that all is in force, as the controller would; what is seen then."""
    for _ in range(3):
        if kind_of(kind).configure(client, want, seen):
            return kind_of(kind).observe(client, want)
        seen = kind_of(kind).observe(client, want)
    raise AssertionError(f"{kind} was not configured by three calls")


def delete(kind: str, client: Any, want: Want, calls: int = 4) -> int:
    """Ask for its end until it is seen absent. Answers how often it had to be asked."""
    for asked in range(calls):
        seen = kind_of(kind).observe(client, want)
        if seen.state == "absent":
            return asked
        want = replace(want, aws_id=seen.aws_id)  # as the ledger does with what it saw
        kind_of(kind).delete(client, want, seen)
    seen = kind_of(kind).observe(client, want)
    assert seen.state == "absent", f"{kind} is still {seen.state} after {calls} deletes"
    return calls
