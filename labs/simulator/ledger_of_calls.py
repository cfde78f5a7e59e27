"""Which calls were made since it was last asked to forget: what benches and tests count."""

from __future__ import annotations

import threading
from collections import Counter, deque
from datetime import datetime
from typing import Any

from labs.simulator.call import Call

# The list is for a person or a test who looks; the counts are whole however many calls there were.
_LISTED = 5000


class CallLedger:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forget()

    def note(self, call: Call, status: int, now: datetime) -> None:
        entry = {
            "at": now.isoformat(),
            "service": call.service,
            "operation": call.operation,
            "account": call.account,
            "region": call.region,
            "status": status,
        }
        with self._lock:
            self._count += 1
            self._by[f"{call.service}:{call.operation}"] += 1
            self._last.append(entry)

    def told(self) -> dict[str, Any]:
        """{"count", "by": {"ec2:DescribeInstances": n}, "calls": [newest last], "left_off": n}."""
        with self._lock:
            calls = list(self._last)
            return {"count": self._count, "by": dict(self._by), "calls": calls, "left_off": self._count - len(calls)}

    def forget(self) -> None:
        with self._lock:
            self._count = 0
            self._by: Counter[str] = Counter()
            self._last: deque[dict[str, Any]] = deque(maxlen=_LISTED)
