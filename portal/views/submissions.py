"""A case study: the answer as one types, its files, handing in, the receipt, and what came back.

Every button of the form sends the text too and saves it first, so that no way through the page loses a word.
"""

import threading
import uuid
from functools import partial, wraps
from typing import NamedTuple

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST, require_safe

from labs.keeping import in_words
from portal import (
    access,
    agenda,
    casework,
    filing,
    holding,
    receipts,
    receiving,
    replying,
    schedule,
    sealing,
    submitting,
)
from portal.access import member_page
from portal.filing import Refused
from portal.models import DraftFile, Feedback, Submission, SubmissionFile
from portal.templatetags.look import written
from portal.views.course import attachment
from portal.views.work import work

CUT = gettext_lazy("Your connection was cut before everything arrived, so nothing was changed. Send it again.")
# Of those who hand in at once, one after the other begins in each process: what is begun is answered first. Without it,
# 500 students at a deadline, twenty requests at a time took the processor from each other between any two statements.
ENTRANCE = threading.Semaphore(1)


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
        raise Http404(_("No such case study."))
    return found


# --- the form ----------------------------------------------------------------------------------------------


class _Cut(Exception):
    """The request ended before the form did: its last field is not there."""


class _Form(NamedTuple):
    """What every button sends: the text, and what tells it from others (portal/submitting.py)."""

    text: str
    revision: int
    window: str
    sent: int


def _read(request, standing, number, slug):
    """The form that was sent: (Case with a draft, _Form). Raises _Cut, Http404 for who hands nothing in."""
    case = getattr(request, "case", None) or _case_to_send(standing, number, slug)
    case.now = timezone.now()  # all of it is here: the check of its token has read the form
    # The form's last field. Without it the end of the text may be missing too: half a text must not replace a whole.
    if request.POST.get("whole") != "yes":
        raise _Cut
    try:
        revision, sent = (int(request.POST.get(name, "")) for name in ("revision", "sent"))
        return case, _Form(request.POST.get("answer", ""), revision, window_of(request), sent)
    except ValueError as wrong:
        raise _Cut from wrong


def _case_to_send(standing, number, slug):
    if not standing.is_student:
        raise Http404(_("Only students hand in work."))
    found = casework.case_to_send(standing, number, slug, timezone.now())
    if found is None:
        raise Http404(_("No such case study."))
    return found


def window_of(request):
    """The id that the page got when it was opened: of its text aside, and of its receipt. Raises ValueError."""
    return uuid.UUID(request.POST.get("window", "")).hex


def _answering(view):
    """A POST of the form: `view(request, case, form, **kwargs)`; for what is wrong with it, the page with what was
    typed."""

    @require_POST
    @member_page
    @wraps(view)
    def answered(request, number, slug, standing, **kwargs):
        try:
            case, form = _read(request, standing, number, slug)
            return view(request, case, form, **kwargs)
        except _Cut:
            text, said, status = None, str(CUT), 400
        except Refused as refusal:
            text, said, status = submitting.tidy(request.POST.get("answer")), str(refusal), 422
        if _is_script(request):
            return JsonResponse({"said": said}, status=status)
        case = _case(standing, number, slug, timezone.now())
        return assignment_page(request, standing, case, text=text, trouble=said, status=status)

    return answered


def _form(view):
    """The text is saved first, then `view(request, case, saved, **kwargs)` does what was asked."""

    @_answering
    @wraps(view)
    def with_text(request, case, form, **kwargs):
        text, *which = form
        revision, window, sent = which
        saved = submitting.save_draft(case.draft, text, revision=revision, window=window, sent=sent, now=case.now)
        return view(request, case, saved, **kwargs)

    return with_text


def _with_files(answered, reads_ahead=False):
    """For a form whose chosen files come along, each up to the limit of the case study (portal/receiving.py).
    reads_ahead: what the draft holds is read before the bytes come, as request.work.

    The limit must be set before anything reads the form, and the CSRF check reads it: so it is checked one step later.
    """
    guarded = csrf_protect(answered)

    @csrf_exempt
    @require_POST
    @member_page
    @wraps(answered)
    def limited(request, number, slug, standing):
        # Read while the bytes are still on their way; under the draft's lock it is known whether it still holds.
        with ENTRANCE:
            request.case = _case_to_send(standing, number, slug)
            if reads_ahead:
                request.work = submitting.work_of(request.case)
        folder, found = filing.folder_of(standing.cohort, request.user), request.case.assignment
        request.came = receiving.OntoDisk(request, folder, most=found.max_bytes, most_files=found.max_files)
        request.upload_handlers = [request.came]
        try:
            return guarded(request, number=number, slug=slug)
        finally:
            request.came.let_go()

    return limited


def _say_dropped(request, case):
    """What came of the files that are not on disk. Whether there are any."""
    came, most = request.came, in_words(case.assignment.max_bytes)
    for name in came.too_big:
        words = _("%(name)s was not added: files may have up to %(most)s. The rest of your draft is saved.")
        messages.error(request, words % {"name": name, "most": most})
    for name in came.too_many:
        messages.error(request, str(submitting.too_many(name, case.assignment)))
    for name in came.not_kept:
        messages.error(request, submitting.not_kept(name))
    return bool(came.dropped)


