"""How long the spend page takes, beside a bare Django view; and metering. On PostgreSQL and on SQLite.

500 students with 1,000,000 readings and 10,000 things that are on (bench/money.py). The page is asked for as its
instructor, through the whole of the portal's middleware (django.test.Client: no server, no network), in turn with a
bare view (bench/bare_urls.py): the same middleware, session and login, one query (a sum by an index), and a template of
one line that does not extend base.html. Each answer is asked for --requests times after a warm-up. Before every third
answer AWS is seen once more and the worker's task meters, as it does every minute while an open page asks every 20 s:
what was kept of the page (costs/kept.py) may not be shown after it, and what it is made anew in is the worker's time.
Beside the figures of the last line: the time of an answer for which the page has to be worked out.

The last line of standard output is JSON:

- ratio_p95_postgres, ratio_p95_sqlite: the 95th percentile of the page's times by that of the bare view's;
- queries_small, queries_large: the page's queries with 5 students and with 500, on PostgreSQL, nothing kept;
- metering_s: seconds for metering.meter over 10,000 live resources that were seen since, on PostgreSQL.

Exit code: 0 when the bars hold (3, 6, as many queries, 10 s), 1 otherwise, 2 when PostgreSQL is not installed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import servers  # noqa: E402

BARS = {"postgres": 3.0, "sqlite": 6.0}
METERING_BAR = 10.0


def main() -> int:
    asked = _options()
    if asked.engine:
        print(json.dumps(_measure(asked)))
        return 0
    found = {}
    with tempfile.TemporaryDirectory(prefix="lightsout-bench-") as var:
        Path(var).chmod(0o755)  # PostgreSQL's own user comes through here
        try:
            with servers.postgres(Path(var)) as (database, _):
                found["postgres"] = _apart("postgres", database, var, asked)
        except servers.Missing as missing:
            print(missing)
            return 2
        found["sqlite"] = _apart("sqlite", f"sqlite:///{Path(var) / 'bench.sqlite3'}", var, asked)
    result = result_of(found)
    print(json.dumps(result))
    return 0 if holds(result) else 1


def result_of(found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """PURE. The last line, of what each engine's process told."""
    one = found["postgres"]
    return {
        "ratio_p95_postgres": round(one["page_p95_ms"] / one["bare_p95_ms"], 2),
        "ratio_p95_sqlite": round(found["sqlite"]["page_p95_ms"] / found["sqlite"]["bare_p95_ms"], 2),
        "queries_small": one["queries_small"],
        "queries_large": one["queries_large"],
        "metering_s": one["metering_s"],
    }


def holds(result: dict[str, Any]) -> bool:
    """PURE. Whether every bar is met."""
    return (
        result["ratio_p95_postgres"] < BARS["postgres"]
        and result["ratio_p95_sqlite"] < BARS["sqlite"]
        and result["queries_small"] == result["queries_large"]
        and result["metering_s"] < METERING_BAR
    )


