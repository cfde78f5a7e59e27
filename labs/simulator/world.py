"""One start of the simulator: its boot id, its regions, who holds keys, what was called, and what it cannot do."""

from __future__ import annotations

import secrets
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data

from labs.simulator import transitions
from labs.simulator.clockwork import Clockwork
from labs.simulator.faults import Faults
from labs.simulator.keys import Keys
from labs.simulator.ledger_of_calls import CallLedger

if TYPE_CHECKING:
    from labs.simulator.sandbox import Sandbox

# Said on the portal's page and by GET /lightsout/boot, so that nobody takes practice for AWS.
CANNOT = (
    "Models are not run: an endpoint in practice mode answers every request with a sentence that says so.",
    "EC2 instances have no operating system: nobody can log in, and nothing runs on them.",
    "Notebook instances do not open: there is no Jupyter behind them.",
    "EMR runs nothing: steps and jobs are over after a while, as if all had gone well.",
    "SageMaker jobs take their time and end, but compute nothing: what they leave in S3 says so, no metric is told.",
    "A SageMaker pipeline's execution runs no steps: it takes its time and has then succeeded.",
    "A pipeline of CodePipeline copies from S3 to S3; a run with any other action fails, and says so.",
    "CloudWatch alarms are kept, and never ring.",
    "IAM policies are kept and shown, but not enforced inside an account.",
    "Nothing is delivered by mail.",
    "Schedules and rules set off what practice mode has, and ask no role; what they cannot set off is in its log.",
    "State machines run, but no JSONata, and .sync waits for SageMaker's jobs only: the rest fails and says so.",
    "Client tokens of instances and volumes are ignored: the same create call twice makes two.",
    "CloudTrail, Cost Explorer, the price list and service quotas are empty or missing.",
    "An API's stage serves what its resources are now, deployed or not; of its integrations, Lambda proxies and mocks.",
    "Function URLs and WebSocket APIs do not answer, and nobody can push an image to a repository by docker.",
    "Nothing is kept when the simulator stops: each start is a new, empty world.",
)
FUNCTIONS_STAND_STILL = "Lambda functions are not run: {why}."
FUNCTIONS_RUN = (
    "Lambda functions run on Python {version}, whatever version they ask for, without a network: they cannot reach AWS."
)


class World:
    """All that this start of the simulator knows beside moto's own state. `lock` is held while moto works."""

    def __init__(
        self,
        regions: Sequence[str],
        *,
        state_seconds: float = 0.0,
        work_seconds: float = transitions.WORK_SECONDS,
        delay_ms: float = 0.0,
    ):
        self.regions = list(regions)
        self.delay_seconds = delay_ms / 1000
        self.operator_secret = secrets.token_urlsafe(32)
        self.started_at = datetime.now(UTC)
        self.boot_id = str(uuid.uuid4())
        self.keys = Keys(self.operator_secret)
        self.faults = Faults()
        self.calls = CallLedger()
        self.clockwork = Clockwork(self)
        # moto's dictionaries are not made for threads (rare 500s under 32 of them), and one interpreter works on one
        # call at a time anyway: calls wait here, their delays do not.
        self.lock = threading.RLock()
        # What runs students' functions, where the operator turned that on; else why nothing does.
        self.functions: Sandbox | None = None
        self.no_functions = "the operator has not turned that on (--run-functions)"
        self._pace = (state_seconds, work_seconds)
        transitions.pace.seconds, transitions.pace.work_seconds = self._pace

    def told(self) -> dict[str, Any]:
        return {
            "boot_id": self.boot_id,
            "started_at": self.started_at.isoformat(),
            "now": transitions.pace.wall().isoformat(),
            "regions": self.regions,
            "cannot": [*CANNOT, self.told_of_functions()],
        }

    def told_of_functions(self) -> str:
        """Whether Lambda functions run here, in a sentence."""
        if self.functions is None:
            return FUNCTIONS_STAND_STILL.format(why=self.no_functions)
        return FUNCTIONS_RUN.format(version=self.functions.python)

    @contextmanager
    def let_others_in(self) -> Iterator[None]:
        """Give the lock away for what takes long and touches nothing of moto's. The caller holds it, once."""
        self.lock.release()
        try:
            yield
        finally:
            self.lock.acquire()

    def reset(self) -> None:
        """Everything anew, as after a restart: no resource, no key, no fault, and another boot id."""
        with self.lock:
            BackendDict.reset()
            reset_model_data()
            self.keys.forget()
            self.faults.set([])
            self.calls.forget()
            self.clockwork.forget()
            transitions.forget_agenda()
            transitions.pace.seconds, transitions.pace.work_seconds = self._pace
            transitions.pace.ahead_seconds = 0.0
            transitions.pace.forget_what_passed()
            self.boot_id = str(uuid.uuid4())
            self.started_at = datetime.now(UTC)
