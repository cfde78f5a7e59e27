"""The instructor's side of a case study: what waits, what is written, and whose text is never lost."""

from dataclasses import dataclass

from django.db import transaction

from labs import audit
from portal.filing import Refused
from portal.models import Feedback, Submission
from portal.submitting import MAX_ANSWER, tidy


@dataclass(frozen=True)
class Waiting:
    """One student's place in the queue of one case study: their last version and what was written about it."""

    membership: object
    submission: Submission | None
    feedback: Feedback | None
    earlier: Submission | None  # the last version before this one that has feedback, if this one has none

    @property
    def state(self):
        """none (not handed in), todo, draft, ready or released."""
        if self.submission is None:
            return "none"
        return self.feedback.state if self.feedback else "todo"


def queue(cohort, assignment):
    """A Waiting for each student of the cohort, by name. Two queries, whatever the number of students."""
    students = cohort.memberships.students().select_related("user").order_by("user__name", "user__email")
    versions = (
        Submission.objects.filter(cohort=cohort, assignment=assignment)
        .select_related("feedback")
        .defer("answer_md", "feedback__comment_md")
        .order_by("student_id", "version")
    )
    by_student = {}
    for submission in versions:
        by_student.setdefault(submission.student_id, []).append(submission)
    return [_waiting(membership, by_student.get(membership.user_id, [])) for membership in students]


def _waiting(membership, versions):
    if not versions:
        return Waiting(membership, None, None, None)
    *before, last = versions
    feedback = getattr(last, "feedback", None)
    reviewed = [version for version in before if hasattr(version, "feedback")]
    return Waiting(membership, last, feedback, reviewed[-1] if reviewed and feedback is None else None)


@dataclass(frozen=True)
class Written:
    """What a save came to. is_conflict: somebody saved after this form was opened; `feedback` is theirs, unchanged."""

    feedback: Feedback | None
    is_conflict: bool = False


@transaction.atomic
def write(submission, author, *, comment, points, revision, ready, now):
    """Save feedback on one version, and mark it ready when `ready`. Hidden from the student until it is released.

    points: {key of the rubric: number or None}, or {"": score} for an assignment without a rubric. revision: of the
    form (0 when there was no feedback). Released feedback can be corrected and stays released. Raises Refused.
    """
    # The submission is locked, so that two first savers do not both create.
    Submission.objects.select_for_update().get(pk=submission.pk)
    # And the feedback, so that a release beside this save is either before it or after it.
    existing = Feedback.objects.select_for_update(of=("self",)).filter(submission=submission).first()
    comment = tidy(comment)
    if (existing.revision if existing else 0) != revision:
        if _says_the_same(existing, comment, points, submission.assignment, ready):
            return Written(existing)
        return Written(existing, is_conflict=True)
    if len(comment) > MAX_ANSWER:
        raise Refused(f"The comment has {len(comment):,} characters; up to {MAX_ANSWER:,} can be kept.")
    rubric_scores, score = scored(submission.assignment, points)
    feedback = existing or Feedback(submission=submission)
    is_released = feedback.state == Feedback.State.RELEASED
    before = (existing.score, existing.state) if existing else (None, "")
    if (ready or is_released) and score is None:
        raise Refused("Give points for every line first: feedback that is ready has a score.")
    feedback.comment_md, feedback.rubric_scores, feedback.score = comment, rubric_scores, score
    feedback.author, feedback.updated_at = author, now
    feedback.revision = revision + 1
    if not is_released:
        feedback.state = Feedback.State.READY if ready else Feedback.State.DRAFT
    feedback.save()
    if (feedback.score, feedback.state) != before:
        _note_grade(feedback, before[0], author, now)
    return Written(feedback)


def _note_grade(feedback, score_before, author, now):
    """That a score or its state changed. What was written in words is the feedback's alone."""
    submission = feedback.submission
    scores = [str(one) for one in (score_before, feedback.score) if one is not None]
    words = f"{' → '.join(dict.fromkeys(scores)) or 'no score'} of {submission.assignment.max_points}, {feedback.state}"
    about = {"person": submission.student_id, "thing": submission.number, "scope": submission.cohort.scope}
    audit.note("grade", words, by=author, now=now, **about)


def _says_the_same(existing, comment, points, assignment, ready):
    """The same form sent twice is no conflict."""
    if existing is None:
        return False
    rubric_scores, score = scored(assignment, points)
    return (
        existing.comment_md == comment
        and existing.rubric_scores == rubric_scores
        and existing.score == score
        and (existing.state != Feedback.State.DRAFT) == ready
    )


def scored(assignment, points):
    """(rubric_scores, score) of what was ticked. The score is None while a line has no points. Raises Refused."""
    if not assignment.rubric:
        score = points.get("")
        _within(score, assignment.max_points, "The score")
        return {}, score
    given = {}
    for line in assignment.rubric:
        point = points.get(line["key"])
        _within(point, line["points"], line["title"])
        if point is not None:
            given[line["key"]] = point
    return given, sum(given.values()) if len(given) == len(assignment.rubric) else None


def _within(points, most, what):
    if points is not None and not 0 <= points <= most:
        raise Refused(f"{what} takes 0 to {most} points, not {points}.")
