"""From the first word of a draft to the receipt. Text that somebody typed is never thrown away, whoever saves last.

A submission is received when its bytes are on disk, hashed and the row is committed; only then is there a receipt.
"""

import hashlib
import logging
import uuid
from dataclasses import dataclass
from datetime import UTC
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Max
from django.template.loader import render_to_string

from portal import extending, filing, schedule
from portal.filing import Refused
from portal.models import CohortWeek, Draft, DraftAside, DraftFile, ReceiptBook, Submission, SubmissionFile

log = logging.getLogger(__name__)

MAX_ANSWER = 200_000  # characters; DATA_UPLOAD_MAX_MEMORY_SIZE leaves room for the worst UTF-8 of it


@dataclass(frozen=True)
class Saved:
    """What a save came to. `aside` is the text that met a newer one: both are kept, and the draft is as it was."""

    draft: Draft
    aside: DraftAside | None = None

    @property
    def is_conflict(self):
        return self.aside is not None


def tidy(text):
    """The text as it is kept: line ends of one kind, no NUL, which PostgreSQL cannot hold."""
    return (text or "").replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "\ufffd")


def words_in(text):
    return len(text.split())


def answer_of(draft):
    """The text as it would be handed in: one of white space only is none."""
    return draft.answer_md if draft.answer_md.strip() else ""


def words_given_up(draft, latest):
    """How many words `latest`, the version that counts (None: there is none), has where the draft has no answer at all;
    0 when nothing is given up. A version loaded without its text costs one query, for an empty draft only."""
    return words_in(latest.answer_md) if latest and not answer_of(draft) else 0


def draft_of(assignment, cohort, student, *, now):
    """The student's draft, made when there is none."""
    return Draft.objects.get_or_create(
        assignment=assignment, cohort=cohort, student=student, defaults={"updated_at": now}
    )[0]


def _locked(draft):
    return Draft.objects.select_for_update().get(pk=draft.pk)


@transaction.atomic
def save_draft(draft, text, *, revision, window, now, sent=0):
    """Keep `text` as the draft, if it began from the draft's latest `revision`; else keep it aside, beside the draft.

    window: the id of the open page. A window does not meet itself: its next text follows its last one, also when the
    answer to that was lost and it still has the old revision. sent: the how many-th text of this window it is, so that
    one that was held up on the way does not overwrite a later one. Raises Refused when too long.
    """
    text = tidy(text)
    if len(text) > MAX_ANSWER:
        raise Refused(
            f"The answer has {len(text):,} characters; up to {MAX_ANSWER:,} can be kept. "
            "It is still in your browser: shorten it, or put parts of it into a file."
        )
    kept = _locked(draft)
    if text == kept.answer_md:
        kept.asides.filter(window=window).delete()
        return Saved(kept)
    follows_itself = window == kept.window and sent >= kept.sent
    if revision != kept.revision and not follows_itself:
        aside, _ = DraftAside.objects.update_or_create(
            draft=kept, window=window, defaults={"answer_md": text, "at": now}
        )
        return Saved(kept, aside)
    kept.answer_md, kept.updated_at, kept.revision = text, now, kept.revision + 1
    kept.window, kept.sent = window, sent
    kept.save(update_fields=["answer_md", "updated_at", "revision", "window", "sent"])
    return Saved(kept)


@transaction.atomic
def take_aside(draft, aside_pk, *, take, now):
    """The student chose between two texts. take=True makes the one aside the draft, and puts the draft's aside instead;
    False lets the one aside go. Answers the draft; nothing happens when the choice was made already.
    """
    kept = _locked(draft)
    aside = kept.asides.filter(pk=aside_pk).first()
    if aside is None:
        return kept
    if not take:
        aside.delete()
        return kept
    kept.answer_md, aside.answer_md, aside.at = aside.answer_md, kept.answer_md, now
    aside.save(update_fields=["answer_md", "at"])
    kept.updated_at, kept.revision, kept.window = now, kept.revision + 1, ""
    kept.save(update_fields=["answer_md", "updated_at", "revision", "window"])
    return kept


# --- files ---------------------------------------------------------------------------------------------------


def add_file(draft, upload, *, now):
    """Put an uploaded file into the draft: (DraftFile, whether it replaced one of the same name). Raises Refused."""
    assignment = draft.assignment
    name = filing.shown_name(upload.name)
    # First: what is refused for itself is not made room for.
    kind = filing.judge(upload, name, allowed=assignment.allowed_types, max_bytes=assignment.max_bytes)
    if draft.files.exclude(name=name).count() >= assignment.max_files:
        raise _too_many(name, assignment)
    stored = filing.store(upload, f"{draft.cohort.scope}/{draft.student_id}")
    try:
        with transaction.atomic():
            kept = _locked(draft)
            # Asked again under the lock: another window may have added files while these bytes were written.
            if kept.files.exclude(name=name).count() >= assignment.max_files:
                raise _too_many(name, assignment)
            old = kept.files.filter(name=name).first()
            if old:
                old.delete()
            added = DraftFile.objects.create(
                draft=kept,
                name=name,
                size=stored.size,
                sha256=stored.sha256,
                path=stored.path,
                content_type=kind.content_type,
                added_at=now,
            )
            _touch(kept, now)
            if old:
                _discard_after_commit(old.path)
    except BaseException:
        filing.discard(stored.path)
        raise
    return added, old is not None


