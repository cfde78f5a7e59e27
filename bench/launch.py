"""How long 200 labs take that are launched at once: the portal beside a plain boto3 script, on one simulator.

Four worker processes of eight threads and the clock, started as the product starts them, on PostgreSQL and Redis; the
labs are asked for as a click does (labs.launching), all at once, in one account. 50 ms are added to every call as the
way to AWS would; states take no time, since a wait for AWS would be the same for both. Each round runs, one after the
other:

- ours: from the first click until the last lab is ready; then all are ended, and what is left is counted;
- plain: bench/plain.py, one script with as many threads, in another account: the same calls, as often as we made them.

Both are warm: a few labs went before. Figures are medians over the rounds. The last line of standard output is JSON:

- ratio: our time by the plain script's;
- duplicates: things in the account that are there twice for one row of the ledger, while all labs run;
- leaked: things in the account that are still there when every lab has its certificate.

Exit code: 0 when the bar is met and nothing is doubled or leaked, 1 otherwise, 2 when a server is not installed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import django  # noqa: E402
from django.core.management import call_command  # noqa: E402

from bench import servers  # noqa: E402
from labs.simulator import testing  # noqa: E402

DELAY_MS = 50
BAR = 1.3
REGION = "us-east-1"
# Of one row, of three, and of two times five: what a term's labs are made of.
LABS = ("s3-ml-bucket", "sagemaker-notebook", "ec2-reads-s3", "sagemaker-endpoint")
PROCESSES, THREADS = 4, 8
CLICKS_AT_ONCE = 8
PATIENCE = 900  # seconds


def main() -> int:
    asked = _options()
    with tempfile.TemporaryDirectory(prefix="lightsout-bench-") as var:
        Path(var).chmod(0o755)  # PostgreSQL's own user comes through here
        try:
            with (
                servers.postgres(Path(var)) as (database, postgres_pid),
                servers.redis(Path(var)) as (broker, _),
                _simulator(Path(var)) as simulator,
            ):
                _set_up(simulator.url, database, broker, var)
                return _run(simulator, postgres_pid, asked, Path(var))
        except servers.Missing as missing:
            print(missing)
            return 2


@contextmanager
def _simulator(var: Path) -> Iterator[testing.Simulator]:
    simulator = testing.start("--state-seconds", "0", var=var)
    try:
        yield simulator
    finally:
        testing.stop(simulator)


def _set_up(url: str, database: str, broker: str, var: str) -> None:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATABASE_URL": database,
        "REDIS_URL": broker,
        "LIGHTSOUT_VAR": var,
        "SIMULATOR_URL": url,
        "LOG_LEVEL": "WARNING",
    }
    django.setup()
    call_command("migrate", verbosity=0)
    call_command("load_prices", verbosity=0)


def _run(simulator: testing.Simulator, postgres_pid: int, asked: argparse.Namespace, var: Path) -> int:
    class_ = _Class(simulator, asked.labs)
    simulator.pace(delay_ms=DELAY_MS)
    kinds = Counter(want.kind for lab in class_.labs for want in lab.wants)
    print(
        f"{asked.labs} labs, {kinds.total()} resources: {', '.join(f'{n} {kind}' for kind, n in kinds.most_common())}"
    )
    print(f"{PROCESSES} processes of {THREADS} threads; {DELAY_MS} ms are added to every call.")
    print(f"{os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}\n", flush=True)
    rounds = []
    for number in range(1, asked.runs + 1):
        rounds.append(_round(class_, simulator, postgres_pid, number, var))
        print(f"round {number}: {rounds[-1]}", flush=True)
    ratio = round(median(each.ours for each in rounds) / median(each.plain for each in rounds), 2)
    result = {
        "ratio": ratio,
        "duplicates": sum(each.duplicates for each in rounds),
        "leaked": sum(each.leaked for each in rounds),
    }
    print(f"\n{rounds[-1].calls_told()}\n\n{json.dumps(result)}")
    return 0 if ratio <= BAR and not result["duplicates"] and not result["leaked"] else 1


@dataclass
class Round:
    """One round: seconds of both, what each of them called, and whose CPU worked for how many seconds."""

    ours: float = 0.0
    plain: float = 0.0
    ended: float = 0.0
    duplicates: int = 0
    leaked: int = 0
    our_calls: Counter[str] = field(default_factory=Counter)
    plain_calls: Counter[str] = field(default_factory=Counter)
    cpu: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        cpu = ", ".join(f"{who} {seconds:.1f}" for who, seconds in self.cpu.items())
        return (
            f"ours {self.ours:.1f} s ({self.our_calls.total()} calls), plain {self.plain:.1f} s "
            f"({self.plain_calls.total()} calls), {self.ours / self.plain:.2f} times; all ended in {self.ended:.1f} s\n"
            f"  seconds of CPU: {cpu}"
        )

    def calls_told(self) -> str:
        names = [name for name, _ in self.our_calls.most_common()]
        names += [name for name in self.plain_calls if name not in self.our_calls]
        pairs = [(name, self.our_calls[name], self.plain_calls[name]) for name in names]
        told = (f"{n} {name}" if n == peer else f"{n} {name} (plain: {peer})" for name, n, peer in pairs)
        return f"calls: {', '.join(told)}"


def _round(class_: _Class, simulator: testing.Simulator, postgres_pid: int, number: int, var: Path) -> Round:
    from bench.plain import Plain, missing

    done, simulator_pid = Round(), simulator.process.pid
    account = class_.open_account()
    with _workers(var) as pids:
        class_.end_all(class_.launch(account, max(len(LABS), len(class_.labs) // 6)))  # warm
        simulator.forget_calls()
        before = {who: cpu_seconds(its) for who, its in _who(simulator_pid, postgres_pid, pids)}
        began = time.time()
        launches = class_.launch(account, len(class_.labs))
        done.our_calls = Counter(simulator.calls()["by"])
        done.ours = class_.last_ready(launches) - began
        after = {who: cpu_seconds(its) for who, its in _who(simulator_pid, postgres_pid, pids)}
        done.cpu = {who: after[who] - before[who] for who in before}
        done.duplicates = class_.duplicates(account, launches)
        began = time.time()
        class_.end_all(launches)
        done.ended = time.time() - began
        done.leaked = class_.left(account)

    plain = Plain(simulator, simulator.new_account(), REGION, PROCESSES * THREADS)
    owners = [owner.pk for owner in class_.owners]
    plain.make(class_.labs[: len(LABS)], owners[: len(LABS)])
    share = len(class_.labs) / len(LABS)
    planned = {name: round(times * share) for name, times in plain.made.items()}
    simulator.forget_calls()
    before_cpu, own_cpu, began = cpu_seconds([simulator_pid]), time.process_time(), time.time()
    plain.make(class_.labs, owners, missing(done.our_calls, planned))
    done.plain = time.time() - began
    done.plain_calls = Counter(simulator.calls()["by"])
    done.cpu |= {
        "simulator for plain": cpu_seconds([simulator_pid]) - before_cpu,
        "plain": time.process_time() - own_cpu,
    }
    return done


def _who(simulator: int, postgres: int, pids: list[int]) -> list[tuple[str, list[int]]]:
    return [("simulator", [simulator]), ("workers", pids), ("postgres", [postgres])]


class _Class:
    """As many people as labs, and what is done for them. Needs Django set up."""

    def __init__(self, simulator: testing.Simulator, labs: int):
        from labs import catalog
        from portal.models import User

        self.simulator = simulator
        self.labs = list(islice(cycle(catalog.get(slug) for slug in LABS), labs))
        people = [User(email=f"student{number:03}@example.org", name=f"Student {number}") for number in range(labs)]
        self.owners = User.objects.bulk_create(people)
        self._accounts = 0

    def open_account(self) -> Any:
        """A new account of nobody's, as the bootcamp's shared one is."""
        from labs.models import Account

        self._accounts += 1
        return Account.objects.create(
            name=f"One account for all, {self._accounts}",
            mode=Account.PRACTICE,
            aws_id=f"20000000000{self._accounts}",
            regions=[REGION],
            lab_regions=[REGION],
            boot_id=self.simulator.boot()["boot_id"],
            created_at=datetime.now(UTC),
        )

    def launch(self, account: Any, number: int) -> list[Any]:
        """Launch so many labs at once, and wait until all are ready. Answers the Launches."""
        from labs import launching
        from labs.models import Launch

        def click(lab: Any, owner: Any) -> Any:
            return launching.launch(lab, account, owner, now=datetime.now(UTC)).pk

        with ThreadPoolExecutor(CLICKS_AT_ONCE) as web:
            pks = list(web.map(click, self.labs[:number], self.owners[:number]))
        launches = Launch.objects.filter(pk__in=pks)
        _wait(lambda: not launches.filter(ready_at=None).exists(), "labs that are ready", launches)
        return list(launches.select_related("account"))

    def last_ready(self, launches: list[Any]) -> float:
        """When the last of them was ready, as the worker wrote it: seconds since 1970."""
        return max(launch.ready_at.timestamp() for launch in launches)

    def end_all(self, launches: list[Any]) -> None:
        from labs import launching
        from labs.models import Launch

        for launch in launches:
            launching.ask_to_delete(launch, now=datetime.now(UTC))
        asked = Launch.objects.filter(pk__in=[launch.pk for launch in launches])
        _wait(lambda: not asked.filter(ended_at=None).exists(), "certificates", asked)

    def duplicates(self, account: Any, launches: list[Any]) -> int:
        """How many things there are beyond one a row: found by the row's tag or, where a list shows none, its name."""
        from labs.kinds.base import TAG_RESOURCE
        from labs.models import Resource

        rows = Resource.objects.filter(launch__in=launches)
        by_tag, by_name = {row.id.hex for row in rows}, {(row.kind, row.name): row.id.hex for row in rows}
        found: Counter[tuple[str, str]] = Counter()
        for kind, seen in _things(account):
            tagged = str(seen.tags.get(TAG_RESOURCE, ""))
            row = tagged if tagged in by_tag else by_name.get((kind, seen.name), "")
            if row:
                found[(kind, row)] += 1
        # An instance hands its tag to its disk: the disk is another kind, and no second instance.
        return sum(number - 1 for number in found.values())

    def left(self, account: Any) -> int:
        """How many things the account holds, whether the ledger knows them or not; with the dead-man's switches."""
        left = [f"{kind} {seen.name or seen.aws_id}" for kind, seen in _things(account)]
        scheduler = self.simulator.client("scheduler", account.aws_id, REGION)
        for page in scheduler.get_paginator("list_schedules").paginate():
            left += [f"switch {each['Name']}" for each in page["Schedules"]]
        if left:
            print(f"left: {', '.join(left[:20])}")
        return len(left)


