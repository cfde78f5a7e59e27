"""Feedback is shown to a whole cohort at once, or not at all."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.urls import reverse

from labs import audit
from portal import notices
from portal.models import Feedback, Release, Submission


@dataclass(frozen=True)
class Preflight:
    """What a release would do now: feedback that would be shown, and what would stay hidden and why."""

    ready: list  # Feedback
    drafts: list  # Feedback begun and not marked ready
    waiting: list  # Submission: last versions without any feedback
    newer: list  # (Feedback that is ready, the newer Submission that it does not cover)
    missing: list  # (Membership, Assignment): handed in nothing

    @property
    def is_complete(self):
        return not (self.drafts or self.waiting)


def preflight(cohort, week):
    """Looks at every version of the week's case studies in three queries, whatever the number of students."""
    students = list(cohort.memberships.students().select_related("user"))
    assignments = list(week.assignments.all())
    versions = (
        Submission.objects.filter(cohort=cohort, assignment__week=week)
        .select_related("feedback", "student", "assignment")
        .defer("answer_md", "feedback__comment_md")
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
            if (membership.user_id, assignment.pk) not in last
        ],
    )


@transaction.atomic
def release(cohort, week, *, by, now):
    """Show all ready feedback of the week to its students, in one transaction. Answers the Release, or None when
    nothing was ready.

    Feedback that is marked ready while this runs is either in it whole or waits for the next release.
    """
    ready = list(
        Feedback.objects.select_for_update(of=("self",))
        .filter(submission__cohort=cohort, submission__assignment__week=week, state=Feedback.State.READY)
        .values_list("pk", flat=True)
    )
    if not ready:
        return None
    # A form that was opened before this is out of date: what it saves would be seen at once.
    count = Feedback.objects.filter(pk__in=ready).update(
        state=Feedback.State.RELEASED, released_at=now, revision=F("revision") + 1
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
            f"Your feedback is here: {one.assignment.title}",
            reverse("portal:feedback", args=[one.number]),
        )
        for one in submissions.defer("answer_md").order_by("-version")
    ]
    notices.tell_each(told, "school", now=release.at)
