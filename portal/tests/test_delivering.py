"""Delivery: one message rather than ten, nothing lost, hardly anything twice, and who fails holds up nobody."""

import logging
import smtplib
import socket
from datetime import time, timedelta
from email import message_from_bytes
from unittest.mock import Mock

import pytest
from django.core.mail.backends import locmem
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal import channels, courier, delivering, digests, notices, releasing, reviewing, sending, submitting
from portal.models import Assignment, Notice, NoticeChannel, NoticeHad, NoticeWishes, User

pytestmark = pytest.mark.django_db

SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
MINUTE = timedelta(minutes=1)


class Round:
    """The courier, played: what it was given, and how each of its letters comes out (by address; SENT else)."""

    def __init__(self):
        self.letters, self.outcomes = [], {}

    def __call__(self, letters, *, each, whole):
        self.letters += letters
        known = [(n, self.outcomes.get(letter.to, courier.SENT)) for n, letter in enumerate(letters)]
        return Mock(news=lambda wait=False: known if wait else [])

    @property
    def titles(self):
        return [letter.title for letter in self.letters]


@pytest.fixture(autouse=True)
def time_enough(monkeypatch):
    """A busy machine is no fault of ours."""
    for limit in ("EACH", "BY_COURIER", "BY_MAIL"):
        monkeypatch.setattr(delivering, limit, 600.0)


@pytest.fixture
def carried(monkeypatch):
    found = Round()
    monkeypatch.setattr(sending, "Errand", found)
    return found


def tell(person, number, at, topic="lights", **facts):
    notices.tell(person, topic, f"news {number}", f"Light {number} is on", "It costs.", url="/labs/", now=at, **facts)


def channel_of(person, at, address=SLACK, **facts):
    return NoticeChannel.objects.create(
        person=person, kind="apprise", address=address, label="Slack", made_at=at, verified_at=at, **facts
    )


# --- one message -------------------------------------------------------------------------------------------


def test_ten_notices_are_one_mail_and_are_sent_once(aye, now, mailoutbox):
    for number in range(10):
        tell(aye, number, now)
    assert delivering.deliver(now) == 0, "what comes in the same minute is gathered"
    assert delivering.deliver(now + MINUTE) == 1
    assert delivering.deliver(now + 2 * MINUTE) == 0
    [mail] = mailoutbox
    assert mail.to == [aye.email]
    assert mail.subject == "10 notices. The first: Light 0 is on"
    assert all(f"Light {number} is on" in mail.body for number in range(10))
    assert "http://127.0.0.1:8000/labs/" in mail.body
    assert not Notice.objects.filter(done_at=None).exists()
    assert NoticeHad.objects.count() == 10


def test_a_mail_can_be_stopped_by_the_mail_program(aye, now, mailoutbox):
    tell(aye, 1, now)
    delivering.deliver(now + MINUTE)
    sent = message_from_bytes(mailoutbox[0].message().as_bytes())
    address = sent["List-Unsubscribe"].replace("\n", "").replace(" ", "").strip("<>")
    assert address.startswith("http://127.0.0.1:8000/notices/stop/")
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert address in mailoutbox[0].body


def test_what_comes_within_the_hour_waits_for_its_end_and_comes_together(aye, now, mailoutbox):
    tell(aye, 1, now)
    delivering.deliver(now + MINUTE)
    tell(aye, 2, now + 10 * MINUTE)
    tell(aye, 3, now + 20 * MINUTE)
    assert delivering.deliver(now + 60 * MINUTE) == 0
    assert delivering.deliver(now + 61 * MINUTE) == 1
    assert "Light 2" in mailoutbox[1].body
    assert "Light 3" in mailoutbox[1].body
    assert "Light 1" not in mailoutbox[1].body


