"""PURE. What a rule is: `check(facts, now) -> Verdict | None`, one file a rule in this folder.

A rule file has NAME (kept in findings: never renamed), RANK (of several that fire, the lowest speaks first), `check`,
and, if it looks at CloudWatch, READS: the signals that are worth asking (and paying) for. SHOWS_DISUSE: when it fires,
nobody uses the thing and nothing runs on it, and what turns it off keeps what is worth keeping: only then may a
cohort's policy turn it off (costs/lives.py). PATTERNS: what it says with a value in it. All stand in docs/forgotten.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from labs.kinds.base import PENDING, RUNNING

STOP, DELETE = "stop", "delete"


@dataclass(frozen=True)
class Reads:
    """A signal that a rule reads: a kind's CloudWatch metric over the last so long."""

    kind: str
    metric: str
    over: timedelta


@dataclass(frozen=True)
class Looked:
    """One look at a signal: the sum or the maximum over [began, at], None when AWS sent no datapoint."""

    began: datetime
    at: datetime
    value: float | None
    datapoints: int = 0


@dataclass(frozen=True)
class Facts:
    """All that a rule may know of one live resource. Instants are aware UTC.

    state_since: since when it is in this state; facts_since: since when all its facts are as they are (an attachment,
    an address). signals: {metric: the last look at it}, without those never looked at.
    """

    kind: str
    region: str
    state: str
    state_since: datetime
    facts_since: datetime
    facts: Mapping[str, Any] = field(default_factory=dict)
    can_stop: bool = False
    owner_proof: str = ""
    blocked_why: str = ""
    lab_regions: tuple[str, ...] = ()
    in_lab: bool = False
    lab_region: str = ""
    lab_expires_at: datetime | None = None
    lab_asked_to_end_at: datetime | None = None
    lab_ended_at: datetime | None = None
    signals: Mapping[str, Looked] = field(default_factory=dict)

    def silent_since(self, *metrics: str) -> datetime | None:
        """From when on none of these signals was there. None: one was, or nobody can know yet.

        Of calls, requests and flows AWS sends no datapoint where there was none, so silence is zero, provided that the
        resource was there all the time.
        """
        looks = [self.signals.get(metric) for metric in metrics]
        if any(look is None or look.value or self.state_since > look.began for look in looks):
            return None
        return max(look.began for look in looks if look)

    def lowest_since(self, metric: str, below: float, datapoints: int) -> datetime | None:
        """From when on this measure (a processor, connections) stayed below. None: it did not, or nobody can know.

        Of measures AWS sends a datapoint also when nothing happens: too few of them prove nothing.
        """
        look = self.signals.get(metric)
        if look is None or look.value is None or look.datapoints < datapoints or self.state_since > look.began:
            return None
        return look.began if look.value < below else None

    @property
    def turned_off_by(self) -> str:
        """The mildest act that turns it off: Stop where there is something to stop, else Delete."""
        return STOP if self.can_stop and self.state in (PENDING, RUNNING) else DELETE


@dataclass(frozen=True)
class Verdict:
    """It is forgotten. sentence: what a student understands at a glance (at most 200 characters); detail: what else is
    known; since: from when on it has been so. Neither names an instant: pages show `since` in the reader's zone. Both
    are kept in English, and said again in the reader's language (costs/retelling.py)."""

    sentence: str
    detail: str = ""
    since: datetime | None = None
