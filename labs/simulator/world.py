"""One start of the simulator: its boot id, its regions, who holds keys, what was called, and what it cannot do."""

from __future__ import annotations

import secrets
import threading
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data

from labs.simulator import transitions
from labs.simulator.faults import Faults
from labs.simulator.keys import Keys
from labs.simulator.ledger_of_calls import CallLedger

# Said on the portal's page and by GET /lightsout/boot, so that nobody takes practice for AWS.
CANNOT = (
    "Models are not run: an endpoint in practice mode answers every request with a sentence that says so.",
    "EC2 instances have no operating system: nobody can log in, and nothing runs on them.",
    "Notebook instances do not open: there is no Jupyter behind them.",
    "SageMaker jobs take their time and end, but compute nothing: what they leave in S3 says so, no metric is told.",
    "A SageMaker pipeline's execution runs no steps: it takes its time and has then succeeded.",
    "IAM policies are kept and shown, but not enforced inside an account.",
    "Client tokens are ignored: the same create call twice makes two.",
    "Nothing fires on a schedule, and nothing is delivered by mail.",
    "CloudTrail, Cost Explorer, the price list and service quotas are empty or missing.",
    "Nothing is kept when the simulator stops: each start is a new, empty world.",
)


class World:
    """All that this start of the simulator knows beside moto's own state. `lock` is held while moto works."""

    def __init__(self, regions: Sequence[str], *, state_seconds: float = 0.0, delay_ms: float = 0.0):
        self.regions = list(regions)
        self.delay_seconds = delay_ms / 1000
        self.operator_secret = secrets.token_urlsafe(32)
        self.started_at = datetime.now(UTC)
        self.boot_id = str(uuid.uuid4())
        self.keys = Keys()
        self.faults = Faults()
        self.calls = CallLedger()
        # moto's dictionaries are not made for threads (rare 500s under 32 of them), and one interpreter works on one
        # call at a time anyway: calls wait here, their delays do not.
        self.lock = threading.RLock()
        self._state_seconds = state_seconds
        transitions.pace.seconds = state_seconds

    def told(self) -> dict[str, Any]:
        return {
            "boot_id": self.boot_id,
            "started_at": self.started_at.isoformat(),
            "regions": self.regions,
            "cannot": list(CANNOT),
        }

    def reset(self) -> None:
        """Everything anew, as after a restart: no resource, no key, no fault, and another boot id."""
        with self.lock:
            BackendDict.reset()
            reset_model_data()
            self.keys.forget()
            self.faults.set([])
            self.calls.forget()
            transitions.forget_agenda()
            transitions.pace.seconds = self._state_seconds
            transitions.pace.forget_what_passed()
            self.boot_id = str(uuid.uuid4())
            self.started_at = datetime.now(UTC)
