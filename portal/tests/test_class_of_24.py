"""24 students start a lab at once, with two workers' worth of concurrency, while somebody reads a page."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from conftest import person
from labs import aws, certify, ending, launching, reconcile
from labs.models import Launch, Resource
from portal.enrolling import enrol
from portal.models import LabInWeek

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.simulator, pytest.mark.slow]

STUDENTS = 24
WORKERS = 2 * 8  # two worker processes of eight threads
PATIENCE = timedelta(minutes=4)


class Threads:
    """Runs functions in threads and keeps what they raised."""

    def __init__(self):
        self.errors, self.running = [], []

    def start(self, act, *args):
        def run():
            try:
                act(*args)
            except Exception as error:
                self.errors.append(error)
            finally:
                connection.close()

        thread = threading.Thread(target=run)
        self.running.append(thread)
        thread.start()

    def join(self):
        for thread in self.running:
            thread.join()


def now():
    return datetime.now(UTC)


@pytest.fixture
def class_of_24(cohort, simulator, settings):
    simulator.serves(settings)
    simulator.pace(state_seconds=1)
    aws.forget_clients()
    LabInWeek.objects.get_or_create(week=cohort.course.weeks.get(number=1), lab_slug="s3-ml-bucket")
    students = [person(f"student{number:02}") for number in range(STUDENTS)]
    for student in students:
        enrol(cohort, student, now=now())
    yield students
    aws.forget_clients()


def test_all_run_nobody_meets_a_lock_and_the_page_answers_meanwhile(class_of_24, cohort, chit):
    threads, done = Threads(), threading.Event()
    answers = []

    def click(student):
        client = Client()
        client.force_login(student)
        answer = client.post(reverse("portal:start_lab", args=[1, "s3-ml-bucket"]))
        assert answer.status_code == 302, answer.content[:500]

    def work():
        while not done.is_set():
            if not reconcile.work_off(now, until=now() + timedelta(seconds=2)):
                done.wait(0.1)
            ending.prepare_due(now)
            certify.prove_due(now)

    def read():
        client = Client()
        client.force_login(chit)
        while not done.is_set():
            began = now()
            answers.append((client.get(reverse("portal:course")).status_code, (now() - began).total_seconds()))
            done.wait(0.2)

    for student in class_of_24:
        threads.start(click, student)
    for _ in range(WORKERS):
        threads.start(work)
    threads.start(read)

    def wait_until(is_so):
        end = now() + PATIENCE
        while now() < end and not is_so() and not threads.errors:
            done.wait(0.1)
        assert not threads.errors, threads.errors
        assert is_so()

    try:
        wait_until(lambda: Launch.objects.exclude(ready_at=None).count() == STUDENTS)
        for launch in Launch.objects.select_related("account"):
            launching.ask_to_delete(launch, now=now())
        wait_until(lambda: Launch.objects.exclude(ended_at=None).count() == STUDENTS)
    finally:
        done.set()
        threads.join()

    assert not [error for error in threads.errors if isinstance(error, OperationalError)]
    assert not threads.errors
    assert not Resource.objects.open().exists()
    assert Resource.objects.exclude(blocked_why="").count() == 0
    assert {status for status, _ in answers} == {200}
    assert max(seconds for _, seconds in answers) < 20
    assert all(launch.certificate for launch in Launch.objects.all())