def _too_many(name, assignment):
    most = f"{assignment.max_files} file{'' if assignment.max_files == 1 else 's'}"
    return Refused(f"{name} was not added: this case study takes up to {most}. Remove one of them first.")


@transaction.atomic
def remove_file(draft, file_pk, *, now):
    """Take a file out of the draft; versions handed in keep theirs. Answers its name, or None when it was gone."""
    kept = _locked(draft)
    file = kept.files.filter(pk=file_pk).first()
    if file is None:
        return None
    file.delete()
    _touch(kept, now)
    _discard_after_commit(file.path)
    return file.name


def _touch(draft, now):
    draft.updated_at = now
    draft.save(update_fields=["updated_at"])


def _discard_after_commit(path):
    if not SubmissionFile.objects.filter(path=path).exists():
        transaction.on_commit(lambda: filing.discard(path))


# --- handing in ----------------------------------------------------------------------------------------------


def is_changed(draft, latest):
    """Whether the draft differs from the version handed in last (None: there is none)."""
    if latest is None:
        return True
    handed_in = [(file.name, file.sha256) for file in latest.files.all()]
    return tidy(answer_of(draft)) != latest.answer_md or handed_in != [(f.name, f.sha256) for f in draft.files.all()]


def submit(draft, *, key, now, without_answer=False):
    """Hand in the draft as it is saved, as the next version. Answers (Submission, whether it is new).

    key: of the form. The same form sent twice has one receipt, and so has a draft that did not change since the last
    version. `now` is when it arrived. without_answer: the student said that the written answer of the version before is
    to go. Raises Refused when it would go unsaid, when there is nothing in the draft, or a file is not whole on disk.
    """
    for file in draft.files.all():
        if not filing.is_whole(file):
            log.error("draft file %s is not whole on disk: %s", file.pk, file.path)
            raise Refused(
                f"{file.name} is damaged on our disk, so nothing was handed in. Your text is safe. Add the file again."
            )
    with transaction.atomic():
        kept = _locked(draft)
        versions = Submission.objects.filter(
            assignment=kept.assignment_id, cohort=kept.cohort_id, student=kept.student_id
        )
        latest = versions.prefetch_related("files").order_by("-version").first()
        if not is_changed(kept, latest):
            return latest, False
        files = list(kept.files.all())
        answer = answer_of(kept)
        if not answer and not files:
            raise Refused("There is nothing to hand in yet: write an answer or add a file.")
        if (words := words_given_up(kept, latest)) and not without_answer:
            raise Refused(
                f"Nothing was handed in yet: the answer is empty, and version {latest.version} had "
                f"{words:,} word{'' if words == 1 else 's'}. Write an answer, or tick the box by the button first."
            )
        same_form = Submission.objects.filter(student=kept.student_id, key=key).first()
        if same_form:
            if not is_changed(kept, same_form):
                return same_form, False
            # The form is an old one (the back button) but what it carries is new, and must not end in an old receipt.
            key = uuid.uuid4().hex
        told = CohortWeek.objects.filter(cohort=kept.cohort_id, week=kept.assignment.week_id).first()
        due_at = extending.due_at(kept.assignment_id, kept.cohort_id, kept.student_id, told)
        is_late = schedule.is_late(now, due_at)
        submission = Submission.objects.create(
            number=_next_number(now),
            assignment_id=kept.assignment_id,
            cohort_id=kept.cohort_id,
            student_id=kept.student_id,
            version=(versions.aggregate(last=Max("version"))["last"] or 0) + 1,
            received_at=now,
            answer_md=answer,
            answer_sha256=hashlib.sha256(answer.encode()).hexdigest(),
            is_late=is_late,
            after_model_answer=is_late and bool(kept.assignment.model_answer_md),
            key=key,
        )
        SubmissionFile.objects.bulk_create(
            SubmissionFile(
                submission=submission,
                position=position,
                name=file.name,
                size=file.size,
                sha256=file.sha256,
                path=file.path,
                content_type=file.content_type,
            )
            for position, file in enumerate(files)
        )
        transaction.on_commit(lambda: mail_receipt(submission))
    return submission, True


def _next_number(now):
    """LO-2025-000123: counted within the year (UTC), under a lock, so without a gap or a twin."""
    ReceiptBook.objects.get_or_create(year=now.year)
    book = ReceiptBook.objects.select_for_update().get(year=now.year)
    book.last += 1
    book.save(update_fields=["last"])
    return f"LO-{book.year}-{book.last:06d}"


def receipt_text(submission):
    """The receipt as plain text, with instants in the cohort's zone and in UTC: for the mail and the download."""
    return render_to_string(
        "portal/receipt.txt",
        {
            "submission": submission,
            "files": list(submission.files.all()),
            "local": f"{submission.received_at.astimezone(ZoneInfo(submission.cohort.zone)):%Y-%m-%d %H:%M:%S %z}",
            "utc": f"{submission.received_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
            "address": settings.PUBLIC_URL + submission.get_absolute_url(),
        },
    )


def mail_receipt(submission):
    """Send the receipt to the student. A mail that cannot be sent is logged: the receipt itself stands."""
    try:
        send_mail(
            f"Receipt {submission.number}: {submission.assignment.title}, version {submission.version}",
            receipt_text(submission),
            settings.DEFAULT_FROM_EMAIL,
            [submission.student.email],
        )
    except Exception:
        log.exception("the receipt %s could not be mailed", submission.number)
