"""Feedback is shown to a whole cohort at once, or not at all."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from labs import audit
from portal import languages, notices, schedule
from portal.filing import Refused
from portal.models import Cohort, Extension, Feedback, PlannedRelease, Release, Remark, Submission

LATEST = timedelta(days=366)  # a plan for later is a slip of the keys


class Changed(Exception):
    """What is ready is not any more what was shown to whoever agreed to its release. Nothing was released."""


def _seen(ready):
    """A word for exactly this feedback as it is now: another one, or another revision of one, has another word."""
    told = " ".join(f"{pk}:{revision}" for pk, revision in sorted(ready))
    return hashlib.sha256(told.encode()).hexdigest()[:20]


@dataclass(frozen=True)
class Preflight:
    """What a release would do now: feedback that would be shown, and what would stay hidden and why."""

    ready: list  # Feedback
    drafts: list  # Feedback begun and not marked ready
    waiting: list  # Submission: last versions without any feedback
    newer: list  # (Feedback that is ready, the newer Submission that it does not cover)
    missing: list  # (Membership, Assignment): handed in nothing
    later: list  # (Membership, Extension): handed in nothing, and their own deadline is to come
    silent: list  # Feedback that is ready, with points and without one word
    gone: list  # Feedback that is ready, of people who are no students of the cohort any more

    @property
    def is_complete(self):
        return not (self.drafts or self.waiting)

    @property
    def seen(self):
        """For release(seen=): that this, and nothing else, is agreed to."""
        return _seen((feedback.pk, feedback.revision) for feedback in self.ready)

    @property
    def told(self):
        """How many people the release would tell."""
        return len({feedback.submission.student_id for feedback in self.ready})


def preflight(cohort, week, now):
    """Looks at every version of the week's case studies in five queries, whatever the number of students."""
    students = list(cohort.memberships.students().select_related("user"))
    assignments = list(week.assignments.all())
    versions = (
        Submission.objects.filter(cohort=cohort, assignment__week=week)
        .select_related("feedback", "student", "assignment")
        .defer("answer_md")
        .order_by("assignment__position", "student__name", "version")
    )
    ready, drafts, last = [], [], {}
    for submission in versions:
        last[submission.student_id, submission.assignment_id] = submission
        feedback = getattr(submission, "feedback", None)
        if feedback:
            feedback.submission = submission
            if feedback.state == Feedback.State.READY:
                ready.append(feedback)
            elif feedback.state == Feedback.State.DRAFT:
                drafts.append(feedback)
    remarked = set(Remark.objects.filter(feedback__in=ready).values_list("feedback_id", flat=True))
    extensions = Extension.objects.in_force().filter(cohort=cohort, assignment__week=week).select_related("assignment")
    own = {(one.student_id, one.assignment_id): one for one in extensions if not schedule.is_late(now, one.due_at)}
    here = {membership.user_id for membership in students}
    newest = [(feedback, last[feedback.submission.student_id, feedback.submission.assignment_id]) for feedback in ready]
    return Preflight(
        ready=ready,
        drafts=drafts,
        waiting=[submission for submission in last.values() if not hasattr(submission, "feedback")],
        newer=[(feedback, version) for feedback, version in newest if version != feedback.submission],
        missing=[
            (membership, assignment)
            for assignment in assignments
            for membership in students
            if (membership.user_id, assignment.pk) not in last and (membership.user_id, assignment.pk) not in own
        ],
        later=[
            (membership, own[membership.user_id, assignment.pk])
            for assignment in assignments
            for membership in students
            if (membership.user_id, assignment.pk) not in last and (membership.user_id, assignment.pk) in own
        ],
        silent=[one for one in ready if not one.comment_md.strip() and one.pk not in remarked],
        gone=[one for one in ready if one.submission.student_id not in here],
    )


