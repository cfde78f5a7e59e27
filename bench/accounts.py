"""The census of many accounts: that calls and time grow with accounts and regions, and memory does not grow at all.

Each account holds one student's basket (bench/planting.py: 40 things). Needs Django set up.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.contest import clients_into, open_account
from bench.planting import plant
from labs import aws
from labs.census import census_all, groups_of
from labs.models import Account, Event, Resource, Span
from labs.simulator.testing import Simulator

STEPS = (10, 50)
FIRST, FIRST_STUDENT = 300_000_000_001, 1001  # account ids and students that nobody else has


@dataclass
class Look:
    """One census: of so many accounts, by so many lists, calls (with later pages and lists a piece) and seconds."""

    accounts: int
    what: str
    lists: int
    calls: int
    seconds: float
    rss_mb: float

    def __str__(self) -> str:
        return (
            f"{self.accounts:>4} accounts, {self.what:<8} {self.lists:>6} lists {self.calls:>7} calls "
            f"{self.seconds:>7.1f} s {self.rss_mb:>6.0f} MB"
        )


def look_into_many(simulator: Simulator, regions: Sequence[str], *, c7n_calls: float | None) -> dict[str, Any]:
    """Cold, knowing and knowing again, in ten accounts and in fifty. c7n_calls: what c7n took for the account of the
    contest, whose kinds' lists it asks in every account; None when it did not get through.

    Answers {"accounts", "regions", "lists", "knowing_calls", "knowing_seconds", "seconds_growth", "calls_growth",
    "rss_mb": [after ten, after fifty]}; growth is by how much more than accounts.
    """
    for model in (Event, Span, Resource):
        model.objects.all().delete()
    Account.objects.all().delete()
    aws.forget_clients()
    looks: list[Look] = []
    accounts: list[Account] = []
    simulator.pace(delay_ms=0)
    delay = 50
    for step in STEPS:
        simulator.pace(delay_ms=0)
        for number in range(len(accounts), step):
            accounts.append(open_account(simulator, str(FIRST + number), regions))
            region = regions[number % len(regions)]
            clients = clients_into(simulator, accounts[-1].aws_id, region)
            plant(clients.__getitem__, [FIRST_STUDENT + number], region)
        simulator.pace(delay_ms=delay)
        for model in (Event, Span, Resource):
            model.objects.all().delete()
        for what in ("cold", "knowing", "again"):
            looks.append(_look(simulator, accounts, what))
            print(looks[-1], flush=True)
    few, many = (next(one for one in looks if one.accounts == step and one.what == "again") for step in STEPS)
    by = many.accounts / few.accounts
    if c7n_calls:
        print(f"c7n, extrapolated: at least one call a list of its 11 kinds, so it takes {c7n_calls:.0f} calls for the "
              f"contest's account alone")  # fmt: skip
    return {
        "accounts": many.accounts,
        "regions": len(regions),
        "lists": many.lists,
        "knowing_calls": many.calls,
        "knowing_seconds": round(many.seconds, 1),
        "calls_growth": round(many.calls / few.calls / by, 2),
        "seconds_growth": round(many.seconds / few.seconds / by, 2),
        "rss_mb": [round(few.rss_mb), round(many.rss_mb)],
    }


def _look(simulator: Simulator, accounts: list[Account], what: str) -> Look:
    simulator.forget_calls()
    began = time.perf_counter()
    trouble = census_all(lambda: datetime.now(UTC), accounts).trouble
    took = time.perf_counter() - began
    assert not trouble, f"parts of the accounts could not be read: {trouble}"
    return Look(len(accounts), what, len(groups_of(accounts)), simulator.calls()["count"], took, rss_mb())


def rss_mb() -> float:
    """What this process holds in memory now, in MB, as Linux counts it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024
