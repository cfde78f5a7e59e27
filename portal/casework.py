"""Where a person stands with each case study: what pages read, in a number of queries that no cohort changes."""

import copy
from collections import defaultdict
from dataclasses import dataclass, field

from django.db.models import Count

from portal import extending, schedule, sealing
from portal.models import Draft, Feedback, Submission


@dataclass
class Case:
    """One case study of one person. `told` is the week's CohortWeek, with their own deadline where they have one;
    submissions are in order, without their text."""

    assignment: object
    told: object
    now: object
    draft: Draft | None = None
    submissions: list = field(default_factory=list)
    feedback: list = field(default_factory=list)  # released only, in order of version
    everybodys_due_at: object = None  # of who has a deadline of their own

    @property
    def last(self):
        return self.submissions[-1] if self.submissions else None

    @property
    def last_feedback(self):
        return self.feedback[-1] if self.feedback else None

    @property
    def is_unread(self):
        """Something in their feedback is new: itself, a correction, a remark, an answer."""
        return any(one.is_unread for one in self.feedback)

    @property
    def next_version(self):
        return self.last.version + 1 if self.last else 1

    @property
    def is_over(self):
        """Past its deadline: what comes now is late, and the model answer is open."""
        return schedule.is_late(self.now, self.told.due_at)

    @property
    def shows_model_answer(self):
        """The student may read it."""
        return self.is_over and bool(self.assignment.model_answer_md)

    @property
    def replaces_reviewed(self):
        """A version that comes now takes the place of one that came back with its feedback."""
        return self.is_over and bool(self.feedback)

    @property
    def sealed_until(self):
        """Until when what was sealed may follow and count as on time; None when nothing may."""
        seal = sealing.of(self.draft)
        return sealing.follow_until(seal) if seal and sealing.is_open(seal, self.now) else None

    @property
    def late_from(self):
        """The first instant that is late."""
        return self.told.due_at + schedule.SECOND

    @property
    def time_left(self):
        return schedule.time_left(self.told.due_at, self.now) if self.told.due_at else None

    @property
    def has_draft(self):
        """A draft with something in it that was changed after the last version."""
        if self.draft is None or not (self.draft.answer_md.strip() or self.draft.file_count):
            return False
        return self.last is None or self.draft.updated_at > self.last.received_at

    @property
    def state(self):
        """feedback, received, sealed, draft, open or missed: the word for a list."""
        if self.feedback:
            return "feedback"
        if self.last:
            return "received"
        if self.is_over:
            return "sealed" if self.sealed_until else "missed"
        return "draft" if self.has_draft else "open"


def cases(standing, at, assignments=None):
    """A Case for every case study that exists for this person, in order of weeks; their own work only.

    Four queries (three when `assignments` is given, from standing.assignments()), and one more for the cohort's weeks
    if no page has read them yet.
    """
    if assignments is None:
        assignments = standing.assignments(at).select_related("week").order_by("week__number", "position", "slug")
    told = {one.week_id: one for one in standing.told}
    if standing.is_student:
        assignments = assignments.annotate(own_due_at=extending.own_deadline(standing.cohort, standing.user))
    found = {one.pk: _case(one, told[one.week_id], at) for one in assignments if one.week_id in told}
    if not standing.is_student:
        return list(found.values())
    mine = {"cohort": standing.cohort, "student": standing.user, "assignment__in": found}
    for draft in Draft.objects.filter(**mine).select_related("seal").annotate(file_count=Count("files")):
        found[draft.assignment_id].draft = draft
    submissions = Submission.objects.filter(**mine).defer("answer_md").order_by("version")
    by_assignment = defaultdict(list)
    for submission in submissions:
        by_assignment[submission.assignment_id].append(submission)
    for pk, versions in by_assignment.items():
        found[pk].submissions = versions
    of_mine = {f"submission__{name}": value for name, value in mine.items()}
    released = Feedback.objects.released().filter(**of_mine).select_related("submission", "author")
    for feedback in released.defer("submission__answer_md").order_by("submission__version"):
        found[feedback.submission.assignment_id].feedback.append(feedback)
    return list(found.values())


def _case(assignment, told, at):
    own_due_at = getattr(assignment, "own_due_at", None)
    if own_due_at is None:
        return Case(assignment, told, at)
    own = copy.copy(told)
    own.due_at = own_due_at
    return Case(assignment, own, at, everybodys_due_at=told.due_at)


def assignment_of(standing, number, slug, at):
    """One case study by its week's number and its slug, with its week; None when it does not exist for them."""
    found = standing.assignments(at).filter(week__number=number, slug=slug)
    return found.select_related("week").first()


def case_of(standing, number, slug, at):
    """The Case of that; None when it does not exist for them."""
    found = standing.assignments(at).filter(week__number=number, slug=slug).select_related("week")
    return next(iter(cases(standing, at, found)), None)


def case_to_send(standing, number, slug, at):
    """The same for the form that a student sends, with a draft: one is made where there is none.

    The draft is read first: its count of changes vouches for what is read after it, the deadline too
    (portal/submitting.py). Feedback is looked for after the deadline only, where it makes a difference. Not for lists:
    the draft's files are not counted. Three queries where there is a draft.
    """
    mine = {"cohort": standing.cohort, "student": standing.user}
    of_this = {"assignment__slug": slug, "assignment__week__number": number}
    drafts = Draft.objects.filter(**mine, **of_this, assignment__week__course=standing.cohort.course_id)
    drafts = drafts.select_related("seal", "assignment__week").annotate(own_due_at=extending.own_deadline_of_draft())
    draft = drafts.first()
    if draft is None:
        found = assignment_of(standing, number, slug, at)
        if found is None:
            return None
        Draft.objects.get_or_create(**mine, assignment=found, defaults={"updated_at": at})
        draft = drafts.get()
    told = standing.week(number)
    if not schedule.is_released(told, at):
        return None
    draft.cohort, draft.assignment.own_due_at = standing.cohort, draft.own_due_at
    case = _case(draft.assignment, told, at)
    case.draft = draft
    case.submissions = list(
        Submission.objects.filter(**mine, assignment=draft.assignment).defer("answer_md").order_by("version")
    )
    if case.is_over:
        case.feedback = list(Feedback.objects.released().filter(submission__in=case.submissions))
    return case