def test_what_is_urgent_passes_quiet_hours_and_takes_nothing_along(aye, now, mailoutbox):
    """`now` is 14:47 in Yangon, where aye is."""
    NoticeWishes.objects.create(person=aye, pace=digests.AT_ONCE, quiet_from=time(14), quiet_to=time(16))
    tell(aye, 1, now)
    tell(aye, 2, now, is_urgent=True)
    assert delivering.deliver(now + 2 * MINUTE) == 1
    assert mailoutbox[0].subject == "Light 2 is on"
    assert delivering.deliver(now + 60 * MINUTE) == 0
    assert delivering.deliver(now + 73 * MINUTE) == 1
    assert mailoutbox[1].subject == "Light 1 is on"


def test_each_channel_is_told_its_own_topics_and_nothing_of_before_it_was_there(aye, now, mailoutbox, carried):
    NoticeWishes.objects.create(person=aye, pace=digests.AT_ONCE)
    tell(aye, 1, now - MINUTE)
    channel_of(aye, now, muted=["school"])
    tell(aye, 2, now + MINUTE)
    tell(aye, 3, now + MINUTE, topic="school")
    delivering.deliver(now + 5 * MINUTE)
    assert mailoutbox[0].subject.startswith("3 notices")
    assert carried.titles == ["Light 2 is on"]
    assert "Stop these mails" not in carried.letters[0].body


def test_a_long_message_is_cut_for_a_chat_and_says_where_the_rest_is(aye, now, carried):
    channel_of(aye, now)
    for number in range(60):
        tell(aye, number, now)
    delivering.deliver(now + MINUTE)
    assert len(carried.letters[0].body) <= delivering.LONGEST
    assert carried.letters[0].body.endswith("http://127.0.0.1:8000/notices/")


def test_who_may_not_sign_in_is_told_nothing(aye, now, mailoutbox):
    tell(aye, 1, now)
    User.objects.filter(pk=aye.pk).update(is_active=False)
    delivering.deliver(now + MINUTE)
    assert mailoutbox == []
    assert not Notice.objects.filter(done_at=None).exists()


def test_a_subject_cannot_add_headers(aye, now, mailoutbox):
    notices.tell(aye, "lights", "x", "On\nBcc: all@example.org", now=now)
    delivering.deliver(now + MINUTE)
    assert mailoutbox[0].subject == "On Bcc: all@example.org"
    assert mailoutbox[0].recipients() == [aye.email]


# --- what fails --------------------------------------------------------------------------------------------


def test_a_channel_that_fails_waits_longer_each_time_and_is_given_up_after_days(aye, now, mailoutbox, carried):
    channel = channel_of(aye, now)
    carried.outcomes[SLACK] = courier.REFUSED
    tell(aye, 0, now)
    tries, at = [], now
    while at < now + timedelta(days=7):
        at += timedelta(minutes=30)
        if at.hour == 0 and at.minute < 30:
            tell(aye, at.day, at)
        before = len(carried.letters)
        delivering.deliver(at)
        tries += [at] if len(carried.letters) > before else []
    channel.refresh_from_db()
    assert channel.off_at == tries[-1]
    assert timedelta(days=3) <= channel.off_at - tries[0] < timedelta(days=4)
    assert channel.trouble == "refused"
    assert len(tries) < 30
    assert len(mailoutbox) >= 6, "mail went on all the time"
    assert not Notice.objects.filter(done_at=None, at__lt=at - timedelta(hours=2)).exists()


def test_a_channel_that_works_again_has_all_that_waited_in_one_message(aye, now, carried):
    channel_of(aye, now)
    carried.outcomes[SLACK] = courier.NO_ANSWER
    tell(aye, 1, now)
    delivering.deliver(now + MINUTE)
    tell(aye, 2, now + MINUTE)
    carried.outcomes.clear()
    assert delivering.deliver(now + 1.5 * MINUTE) == 0, "not before its time"
    assert delivering.deliver(now + 70 * MINUTE) == 2, "mail and Slack"
    assert carried.titles[1].startswith("2 notices")
    assert NoticeChannel.objects.get(kind="apprise").failures == 0


class ServerIsAway(locmem.EmailBackend):
    def open(self):
        raise ConnectionRefusedError


class NotThatAddress(locmem.EmailBackend):
    def send_messages(self, messages):
        [message] = messages
        if message.to[0].startswith("aye"):
            raise smtplib.SMTPRecipientsRefused({message.to[0]: (550, b"no such user")})
        return super().send_messages(messages)


