"""The minute of the deadline: 500 students hand in at once, over 500 connections, on PostgreSQL as it is delivered.

Each sends a text with a file of 1 MB, waits 10 s on average, sends again, three times; the portal runs as `make run`
and the containers run it (granian, two processes). Then the same load, over as many connections and in the same
servers, goes to a bare Django view that only saves the upload (bench/upload_urls.py): the same middleware, session and
login, one row with a FileField, and Django's own storage, which syncs nothing.

Time is measured in the server, from the last byte of the request that was read to the answer (bench/timed_wsgi.py).
Whoever loads shares the machine with the servers. The last line of standard output is JSON:

- p50_ms, p95_ms, p99_ms: of handing in;
- errors: requests without a receipt; lost: receipts whose version, text or bytes are not there afterwards;
- ratio: the 95th percentile by the bare view's.

Exit code: 0 when the bars hold (p95 500 ms, no error, nothing lost, ratio 2), 1 otherwise, 2 without PostgreSQL.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import platform
import random
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import servers  # noqa: E402

P95_BAR_MS, RATIO_BAR = 500.0, 2.0
CSRF = "c" * 32
PATIENCE = 120  # seconds that one request may take before it is an error


def main() -> int:
    asked = _options()
    if asked.act == "plant":
        print(json.dumps(_plant(asked.students)))
        return 0
    if asked.act == "check":
        print(json.dumps(_check(json.loads(sys.stdin.read()))))
        return 0
    with tempfile.TemporaryDirectory(prefix="lightsout-bench-") as var:
        Path(var).chmod(0o755)  # PostgreSQL's own user comes through here
        try:
            with servers.postgres(Path(var)) as (database, _):
                result = _run(asked, database, Path(var))
        except servers.Missing as missing:
            print(missing)
            return 2
    print(json.dumps(result))
    return 0 if holds(result) else 1


def holds(result: dict[str, Any]) -> bool:
    """PURE. Whether every bar is met."""
    return (
        result["p95_ms"] <= P95_BAR_MS
        and result["ratio"] <= RATIO_BAR
        and result["errors"] == 0
        and result["lost"] == 0
    )


def percentile(times: list[float], part: float) -> float:
    """PURE. The nearest rank: of 20 the 95th is the 19th."""
    ordered = sorted(times)
    return ordered[max(0, -(-len(ordered) * int(part * 100) // 10000) - 1)]


def _run(asked: argparse.Namespace, database: str, var: Path) -> dict[str, Any]:
    times = var / "times"
    times.mkdir()
    kept = {key: value for key, value in os.environ.items() if key not in ("REDIS_URL", "SIMULATOR_URL", "DEMO")}
    environment = kept | {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATABASE_URL": database,
        "LIGHTSOUT_VAR": str(var / "portal"),
        "LIGHTSOUT_TIMES": str(times),
        "LOG_LEVEL": "ERROR",
    }
    print(_hardware(), flush=True)
    students = json.loads(_act(environment, "plant", asked))
    port = _free_port()
    serving = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "2"]
    serving += ["--blocking-threads", "16", "--log-level", "error", "bench.timed_wsgi:application"]
    web = subprocess.Popen([sys.executable, "-m", "granian", *serving], env=environment, cwd=ROOT)
    try:
        _wait_for(port)
        asyncio.run(_load(port, students[:20], asked, "/bare/", rounds=1, spread=1, wait=0))  # what is read once
        asyncio.run(_load(port, students[-20:], asked, "/week/2/case/warm-up/submit/", rounds=1, spread=1, wait=0))
        came = asyncio.run(_load(port, students, asked, "/week/2/case/case/submit/"))
        bare = asyncio.run(_load(port, students, asked, "/bare/"))
    finally:
        web.terminate()
        web.wait(20)
    ours, theirs = _times(times, "/week/2/case/case/submit/"), _times(times, "/bare/")[20:]
    lost = json.loads(_act(environment, "check", asked, json.dumps(came.acknowledged)))
    result = result_of(ours, theirs, len(came.errors), lost["lost"])
    print(_told("handing in", ours, came))
    print(_told("bare view", theirs, bare))
    for error in (came.errors + bare.errors)[:5]:
        print(f"error: {error}")
    print(f"{lost['versions']} versions on disk and in rows, {lost['lost']} lost, {lost['doubled']} doubled")
    return result


def result_of(ours: list[float], bare: list[float], errors: int, lost: int) -> dict[str, Any]:
    """PURE. The last line, of the times in milliseconds."""
    return {
        "p50_ms": round(percentile(ours, 50), 1),
        "p95_ms": round(percentile(ours, 95), 1),
        "p99_ms": round(percentile(ours, 99), 1),
        "errors": errors,
        "lost": lost,
        "ratio": round(percentile(ours, 95) / percentile(bare, 95), 2),
    }


def _told(what: str, times: list[float], came: Came) -> str:
    ranks = ", ".join(f"p{part} {percentile(times, part):.1f}" for part in (50, 75, 90, 95, 99, 100))
    return f"{what}: {len(times)} requests in {came.seconds:.0f} s, ms in the server {ranks}; {len(came.errors)} errors"


def _hardware() -> str:
    facts = {}
    for place in ("/proc/cpuinfo", "/proc/meminfo"):
        facts |= dict(line.split(":", 1) for line in Path(place).read_text().splitlines() if ":" in line)
    facts = {name.strip(): value.strip() for name, value in facts.items()}
    model, memory = facts.get("model name", "?"), facts["MemTotal"].split()[0]
    return (
        f"{os.cpu_count()} cores ({model}), {int(memory) // 2**20} GB, Linux {platform.release()}, "
        f"Python {platform.python_version()}, load before {os.getloadavg()[0]:.1f}"
    )


# --- who sends ---------------------------------------------------------------------------------------------


@dataclass
class Came:
    acknowledged: list[tuple[str, str, str]] = field(default_factory=list)  # receipt, text, SHA-256 of the file
    errors: list[str] = field(default_factory=list)
    seconds: float = 0.0


async def _load(port, students, asked, address, *, rounds=3, spread=10.0, wait=10.0) -> Came:
    dice, came, began = random.Random(asked.seed), Came(), time.monotonic()
    block = dice.randbytes(asked.kb * 1024)
    await asyncio.gather(
        *(
            _student(port, student, address, block, came, random.Random(f"{asked.seed} {number}"), rounds, spread, wait)
            for number, student in enumerate(students)
        )
    )
    came.seconds = time.monotonic() - began
    return came


async def _student(port, student, address, block, came, dice, rounds, spread, wait):
    """One connection, for as long as the server keeps it."""
    pipe = None
    await asyncio.sleep(dice.uniform(0, spread))
    for number in range(rounds):
        text = f"Version {number} of {student['name']}."
        content = b"%PDF-1.7\n" + f"{student['name']} {number} ".encode() + block
        try:
            pipe = pipe or await asyncio.open_connection("127.0.0.1", port)
            async with asyncio.timeout(PATIENCE):
                status, place = await _post(pipe, address, student["session"], number, text, content)
            if address == "/bare/":
                if status != 200:
                    came.errors.append(f"{status}")
            elif "/receipts/" in place:
                receipt = place.rstrip("/").rpartition("/")[2]
                came.acknowledged.append((receipt, text, hashlib.sha256(content).hexdigest()))
            else:
                came.errors.append(f"{status} {place}")
        except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError) as error:
            came.errors.append(repr(error))
            pipe = None
        await asyncio.sleep(dice.uniform(0.5 * wait, 1.5 * wait) if number < rounds - 1 else 0)
    if pipe:
        pipe[1].close()


async def _post(pipe, address, session, number, text, content):
    """(status, where it leads)."""
    reader, writer = pipe
    fields = {
        "csrfmiddlewaretoken": CSRF,
        "window": uuid.uuid4().hex,
        "revision": number,
        "sent": 1,
        "answer": text,
    }
    head = "".join(
        f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    )
    head += (
        '--edge\r\nContent-Disposition: form-data; name="files"; filename="report.pdf"\r\n'
        "Content-Type: application/pdf\r\n\r\n"
    )
    tail = b'\r\n--edge\r\nContent-Disposition: form-data; name="whole"\r\n\r\nyes\r\n--edge--\r\n'
    size = len(head) + len(content) + len(tail)
    writer.write(
        f"POST {address} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: sessionid={session}; csrftoken={CSRF}\r\n"
        f"Content-Type: multipart/form-data; boundary=edge\r\nContent-Length: {size}\r\n\r\n{head}".encode()
    )
    writer.write(content)
    writer.write(tail)
    await writer.drain()
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    await reader.readexactly(int(headers.get("content-length", 0)))
    return int(lines[0].split()[1]), headers.get("location", "")


def _times(folder: Path, path: str) -> list[float]:
    lines = [line.split() for part in sorted(folder.iterdir()) for line in part.read_text().splitlines()]
    return [float(milliseconds) for at, milliseconds in lines if at == path]


# --- what knows Django, each in a process of its own ---------------------------------------------------------


def _act(environment: dict[str, str], act: str, asked: argparse.Namespace, given: str = "") -> str:
    doing = [sys.executable, __file__, "--act", act, "--students", str(asked.students)]
    ran = subprocess.run(doing, env=environment, input=given, stdout=subprocess.PIPE, text=True, check=True)
    return ran.stdout.strip().splitlines()[-1]


def _plant(count: int) -> list[dict[str, str]]:
    """A cohort of so many students in week 2, each signed in: [{"name", "session"}]."""
    import django

    django.setup()
    from datetime import timedelta
    from importlib import import_module

    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.core.management import call_command
    from django.db import connection
    from django.utils import timezone

    from bench.upload_urls import BareUpload
    from portal.models import Assignment, Cohort, CohortWeek, Course, Membership, User, Week

    call_command("migrate", verbosity=0)
    with connection.schema_editor() as tables:
        tables.create_model(BareUpload)
    call_command("collectstatic", interactive=False, verbosity=0)
    now = timezone.now()
    course = Course.objects.create(slug="bench", title="Bench")
    cohort = Cohort.objects.create(slug="bench", course=course, name="Bench", start_on=now.date())
    for number in range(1, 5):
        week = Week.objects.create(course=course, number=number, slug=f"w{number}", title=f"Week {number}")
        for slug in ("case", "warm-up"):
            Assignment.objects.create(
                week=week, slug=slug, title=slug, brief_md="Decide.", model_answer_md="One good answer."
            )
        CohortWeek.objects.create(
            cohort=cohort, week=week, released_at=now - timedelta(days=1), due_at=now + timedelta(days=1)
        )
    users = User.objects.bulk_create(
        User(email=f"s{n}@example.org", name=f"Student {n:03}", password="!") for n in range(count)
    )
    Membership.objects.bulk_create(Membership(cohort=cohort, user=user) for user in users)
    store, planted = import_module(settings.SESSION_ENGINE).SessionStore, []
    for user in users:
        session = store()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save()
        planted.append({"name": user.name, "session": session.session_key})
    return planted


def _check(acknowledged: list[list[str]]) -> dict[str, int]:
    """Every receipt that was given against its row and its bytes on disk."""
    import django

    django.setup()
    from portal import filing
    from portal.models import Submission

    of_the_load = Submission.objects.filter(assignment__slug="case")
    received = {one.number: one for one in of_the_load.prefetch_related("files")}
    lost = 0
    for number, text, sha256 in acknowledged:
        found = received.get(number)
        files = list(found.files.all()) if found else []
        is_there = found and found.answer_md == text and [file.sha256 for file in files] == [sha256]
        lost += not (is_there and all(map(filing.is_whole, files)))
    said = [(one.student_id, one.answer_md) for one in received.values()]
    return {"versions": len(received), "lost": lost, "doubled": len(said) - len(set(said))}


def _free_port() -> int:
    """Below those that connections start from."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as taken:
            if taken.connect_ex(("127.0.0.1", port)):
                return port


def _wait_for(port: int, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as trying:
            if trying.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"the portal does not listen on port {port} after {seconds:.0f} s")


def _options() -> argparse.Namespace:
    made = argparse.ArgumentParser(description="Handing in at the deadline, beside a bare view that saves an upload.")
    made.add_argument("--students", type=int, default=500)
    made.add_argument("--kb", type=int, default=1024, help="of each file (default: %(default)s)")
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--act", choices=["plant", "check"], help=argparse.SUPPRESS)
    return made.parse_args()


if __name__ == "__main__":
    sys.exit(main())
