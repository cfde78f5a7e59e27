"""Words back and forth about released feedback, and who has not read them yet."""

from django.db import transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from portal import holding, languages, notices
from portal.filing import Refused
from portal.models import Feedback, Reply
from portal.submitting import tidy

MAX_REPLY = 5_000


@transaction.atomic
def reply(feedback, author, *, text, key, now, remark=None):
    """Say something to released feedback, or to one remark of it. key: of the form. Raises Refused.

    A student's words are news for the one who wrote the feedback, a teacher's for the student.
    """
    text = tidy(text).strip()
    if not text:
        raise Refused(_("Your reply is empty. Write a word first."))
    if len(text) > MAX_REPLY:
        raise Refused(
            _("Your reply has %(n)s characters; up to %(most)s can be kept.")
            % {"n": f"{len(text):,}", "most": f"{MAX_REPLY:,}"}
        )
    if trouble := holding.why_not_posted(text):
        raise Refused(trouble)
    kept = (
        Feedback.objects.select_for_update(of=("self",))
        .select_related("submission__student", "author")
        .get(pk=feedback.pk)
    )
    if kept.state != Feedback.State.RELEASED:
        raise Refused(_("There is no feedback here to reply to yet."))
    said, is_new = Reply.objects.get_or_create(
        author=author, key=key, defaults={"feedback": kept, "remark": remark, "text_md": text, "at": now}
    )
    if is_new:
        _tell(kept, said, now)
    return said


def _tell(feedback, said, now):
    submission = feedback.submission
    if said.author_id == submission.student_id:
        feedback.asked_at, person, topic = now, feedback.author, "teaching"
        url = reverse("portal:review_desk", args=[submission.cohort.slug, submission.number])
    else:
        feedback.news_at, person, topic = now, submission.student, "school"
        url = feedback.get_absolute_url()
    feedback.save(update_fields=["asked_at", "news_at"])
    with translation.override(languages.of(person)):
        if topic == "teaching":
            subject = _("%(who)s replied to your feedback") % {"who": said.author}
        else:
            subject = _("%(who)s answered you about your case study") % {"who": said.author}
    # What was said stands on its page alone.
    notices.tell(person, topic, f"reply {said.pk}", subject, url=url, now=now)


def saw(feedback, user, *, teaches, now):
    """The reader has it before them now: it is no news for them any more. One query, and none when it was none."""
    if teaches:
        if feedback.is_asked:
            Feedback.objects.filter(pk=feedback.pk).update(heard_at=now)
    elif feedback.is_unread:
        Feedback.objects.filter(pk=feedback.pk).update(seen_at=now)


def asked(cohort):
    """Feedback of the cohort to which a student replied and which nobody who teaches has looked at since."""
    unheard = Q(heard_at=None) | Q(heard_at__lt=F("asked_at"))
    return Feedback.objects.filter(unheard, submission__cohort=cohort, asked_at__isnull=False)
