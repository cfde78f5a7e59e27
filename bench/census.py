"""How long it takes to know what is there: our census, a serial boto3 loop and Cloud Custodian, on one simulator.

One simulated account, one region, the things of fifty students (bench/planting.py: 2,000), 50 ms added to every call
as the way to AWS would. Each round runs, one after the other:

- whole, cold: our census of every kind, with an empty ledger: everything is a stranger and is asked for its details;
- whole, knowing: our census again, right after: nothing has changed;
- cold, knowing: the same two for the kinds that Cloud Custodian is asked for too, and for no others;
- serial: one loop over boto3 (bench/serial.py);
- c7n: Cloud Custodian with bench/c7n-policies.yml, in the venv that bench/peers.sh makes, without its cache.

With --wide the account has 200 students in three regions; then bench/accounts.py looks into 50 accounts.

Figures are medians over the rounds. The ratios are of the kinds that both know, and take c7n's time less the time it
needs to start and to read its policies, since our census runs in a worker that is already up. knowing_calls are those
of the whole census. The last line of standard output is JSON.
Exit code: 0 when everything planted was found and the bar is met, 1 otherwise, 2 when c7n is missing or failed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import django  # noqa: E402
from django.core.management import call_command  # noqa: E402

from labs.simulator import testing  # noqa: E402

DELAY_MS = 50
COLD_BAR, KNOWING_BAR = 5, 15
WIDE_COLD_BAR, WIDE_KNOWING_BAR, WIDE_CALLS_BAR = 10, 30, 300
REGIONS = ("us-east-1", "ap-southeast-1", "eu-west-1")


def main() -> int:
    asked = _options()
    with tempfile.TemporaryDirectory(prefix="lightsout-bench-") as var:
        simulator = testing.start("--regions", *REGIONS, var=Path(var))
        try:
            _set_up(simulator.url, var)
            return _run(simulator, asked, Path(var))
        finally:
            testing.stop(simulator)


def _set_up(url: str, var: str) -> None:
    """A ledger of our own, on SQLite, whatever the environment says."""
    os.environ.pop("DATABASE_URL", None)
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "LIGHTSOUT_VAR": var,
        "SIMULATOR_URL": url,
        "LOG_LEVEL": "WARNING",
    }
    django.setup()
    call_command("migrate", verbosity=0)


def _run(simulator: testing.Simulator, asked: argparse.Namespace, var: Path) -> int:
    from bench.contest import Contest, Course  # needs Django set up

    began = time.perf_counter()
    regions = REGIONS if asked.wide else REGIONS[:1]
    course = Course(simulator, asked.students or (200 if asked.wide else 50), var, regions)
    simulator.pace(delay_ms=DELAY_MS)
    kinds = Counter(kind for kind, _ in course.planted)
    print(f"{len(course.planted)} resources in one account, in {', '.join(regions)}:")
    print("  " + ", ".join(f"{number} {kind}" for kind, number in kinds.most_common()))
    print(f"Planted in {time.perf_counter() - began:.0f} s; from here on {DELAY_MS} ms are added to every call.")
    print(f"{os.cpu_count()} cores, {_processor()}; load {os.getloadavg()[0]:.1f}\n", flush=True)

    contest = Contest(course, with_peers=not asked.ours_only)
    for number in range(1, asked.runs + 1):
        contest.round(number)
    print(f"\n{contest.table()}\n{contest.failure}", flush=True)
    result = contest.result()
    if asked.wide:
        from bench.accounts import look_into_many

        peer = contest.runs["c7n"]
        result["accounts"] = look_into_many(simulator, regions, c7n_calls=median(peer.calls) if peer.calls else None)
    print(json.dumps(result))

    if result["found"] != result["planted"]:
        return 1
    if asked.ours_only:
        return 0
    cold, knowing, calls = contest.ratio("cold"), contest.ratio("knowing"), result["knowing_calls"]
    if cold is None or knowing is None:
        return 2
    if asked.wide:
        return 0 if cold >= WIDE_COLD_BAR and knowing >= WIDE_KNOWING_BAR and calls <= WIDE_CALLS_BAR else 1
    return 0 if cold >= COLD_BAR and knowing >= KNOWING_BAR else 1


def _processor() -> str:
    told = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    named = [line.partition(":")[2].strip() for line in told.splitlines() if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _options() -> argparse.Namespace:
    made = argparse.ArgumentParser(description="Our census beside a serial boto3 loop and Cloud Custodian.")
    made.add_argument("--runs", type=int, default=3, help="rounds; figures are medians (default: %(default)s)")
    made.add_argument("--quick", action="store_const", const=1, dest="runs", help="one round")
    made.add_argument("--wide", action="store_true", help="200 students in three regions, then 50 accounts")
    made.add_argument("--students", type=int, help="forty resources each (default: 50, of the wide one 200)")
    made.add_argument("--ours-only", action="store_true", help="without the peers, and so without ratios")
    return made.parse_args()


if __name__ == "__main__":
    sys.exit(main())
