"""Saturday's session: the address to join, then its recording and agenda; and what a student accepts beforehand."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from portal import reading, schedule
from portal.access import member_page, teacher_page
from portal.models import LiveSession


def _address(label, wrong):
    return forms.URLField(
        label=label, required=False, max_length=500, assume_scheme="https", error_messages={"invalid": wrong}
    )


class LiveForm(forms.ModelForm):
    join_url = _address(
        gettext_lazy("Address to join"),
        gettext_lazy("Address to join: write the whole web address, beginning with https://."),
    )
    recording_url = _address(
        gettext_lazy("Recording"), gettext_lazy("Recording: write the whole web address, beginning with https://.")
    )

    class Meta:
        model = LiveSession
        fields = ["join_url", "recording_url", "agenda_md"]


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@teacher_page
def session(request, number, standing):
    """Those who teach enter the address, the recording and the agenda; the parked questions stand beside it."""
    now = timezone.now()
    told = standing.week(number)
    row = LiveSession.objects.filter(told=told).first() or LiveSession(told=told)
    parked = list(standing.threads(now).exclude(parked_at=None).filter(answer=None).order_by("parked_at"))
    asked = request.POST if request.method == "POST" else None
    if asked and asked.get("do") == "take":
        # What is typed already stays, and the questions come below it. Nothing is saved yet.
        asked = asked.copy()
        lines = [f"- {one.title}" for one in parked if one.title not in asked.get("agenda_md", "")]
        asked["agenda_md"] = "\n".join([asked.get("agenda_md", "").rstrip(), *lines]).strip() + "\n"
    form = LiveForm(asked, instance=row)
    if request.method == "POST" and asked.get("do") != "take" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("portal:live", standing.cohort.slug, number)
    facts = {
        "now": now,
        "standing": standing,
        "cohort": standing.cohort,
        "told": told,
        "week": told.week,
        "form": form,
        "parked": parked,
        "state": schedule.live_state(told.session_at, now),
    }
    return render(request, "portal/live.html", facts, status=422 if form.errors else 200)


@require_POST
@member_page
def accept(request, standing):
    """A student has what the course needs, and accepts the rules of use: both at once, with the date."""
    if request.POST.get("has") == "yes" and request.POST.get("accepts") == "yes":
        reading.accept(standing, now=timezone.now())
        messages.success(request, _("Thank you. The date is kept."))
    else:
        messages.error(request, _("Tick both boxes first: what the course needs, and the rules of use."))
    return redirect("portal:week", schedule.ONBOARDING)
