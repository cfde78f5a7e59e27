"""Chromium as this machine has it, and the whole product behind it: web, a worker, the simulator."""

import os
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from conftest import CHROMIUM


def pytest_configure(config):
    # Playwright keeps an event loop in this thread; Django's guard would refuse the database to the test itself.
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {**browser_type_launch_args, "executable_path": CHROMIUM}


class Worker(threading.Thread):
    """Does what Celery's worker and beat do, each second or so."""

    def __init__(self):
        super().__init__(daemon=True)
        self.done, self.errors = threading.Event(), []

    def run(self):
        from costs import forgotten, metering
        from labs import certify, ending, launching, reconcile

        def now():
            return datetime.now(UTC)

        while not self.done.wait(0.1):
            try:
                reconcile.work_off(now, until=now() + timedelta(seconds=5))
                ending.prepare_due(now)
                certify.prove_due(now)
                launching.end_expired(now())
                metering.meter(now())
                forgotten.judge(now())
            except Exception as error:
                self.errors.append(error)
        connection.close()


@pytest.fixture
def portal(live_server, simulator, settings):
    """The address of a running portal whose labs come up in the simulator."""
    from costs import pricebook
    from labs import aws

    simulator.serves(settings)
    settings.ABSENCE_GAP = timedelta(seconds=1)
    simulator.pace(state_seconds=1.5)
    aws.forget_clients()
    pricebook.load()
    worker = Worker()
    worker.start()
    yield live_server.url
    worker.done.set()
    worker.join(30)
    aws.forget_clients()
    assert not worker.errors, worker.errors


@pytest.fixture
def enter(portal, context):
    """enter(aye) is a page of the browser in which aye is signed in."""
    from django.conf import settings
    from django.test import Client

    def signed_in(user):
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": client.session.session_key, "url": portal}]
        )
        page = context.new_page()
        page.set_default_timeout(20_000)
        return page

    return signed_in
