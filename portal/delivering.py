"""Delivery: notices to the channels that their people chose. A row is the queue; a turn takes what is due and goes.

A turn claims its channels, so that two turns at once send nothing twice. What a channel had is written down after it
was sent: a turn that dies in between sends that one message again, and loses none.
"""

import logging
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from portal import channels, courier, digests, languages, sending, unsubscribing
from portal.models import Notice, NoticeChannel, NoticeHad, NoticeWishes, User

log = logging.getLogger(__name__)

# Seconds: for a message by the courier, for all of them, for all mails. Both go at the same time.
EACH, BY_COURIER, BY_MAIL = 10.0, 20.0, 25.0
# Longer than a turn.
CLAIMED_FOR = timedelta(minutes=3)
# Of the courier's messages in a turn; those of channels that last failed come last.
MOST = 200
# Chats cut off or refuse longer ones (Discord at 2,000 characters).
LONGEST = 1800


@dataclass
class Message:
    """What goes to a channel in this turn: its notices; or, without any, the code by which its person proves to read
    it, and a test where it is proved."""

    channel: NoticeChannel
    notices: list = field(default_factory=list)
    outcome: str = sending.NOT_NOW

    @property
    def is_code(self):
        return not self.notices


def deliver(now):
    """Send what is due at `now`. Answers how many messages were sent. Raises nothing: what failed is tried again."""
    try:
        return _turn(now)
    except Exception:
        log.exception("a turn of telling people broke off; what it did not send, the next one does")
        return 0


def _turn(now):
    messages = codes_due(now) + messages_due(now)
    mark = uuid.uuid4()
    messages = _claimed(messages, mark, now)
    if not messages:
        return 0
    try:
        _send(messages, now)
    finally:
        _settle(messages, mark, now)
    return sum(message.outcome == courier.SENT for message in messages)


# --- what is due -------------------------------------------------------------------------------------------


def codes_due(now):
    asked = NoticeChannel.objects.kept().filter(code_asked_at__isnull=False, code_sent_at=None)
    return [
        Message(channel)
        for channel in asked.select_related("person")
        if channel.person.is_active and channel.is_allowed
    ]


def messages_due(now):
    """One Message a channel at most. Notices that no channel waits for any more are done. Six queries at most, and one
    for people who are told for the first time."""
    waiting = defaultdict(list)
    for notice in Notice.objects.filter(done_at=None).order_by("at", "pk"):
        waiting[notice.person_id].append(notice)
    if not waiting:
        return []
    to_be_told = Notice.objects.filter(done_at=None).values("person")
    people = User.objects.filter(pk__in=to_be_told, is_active=True).select_related("notice_wishes").in_bulk()
    by_person = _channels_of(people, to_be_told, now)
    had = set(NoticeHad.objects.filter(notice__done_at=None).values_list("notice", "channel"))
    messages, done = [], []
    for person_id, notices in waiting.items():
        fresh = [notice for notice in notices if notice.at > now - digests.STALE]
        pending = set()
        for channel in by_person[person_id]:
            wanted = {one.pk: one for one in fresh if channel.wants(one) and (one.pk, channel.pk) not in had}
            pending |= wanted.keys()
            if wanted and not (channel.try_again_at and channel.try_again_at > now):
                chosen = _chosen(wanted.values(), people[person_id], channel, now)
                messages += [Message(channel, [wanted[pk] for pk in chosen])] if chosen else []
        done += [notice.pk for notice in notices if notice.pk not in pending]
    for some in _in_parts(done):
        Notice.objects.filter(pk__in=some).update(done_at=now)
    return messages


def _chosen(notices, person, channel, now):
    wishes = getattr(person, "notice_wishes", None) or NoticeWishes(person=person)
    news = [digests.News(one.pk, one.topic, one.at, one.is_urgent) for one in notices]
    return [one.pk for one in digests.due(news, wishes.plain(), channel.last_told_at, now)]


def _channels_of(people, to_be_told, now):
    """{person's pk: [NoticeChannel]}, each with its person; who has no mail channel yet gets one."""
    kept = NoticeChannel.objects.kept().filter(person__in=to_be_told)
    found = list(kept)
    with_mail = {channel.person_id for channel in found if channel.is_mail}
    if people.keys() - with_mail:
        channels.mail_for([people[pk] for pk in people.keys() - with_mail])
        found = list(kept.all())
    by_person = defaultdict(list)
    for channel in found:
        if channel.person_id in people:
            channel.person = people[channel.person_id]
            by_person[channel.person_id].append(channel)
    return by_person


# --- claiming, sending, settling -----------------------------------------------------------------------------


def _claimed(messages, mark, now):
    """Those of the messages whose channels this turn has to itself, without what another turn sent meanwhile."""
    # What is urgent first, then what failed least, then the oldest.
    messages = sorted(messages, key=_rank)
    by_courier = [message for message in messages if not message.channel.is_mail][:MOST]
    messages = [message for message in messages if message.channel.is_mail] + by_courier
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    for some in _in_parts([message.channel.pk for message in messages]):
        NoticeChannel.objects.filter(free, pk__in=some).update(claim=mark, claimed_until=now + CLAIMED_FOR)
    if not messages:
        return []
    ours = set(NoticeChannel.objects.filter(claim=mark).values_list("pk", flat=True))
    had = set(NoticeHad.objects.filter(channel__claim=mark, notice__done_at=None).values_list("notice", "channel"))
    left = []
    for message in messages:
        if message.channel.pk in ours:
            is_code = message.is_code
            message.notices = [one for one in message.notices if (one.pk, message.channel.pk) not in had]
            left += [message] if message.notices or is_code else []
    return left


