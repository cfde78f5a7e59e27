"""Remarks on places of a version, the bank of phrases, and what is said back and forth."""

import uuid

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from portal import remarks, replying, workpieces
from portal.access import member_page, teacher_page
from portal.filing import Refused
from portal.models import Feedback, Phrase, Remark
from portal.submitting import tidy
from portal.views.review import desk_page, version_of
from portal.views.submissions import received_by

MAX_PHRASES = 100


@require_POST
@teacher_page
def remark(request, receipt, standing):
    """Add a remark to a place, or change one; `text` empty takes one away. Refused words stay in their form."""
    now, found = timezone.now(), version_of(standing, receipt)
    parts = workpieces.parts_of(found, request.user)
    part = next((one for one in parts if one.key == request.POST.get("part", "")), None)
    if part is None:
        raise Http404("No such part.")
    text, pk = request.POST.get("text", ""), request.POST.get("remark", "")
    shows = request.POST.get("shows") == "yes"
    kept = None
    try:
        if pk:
            kept = get_object_or_404(
                Remark.objects.select_related("feedback__submission__student", "author"),
                pk=pk if pk.isdigit() else 0,
                feedback__submission=found,
            )
            revision = request.POST.get("revision", "")
            revision = int(revision) if revision.isdigit() else 0
            if request.POST.get("do") == "remove":
                text = ""
            kept = remarks.change(kept, text=text, revision=revision, expects_released=shows, now=now)
        else:
            kept = remarks.add(
                found,
                request.user,
                part=part,
                place=request.POST.get("place", ""),
                quote=request.POST.get("quote", ""),
                text=text,
                expects_released=shows,
                now=now,
            )
            if request.POST.get("keep") == "yes":
                _keep(standing, text, request.user, now)
    except Refused as refusal:
        request.GET = request.GET.copy()
        request.GET.update({"part": part.key, "at": request.POST.get("place", ""), "edit": pk})
        request.remark_typed = tidy(text)
        return desk_page(request, standing, version_of(standing, receipt), now, trouble=str(refusal), status=422)
    address = reverse("portal:review_desk", args=[standing.cohort.slug, found.number])
    return redirect(f"{address}?part={part.key}#{f'r-{kept.pk}' if kept else 'w'}")


@require_POST
@member_page
def reply(request, number, standing):
    """A student's reply to their feedback, or a teacher's answer, to all of it or to one remark."""
    found = received_by(request, number)
    given = get_object_or_404(Feedback.objects.released(), submission=found)
    pk = request.POST.get("remark", "")
    remark = get_object_or_404(Remark, pk=pk, feedback=given) if pk.isdigit() else None
    is_mine = found.student_id == request.user.pk
    back = found.feedback.get_absolute_url()
    if not is_mine:
        back = reverse("portal:review_desk", args=[found.cohort.slug, found.number])
    try:
        key = uuid.UUID(request.POST.get("key", "")).hex
        replying.reply(
            given, request.user, text=request.POST.get("text", ""), key=key, remark=remark, now=timezone.now()
        )
    except ValueError:
        messages.error(request, _("Your connection was cut, so nothing was sent. Send it again."))
    except Refused as refusal:
        messages.error(request, str(refusal))
    part = request.POST.get("part", "")
    return redirect(f"{back}{f'?part={part}' if part.isdigit() else ''}#{f'r-{remark.pk}' if remark else 'ov'}")


# --- the bank ------------------------------------------------------------------------------------------------


def _full():
    return _("The bank is full (%(most)s phrases). Take one out first.") % {"most": MAX_PHRASES}


def _keep(standing, text, by, now):
    """Put a remark's words into the bank, under their first words. Raises Refused when the bank is full."""
    text = tidy(text).strip()
    bank = Phrase.objects.filter(course=standing.cohort.course_id)
    if bank.filter(text_md=text).exists():
        return
    if bank.count() >= MAX_PHRASES:
        raise Refused(_full())
    label = " ".join(text.split()[:4])[:40]
    bank.get_or_create(
        label=label, defaults={"course_id": standing.cohort.course_id, "text_md": text, "by": by, "made_at": now}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@teacher_page
def phrases(request, standing):
    """The bank of a course: add, change, take out. What was said with a phrase stays said."""
    bank, trouble, typed = Phrase.objects.filter(course=standing.cohort.course_id), "", {}
    if request.method == "POST":
        typed = {name: tidy(request.POST.get(name)).strip() for name in ("label", "text")}
        pk = request.POST.get("phrase", "")
        kept = get_object_or_404(bank, pk=pk) if pk.isdigit() else None
        if kept and request.POST.get("do") == "remove":
            kept.delete()
            messages.success(request, _("%(phrase)s is out of the bank.") % {"phrase": kept.label})
            return redirect("portal:phrases", standing.cohort.slug)
        others = bank.exclude(pk=kept.pk) if kept else bank
        if not typed["label"] or not typed["text"]:
            trouble = _("A phrase needs a short name for its button, and its words.")
        elif len(typed["label"]) > 40 or len(typed["text"]) > remarks.MAX_REMARK:
            trouble = _("The name has up to 40 characters, the words up to %(most)s.") % {
                "most": f"{remarks.MAX_REMARK:,}"
            }
        elif others.filter(label=typed["label"]).exists():
            trouble = _("There is a phrase named %(phrase)s already.") % {"phrase": typed["label"]}
        elif not kept and bank.count() >= MAX_PHRASES:
            trouble = _full()
        else:
            kept = kept or Phrase(course_id=standing.cohort.course_id, by=request.user, made_at=timezone.now())
            kept.label, kept.text_md = typed["label"], typed["text"]
            kept.save()
            messages.success(request, _("%(phrase)s is in the bank.") % {"phrase": kept.label})
            return redirect("portal:phrases", standing.cohort.slug)
    return render(
        request,
        "portal/phrases.html",
        {"standing": standing, "phrases": list(bank), "trouble": trouble, "typed": typed, "cohort": standing.cohort},
        status=422 if trouble else 200,
    )
