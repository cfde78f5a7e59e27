"""What I am told, and where: chosen on a page, shown on another, and stopped by a link that needs no sign-in."""

from datetime import time, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from portal import channels, notices, unsubscribing
from portal.models import NoticeChannel, NoticeHad, NoticeWishes

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
CHOICES = {"pace": "daily", "daily_at": "07:00", "quiet_from": "", "quiet_to": ""}


def choose(client, **form):
    return client.post(reverse("portal:notice_choices"), {**CHOICES, **form})


def add(client, address=SLACK, label="My Slack"):
    return client.post(reverse("portal:add_channel"), {"address": address, "label": label})


def proved(person, now, address=SLACK):
    channel = channels.add(person, address, "My Slack", now=now)
    NoticeChannel.objects.filter(pk=channel.pk).update(verified_at=now)
    channel.refresh_from_db()
    return channel


# --- choosing ----------------------------------------------------------------------------------------------


def test_topics_hours_and_pace_are_kept(signed_in, aye, now):
    client, slack = signed_in(aye), proved(aye, now)
    page = client.get(reverse("portal:notice_choices")).content.decode()
    assert page.count('value="lights" checked') == 2, "all is told everywhere at first"
    mail = NoticeChannel.objects.get(person=aye, kind="mail")
    form = {f"shown-{mail.pk}": "yes", f"shown-{slack.pk}": "yes", f"topics-{slack.pk}": ["lights", "budget"]}
    assert choose(client, **form, quiet_from="22:00", quiet_to="06:00").status_code == 302
    mail.refresh_from_db()
    slack.refresh_from_db()
    assert mail.muted == ["lights", "budget", "people", "school"]
    assert slack.muted == ["people", "school"]
    wishes = NoticeWishes.objects.get(person=aye)
    assert (wishes.pace, wishes.daily_at) == ("daily", time(7))
    assert (wishes.quiet_from, wishes.quiet_to) == (time(22), time(6))


def test_what_the_form_did_not_show_stays(signed_in, aye, now):
    """Another window added a channel meanwhile; and a topic of those who teach is not a student's to choose."""
    client, slack = signed_in(aye), proved(aye, now)
    NoticeChannel.objects.filter(pk=slack.pk).update(muted=["teaching", "school"])
    choose(client)
    slack.refresh_from_db()
    assert slack.muted == ["teaching", "school"]
    choose(
        client,
        **{f"shown-{slack.pk}": "yes", f"topics-{slack.pk}": ["lights", "budget", "people", "school", "teaching"]},
    )
    slack.refresh_from_db()
    assert slack.muted == ["teaching"]


@pytest.mark.parametrize("wrong", [{"pace": "never"}, {"daily_at": "07:30"}, {"quiet_from": "22:00"}])
def test_a_form_that_does_not_fit_changes_nothing(signed_in, aye, wrong):
    answer = choose(signed_in(aye), **wrong)
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()
    assert not NoticeWishes.objects.exists()


def test_only_those_who_teach_choose_what_concerns_teaching(signed_in, aye, chit):
    address = reverse("portal:notice_choices")
    assert "For those who teach" not in signed_in(aye).get(address).content.decode()
    assert "For those who teach" in signed_in(chit).get(address).content.decode()


# --- channels ----------------------------------------------------------------------------------------------


def test_a_channel_is_added_proved_used_and_removed(signed_in, aye, now):
    client = signed_in(aye)
    assert add(client).status_code == 302
    channel = NoticeChannel.objects.get(kind="apprise")
    page = client.get(reverse("portal:notice_choices")).content.decode()
    assert "Slack, ends in i7FQ" in page
    assert "A code is on its way" in page
    NoticeChannel.objects.update(code_sent_at=now)
    client.post(reverse("portal:verify_channel", args=[channel.pk]), {"code": "no"})
    assert not NoticeChannel.objects.get(pk=channel.pk).is_on
    client.post(reverse("portal:verify_channel", args=[channel.pk]), {"code": channels.code_of(channel)})
    assert NoticeChannel.objects.get(pk=channel.pk).is_on
    client.post(reverse("portal:remove_channel", args=[channel.pk]))
    channel.refresh_from_db()
    assert (channel.address, channel.is_on) == ("", False)
    client.get(reverse("portal:notice_choices"))  # says that it was removed
    assert "My Slack" not in client.get(reverse("portal:notice_choices")).content.decode()


def test_an_address_is_shown_on_no_page_not_even_where_it_was_refused(signed_in, aye, admin, now, settings, caplog):
    client = signed_in(aye)
    add(client)
    refused = [
        add(client, "json://10.0.0.1/TIiajkdnlazkcOXrIdevi7FQ"),
        add(client, f"{SLACK}?template=/etc/passwd"),
        add(client, f"{SLACK}"),
    ]
    assert [answer.status_code for answer in refused] == [422, 422, 422]
    channel = NoticeChannel.objects.get(kind="apprise")
    pages = [client.get(reverse("portal:notice_choices")), client.get(reverse("portal:notices")), *refused]
    pages.append(client.get(reverse("portal:remove_channel", args=[channel.pk])))
    told = "".join(page.content.decode() for page in pages)
    assert "i7FQ" in told
    assert "TIiajkdnlazkcOXr" not in told + caplog.text
    assert "T1JJ3T3L2" not in told + caplog.text