def _things(account: Any) -> list[tuple[str, Any]]:
    """[(kind, what its list shows)] of everything in the account, whatever the kind."""
    from labs import aws
    from labs.census import groups_of
    from labs.kinds import kind_of

    def listed(group: Any) -> list[tuple[str, Any]]:
        kind = kind_of(group.kind)
        client = aws.client(group.account, kind.service, group.region, config=aws.PATIENT)
        return [(group.kind, seen) for seen in kind.find_all(client) if seen.state != "absent"]

    with ThreadPoolExecutor(16) as pool:
        return [thing for things in pool.map(listed, groups_of([account])) for thing in things]


@contextmanager
def _workers(var: Path) -> Iterator[list[int]]:
    """Worker processes and the clock, as `manage.py up` and the containers start them. Yields the workers' ids."""
    celery = [sys.executable, "-W", "ignore", "-m", "celery", "-A", "portal", "--quiet"]
    pool = ["--pool", "threads", "--concurrency", str(THREADS), "--without-gossip", "--without-mingle"]
    started = []
    log = (var / "workers.log").open("a")
    try:
        for number in range(PROCESSES):
            asked = [*celery, "worker", "-n", f"bench{number}@%h", *pool, "--loglevel", "WARNING"]
            started.append(subprocess.Popen(asked, cwd=ROOT, stdout=log, stderr=log))
        beat = [*celery, "beat", "--schedule", str(var / "beat"), "--loglevel", "WARNING"]
        started.append(subprocess.Popen(beat, cwd=ROOT, stdout=log, stderr=log))
        yield [process.pid for process in started[:PROCESSES]]
    finally:
        for process in reversed(started):
            process.send_signal(signal.SIGTERM)
        for process in started:
            process.wait()
        log.close()
        said = (var / "workers.log").read_text()
        if "Traceback" in said:
            print(f"the workers said:\n{said[-3000:]}")