def test_a_mail_server_that_is_away_blames_nobody(aye, bo, now, settings, mailoutbox, monkeypatch, carried, caplog):
    channel_of(bo, now)
    tell(aye, 1, now)
    tell(bo, 1, now)
    monkeypatch.setattr(sending, "get_connection", ServerIsAway)
    assert delivering.deliver(now + MINUTE) == 1, "Slack is told all the same"
    assert not NoticeChannel.objects.exclude(failures=0).exists()
    assert caplog.text.count("mail does not go out") == 1
    monkeypatch.setattr(sending, "get_connection", locmem.EmailBackend)
    assert delivering.deliver(now + 2 * MINUTE) == 2
    assert len(carried.letters) == 1
    assert len(mailoutbox) == 2


def test_an_address_that_is_not_taken_holds_up_nobody_elses(aye, bo, now, mailoutbox, monkeypatch):
    tell(aye, 1, now)
    tell(bo, 1, now + timedelta(seconds=1))
    monkeypatch.setattr(sending, "get_connection", NotThatAddress)
    assert delivering.deliver(now + 2 * MINUTE) == 1
    assert [mail.to for mail in mailoutbox] == [[bo.email]]
    assert NoticeChannel.objects.get(person=aye).trouble == "refused"


def test_nothing_is_raised_into_the_beat(aye, now, monkeypatch, caplog):
    tell(aye, 1, now)
    monkeypatch.setattr(delivering, "_send", Mock(side_effect=RuntimeError("tripped")))
    assert delivering.deliver(now + MINUTE) == 0
    assert "broke off" in caplog.text


def test_a_turn_that_is_killed_before_it_sends_loses_nothing(aye, now, mailoutbox, monkeypatch):
    tell(aye, 1, now)
    with monkeypatch.context() as killed:
        killed.setattr(delivering, "_send", Mock(side_effect=RuntimeError))
        killed.setattr(delivering, "_settle", Mock())
        delivering.deliver(now + MINUTE)
    assert delivering.deliver(now + 2 * MINUTE) == 0, "its channels are claimed"
    assert delivering.deliver(now + MINUTE + delivering.CLAIMED_FOR) == 1
    assert len(mailoutbox) == 1


def test_a_turn_that_is_killed_after_some_mails_sends_these_no_second_time(aye, bo, chit, now, mailoutbox, monkeypatch):
    """What was sent before is written down; the one that was under way is sent again."""
    for person in (aye, bo, chit):
        tell(person, 1, now)
    came_out, calls = delivering._came_out, []

    def dies_at_the_second(*args):
        calls.append(args)
        if len(calls) == 2:
            raise RuntimeError("killed")
        came_out(*args)

    with monkeypatch.context() as killed:
        killed.setattr(delivering, "_came_out", dies_at_the_second)
        killed.setattr(delivering, "_settle", Mock())
        delivering.deliver(now + MINUTE)
    delivering.deliver(now + MINUTE + delivering.CLAIMED_FOR)
    told = [mail.to[0] for mail in mailoutbox]
    assert len(told) == 4
    assert set(told) == {aye.email, bo.email, chit.email}


def test_two_turns_at_once_send_nothing_twice(aye, bo, now, mailoutbox, monkeypatch):
    tell(aye, 1, now)
    tell(bo, 1, now)
    within = []

    class AnotherTurnBegins(locmem.EmailBackend):
        def send_messages(self, messages):
            within.append(delivering.deliver(now + MINUTE + timedelta(seconds=20)))
            return super().send_messages(messages)

    monkeypatch.setattr(sending, "get_connection", AnotherTurnBegins)
    assert delivering.deliver(now + MINUTE) == 2
    assert within == [0, 0]
    assert len(mailoutbox) == 2


