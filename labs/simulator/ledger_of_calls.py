"""Which calls were made since it was last asked to forget: what benches and tests count."""

from __future__ import annotations

import threading
from collections import Counter, deque
from datetime import datetime
from typing import TYPE_CHECKING, Any

from labs.simulator.call import Call

if TYPE_CHECKING:
    from labs.simulator.targets import Delivery

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

    def note_fired(
        self, source: str, account: str, region: str, made: Delivery | None, error: Exception | None, now: datetime
    ) -> None:
        """What a schedule or rule did with nobody calling. Apart from the calls: those are counted as somebody's."""
        entry = {
            "at": now.isoformat(),
            "source": source,
            "service": made.service if made else "",
            "operation": made.operation if made else "",
            "account": account,
            "region": region,
            "why_not": "" if error is None else str(error) or type(error).__name__,
        }
        with self._lock:
            self._fired.append(entry)

    def told(self) -> dict[str, Any]:
        """{"count", "by": {"ec2:DescribeInstances": n}, "calls": [newest last], "left_off": n, "fired": [newest last]}.

        fired: the calls of schedules and rules; "why_not" is '' for those that AWS's service took."""
        with self._lock:
            calls, fired = list(self._last), list(self._fired)
            left_off = self._count - len(calls)
            return {"count": self._count, "by": dict(self._by), "calls": calls, "left_off": left_off, "fired": fired}

    def forget(self) -> None:
        with self._lock:
            self._count = 0
            self._by: Counter[str] = Counter()
            self._last: deque[dict[str, Any]] = deque(maxlen=_LISTED)
            self._fired: deque[dict[str, Any]] = deque(maxlen=_LISTED)
