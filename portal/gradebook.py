"""The cohort's points: who has what in which case study, as a table, out as CSV, and in again after a dry run."""

from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _

from portal import gradesheet, reviewing
from portal.filing import Refused
from portal.models import Assignment, Feedback, Submission


@dataclass
class Row:
    """One student: their Membership and {assignment pk: Mark}."""

    membership: object
    marks: dict = field(default_factory=dict)

    @property
    def points(self):
        """What they have been given so far, and out of how many: (given, most)."""
        scored = [mark for mark in self.marks.values() if mark.score is not None]
        return sum(mark.score for mark in scored), sum(mark.assignment.max_points for mark in scored)


@dataclass(frozen=True)
class Mark:
    """A student's last version of a case study with its feedback; while that has none, the last version that has."""

    assignment: Assignment
    submission: Submission
    feedback: Feedback | None
    is_newer: bool  # a version came after the one that was scored

    @property
    def score(self):
        return self.feedback.score if self.feedback else None

    @property
    def state(self):
        return self.feedback.state if self.feedback else "todo"


def gradebook(cohort):
    """([Assignment], [Row] by name). Three queries, whatever the number of students."""
    assignments = list(
        Assignment.objects.filter(week__course=cohort.course_id)
        .select_related("week")
        .order_by("week__number", "position", "slug")
    )
    students = cohort.memberships.students().select_related("user").order_by("user__name", "user__email")
    rows = {membership.user_id: Row(membership) for membership in students}
    by_pk = {one.pk: one for one in assignments}
    versions = (
        Submission.objects.filter(cohort=cohort, assignment__in=by_pk)
        .select_related("feedback")
        .defer("answer_md", "feedback__comment_md")
        .order_by("version")
    )
    for one in versions:
        row = rows.get(one.student_id)
        if row is None:
            continue
        given, before = getattr(one, "feedback", None), row.marks.get(one.assignment_id)
        if given is None and before and before.feedback:
            row.marks[one.assignment_id] = Mark(before.assignment, before.submission, before.feedback, is_newer=True)
        else:
            row.marks[one.assignment_id] = Mark(by_pk[one.assignment_id], one, given, is_newer=False)
    return assignments, list(rows.values())


# --- out -----------------------------------------------------------------------------------------------------


def columns(assignments):
    """[(heading, assignment, rubric key)] of the columns that hold points: one a rubric line, or one a case study."""
    found = []
    for one in assignments:
        lines = [(f"{one.week.number}/{one.slug}/{line['key']}", line["key"]) for line in one.rubric]
        found += [(name, one, key) for name, key in lines or [(f"{one.week.number}/{one.slug}", "")]]
    return found


def sheet(assignments, rows):
    """(head, lines) of the file: the membership's id, name and address, then the points; sums and states to read."""
    points = columns(assignments)
    states = [f"{one.week.number}/{one.slug} state" for one in assignments]
    totals = [f"{one.week.number}/{one.slug} total" for one in assignments]
    head = [*gradesheet.PERSON, *(name for name, _, _ in points), *totals, *states]
    return head, (_line(row, assignments, points) for row in rows)


def _line(row, assignments, points):
    marks = [row.marks.get(one.pk) for one in assignments]
    return [
        row.membership.pk,
        row.membership.user.name,
        row.membership.user.email,
        *(_points(row.marks.get(one.pk), key) for _, one, key in points),
        *(mark.score if mark else None for mark in marks),
        *(mark.state if mark else "not handed in" for mark in marks),
    ]


def _points(mark, key):
    if mark is None or mark.feedback is None:
        return None
    return mark.feedback.rubric_scores.get(key) if key else mark.feedback.score


# --- in ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """What a file would change of one student's case study."""

    row: Row
    mark: Mark
    before: dict  # {rubric key: points or None}
    after: dict

    @property
    def is_released(self):
        return self.mark.state == Feedback.State.RELEASED

    @property
    def lines(self):
        """[(title, before, after)] of what differs, for people."""
        titles = {line["key"]: line["title"] for line in self.mark.assignment.rubric}
        return [
            (titles.get(key, _("Points")), self.before[key], self.after[key])
            for key in self.after
            if self.after[key] != self.before[key]
        ]


def read(cohort, text):
    """A dry run of a file: ([Change], [(line number, what is wrong)]). Nothing is written. Raises Refused for what is
    no gradebook at all.

    An empty cell, and a column that is not there, change nothing.
    """
    assignments, rows = gradebook(cohort)
    entries, wrong = gradesheet.read(text, {name for name, _, _ in columns(assignments)})
    by_id = {row.membership.pk: row for row in rows}
    changes, seen = [], {}
    for entry in entries:
        row = by_id.get(entry.id)
        if row is None:
            wrong.append((entry.line, _("No student of this cohort has the id %(id)s.") % {"id": entry.id}))
            continue
        if entry.id in seen:
            facts = {"student": row.membership.user, "line": seen[entry.id]}
            wrong.append((entry.line, _("%(student)s stands in line %(line)s already.") % facts))
            continue
        seen[entry.id] = entry.line
        for one in assignments:
            try:
                change = _change(row, one, entry.points)
            except Refused as refusal:
                wrong.append((entry.line, f"{row.membership.user}, {one.title}: {refusal}"))
            else:
                changes += [change] if change else []
    return changes, sorted(wrong)


def _change(row, assignment, points):
    """The Change of one case study, or None. Raises Refused."""
    keys = {f"{assignment.week.number}/{assignment.slug}/{line['key']}": line["key"] for line in assignment.rubric}
    keys = keys or {f"{assignment.week.number}/{assignment.slug}": ""}
    given = {key: points[name] for name, key in keys.items() if points.get(name) is not None}
    mark = row.marks.get(assignment.pk)
    if not given:
        return None
    if mark is None:
        raise Refused(_("nothing was handed in, so there is nothing to give points for."))
    before = {key: _points(mark, key) for key in keys.values()}
    after = before | given
    if after == before:
        return None
    score = reviewing.scored(assignment, after)[1]
    if score is None and mark.state in (Feedback.State.READY, Feedback.State.RELEASED):
        raise Refused(_("this feedback has a score, so every line needs its points."))
    return Change(row, mark, before, after)


@transaction.atomic
def apply(changes, *, by, now, with_released):
    """Write these changes in one transaction. Answers how many. What is released is changed only with_released, its
    student sees the new points at once, and what it said before is kept. Raises Refused, and then nothing is written:
    also when somebody changed one of them since the dry run."""
    done = 0
    for change in changes:
        if change.is_released and not with_released:
            continue
        mark = change.mark
        Submission.objects.select_for_update().get(pk=mark.submission.pk)
        kept = Feedback.objects.select_for_update(of=("self",)).filter(submission=mark.submission).first()
        if (kept.revision if kept else None) != (mark.feedback.revision if mark.feedback else None):
            words = _("%(student)s's feedback was changed just now. Send the file again.")
            raise Refused(words % {"student": change.row.membership.user})
        written = reviewing.write(
            mark.submission,
            by,
            comment=kept.comment_md if kept else "",
            points=change.after,
            revision=kept.revision if kept else 0,
            ready=mark.state == Feedback.State.READY,
            now=now,
            way="csv",
        )
        done += not written.is_conflict
    return done
