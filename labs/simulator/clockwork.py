"""What runs by itself, also when nobody calls: schedules of EventBridge Scheduler, and rules of EventBridge.

A thread of the simulator's looks twice a second for what is due by the clock on the wall (`transitions.pace.wall`).
Each target is called by a thread of its own, so that a slow function holds up nobody's switch; the lock of the world is
held by the gate, call by call. `amendments/schedules.py` and `amendments/rules.py` say when a thing is due: `due_at`.

As AWS does, a call that got no answer, was throttled or failed with 5xx is made again, with growing pauses, within the
target's RetryPolicy; a clear no (4xx) is final. Whatever comes of it is noted in the ledger of calls.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.exceptions import ClientError
from moto.events.models import events_backends
from moto.scheduler.models import scheduler_backends

from labs.simulator import transitions
from labs.simulator.targets import Delivery, deliveries

if TYPE_CHECKING:
    from labs.simulator.world import World

log = logging.getLogger(__name__)

LOOKS_EVERY = 0.5  # seconds; AWS itself promises the minute
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
_RETRIES = {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}  # AWS's defaults
_THROTTLED = ("Throttl", "TooManyRequests", "RequestLimitExceeded", "SlowDown")


@dataclass
class Firing:
    """One target to be called once. source: the ARN of the schedule or rule. done: called under the world's lock when
    that is over, for good or bad. is_wanted: whether it is still to be tried again."""

    account: str
    region: str
    source: str
    target: Mapping[str, Any]
    event: str
    due_at: datetime
    done: Callable[[], Any] = lambda: None
    is_wanted: Callable[[], bool] = lambda: True
    tries: int = 0

    def may_be_made_again(self, now: datetime) -> bool:
        policy = _RETRIES | dict(self.target.get("RetryPolicy") or {})
        age = timedelta(seconds=policy["MaximumEventAgeInSeconds"])
        return self.tries <= policy["MaximumRetryAttempts"] and now - self.due_at < age


class Clockwork:
    """The schedules of one world. `start` once; `look` at any time and from any thread."""

    def __init__(self, world: World):
        self.world = world
        self._waiting: list[tuple[datetime, Firing]] = []
        self._under_way: list[threading.Thread] = []

    def start(self) -> None:
        threading.Thread(target=self._run, name="clockwork", daemon=True).start()

    def soon(self, firing: Firing) -> None:
        """Call a target at the next look: what an event sets off happens after the event's own call was answered."""
        self._waiting.append((firing.due_at, firing))

    def forget(self) -> None:
        self._waiting.clear()

    def look(self) -> list[threading.Thread]:
        """States go on, and everything that is due is set off. Answers the threads that do it, and those of earlier
        looks that are still at it."""
        with self.world.lock:
            transitions.do_what_is_due()
            now = transitions.pace.wall()
            due = [firing for at, firing in self._waiting if at <= now and firing.is_wanted()]
            self._waiting = [waiting for waiting in self._waiting if waiting[0] > now]
            due += [*_due_schedules(now), *_due_rules(now)]
            self._under_way = [thread for thread in self._under_way if thread.is_alive()]
            for firing in due:
                thread = threading.Thread(target=self._fire, args=(firing,), daemon=True)
                thread.start()
                self._under_way.append(thread)
            return list(self._under_way)

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(LOOKS_EVERY)
            try:
                self.look()
            except Exception:
                log.exception("schedules were not looked at")

    def _fire(self, firing: Firing) -> None:
        made, error = _carry_out(firing)
        with self.world.lock:
            now = transitions.pace.wall()
            self.world.calls.note_fired(firing.source, firing.account, firing.region, made, error, now)
            if error is None:
                firing.done()
                return
            log.warning("%s: its target was not set off: %s", firing.source, error)
            firing.tries += 1
            if _may_pass(error) and firing.may_be_made_again(now):
                pause = min(_FIRST_PAUSE * 2 ** min(firing.tries - 1, 10), _LONGEST_PAUSE)
                self._waiting.append((now + pause, firing))
            else:
                firing.done()


def _carry_out(firing: Firing) -> tuple[Delivery | None, Exception | None]:
    """The call that was made last, and why it failed."""
    made = None
    try:
        for made in deliveries(firing.target, firing.event):
            made.carry_out(firing.account, firing.region)
    except Exception as error:
        return made, error
    return made, None


def _may_pass(error: Exception) -> bool:
    """Whether the same call may succeed later."""
    if isinstance(error, ConnectionError):
        return True
    if not isinstance(error, ClientError):
        return False
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return status in (429, 500, 502, 503, 504) or code.startswith(_THROTTLED)


def _due_schedules(now: datetime) -> Iterator[Firing]:
    for account, regions in list(scheduler_backends.items()):
        for region, backend in list(regions.items()):
            for group in list(backend.schedule_groups.values()):
                schedules: dict[str, Any] = group.schedules
                for schedule in list(schedules.values()):
                    if schedule.state == "ENABLED" and schedule.due_at is not None and schedule.due_at <= now:
                        yield _fired(schedule, schedules, account, region, now)


def _fired(schedule: Any, siblings: dict[str, Any], account: str, region: str, now: datetime) -> Firing:
    due_at = schedule.due_at
    schedule.plan(now)  # what was missed while the clock jumped is made up once

    name = schedule.name

    def is_there() -> bool:
        return siblings.get(name) is schedule

    def leave() -> None:
        if is_there() and schedule.due_at is None and schedule.action_after_completion == "DELETE":
            del siblings[name]

    event = schedule.target.get("Input") or json.dumps(_notice("aws.scheduler", schedule.arn, account, region, due_at))
    for word, value in (
        ("schedule-arn", schedule.arn),
        ("scheduled-time", _iso(due_at)),
        ("execution-id", str(uuid4())),
        ("attempt-number", "1"),
    ):
        event = event.replace(f"<aws.scheduler.{word}>", value)
    return Firing(account, region, schedule.arn, schedule.target, event, due_at, leave, is_there)


def _due_rules(now: datetime) -> Iterator[Firing]:
    for account, regions in list(events_backends.items()):
        for region, backend in list(regions.items()):
            rules: dict[str, Any] = backend.event_buses["default"].rules  # other buses take no schedules
            for rule in list(rules.values()):
                if rule.state == "DISABLED" or rule.due_at is None or rule.due_at > now:
                    continue
                event = _notice("aws.events", rule.arn, account, region, rule.due_at)
                rule.plan(now)
                yield from rule.firings(event, now)


def _notice(source: str, arn: str, account: str, region: str, at: datetime) -> dict[str, Any]:
    """The event that tells of nothing but the time."""
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "Scheduled Event",
        "source": source,
        "account": account,
        "time": _iso(at),
        "region": region,
        "resources": [arn],
        "detail": {} if source == "aws.events" else "{}",
    }


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