def _rank(message):
    is_urgent = any(notice.is_urgent for notice in message.notices)
    oldest = message.notices[0].at if message.notices else message.channel.code_asked_at
    return (not (is_urgent or message.is_code), message.channel.failures, oldest)


def _send(messages, now):
    by_courier = [message for message in messages if not message.channel.is_mail]
    letters = [letter_of(message, now) for message in by_courier]
    errand = _sent_out(letters)
    mail = sending.Mail(whole=BY_MAIL)
    try:
        for message in messages:
            if message.channel.is_mail:
                _came_out(message, mail.send(letter_of(message, now)), now)
            for n, outcome in errand.news() if errand else ():
                _came_out(by_courier[n], outcome, now)
        for n, outcome in errand.news(wait=True) if errand else ():
            _came_out(by_courier[n], outcome, now)
    finally:
        mail.close()
        if errand:
            errand.end()


def _sent_out(letters):
    try:
        return sending.Errand(letters, each=EACH, whole=BY_COURIER) if letters else None
    except OSError as trouble:  # no memory, no process: mail goes out all the same
        log.warning("the courier did not start: %s", type(trouble).__name__)
        return None


def _came_out(message, outcome, now):
    message.outcome = outcome
    if outcome == courier.SENT:
        NoticeHad.objects.bulk_create(
            (NoticeHad(notice=notice, channel=message.channel, at=now) for notice in message.notices),
            ignore_conflicts=True,
        )


def _settle(messages, mark, now):
    """Let go of the channels, and write down how they fared: as many queries for any number of them.

    What people may change meanwhile (off, removed, another code) is written only where it is still as it was read.
    """
    told = [message for message in messages if not message.is_code and message.outcome != sending.NOT_NOW]
    for message in told:
        _fared(message.channel, message.outcome, now)
    fields = ["last_told_at", "trouble", "failures", "failing_since", "try_again_at"]
    NoticeChannel.objects.bulk_update([message.channel for message in told], fields, batch_size=100)
    given_up = [message.channel.pk for message in told if _is_given_up(message.channel, now)]
    for some in _in_parts(given_up):
        NoticeChannel.objects.filter(pk__in=some, off_at=None).update(off_at=now)
    for message in messages:
        if message.is_code and message.outcome != sending.NOT_NOW:
            _code_came_out(message.channel, message.outcome, now)
    NoticeChannel.objects.filter(claim=mark).update(claim=None, claimed_until=None)


def _fared(channel, outcome, now):
    if outcome == courier.SENT:
        channel.last_told_at = now
        channel.trouble, channel.failures, channel.failing_since, channel.try_again_at = "", 0, None, None
        return
    channel.trouble = outcome
    channel.failures = min(channel.failures + 1, 1000)
    channel.failing_since = channel.failing_since or now
    channel.try_again_at = digests.try_again_at(channel.failures, now)


def _is_given_up(channel, now):
    return channel.failing_since is not None and now - channel.failing_since >= digests.GIVE_UP


def _code_came_out(channel, outcome, now):
    """One that was not sent is not tried again by itself: its person sees why, and may ask for another."""
    this_one = NoticeChannel.objects.filter(pk=channel.pk, code_asked_at=channel.code_asked_at)
    if outcome == courier.SENT:
        this_one.update(code_sent_at=now, **channels.NO_TROUBLE)
    else:
        this_one.update(code_asked_at=None, trouble=outcome)


# --- in words ------------------------------------------------------------------------------------------------


def letter_of(message, now):
    """The message as it is sent, in its person's language: one notice under its own subject, several under one."""
    with translation.override(languages.of(message.channel.person)):
        return _letter_of(message)


def _letter_of(message):
    channel, notices = message.channel, message.notices
    if message.is_code:
        is_test = channel.verified_at is not None
        facts = {"person": channel.person, "label": channel.called}
        facts |= {} if is_test else {"code": channels.code_of(channel)}
        title = _("A test of Lightsout") if is_test else _("Your code for Lightsout")
        to = channel.person.email if channel.is_mail else channel.address
        return sending.Letter(to, title, _text("portal/notice_code.txt", facts))
    title = " ".join(notices[0].subject.split())
    if len(notices) > 1:
        title = _("%(n)s notices. The first: %(title)s") % {"n": len(notices), "title": title}
    address = unsubscribing.address_of(channel, {notice.topic for notice in notices}) if channel.is_mail else ""
    facts = {
        "person": channel.person,
        "notices": notices,
        "choices": settings.PUBLIC_URL.rstrip("/") + reverse("portal:notice_choices"),
        "unsubscribe": address,
    }
    body = _text("portal/notices.txt", facts)
    if not channel.is_mail:
        if len(body) > LONGEST:
            address = settings.PUBLIC_URL.rstrip("/") + reverse("portal:notices")
            end = " ...\n\n" + _("All of it: %(address)s") % {"address": address}
            body = body[: LONGEST - len(end)] + end
        return sending.Letter(channel.address, title, body)
    # RFC 8058: the mail program itself may ask us to stop, without a page. RFC 3834: machines need not answer.
    headers = (
        ("List-Unsubscribe", f"<{address}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("Auto-Submitted", "auto-generated"),
    )
    return sending.Letter(channel.person.email, title, body, headers)


def _text(template, facts):
    return render_to_string(template, facts).strip() + "\n"


def _in_parts(keys, size=500):
    """SQLite takes only so many arguments in one query."""
    return (keys[first : first + size] for first in range(0, len(keys), size))
