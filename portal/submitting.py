"""From the first word of a draft to the receipt. Text that somebody typed is never thrown away, whoever saves last.

A submission is received when its bytes are on disk, hashed and the row is committed; only then is there a receipt.

Who writes holds the draft's lock and counts its `changes`. So what was read while the bytes were still on their way is
known to hold when the count is the same under the lock, and needs not be read again in the minute of a deadline.
"""

import logging
import uuid
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal import filing, schedule, sealing
from portal.filing import Refused
from portal.models import Draft, DraftAside, DraftFile, Seal, Submission, SubmissionFile
from portal.receiving import Arrived, NotKept

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


class Work:
    """A draft with what is in it and what was handed in of it, read when first asked for. Kept in step by the functions
    below, which take it under its lock (`_locked`, `_held`)."""

    def __init__(self, draft):
        self.draft = draft
        self.is_counted = False

    @cached_property
    def files(self):
        return list(self.draft.files.all())

    @cached_property
    def versions(self):
        """Oldest first, without their texts."""
        return list(_versions(self.draft))

    @cached_property
    def due_at(self):
        return sealing.deadline_of(self.draft)

    @cached_property
    def latest(self):
        """The version that counts, with its files; None when there is none."""
        prefetch_related_objects(self.versions[-1:], "files")
        return self.versions[-1] if self.versions else None

    def change(self, now, **fields):
        """Write these fields of the draft, and that something of it changed: once in a transaction."""
        draft = self.draft
        if self.is_counted and not fields and draft.updated_at == now:
            return
        for name, value in fields.items():
            setattr(draft, name, value)
        draft.changes, draft.updated_at, self.is_counted = draft.changes + 1, now, True
        draft.save(update_fields=["changes", "updated_at", *fields])

    def count(self):
        """The same, of what leaves the draft itself as it is."""
        if not self.is_counted:
            self.draft.changes, self.is_counted = self.draft.changes + 1, True
            self.draft.save(update_fields=["changes"])


def _versions(draft):
    found = Submission.objects.filter(assignment=draft.assignment_id, cohort=draft.cohort_id, student=draft.student_id)
    return found.defer("answer_md").order_by("version")


def work_of(case):
    """The Work of a Case that `casework.case_to_send` read, all of it: what a hand-in is decided by. Two queries."""
    work = Work(case.draft)
    work.versions, work.due_at = case.submissions, case.told.due_at
    sealing.of(work.draft)
    work.files, work.latest  # noqa: B018  reads them
    return work


def _locked(draft):
    """The Work of a draft as it is now, under its lock; what never changes of it is not read again."""
    kept = Draft.objects.select_for_update(of=("self",)).select_related("seal").get(pk=draft.pk)
    for name in ("assignment", "cohort"):
        if Draft._meta.get_field(name).is_cached(draft):
            setattr(kept, name, getattr(draft, name))
    return Work(kept)


def _held(work, now, fields):
    """Take the lock, count the change and write `fields` (as of `_fields_of`), all at once and only if the draft is as
    `work` has it. Whether it was: else `_locked` reads it anew."""
    draft = work.draft
    written = {**fields, "updated_at": now} if fields else {}
    as_read = Draft.objects.filter(pk=draft.pk, changes=draft.changes)
    work.is_counted = bool(as_read.update(changes=draft.changes + 1, **written))
    if work.is_counted:
        for name, value in {**written, "changes": draft.changes + 1}.items():
            setattr(draft, name, value)
    return work.is_counted


@transaction.atomic
def save_draft(draft, text, *, revision, window, now, sent=0):
    """Keep `text` as the draft, if it began from the draft's latest `revision`; else keep it aside, beside the draft.

    window: the id of the open page. A window does not meet itself: its next text follows its last one, also when the
    answer to that was lost and it still has the old revision. sent: the how many-th text of this window it is, so that
    one that was held up on the way does not overwrite a later one. Raises Refused when too long.
    """
    text = fit(text)
    return _keep_text(_locked(draft), text, revision=revision, window=window, now=now, sent=sent)


