"""The world that the tests share: a small cohort in the middle of week 2, and what a test may not touch."""

import gc
import os
import shutil
from datetime import date, datetime, timedelta
from importlib import import_module
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine
from hypothesis import settings as hypothesis_settings

# The fixtures `simulator` and `simulator_that_runs`: one process of each for all the tests of a worker.
pytest_plugins = ["labs.simulator.testing"]

YANGON = ZoneInfo("Asia/Yangon")
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
# A venv of its own: the CLI pins its own botocore (`make install-cli` makes it).
AWS_CLI = os.environ.get("AWS_CLI", str(Path(__file__).parent / ".cli-venv" / "bin" / "aws"))

# A shared machine may be slow for a moment; that is no fault of the code under test.
hypothesis_settings.register_profile("patient", deadline=None)
hypothesis_settings.load_profile("patient")


# --- what this machine has ---------------------------------------------------------------------------------


def _missing(marker):
    if marker == "browser" and not shutil.which(CHROMIUM):
        return f"no Chromium at {CHROMIUM}: browser tests are skipped (apt install chromium, or set CHROMIUM)"
    if marker == "awscli" and not shutil.which(AWS_CLI):
        return f"no AWS CLI at {AWS_CLI}: its tests are skipped (make install-cli, or set AWS_CLI)"
    if marker == "services" and not (os.environ.get("DATABASE_URL", "").startswith("postgres") and _redis_url()):
        return "no DATABASE_URL=postgres://... and REDIS_URL: tests of the services are skipped"
    if marker == "bwrap":
        return _sandbox_trouble()
    return ""


def _sandbox_trouble():
    from labs.simulator.sandbox import Sandbox, Unusable

    try:
        Sandbox()
    except Unusable as why:
        return f"functions cannot be shut in here: tests that run them are skipped ({why})"
    return ""


def _redis_url():
    return os.environ.get("REDIS_URL", "")


DATABASE = {"db", "transactional_db", "live_server"}
SIMULATOR = {"simulator", "simulator_process", "simulator_that_runs"}


def _is_once(item):
    """Whether it proves the same on any database, so that CI's second pass leaves it out: what asks none, and what is
    played on the simulator to see what AWS is asked. What commits for real (transaction=True) is played on each. Of the
    school's other tests OF_EACH_DATABASE is: with them each page and each form was asked of either."""
    marker, asks = item.get_closest_marker("django_db"), set(getattr(item, "fixturenames", ()))
    if item.get_closest_marker("services"):
        return False
    if not marker and not DATABASE & asks:
        return True
    commits = {"transactional_db", "live_server"} & asks or (marker and marker.kwargs.get("transaction"))
    return not commits and bool(SIMULATOR & asks or _is_of_the_school(item.path))


# What asks the database for all that the school knows: every page, every role, every row.
OF_EACH_DATABASE = {"test_queries", "test_access_matrix", "test_backup", "test_migrations", "test_demo", "test_leaving"}


