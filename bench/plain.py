"""The peer of bench/launch.py: a plain script with threads that makes the same calls for the same labs.

A thread takes a lab and makes one thing after the other: looks, creates, looks until it runs, configures. No ledger, no
queue, no leases, no second process; what dies with it is lost. It makes the calls of the kinds' own verbs, so that they
are the same, with the same parameters; and where the portal made more of one (a look again), so many more.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import cycle, islice
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from labs import deadman, ledger
from labs.catalog.base import Lab
from labs.kinds import kind_of
from labs.kinds.base import FAILED, NAME, RUNNING
from labs.models import Account, Launch, Resource
from labs.simulator.testing import Simulator

Calls = Counter[str]  # {"ec2:RunInstances": how many}


class Plain:
    """A script in one account, which exists nowhere but in the simulator: nothing here touches a database."""

    def __init__(self, simulator: Simulator, aws_id: str, region: str, threads: int):
        self.account = Account(pk=0, name="The peer's", mode=Account.PRACTICE, aws_id=aws_id, regions=[region])
        self.region, self.threads = region, threads
        self.made: Calls = Counter()
        self._simulator, self._keys = simulator, simulator.credentials(aws_id)
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()
        # Of each call the parameters that it was made with: what a call more of it is made with.
        self._asked: dict[str, list[tuple[str, str, dict[str, Any]]]] = defaultdict(list)

    def make(self, labs: Iterable[Lab], owners: Iterable[int], more: Calls | None = None) -> None:
        """Every lab, for its owner, and these calls more, by all threads. Raises what a thread raised."""
        again = list(self._more(more or Counter()))
        with ThreadPoolExecutor(self.threads) as pool:
            work = [pool.submit(self._make, lab, owner) for lab, owner in zip(labs, owners, strict=True)]
            # Between the labs, not after them: all threads have work to the end.
            work += [pool.submit(self._again, calls) for calls in _dealt(again, 4 * self.threads)]
            for each in work:
                each.result()

    def _make(self, lab: Lab, owner: int) -> None:
        launch = Launch(lab=lab.slug, account=self.account, owner_id=owner, region=self.region)
        launch.expires_at = datetime.now().astimezone() + timedelta(hours=float(lab.hours))
        family: dict[str, Resource] = {}
        for want in lab.wants:
            name = ledger.name_for(lab.slug, want.key, launch.id, kind_of(want.kind).longest_name)
            family[want.key] = Resource(
                id=uuid.uuid4(), account=self.account, region=self.region, kind=want.kind, launch=launch,
                owner_id=owner, key=want.key, name=name, params=dict(want.params), needs=list(want.needs),
            )  # fmt: skip
        for row in family.values():  # a lab names what is needed before what needs it
            self._make_one(row, family, launch)

    def _make_one(self, row: Resource, family: Mapping[str, Resource], launch: Launch) -> None:
        kind, client = kind_of(row.kind), self._client(kind_of(row.kind).service)
        want = ledger.want_of(row, family)
        if kind.identity == NAME:
            kind.observe(client, want)
            self._arm(row, kind.off_call(want), launch)
        kind.create(client, want)
        is_armed = kind.identity == NAME
        while True:
            seen = kind.observe(client, want)
            row.aws_id, row.name, row.facts = seen.aws_id or row.aws_id, seen.name or row.name, dict(seen.facts)
            want = ledger.want_of(row, family)
            assert seen.state != FAILED, f"{row} failed: {seen.facts}"
            if not is_armed and row.aws_id:
                self._arm(row, kind.off_call(want), launch)
                is_armed = True
            if seen.state == RUNNING and kind.configure(client, want, seen):
                return
            if seen.state != RUNNING:
                time.sleep(0.5)

    def _arm(self, row: Resource, call: Any, launch: Launch) -> None:
        if call is not None:
            at = launch.expires_at + deadman.AFTER_THE_CLOCK
            deadman.arm(self._client("scheduler"), row, call, at, clock=lambda: datetime.now().astimezone())

    def _more(self, more: Calls) -> Iterable[tuple[str, str, dict[str, Any]]]:
        for operation, number in more.items():
            # What only the portal asks for (who it is, another world?) has nothing here to be repeated.
            yield from islice(cycle(self._asked.get(operation, ())), number)

    def _again(self, calls: Iterable[tuple[str, str, dict[str, Any]]]) -> None:
        for service, operation, params in calls:
            client = self._client(service)
            with suppress(ClientError):  # a refusal is an answer, and takes as long
                getattr(client, _method(client, operation))(**params)

    def _client(self, service: str) -> Any:
        with self._lock:
            if service not in self._clients:
                config = Config(retries={"total_max_attempts": 1}, read_timeout=60, max_pool_connections=self.threads)
                client = self._simulator.client(service, self.account.aws_id, self.region, config=config, **self._keys)
                client.meta.events.register("provide-client-params.*.*", self._note)
                self._clients[service] = client
            return self._clients[service]

    def _note(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        service = model.service_model.service_name
        with self._lock:
            self.made[f"{service}:{model.name}"] += 1
            self._asked[f"{service}:{model.name}"].append((service, model.name, dict(params)))


def missing(ours: Mapping[str, int], planned: Mapping[str, int]) -> Calls:
    """PURE: how many calls more of each operation we made than the peer would by itself."""
    return Counter({name: number - planned.get(name, 0) for name, number in ours.items()}) - Counter()


def _dealt(calls: list[Any], hands: int) -> list[list[Any]]:
    return [dealt for dealt in (calls[number::hands] for number in range(hands)) if dealt]


def _method(client: Any, operation: str) -> str:
    return next(name for name, its in client.meta.method_to_api_mapping.items() if its == operation)
