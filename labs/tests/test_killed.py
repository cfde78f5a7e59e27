"""A real worker process killed with -9, again and again, while labs come up and go; no broker is there at all."""

import os
import random
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection

from labs import aws, launching, practice
from labs.models import Launch, Resource
from labs.tests.test_loop_simulator import EC2, SAGEMAKER, things_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.simulator, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
KILLS = 4  # while they come up, and as many while they go


def now():
    return datetime.now(UTC)


@pytest.fixture
def account(simulator, settings, aye):
    simulator.serves(settings)
    aws.forget_clients()
    made = practice.account_of(aye, now=now())
    made.boot_id, made.aws_id = simulator.boot()["boot_id"], simulator.new_account()
    made.regions = ["us-east-1"]
    made.save()
    yield made
    aws.forget_clients()


def url_of_the_test_database():
    facts = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{facts['NAME']}"
    return f"postgres://{facts['USER']}:{facts['PASSWORD']}@{facts['HOST']}:{facts['PORT']}/{facts['NAME']}"


@pytest.fixture
def worker(simulator, tmp_path):
    """worker() starts one; it is at work when this answers."""
    started = []
    env = {
        **os.environ,
        "DATABASE_URL": url_of_the_test_database(),
        "SIMULATOR_URL": simulator.url,
        "SIMULATOR_SECRET_FILE": str(simulator.secret_file),
        "LIGHTSOUT_VAR": str(tmp_path),
        "ABSENCE_GAP_SECONDS": "1",
        "LOG_LEVEL": "WARNING",
    }

    def start():
        process = subprocess.Popen(
            [sys.executable, "-m", "labs.tests.a_worker"], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout.readline() == "at work\n"
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()


def after_its_lease():
    """What the dead worker held is free again, as it is when its lease has run out."""
    Resource.objects.open().update(lease_until=None)


def test_whatever_moment_it_is_killed_in_the_next_one_ends_what_was_begun(worker, account, aye, simulator):
    dice = random.Random(20250915)
    launches = [launching.launch(lab, account, aye, now=now()) for lab in (EC2, SAGEMAKER)]

    def live_until(is_so, kills):
        end = now() + timedelta(seconds=120)
        at_work = worker()
        while not is_so():
            assert now() < end, [str(row) for row in Resource.objects.open()]
            try:
                at_work.wait(dice.uniform(0.1, 0.9) if kills else 0.2)
                pytest.fail("the worker ended by itself")
            except subprocess.TimeoutExpired:
                pass
            if kills:
                kills -= 1
                at_work.send_signal(signal.SIGKILL)
                at_work.wait()
                after_its_lease()
                at_work = worker()
        at_work.kill()
        at_work.wait()
        after_its_lease()

    live_until(lambda: Launch.objects.filter(ready_at=None).count() == 0, KILLS)
    for launch in launches:
        assert {kind: len(ids) for kind, ids in things_of(account, launch).items()} == {
            row.kind: 1 for row in Resource.objects.filter(launch=launch)
        }
        launching.ask_to_delete(launch, now=now(), by=aye)
    live_until(lambda: Launch.objects.filter(ended_at=None).count() == 0, KILLS)
    for launch in Launch.objects.all():
        assert launch.certificate["left"] == []
        assert not any(things_of(account, launch).values())
