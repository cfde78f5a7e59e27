"""A reader chooses the language; nothing else does."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.template.defaultfilters import date
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy

from conftest import person
from portal import channels, delivering, languages, second_factor
from portal.models import Notice, User
from portal.templatetags import look

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
        assert translation.get_language() == "my"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        languages.ReadersLanguageMiddleware(fails)(request)
    assert translation.get_language() == "en"


# --- in Burmese ----------------------------------------------------------------------------------------------


def test_a_student_who_chose_burmese_has_the_frame_of_today_in_burmese(signed_in, aye):
    client = signed_in(aye)
    client.post(reverse(CHOOSE), {"language": "my"})
    html = html_of(client.get(reverse("portal:today")))
    assert '<html lang="my"' in html
    for words in ("ယနေ့", "တင်သွင်းမှုများ", "အကြောင်းအရာသို့ ကျော်ရန်", "ထွက်ရန်"):
        assert words in html
    assert "Skip to content" not in html and "Sign out" not in html
    assert '"Copied": "ကူးပြီး"' in html, "its scripts have their words"


def test_an_english_page_carries_no_words_for_scripts(client):
    assert "data-words" not in html_of(client.get(reverse("account_login")))


@pytest.mark.parametrize(
    ("language", "subject"), [("my", "သင်၏ ဒုတိယအတည်ပြုချက်ကို ဖယ်ရှားလိုက်သည်"), ("", "Your second factor was taken away")]
)
def test_a_notice_is_written_in_the_language_of_whom_it_is_for(aye, now, language, subject):
    aye.language = language
    aye.save()
    with translation.override("my" if not language else "en"):  # as the one who caused it reads
        second_factor.reset(aye, by=None, now=now)
    notice = Notice.objects.get(person=aye)
    assert notice.subject == subject
    assert ("The operator" in notice.words) == (language == "")


def test_a_mail_is_written_in_the_language_of_whom_it_is_for(client, mailoutbox, aye):
    aye.language = "my"
    aye.save()
    client.post(reverse("account_reset_password"), {"email": aye.email})
    [letter] = mailoutbox
    assert "Lightsout အတွက် စကားဝှက်အသစ် ရွေးပါ" in letter.subject
    assert "လင့်ခ်ကို တစ်ကြိမ်သာ" in letter.body


def test_several_notices_go_out_as_one_mail_in_their_language(aye, now):
    aye.language = "my"
    aye.save()
    [channel] = channels.channels_of(aye)
    told = [Notice(person=aye, topic="lights", key=str(n), subject=f"Light {n}", at=now) for n in (1, 2)]
    letter = delivering.letter_of(delivering.Message(channel, told), now)
    assert letter.title == "အသိပေးချက် 2 ခု။ ပထမဆုံး - Light 1"
    assert letter.body.startswith("မင်္ဂလာပါ Aye၊")


@pytest.mark.parametrize(
    ("language", "instant", "length"),
    [("en", "Thu 18 Sep, 23:59", "1 h 13 m"), ("my", "စက်တင်ဘာ 18 ကြာသပတေး၊ 23:59", "1 နာရီ 13 မိနစ်")],
)
def test_dates_and_lengths_are_said_in_the_language(language, instant, length):
    at = datetime(2025, 9, 18, 23, 59, tzinfo=UTC)
    with translation.override(language):
        assert look.written(at, "datetime", ZoneInfo("UTC"), at) == instant
        assert look.lasting(timedelta(minutes=73)) == length
        assert date(at, "l, j F") == ("Thursday, 18 September" if language == "en" else "ကြာသပတေး, 18 စက်တင်ဘာ")


def test_a_weekday_over_a_column_is_short_in_both():
    day = datetime(2025, 9, 18, tzinfo=UTC)
    assert look.narrow_weekday(day) == "Thu"
    with translation.override("my"):
        assert look.narrow_weekday(day) == "တေး"


def test_a_drawing_that_was_made_in_one_language_is_not_shown_in_another():
    for language, label in [("en", "Running"), ("my", "လည်ပတ်နေသည်"), ("en", "Running")]:
        with translation.override(language):
            assert label in look.icon("bulb", label=gettext_lazy("Running"))