def fit(text):
    """The text as it is kept. Raises Refused when it is too long."""
    text = tidy(text)
    if len(text) > MAX_ANSWER:
        raise Refused(
            _(
                "The answer has %(n)s characters; up to %(most)s can be kept. "
                "It is still in your browser: shorten it, or put parts of it into a file."
            )
            % {"n": f"{len(text):,}", "most": f"{MAX_ANSWER:,}"}
        )
    return text


def _keep_text(work, text, *, revision, window, now, sent):
    fields = _fields_of(work.draft, text, revision=revision, window=window, sent=sent)
    if fields is None:
        aside, _is_new = DraftAside.objects.update_or_create(
            draft=work.draft, window=window, defaults={"answer_md": text, "at": now}
        )
        return Saved(work.draft, aside)
    if fields:
        work.change(now, **fields)
    else:
        work.draft.asides.filter(window=window).delete()
    return Saved(work.draft)


def _fields_of(kept, text, *, revision, window, sent):
    """What of the draft becomes what: {} when it has this text already, None when the text meets a newer one."""
    if text == kept.answer_md:
        return {}
    follows_itself = window == kept.window and sent >= kept.sent
    if revision != kept.revision and not follows_itself:
        return None
    return {"answer_md": text, "revision": kept.revision + 1, "window": window, "sent": sent}


@transaction.atomic
def take_aside(draft, aside_pk, *, take, now):
    """The student chose between two texts. take=True makes the one aside the draft, and puts the draft's aside instead;
    False lets the one aside go. Answers the draft; nothing happens when the choice was made already.
    """
    work = _locked(draft)
    kept = work.draft
    aside = kept.asides.filter(pk=aside_pk).first()
    if aside is None:
        return kept
    if not take:
        aside.delete()
        return kept
    text, aside.answer_md, aside.at = aside.answer_md, kept.answer_md, now
    aside.save(update_fields=["answer_md", "at"])
    work.change(now, answer_md=text, revision=kept.revision + 1, window="")
    return kept


# --- files ---------------------------------------------------------------------------------------------------


def add_file(draft, upload, *, now, replaces=None, with_it=None):
    """Put an uploaded file into the draft: (DraftFile, whether it replaced one of the same name). Raises Refused.

    replaces: the SHA-256 of the file of this name that its student saw ("" for none). If the draft has another one by
    now, both are kept, the new one under a name of its own. None: whatever has this name is replaced.
    with_it(DraftFile): is called in the same transaction.
    """
    kind = _judged(upload, draft.assignment)
    name = filing.shown_name(upload.name)
    # First: what is refused for itself is not made room for.
    if draft.files.exclude(name=name).count() >= draft.assignment.max_files:
        raise too_many(name, draft.assignment)
    stored = _store(upload, name, draft)
    try:
        with transaction.atomic():
            added, is_other = _put(_locked(draft), name, kind, stored, now=now, replaces=replaces)
            if with_it:
                with_it(added)
    except BaseException:
        _discard_unless_kept(stored.path)
        raise
    return added, is_other


def _judged(upload, assignment):
    name = filing.shown_name(upload.name)
    return filing.judge(upload, name, allowed=assignment.allowed_types, max_bytes=assignment.max_bytes)


def _put(work, name, kind, stored, *, now, replaces=None):
    """A row for bytes that are on disk. Raises Refused, and has written nothing then."""
    here = {file.name: file for file in work.files}
    old, assignment = here.get(name), work.draft.assignment
    if old and replaces is not None and old.sha256 not in (replaces, stored.sha256):
        name, old = _another_name(name, here), None
    # Asked under the lock: another window may have added files while these bytes were written.
    if len(here) - bool(old) >= assignment.max_files:
        raise too_many(name, assignment)
    if old:
        _take_out(work, old)
    added = DraftFile.objects.create(
        draft=work.draft,
        name=name,
        size=stored.size,
        sha256=stored.sha256,
        path=stored.path,
        content_type=kind.content_type,
        added_at=now,
    )
    work.files.append(added)
    work.change(now)
    return added, old is not None


def _take_out(work, file):
    """The row goes now; the bytes with the commit, unless a version names them."""
    DraftFile.objects.filter(pk=file.pk).delete()
    work.files.remove(file)
    of_the_latest = work.latest.files.all() if work.latest else ()
    if not any(one.path == file.path for one in of_the_latest):
        _discard_after_commit(file.path)