def p95(times: list[float]) -> float:
    """PURE. The nearest rank: of 20 the 19th."""
    return sorted(times)[-(-len(times) * 95 // 100) - 1]


def _apart(engine: str, database: str, var: str, asked: argparse.Namespace) -> dict[str, Any]:
    """In a process of its own: Django has one database."""
    kept = {key: value for key, value in os.environ.items() if key not in ("REDIS_URL", "SIMULATOR_URL")}
    environment = kept | {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATABASE_URL": database,
        "LIGHTSOUT_VAR": str(Path(var) / engine),
        "LOG_LEVEL": "WARNING",
    }
    same = [f"--{name}={getattr(asked, name)}" for name in ("students", "readings", "things", "requests")]
    asked_for = [sys.executable, __file__, "--engine", engine, *same]
    if asked.profile:
        asked_for.append("--profile")
    ran = subprocess.run(asked_for, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    *said, last = ran.stdout.strip().splitlines()
    print("\n".join(said), flush=True)
    told: dict[str, Any] = json.loads(last)
    print(
        f"{engine}: page p95 {told['page_p95_ms']:.1f} ms (median {told['page_ms']:.1f}, "
        f"the first {told['first_ms']:.0f}, worked out anew {told['worked_out_ms']:.0f}), "
        f"bare p95 {told['bare_p95_ms']:.2f} ms (median {told['bare_ms']:.2f}), "
        f"{told['queries_small']} queries with 5 students and {told['queries_large']} with {asked.students}, "
        f"{told['kb']} KB; metering {told['live']} took {told['metering_s']} s",
        flush=True,
    )
    return told


def _measure(asked: argparse.Namespace) -> dict[str, Any]:
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    # Without the server that adds hashes to names of static files.
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    settings.ALLOWED_HOSTS = ["testserver"]
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    settings.ROOT_URLCONF = "bench.bare_urls"
    django.setup()
    from django.utils import timezone

    from bench import money
    from costs import kept, metering, spending
    from costs.models import Metered
    from labs.models import Resource

    call_command("migrate", verbosity=0)
    call_command("load_prices", verbosity=0)
    now = timezone.now()
    began = time.perf_counter()
    small = money.plant("small", 5, asked.things, 1000, now)
    large = money.plant("large", asked.students, asked.things, asked.readings, now)
    print(
        f"{connection.vendor}: {large.readings:,} readings of {large.rows:,} things of {asked.students} students, "
        f"planted in {time.perf_counter() - began:.0f} s; load {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    reader, reader_of_few = _signed_in(large.teacher), _signed_in(small.teacher)
    queries_small = _queries(reader_of_few, "/costs/spend/")
    queries_large = _queries(reader, "/costs/spend/")
    first = _timed(reader, "/costs/spend/")
    if asked.profile:
        _profile(reader)

    mine = Resource.objects.filter(scope=large.scope)
    few = list(mine.order_by("pk").values_list("pk", flat=True)[:100])
    page, bare, worked_out, at = [], [], [], timezone.now()
    for number in range(asked.requests):
        if number % 3 == 0:
            at += settings.METER_EVERY
            mine.filter(pk__in=few).update(seen_at=at)
            assert metering.meter(at, mine.filter(pk__in=few)) >= len(few)
            if number % 30 == 0:  # nobody has made it anew yet
                worked_out.append(_timed(reader, "/costs/spend/"))
            kept.renew(timezone.now(), spending.made)
        page.append(_timed(reader, "/costs/spend/"))
        bare.append(_timed(reader, "/bare/"))

    # Everything is seen again, and everything is due.
    at += timedelta(hours=1)
    mine.update(seen_at=at)
    assert Metered.objects.filter(resource__scope=large.scope).count() == large.rows
    began = time.perf_counter()
    readings = metering.meter(at)
    seconds = time.perf_counter() - began
    assert readings >= large.rows, f"{readings} readings of {large.rows} things"
    return {
        "page_p95_ms": p95(page),
        "page_ms": sorted(page)[len(page) // 2],
        "bare_p95_ms": p95(bare),
        "bare_ms": sorted(bare)[len(bare) // 2],
        "first_ms": first,
        "worked_out_ms": sorted(worked_out)[len(worked_out) // 2],
        "queries_small": queries_small,
        "queries_large": queries_large,
        "metering_s": round(seconds, 2),
        "live": large.rows,
        "kb": round(len(reader.get("/costs/spend/").content) / 1024),
    }


def _signed_in(user: Any) -> Any:
    from allauth.mfa.models import Authenticator
    from django.test import Client

    # Who teaches reaches no page without a second factor, and each page looks it up.
    Authenticator.objects.get_or_create(user=user, type=Authenticator.Type.TOTP, defaults={"data": {}})
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _timed(client: Any, address: str) -> float:
    """Milliseconds until the whole answer is there."""
    began = time.perf_counter()
    answer = client.get(address)
    took = (time.perf_counter() - began) * 1000
    assert answer.status_code == 200, f"{address}: {answer.status_code}"
    return took


def _queries(client: Any, address: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    _timed(client, address)  # what is read once a process
    with CaptureQueriesContext(connection) as asked:
        _timed(client, address)
    return len(asked)


def _profile(client: Any) -> None:
    import cProfile
    import pstats

    profile = cProfile.Profile()
    profile.runcall(client.get, "/costs/spend/")
    pstats.Stats(profile, stream=sys.stderr).sort_stats("cumulative").print_stats(70)


def _options() -> argparse.Namespace:
    made = argparse.ArgumentParser(description="The spend page beside a bare Django view, and metering.")
    made.add_argument("--students", type=int, default=500)
    made.add_argument("--readings", type=int, default=1_000_000)
    made.add_argument("--things", type=int, default=20, help="that each student has on (default: %(default)s)")
    made.add_argument("--requests", type=int, default=100, help="of each of the two (default: %(default)s)")
    made.add_argument("--profile", action="store_true", help="show where one answer's time goes")
    made.add_argument("--engine", choices=sorted(BARS), help=argparse.SUPPRESS)
    return made.parse_args()


if __name__ == "__main__":
    sys.exit(main())
