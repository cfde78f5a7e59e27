"""The link in a mail by which its person stops it, signed in or not. Signed by us; it stops mails, and nothing else."""

from django.conf import settings
from django.core import signing
from django.urls import reverse

from portal import channels
from portal.models import NoticeChannel
from portal.notices import TOPICS

_SIGNER = signing.Signer(salt="portal.unsubscribing")


def address_of(channel, topics):
    """The whole address for a mail with these topics."""
    token = _SIGNER.sign_object([channel.pk, sorted(topics)])
    return settings.PUBLIC_URL.rstrip("/") + reverse("portal:unsubscribe", args=[token])


def read(token):
    """(the channel, the topics of the mail); None for what we did not sign, and for what is gone."""
    try:
        key, topics = _SIGNER.unsign_object(token)
    except (signing.BadSignature, ValueError):
        return None
    channel = NoticeChannel.objects.kept().filter(pk=key, person__is_active=True).select_related("person").first()
    return (channel, [topic for topic in topics if topic in TOPICS]) if channel else None


def stop(channel, topics, *, everything, now):
    """No mail about these topics any more, or none at all. Pages still say it."""
    if everything:
        channels.turn_off(channel, now=now)
    else:
        channels.mute(channel, topics)