def not_kept(name):
    """What is said of a file that the disk did not take."""
    return _(
        "%(name)s was not added: the portal's disk does not take it now. It is still on your device: keep it, and add "
        "it again in a few minutes. Your instructor can free space."
    ) % {"name": name}


def _store(upload, name, draft):
    try:
        if isinstance(upload, Arrived):
            upload.settle()
            upload.is_taken = True
            return upload.stored
        return filing.store(upload, filing.folder_of(draft.cohort, draft.student))
    except (OSError, NotKept) as full:
        log.exception("%s of draft %s could not be stored", name, draft.pk)
        raise Refused(not_kept(name)) from full


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


def too_many(name, assignment):
    """Refused: there is no room in the draft for one more file."""
    words = ngettext(
        "%(name)s was not added: this case study takes up to %(n)s file. Remove one of them first.",
        "%(name)s was not added: this case study takes up to %(n)s files. Remove one of them first.",
        assignment.max_files,
    )
    return Refused(words % {"name": name, "n": assignment.max_files})


@transaction.atomic
def remove_file(draft, file_pk, *, now):
    """Take a file out of the draft; versions handed in keep theirs. Answers its name, or None when it was gone."""
    work = _locked(draft)
    file = next((one for one in work.files if one.pk == file_pk), None)
    if file is None:
        return None
    _take_out(work, file)
    work.change(now)
    return file.name


def _discard_after_commit(path):
    if not SubmissionFile.objects.filter(path=path).exists():
        transaction.on_commit(lambda: filing.discard(path))


# --- handing in ----------------------------------------------------------------------------------------------


def _is_changed(work, version):
    """Whether the draft differs from a version handed in (None: there is none)."""
    if version is None:
        return True
    handed_in = [(file.name, file.sha256) for file in version.files.all()]
    is_other = sealing.hash_of(tidy(answer_of(work.draft))) != version.answer_sha256
    return is_other or handed_in != [(file.name, file.sha256) for file in work.files]


def submit(draft, *, key, now, without_answer=False):
    """Hand in the draft as it is saved, as the next version. Answers (Submission, whether it is new).

    key: of the form. The same form sent twice has one receipt, and so has a draft that did not change since the last
    version. `now` is when it arrived. without_answer: the student said that the written answer of the version before is
    to go. What comes late and was sealed in time counts as on time. The receipt is mailed soon (portal/receipts.py).
    Raises Refused when the answer would go unsaid, when there is nothing in the draft, or a file is not whole on disk.
    """
    whole = _whole(draft.files.all())
    with transaction.atomic():
        return _submit(_locked(draft), whole, key=key, now=now, without_answer=without_answer)


@dataclass
class Sent:
    """What became of a form. added: (DraftFile, whether it replaced one) each; refused: why a file, or the handing in,
    was refused, in words. submission: None when nothing was handed in; is_new: not a second receipt of the same."""

    saved: Saved
    added: list = field(default_factory=list)
    refused: list = field(default_factory=list)
    submission: Submission | None = None
    is_new: bool = False