def test_so_many_channels_and_so_many_codes_a_day_and_no_more(signed_in, aye, now, clock):
    client = signed_in(aye)
    for number in range(channels.MOST):
        add(client, f"slack://T1/A1/B{number}")
    assert add(client, "slack://T1/A1/more").status_code == 422
    for number in range(channels.NEW_A_DAY - channels.MOST):
        one = NoticeChannel.objects.kept().filter(kind="apprise").first()
        client.post(reverse("portal:remove_channel", args=[one.pk]))
        assert add(client, f"slack://T1/A1/C{number}").status_code == 302
    one = NoticeChannel.objects.kept().filter(kind="apprise").first()
    client.post(reverse("portal:remove_channel", args=[one.pk]))
    assert "tomorrow" in add(client, "slack://T1/A1/more").content.decode()
    one = NoticeChannel.objects.kept().filter(kind="apprise").first()
    client.post(reverse("portal:channel_again", args=[one.pk]))
    assert NoticeChannel.objects.get(pk=one.pk).code_asked_at == now, "the last code was asked for just now"


def test_a_channel_that_was_given_up_says_so_and_can_be_proved_again(signed_in, aye, now):
    client, slack = signed_in(aye), proved(aye, now - timedelta(days=9))
    NoticeChannel.objects.filter(pk=slack.pk).update(off_at=now, trouble="no answer", failures=20)
    page = client.get(reverse("portal:notice_choices")).content.decode()
    assert "My Slack is off" in page
    assert "gave no answer in time" in page
    client.post(reverse("portal:channel_again", args=[slack.pk]))
    slack.refresh_from_db()
    assert (slack.code_asked_at, slack.verified_at) == (now, None)
    NoticeChannel.objects.update(code_sent_at=now)
    client.post(reverse("portal:verify_channel", args=[slack.pk]), {"code": channels.code_of(slack)})
    assert NoticeChannel.objects.get(pk=slack.pk).is_on


def test_a_channel_of_a_service_that_is_not_allowed_any_more_says_so(signed_in, aye, now, settings):
    proved(aye, now)
    settings.NOTICE_SCHEMES = []
    page = signed_in(aye).get(reverse("portal:notice_choices")).content.decode()
    assert "does not let messages go to this service" in page
    assert "This portal sends mail only" in page


def test_mail_is_turned_off_and_on(signed_in, aye):
    client = signed_in(aye)
    client.get(reverse("portal:notice_choices"))
    mail = NoticeChannel.objects.get(person=aye)
    client.post(reverse("portal:remove_channel", args=[mail.pk]))
    assert not NoticeChannel.objects.get(person=aye).is_on
    assert "Mail is off" in client.get(reverse("portal:notice_choices")).content.decode()
    client.post(reverse("portal:channel_again", args=[mail.pk]))
    assert NoticeChannel.objects.get(person=aye).is_on


# --- the list ----------------------------------------------------------------------------------------------


def test_the_list_has_what_one_was_told_in_30_days_and_nobody_elses(signed_in, aye, bo, now):
    notices.tell(aye, "lights", "1", "One light is on", "It <b>costs</b>.", url="/labs/", now=now)
    notices.tell(aye, "lights", "2", "Elsewhere", url="//evil.example/", now=now)
    notices.tell(aye, "lights", "0", "Long ago", now=now - timedelta(days=31))
    notices.tell(bo, "lights", "1", "Light of Bo", now=now)
    [mail] = channels.channels_of(aye)
    NoticeHad.objects.create(notice=aye.notices.get(key="1"), channel=mail, at=now)
    page = signed_in(aye).get(reverse("portal:notices")).content.decode()
    assert '<a class="fw-medium" href="/labs/">One light is on</a>' in page
    assert "It &lt;b&gt;costs&lt;/b&gt;." in page
    assert "Mail" in page
    assert "evil.example" not in page
    assert "Long ago" not in page
    assert "Light of Bo" not in page


# --- stopping without signing in -----------------------------------------------------------------------------


@pytest.fixture
def mail(aye):
    return channels.channels_of(aye)[0]


def path_of(mail, *topics):
    return unsubscribing.address_of(mail, topics).removeprefix("http://127.0.0.1:8000")


def test_looking_at_the_link_stops_nothing(mail, client):
    page = client.get(path_of(mail, "lights", "budget")).content.decode()
    assert page.count("Stop these") == 2
    mail.refresh_from_db()
    assert mail.muted == []
    assert mail.is_on


def test_a_mail_program_stops_what_the_mail_was_about_without_page_cookie_or_token(mail):
    client = Client(enforce_csrf_checks=True)
    answer = client.post(path_of(mail, "lights", "budget"), {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    mail.refresh_from_db()
    assert mail.muted == ["budget", "lights"]


def test_a_person_stops_one_topic_or_everything(mail, client):
    client.post(path_of(mail, "lights", "budget"), {"topic": "budget"})
    mail.refresh_from_db()
    assert mail.muted == ["budget"]
    client.post(path_of(mail, "lights"), {"topic": "everything"})
    mail.refresh_from_db()
    assert not mail.is_on


def test_a_link_that_we_did_not_sign_does_not_exist(mail, client):
    path = path_of(mail, "lights")
    for wrong in (path[:-2] + "x/", path.replace("stop/", "stop/a"), "/notices/stop/x/"):
        assert client.get(wrong).status_code == 404
        assert client.post(wrong, {"topic": "everything"}).status_code == 404
    mail.refresh_from_db()
    assert mail.is_on
