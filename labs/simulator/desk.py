"""The operator's desk: /lightsout/* of the simulator. The boot is told to everybody, the rest needs the secret.

GET  /lightsout/boot     {"boot_id", "started_at", "now", "regions", "cannot"}
GET  /lightsout/calls    what was called since the last DELETE of the same (see CallLedger.told)
POST /lightsout/faults   a list of rules (see faults.Rule); replaces those that were
POST /lightsout/pace     {"state_seconds": s}, {"listed_seconds": s}, {"work_seconds": s}, {"delay_ms": ms},
                         {"ahead_seconds": s} (how far its clock is ahead of the true time): any of them
POST /lightsout/pass     {"seconds": s}: states go on, and schedules fire, as if so much time had gone by; answers when
                         what was due is done
POST /lightsout/expire   {"account": "..."}: its sessions ('' or absent: all) are over; answers {"ended": n}
POST /lightsout/wait     {"seconds": s}: answers when no event waits for a function any more: {"idle": true}
POST /lightsout/reset    another, empty world with another boot id; answers as /boot does
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from labs.simulator import BOOT_PATH, invoking, transitions
from labs.simulator.call import Call
from labs.simulator.faults import BadRule
from labs.simulator.refusals import Answer
from labs.simulator.world import World

PREFIX = "/lightsout/"
_PATIENCE = 5.0  # seconds that one waits for what a schedule set off: a function may run on


class Desk:
    def __init__(self, world: World):
        self.world = world
        self._acts: dict[tuple[str, str], Callable[[Any], Any]] = {
            ("GET", "calls"): lambda _: world.calls.told(),
            ("DELETE", "calls"): lambda _: world.calls.forget(),
            ("POST", "faults"): world.faults.set,
            ("POST", "pace"): self._set_pace,
            ("POST", "pass"): self._let_pass,
            ("POST", "expire"): self._expire,
            ("POST", "wait"): lambda said: {"idle": invoking.wait(float(said["seconds"]))},
            ("POST", "reset"): self._reset,
        }

    def knows(self, secret: str) -> bool:
        """Whether this is the secret that was made at the start."""
        return hmac.compare_digest(secret.encode(), self.world.operator_secret.encode())

    def answer(self, call: Call, secret: str) -> Answer:
        if call.path == BOOT_PATH and call.method in ("GET", "HEAD"):
            return _json(200, self.world.told())
        if not self.knows(secret):
            return _json(403, {"error": "This is the operator's desk. The secret lies in the file simulator.secret."})
        act = self._acts.get((call.method, call.path.removeprefix(PREFIX)))
        if act is None:
            return _json(404, {"error": f"The desk has no {call.method} {call.path}."})
        try:
            said = json.loads(call.body or b"null")
            return _json(200, act(said))
        except (BadRule, ValueError, TypeError, KeyError, AttributeError) as error:
            return _json(400, {"error": str(error)})

    def _set_pace(self, said: dict[str, float]) -> dict[str, float]:
        pace = transitions.pace
        pace.seconds = float(said.get("state_seconds", pace.seconds))
        pace.listed_seconds = float(said.get("listed_seconds", pace.listed_seconds))
        pace.ahead_seconds = float(said.get("ahead_seconds", pace.ahead_seconds))
        pace.work_seconds = float(said.get("work_seconds", pace.work_seconds))
        self.world.delay_seconds = float(said.get("delay_ms", self.world.delay_seconds * 1000)) / 1000
        return {
            "state_seconds": pace.seconds,
            "listed_seconds": pace.listed_seconds,
            "ahead_seconds": pace.ahead_seconds,
            "work_seconds": pace.work_seconds,
            "delay_ms": self.world.delay_seconds * 1000,
        }

    def _let_pass(self, said: dict[str, float]) -> dict[str, str]:
        transitions.pace.let_pass(float(said["seconds"]))
        for thread in self.world.clockwork.look():
            thread.join(_PATIENCE)
        return {"now": transitions.pace.wall().isoformat()}

    def _expire(self, said: dict[str, str] | None) -> dict[str, int]:
        with self.world.lock:
            return {"ended": self.world.keys.end_sessions((said or {}).get("account", ""), datetime.now(UTC))}

    def _reset(self, _: Any) -> dict[str, Any]:
        self.world.reset()
        return self.world.told()


def _json(status: int, said: Any) -> Answer:
    return Answer(status, {"content-type": "application/json"}, json.dumps(said).encode())
