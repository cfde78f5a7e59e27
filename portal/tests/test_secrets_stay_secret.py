"""Credentials and tokens are on the page that gave them out, and in no log, event, table, admin page or error page."""

import json
import logging
from datetime import UTC, datetime
from urllib.parse import unquote

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.views.debug import get_default_exception_reporter_filter

from conftest import person
from labs import aws, catalog, launching, sessions, views
from labs.models import Account
from portal import enrolling

pytestmark = [pytest.mark.django_db, pytest.mark.simulator, pytest.mark.usefixtures("lab")]


@pytest.fixture
def world(simulator, settings, aye, cohort, monkeypatch):
    simulator.serves(settings)
    aws.forget_clients()
    now = datetime.now(UTC)
    account = enrolling.practice_account(aye, now=now)
    Account.objects.filter(pk=account.pk).update(boot_id=simulator.boot()["boot_id"], aws_id=simulator.new_account())
    account.refresh_from_db()
    yield launching.launch(catalog.get("s3-for-ml"), account, aye, now=now, scope=cohort.scope)
    aws.forget_clients()


@pytest.fixture
def secrets(monkeypatch):
    """Every secret that was made so far: what STS gave out, and the tokens of launches."""
    made = []
    assume, new_token = aws.assume, sessions.new_token

    def seen_assume(*args, **facts):
        answer = assume(*args, **facts)
        made.extend([answer["SecretAccessKey"], answer["SessionToken"]])
        return answer

    def seen_new_token(*args):
        made.append(new_token(*args))
        return made[-1]

    monkeypatch.setattr(aws, "assume", seen_assume)
    monkeypatch.setattr(sessions, "new_token", seen_new_token)
    return made


def pages(launch, user):
    """The answers of the pages that give secrets out: [credentials, a token]."""
    client = Client(raise_request_exception=False)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    shown = client.post(reverse("labs:credentials", args=[launch.pk]))
    token = client.post(reverse("labs:token", args=[launch.pk]))
    return [shown, token]


def fetched(token):
    client = Client(raise_request_exception=False)
    return client.get(reverse("labs:fetch"), headers={"authorization": f"Bearer {token}"})


def leaked(secrets, text):
    """Which of them are in the text, also as an address or a page would write them."""
    plain = unquote(text)
    return [secret for secret in secrets if secret in text or secret in plain]


def everything_stored():
    """All rows of all tables, as text."""
    return json.dumps([list(model.objects.values()) for model in apps.get_models()], default=str)


@pytest.mark.parametrize("debug", [False, True])
def test_they_are_on_their_page_and_in_no_log_event_table_or_admin_page(world, aye, secrets, settings, caplog, debug):
    settings.DEBUG = debug
    caplog.set_level(logging.DEBUG)
    shown, token_page = pages(world, aye)
    token = secrets[-1]
    answer = fetched(token)
    assert (shown.status_code, token_page.status_code, answer.status_code) == (200, 200, 200)
    assert leaked(secrets, shown.content.decode()), "they are on the page that gives them out"
    assert token in token_page.content.decode()
    assert json.loads(answer.content)["SecretAccessKey"] in secrets
    assert len(secrets) >= 5
    assert leaked(secrets, caplog.text) == []
    assert leaked(secrets, everything_stored()) == []
    root = Client()
    root.force_login(
        person("root", is_staff=True, is_superuser=True), backend="django.contrib.auth.backends.ModelBackend"
    )
    for model in admin.site._registry:
        listed = root.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))
        assert leaked(secrets, listed.content.decode()) == []
    panel = root.get(reverse("labs:panel", args=[world.pk]))
    assert leaked(secrets, panel.content.decode()) == []


@pytest.mark.parametrize("debug", [False, True])
def test_an_error_page_does_not_show_them(world, aye, secrets, settings, caplog, monkeypatch, debug):
    """With DEBUG Django shows the variables of every function on the way: ours does not."""
    settings.DEBUG = debug
    token = sessions.new_token(world, aye, datetime.now(UTC))

    def trip(*_, **__):
        raise RuntimeError("tripped")

    monkeypatch.setattr(views, "render", trip)
    monkeypatch.setattr(sessions.Credentials, "as_process", trip)
    answers = [*pages(world, aye), fetched(token), fetched(secrets[-1])]
    assert [answer.status_code for answer in answers] == [500, 500, 401, 500]
    assert len(secrets) >= 6
    told = "".join(answer.content.decode() for answer in answers)
    assert ("RuntimeError" in told) is debug
    assert leaked(secrets, told) == []
    assert leaked(secrets, caplog.text) == []


def test_djangos_own_error_page_would_have_shown_them(world, aye, secrets, settings, monkeypatch):
    """Else the test above would prove nothing."""
    settings.DEBUG = True
    settings.DEFAULT_EXCEPTION_REPORTER_FILTER = "django.views.debug.SafeExceptionReporterFilter"
    get_default_exception_reporter_filter.cache_clear()

    def trip(*_):
        raise RuntimeError("tripped")

    monkeypatch.setattr(views, "render", trip)
    [_, token_page] = pages(world, aye)
    get_default_exception_reporter_filter.cache_clear()
    assert leaked(secrets, token_page.content.decode()) == [secrets[-1]]
