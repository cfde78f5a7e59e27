"""What was remarked most becomes what the live session talks about. Names nobody, and is secret until the release."""

from dataclasses import dataclass, field

from django.db import transaction

from portal import anchors
from portal.models import AgendaItem, Assignment, Feedback, Phrase, Release, Remark

ALIKE = 0.55
MOST = 20


@dataclass
class Common:
    """One thing that was said to several: its words, and the submissions of those to whom it was said."""

    text: str
    said_to: dict = field(default_factory=dict)  # {student pk: Submission}

    @property
    def students(self):
        return len(self.said_to)


def common(said, phrases):
    """The commonest remarks first: said is [(text, Submission)], phrases the texts of the bank.

    What holds a phrase counts for it; other remarks are put together when their words are alike. A student counts once
    for each, however often it was said to them.
    """
    of_phrase = {phrase: Common(phrase) for phrase in phrases if phrase.strip()}
    free = []
    for text, submission in said:
        tidied = anchors.tidy(text)
        held = [one for phrase, one in of_phrase.items() if anchors.tidy(phrase) in tidied]
        for one in held:
            one.said_to[submission.student_id] = submission
        if held or not tidied:
            continue
        home = next((one for one in free if anchors.likeness(one.text, tidied) >= ALIKE), None)
        if home is None:
            free.append(home := Common(tidied))
        home.said_to[submission.student_id] = submission
    found = [one for one in [*of_phrase.values(), *free] if one.students]
    return sorted(found, key=lambda one: (-one.students, one.text))[:MOST]


def remarked(cohort, week):
    """The commonest remarks on a cohort's case studies of a week, drafts too. Three queries."""
    feedback = (
        Feedback.objects.filter(submission__cohort=cohort, submission__assignment__week=week)
        .select_related("submission__student")
        .defer("submission__answer_md")
    )
    given = {one.pk: one for one in feedback}
    # Of a summary each paragraph is a remark of its own.
    said = [(part, one.submission) for one in given.values() for part in one.comment_md.split("\n\n") if part.strip()]
    for text, pk in Remark.objects.filter(feedback__in=given).values_list("text_md", "feedback_id"):
        said.append((text, given[pk].submission))
    phrases = Phrase.objects.filter(course=cohort.course_id).values_list("text_md", flat=True)
    return common(said, list(phrases))


def weak_lines(cohort, week):
    """The rubric's lines and the points lost on average, most first: [(title, lost, of, how many scored)]."""
    found = []
    scores = Feedback.objects.filter(submission__cohort=cohort, submission__assignment__week=week).exclude(
        rubric_scores={}
    )
    rows = list(scores.values_list("submission__assignment_id", "rubric_scores"))
    for assignment in Assignment.objects.filter(week=week):
        for line in assignment.rubric:
            given = [points[line["key"]] for pk, points in rows if pk == assignment.pk and line["key"] in points]
            if given:
                found.append((line["title"], line["points"] - sum(given) / len(given), line["points"], len(given)))
    return sorted(found, key=lambda row: -row[1] / max(1, row[2]))


@transaction.atomic
def choose(cohort, week, chosen, *, by, now):
    """Make these (text, number of students) pairs the agenda of the week, instead of what it was."""
    AgendaItem.objects.filter(cohort=cohort, week=week).delete()
    AgendaItem.objects.bulk_create(
        (
            AgendaItem(cohort=cohort, week=week, text=text[:300], students=students, by=by, at=now)
            for text, students in dict(chosen).items()
        ),
        ignore_conflicts=True,
    )


def of(cohort, week, now):
    """What students may read of a week's agenda: nothing before its feedback was released."""
    if not Release.objects.filter(cohort=cohort, week=week, at__lte=now).exists():
        return []
    return list(AgendaItem.objects.filter(cohort=cohort, week=week))
