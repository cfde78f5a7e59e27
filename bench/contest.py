"""Who looks into the account of bench/census.py: our census, a serial loop and Cloud Custodian.

Nobody is taken at his word: each look fails when it did not see everything that was planted. Needs Django set up.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from botocore.config import Config

from bench.planting import BASKET, REGION, Planted, plant
from bench.serial import everything
from labs import aws
from labs.census import census_all, groups_of, survey
from labs.models import Account, Event, Resource, Span
from labs.simulator.testing import Simulator

ACCOUNT = "100000000050"
ROOT = Path(__file__).resolve().parent.parent
CUSTODIAN = ROOT / ".bench-venv" / "bin" / "custodian"
POLICIES = ROOT / "bench" / "c7n-policies.yml"
CUSTODIAN_SECONDS = 900  # it has failed when it takes longer
# Policies whose filter every planted thing passes, and what they look at.
SEES_ALL = {
    "ebs-unattached": "ebs-volume",
    "key-pair": "ec2-key-pair",
    "security-group": "security-group",
    "s3-no-lifecycle": "s3-bucket",
    "iam-role": "iam-role",
    "iam-profile": "instance-profile",
    "sm-notebook-running": "sagemaker-notebook",
    "sm-model": "sagemaker-model",
    "sm-endpoint-config": "sagemaker-endpoint-config",
    "sm-endpoint-inservice": "sagemaker-endpoint",
}


class CustodianFailed(Exception):
    """It is not there, took too long, or a policy of it failed. `str()` says which."""


class Course:
    """The planted account, and the looks into it."""

    def __init__(self, simulator: Simulator, students: int, var: Path, regions: Sequence[str] = (REGION,)):
        self.simulator, self.var, self.regions = simulator, var, list(regions)
        self.planted: Planted = set()
        for number, region in enumerate(regions):
            clients = clients_into(simulator, ACCOUNT, region)
            # A student works in one region, in turn.
            self.planted |= plant(clients.__getitem__, range(1 + number, students + 1, len(regions)), region)
        self.clients = clients_into(simulator, ACCOUNT, regions[0])
        self.account = open_account(simulator, ACCOUNT, regions)

    def forget(self) -> None:
        """Empty the ledger, and let go of clients and keys: what comes is a worker's first census."""
        for model in (Event, Span, Resource):
            model.objects.all().delete()
        aws.forget_clients()

    def census(self) -> None:
        trouble = census_all(lambda: datetime.now(UTC)).trouble
        assert not trouble, f"parts of the account could not be read: {trouble}"

    def census_of_both(self) -> None:
        """For the kinds that c7n looks at too, and for no others."""
        both = [group for group in groups_of([self.account]) if group.kind in BASKET]
        trouble = survey(both, lambda: datetime.now(UTC)).trouble
        assert not trouble, f"parts of the account could not be read: {trouble}"

    def in_ledger(self) -> Planted:
        """Of the kinds that were planted: what AWS lays into every account is found too, and is no part of this."""
        return set(Resource.objects.open().filter(kind__in=BASKET).values_list("kind", "aws_id"))

    def serial_loop(self) -> None:
        seen = {(kind, its_id) for kind, its_id, _ in everything(self.clients.__getitem__)}
        # More is no failure: it also sees the roles that the portal comes in by, which our census leaves out.
        assert seen >= self.planted, f"the serial loop missed {len(self.planted - seen)}"

    def custodian_starts(self) -> None:
        """All that c7n does before its first call: start, and read the policies."""
        self._custodian("validate")

    def custodian(self) -> None:
        out = Path(tempfile.mkdtemp(prefix="c7n-", dir=self.var))
        where = [word for region in self.regions for word in ("-r", region)]
        self._custodian("run", "-s", str(out), *where, "--cache-period=0")
        there = Counter(kind for kind, _ in self.planted)
        for policy, kind in SEES_ALL.items():
            # With several regions, each has a folder of its own.
            files = [*out.glob(f"{policy}/resources.json"), *out.glob(f"*/{policy}/resources.json")]
            seen = sum(len(json.loads(file.read_text())) for file in files)
            beside = len(self.regions) if kind == "security-group" else 0  # AWS's own "default"
            # More is no failure: c7n also counts roles of AWS's own, which our census leaves out.
            if seen < there[kind] + beside:
                raise CustodianFailed(f"c7n's {policy} saw {seen} of {there[kind]} {kind}")

    def _custodian(self, *asked: str) -> None:
        if not CUSTODIAN.exists():
            raise CustodianFailed("Cloud Custodian is not there: run make bench-peers")
        keys = self.simulator.credentials(ACCOUNT)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.var),  # nobody's ~/.aws, and no cache of another run
            "AWS_ENDPOINT_URL": self.simulator.url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            **{name.upper(): value for name, value in keys.items()},
        }
        try:
            ran = subprocess.run(
                [str(CUSTODIAN), *asked, str(POLICIES)],
                env=environment,
                cwd=self.var,
                capture_output=True,
                text=True,
                timeout=CUSTODIAN_SECONDS * len(self.regions),
            )
        except subprocess.TimeoutExpired as late:
            raise CustodianFailed(f"c7n took more than {late.timeout:.0f} s") from None
        said = ran.stdout + ran.stderr
        if ran.returncode or "Traceback" in said or ":ERROR" in said:
            raise CustodianFailed(f"c7n failed (exit code {ran.returncode}):\n{said[-3000:]}")


