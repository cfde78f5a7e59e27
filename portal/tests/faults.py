"""Faults in handing in: at each step of a request something breaks, and the student tries on until there is a receipt.

A student hands in a text and a file, by the form or in pieces (tus). Meanwhile, drawn by a seed: the database goes away
at any query, before or after a commit; the disk is full, or does not sync, or makes no file; the process dies at any of
those steps; the answer gets lost after all was done; the same request comes twice. What was acknowledged (a receipt's
address was answered) must be there once, with its bytes.

    python -m portal.tests.faults --faults 10000    half of them on SQLite, half on PostgreSQL of its own, which is
                                                    restarted meanwhile; the last line is JSON
    python -m portal.tests.faults --on sqlite       on one of the two
"""

from __future__ import annotations

import argparse
import base64
import builtins
import contextlib
import errno
import hashlib
import json
import logging
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

MOST_TRIES = 12  # with faults; then those without, of which one has to be acknowledged
CALM_TRIES = 100
POINTS = ("query", "before commit", "after commit", "open", "write", "fsync")
PDF = b"%PDF-1.7\n"


class Died(BaseException):
    """The process is gone: nothing after it runs, but for what Python cannot help to run."""


@dataclass
class Fault:
    """Strikes once, at the `countdown`-th time that `point` is reached."""

    point: str
    kind: str  # breaks or dies
    countdown: int
    struck: bool = False

    def reached(self, point: str) -> bool:
        if point != self.point or self.struck:
            return False
        self.countdown -= 1
        self.struck = self.countdown < 0
        return self.struck

    def strike(self, error: Exception | None = None) -> None:
        if self.kind == "dies":
            raise Died
        if error is not None:
            raise error


@contextlib.contextmanager
def failpoints(fault: Fault | None):
    """The database, the disk and the commit, with `fault` in them. Nothing is synced: no power goes off here."""
    from django.db import OperationalError, connection

    def lose_the_database():
        with contextlib.suppress(Exception):
            connection.connection.close()

    def execute(run, sql, params, many, context):
        if fault and fault.reached("query"):
            lose_the_database()
            fault.strike()
        return run(sql, params, many, context)

    commit, true_open = connection.commit, builtins.open

    def broken_commit():
        if fault and fault.reached("before commit"):
            lose_the_database()
            fault.strike(OperationalError("the server closed the connection unexpectedly"))
        commit()
        if fault and fault.reached("after commit"):
            lose_the_database()
            fault.strike(OperationalError("the server closed the connection unexpectedly"))

    def broken_open(path, mode="r", *args, **more):
        if "x" in mode and fault and fault.reached("open"):
            fault.strike(OSError(errno.ENOSPC, "No space left on device"))
        opened = true_open(path, mode, *args, **more)
        if "r" not in mode and str(path).startswith(str(settings.MEDIA_ROOT)) or isinstance(path, int):
            return _Disk(opened, fault)
        return opened

    def fsync(handle):
        if fault and fault.reached("fsync"):
            fault.strike(OSError(errno.EIO, "Input/output error"))

    from django.conf import settings

    with (
        connection.execute_wrapper(execute),
        patch.object(connection, "commit", broken_commit),
        patch("labs.keeping.open", broken_open, create=True),
        patch("portal.uploading.open", broken_open, create=True),
        patch("os.fsync", fsync),
    ):
        yield


