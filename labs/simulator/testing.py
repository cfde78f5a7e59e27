"""The simulator for tests: a process of its own on a free port, once a test session.

A plugin of pytest, named in the root conftest alone: a fixture that is imported is another one at each place, with a
process of its own. A test that wants an empty world calls `simulator.reset()` first, or works in an account id of its
own (`simulator.new_account()`), which is quicker.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from labs.simulator import BOOT_PATH, OPERATOR_HEADER, ROOT_KEY_ID, SECRET_FILE

_accounts = count(100_000_000_001)
_session = boto3.session.Session()
_making = threading.Lock()
_QUICK = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=60)  # a function may run for so long


class Simulator:
    """A running simulator. `url` is what boto3 takes as endpoint_url; `operator_secret` opens the desk, and is the root
    key's; it lies in `secret_file`."""

    def __init__(self, url: str, secret_file: Path, process: subprocess.Popen[str]):
        self.url, self.secret_file, self.process = url, secret_file, process
        self.operator_secret = secret_file.read_text()
        self._sts = self.client("sts", "", **self.root())

    def serves(self, settings: Any) -> None:
        """Let these settings of Django name this simulator, for the portal and for students alike."""
        settings.SIMULATOR_URL, settings.SIMULATOR_SECRET_FILE = self.url, self.secret_file
        settings.GATEWAY_URL = self.url

    def boot(self) -> dict[str, Any]:
        """{"boot_id", "started_at", "now", "regions", "cannot"}."""
        return self._desk("GET", BOOT_PATH)

    def faults(self, rules: list[Mapping[str, Any]]) -> None:
        """Replace the faults in force, [] for none. A rule's fields: labs.simulator.faults.Rule."""
        self._desk("POST", "/lightsout/faults", rules)

    def calls(self) -> dict[str, Any]:
        """{"count", "by": {"ec2:RunInstances": n}, "calls", "left_off", "fired"} since the last forget_calls()."""
        return self._desk("GET", "/lightsout/calls")

    def forget_calls(self) -> None:
        self._desk("DELETE", "/lightsout/calls")

    def pace(self, **said: float) -> dict[str, float]:
        """state_seconds: how long a state takes; listed_seconds: how long the terminated are listed; work_seconds:
        how long a job works; delay_ms: added to every call; ahead_seconds: how far its clock is ahead. Answers all of
        them as they are now. Put back by the fixture after each test."""
        return self._desk("POST", "/lightsout/pace", said)

    def let_pass(self, seconds: float) -> None:
        """States go on, and schedules fire, as if so many seconds had gone by: nothing has to wait."""
        self._desk("POST", "/lightsout/pass", {"seconds": seconds})

    def now(self) -> datetime:
        """What its clock shows, aware UTC."""
        return datetime.fromisoformat(self.boot()["now"])

    def fired(self, account: str) -> list[dict[str, Any]]:
        """What schedules and rules of the account set off since the last forget_calls(), newest last."""
        return [each for each in self.calls()["fired"] if each["account"] == account]

    def wait_for_functions(self) -> None:
        """Until no event waits for a function any more: what a trigger set off has run, and was counted."""
        assert self._desk("POST", "/lightsout/wait", {"seconds": 9})["idle"]  # noqa: S101  for tests

    def bill(self, account: str, answers: list[Mapping[str, Any]]) -> None:
        """What Cost Explorer answers in the account: to each other question the next of these."""
        request = urllib.request.Request(  # noqa: S310
            f"{self.url}/moto-api/static/ce/cost-and-usage-results",
            data=json.dumps({"account_id": account, "results": answers}).encode(),
            headers={OPERATOR_HEADER: self.operator_secret, "content-type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=10).close()  # noqa: S310

    def expire(self, account: str = "") -> int:
        """Let the sessions of an account ('' = all) be over."""
        return self._desk("POST", "/lightsout/expire", {"account": account})["ended"]

    def reset(self) -> str:
        """Another, empty world: no resource, key, fault or count. Answers the new boot id."""
        return self._desk("POST", "/lightsout/reset")["boot_id"]

    def new_account(self) -> str:
        """Twelve digits that no test had before."""
        return str(next(_accounts))

    def client(self, service: str, account: str, region: str = "us-east-1", **more: Any) -> Any:
        """A boto3 client in `account`, by a role that the portal's root assumed. One attempt, no retries."""
        config = more.pop("config", _QUICK)
        keys = more or self.credentials(account)
        # One session for all: each would read AWS's descriptions of its services anew.
        with _making:
            return _session.client(service, region_name=region, endpoint_url=self.url, config=config, **keys)

    def root(self) -> dict[str, str]:
        """The portal's own key, as keyword arguments of boto3.client."""
        return {"aws_access_key_id": ROOT_KEY_ID, "aws_secret_access_key": self.operator_secret}

    def credentials(self, account: str, seconds: int = 3600) -> dict[str, str]:
        """Temporary credentials as keyword arguments of boto3.client."""
        answer = self._sts.assume_role(
            RoleArn=f"arn:aws:iam::{account}:role/lab/student", RoleSessionName="test", DurationSeconds=seconds
        )["Credentials"]
        return {
            "aws_access_key_id": answer["AccessKeyId"],
            "aws_secret_access_key": answer["SecretAccessKey"],
            "aws_session_token": answer["SessionToken"],
        }

    def _desk(self, method: str, path: str, said: Any = None) -> Any:
        request = urllib.request.Request(  # noqa: S310
            self.url + path,
            method=method,
            data=None if said is None else json.dumps(said).encode(),
            headers={OPERATOR_HEADER: self.operator_secret, "content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return json.load(answer)


def start(*options: str, var: Path) -> Simulator:
    """Start a simulator on a free port and wait until it listens. The caller stops it by `stop`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "labs.simulator", "--port", "0", "--var", str(var), *options],
        cwd=Path(__file__).resolve().parents[2],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    line = process.stdout.readline() if process.stdout else ""
    if "http://" not in line:
        process.kill()
        raise RuntimeError(f"The simulator did not start: {line or 'it ended without a word'}")
    url = line.split(" on ", 1)[1].split()[0]
    return Simulator(url, var / SECRET_FILE, process)


def stop(running: Simulator) -> None:
    running.process.send_signal(signal.SIGTERM)
    try:
        running.process.wait(5)
    except subprocess.TimeoutExpired:
        running.process.kill()
    if running.process.stdout:
        running.process.stdout.close()


@contextmanager
def _process(*options: str) -> Iterator[Simulator]:
    with tempfile.TemporaryDirectory(prefix="lightsout-simulator-") as var:
        running = start("--state-seconds", "0", *options, var=Path(var))
        yield running
        running.process.kill()  # a second of CPU less than to end in order: nothing of it is kept
        stop(running)


@pytest.fixture(scope="session")
def simulator_process() -> Iterator[Simulator]:
    """The process; tests ask for `simulator`, which leaves no fault and no pace behind."""
    with _process() as running:
        yield running


@pytest.fixture(scope="session")
def process_that_runs() -> Iterator[Simulator]:
    """Another process, which runs functions; tests ask for `simulator_that_runs`."""
    with _process("--run-functions") as running:
        yield running


@pytest.fixture
def simulator(simulator_process: Simulator) -> Iterator[Simulator]:
    """A simulator whose states take no time (see `pace`), without faults. What earlier tests made is still there."""
    yield simulator_process
    _as_it_was(simulator_process)


@pytest.fixture
def simulator_that_runs(process_that_runs: Simulator) -> Iterator[Simulator]:
    """The same, where Lambda functions are run. For tests with the marker bwrap."""
    yield process_that_runs
    _as_it_was(process_that_runs)


def _as_it_was(simulator: Simulator) -> None:
    simulator.faults([])
    simulator.pace(state_seconds=0, listed_seconds=60, work_seconds=90, delay_ms=0, ahead_seconds=0)