def test_who_turns_mail_off_while_a_turn_runs_is_left_off(aye, now, mailoutbox, monkeypatch):
    tell(aye, 1, now)

    class ThePersonTurnsItOff(locmem.EmailBackend):
        def send_messages(self, messages):
            channels.turn_off(NoticeChannel.objects.get(person=aye), now=now + MINUTE)
            return super().send_messages(messages)

    monkeypatch.setattr(sending, "get_connection", ThePersonTurnsItOff)
    delivering.deliver(now + MINUTE)
    assert NoticeChannel.objects.get(person=aye).off_at == now + MINUTE


@pytest.mark.slow
def test_a_service_within_the_network_is_not_reached_and_holds_up_no_mail(aye, bo, now, mailoutbox, settings):
    """With the real courier, which does not go to loopback: the port is never connected to."""
    settings.NOTICE_SCHEMES = ["json"]
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.settimeout(0)
        inside = channel_of(aye, now, address=f"json://127.0.0.1:{door.getsockname()[1]}/x")
        tell(aye, 1, now)
        tell(bo, 1, now)
        assert delivering.deliver(now + MINUTE) == 2
        with pytest.raises(BlockingIOError):
            door.accept()
    inside.refresh_from_db()
    assert inside.trouble == courier.PRIVATE
    assert {mail.to[0] for mail in mailoutbox} == {aye.email, bo.email}


