"""A case study: the answer as one types, its files, handing in, the receipt, and what came back.

Every button of the form sends the text too and saves it first, so that no way through the page loses a word.
"""

import errno
import uuid
from functools import wraps

from django.contrib import messages
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST, require_safe

from labs.keeping import in_words
from portal import access, agenda, casework, filing, holding, receipts, replying, schedule, sealing, submitting
from portal.access import member_page
from portal.filing import Refused
from portal.models import DraftFile, Feedback, Submission, SubmissionFile
from portal.templatetags.look import written
from portal.views.course import attachment
from portal.views.work import work

FULL = (
    "The portal's disk is full, so nothing was changed. Go back with your browser: what you typed is still in the "
    "form, and your files are on your device. Send it again in a few minutes; your instructor can free space."
)
CUT = "Your connection was cut before everything arrived, so nothing was changed. Send it again."


# --- pages -------------------------------------------------------------------------------------------------


@require_safe
@member_page
def mine(request, standing):
    """Every case study that is open for the asker, and where they stand with it."""
    now = timezone.now()
    mine = standing.cohort.completions.filter(student=request.user, revoked_at=None) if standing.is_student else None
    return render(
        request,
        "portal/submissions.html",
        {
            "now": now,
            "standing": standing,
            "cases": casework.cases(standing, now),
            "certificate": mine.first() if mine is not None else None,
        },
    )


@require_safe
@member_page
def assignment(request, number, slug, standing):
    return assignment_page(request, standing, _case(standing, number, slug, timezone.now()))


def assignment_page(request, standing, case, *, text=None, trouble="", status=200):
    """The page of a case study. `text` is what was typed and could not be saved; `trouble` says why."""
    found, draft = case.assignment, case.draft
    return render(
        request,
        "portal/assignment.html",
        {
            "now": case.now,
            "standing": standing,
            "case": case,
            "assignment": found,
            "told": case.told,
            "is_preview": not schedule.is_released(case.told.dates, case.now),
            "shows_model_answer": case.shows_model_answer or (standing.teaches and bool(found.model_answer_md)),
            "draft": draft,
            "text": text if text is not None else draft.answer_md if draft else "",
            "words": submitting.words_in(draft.answer_md) if draft else 0,
            "words_given_up": submitting.words_given_up(draft, case.last) if draft else 0,
            "files": holding.mark(draft.files.all()) if draft else [],
            "asides": list(draft.asides.all()) if draft else [],
            **_seal(case),
            "is_changed": draft is not None and (bool(draft.answer_md.strip()) or draft.file_count > 0),
            "accept": ",".join(f".{ending}" for ending in found.allowed_types),
            "trouble": trouble,
            "window": uuid.uuid4().hex,
            "wants_preview": request.GET.get("view") == "preview",
            "max_answer": submitting.MAX_ANSWER,
        },
        status=status,
    )


def _seal(case):
    """What the page says of the draft's seal."""
    draft, now = case.draft, case.now
    seal = sealing.of(draft)
    if seal is None:
        return {"seal": None, "is_as_sealed": False}
    zone = timezone.get_current_timezone()
    differs = sealing.differences(seal, sealing.hash_of(submitting.answer_of(draft)), draft.files.all())
    return {
        "seal": seal,
        "seal_version": next((one.version for one in case.submissions if one.pk == seal.submission_id), None),
        "seal_state": "received" if seal.submission_id else "open" if case.sealed_until else "over",
        # Not by the tag, which does not wrap.
        "seal_at": written(seal.sealed_at, "full", zone, now),
        "seal_until": written(sealing.follow_until(seal), "full", zone, now),
        "seal_differs": differs,
        "is_as_sealed": bool(case.sealed_until) and not differs,
    }


def _case(standing, number, slug, now):
    """The asker's Case, if the case study exists for them at `now`."""
    found = casework.case_of(standing, number, slug, now)
    if found is None:
        raise Http404("No such case study.")
    return found


# --- the form ----------------------------------------------------------------------------------------------


class _Cut(Exception):
    """The request ended before the form did: its last field is not there."""


def _typed(request, standing, number, slug):
    """Save what the form carries: (case, Saved). Raises _Cut, Refused (too long), Http404 for who hands nothing in."""
    if not standing.is_student:
        raise Http404("Only students hand in work.")
    now = timezone.now()  # all of it is here: the check of its token has read the form
    case = getattr(request, "case", None) or _case(standing, number, slug, now)
    case.now = now
    # The form's last field. Without it the end of the text may be missing too: half a text must not replace a whole.
    if request.POST.get("whole") != "yes":
        raise _Cut
    draft = case.draft or submitting.draft_of(case.assignment, standing.cohort, request.user, now=now)
    draft.assignment, draft.cohort = case.assignment, standing.cohort  # read already
    try:
        revision, sent = (int(request.POST.get(name, "")) for name in ("revision", "sent"))
        window = window_of(request)
    except ValueError as wrong:
        raise _Cut from wrong
    text = request.POST.get("answer", "")
    saved = submitting.save_draft(draft, text, revision=revision, window=window, sent=sent, now=now)
    return case, saved


