"""A reader chooses the language; nothing else does."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from conftest import person
from portal import languages
from portal.models import User

pytestmark = pytest.mark.django_db
CHOOSE = "portal:set_language"


def html_of(answer):
    return answer.content.decode()


def test_whoever_is_signed_in_has_their_language_on_every_device(signed_in, aye):
    answer = signed_in(aye).post(reverse(CHOOSE), {"language": "my", "next": "/course/"})
    assert (answer.status_code, answer.url) == (302, "/course/")
    assert settings.LANGUAGE_COOKIE_NAME not in answer.cookies
    page = signed_in(aye).get(reverse("usersessions_list"))
    assert '<html lang="my"' in html_of(page)
    assert page.headers["Content-Language"] == "my"
    assert "Cookie" in page.headers["Vary"]


def test_a_stranger_has_it_in_this_browser(client):
    client.post(reverse(CHOOSE), {"language": "my"})
    assert client.cookies[settings.LANGUAGE_COOKIE_NAME].value == "my"
    assert '<html lang="my"' in html_of(client.get(reverse("account_login")))
    assert '<html lang="en"' in html_of(Client().get(reverse("account_login")))


def test_what_the_browser_asks_for_is_not_followed(client):
    page = client.get(reverse("account_login"), headers={"accept-language": "my"})
    assert '<html lang="en"' in html_of(page)


@pytest.mark.parametrize("code", ["", "fr", "my-MM", "../my"])
def test_a_language_that_is_not_offered_changes_nothing(signed_in, aye, code):
    client = signed_in(aye)
    assert client.post(reverse(CHOOSE), {"language": code}).status_code == 302
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = code
    assert '<html lang="en"' in html_of(client.get(reverse("usersessions_list")))
    aye.refresh_from_db()
    assert aye.language == ""


def test_what_was_chosen_before_signing_in_is_kept_for_who_never_chose(client, settings, aye):
    settings.SEEN_EVERY = timedelta(minutes=10)
    bo = person("bo", language="en")
    for who, after in [(aye, "my"), (bo, "en")]:
        client.force_login(who)
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = "my"
        assert f'<html lang="{after}"' in html_of(client.get(reverse("usersessions_list")))
        assert languages.of(User.objects.get(pk=who.pk)) == after


def test_a_language_that_is_offered_no_more_reads_as_none(aye):
    assert languages.of(None) == languages.of(aye) == "en"
    aye.language = "fr"
    assert languages.of(aye) == "en"


@pytest.mark.parametrize("where", ["account_login", "usersessions_list"])
def test_each_language_is_named_in_itself_and_the_one_that_is_read_is_marked(signed_in, aye, where):
    client = Client() if where == "account_login" else signed_in(aye)
    html = html_of(client.get(reverse(where)))
    assert 'value="en" lang="en" aria-current="true">English</button>' in html
    assert 'value="my" lang="my">မြန်မာ</button>' in html


def test_a_translation_that_nobody_reviewed_says_so_in_both_languages(client):
    assert "native reader" not in html_of(client.get(reverse("account_login")))
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "my"
    html = html_of(client.get(reverse("account_login")))
    assert '<p class="mb-0" lang="en">This translation has not been reviewed by a native reader yet.' in html


def test_the_language_is_the_readers_during_the_request_and_nobodys_after(aye, rf):
    aye.language = "my"
    request = rf.get("/")
    request.user = aye

    def fails(request):
        assert languages.translation.get_language() == "my"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        languages.ReadersLanguageMiddleware(fails)(request)
    assert languages.translation.get_language() == "en"
