"""PostgreSQL and Redis of a bench's own: on free ports, under a temporary folder, and gone with it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CONTROLS: dict[Path, list[str]] = {}


class Missing(Exception):
    """A server is not installed here, or does not start. `str()` says which, and what to do."""


@contextmanager
def postgres(under: Path) -> Iterator[tuple[str, int]]:
    """(its URL, the process id of its first process). under: an empty folder that everybody may enter."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    if not binaries:
        raise Missing("PostgreSQL is not there: apt-get install postgresql")
    here, port = under / "postgres", _free_port()
    here.mkdir()
    as_postgres: list[str] = []
    if os.getuid() == 0:  # PostgreSQL does not run as root
        as_postgres = ["runuser", "-u", "postgres", "--"]
        shutil.chown(here, "postgres")
    data = str(here / "data")
    _run(*as_postgres, binaries[-1] / "initdb", "-D", data, "-U", "lightsout", "-A", "trust", "-E", "UTF8", "-N")
    control = [*as_postgres, str(binaries[-1] / "pg_ctl"), "-D", data, "-w"]
    CONTROLS[under] = control
    # As it is delivered, but for the place: also its writes reach the disk before it answers.
    options = f"-p {port} -k {here} -c listen_addresses=127.0.0.1 -c max_connections=200"
    _run(*control, "-l", here / "log", "-o", options, "start")
    try:
        pid = int((here / "data" / "postmaster.pid").read_text().split()[0])
        yield f"postgres://lightsout@127.0.0.1:{port}/postgres", pid
    finally:
        _run(*control, "-m", "immediate", "stop")


def restart_postgres(under: Path) -> None:
    """Stop that server in the middle of whatever it does, as a power cut would, and start it again."""
    _run(*CONTROLS[under], "-m", "immediate", "-l", under / "postgres" / "log", "restart")


@contextmanager
def redis(under: Path) -> Iterator[tuple[str, int]]:
    """(its URL, its process id)."""
    if not shutil.which("redis-server"):
        raise Missing("Redis is not there: apt-get install redis-server")
    port = _free_port()
    asked = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(under)]
    with (under / "redis.log").open("w") as log:
        process = subprocess.Popen(asked, stdout=log, stderr=log)
    try:
        _wait_for(port)
        yield f"redis://127.0.0.1:{port}/0", process.pid
    finally:
        process.terminate()
        process.wait()


def _run(*asked: str | Path) -> None:
    # Not through a pipe: the server that pg_ctl leaves behind would hold it open.
    ran = subprocess.run(asked, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
    if ran.returncode:
        raise Missing(f"{' '.join(map(str, asked))} ended with {ran.returncode}")


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _wait_for(port: int, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as trying:
            if trying.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise Missing(f"nobody listens on port {port} after {seconds:.0f} s")