def window_of(request):
    """The id that the page got when it was opened: of its text aside, and of its receipt. Raises ValueError."""
    return uuid.UUID(request.POST.get("window", "")).hex


def _form(view):
    """A POST of the form: the text is saved first, then `view(request, case, saved, **kwargs)` does what was asked."""

    @require_POST
    @member_page
    def with_text(request, number, slug, standing, **kwargs):
        try:
            case, saved = _typed(request, standing, number, slug)
        except _Cut:
            if _is_script(request):
                return JsonResponse({"said": CUT}, status=400)
            case = _case(standing, number, slug, timezone.now())
            return assignment_page(request, standing, case, trouble=CUT, status=400)
        except Refused as refusal:
            if _is_script(request):
                return JsonResponse({"said": str(refusal)}, status=422)
            case = _case(standing, number, slug, timezone.now())
            text = submitting.tidy(request.POST.get("answer"))
            return assignment_page(request, standing, case, text=text, trouble=str(refusal), status=422)
        return view(request, case, saved, **kwargs)

    return with_text


class UpTo(FileUploadHandler):
    """Drops a file as soon as it is over the limit, and goes on with the rest of the form: the text still arrives.

    A full disk cannot be made by one huge upload, and what was typed beside it is not lost.
    """

    def __init__(self, request, most):
        super().__init__(request)
        self.most, self.dropped = most, []

    def receive_data_chunk(self, raw_data, start):
        if start + len(raw_data) > self.most:
            self.dropped.append(filing.shown_name(self.file_name))
            raise SkipFile
        return raw_data

    def file_complete(self, file_size):
        return None


def _form_with_files(view):
    """A _form whose chosen files come along, each up to the limit of the case study.

    The limit must be set before anything reads the form, and the CSRF check reads it: so it is checked one step later.
    """
    guarded = csrf_protect(_form(view))

    @csrf_exempt
    @require_POST
    @member_page
    @wraps(view)
    def limited(request, number, slug, standing):
        # Read while the bytes are still on their way; what is decided by it is asked again under the draft's lock.
        request.case = _case(standing, number, slug, timezone.now())
        request.limit = UpTo(request, request.case.assignment.max_bytes)
        request.upload_handlers.insert(0, request.limit)
        try:
            return guarded(request, number=number, slug=slug)
        except OSError as failed:
            if failed.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            case = _case(standing, number, slug, timezone.now())
            return assignment_page(request, standing, case, trouble=FULL, status=507)

    return limited


def _take_files(request, case, saved):
    """Add the chosen files to the draft and say what became of each. False when one of them was refused."""
    refused = False
    most = in_words(case.assignment.max_bytes)
    for name in request.limit.dropped:
        refused = True
        messages.error(request, f"{name} was not added: files may have up to {most}. The rest of your draft is saved.")
    for upload in request.FILES.getlist("files"):
        try:
            added, replaced = submitting.add_file(saved.draft, upload, now=case.now)
        except Refused as refusal:
            refused = True
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"{added.name} was {'replaced' if replaced else 'added'}.")
    return not refused


def _is_script(request):
    return request.headers.get("X-Requested-With") == "autosave"


@_form_with_files
def save(request, case, saved):
    """The Save draft button, and what autosave.js sends while one types: JSON with the revision; 409 is a conflict."""
    if _is_script(request):
        if saved.is_conflict:
            said = "Another window saved a newer text. Both are kept: reload this page to choose."
            return JsonResponse({"said": said}, status=409)
        at = f"{timezone.localtime(saved.draft.updated_at):%H:%M}"
        return JsonResponse({"revision": saved.draft.revision, "said": f"Saved {at}"})
    if not saved.is_conflict:
        messages.success(request, "Your draft is saved.")
    _take_files(request, case, saved)
    return _back(case)


@_form
def remove_file(request, case, saved, pk):
    name = submitting.remove_file(saved.draft, pk, now=case.now)
    if name:
        messages.success(request, f"{name} was taken out of the draft. Versions that you handed in keep it.")
    return _back(case, "files")


@_form
def choose(request, case, saved, pk, choice):
    if choice not in ("take", "drop"):
        raise Http404("Choose one of the two texts.")
    submitting.take_aside(saved.draft, pk, take=choice == "take", now=case.now)
    return _back(case)


