"""A launch's token: it fetches credentials while the lab is on, for its owner, and is kept as a hash only."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from django.core.cache import cache
from django.urls import reverse

from labs import aws, launching, sessions, views
from labs.models import Event, Launch
from labs.tests.cast import START
from labs.tests.conftest import lab_of

pytestmark = pytest.mark.django_db

SECRET, SESSION_TOKEN = "made-up/secret+of-forty-characters-000001", "made-up-session-token//=="


@pytest.fixture(autouse=True)
def at_rest():
    yield
    cache.clear()


@pytest.fixture
def asked(monkeypatch):
    """What AssumeRole was asked, newest last."""
    calls = []

    def assume(account, role_arn, **facts):
        calls.append({"role_arn": role_arn, **facts})
        return {
            "AccessKeyId": "ASIAMADEUP0000000001",
            "SecretAccessKey": SECRET,
            "SessionToken": SESSION_TOKEN,
            "Expiration": START + timedelta(seconds=facts["seconds"]),
        }

    monkeypatch.setattr(aws, "assume", assume)
    return calls


@pytest.fixture
def launch(account, aye, asked):
    return launching.launch(lab_of(), account, aye, now=START)


def fetch(client, token, scheme="Bearer"):
    headers = {"authorization": f"{scheme} {token}"} if token else {}
    return client.get(reverse("labs:fetch"), headers=headers)


def test_a_token_answers_what_a_credential_process_expects(launch, aye, asked, client):
    token = sessions.new_token(launch, aye, START)
    answer = fetch(client, token)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert json.loads(answer.content) == {
        "Version": 1,
        "AccessKeyId": "ASIAMADEUP0000000001",
        "SecretAccessKey": SECRET,
        "SessionToken": SESSION_TOKEN,
        "Expiration": f"{START + timedelta(seconds=asked[-1]['seconds']):%Y-%m-%dT%H:%M:%SZ}",
    }
    assert asked[-1]["source_identity"] == f"student-{aye.pk}"


def test_the_expiration_is_written_in_utc():
    made = sessions.Credentials("A", "s", "t", datetime(2025, 9, 18, 9, 30, tzinfo=UTC), "us-east-1", "")
    assert made.as_process()["Expiration"] == "2025-09-18T09:30:00Z"


def test_only_its_hash_is_kept(launch, aye):
    token = sessions.new_token(launch, aye, START)
    kept = Launch.objects.filter(pk=launch.pk).values().get()
    assert token not in str(kept)
    assert kept["token_sha256"] == sha256(token.encode()).hexdigest()
    assert len(token) >= 43, "less than 256 bits could be guessed"


def test_another_token_ends_the_one_before(launch, aye, client):
    old = sessions.new_token(launch, aye, START)
    new = sessions.new_token(launch, aye, START)
    assert [fetch(client, token).status_code for token in (old, new)] == [401, 200]


@pytest.mark.parametrize("token", ["", "wrong"])
def test_without_the_right_token_there_is_a_reason_and_nothing_else(launch, aye, asked, client, token):
    sessions.new_token(launch, aye, START)
    answer = fetch(client, token)
    assert answer.status_code == 401
    assert set(json.loads(answer.content)) == {"error"}
    assert asked == []


def test_a_launch_without_a_token_is_opened_by_none(launch, client, asked):
    assert Launch.objects.get().token_sha256 == ""
    assert fetch(client, " ").status_code == 401
    assert fetch(client, "x", scheme="Basic").status_code == 401
    assert asked == []


def test_it_ends_when_the_lab_is_asked_to_end(launch, aye, asked, client):
    token = sessions.new_token(launch, aye, START)
    launching.ask_to_delete(launch, now=START, by=aye)
    answer = fetch(client, token)
    assert answer.status_code == 401
    assert "the lab is over" in json.loads(answer.content)["error"]
    with pytest.raises(sessions.NoSession):
        sessions.new_token(launch, aye, START)
    assert asked == []


def test_it_ends_with_its_owners_account_here(launch, aye, client):
    token = sessions.new_token(launch, aye, START)
    aye.is_active = False
    aye.save()
    assert fetch(client, token).status_code == 401


def test_what_aws_made_while_the_lab_was_asked_to_end_is_not_handed_out(launch, aye, monkeypatch, client):
    """Its fence may be older than the session."""
    token = sessions.new_token(launch, aye, START)
    give = aws.assume

    def slowly(*args, **facts):
        launching.ask_to_delete(launch, now=START, by=aye)
        return give(*args, **facts)

    monkeypatch.setattr(aws, "assume", slowly)
    assert fetch(client, token).status_code == 401


def test_that_a_session_may_be_out_is_known_before_it_is(launch, aye, monkeypatch):
    def refuse(*args, **facts):
        assert Launch.objects.get().session_at == START
        raise aws.NoAnswer("nobody answered")

    monkeypatch.setattr(aws, "assume", refuse)
    with pytest.raises(aws.NoAnswer):
        sessions.credentials(launch, aye, START)


def test_the_fetches_of_a_whole_lab_make_one_event(launch, aye, client):
    token = sessions.new_token(launch, aye, START)
    for _ in range(5):
        fetch(client, token)
    assert Event.objects.filter(code="fetched").count() == 1


def test_it_is_asked_too_often_and_says_when_to_come_back(launch, aye, asked, client, monkeypatch):
    monkeypatch.setattr(views, "FETCHES_A_MINUTE", 2)
    token = sessions.new_token(launch, aye, START)
    answers = [fetch(client, token) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1]["Retry-After"] == "60"
    assert len(asked) == 2


def test_that_aws_gives_none_is_told_apart_from_a_wrong_token(launch, aye, monkeypatch, client):
    def no_answer(*args, **facts):
        raise aws.NoAnswer("AWS did not answer")

    monkeypatch.setattr(aws, "assume", no_answer)
    answer = fetch(client, sessions.new_token(launch, aye, START))
    assert answer.status_code == 503
    assert "AWS did not answer" in json.loads(answer.content)["error"]


def test_a_token_is_no_session_of_the_portal(launch, aye, client):
    token = sessions.new_token(launch, aye, START)
    page = client.get(reverse("labs:panel", args=[launch.pk]), headers={"authorization": f"Bearer {token}"})
    assert page.status_code == 302
