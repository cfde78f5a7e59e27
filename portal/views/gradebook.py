"""The cohort's points as a table and as a file, certificates of completion, and Saturday's agenda."""

import hashlib

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from costs.exports import csv_answer
from portal import agenda, completing, gradebook, schedule
from portal.access import teacher_page
from portal.filing import Refused
from portal.models import AgendaItem, Completion
from portal.submitting import tidy
from portal.views.review import told_week

MAX_FILE = 1024 * 1024  # bytes


@require_safe
@teacher_page
def page(request, standing):
    assignments, rows = gradebook.gradebook(standing.cohort)
    table = [(row, [row.marks.get(one.pk) for one in assignments]) for row in rows]
    return render(
        request,
        "portal/gradebook.html",
        {"standing": standing, "cohort": standing.cohort, "assignments": assignments, "table": table},
    )


@require_safe
@teacher_page
def download(request, standing):
    """Drafts too: this file is for those who teach."""
    head, lines = gradebook.sheet(*gradebook.gradebook(standing.cohort))
    return csv_answer(f"gradebook-{standing.cohort.slug}", head, lines)


@require_http_methods(["GET", "HEAD", "POST"])
@teacher_page
def upload(request, standing):
    """A dry run of a file; then, with the same text and what it showed, doing it."""
    now, trouble, text, changes, wrong = timezone.now(), "", "", [], []
    if request.method == "POST":
        try:
            text = _text_of(request)
            changes, wrong = gradebook.read(standing.cohort, text)
            shown = _print_of(changes)
            if request.POST.get("do") == "apply":
                if request.POST.get("shown") != shown:
                    raise Refused(
                        _("What the file changes is not what you were shown: somebody saved since. Look again.")
                    )
                with_released = request.POST.get("released") == "yes"
                done = gradebook.apply(changes, by=request.user, now=now, with_released=with_released)
                words = _("Changed: %(n)s. What was released and changed is kept as it was, too.")
                messages.success(request, words % {"n": done})
                return redirect("portal:gradebook", standing.cohort.slug)
        except Refused as refusal:
            trouble = str(refusal)
    return render(
        request,
        "portal/gradebook_upload.html",
        {
            "standing": standing,
            "cohort": standing.cohort,
            "trouble": trouble,
            "text": text,
            "changes": changes,
            "wrong": wrong,
            "shown": _print_of(changes),
            "hidden": [one for one in changes if not one.is_released],
            "released": [one for one in changes if one.is_released],
            "has_run": request.method == "POST" and bool(text),
        },
        status=422 if trouble else 200,
    )


def _text_of(request):
    """The text of the file, or the one that the dry run kept in its form. Raises Refused."""
    file = request.FILES.get("file")
    if file is None:
        text = request.POST.get("text", "")
        if not text.strip():
            raise Refused(_("Choose a CSV file first."))
        return text
    if file.size > MAX_FILE:
        raise Refused(_("The file is larger than 1 MB: that is no gradebook."))
    try:
        return tidy(file.read().decode("utf-8-sig"))
    except UnicodeDecodeError as wrong:
        raise Refused(_("This is not a text file in UTF-8. Save it as “CSV UTF-8”.")) from wrong


def _print_of(changes):
    """What a dry run showed, in one word: the same changes of the same state of things, in whatever language."""
    facts = []
    for one in changes:
        revision = one.mark.feedback.revision if one.mark.feedback else 0
        facts.append((one.mark.submission.pk, revision, one.mark.state, one.before, one.after))
    return hashlib.sha256(repr(facts).encode()).hexdigest()


