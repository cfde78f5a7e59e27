"""PURE. What a rule is: `check(facts, now) -> Verdict | None`, one file a rule in this folder.

A rule file has NAME (kept in findings: never renamed), RANK (of several that fire, the lowest speaks first), `check`,
and, if it looks at CloudWatch, READS: the signals that are worth asking (and paying) for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from labs.kinds.base import PENDING, RUNNING

STOP, DELETE = "stop", "delete"


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

    @property
    def turned_off_by(self) -> str:
        """The mildest act that turns it off: Stop where there is something to stop, else Delete."""
        return STOP if self.can_stop and self.state in (PENDING, RUNNING) else DELETE


@dataclass(frozen=True)
class Verdict:
    """It is forgotten. sentence: what a student understands at a glance (at most 200 characters); detail: what else is
    known; since: from when on it has been so. Neither names an instant: pages show `since` in the reader's zone."""

    sentence: str
    detail: str = ""
    since: datetime | None = None
