"""What a cohort does about what was left on: its instructors choose, from only telling to stopping at once."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from costs import lives
from labs import audit, ledger
from portal import telling
from portal.access import teacher_page

# Words of each level, for the person who chooses.
MEANS = {
    lives.ONLY_TELL: gettext_lazy("Its owner is told at once, you after two hours. Nothing is stopped."),
    lives.GRACE: gettext_lazy("Its owner is told at once. What nobody uses by the end of the grace is stopped."),
    lives.AT_ONCE: gettext_lazy("What nobody uses is stopped within minutes, and its owner is told."),
}
MOST_MINUTES, MOST_DAYS = 7 * 24 * 60, 90


class PolicyForm(forms.Form):
    level = forms.ChoiceField(choices=[*lives.LEVELS.items()], error_messages={"required": gettext_lazy("Choose one.")})
    grace = forms.IntegerField(label=gettext_lazy("Grace, minutes"), min_value=15, max_value=MOST_MINUTES)
    delete_days = forms.IntegerField(min_value=1, max_value=MOST_DAYS, required=False)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@teacher_page
def policy(request, standing):
    now, cohort = timezone.now(), standing.cohort
    known = {
        "level": cohort.lights_level,
        "grace": cohort.lights_grace_minutes,
        "delete_days": cohort.lights_delete_days,
    }
    form = PolicyForm(request.POST if request.method == "POST" else None, initial=known)
    if request.method == "POST" and form.is_valid():
        cohort.lights_level = form.cleaned_data["level"]
        cohort.lights_grace_minutes = form.cleaned_data["grace"]
        cohort.lights_delete_days = form.cleaned_data["delete_days"]
        with transaction.atomic():
            cohort.save(update_fields=["lights_level", "lights_grace_minutes", "lights_delete_days"])
            telling.tell_costs(now)
            with translation.override("en"):  # records are the same for all their readers
                ledger.note("policy", f"{cohort}: {cohort.lights_policy}", now, actor=request.user)
                audit.note("lights", f"policy: {cohort.lights_policy}", by=request.user, scope=cohort.scope, now=now)
        messages.success(request, _("From now on: %(policy)s.") % {"policy": cohort.lights_policy.words})
        return redirect("costs:forgotten")
    facts = {
        "cohort": cohort,
        "standing": standing,
        "form": form,
        "levels": [(level, words, MEANS[level]) for level, words in lives.LEVELS.items()],
        "now": now,
    }
    return render(request, "portal/lights_policy.html", facts, status=422 if form.errors else 200)