@_form_with_files
def hand_in(request, case, saved):
    # What is chosen is meant to go in, whether or not Add was pressed; what cannot go in stops the handing in.
    if not _take_files(request, case, saved):
        messages.error(request, "Nothing was handed in. Choose another file, or hand in again without it.")
        return _back(case, "files")
    if saved.is_conflict:
        messages.error(request, "Nothing was handed in: another window has a newer text. Choose one of the two first.")
        return _back(case)
    # A form that was opened before the deadline had no box: what was on its way then is taken, late, and not sent back.
    if ("asks" in request.POST or case.replaces_reviewed) and "knows" not in request.POST:
        messages.error(request, "Nothing was handed in yet, and your text is saved. Tick the box by the button first.")
        return _back(case)
    try:
        submission, is_new = submitting.submit(
            saved.draft, key=window_of(request), now=case.now, without_answer="without_answer" in request.POST
        )
    except Refused as refusal:
        messages.error(request, str(refusal))
        return _back(case)
    if not is_new:
        messages.info(request, f"Nothing has changed since version {submission.version}: this is its receipt.")
    return redirect(submission)


def _back(case, part=""):
    return redirect(case.assignment.get_absolute_url() + (f"#{part}" if part else ""))


# --- files -------------------------------------------------------------------------------------------------


@_form_with_files
def add_files(request, case, saved):
    if not (request.FILES or request.limit.dropped):
        messages.error(request, "Choose one or more files first, then add them.")
    _take_files(request, case, saved)
    return _back(case, "files")


@require_safe
@member_page
def draft_file(request, number, slug, pk, standing):
    now = timezone.now()
    case = _case(standing, number, slug, now)
    found = get_object_or_404(DraftFile, pk=pk, draft=case.draft) if case.draft else None
    if found is None:
        raise Http404("No such file.")
    return _send(found)


@require_safe
@member_page
def submission_file(request, number, pk, standing):
    received = received_by(request, number)
    found = get_object_or_404(SubmissionFile, pk=pk, submission=received)
    if not holding.may_read(request.user, received, found.sha256):
        raise Http404("This file is held back.")
    return _send(found)


def _send(stored):
    path = filing.on_disk(stored.path)
    if not path.is_file():
        raise Http404("This file is not on our disk.")
    return attachment(path, stored.name, stored.content_type)


# --- what was received, and what came back -----------------------------------------------------------------


def received_by(request, number):
    """A submission that the asker may see: their own, or one of a cohort that they teach."""
    found = get_object_or_404(Submission.objects.select_related("assignment__week", "student", "cohort"), number=number)
    if found.student_id == request.user.pk:
        return found
    standing = access.standing(request, found.cohort.slug)
    if standing is None or not standing.teaches:
        raise Http404("No such receipt.")
    return found


@require_safe
@member_page
def receipt(request, number, standing):
    found, now = received_by(request, number), timezone.now()
    return render(
        request,
        "portal/receipt.html",
        {
            "now": now,
            "submission": found,
            # Not by the tag, which does not wrap: with seconds and zone it is longer than a phone is wide.
            "received": written(found.received_at, "full", timezone.get_current_timezone(), now),
            "assignment": found.assignment,
            "files": holding.mark(found.files.all(), found),
            "is_mine": found.student_id == request.user.pk,
            "feedback": Feedback.objects.released().filter(submission=found).first(),
            "sealed": found.sealed_at and written(found.sealed_at, "full", timezone.get_current_timezone(), now),
        },
    )


@require_safe
@member_page
def receipt_text(request, number, standing):
    found = received_by(request, number)
    return _text(receipts.as_text(found), f"{found.number}.txt")


@require_safe
@member_page
def proof(request, number, standing):
    """The signed proof file, which names nobody; portal/views/proofs.py checks it."""
    found = received_by(request, number)
    return _text(receipts.proof(found, now=timezone.now()), receipts.proof_name(found))


def _text(words, name):
    answer = HttpResponse(words, content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@require_safe
@member_page
def feedback(request, number, standing):
    """Released feedback on one version. Before its release there is nothing here, for its student nor for anyone."""
    found, now = received_by(request, number), timezone.now()
    given = get_object_or_404(Feedback.objects.released().select_related("author"), submission=found)
    lines = [
        {**line, "given": given.rubric_scores.get(line["key"])}
        for line in found.assignment.rubric
        if line["key"] in given.rubric_scores
    ]
    newest = Submission.objects.filter(
        assignment=found.assignment, cohort=found.cohort, student=found.student
    ).order_by("-version")
    is_mine = found.student_id == request.user.pk
    if is_mine:
        replying.saw(given, request.user, teaches=False, now=now)
    return render(
        request,
        "portal/feedback.html",
        {
            **work(request, found, Feedback.objects.released()),
            "now": now,
            "submission": found,
            "assignment": found.assignment,
            "feedback": given,
            "lines": lines,
            "newest": newest.defer("answer_md").first(),
            "is_mine": is_mine,
            "agenda": agenda.of(found.cohort, found.assignment.week_id, now),
            "teaches": False,
        },
    )
