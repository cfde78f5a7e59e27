"""Remarks on places of a version: written in private, shown with their feedback, found again in later versions."""

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from portal import anchors, workpieces
from portal.anchors import Anchor, Found
from portal.filing import Refused
from portal.models import Feedback, Remark, Submission
from portal.submitting import tidy

MAX_REMARK = 5_000


@dataclass(frozen=True)
class Placed:
    """A remark as one version shows it. found: where it is in the part that is shown; None when it is lost."""

    remark: Remark
    number: int
    found: Found | None
    is_earlier: bool  # it was written on an earlier version

    @property
    def place(self):
        return self.found.place if self.found else ""


def _of(submission, feedback):
    return list(
        Remark.objects.filter(
            feedback__in=feedback,
            feedback__submission__assignment=submission.assignment_id,
            feedback__submission__cohort=submission.cohort_id,
            feedback__submission__student=submission.student_id,
            feedback__submission__version__lte=submission.version,
        )
        .select_related("author", "feedback__submission")
        .defer("feedback__submission__answer_md", "feedback__comment_md")
    )


def placed(submission, parts, part, shown, feedback):
    """([Placed] in the part that is shown, {part key: how many are in it}) of this and all earlier versions.

    feedback: the Feedback whose remarks the reader may see, a queryset; one query. What belongs to no part any more is
    lost, and shown with the first one.
    """
    here, counts = [], dict.fromkeys((one.key for one in parts), 0)
    for remark in _of(submission, feedback):
        home = workpieces.same_part(remark.part, parts)
        key = home.key if home else parts[0].key
        counts[key] += 1
        if key != part.key:
            continue
        is_earlier = remark.feedback.submission_id != submission.pk
        anchor = Anchor(remark.place, remark.quote, remark.before, remark.after)
        if home is None:
            found = None
        elif is_earlier:
            found = anchors.find(anchor, shown)
        else:
            # A version never changes: its own remarks are where they were put.
            found = Found(remark.place)
        here.append((remark, found, is_earlier))
    order = {one.place: n for n, one in enumerate(shown)}
    here.sort(key=lambda row: (order.get(row[1].place, len(order)) if row[1] else len(order), row[0].at, row[0].pk))
    return [Placed(remark, n, found, earlier) for n, (remark, found, earlier) in enumerate(here, 1)], counts


@transaction.atomic
def add(submission, author, *, part, place, quote, text, expects_released, now):
    """A new Remark on a place of this version. Hidden until the feedback is released; beside released feedback it shows
    at once, which the writer must have known (expects_released). Raises Refused.
    """
    text = _checked(text)
    found = anchors.anchor(workpieces.passages(submission, part), place, quote)
    if found is None:
        raise Refused(_("The place of this comment is not in this version. Choose it again."))
    feedback = _locked_feedback(submission, author, expects_released, now)
    last = feedback.remarks.last()
    if last and (last.author_id, last.part, last.place, last.text_md) == (author.pk, part.name, place, text):
        return last  # the same form sent twice
    _news(feedback, now)
    return Remark.objects.create(
        feedback=feedback,
        author=author,
        part=part.name,
        place=found.place,
        quote=found.quote,
        before=found.before,
        after=found.after,
        text_md=text,
        at=now,
        updated_at=now,
    )


@transaction.atomic
def change(remark, *, text, revision, expects_released, now):
    """Another text for a remark; "" takes it away. Answers the Remark or None. Raises Refused, also when somebody else
    changed it since it was opened: their text stays."""
    feedback = _locked_feedback(remark.feedback.submission, remark.author, expects_released, now)
    kept = Remark.objects.select_for_update().filter(pk=remark.pk).first()
    if kept is None:
        return None
    text = tidy(text).strip()
    if kept.revision != revision and kept.text_md != text:
        raise Refused(_("This comment was changed while you wrote; it says now: %(words)s") % {"words": kept.text_md})
    if not text:
        if kept.replies.exists():
            raise Refused(_("This comment has a reply, so it cannot be taken away. Change its words instead."))
        kept.delete()
        return None
    kept.text_md, kept.updated_at, kept.revision = _checked(text), now, kept.revision + 1
    kept.save(update_fields=["text_md", "updated_at", "revision"])
    _news(feedback, now)
    return kept


def _checked(text):
    text = tidy(text).strip()
    if not text:
        raise Refused(_("The comment is empty. Write a word, or close it."))
    if len(text) > MAX_REMARK:
        raise Refused(
            _("The comment has %(length)s characters; up to %(most)s can be kept.")
            % {"length": f"{len(text):,}", "most": f"{MAX_REMARK:,}"}
        )
    return text


def _locked_feedback(submission, author, expects_released, now):
    """The feedback that carries the remarks, made as an empty draft where there is none. Raises Refused."""
    Submission.objects.select_for_update().get(pk=submission.pk)
    found = Feedback.objects.select_for_update(of=("self",)).filter(submission=submission).first()
    is_released = found is not None and found.state == Feedback.State.RELEASED
    if is_released and not expects_released:
        raise Refused(
            _(
                "The feedback was released while you wrote, so %(student)s would see this at once. "
                "It is not saved yet: send it again if you want that."
            )
            % {"student": submission.student}
        )
    return found or Feedback.objects.create(submission=submission, author=author, updated_at=now)


def _news(feedback, now):
    if feedback.state == Feedback.State.RELEASED:
        feedback.news_at = now
        feedback.save(update_fields=["news_at"])