def _is_of_the_school(path):
    return path.parent.parts[-2:] == ("portal", "tests") and path.stem not in OF_EACH_DATABASE


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if _is_once(item):
            item.add_marker(pytest.mark.once)
    for marker in ("browser", "services", "awscli", "bwrap"):
        marked = [item for item in items if item.get_closest_marker(marker)]
        why = _missing(marker) if marked else ""
        forbidden = os.environ.get(f"LIGHTSOUT_REQUIRE_{marker.upper()}") == "1"
        for item in marked if why else ():
            item.add_marker(pytest.mark.absent(why) if forbidden else pytest.mark.skip(reason=why))
    yield
    items[:] = _dealt(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def _dealt(items, workers):
    """In random order, but the long ones first, as many for each worker: at the end none waits for another's. What a
    worker of xdist has to begin with is a piece of the list."""
    slow = [item for item in items if item.get_closest_marker("slow")]
    rest = [item for item in items if not item.get_closest_marker("slow")]
    dealt, left = [], len(items)
    for worker in range(workers):
        share = left // (workers - worker)
        own = slow[worker::workers]
        quick = max(0, share - len(own))
        dealt += [*own, *rest[:quick]]
        del rest[:quick]
        left = len(items) - len(dealt)
    return [*dealt, *rest]


def pytest_configure(config):
    config.addinivalue_line("markers", "absent(why): something that had to be here is not; the test fails")
    from celery import current_app

    # Hints to the workers go nowhere: tests do the workers' work themselves.
    current_app.conf.broker_url = "memory://"
    from django.db import connection

    if connection.vendor == "sqlite":
        # As on CI's PostgreSQL: a test's data need not survive a power cut.
        connection.settings_dict["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"


def pytest_collection_finish():
    # All that is loaded by now stays to the end. Looking for garbage in it again and again takes a tenth of the time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def pytest_runtest_setup(item):
    absent = item.get_closest_marker("absent")
    if absent:
        pytest.fail(absent.args[0], pytrace=False)


@pytest.fixture(autouse=True)
def nothing_is_held(request, monkeypatch):
    """What tests hand in others may see at once, but for tests of the secret guard (marked `guard`): elsewhere nobody
    goes the guard's rounds."""
    from portal import holding

    if not request.node.get_closest_marker("guard"):
        monkeypatch.setattr(holding, "UNSEEN", "")


@pytest.fixture(autouse=True)
def own_files(settings, tmp_path):
    """Nothing a test writes lies in var/. Passwords are hashed cheaply, static files need no collecting."""
    settings.MEDIA_ROOT = tmp_path / "files"
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    settings.STATIC_ROOT = tmp_path  # whitenoise looks into it at the start of every client
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    settings.STAFF_NEED_SECOND_FACTOR = False  # test_second_factor.py turns it on
    settings.SEEN_EVERY = timedelta.max  # test_seen.py sets it
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Tests' databases are made from the models (--nomigrations), which know nothing of the record's triggers. And the
    record refuses to be emptied, as what a test committed is: on SQLite the triggers make room for that. (TRUNCATE of
    PostgreSQL meets no trigger for rows.)"""
    from django.db import connection

    import_module("portal.chrome")  # while the clock is right: it notes since when the process is up
    acts = import_module("labs.migrations.0011_acts")
    with django_db_blocker.unblock(), connection.schema_editor() as editor:
        acts.refuse_changes(None, editor)
    if connection.vendor == "sqlite":
        ops, away = type(connection.ops), [f"DROP TRIGGER labs_act_no_{verb}" for verb in ("update", "delete")]
        flush = ops.sql_flush
        ops.sql_flush = lambda *args, **more: [*away, *flush(*args, **more), *acts.SQLITE]


@pytest.fixture(scope="session")
def known_migrations(django_db_setup, django_db_blocker):
    """For what backs up: a backup names the migrations that made its tables."""
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.recorder import MigrationRecorder
    from django.test import override_settings

    with django_db_blocker.unblock(), override_settings(MIGRATION_MODULES={}):
        recorder = MigrationRecorder(connection)
        recorder.ensure_schema()
        for app, name in MigrationLoader(None).disk_migrations.keys() - recorder.applied_migrations().keys():
            recorder.record_applied(app, name)


# --- the clock ---------------------------------------------------------------------------------------------


@pytest.fixture
def now():
    """Thursday of week 2, 14:47 in Yangon: 9 h 13 m before case study 2 is due."""
    return datetime(2025, 9, 18, 14, 47, tzinfo=YANGON)


@pytest.fixture
def clock(now):
    """The wall clock of the views, standing at `now`; clock.move_to(instant) sets it."""
    with time_machine.travel(now, tick=False) as traveller:
        yield traveller


# --- people and their cohort -------------------------------------------------------------------------------


def person(name, **facts):
    from portal.models import User

    return User.objects.create_user(f"{name.lower()}@example.org", "lights", name=name.title(), **facts)


@pytest.fixture
def course(db):
    """Weeks 0 to 5, each with a reading and a file; weeks 1 and 2 with a case study; week 2 with a lab."""
    from portal.models import Assignment, Course, LabInWeek, Material, Week

    course = Course.objects.create(slug="aws-ml", title="Amazon Machine Learning", summary="Four weeks.")
    titles = ["Start here", "Cloud basics", "Containers", "Big data", "SageMaker", "RAG and Step Functions"]
    for number, title in enumerate(titles):
        week = Week.objects.create(course=course, number=number, slug=f"w{number}", title=title, theory=f"On {title}")
        Material.objects.create(
            week=week, slug="reading", kind="reading", title=f"Reading {number}", body_md=f"The word walrus{number}."
        )
        Material.objects.create(
            week=week, slug="slides", kind="theory", title=f"Slides {number}", file=f"aws-ml/w{number}/slides.pdf"
        )
        if number in (1, 2, 3, 4):
            Assignment.objects.create(
                week=week,
                slug="case",
                title=f"Case study {number}: the llama{number} app",
                brief_md=f"Decide, and say why. Narwhal{number}.",
                model_answer_md=f"One good answer to {number}.",
                max_points=10,
                rubric=[
                    {"key": "cost", "title": "Cost aware", "points": 5, "hint": "Names the cost in $"},
                    {"key": "why", "title": "Explained", "points": 5, "hint": "A classmate can follow it"},
                ],
            )
        if number in (2, 3):
            LabInWeek.objects.create(week=week, lab_slug="s3-for-ml")
    return course


@pytest.fixture
def cohort(course):
    """The run of September 2025 in Yangon, with its dates told."""
    from portal import enrolling

    opened = datetime(2025, 9, 1, 9, 30, tzinfo=YANGON)
    return enrolling.open_cohort(
        course, slug="sep-2025", name="September 2025 cohort", start_on=date(2025, 9, 6), now=opened
    )


def member(cohort, name, role, now):
    from portal import enrolling

    user = person(name)
    enrolling.enrol(cohort, user, role=role, now=now)
    return user


@pytest.fixture
def aye(cohort, now):
    return member(cohort, "aye", "student", now)


@pytest.fixture
def bo(cohort, now):
    return member(cohort, "bo", "student", now)


@pytest.fixture
def chit(cohort, now):
    """The cohort's instructor."""
    return member(cohort, "chit", "instructor", now)


@pytest.fixture
def admin(db):
    return person("hazel", is_staff=True)


@pytest.fixture
def other_cohort(course):
    """Another run of the same course, a year later."""
    from portal import enrolling

    opened = datetime(2026, 9, 1, 9, 30, tzinfo=YANGON)
    return enrolling.open_cohort(course, slug="sep-2026", name="2026", start_on=date(2026, 9, 5), now=opened)


@pytest.fixture
def signed_in(client):
    """signed_in(aye) is the test client as aye."""

    def as_person(user):
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return as_person


@pytest.fixture
def lab(monkeypatch):
    """A lab in the catalogue under the slug that the course's weeks 2 and 3 name. It asks for nothing of AWS."""
    from decimal import Decimal

    from labs import catalog
    from labs.catalog.base import Lab

    found = Lab(
        slug="s3-for-ml",
        title="A bucket laid out for ML",
        summary="You lay out one bucket.",
        theme="storage",
        minutes=30,
        hours=Decimal(2),
        wants=(),
        steps=(),
    )
    monkeypatch.setattr(catalog, "catalog", lambda: {found.slug: found})
    return found
