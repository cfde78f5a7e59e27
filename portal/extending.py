"""One student's own deadline: an absolute instant with a reason. A second one takes the first one's place."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from labs import audit
from portal import languages, notices, schedule
from portal.models import Cohort, CohortWeek, Draft, Extension, Submission
from portal.templatetags.look import written, zone_name


class Refused(Exception):
    """It cannot be granted, and why, in words for the instructor."""


class Changed(Exception):
    """It would do something else by now than what was shown. Nothing was granted."""


@dataclass(frozen=True)
class Line:
    """What an extension for many would do for one of them."""

    student: object
    had: Extension | None  # in force
    stays: bool  # they have until then already, or longer: nobody loses time by an act on many
    on_time: tuple[Submission, ...]  # late versions that would not be late any more

    @property
    def word(self) -> str:
        return f"{self.student.pk} {self.had and self.had.revision} {[one.pk for one in self.on_time]}"


def own_deadline(cohort, student):
    """For `assignments.annotate()`: the student's own deadline of each, None where they have none. No further query."""
    granted = Extension.objects.in_force().filter(cohort=cohort, student=student, assignment=OuterRef("pk"))
    return Subquery(granted.values("due_at")[:1])


def own_deadline_of_draft():
    """The same of the student of each Draft in a queryset."""
    whose = {name: OuterRef(name) for name in ("cohort", "student", "assignment")}
    return Subquery(Extension.objects.in_force().filter(**whose).values("due_at")[:1])


def judge(told_due_at: datetime | None, due: datetime, reason: str) -> None:
    """Raises Refused unless `due` may be somebody's own deadline. Pure."""
    if told_due_at is None:
        raise Refused(_("This case study has no deadline."))
    if not reason.strip():
        raise Refused(_("Write a reason. The student reads it, and so does whoever looks at it later."))
    if due <= told_due_at:
        raise Refused(_("That is not later than the deadline that everybody has."))


def preview(cohort, assignment, students, due: datetime, *, reason: str) -> list[Line]:
    """A Line for each of these students. Three queries, whatever their number; changes nothing. Raises Refused."""
    told = CohortWeek.objects.get(cohort=cohort, week=assignment.week_id)
    judge(told.due_at, due, reason)
    here = {"cohort": cohort, "assignment": assignment}
    had = {one.student_id: one for one in Extension.objects.in_force().filter(**here)}
    late: dict[int, list[Submission]] = {}
    versions = Submission.objects.filter(**here, is_late=True, received_at__lt=due + schedule.SECOND)
    for one in versions.defer("answer_md").order_by("version"):
        late.setdefault(one.student_id, []).append(one)
    lines = []
    for student in students:
        own = had.get(student.pk)
        stays = own is not None and own.due_at >= due
        lines.append(Line(student, own, stays, () if stays else tuple(late.get(student.pk, ()))))
    return lines


def seen(lines: list[Line], assignment, due: datetime) -> str:
    """A word for exactly this act as it was shown."""
    told = f"{assignment.pk} {due.isoformat()} {sorted(one.word for one in lines)}"
    return hashlib.sha256(told.encode()).hexdigest()[:20]


@transaction.atomic
def grant_many(cohort, assignment, students, due: datetime, *, reason: str, agreed: str, by, now: datetime) -> int:
    """Grant it to each of them, or to nobody, and answer to how many. Whoever has until `due` or longer keeps what they
    have. agreed: seen() of what was shown. Raises Refused, and Changed when it would do something else by now."""
    # Not its key, as in portal/moving.py.
    Cohort.objects.select_for_update(no_key=True).get(pk=cohort.pk)
    lines = preview(cohort, assignment, students, due, reason=reason)
    if seen(lines, assignment, due) != agreed:
        raise Changed
    chosen = [line.student for line in lines if not line.stays]
    for student in chosen:
        grant(cohort, assignment, student, due, reason=reason, by=by, now=now)
    return len(chosen)


@transaction.atomic
def grant(cohort, assignment, student, due: datetime, *, reason: str, by, now: datetime) -> Extension:
    """Let the student hand in until `due`, and tell them. What they handed in already by then is no longer late;
    nothing ever becomes late by an extension. Raises Refused."""
    told = CohortWeek.objects.get(cohort=cohort, week=assignment.week_id)
    judge(told.due_at, due, reason)
    if not cohort.memberships.students().filter(user=student).exists():
        raise Refused(_("They are no student of this cohort."))
    found = Extension.objects.select_for_update().filter(assignment=assignment, cohort=cohort, student=student).first()
    extension = found or Extension(assignment=assignment, cohort=cohort, student=student, revision=0)
    extension.due_at, extension.reason, extension.withdrawn_at = due, reason.strip()[:200], None
    extension.granted_by, extension.granted_at = by, now
    extension.revision += 1
    extension.save()
    Draft.objects.filter(assignment=assignment, cohort=cohort, student=student).move_deadline()
    versions = Submission.objects.filter(assignment=assignment, cohort=cohort, student=student, is_late=True)
    versions.filter(received_at__lt=due + schedule.SECOND).update(is_late=False, late_points=0)
    words = f"{assignment.week.recorded_name}: due {due:%Y-%m-%d %H:%M:%S %Z}"
    audit.note("extension", words, by=by, person=student, scope=cohort.scope, thing=assignment.slug, now=now)
    zone = ZoneInfo(cohort.zone)
    with translation.override(languages.of(student)):
        facts = {"case": assignment, "when": written(due, "datetime", zone, now), "zone": zone_name(zone)}
        subject = _("Your own deadline: %(case)s, %(when)s %(zone)s") % facts
    notices.tell(
        student,
        "school",
        f"extension-{extension.pk}-{extension.revision}",
        subject,
        extension.reason,
        url=reverse("portal:assignment", args=[told.week.number, assignment.slug]),
        now=now,
        is_urgent=True,
    )
    return extension


@transaction.atomic
def withdraw(extension: Extension, *, by, now: datetime) -> None:
    """From now on the cohort's deadline holds again. What was received on time stays on time. The student is told."""
    locked = Extension.objects.select_for_update(of=("self",)).select_related("assignment__week", "cohort", "student")
    kept = locked.get(pk=extension.pk)
    if kept.withdrawn_at is not None:
        return
    kept.withdrawn_at, kept.revision = now, kept.revision + 1
    kept.save(update_fields=["withdrawn_at", "revision"])
    Draft.objects.filter(assignment=kept.assignment, cohort=kept.cohort, student=kept.student).move_deadline()
    words = f"{kept.assignment.week.recorded_name}: everybody's deadline again"
    about = {"person": kept.student, "scope": kept.cohort.scope, "thing": kept.assignment.slug}
    audit.note("extension", words, by=by, now=now, **about)
    with translation.override(languages.of(kept.student)):
        subject = _("Everybody's deadline holds for you again: %(case)s") % {"case": kept.assignment}
    notices.tell(
        kept.student,
        "school",
        f"extension-{kept.pk}-{kept.revision}",
        subject,
        url=reverse("portal:assignment", args=[kept.assignment.week.number, kept.assignment.slug]),
        now=now,
        is_urgent=True,
    )
