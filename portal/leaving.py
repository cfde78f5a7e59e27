"""A person who leaves: all that says who they were goes; what the class cost, and what was marked, stays.

The row of the person is emptied, not deleted: readings, launches and marks point at it, and sums would be wrong without
them. The wish waits for a week, in which it can be taken back, so that a stranger at an open browser ends nothing.
"""

import logging
from datetime import timedelta

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.db.models import Max, Q
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from costs.models import Alert, BudgetExtension
from labs import admitting, audit, locker
from labs.models import Account, Event, Launch, Resource, SavedFile
from portal import filing
from portal.filing import Refused
from portal.models import (
    CohortWeek,
    Completion,
    Draft,
    Extension,
    Feedback,
    FeedbackBefore,
    Invitation,
    Leaving,
    Membership,
    Notice,
    NoticeChannel,
    NoticeWishes,
    Remark,
    Reply,
    Submission,
    SubmissionFile,
    User,
)
from portal.models.course import new_feed_token
from portal.notices import tell

log = logging.getLogger(__name__)

WAITS = timedelta(days=7)
# Reviewed work stays for those who have to answer for its marks, for so long after the cohort's last session.
WORK_STAYS = timedelta(days=90)
SOMEBODY = "somebody"


def open_leaving(person):
    """The wish of this person that is not done yet; None when there is none."""
    return Leaving.objects.open().filter(person=person).first()


def is_gone(person):
    return Leaving.objects.exclude(erased_at=None).filter(person=person).exists()


def in_the_way(person):
    """Why this person cannot be deleted yet, in words, each with what to do: [] when nothing is in the way."""
    found = []
    on = Launch.objects.open().filter(owner=person).count()
    if on:
        found.append(
            ngettext(
                "%(n)s lab is on, or not yet seen to be gone. Finish it first.",
                "%(n)s labs are on, or not yet seen to be gone. Finish them first.",
                on,
            )
            % {"n": on}
        )
    left = Resource.objects.open().filter(owner=person, launch=None).count()
    if left:
        found.append(
            ngettext(
                "%(n)s thing was left on in AWS. Turn off what is still there first.",
                "%(n)s things were left on in AWS. Turn off what is still there first.",
                left,
            )
            % {"n": left}
        )
    if Account.objects.real().filter(owner=person, is_open=True).exclude(aws_id="").exists():
        found.append(_("An own AWS account is connected. Disconnect it first, and delete the stack there."))
    if person.is_staff and not User.objects.filter(is_staff=True, is_active=True).exclude(pk=person.pk).exists():
        found.append(_("Nobody else is an admin here. Make somebody an admin first."))
    return found


@transaction.atomic
def ask(person, *, by, now):
    """Ask for the deletion of a person: it is done in a week, unless it is taken back. Answers the Leaving.

    by: themselves or an admin. Asked twice is asked once. Raises Refused while something is in the way.
    """
    person = User.objects.select_for_update().get(pk=person.pk)
    if is_gone(person):
        raise Refused(_("This person was deleted already."))
    if asked := open_leaving(person):
        return asked
    if trouble := in_the_way(person):
        raise Refused(" ".join(trouble))
    asked = Leaving.objects.create(person=person, by=by, asked_at=now, erase_at=now + WAITS)
    audit.note("deletion", f"asked for, to be done {asked.erase_at:%Y-%m-%d}", by=by, person=person, now=now)
    url = reverse("portal:my_data")
    tell(
        person,
        "school",
        f"leaving {asked.pk}",
        lambda: _("Your account is deleted on %(day)s") % {"day": date_format(asked.erase_at, "d F Y")},
        gettext_lazy(
            "You can take it back until then. If you did not ask for it, take it back and change your password."
        ),
        url=url,
        is_urgent=True,
        now=now,
    )
    return asked


@transaction.atomic
def take_back(person, *, by, now):
    """The wish is no more. Answers whether there was one."""
    taken = Leaving.objects.open().filter(person=person).update(taken_back_at=now)
    if taken:
        audit.note("deletion", "taken back", by=by, person=person, now=now)
    return bool(taken)


def erase_due(now):
    """Delete those whose week is over and who have nothing on; and the work whose time is over. Answers how many."""
    done = 0
    for asked in Leaving.objects.open().filter(erase_at__lte=now).select_related("person"):
        try:
            done += erase(asked, by=None, now=now)
        except Refused as why:
            log.warning("person %s is not deleted yet: %s", asked.person_id, why)
    for over in Leaving.objects.filter(work_until__lte=now):
        with transaction.atomic():
            _erase_work(Submission.objects.filter(student=over.person_id))
            Membership.objects.filter(user=over.person_id).delete()
            Leaving.objects.filter(pk=over.pk).update(work_until=None)
            audit.note("deletion", "the reviewed work is gone too", by=None, person=over.person_id, now=now)
    return done


