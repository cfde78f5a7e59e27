"""Taking people in by invitation: a mail with a link of their own, which nobody else gets.

A link for a whole class only has such a mail sent: so every address in the portal was read by its owner.
"""

import hashlib
import secrets
from collections import namedtuple
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.db import IntegrityError, transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from portal import courier, digests, enrolling, languages, sending
from portal.models import Invitation, InviteLink, Membership, User

PERSONAL_LASTS = timedelta(days=21)
# A turn that sends claims its rows for so long; one that died leaves them to the next.
CLAIMED_FOR = timedelta(minutes=3)
# Seconds for the mails of a turn.
A_TURN = 25.0
MOST_TRIES = 6

Sorted = namedtuple("Sorted", "new known waiting members")


class NotAccepted(Exception):
    """An invitation that cannot be accepted, and why, in words for who holds it."""


def _hash(token):
    return hashlib.sha256(token.encode()).hexdigest()


def address_of(token):
    return settings.PUBLIC_URL.rstrip("/") + reverse("portal:join", args=[token])


# --- a link for a class ------------------------------------------------------------------------------------


def make_link(cohort, *, uses, lasts, by, now):
    """A new link, as (InviteLink, its whole address). The address is known here and now, and never again."""
    token = secrets.token_urlsafe(24)
    link = InviteLink.objects.create(
        cohort=cohort, token_hash=_hash(token), uses=uses, expires_at=now + lasts, made_by=by, made_at=now
    )
    return link, address_of(token)


@transaction.atomic
def close_link(link, *, now):
    """The link lets nobody in any more, and neither do the mails that were asked for by it."""
    InviteLink.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=now)
    Invitation.objects.waiting().filter(link=link).update(revoked_at=now, mail_due_at=None)


def found(token, now):
    """The open Invitation or InviteLink behind a token; None for any other."""
    hashed = _hash(token)
    invitation = Invitation.objects.open(now).filter(token_hash=hashed).select_related("cohort__course", "link").first()
    return invitation or InviteLink.objects.open(now).filter(token_hash=hashed).select_related("cohort__course").first()


def ask_by_link(link, email, name, *, now):
    """Have an invitation mailed to this address, or mailed again. Members get none: they have only to sign in."""
    if Membership.objects.filter(cohort=link.cohort_id, user__email=email.lower()).exists():
        return
    invitation, is_new = Invitation.objects.get_or_create(
        cohort=link.cohort,
        email=email.lower(),
        accepted_at=None,
        revoked_at=None,
        defaults={
            "name": name,
            "link": link,
            "made_at": now,
            "expires_at": now + PERSONAL_LASTS,
            "mail_due_at": now,
        },
    )
    if not is_new:
        send_again(invitation, now=now)


# --- a list of people --------------------------------------------------------------------------------------


def sort(cohort, people, now):
    """What an invitation of these name_list.Persons would do: Sorted lists of them. Four queries, changes nothing.

    new: nobody has that address. known: somebody who has an account, and is not in this cohort. waiting: invited
    already, in time. members: in the cohort.
    """
    emails = [person.email for person in people]
    members = set(_in(cohort.memberships, "user__email", emails))
    waiting = set(_in(cohort.invitations.open(now), "email", emails)) - members
    known = set(_in(User.objects, "email", emails)) - members - waiting
    chosen = {"members": members, "waiting": waiting, "known": known}
    lists = {name: [one for one in people if one.email in these] for name, these in chosen.items()}
    return Sorted(new=[one for one in people if one.email not in members | waiting | known], **lists)


def _in(rows, field, emails):
    # In parts: SQLite takes only so many arguments in one query.
    for first in range(0, len(emails), 500):
        yield from rows.filter(**{f"{field}__in": emails[first : first + 500]}).values_list(field, flat=True)


@transaction.atomic
def invite(cohort, people, *, by, now):
    """Invite those of the list who are neither in the cohort nor invited already, all of them or none. How many."""
    found = sort(cohort, people, now)
    chosen = found.new + found.known
    # What is past its time makes way for the new one.
    for first in range(0, len(chosen), 500):
        emails = [person.email for person in chosen[first : first + 500]]
        cohort.invitations.waiting().filter(email__in=emails, expires_at__lte=now).update(revoked_at=now)
    Invitation.objects.bulk_create(
        (
            Invitation(
                cohort=cohort,
                email=person.email,
                name=person.name,
                made_by=by,
                made_at=now,
                expires_at=now + PERSONAL_LASTS,
                mail_due_at=now,
            )
            for person in chosen
        ),
        ignore_conflicts=True,  # a colleague sends the same list
    )
    return len(chosen)


