"""A person's channels: added, proved to be read, turned off and on, removed."""

from datetime import timedelta

from django.conf import settings
from django.db.models import F
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from portal import addresses
from portal.models import NoticeChannel, NoticeWishes

MOST = 5
# Whoever adds and removes all day sends codes to strangers.
NEW_A_DAY = 10
CODE_LASTS = timedelta(hours=24)
CODE_TRIES = 5
ASK_AGAIN_AFTER = timedelta(minutes=1)
NO_TROUBLE = {"trouble": "", "failures": 0, "failing_since": None, "try_again_at": None}


class NotDone(ValueError):
    """Why it was not done, to the person who asked."""


def mail_for(people):
    """The mail channel of each of these people, made where there is none. One query."""
    NoticeChannel.objects.bulk_create(
        (
            NoticeChannel(
                person=person,
                kind=NoticeChannel.MAIL,
                label="Mail",
                made_at=person.date_joined,
                verified_at=person.date_joined,
            )
            for person in people
        ),
        ignore_conflicts=True,
    )


def channels_of(person):
    """What is kept of theirs, mail first. Makes the mail channel at the first look."""
    kept = NoticeChannel.objects.kept().filter(person=person).select_related("person")
    found = list(kept)
    if not any(channel.is_mail for channel in found):
        mail_for([person])
        found = list(kept.all())
    return found


def add(person, given, label, *, now):
    """A new channel, whose code is on its way. Raises addresses.NotTaken, NotDone."""
    address = addresses.read(given, settings.NOTICE_SCHEMES)
    theirs = NoticeChannel.objects.filter(person=person, kind=NoticeChannel.APPRISE)
    if theirs.kept().count() >= MOST:
        raise NotDone(_("You have %(most)s channels already. Remove one first.") % {"most": MOST})
    if theirs.filter(made_at__gt=now - timedelta(days=1)).count() >= NEW_A_DAY:
        raise NotDone(_("You added %(most)s channels within a day. Add another one tomorrow.") % {"most": NEW_A_DAY})
    if theirs.kept().filter(address=address).exists():
        raise NotDone(_("You have this address already."))
    label = " ".join(label.split())[:60] or addresses.service_of(address)
    return NoticeChannel.objects.create(
        person=person, kind=NoticeChannel.APPRISE, address=address, label=label, made_at=now, code_asked_at=now
    )


def code_of(channel):
    """Six digits that only this server can work out. Another asking makes another code; none is stored."""
    asked = f"{channel.pk} {channel.code_asked_at.timestamp()}"
    return f"{int(salted_hmac('portal.channels.code', asked, algorithm='sha256').hexdigest(), 16) % 10**6:06}"


def verify(channel, given, *, now):
    """They read the code in the channel: it is on from now. Raises NotDone. Each try counts, also those at once."""
    if channel.code_sent_at is None:
        raise NotDone(_("The code is not sent yet. Wait half a minute and load this page again."))
    if now - channel.code_sent_at > CODE_LASTS:
        raise NotDone(_("That code is a day old. Send another one."))
    counted = NoticeChannel.objects.filter(pk=channel.pk, code_tries__lt=CODE_TRIES)
    if not counted.update(code_tries=F("code_tries") + 1):
        raise NotDone(_("Too many wrong codes. Send another one."))
    if not constant_time_compare(code_of(channel), "".join(given.split())):
        raise NotDone(_("That is not the code. Look at the last message there."))
    NoticeChannel.objects.filter(pk=channel.pk).update(verified_at=now, off_at=None, **NO_TROUBLE)


def ask_again(channel, *, now):
    """What is on is sent a test message. Mail that is off is on again; another channel that is off, or was never
    proved, is sent a new code, and is on when it was read. Answers what happens, in words. Raises NotDone."""
    this_one = NoticeChannel.objects.filter(pk=channel.pk)
    if channel.is_mail and not channel.is_on:
        this_one.update(off_at=None, **NO_TROUBLE)
        return _("Mail is on again.")
    last = max((at for at in (channel.code_asked_at, channel.code_sent_at) if at), default=None)
    if last and now - last < ASK_AGAIN_AFTER:
        raise NotDone(_("One was sent less than a minute ago."))
    if channel.is_on:
        this_one.update(code_asked_at=now, code_sent_at=None)
        return _("A test message is on its way.")
    this_one.update(code_asked_at=now, code_sent_at=None, code_tries=0, trouble="", verified_at=None)
    return _("Another code is on its way.")


def remove(channel, *, now):
    """Its address is forgotten. The row stays, so that the page still says what was told there."""
    NoticeChannel.objects.filter(pk=channel.pk).update(address="", removed_at=now, code_asked_at=None)


def turn_off(channel, *, now):
    NoticeChannel.objects.filter(pk=channel.pk, off_at=None).update(off_at=now, trouble="")


def mute(channel, topics):
    """Tell these topics here no more."""
    channel.muted = sorted({*channel.muted, *topics})
    channel.save(update_fields=["muted"])


def wishes_of(person):
    """What they chose of when; the defaults, not stored, for who chose nothing."""
    return NoticeWishes.objects.filter(person=person).first() or NoticeWishes(person=person)
