"""Certificates of completion: who earned one, giving it out, taking it back, and the address that proves it."""

import secrets
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from costs.models import Finding
from labs import audit
from labs.models import Launch
from portal import completion_pdf, languages, notices
from portal.filing import Refused
from portal.gradebook import gradebook
from portal.models import Completion, Feedback, User
from portal.submitting import tidy


@dataclass(frozen=True)
class Candidate:
    """One student beside the rule: every case study of the course has released feedback, and no light is left on."""

    membership: object
    done: int
    of: int
    lights: int
    certificate: Completion | None

    @property
    def has_earned(self):
        return self.of > 0 and self.done == self.of and not self.lights

    @property
    def why_not(self):
        """What is missing yet, in words; "" when nothing is."""
        missing = []
        if self.done < self.of:
            missing.append(_("%(n)s of %(all)s case studies") % {"n": self.of - self.done, "all": self.of})
        if self.lights:
            words = ngettext("%(n)s light left on", "%(n)s lights left on", self.lights)
            missing.append(words % {"n": self.lights})
        return ", ".join(missing) or ("" if self.of else _("the course has no case study"))


def candidates(cohort, now):
    """A Candidate for each student, by name. Six queries, whatever the number of students."""
    assignments, rows = gradebook(cohort)
    released = set(
        Feedback.objects.released()
        .filter(submission__cohort=cohort)
        .values_list("submission__student_id", "submission__assignment_id")
    )
    lights = {}
    left_on = Finding.objects.shown(now).filter(resource__scope=cohort.scope, resource__closed_at=None)
    for owner in [
        *Launch.objects.open().filter(scope=cohort.scope).values_list("owner_id", flat=True),
        *left_on.values_list("resource__owner_id", "resource_id").distinct(),
    ]:
        who = owner[0] if isinstance(owner, tuple) else owner
        lights[who] = lights.get(who, 0) + 1
    given = {one.student_id: one for one in cohort.completions.filter(revoked_at=None)}
    return [
        Candidate(
            row.membership,
            sum((row.membership.user_id, one.pk) in released for one in assignments),
            len(assignments),
            lights.get(row.membership.user_id, 0),
            given.get(row.membership.user_id),
        )
        for row in rows
    ]


@transaction.atomic
def issue(cohort, candidate, *, latin_name, by, now):
    """Give a student their certificate. Answers the one that they have already, if they have one. Raises Refused.

    latin_name: as it is to be printed. The PDF has Latin letters only; a name that it cannot print is not printed with
    question marks: it needs a spelling, such as the passport's.
    """
    student = candidate.membership.user
    # Two presses of the button are one certificate.
    User.objects.select_for_update().get(pk=student.pk)
    existing = Completion.objects.filter(cohort=cohort, student=student, revoked_at=None).first()
    if existing:
        return existing
    if not candidate.has_earned:
        raise Refused(
            _("%(student)s has not completed the course yet: %(why)s.") % {"student": student, "why": candidate.why_not}
        )
    latin_name = " ".join(tidy(latin_name).split())
    if not latin_name:
        raise Refused(
            _("How is %(student)s's name spelt in Latin letters? The certificate prints it.") % {"student": student}
        )
    if len(latin_name) > 150:
        raise Refused(_("The name has up to 150 letters."))
    cannot = completion_pdf.unprintable(latin_name)
    if cannot:
        raise Refused(
            _("The PDF cannot print %(letters)s of “%(name)s”. Give the spelling in Latin letters, as in a passport.")
            % {"letters": cannot, "name": latin_name}
        )
    made = Completion.objects.create(
        code=secrets.token_urlsafe(12),
        cohort=cohort,
        student=student,
        name=str(student)[:150],
        latin_name=latin_name,
        case_studies=candidate.done,
        issued_by=by,
        issued_at=now,
    )
    audit.note("certificate", "given out", by=by, person=student, scope=cohort.scope, now=now)
    url = reverse("portal:completion", args=[made.code])
    with translation.override(languages.of(student)):
        subject = _("Your certificate of completion is here")
    notices.tell(student, "school", f"completion {made.pk}", subject, url=url, now=now)
    return made


@transaction.atomic
def revoke(certificate, *, why, by, now):
    """Take a certificate back; its page says so from now on. Answers it. Raises Refused without a reason."""
    why = " ".join(tidy(why).split())[:300]
    if not why:
        raise Refused(_("Say why: it is kept in the record, and never shown on the public page."))
    kept = Completion.objects.select_for_update().get(pk=certificate.pk)
    if kept.revoked_at is None:
        kept.revoked_at, kept.revoked_by, kept.why_revoked = now, by, why
        kept.save(update_fields=["revoked_at", "revoked_by", "why_revoked"])
        audit.note("certificate", "revoked", by=by, person=kept.student_id, scope=kept.cohort.scope, now=now)
    return kept


def address_of(certificate):
    """The public address that proves it, as it is printed."""
    return settings.PUBLIC_URL + reverse("portal:completion", args=[certificate.code])


def pdf_of(certificate):
    """The certificate as a PDF."""
    cohort = certificate.cohort
    return completion_pdf.pdf_of(
        name=certificate.latin_name,
        course=cohort.course.title,
        cohort=cohort.name,
        case_studies=certificate.case_studies,
        issued_at=certificate.issued_at.astimezone(ZoneInfo(cohort.zone)),
        school="Lightsout",
        address=address_of(certificate),
    )