@transaction.atomic
def release(cohort, week, *, by, now, seen=None):
    """Show all ready feedback of the week to its students, in one transaction. Answers the Release, or None when
    nothing was ready.

    Feedback that is marked ready while this runs is either in it whole or waits for the next release. seen: the
    Preflight's that its releaser was shown; raises Changed when something else is ready by now.
    """
    found = list(
        Feedback.objects.select_for_update(of=("self",))
        .filter(submission__cohort=cohort, submission__assignment__week=week, state=Feedback.State.READY)
        .values_list("pk", "revision")
    )
    if not found:
        return None
    if seen is not None and seen != _seen(found):
        raise Changed
    ready = [pk for pk, _revision in found]
    # A form that was opened before this is out of date: what it saves would be seen at once.
    count = Feedback.objects.filter(pk__in=ready).update(
        state=Feedback.State.RELEASED, released_at=now, news_at=now, revision=F("revision") + 1
    )
    done = Release.objects.create(cohort=cohort, week=week, by=by, at=now, count=count)
    audit.note("release", f"week {week.number}: feedback on {count}", by=by, scope=cohort.scope, now=now)
    _tell_students(done, ready)
    return done


def _tell_students(release, feedback):
    """That it is there, and where; what it says stands on its page alone. Within the release's transaction."""
    submissions = Submission.objects.filter(feedback__in=feedback).select_related("student", "assignment")
    told = [
        (
            one.student,
            f"feedback {release.pk} {one.assignment_id}",
            _is_here(one),
            reverse("portal:feedback", args=[one.number]),
        )
        for one in submissions.defer("answer_md").order_by("-version")
    ]
    notices.tell_each(told, "school", now=release.at)


def _is_here(submission):
    with translation.override(languages.of(submission.student)):
        return _("Your feedback is here: %(title)s") % {"title": submission.assignment.title}


# --- at a time that was said before ---------------------------------------------------------------------------


@transaction.atomic
def plan(cohort, week, *, at, by, now):
    """Say that the week's ready feedback is released at the instant `at`; a plan that there is already moves there.

    Raises Refused for an instant that is not to come, or that no cohort waits for.
    """
    if at <= now:
        raise Refused(_("That time is over. Choose one that is to come, or release now."))
    if at > now + LATEST:
        raise Refused(_("That is more than a year from now. Look at the year."))
    # So that two who plan at once make one plan.
    Cohort.objects.select_for_update().get(pk=cohort.pk)
    kept = PlannedRelease.objects.select_for_update().filter(cohort=cohort, week=week, done_at=None, cancelled_at=None)
    found = kept.first() or PlannedRelease(cohort=cohort, week=week)
    found.at, found.by, found.planned_at = at, by, now
    found.save()
    return found


@transaction.atomic
def cancel(cohort, week, *, now):
    """Take the plan back. Answers whether there was one that has not been done yet."""
    return bool(
        PlannedRelease.objects.filter(cohort=cohort, week=week, done_at=None, cancelled_at=None).update(
            cancelled_at=now
        )
    )


def release_due(now):
    """Do what was planned for now or before, each plan once and in one transaction. Answers how many were done."""
    due = PlannedRelease.objects.filter(at__lte=now, done_at=None, cancelled_at=None).values_list("pk", flat=True)
    return sum(_release_planned(pk, now) for pk in list(due))


@transaction.atomic
def _release_planned(pk, now):
    # Asked again under the lock: another worker may have done it, or its planner may have taken it back.
    kept = (
        PlannedRelease.objects.select_for_update(of=("self",))
        .select_related("cohort", "week", "by")
        .filter(pk=pk, done_at=None, cancelled_at=None)
        .first()
    )
    if kept is None:
        return False
    left = preflight(kept.cohort, kept.week, now)
    kept.release, kept.done_at = release(kept.cohort, kept.week, by=kept.by, now=now), now
    kept.save(update_fields=["release", "done_at"])
    hidden = len(left.drafts) + len(left.waiting)
    shown = kept.release.count if kept.release else 0
    with translation.override(languages.of(kept.by)):
        facts = {"week": kept.week.name, "shown": shown, "hidden": hidden}
        subject = _("%(week)s: feedback on %(shown)s released, %(hidden)s still hidden") % facts
    notices.tell(
        kept.by,
        "teaching",
        f"released {kept.pk}",
        subject,
        url=reverse("portal:release", args=[kept.cohort.slug, kept.week.number]),
        now=now,
    )
    return True