@transaction.atomic
def erase(asked, *, by, now):
    """Take the person out of the portal, once. Answers whether it was done now. Raises Refused while something is in
    the way, and then nothing has happened."""
    person = User.objects.select_for_update().get(pk=asked.person_id)
    if not Leaving.objects.open().filter(pk=asked.pk).exists():
        return False
    if trouble := in_the_way(person):
        raise Refused(" ".join(trouble))
    _erase_names(person)
    _erase_messages(person)
    _erase_locker(person, now)
    _erase_drafts(person)
    _erase_work(Submission.objects.filter(student=person).exclude(feedback__state=Feedback.State.RELEASED))
    work_until = _work_until(person, now)
    if work_until is None:
        Membership.objects.filter(user=person).delete()
    else:
        for one in Membership.objects.filter(user=person):
            one.feed_token = new_feed_token()
            one.save(update_fields=["feed_token"])
    admitting.ask_to_leave(person.student_roles.all(), now)
    _erase_account(person)
    Leaving.objects.filter(pk=asked.pk).update(erased_at=now, work_until=work_until)
    audit.note("deletion", "done", by=by, person=person, now=now)
    return True


def _work_until(person, now):
    """Until when the reviewed work is kept; None when there is none."""
    cohorts = Submission.objects.filter(student=person, feedback__state=Feedback.State.RELEASED).values("cohort")
    if not cohorts.exists():
        return None
    last = CohortWeek.objects.filter(cohort__in=cohorts).aggregate(at=Max("session_at"))["at"]
    return max(now, (last or now) + WORK_STAYS)


def _erase_account(person):
    person.email, person.name = f"deleted-{person.pk}@deleted.invalid", f"Deleted person {person.pk}"
    person.time_zone = User._meta.get_field("time_zone").default
    person.language = ""
    person.is_active = person.is_staff = person.is_superuser = False
    person.last_login = None
    person.set_unusable_password()  # which ends every session, too
    person.save()
    person.groups.clear()
    person.user_permissions.clear()
    for model in (EmailAddress, Authenticator, SocialAccount, UserSession):
        model.objects.filter(user=person).delete()
    Invitation.objects.filter(person=person).delete()
    # A certificate is their name: without one there is nothing to check. Posts stay, for others answered them.
    Completion.objects.filter(student=person).delete()
    Extension.objects.filter(student=person).update(reason="")


def _erase_names(person):
    """Where the name or the address was written into words."""
    names = [name for name in (person.name, person.email) if name]
    for name in names:
        mine = Event.objects.filter(Q(actor=person) | Q(launch__owner=person) | Q(code="budget"), words__contains=name)
        for event in mine:
            Event.objects.filter(pk=event.pk).update(words=event.words.replace(name, SOMEBODY))
    for account in Account.objects.filter(owner=person):
        Account.objects.filter(pk=account.pk).update(name=f"{account.get_mode_display()} {account.pk}")
    Resource.objects.filter(owner=person).update(made_by="")
    Alert.objects.filter(owner=person).delete()
    for alert in Alert.objects.exclude(lines=[]):
        lines = [[SOMEBODY if what in names else what, usd] for what, usd in alert.lines]
        if lines != alert.lines:
            Alert.objects.filter(pk=alert.pk).update(lines=lines)
    BudgetExtension.objects.filter(owner=person).update(why="")
    for name in names:
        LogEntry.objects.filter(Q(object_repr__contains=name) | Q(change_message__contains=name)).update(
            object_repr=SOMEBODY, change_message=""
        )


def _erase_messages(person):
    for model in (Notice, NoticeChannel, NoticeWishes):
        model.objects.filter(person=person).delete()
    for name in (person.name, person.email):
        if name:  # what those who teach were told of them
            Notice.objects.filter(Q(subject__contains=name) | Q(words__contains=name), topic="teaching").delete()


def _erase_locker(person, now):
    for file in SavedFile.objects.filter(owner=person):
        if file.is_kept:
            locker.delete(file, now)
        SavedFile.objects.filter(pk=file.pk).update(name=f"file {file.pk}", sha256="")
    for launch in Launch.objects.filter(owner=person, certificate__isnull=False):
        if launch.certificate.get("saved") or launch.certificate.get("not_saved"):
            certificate = {**launch.certificate, "saved": [], "not_saved": []}
            Launch.objects.filter(pk=launch.pk).update(certificate=certificate)


def _erase_drafts(person):
    for draft in Draft.objects.filter(student=person):
        paths = [file.path for file in draft.files.all()]
        draft.delete()
        _discard(paths)


def _erase_work(submissions):
    """The words and files of these versions, and what was written about them. That they came, and the score, stays."""
    for one in submissions.prefetch_related("files"):
        paths = [file.path for file in one.files.all()]
        one.files.all().delete()
        _discard(paths)
        Feedback.objects.filter(submission=one).exclude(state=Feedback.State.RELEASED).delete()
        Feedback.objects.filter(submission=one).update(comment_md="")
        Remark.objects.filter(feedback__submission=one).delete()
        Reply.objects.filter(feedback__submission=one).delete()
        FeedbackBefore.objects.filter(feedback__submission=one).update(comment_md="")
        Submission.objects.filter(pk=one.pk).update(answer_md="", answer_sha256="")


def _discard(paths):
    """Files go from the disk once it is committed that no row names them."""

    def gone():
        still = set(SubmissionFile.objects.filter(path__in=paths).values_list("path", flat=True))
        for path in set(paths) - still:
            filing.discard(path)

    transaction.on_commit(gone)
