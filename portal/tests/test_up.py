"""`manage.py up` for real: it comes up, answers, and whichever way it ends, nothing of it is left running."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from psycopg import sql

from portal import running
from portal.tests.test_crew import until_gone

pytestmark = pytest.mark.slow
OURS = ("granian", "celery", "valkey-server", "simulator")


def free_port():
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


@pytest.fixture
def surroundings():
    """The environment of a start of its own: private var/, free ports, embedded everything."""
    given = ("DATABASE_URL", "REDIS_URL", "SIMULATOR_URL", "HOST", "PUBLIC_URL", "DEMO", "STATIC_ROOT")
    with tempfile.TemporaryDirectory(prefix="lightsout-up-") as var:
        yield {
            **{name: value for name, value in os.environ.items() if name not in given},
            "LIGHTSOUT_VAR": var,
            "PORT": str(free_port()),
            "SIMULATOR_PORT": str(free_port()),
            "DEMO": "0",
        }


@pytest.fixture
def up(surroundings):
    """up() starts it and waits until it says where it is; what a test leaves running is ended."""
    started = []

    def start():
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=settings.BASE_DIR,
            env=surroundings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        process.said = []
        for line in process.stdout:
            process.said.append(line)
            if "Lightsout is at" in line:
                return process
        raise AssertionError("it did not come up:\n" + "".join(process.said))

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
        process.stdout.close()


def descendants(pid):
    """Every process below `pid`: {pid: its command line}."""
    parents, commands = {}, {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            stat, command = (folder / "stat").read_text(), (folder / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents[int(folder.name)] = int(stat.rsplit(")", 1)[1].split()[1])
        commands[int(folder.name)] = command.replace(b"\0", b" ").decode("utf-8", "replace")
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return {child: commands[child] for child in found - {pid}}


def answer_of(surroundings, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{surroundings['PORT']}{path}", timeout=10) as answer:
        return answer.status, answer.read().decode()


def refused(surroundings):
    """What a start that may not be says on standard error, when it ended with 1."""
    ended = subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=settings.BASE_DIR,
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 1
    return ended.stderr


def test_it_answers_leaves_nobody_when_killed_and_starts_again_with_its_data(up, surroundings):
    first = up()
    status, page = answer_of(surroundings, "/accounts/login/")
    assert status == 200 and "Lightsout" in page
    assert answer_of(surroundings, "/alive/")[0] == 200
    below = descendants(first.pid)
    for name in OURS:
        assert any(name in command for command in below.values()), f"no {name} among {below}"
    elsewhere = {"PORT": str(free_port()), "SIMULATOR_PORT": str(free_port())}
    assert re.fullmatch(
        r"CommandError: Lightsout runs already in \S+\. Stop it first.*\n", refused(surroundings | elsewhere)
    )
    elsewhere = {name: value for name, value in surroundings.items() if name not in ("PORT", "SIMULATOR_PORT")}
    asked = "from django.conf import settings; print(settings.SIMULATOR_URL, settings.PUBLIC_URL)"
    told = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", asked],
        cwd=settings.BASE_DIR,
        env=elsewhere,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    here = [f"http://127.0.0.1:{surroundings[name]}" for name in ("SIMULATOR_PORT", "PORT")]
    assert told.stdout.split() == here, "a second terminal speaks with what runs"
    first.kill()
    first.wait()
    assert until_gone(below, seconds=20) == []

    second = up()
    assert not any("Compressing" in line for line in second.said)
    assert answer_of(surroundings, "/accounts/login/")[0] == 200
    below = descendants(second.pid)
    second.send_signal(signal.SIGINT)
    said, _ = second.communicate(timeout=60)
    assert second.returncode == 0
    assert said.rstrip().endswith(f"Nothing is left running; the data stays in {surroundings['LIGHTSOUT_VAR']}.")
    assert until_gone(below) == []


def test_a_busy_port_is_one_clear_line(surroundings):
    port = int(surroundings["PORT"])
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", port))
        busy.listen()
        assert refused(surroundings) == (
            f"CommandError: Port {port} is busy. Stop what listens there, or choose another: PORT={port + 1}\n"
        )


@pytest.mark.parametrize(
    ("ports", "said"),
    [
        ({"PORT": "abc"}, "PORT is 'abc', which is no port: write a number from 1 to 65535.\n"),
        ({"SIMULATOR_PORT": "70000"}, "SIMULATOR_PORT is '70000', which is no port: write a number from 1 to 65535.\n"),
        (
            {"PORT": "8133", "SIMULATOR_PORT": "8133"},
            "CommandError: PORT and SIMULATOR_PORT are both 8133: choose another for one of them.\n",
        ),
    ],
)
def test_ports_that_cannot_be_are_one_clear_line(surroundings, ports, said):
    assert refused(surroundings | ports) == said


def test_a_second_terminal_finds_the_ports_of_what_runs_and_of_nothing_that_was_killed(tmp_path):
    assert running.ports(tmp_path) == {}
    with running.hold(tmp_path, {"PORT": 8123, "SIMULATOR_PORT": 5623}):
        assert running.ports(tmp_path) == {"PORT": "8123", "SIMULATOR_PORT": "5623"}
        with pytest.raises(running.RunsAlready), running.hold(tmp_path, {"PORT": 1}):
            pass
        assert running.ports(tmp_path)["PORT"] == "8123", "whoever was turned away changes nothing"
    assert (tmp_path / running.LOCK).read_text(), "as one that was killed leaves it"
    assert running.ports(tmp_path) == {}


@pytest.fixture
def servers():
    """A database of its own on the PostgreSQL of DATABASE_URL, and database 15 of the Redis of REDIS_URL."""
    server, name = os.environ["DATABASE_URL"], f"lightsout_up_{os.getpid()}"
    with psycopg.connect(server.replace("postgres://", "postgresql://", 1), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        redis_url = urlsplit(os.environ["REDIS_URL"])._replace(path="/15").geturl()
        yield {"DATABASE_URL": urlsplit(server)._replace(path=f"/{name}").geturl(), "REDIS_URL": redis_url}
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.mark.services
def test_on_postgresql_and_redis_it_starts_neither_and_uses_both(servers, surroundings, up):
    surroundings.update(servers)
    process = up()
    assert answer_of(surroundings, "/accounts/login/")[0] == 200
    below = descendants(process.pid)
    assert not any("valkey-server" in command for command in below.values())
    assert not (Path(surroundings["LIGHTSOUT_VAR"]) / "lightsout.sqlite3").exists()
    with psycopg.connect(servers["DATABASE_URL"].replace("postgres://", "postgresql://", 1)) as connection:
        assert connection.execute("SELECT count(*) FROM portal_course").fetchone() == (1,)
