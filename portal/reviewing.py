"""The instructor's side of a case study: what waits, what is written, and whose text is never lost."""

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from labs import audit
from portal import schedule, sealing
from portal.filing import Refused
from portal.models import Extension, Feedback, FeedbackAside, FeedbackBefore, Seal, Submission
from portal.submitting import MAX_ANSWER, tidy


@dataclass(frozen=True)
class Waiting:
    """One student's place in the queue of one case study: their last version and what was written about it."""

    membership: object
    submission: Submission | None
    feedback: Feedback | None
    earlier: Submission | None  # the last version before this one that has feedback, while this one has none or a draft
    seal_until: object = None  # until when sealed work may follow, if nothing was handed in
    own: object = None  # the Extension that the student has here, in force
    has_more_time: bool = False  # by that extension, now

    @property
    def state(self):
        """none (not handed in), todo, draft, ready or released."""
        if self.submission is None:
            return "none"
        return self.feedback.state if self.feedback else "todo"

    @property
    def group(self):
        """In the queue: todo, again (a version after one that was reviewed), late, ready, released, later (nothing yet,
        and a deadline of their own that is to come), none."""
        if self.state == "none" and self.has_more_time:
            return "later"
        if self.state not in ("todo", "draft"):
            return self.state
        if self.earlier:
            return "again"
        return "late" if self.submission.is_late else "todo"


def queue(cohort, assignment, now):
    """A Waiting for each student of the cohort, by name. Four queries, whatever the number of students."""
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
    seals = Seal.objects.filter(draft__cohort=cohort, draft__assignment=assignment, submission=None)
    until = {seal.draft.student_id: sealing.follow_until(seal) for seal in seals.select_related("draft")}
    own = {one.student_id: one for one in Extension.objects.in_force().filter(cohort=cohort, assignment=assignment)}
    return [
        _waiting(
            membership,
            by_student.get(membership.user_id, []),
            seal_until=until.get(membership.user_id),
            own=own.get(membership.user_id),
            now=now,
        )
        for membership in students
    ]


def _waiting(membership, versions, *, seal_until, own, now):
    more = {"own": own, "has_more_time": own is not None and not schedule.is_late(now, own.due_at)}
    if not versions:
        return Waiting(membership, None, None, None, seal_until, **more)
    *before, last = versions
    feedback = getattr(last, "feedback", None)
    reviewed = [version for version in before if hasattr(version, "feedback")]
    is_open = feedback is None or feedback.state == Feedback.State.DRAFT
    return Waiting(membership, last, feedback, reviewed[-1] if reviewed and is_open else None, **more)


GROUPS = ("todo", "again", "late", "ready", "released", "later", "none")


def in_groups(waiting):
    """The queue as it is worked off: {group: [Waiting]} of those groups that hold somebody."""
    found = {group: [one for one in waiting if one.group == group] for group in GROUPS}
    return {group: rows for group, rows in found.items() if rows}


def beside(waiting, submission):
    """(previous, next, next to review) of a submission in the order of the queue, each a Submission or None.

    The next to review is looked for from here on and around the end; of an older version from its student's place on.
    """
    rows = [one for group in in_groups(waiting).values() for one in group if one.submission]
    at = next((n for n, one in enumerate(rows) if one.membership.user_id == submission.student_id), None)
    if at is None:
        return None, None, None
    open_ones = [one for one in [*rows[at + 1 :], *rows[:at]] if one.group in ("todo", "again", "late")]
    return (
        rows[at - 1].submission if at else None,
        rows[at + 1].submission if at + 1 < len(rows) else None,
        open_ones[0].submission if open_ones else None,
    )


@dataclass(frozen=True)
class Written:
    """What a save came to. is_conflict: somebody saved after this form was opened; `feedback` is theirs, unchanged."""

    feedback: Feedback | None
    is_conflict: bool = False


@transaction.atomic
def write(submission, author, *, comment, points, revision, ready, now, way="desk"):
    """Save feedback on one version, and mark it ready when `ready`. Hidden from the student until it is released.

    points: {key of the rubric: number or None}, or {"": score} for an assignment without a rubric. revision: of the
    form (0 when there was no feedback). Released feedback can be corrected and stays released; what it said is kept.
    Raises Refused.
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
        raise Refused(
            _("The comment has %(length)s characters; up to %(most)s can be kept.")
            % {"length": f"{len(comment):,}", "most": f"{MAX_ANSWER:,}"}
        )
    rubric_scores, score = scored(submission.assignment, points)
    feedback = existing or Feedback(submission=submission)
    is_released = feedback.state == Feedback.State.RELEASED
    was = (existing.score, existing.state) if existing else (None, "")
    before = (feedback.comment_md, feedback.score, feedback.rubric_scores)
    if (ready or is_released) and score is None:
        raise Refused(_("Give points for every line first: feedback that is ready has a score."))
    feedback.comment_md, feedback.rubric_scores, feedback.score = comment, rubric_scores, score
    feedback.author, feedback.updated_at = author, now
    feedback.revision = revision + 1
    if not is_released:
        feedback.state = Feedback.State.READY if ready else Feedback.State.DRAFT
    elif before != (comment, score, rubric_scores):
        keep_before(feedback, before, by=author, way=way, now=now)
    feedback.save()
    if (feedback.score, feedback.state) != was:
        _note_grade(feedback, was[0], author, now)
    FeedbackAside.objects.filter(submission=submission, author=author).delete()
    return Written(feedback)


def _note_grade(feedback, score_before, author, now):
    """That a score or its state changed. What was written in words is the feedback's alone."""
    submission = feedback.submission
    scores = [str(one) for one in (score_before, feedback.score) if one is not None]
    words = f"{' → '.join(dict.fromkeys(scores)) or 'no score'} of {submission.assignment.max_points}, {feedback.state}"
    about = {"person": submission.student_id, "thing": submission.number, "scope": submission.cohort.scope}
    audit.note("grade", words, by=author, now=now, **about)


def keep_before(feedback, before, *, by, way, now):
    """Keep what students could read, as (comment_md, score, rubric_scores), and mark the correction as news."""
    comment, score, rubric_scores = before
    FeedbackBefore.objects.create(
        feedback=feedback, comment_md=comment, score=score, rubric_scores=rubric_scores, by=by, way=way, at=now
    )
    feedback.news_at = now


def keep_aside(submission, author, *, comment, points, now):
    """Keep a text that met another reviewer's, as it was typed, until its writer saves or lets it go."""
    FeedbackAside.objects.update_or_create(
        submission=submission,
        author=author,
        defaults={"comment_md": tidy(comment)[:MAX_ANSWER], "points": points, "at": now},
    )


def let_go(submission, author):
    """The writer chose the other's text."""
    FeedbackAside.objects.filter(submission=submission, author=author).delete()


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
        _within(score, assignment.max_points, _("The score"))
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
        raise Refused(
            _("%(line)s takes 0 to %(most)s points, not %(points)s.") % {"line": what, "most": most, "points": points}
        )
