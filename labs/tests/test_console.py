"""The link to AWS's console: made by AWS's federation endpoint from the session, for real accounts only."""

import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse

from labs import aws, catalog, launching, sessions
from labs.models import Account, Event
from labs.tests.cast import START
from labs.tests.conftest import lab_of

pytestmark = pytest.mark.django_db

EMPTY = lab_of()


class Federation(HTTPServer):
    """AWS's federation endpoint: takes a session and gives a sign-in token, or answers `status`."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked, self.status = [], 200
        self.url = f"http://127.0.0.1:{self.server_port}/federation"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(parse_qs(urlsplit(self.path).query))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(json.dumps({"SigninToken": "signed-in/token"}).encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def federation(monkeypatch):
    server = Federation()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setattr(aws, "FEDERATION", server.url)
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def launch(aye, monkeypatch):
    """A lab in aye's own account, where AWS gives whatever session is asked for."""
    monkeypatch.setitem(catalog.catalog(), EMPTY.slug, EMPTY)
    monkeypatch.setattr(
        aws,
        "assume",
        lambda account, role_arn, **facts: {
            "AccessKeyId": "ASIAMADEUP0000000001",
            "SecretAccessKey": "made-up-secret",
            "SessionToken": "made-up-session-token",
            "Expiration": START + timedelta(seconds=facts["seconds"]),
        },
    )
    account = Account.objects.create(
        name="Aye's own",
        mode=Account.OWN,
        aws_id="111122223333",
        owner=aye,
        regions=["us-east-1"],
        lab_regions=["us-east-1"],
        created_at=START,
    )
    return launching.launch(EMPTY, account, aye, now=START)


def link_of(launch, user):
    return sessions.console_link(launch, user, START, issuer="https://lightsout.example.org/back/")


def test_the_link_signs_in_with_the_labs_session_and_leads_to_its_region(launch, aye, federation):
    link = urlsplit(link_of(launch, aye))
    [asked] = federation.asked
    assert asked["Action"] == ["getSigninToken"]
    assert json.loads(asked["Session"][0]) == {
        "sessionId": "ASIAMADEUP0000000001",
        "sessionKey": "made-up-secret",
        "sessionToken": "made-up-session-token",
    }
    assert "SessionDuration" not in asked, "AWS refuses it of a session that a role's session made"
    told = parse_qs(link.query)
    assert (told["Action"], told["SigninToken"]) == (["login"], ["signed-in/token"])
    assert told["Issuer"] == ["https://lightsout.example.org/back/"]
    assert told["Destination"][0].startswith("https://us-east-1.console.aws.amazon.com/")
    assert "made-up-secret" not in link.query
    assert Event.objects.filter(code="console", actor=aye).exists()


@pytest.mark.parametrize(("status", "trouble"), [(400, aws.Refused), (503, aws.NoAnswer)])
def test_an_endpoint_that_does_not_want_to_is_told_without_what_it_was_asked(launch, aye, federation, status, trouble):
    federation.status = status
    with pytest.raises(trouble, match=f"sign-in page answered {status}") as told:
        link_of(launch, aye)
    assert told.value.__cause__ is None
    assert told.value.__suppress_context__, "the address that was asked for holds the credentials"


def test_nobody_at_the_endpoint_is_no_answer(launch, aye, monkeypatch):
    monkeypatch.setattr(aws, "FEDERATION", "http://127.0.0.1:9/federation")
    with pytest.raises(aws.NoAnswer):
        link_of(launch, aye)


def test_practice_mode_has_no_console(account, aye):
    launch = launching.launch(EMPTY, account, aye, now=START)
    with pytest.raises(sessions.NoSession, match="no console"):
        link_of(launch, aye)


def test_the_page_has_the_link_and_is_kept_nowhere(launch, aye, federation, client):
    client.force_login(aye, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.post(reverse("labs:console", args=[launch.pk]))
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert "SigninToken=signed-in%2Ftoken" in answer.content.decode()


def test_only_a_real_accounts_lab_offers_the_console(launch, account, aye, client):
    client.force_login(aye, backend="django.contrib.auth.backends.ModelBackend")
    practice = launching.launch(EMPTY, account, aye, now=START)
    offered = [
        reverse("labs:console", args=[one.pk]) in client.get(reverse("labs:panel", args=[one.pk])).content.decode()
        for one in (launch, practice)
    ]
    assert offered == [True, False]