def hand_in(work, text, uploads, *, revision, window, sent, key, now, is_held_up=False, without_answer=False):
    """All of a form in one transaction: its text, its files, and with them the next version. Answers a Sent.

    work: as `work_of` read it, before the last byte came. uploads: portal.receiving.Arrived, whose bytes settle on the
    disk meanwhile. revision, window, sent: as in save_draft; key, without_answer: as in submit. is_held_up: text and
    files are kept, and nothing is handed in; so it is after a conflict, and when a file is refused or not kept. Raises
    Refused for a text that is too long: nothing is kept then.
    """
    text, refused, judged = fit(text), [], []
    for upload in uploads:
        try:
            judged.append((upload, filing.shown_name(upload.name), _judged(upload, work.draft.assignment)))
        except Refused as refusal:
            refused.append(str(refusal))
    replaced = {name for _upload, name, _kind in judged}
    whole = _whole(file for file in work.files if file.name not in replaced)
    try:
        with transaction.atomic():
            fields = _fields_of(work.draft, text, revision=revision, window=window, sent=sent)
            if fields is not None and _held(work, now, fields):
                if not fields:
                    work.draft.asides.filter(window=window).delete()
                outcome = Sent(Saved(work.draft))
            else:
                work = _locked(work.draft)
                outcome = Sent(_keep_text(work, text, revision=revision, window=window, now=now, sent=sent))
            outcome.refused = refused
            for upload, name, kind in judged:
                # From here on the row may hold these bytes, whatever becomes of the commit.
                upload.is_taken = True
                try:
                    outcome.added.append(_put(work, name, kind, upload.stored, now=now))
                    whole.add(outcome.added[-1][0].pk)
                except Refused as refusal:
                    upload.is_taken = False
                    refused.append(str(refusal))
            if not (refused or is_held_up or outcome.saved.is_conflict):
                try:
                    outcome.submission, outcome.is_new = _submit(
                        work, whole, key=key, now=now, without_answer=without_answer
                    )
                except Refused as refusal:
                    refused.append(str(refusal))
            # The disk had until now: what is committed is on it.
            for upload, _name, _kind in judged:
                upload.settle()
    except NotKept as lost:
        lost.file.is_taken = False
        work.draft.changes = -1  # what was counted is undone
        rest = [upload for upload in uploads if upload is not lost.file]
        again = {"revision": revision, "window": window, "sent": sent, "key": key, "now": now, "is_held_up": True}
        outcome = hand_in(work, text, rest, **again)
        outcome.refused.append(not_kept(filing.shown_name(lost.file.name)))
        return outcome
    except BaseException:
        for upload in uploads:
            if upload.is_taken:
                _discard_unless_kept(upload.stored.path)
        raise
    return outcome


def _whole(files):
    """Of these files of a draft those whose bytes are on disk as they came, by their keys."""
    return {file.pk for file in files if filing.is_whole(file)}


def _submit(work, whole, *, key, now, without_answer):
    """Raises Refused, and has written nothing then."""
    for file in work.files:
        if file.pk not in whole and not filing.is_whole(file):
            log.error("draft file %s is not whole on disk: %s", file.pk, file.path)
            raise Refused(
                _("%(name)s is damaged on our disk, so nothing was handed in. Your text is safe. Add the file again.")
                % {"name": file.name}
            )
    kept, latest, files = work.draft, work.latest, work.files
    if not _is_changed(work, latest):
        return latest, False
    answer = answer_of(kept)
    if not answer and not files:
        raise Refused(_("There is nothing to hand in yet: write an answer or add a file."))
    if (words := words_given_up(kept, latest)) and not without_answer:
        raise Refused(
            ngettext(
                "Nothing was handed in yet: the answer is empty, and version %(version)s had %(n)s word. "
                "Write an answer, or tick the box by the button first.",
                "Nothing was handed in yet: the answer is empty, and version %(version)s had %(n)s words. "
                "Write an answer, or tick the box by the button first.",
                words,
            )
            % {"version": latest.version, "n": f"{words:,}"}
        )
    same_form = next((one for one in work.versions if one.key == key), None)
    if same_form:
        if not _is_changed(work, same_form):
            return same_form, False
        # The form is an old one (the back button) but what it carries is new, and must not end in an old receipt.
        key = uuid.uuid4().hex
    answer_sha256, seal = sealing.hash_of(answer), sealing.of(kept)
    due_at, case = work.due_at, kept.assignment
    is_late = schedule.is_late(now, due_at)
    is_sealed = seal is not None and sealing.vouches_for(seal, answer_sha256, files, now)
    sealed_at = seal.sealed_at if is_late and is_sealed else None
    is_late = is_late and not is_sealed
    work.count()
    version = latest.version + 1 if latest else 1
    submission = Submission.objects.create(
        number=_number_of(kept, version, now),
        assignment_id=kept.assignment_id,
        cohort_id=kept.cohort_id,
        student_id=kept.student_id,
        version=version,
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


def _number_of(draft, version, now):
    """LO-2025-000412-3: the year (UTC), the draft, the version. The draft's lock alone keeps it from a twin: of a
    class that hands in at once nobody waits for another's commit, as they would for a number that is counted."""
    return f"LO-{now.year}-{draft.pk:06d}-{version}"