def send_again(invitation, *, now):
    """Another mail, with another link, which lasts as long as the first one did."""
    Invitation.objects.waiting().filter(pk=invitation.pk).update(
        mail_due_at=now, mail_tries=0, expires_at=now + PERSONAL_LASTS
    )


def withdraw(invitation, *, now):
    Invitation.objects.waiting().filter(pk=invitation.pk).update(revoked_at=now, mail_due_at=None)


# --- their mails -------------------------------------------------------------------------------------------


def send_due(now):
    """Send the mails that are due. Answers how many went out; what failed is tried again later."""
    sent, mail = 0, sending.Mail(whole=A_TURN)
    due = Invitation.objects.open(now).filter(mail_due_at__lte=now).select_related("cohort__course", "made_by")
    try:
        for invitation in due.order_by("mail_due_at", "pk")[:200]:
            outcome = _send(invitation, mail, now)
            if outcome == sending.NOT_NOW:
                break
            sent += outcome == courier.SENT
    finally:
        mail.close()
    return sent


def _send(invitation, mail, now):
    """The hash is written before the mail goes out: a mail that arrived has a link that works."""
    token = secrets.token_urlsafe(24)
    row = Invitation.objects.waiting().filter(pk=invitation.pk, mail_due_at=invitation.mail_due_at)
    if not row.update(mail_due_at=now + CLAIMED_FOR, token_hash=_hash(token)):
        return None  # another turn has it, or it was withdrawn
    outcome = mail.send(_letter(invitation, token))
    ours = Invitation.objects.filter(pk=invitation.pk, token_hash=_hash(token), mail_due_at=now + CLAIMED_FOR)
    if outcome == courier.SENT:
        ours.update(mail_due_at=None, mailed_at=now, mail_tries=0)
    elif outcome == sending.NOT_NOW:
        ours.update(mail_due_at=now)
    else:
        tries = invitation.mail_tries + 1
        again = digests.try_again_at(tries, now) if tries < MOST_TRIES else None
        ours.update(mail_due_at=again, mail_tries=tries)
    return outcome


def _letter(invitation, token):
    facts = {"invitation": invitation, "cohort": invitation.cohort, "address": address_of(token)}
    # Who has no account here has chosen no language yet.
    known = User.objects.filter(email=invitation.email).first()
    with translation.override(languages.of(known)):
        title = _("Your place in %(course)s") % {"course": invitation.cohort.course.title}
        body = render_to_string("portal/invitation.txt", facts).strip() + "\n"
    return sending.Letter(invitation.email, title, body, (("Auto-Submitted", "auto-generated"),))


# --- accepting ---------------------------------------------------------------------------------------------


def accept_as_new(invitation, *, name, password, now):
    """A new person, in the cohort, with a proved address. Raises ValidationError for a weak password, NotAccepted."""
    validate_password(password, User(email=invitation.email, name=name))
    try:
        with transaction.atomic():
            _take(invitation, now)
            person = User.objects.create_user(invitation.email, password, name=name)
            _let_in(invitation, person, now)
    except IntegrityError:
        raise NotAccepted(_("There is an account with this address already. Sign in to join.")) from None
    return person


@transaction.atomic
def accept_by_proof(invitation, *, name, now):
    """A new person without a password, whom somebody whom we trust in that has shown to have the invited address."""
    _take(invitation, now)
    person = User.objects.create_user(invitation.email, None, name=name)
    _let_in(invitation, person, now)
    return person


@transaction.atomic
def accept_as(person, invitation, *, now):
    """Somebody who has an account with the invited address joins. Raises NotAccepted."""
    if person.email != invitation.email:
        raise NotAccepted(_("This invitation is for %(address)s.") % {"address": invitation.email})
    _take(invitation, now)
    _let_in(invitation, person, now)


def _take(invitation, now):
    """Marks the invitation and its link as used, once: whoever comes second finds it taken."""
    row = Invitation.objects.open(now).filter(pk=invitation.pk)
    if not row.update(accepted_at=now, mail_due_at=None, token_hash=""):
        raise NotAccepted(_("This invitation was used already. Sign in with your address and password."))
    if invitation.link_id and not InviteLink.objects.filter(
        pk=invitation.link_id, revoked_at=None, used__lt=F("uses")
    ).update(used=F("used") + 1):
        raise NotAccepted(_("All places behind this link are taken. Ask your instructor for another."))


def _let_in(invitation, person, now):
    prove(person)
    enrolling.enrol(invitation.cohort, person, now=now)
    Invitation.objects.filter(pk=invitation.pk).update(person=person)


def prove(person):
    """Write down that this person reads their mailbox: they came by a link that was sent only there."""
    EmailAddress.objects.update_or_create(user=person, email=person.email, defaults={"verified": True, "primary": True})
