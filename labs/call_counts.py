"""How often this process called AWS: by account, region and operation, in memory until somebody takes the counts.

labs/aws.py counts every call of its clients, a page of an answer as one. Whoever takes them decides what they mean.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import NamedTuple


class Call(NamedTuple):
    """service and operation as botocore names them: "s3", "ListBuckets". account: its pk."""

    account: int
    region: str
    service: str
    operation: str


_counted: Counter[Call] = Counter()
_lock = threading.Lock()


def count(call: Call) -> None:
    """In any thread."""
    with _lock:
        _counted[call] += 1


def take() -> dict[Call, int]:
    """What was counted since the last time; nobody is told of it again."""
    with _lock:
        taken = dict(_counted)
        _counted.clear()
    return taken