# --- how much it asks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("people", [24, 500])
def test_a_turn_asks_no_more_for_500_people_than_for_24_but_to_write_down_what_each_had(people, now, carried, db):
    crowd = User.objects.bulk_create(User(email=f"p{n}@example.org", name=f"P {n}") for n in range(people))
    NoticeChannel.objects.bulk_create(
        NoticeChannel(person=one, kind="apprise", address=f"{SLACK}{one.pk}", label="S", made_at=now, verified_at=now)
        for one in crowd[::5]
    )
    Notice.objects.bulk_create(
        Notice(person=one, topic="lights", key=f"{n}", subject=f"Light {n}", at=now) for one in crowd for n in range(4)
    )
    with CaptureQueriesContext(connection) as asked:
        sent = delivering.deliver(now + MINUTE)
    assert sent == people + -(-people // 5)
    # In parts, since SQLite takes only so many arguments: mail channels made, channels claimed, what became of them.
    parts = {"INSERT": 0, "UPDATE": 0, "SELECT": 0}
    for one in asked:
        parts[one["sql"][:6]] += "portal_noticehad" not in one["sql"] or one["sql"][:6] == "SELECT"
    assert len(asked) - sum(parts.values()) == sent, "one for each message: what was sent is written down at once"
    assert parts["SELECT"] == 8
    assert parts["UPDATE"] == -(-sent // 500) + -(-sent // 100) + 1
    assert parts["INSERT"] <= 1 + people // 50
    with CaptureQueriesContext(connection) as asked:
        delivering.deliver(now + 2 * MINUTE)
    assert len(asked) <= 6 + -(-people * 4 // 500)
    with CaptureQueriesContext(connection) as asked:
        delivering.deliver(now + 3 * MINUTE)
    assert len(asked) == 2, "when nothing waits: codes, notices"


# --- codes -------------------------------------------------------------------------------------------------


def test_a_channel_is_told_nothing_before_its_code_was_read_there(aye, now, carried):
    channel = channels.add(aye, SLACK, "", now=now)
    tell(aye, 1, now)
    delivering.deliver(now + MINUTE)
    [letter] = carried.letters
    channel.refresh_from_db()
    code = channels.code_of(channel)
    assert code in letter.body
    assert "Light 1" not in letter.body
    with pytest.raises(channels.NotDone):
        channels.verify(channel, f"{(int(code) + 1) % 10**6:06}", now=now + 2 * MINUTE)
    channels.verify(channel, f" {code[:3]} {code[3:]}", now=now + 2 * MINUTE)
    tell(aye, 2, now + 3 * MINUTE)
    delivering.deliver(now + 5 * MINUTE)
    assert carried.titles[1:] == ["Light 2 is on"]


def test_codes_cannot_be_guessed_nor_used_late(aye, now, carried):
    channel = channels.add(aye, SLACK, "", now=now)
    delivering.deliver(now)
    channel.refresh_from_db()
    code = channels.code_of(channel)
    with pytest.raises(channels.NotDone, match="a day old"):
        channels.verify(channel, code, now=now + timedelta(hours=25))
    for _ in range(channels.CODE_TRIES):
        with pytest.raises(channels.NotDone, match="not the code"):
            channels.verify(channel, "wrong", now=now)
    with pytest.raises(channels.NotDone, match="Too many"):
        channels.verify(channel, code, now=now)
    channels.ask_again(channel, now=now + 2 * MINUTE)
    channel.refresh_from_db()
    assert channels.code_of(channel) != code


def test_a_code_that_does_not_get_there_is_not_sent_again_by_itself(aye, now, carried):
    carried.outcomes[SLACK] = courier.UNREADABLE
    channel = channels.add(aye, SLACK, "", now=now)
    for minutes in range(3):
        delivering.deliver(now + minutes * MINUTE)
    assert len(carried.letters) == 1
    channel.refresh_from_db()
    assert (channel.trouble, channel.code_asked_at) == ("unreadable", None)


def test_a_test_message_goes_where_it_is_asked_for_and_lets_what_waited_go_on(aye, now, mailoutbox, carried):
    channel = channel_of(aye, now, failures=5, failing_since=now, try_again_at=now + timedelta(hours=4))
    [mail] = [one for one in channels.channels_of(aye) if one.is_mail]
    tell(aye, 1, now)
    for one in (channel, mail):
        assert channels.ask_again(one, now=now) == "A test message is on its way."
    delivering.deliver(now)
    assert carried.titles == [mailoutbox[0].subject] == ["A test of Lightsout"]
    assert "the code" not in carried.letters[0].body
    delivering.deliver(now + MINUTE)
    assert carried.titles[1:] == [mailoutbox[1].subject] == ["Light 1 is on"]


def test_what_the_operator_does_not_allow_any_more_is_sent_nothing(aye, now, settings, carried):
    channel_of(aye, now)
    channels.add(aye, f"{SLACK}x", "New", now=now)
    tell(aye, 1, now)
    settings.NOTICE_SCHEMES = ["tgram"]
    assert delivering.deliver(now + MINUTE) == 1, "mail"
    delivering.deliver(now + 2 * MINUTE)
    assert carried.letters == []
    assert not Notice.objects.filter(done_at=None).exists()


# --- secrets, and what is told -----------------------------------------------------------------------------


def test_an_address_is_in_no_log(aye, now, caplog, settings):
    """With the real courier, at the most talkative level, for one that works on nothing and one that is refused."""
    caplog.set_level(logging.DEBUG)
    settings.NOTICE_SCHEMES = ["slack", "json"]
    channel_of(aye, now, address="slack://T1JJ3T3L2-s3cr3t")
    channel_of(aye, now, address="json://127.0.0.1:9/s3cr3t")
    tell(aye, 1, now)
    delivering.deliver(now + MINUTE)
    assert NoticeChannel.objects.filter(kind="apprise", failures=1).count() == 2
    assert "s3cr3t" not in caplog.text
    assert "s3cr3t" not in "".join(map(repr, NoticeChannel.objects.all()))


def test_students_are_told_of_feedback_when_it_is_released_and_not_what_it_says(cohort, aye, bo, chit, now):
    case = Assignment.objects.get(week__number=2)
    for student in (aye, bo):
        draft = submitting.draft_of(case, cohort, student, now=now)
        submitting.save_draft(draft, "Cloud.", revision=draft.revision, window="w", now=now)
        handed_in, _ = submitting.submit(draft, key="k", now=now)
        is_ready = student == aye
        points = {"cost": 4, "why": 5}
        reviewing.write(handed_in, chit, comment="Zebra.", points=points, revision=0, ready=is_ready, now=now)
    assert not Notice.objects.exists()
    releasing.release(cohort, case.week, by=chit, now=now)
    [notice] = Notice.objects.all()
    assert (notice.person, notice.topic, notice.at) == (aye, "school", now)
    assert notice.subject == "Your feedback is here: Case study 2: the llama2 app"
    assert "Zebra" not in notice.subject + notice.words
    assert notice.url.endswith("/feedback/")
