"""From the first word of a draft to the receipt. Text that somebody typed is never thrown away, whoever saves last.

A submission is received when its bytes are on disk, hashed and the row is committed; only then is there a receipt.
"""

import logging
import uuid
from dataclasses import dataclass

from django.db import transaction

from portal import filing, schedule, sealing
from portal.filing import Refused
from portal.models import Draft, DraftAside, DraftFile, ReceiptBook, Seal, Submission, SubmissionFile

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
    """The draft as it is now, with its seal, under its lock; what never changes of it is not read again."""
    kept = Draft.objects.select_for_update(of=("self",)).select_related("seal").get(pk=draft.pk)
    for name in ("assignment", "cohort"):
        if Draft._meta.get_field(name).is_cached(draft):
            setattr(kept, name, getattr(draft, name))
    return kept


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


def add_file(draft, upload, *, now, replaces=None, with_it=None):
    """Put an uploaded file into the draft: (DraftFile, whether it replaced one of the same name). Raises Refused.

    replaces: the SHA-256 of the file of this name that its student saw ("" for none). If the draft has another one by
    now, both are kept, the new one under a name of its own. None: whatever has this name is replaced.
    with_it(DraftFile): is called in the same transaction.
    """
    assignment = draft.assignment
    name = filing.shown_name(upload.name)
    # First: what is refused for itself is not made room for.
    kind = filing.judge(upload, name, allowed=assignment.allowed_types, max_bytes=assignment.max_bytes)
    if draft.files.exclude(name=name).count() >= assignment.max_files:
        raise _too_many(name, assignment)
    stored = _store(upload, name, draft)
    try:
        with transaction.atomic():
            kept = _locked(draft)
            here = {file.name: file for file in kept.files.all()}
            old = here.get(name)
            if old and replaces is not None and old.sha256 not in (replaces, stored.sha256):
                name, old = _another_name(name, here), None
            # Asked again under the lock: another window may have added files while these bytes were written.
            if len(here) - bool(old) >= assignment.max_files:
                raise _too_many(name, assignment)
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
            if with_it:
                with_it(added)
            if old:
                _discard_after_commit(old.path)
    except BaseException:
        _discard_unless_kept(stored.path)
        raise
    return added, old is not None


def _store(upload, name, draft):
    try:
        return filing.store(upload, f"{draft.cohort.scope}/{draft.student_id}")
    except OSError as full:
        log.exception("%s of draft %s could not be stored", name, draft.pk)
        raise Refused(
            f"{name} was not added: the portal's disk does not take it now. It is still on your device: keep it, and "
            "add it again in a few minutes. Your instructor can free space."
        ) from full


def _discard_unless_kept(path):
    """After an error at the commit nobody knows what the database holds: only bytes that no row names go."""
    try:
        if not DraftFile.objects.filter(path=path).exists():
            filing.discard(path)
    except Exception:
        log.exception("%s may lie on disk without a row", path)


def _another_name(name, taken):
    """report.pdf is "report (2).pdf" when it would be in the place of another report.pdf."""
    stem, dot, ending = name.rpartition(".")
    stem, ending = (stem, dot + ending) if dot else (name, "")
    number = 2
    while (another := f"{stem[:110]} ({number}){ending}") in taken:
        number += 1
    return another


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
    if draft.updated_at == now:
        return
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
    to go. What comes late and was sealed in time counts as on time. The receipt is mailed soon (portal/receipts.py).
    Raises Refused when the answer would go unsaid, when there is nothing in the draft, or a file is not whole on disk.
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
        answer_sha256, seal = sealing.hash_of(answer), sealing.of(kept)
        due_at, case = sealing.deadline_of(kept), kept.assignment
        is_late = schedule.is_late(now, due_at)
        is_sealed = seal is not None and sealing.vouches_for(seal, answer_sha256, files, now)
        sealed_at = seal.sealed_at if is_late and is_sealed else None
        is_late = is_late and not is_sealed
        submission = Submission.objects.create(
            number=_next_number(now),
            assignment_id=kept.assignment_id,
            cohort_id=kept.cohort_id,
            student_id=kept.student_id,
            version=latest.version + 1 if latest else 1,
            received_at=now,
            answer_md=answer,
            answer_sha256=answer_sha256,
            is_late=is_late,
            sealed_at=sealed_at,
            late_points=schedule.late_points(now, due_at, case.late_points_a_day, case.max_points) if is_late else 0,
            after_model_answer=is_late and bool(case.model_answer_md),
            key=key,
            mail_at=now,
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
        if is_sealed:
            Seal.objects.filter(pk=seal.pk).update(submission=submission)
    return submission, True


def _next_number(now):
    """LO-2025-000123: counted within the year (UTC), under a lock, so without a gap or a twin."""
    locked = ReceiptBook.objects.select_for_update().filter(year=now.year)
    if (book := locked.first()) is None:
        ReceiptBook.objects.get_or_create(year=now.year)
        book = locked.get()
    book.last += 1
    book.save(update_fields=["last"])
    return f"LO-{book.year}-{book.last:06d}"
