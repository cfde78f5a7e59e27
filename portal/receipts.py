"""The receipt of what was handed in: as text, as a signed proof, and by mail. The row is the queue of the mail.

Handing in does not wait for a mail server: in the minute of a deadline it would wait for hundreds of mails.
"""

import logging
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from portal import keyring, languages, proving
from portal.models import Submission

log = logging.getLogger(__name__)

CLAIM = timedelta(minutes=10)  # longer than the slowest mail; then it is tried again
GIVE_UP = timedelta(days=3)
AT_ONCE = 100


def as_text(submission):
    """The receipt as plain text, with instants in the cohort's zone and in UTC: for the mail and the download."""
    zone = ZoneInfo(submission.cohort.zone)
    sealed_at = submission.sealed_at
    return render_to_string(
        "portal/receipt.txt",
        {
            "submission": submission,
            "files": list(submission.files.all()),
            "local": f"{submission.received_at.astimezone(zone):%Y-%m-%d %H:%M:%S %z}",
            "utc": f"{submission.received_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
            "sealed": f"{sealed_at.astimezone(zone):%Y-%m-%d %H:%M:%S %z}" if sealed_at else "",
            "address": settings.PUBLIC_URL + submission.get_absolute_url(),
        },
    )


def proof(submission, *, now):
    """The signed proof file of a receipt, as text. It names nobody (portal/proving.py), and has one language: it is
    signed, and whoever checks it is not who fetched it."""
    with translation.override("en"):
        week = submission.assignment.week.name
    answer = submission.answer_md.encode()
    pieces = [proving.Piece("answer", len(answer), submission.answer_sha256)] if answer else []
    pieces += [proving.Piece("file", file.size, file.sha256) for file in submission.files.all()]
    said = proving.Receipt(
        number=submission.number,
        site=settings.PUBLIC_URL,
        work=f"{submission.assignment.title}, {week}",
        version=submission.version,
        received_at=submission.received_at,
        pieces=tuple(pieces),
        sealed_at=submission.sealed_at,
    )
    return proving.write(said, keyring.signing_key(now=now))


def proof_name(submission):
    return f"{submission.number}-proof.txt"


def mail_due(now):
    """Mail every receipt that is due, each once unless a worker dies over it. Answers how many went out."""
    due = Submission.objects.filter(mail_at__lte=now).select_related("assignment__week", "cohort", "student")
    return sum(_mail(submission, now) for submission in due.order_by("mail_at")[:AT_ONCE])


def _mail(submission, now):
    row = Submission.objects.filter(pk=submission.pk)
    # Another worker read the same row: one of the two claims it.
    if not row.filter(mail_at=submission.mail_at).update(mail_at=now + CLAIM):
        return False
    try:
        with translation.override(languages.of(submission.student)):
            facts = {
                "number": submission.number,
                "title": submission.assignment.title,
                "version": submission.version,
            }
            mail = EmailMessage(
                _("Receipt %(number)s: %(title)s, version %(version)s") % facts,
                as_text(submission),
                settings.DEFAULT_FROM_EMAIL,
                [submission.student.email],
            )
        mail.attach(proof_name(submission), proof(submission, now=now), "text/plain")
        mail.send()
    except Exception:
        log.exception("the receipt %s could not be mailed", submission.number)
        if now - submission.received_at > GIVE_UP:
            row.update(mail_at=None)
        return False
    row.update(mail_at=None)
    return True