def _wait(until: Callable[[], bool], what: str, launches: Any) -> None:
    end = time.monotonic() + PATIENCE
    while not until():
        if time.monotonic() > end:
            from labs.models import Resource

            waiting = Resource.objects.open().filter(launch__in=launches)[:10]
            told = "; ".join(f"{row}: {row.wanted}, {row.seen} {row.blocked_why}" for row in waiting)
            raise TimeoutError(f"no {what} after {PATIENCE} s: {told}")
        time.sleep(0.2)


def cpu_seconds(pids: list[int]) -> float:
    """CPU that these processes and their children have used, in seconds, as Linux counts it."""
    used = 0.0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:
            continue
        # utime, stime, and those of children that have ended
        used += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK") + cpu_seconds(
            [int(child) for child in children]
        )
    return used


def _options() -> argparse.Namespace:
    made = argparse.ArgumentParser(description="Many labs launched at once, beside a plain boto3 script.")
    made.add_argument("--runs", type=int, default=3, help="rounds; figures are medians (default: %(default)s)")
    made.add_argument("--quick", action="store_const", const=1, dest="runs", help="one round")
    made.add_argument("--labs", type=int, default=200, help="launched at once (default: %(default)s)")
    return made.parse_args()


if __name__ == "__main__":
    sys.exit(main())
