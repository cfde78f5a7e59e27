"""Google and GitHub may say who somebody is. Who was not invited stays outside, and nobody gets another's account."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.github.views import GitHubOAuth2Adapter
from allauth.socialaccount.providers.google.views import GoogleOAuth2Adapter
from django.test import Client
from django.urls import reverse

from portal import checks, inviting, name_list
from portal.models import Invitation, User

pytestmark = pytest.mark.django_db
CLIENT = {"client_id": "ours", "secret": "s3cret"}


@pytest.fixture
def provider(settings, monkeypatch):
    """Both providers on loopback. What they say of whoever comes is in `provider.says`."""
    settings.SOCIALACCOUNT_PROVIDERS = {
        name: {"APPS": [CLIENT], "OAUTH_PKCE_ENABLED": True} for name in ("google", "github")
    }

    class Provider(BaseHTTPRequestHandler):
        says: dict = {}
        asked: list = []

        def do_POST(self):
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            Provider.asked.append(form)
            claims = {"iss": "https://accounts.google.com", "aud": "ours", "exp": time.time() + 60, **self.says}
            self.answer({"access_token": "t", "id_token": jwt.encode(claims, "k" * 32, "HS256")})

        def do_GET(self):
            emails = [{"email": self.says["email"], "verified": self.says["email_verified"], "primary": True}]
            of_github = {"id": self.says["sub"], "name": self.says.get("name")}
            self.answer(emails if self.path.endswith("/emails") else of_github)

        def answer(self, body):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    here = f"http://127.0.0.1:{server.server_port}"
    for adapter in (GoogleOAuth2Adapter, GitHubOAuth2Adapter):
        monkeypatch.setattr(adapter, "access_token_url", f"{here}/token")
    monkeypatch.setattr(GitHubOAuth2Adapter, "profile_url", f"{here}/user")
    monkeypatch.setattr(GitHubOAuth2Adapter, "emails_url", f"{here}/user/emails")
    yield Provider
    server.shutdown()
    server.server_close()


@pytest.fixture
def come(provider):
    """come(email) goes to the provider and back; answers (client, the last page)."""

    def by(email, *, verified=True, name="Zaw Lin", sub=None, via="google"):
        provider.says = {"sub": sub or email, "email": email, "email_verified": verified, "name": name}
        client = Client()
        away = client.post(reverse(f"{via}_login"))
        state = parse_qs(urlsplit(away.url).query)["state"][0]
        return client, client.get(reverse(f"{via}_callback"), {"code": "c", "state": state})

    return by


def who(client):
    pk = client.session.get("_auth_user_id")
    return pk and User.objects.get(pk=pk)


@pytest.mark.parametrize("via", ["google", "github"])
def test_a_member_whose_mailbox_was_proved_comes_in_and_again_by_the_same_account(come, aye, via):
    inviting.prove(aye)
    client, answer = come("Aye@example.org", via=via, sub="7")
    assert (who(client), answer.status_code) == (aye, 302)
    client, _ = come("new-address@example.org", via=via, sub="7")
    assert who(client) == aye, "the account counts, not what its address became"


def test_a_member_whose_mailbox_was_not_proved_is_sent_through_it_first(come, aye, client):
    other, answer = come("aye@example.org")
    assert (who(other), answer.status_code) == (None, 403)
    assert "Once by mail first" in answer.content.decode()
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize("email", ["aye@example.org", "zaw@example.org"])
def test_an_address_that_the_provider_did_not_verify_opens_nothing(come, aye, cohort, email, now, clock):
    inviting.prove(aye)
    inviting.invite(cohort, name_list.read("zaw@example.org")[0], by=None, now=now)
    client, answer = come(email, verified=False)
    assert (who(client), answer.status_code) == (None, 403)
    assert User.objects.count() == 1
    assert Invitation.objects.waiting().exists()


def test_who_is_invited_comes_in_as_a_student_with_a_proved_address(come, cohort, now, clock):
    inviting.invite(cohort, name_list.read("zaw@example.org")[0], by=None, now=now)
    client, _ = come("zaw@example.org")
    zaw = who(client)
    assert (zaw.name, zaw.has_usable_password()) == ("Zaw Lin", False)
    assert cohort.memberships.get(user=zaw).role == "student"
    assert EmailAddress.objects.get(user=zaw).verified
    assert not Invitation.objects.waiting().exists()


def test_a_stranger_stays_outside(come, cohort):
    client, answer = come("eve@example.org")
    assert (who(client), answer.status_code) == (None, 403)
    assert "We know nobody, and invited nobody" in answer.content.decode()
    assert not User.objects.exists()


def test_a_second_factor_is_asked_for_all_the_same(come, chit):
    inviting.prove(chit)
    TOTP.activate(chit, "JBSWY3DPEHPK3PXP")
    client, answer = come("chit@example.org")
    assert (who(client), answer.url) == (None, reverse("mfa_authenticate"))


def test_a_closed_account_stays_closed(come, aye):
    inviting.prove(aye)
    User.objects.update(is_active=False)
    client, answer = come("aye@example.org")
    assert (who(client), answer.url) == (None, reverse("account_inactive"))


def test_nobody_ties_another_account_to_the_one_that_is_signed_in(come, provider, aye):
    provider.says = {"sub": "eve", "email": "eve@example.org", "email_verified": True}
    client = Client()
    client.force_login(aye, backend="django.contrib.auth.backends.ModelBackend")
    away = client.post(reverse("google_login"), {"process": "connect"})
    state = parse_qs(urlsplit(away.url).query)["state"][0]
    assert client.get(reverse("google_callback"), {"code": "c", "state": state}).status_code == 403
    assert not SocialAccount.objects.exists()


def test_an_answer_that_was_not_asked_for_opens_nothing(come, provider, aye):
    inviting.prove(aye)
    provider.says, client = {"sub": "7", "email": "aye@example.org", "email_verified": True}, Client()
    asked = len(provider.asked)
    answer = client.get(reverse("google_callback"), {"code": "c", "state": "made-up"})
    assert "That did not work" in answer.content.decode()
    assert (who(client), len(provider.asked)) == (None, asked)


def test_the_code_is_bound_to_the_browser_that_asked(come, provider, aye):
    inviting.prove(aye)
    come("aye@example.org")
    assert provider.asked[-1]["code_verifier"]


def test_buttons_are_shown_only_where_it_is_set_up(client, provider, settings):
    html = client.get(reverse("account_login")).content.decode()
    assert "Sign in with Google" in html and "Sign in with GitHub" in html
    settings.SOCIALACCOUNT_PROVIDERS = {"github": {"APPS": [CLIENT]}}
    html = client.get(reverse("account_login")).content.decode()
    assert "Sign in with Google" not in html and "Sign in with GitHub" in html
    assert client.post(reverse("google_login")).status_code == 404


def test_half_of_a_providers_settings_is_told_at_the_start(settings):
    settings.SOCIAL_KEYS = {"google": ("id", ""), "github": ("", "")}
    assert [one.id for one in checks.social_sign_in()] == ["lightsout.E070"]
    settings.SOCIAL_KEYS = {"google": ("id", "secret"), "github": ("", "")}
    assert checks.social_sign_in() == []