class _Disk:
    """An open file whose disk may be full."""

    def __init__(self, opened, fault):
        self.opened, self.fault = opened, fault

    def write(self, piece):
        if self.fault and self.fault.reached("write"):
            self.opened.write(bytes(piece)[: len(piece) // 2])
            self.fault.strike(OSError(errno.ENOSPC, "No space left on device"))
        return self.opened.write(piece)

    def __enter__(self):
        self.opened.__enter__()
        return self

    def __exit__(self, *why):
        return self.opened.__exit__(*why)

    def __getattr__(self, name):
        return getattr(self.opened, name)


@dataclass
class Tally:
    struck: Counter = field(default_factory=Counter)
    acknowledged: list[tuple[str, str, str]] = field(default_factory=list)  # receipt, text, SHA-256 of the file
    wrong: list[str] = field(default_factory=list)
    requests: int = 0

    @property
    def faults(self) -> int:
        return sum(self.struck.values())


class Student:
    """A browser that hands in, and does not let go until it sees a receipt."""

    def __init__(self, user: Any, dice: random.Random, tally: Tally, number: str):
        from django.test import Client

        self.user, self.dice, self.tally, self.number = user, dice, tally, number
        self.client = Client(raise_request_exception=False)
        self.client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        self.is_calm = False

    def hands_in(self, text: str, content: bytes) -> None:
        form = {"window": uuid.UUID(int=self.dice.getrandbits(128)).hex, "revision": self._revision()}
        by_pieces = self.dice.random() < 0.3
        self.is_calm, sent, here = False, 0, False
        for attempt in range(MOST_TRIES + CALM_TRIES):
            self.is_calm = attempt >= MOST_TRIES
            time.sleep(0.1 if attempt > MOST_TRIES + 3 else 0)  # the server itself may be restarting
            if by_pieces and not here:
                here = self._sends(content)
                continue
            sent += 1
            fields = form | {"sent": sent, "answer": text, "whole": "yes"}
            answer = self._asks("post", self._address("submit"), fields, None if by_pieces else content)
            if answer is not None and answer.status_code == 302 and "/receipts/" in answer.url:
                number = answer.url.rstrip("/").rpartition("/")[2]
                self.tally.acknowledged.append((number, text, hashlib.sha256(content).hexdigest()))
                return
        self.tally.wrong.append(f"{self.user} never got a receipt for {text!r}")

    def _revision(self) -> int:
        """Of the draft, as the page that is opened now would have it."""
        from django.db import Error

        from portal.models import Draft

        while True:
            try:
                return next(iter(Draft.objects.filter(student=self.user).values_list("revision", flat=True)), 0)
            except Error:
                time.sleep(0.1)
                _reconnect()

    def _address(self, name, *more):
        from django.urls import reverse

        return reverse(f"portal:{name}", args=[2, self.number, *more])

    def _sends(self, content: bytes) -> bool:
        """In two pieces by tus, from wherever it stands. Whether all of it is in the draft."""
        name = base64.b64encode(b"work.pdf").decode()
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(content)), "Upload-Metadata": f"filename {name}"}
        begun = self._asks("post", self._address("uploads"), {}, headers=headers)
        if begun is None or begun.status_code != 201:
            return False
        for _ in range(MOST_TRIES):
            looked = self._asks("head", begun["Location"], headers=headers)
            if looked is None or looked.status_code != 200:
                continue
            offset = int(looked["Upload-Offset"])
            piece = content[offset : max(len(content) // 2, offset + 1) if not offset else len(content)]
            more = headers | {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
            answer = self._asks("patch", begun["Location"], piece, headers=more)
            if answer is not None and answer.status_code == 200:
                return True
        return False

    def _asks(self, method, address, body=None, content=None, headers=None):
        """One request with perhaps a fault in it: the answer, or None when there was none or it got lost."""
        from django.core.files.uploadedfile import SimpleUploadedFile

        def ask():
            fields = body
            if content is not None:
                fields = body | {"files": SimpleUploadedFile("work.pdf", content)}
            self.tally.requests += 1
            return getattr(self.client, method)(address, fields, headers=headers)

        fault, is_lost, is_twice = self._draw(queries=20 if content is not None else 10)
        answer = None
        with failpoints(fault):
            try:
                answer = ask()
            except Died:
                pass
            except Exception as error:
                if not fault or not fault.struck:
                    self.tally.wrong.append(f"{method} {address}: {error!r}")
        _reconnect()
        if fault and fault.struck:
            self.tally.struck[f"{fault.point} {fault.kind}"] += 1
        if is_twice:
            self.tally.struck["sent twice"] += 1
            with failpoints(None):
                answer = ask()
        if is_lost:
            self.tally.struck["answer lost"] += 1
            return None
        return answer

    def _draw(self, queries: int) -> tuple[Fault | None, bool, bool]:
        if self.is_calm:
            return None, False, False
        drawn = self.dice.random()
        if drawn < 0.2:
            return None, True, False
        if drawn < 0.25:
            return None, False, True
        if drawn < 0.97:
            point = self.dice.choice(POINTS)
            most = {"query": queries, "before commit": 2, "after commit": 2}.get(point, 2)
            return Fault(point, self.dice.choice(["breaks", "dies"]), self.dice.randrange(most)), False, False
        return None, False, False


def _reconnect() -> None:
    from django.db import connection

    with contextlib.suppress(Exception):
        connection.close()
    connection.connection = None
    if connection.vendor == "sqlite":
        connection.cursor().execute("PRAGMA synchronous=OFF")


def play(faults: int, seed: int, students: list[Any], slug: str, log=lambda line: None) -> Tally:
    """Hand in until so many faults have struck. The tally has what went wrong, in words."""
    logging.disable(logging.CRITICAL)  # each fault would be told with its traceback
    dice, tally, number = random.Random(seed), Tally(), 0
    browsers = [Student(user, dice, tally, slug) for user in students]
    while tally.faults < faults:
        number += 1
        content = PDF + f"file {number} of seed {seed} ".encode() * 40
        dice.choice(browsers).hands_in(f"text {number} of seed {seed}", content)
        if number % 500 == 0:
            log(f"{number} handed in, {tally.faults} faults, {len(tally.wrong)} wrong")
    logging.disable(logging.NOTSET)
    return tally


def check(tally: Tally, cohort: Any) -> None:
    """Hold what was acknowledged against the rows and the disk: nothing lost, nothing doubled."""
    from portal import filing
    from portal.models import Submission

    received = {one.number: one for one in Submission.objects.filter(cohort=cohort).prefetch_related("files")}
    for number, text, sha256 in tally.acknowledged:
        found = received.get(number)
        if found is None or found.answer_md != text:
            tally.wrong.append(f"lost: {number}, {text!r}")
        elif [file.sha256 for file in found.files.all()] != [sha256] or not all(
            map(filing.is_whole, found.files.all())
        ):
            tally.wrong.append(f"lost: the file of {number}, {text!r}")
    texts = Counter(one.answer_md for one in received.values())
    tally.wrong += [f"doubled: {text!r}, {times} versions" for text, times in texts.items() if times > 1]
    told = Counter(number for number, _, _ in tally.acknowledged)
    tally.wrong += [f"doubled: {number} is the receipt of {times}" for number, times in told.items() if times > 1]
    newest = Counter(one.student_id for one in received.values())
    if any(one.version > newest[one.student_id] for one in received.values()):
        tally.wrong.append("lost: a version was counted and not kept")


def summary(tally: Tally) -> dict[str, Any]:
    lost, doubled = (sum(line.startswith(kind) for line in tally.wrong) for kind in ("lost", "doubled"))
    return {
        "faults": tally.faults,
        "acknowledged": len(tally.acknowledged),
        "lost": lost,
        "doubled": doubled,
        "other": len(tally.wrong) - lost - doubled,
        "requests": tally.requests,
        "struck": dict(sorted(tally.struck.items())),
    }


# --- by itself ---------------------------------------------------------------------------------------------


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m portal.tests.faults", description="Faults in handing in.")
    asked.add_argument("--faults", type=int, default=10_000)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--on", choices=["sqlite", "postgres"], help="on one of the two")
    said = asked.parse_args()
    began = time.monotonic()
    found = _on(said.on, said.faults, said.seed) if said.on else _on_both(said.faults, said.seed)
    print(json.dumps(found | {"seconds": round(time.monotonic() - began, 1)}))  # noqa: T201
    return 1 if found["lost"] or found["doubled"] or found["other"] else 0


def _on_both(faults: int, seed: int) -> dict[str, Any]:
    """Each in a process of its own, side by side: Django has one database."""
    doing = [sys.executable, "-m", "portal.tests.faults", "--faults", str(faults // 2), "--seed", str(seed), "--on"]
    ran = [subprocess.Popen([*doing, engine], stdout=subprocess.PIPE, text=True) for engine in ("sqlite", "postgres")]
    total: Counter = Counter()
    struck: Counter = Counter()
    for process in ran:
        *lines, last = process.communicate()[0].strip().splitlines()
        print("\n".join(lines), flush=True)  # noqa: T201
        one = json.loads(last)
        struck.update(one.pop("struck"))
        total.update(one)
    return dict(total) | {"struck": dict(struck)}


def _on(engine: str, faults: int, seed: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="lightsout-faults-") as var, contextlib.ExitStack() as stack:
        url, restarts = f"sqlite:///{var}/faults.sqlite3", [0]
        if engine == "postgres":
            from bench import servers

            Path(var).chmod(0o755)  # PostgreSQL's own user comes through here
            url, _ = stack.enter_context(servers.postgres(Path(var)))
        _settle(url, var)
        cohort, students = plant(20)
        with contextlib.ExitStack() as meanwhile:
            if engine == "postgres":
                restarts = meanwhile.enter_context(_restarting(lambda: servers.restart_postgres(Path(var))))
            tally = play(faults, seed, students, "case", log=lambda line: print(line, flush=True))  # noqa: T201
        tally.struck["server restarted"] += restarts[0]
        _reconnect()
        check(tally, cohort)
    print("\n".join(tally.wrong[:50]))  # noqa: T201
    return summary(tally)


@contextlib.contextmanager
def _restarting(restart, every: float = 5.0):
    done, count = threading.Event(), [0]

    def run():
        while not done.wait(every):
            restart()
            count[0] += 1

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield count
    finally:
        done.set()
        thread.join()


def _settle(url: str, var: str) -> None:
    """Django on this database and this folder, for the rest of the process."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATABASE_URL": url,
        "LIGHTSOUT_VAR": var,
        "LOG_LEVEL": "CRITICAL",
        "ALLOWED_HOSTS": "testserver",
    }
    import django
    from django.conf import settings
    from django.core.management import call_command

    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    django.setup()
    call_command("migrate", verbosity=0)


def plant(count: int) -> tuple[Any, list[Any]]:
    """A cohort in week 2 of its course with one case study, due in some days, and so many students."""
    from datetime import timedelta

    from django.utils import timezone

    from portal.models import Assignment, Cohort, CohortWeek, Course, Membership, User, Week

    now = timezone.now()
    course = Course.objects.create(slug="faults", title="Faults")
    week = Week.objects.create(course=course, number=2, slug="w2", title="Containers")
    Assignment.objects.create(week=week, slug="case", title="Case study", brief_md="Decide.")
    cohort = Cohort.objects.create(slug="faults", course=course, name="Faults", start_on=now.date())
    opened = {"released_at": now - timedelta(days=1), "due_at": now + timedelta(days=3)}
    CohortWeek.objects.create(cohort=cohort, week=week, **opened)
    people = [User.objects.create_user(f"s{n}@example.org", None, name=f"Student {n}") for n in range(count)]
    Membership.objects.bulk_create(Membership(cohort=cohort, user=user) for user in people)
    return cohort, people


if __name__ == "__main__":
    sys.exit(main())