def clients_into(simulator: Simulator, account: str, region: str) -> dict[str, Any]:
    """{service: a client that waits} for those that planting and the serial loop ask."""
    patient, keys = Config(read_timeout=120), simulator.credentials(account)
    return {
        service: simulator.client(service, account, region, config=patient, **keys)
        for service in ("ec2", "s3", "iam", "sagemaker")
    }


def open_account(simulator: Simulator, aws_id: str, regions: Sequence[str]) -> Account:
    """Without an owner: whose a thing is has to be read from its tags, which an account of one's own would spare us."""
    return Account.objects.create(
        name=f"One account for all, {aws_id}",
        mode=Account.PRACTICE,
        aws_id=aws_id,
        regions=list(regions),
        lab_regions=[regions[0]],
        boot_id=simulator.boot()["boot_id"],
        created_at=datetime.now(UTC),
    )


@dataclass
class Runs:
    """What one contestant needed, a figure a round."""

    seconds: list[float] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    by: dict[str, int] = field(default_factory=dict)  # of the last round

    @property
    def time(self) -> float:
        return median(self.seconds)


class Contest:
    """Everybody's rounds, and what came of them."""

    def __init__(self, course: Course, *, with_peers: bool):
        self.course, self.with_peers = course, with_peers
        names = ("whole, cold", "whole, knowing", "cold", "knowing", "serial", "c7n's start", "c7n")
        self.runs = {name: Runs() for name in names}
        self.found = course.planted  # was in the ledger after every cold census so far
        self.failure = ""

    def round(self, number: int) -> None:
        """Everybody once. Raises AssertionError when the ledger holds what is not there, or forgets or doubles."""
        course = self.course
        course.forget()
        self._time("whole, cold", course.census)
        ledger, entered = course.in_ledger(), Resource.objects.count()
        assert ledger <= course.planted, f"the ledger holds what is not there: {ledger - course.planted}"
        self.found = self.found & ledger
        self._time("whole, knowing", course.census)
        assert Resource.objects.count() == entered, "a second look at an unchanged account must enter nothing"
        course.forget()
        self._time("cold", course.census_of_both)
        self._time("knowing", course.census_of_both)
        if self.with_peers and len(course.regions) == 1:
            self._time("serial", course.serial_loop)
        if self.with_peers and not self.failure:
            try:
                self._time("c7n's start", course.custodian_starts)
                self._time("c7n", course.custodian)
            except CustodianFailed as failure:
                self.failure = str(failure)
        took = ", ".join(f"{name} {runs.seconds[-1]:.1f} s" for name, runs in self.runs.items() if runs.seconds)
        print(f"round {number}: {took}", flush=True)

    def _time(self, name: str, look: Callable[[], None]) -> None:
        """`look`, and note its time and how many calls the simulator got meanwhile."""
        simulator, runs = self.course.simulator, self.runs[name]
        simulator.forget_calls()
        began = time.perf_counter()
        look()
        took, told = time.perf_counter() - began, simulator.calls()
        runs.seconds.append(took)
        runs.calls.append(told["count"])
        runs.by = told["by"]

    @property
    def peer_seconds(self) -> float | None:
        """What c7n needs to look, without its start. None when it did not get through."""
        if self.failure or not self.runs["c7n"].seconds:
            return None
        return self.runs["c7n"].time - self.runs["c7n's start"].time

    def ratio(self, name: str) -> float | None:
        peer = self.peer_seconds
        return round(peer / self.runs[name].time, 1) if peer else None

    def result(self) -> dict[str, float | int | None]:
        return {
            "cold_ratio": self.ratio("cold"),
            "knowing_ratio": self.ratio("knowing"),
            "knowing_calls": int(median(self.runs["whole, knowing"].calls)),
            "found": len(self.found),
            "planted": len(self.course.planted),
        }

    def table(self) -> str:
        lines = [f"{'':16}{'median':>10}  {'all rounds':<24}{'calls':>7}  c7n takes"]
        for name, runs in self.runs.items():
            if runs.seconds:
                each = " ".join(f"{seconds:.1f}" for seconds in runs.seconds)
                ratio = None if name.startswith("c7n") else self.ratio(name)
                longer = f"{ratio} times as long" if ratio else ""
                lines.append(f"{name:16}{runs.time:>8.1f} s  {each:<24}{median(runs.calls):>7.0f}  {longer}".rstrip())
        for name in ("whole, cold", "whole, knowing", "serial", "c7n"):
            by = sorted(self.runs[name].by.items(), key=lambda pair: -pair[1])
            if by:
                lines.append(f"\ncalls of {name}: " + ", ".join(f"{number} {call}" for call, number in by))
        return "\n".join(lines)
