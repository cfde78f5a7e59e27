"""A broker that forgets everything, again and again, under a real worker and a real beat while a lab comes up and goes:
the row is the queue, so a flush costs seconds and nothing else."""

import contextlib
import os
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from labs import launching
from labs.kinds.base import Want
from labs.models import Launch, Resource
from labs.tests.conftest import lab_of
from labs.tests.test_killed import account, now, url_of_the_test_database  # noqa: F401  a fixture
from labs.tests.test_loop_simulator import things_of
from portal import broker
from portal.tests.test_broker import answering

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.simulator, pytest.mark.slow, pytest.mark.once]

LAB = lab_of(
    Want("role", "iam-role", {"trust": "ec2.amazonaws.com"}),
    Want("profile", "instance-profile", {"role": "{role.name}"}, needs=("role",)),
)


@pytest.fixture
def forgetful():
    """The folder of an embedded broker of its own, and a client of it."""
    with tempfile.TemporaryDirectory(prefix="v") as folder:
        process = subprocess.Popen(broker.command(Path(folder)), stdout=subprocess.DEVNULL)
        client = answering(broker.socket_path(Path(folder)))
        yield Path(folder), client
        client.close()
        process.terminate()
        process.wait(10)


@pytest.fixture
def worker_and_beat(forgetful, account, simulator):  # noqa: F811
    env = {
        **os.environ,
        "DATABASE_URL": url_of_the_test_database(),
        "REDIS_URL": "",
        "SIMULATOR_URL": simulator.url,
        "SIMULATOR_SECRET_FILE": str(simulator.secret_file),
        "LIGHTSOUT_VAR": str(forgetful[0]),
        "ABSENCE_GAP_SECONDS": "1",
        "LOG_LEVEL": "ERROR",
        "DEMO": "0",
    }
    celery = [sys.executable, "-W", "ignore", "-m", "celery", "-A", "portal", "--quiet"]
    pool = ["--pool", "threads", "--concurrency", "2", "--without-gossip", "--without-mingle", "--loglevel", "ERROR"]
    hands = [
        subprocess.Popen([*celery, "worker", *pool], cwd=settings.BASE_DIR, env=env),
        subprocess.Popen([*celery, "beat", "--loglevel", "ERROR"], cwd=settings.BASE_DIR, env=env),
    ]
    yield hands
    for hand in hands:
        assert hand.poll() is None, "it goes on without what the broker forgot"
        hand.kill()
        hand.wait()


def flushed_until(is_so, forgetful, worker, seconds=120):
    """FLUSHALL five times a second until it is so. Answers how often there was something to forget."""
    end, forgotten = now() + timedelta(seconds=seconds), 0
    while not is_so():
        assert now() < end, [(str(row), row.seen, row.blocked_why, row.closed_why) for row in Resource.objects.all()]
        forgotten += bool(forgetful.dbsize())
        forgetful.flushall()
        with contextlib.suppress(subprocess.TimeoutExpired):
            worker.wait(0.2)
    return forgotten


def test_a_broker_that_forgets_everything_costs_seconds_and_no_lab(forgetful, worker_and_beat, account, aye):  # noqa: F811
    launch = launching.launch(LAB, account, aye, now=now())
    forgotten = flushed_until(lambda: Launch.objects.get().ready_at, forgetful[1], worker_and_beat[0])
    assert {kind: len(ids) for kind, ids in things_of(account, launch).items()} == {
        row.kind: 1 for row in Resource.objects.filter(launch=launch)
    }
    launching.ask_to_delete(launch, now=now(), by=aye)
    forgotten += flushed_until(lambda: Launch.objects.get().ended_at, forgetful[1], worker_and_beat[0])
    assert forgotten, "the broker held something when it was flushed"
    assert Launch.objects.get().certificate["left"] == []
    assert not any(things_of(account, launch).values())
