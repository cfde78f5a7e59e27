"""A thousand injected faults in handing in (700 on SQLite, 300 on PostgreSQL), and fifty kills of the web process:
nothing lost, nothing doubled."""

import contextlib
import hashlib
import http.client
import os
import random
import socket
import subprocess
import sys
import threading
import time
import uuid
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.client import encode_multipart
from django.utils import timezone

from conftest import member
from portal.models import CohortWeek
from portal.tests import faults


@pytest.mark.django_db(transaction=True)
def test_injected_faults_lose_and_double_nothing(course, cohort, now):
    students = [member(cohort, f"student{n}", "student", now) for n in range(4)]
    tally = faults.play(700 if connection.vendor == "sqlite" else 300, 7, students, "case")
    faults.check(tally, cohort)
    assert not tally.wrong, "\n".join(tally.wrong)
    assert len(tally.struck) >= 14, "every kind of fault struck"
    assert len(tally.acknowledged) > 20


KILLS = 50


@pytest.mark.once
@pytest.mark.django_db(transaction=True)
def test_fifty_kills_of_the_web_process_lose_and_double_nothing(course, cohort, clock_of_week_2, tmp_path, settings):
    """Real requests to a real server; who gets no answer sends the same form again, as a browser does."""
    students = [member(cohort, f"student{n}", "student", clock_of_week_2) for n in range(3)]
    browsers = [Browser(student, number) for number, student in enumerate(students)]
    port = free_port()
    environment = os.environ | {
        "DATABASE_URL": url_of(connection.settings_dict),
        "LIGHTSOUT_VAR": str(tmp_path),
        "STATIC_ROOT": str(tmp_path / "static"),
        "LOG_LEVEL": "CRITICAL",
    }
    asked = [sys.executable, "-m", "portal.tests.mortal_web", str(port), str(KILLS), "7"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    done = threading.Event()
    with subprocess.Popen(asked, cwd=settings.BASE_DIR, env=environment, **pipes) as web:
        try:
            threads = [threading.Thread(target=browser.hands_in_until, args=(done, port)) for browser in browsers]
            for thread in threads:
                thread.start()
            said = [web.stdout.readline() for _ in range(KILLS + 1)]
            done.set()
            for thread in threads:
                thread.join(60)
        finally:
            done.set()
            web.stdin.close()
    assert said[-2:] == [f"killed {KILLS}\n", "lives\n"]
    tally = faults.Tally(acknowledged=[one for browser in browsers for one in browser.acknowledged])
    faults.check(tally, cohort)
    assert not tally.wrong, "\n".join(tally.wrong)
    assert sum(browser.cuts for browser in browsers) > KILLS / 5, "kills met requests on their way"
    assert len(tally.acknowledged) > 5


class Browser:
    """One student's, in a thread of its own: hands in one text with one file after the other."""

    def __init__(self, student, number):
        client = Client()
        client.force_login(student, backend="django.contrib.auth.backends.ModelBackend")
        self.cookies = f"sessionid={client.cookies['sessionid'].value}; csrftoken={'c' * 32}"
        self.number, self.acknowledged, self.cuts = number, [], 0

    def hands_in_until(self, done, port):
        revision = 0
        while not done.is_set():
            text, window = f"text {len(self.acknowledged)} of {self.number}", uuid.uuid4().hex
            content = b"%PDF-1.7\n" + text.encode() * 2000
            for sent in range(1, 400):
                fields = {"csrfmiddlewaretoken": "c" * 32, "window": window, "revision": revision, "sent": sent}
                place = self._posts(port, fields | {"answer": text}, content)
                if "/receipts/" in place:
                    receipt = place.rstrip("/").rpartition("/")[2]
                    self.acknowledged.append((receipt, text, hashlib.sha256(content).hexdigest()))
                    revision += 1
                    break

    def _posts(self, port, fields, content):
        """Where the answer leads; "" when there was none, or an error."""
        body = encode_multipart("edge", fields | {"files": SimpleUploadedFile("work.pdf", content), "whole": "yes"})
        headers = {"Cookie": self.cookies, "Content-Type": "multipart/form-data; boundary=edge"}
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("POST", "/week/2/case/case/submit/", body, headers)
            return connection.getresponse().getheader("Location") or ""
        except ConnectionRefusedError:
            time.sleep(0.01)
            return ""
        except (OSError, http.client.HTTPException):
            self.cuts += 1
            return ""
        finally:
            connection.close()


@pytest.fixture
def clock_of_week_2(cohort):
    """The server's clock is the real one: week 2 is open in it until tomorrow."""
    now = timezone.now()
    CohortWeek.objects.filter(cohort=cohort, week__number=2).update(
        released_at=now - timedelta(days=1), due_at=now + timedelta(days=1)
    )
    return now


def url_of(database):
    if database["ENGINE"].endswith("sqlite3"):
        return f"sqlite:///{database['NAME']}"
    return "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)


def free_port():
    """Below those that connections start from: who knocks at a closed one of these again and again meets itself."""
    while True:
        port = random.randrange(20_000, 32_000)
        with contextlib.suppress(OSError), socket.socket() as taken:
            taken.bind(("127.0.0.1", port))
            return port