# --- certificates --------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@teacher_page
def completions(request, standing):
    """Who completed the course; give out certificates, one or all that need no spelling, and take one back."""
    now, cohort, trouble, typed = timezone.now(), standing.cohort, "", ""
    rows = completing.candidates(cohort, now)
    who = request.POST.get("student", "")
    chosen = next((one for one in rows if str(one.membership.pk) == who), None)
    if request.method == "POST":
        typed = request.POST.get("latin_name", "")
        try:
            if request.POST.get("do") == "revoke":
                pk = request.POST.get("certificate", "")
                kept = get_object_or_404(Completion, cohort=cohort, pk=pk if pk.isdecimal() else 0)
                completing.revoke(kept, why=request.POST.get("why", ""), by=request.user, now=now)
                words = _("The certificate of %(name)s is revoked; its page says so.")
                messages.success(request, words % {"name": kept.name})
            elif chosen is None:
                raise Refused(_("Choose a student first."))
            else:
                completing.issue(cohort, chosen, latin_name=typed, by=request.user, now=now)
                words = _("%(student)s has a certificate, and is told.")
                messages.success(request, words % {"student": chosen.membership.user})
            return redirect("portal:completions", cohort.slug)
        except Refused as refusal:
            trouble = str(refusal)
    revoked = cohort.completions.exclude(revoked_at=None).select_related("revoked_by")
    return render(
        request,
        "portal/completions.html",
        {
            "now": now,
            "standing": standing,
            "cohort": cohort,
            "rows": [(one, _spelling(one, chosen, typed)) for one in rows],
            "chosen": chosen,
            "trouble": trouble,
            "revoked": list(revoked),
        },
        status=422 if trouble else 200,
    )


def _spelling(candidate, chosen, typed):
    """What the field of the Latin name begins with: the name itself where the PDF can print it."""
    name = str(candidate.membership.user)
    if candidate is chosen:
        return typed
    return "" if completing.completion_pdf.unprintable(name) else name


@require_safe
def completion(request, code):
    """Public: whoever has the address sees that it is valid, or was revoked, and nothing else of the person."""
    found = get_object_or_404(Completion.objects.select_related("cohort__course"), code=code)
    answer = render(request, "portal/completion.html", {"certificate": found, "zone": found.cohort.zone})
    answer["X-Robots-Tag"] = "noindex"
    answer["Referrer-Policy"] = "no-referrer"
    return answer


@require_safe
def completion_file(request, code):
    """The PDF, for whoever has the address; a revoked one is not printed any more."""
    found = get_object_or_404(Completion.objects.select_related("cohort__course"), code=code, revoked_at=None)
    answer = HttpResponse(completing.pdf_of(found), content_type="application/pdf")
    answer["Content-Disposition"] = 'attachment; filename="certificate.pdf"'
    answer["X-Robots-Tag"] = "noindex"
    return answer


# --- Saturday ------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@teacher_page
def agenda_page(request, number, standing):
    """What was remarked most in a week, to choose what the live session talks about."""
    now, told = timezone.now(), told_week(standing, number)
    found = agenda.remarked(standing.cohort, told.week)
    if request.method == "POST":
        counts = {one.text[:300]: one.students for one in found}
        chosen = [text[:300] for text in request.POST.getlist("item") if text.strip()]
        own = [" ".join(line.split())[:300] for line in tidy(request.POST.get("own")).split("\n") if line.strip()]
        pairs = [(text, counts.get(text, 0)) for text in [*chosen, *own]][:50]
        agenda.choose(standing.cohort, told.week, pairs, by=request.user, now=now)
        words = _("The agenda has %(n)s points. Students see it with their feedback.")
        messages.success(request, words % {"n": len(dict(pairs))})
        return redirect("portal:agenda", standing.cohort.slug, number)
    chosen = {one.text for one in AgendaItem.objects.filter(cohort=standing.cohort, week=told.week)}
    return render(
        request,
        "portal/agenda.html",
        {
            "now": now,
            "standing": standing,
            "told": told,
            "week": told.week,
            "is_over": schedule.is_late(now, told.due_at),
            "common": [(one, one.text[:300] in chosen) for one in found],
            "own": "\n".join(sorted(chosen - {one.text[:300] for one in found})),
            "weak": agenda.weak_lines(standing.cohort, told.week),
        },
    )


@require_POST
@teacher_page
def issue_all(request, standing):
    """Certificates for all who earned one and whose name the PDF can print as it is."""
    now, done = timezone.now(), 0
    for one in completing.candidates(standing.cohort, now):
        name = str(one.membership.user)
        if one.has_earned and not one.certificate and not completing.completion_pdf.unprintable(name):
            completing.issue(standing.cohort, one, latin_name=name, by=request.user, now=now)
            done += 1
    messages.success(request, _("Certificates given out: %(n)s.") % {"n": done})
    return redirect("portal:completions", standing.cohort.slug)