def _say_added(request, added, is_other):
    words = _("%(name)s was replaced.") if is_other else _("%(name)s was added.")
    messages.success(request, words % {"name": added.name})


def _take_files(request, case, saved):
    """Add the chosen files to the draft and say what became of each."""
    _say_dropped(request, case)
    for upload in request.came.arrived:
        try:
            _say_added(request, *submitting.add_file(saved.draft, upload, now=case.now))
        except Refused as refusal:
            messages.error(request, str(refusal))


def _is_script(request):
    return request.headers.get("X-Requested-With") == "autosave"


@_with_files
@_form
def save(request, case, saved):
    """The Save draft button, and what autosave.js sends while one types: JSON with the revision; 409 is a conflict."""
    if _is_script(request):
        if saved.is_conflict:
            said = _("Another window saved a newer text. Both are kept: reload this page to choose.")
            return JsonResponse({"said": said}, status=409)
        at = f"{timezone.localtime(saved.draft.updated_at):%H:%M}"
        return JsonResponse({"revision": saved.draft.revision, "said": _("Saved %(when)s") % {"when": at}})
    if not saved.is_conflict:
        messages.success(request, _("Your draft is saved."))
    _take_files(request, case, saved)
    return _back(case)


@_form
def remove_file(request, case, saved, pk):
    name = submitting.remove_file(saved.draft, pk, now=case.now)
    if name:
        words = _("%(name)s was taken out of the draft. Versions that you handed in keep it.")
        messages.success(request, words % {"name": name})
    return _back(case, "files")


@_form
def choose(request, case, saved, pk, choice):
    if choice not in ("take", "drop"):
        raise Http404(_("Choose one of the two texts."))
    submitting.take_aside(saved.draft, pk, take=choice == "take", now=case.now)
    return _back(case)


@partial(_with_files, reads_ahead=True)
@_answering
def hand_in(request, case, form):
    """What is chosen is meant to go in, whether or not Add was pressed; what cannot go in stops the handing in."""
    # A form that was opened before the deadline had no box: what was on its way then is taken, late, and not sent back.
    is_unticked = ("asks" in request.POST or case.replaces_reviewed) and "knows" not in request.POST
    is_dropped = _say_dropped(request, case)
    sent = submitting.hand_in(
        request.work,
        form.text,
        request.came.arrived,
        revision=form.revision,
        window=form.window,
        sent=form.sent,
        key=form.window,
        now=case.now,
        is_held_up=is_dropped or is_unticked,
        without_answer="without_answer" in request.POST,
    )
    for added in sent.added:
        _say_added(request, *added)
    for words in sent.refused:
        messages.error(request, words)
    if sent.submission:
        if not sent.is_new:
            words = _("Nothing has changed since version %(version)s: this is its receipt.")
            messages.info(request, words % {"version": sent.submission.version})
        return redirect(sent.submission)
    if is_dropped or len(sent.added) < len(request.came.arrived):
        messages.error(request, _("Nothing was handed in. Choose another file, or hand in again without it."))
        return _back(case, "files")
    if sent.saved.is_conflict:
        messages.error(
            request, _("Nothing was handed in: another window has a newer text. Choose one of the two first.")
        )
    elif is_unticked:
        messages.error(
            request, _("Nothing was handed in yet, and your text is saved. Tick the box by the button first.")
        )
    return _back(case)


def _back(case, part=""):
    return redirect(case.assignment.get_absolute_url() + (f"#{part}" if part else ""))


# --- files -------------------------------------------------------------------------------------------------


@_with_files
@_form
def add_files(request, case, saved):
    if not (request.came.arrived or request.came.dropped):
        messages.error(request, _("Choose one or more files first, then add them."))
    _take_files(request, case, saved)
    return _back(case, "files")


@require_safe
@member_page
def draft_file(request, number, slug, pk, standing):
    now = timezone.now()
    case = _case(standing, number, slug, now)
    found = get_object_or_404(DraftFile, pk=pk, draft=case.draft) if case.draft else None
    if found is None:
        raise Http404(_("No such file."))
    return _send(found)


@require_safe
@member_page
def submission_file(request, number, pk, standing):
    received = received_by(request, number)
    found = get_object_or_404(SubmissionFile, pk=pk, submission=received)
    if not holding.may_read(request.user, received, found.sha256):
        raise Http404(_("This file is held back."))
    return _send(found)


def _send(stored):
    path = filing.on_disk(stored.path)
    if not path.is_file():
        raise Http404(_("This file is not on our disk."))
    return attachment(path, stored.name, stored.content_type)


# --- what was received, and what came back -----------------------------------------------------------------


def received_by(request, number):
    """A submission that the asker may see: their own, or one of a cohort that they teach."""
    found = get_object_or_404(Submission.objects.select_related("assignment__week", "student", "cohort"), number=number)
    if found.student_id == request.user.pk:
        return found
    standing = access.standing(request, found.cohort.slug)
    if standing is None or not standing.teaches:
        raise Http404(_("No such receipt."))
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
