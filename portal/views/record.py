"""Who did what: the record of acts, for admins, to be narrowed by the address and taken along as CSV."""

from datetime import datetime, time, timedelta
from functools import wraps
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from costs.exports import csv_answer
from labs.audit import Act
from portal.models import Cohort

ACTS_A_PAGE = 50
# What is noted, in the order of the form.
KINDS = {
    "role": gettext_lazy("Roles"),
    "grade": gettext_lazy("Grades"),
    "release": gettext_lazy("Feedback released"),
    "extension": gettext_lazy("Extensions"),
    "dates": gettext_lazy("Dates moved"),
    "certificate": gettext_lazy("Certificates"),
    "held": gettext_lazy("Let through by the guard"),
    "factor": gettext_lazy("Second factors taken away"),
    "budget": gettext_lazy("Budgets"),
    "lights": gettext_lazy("Lights out"),
    "export": gettext_lazy("Data taken along"),
    "deletion": gettext_lazy("Accounts deleted"),
    "backup": gettext_lazy("Backups"),
    "restore": gettext_lazy("Restored"),
}
COLUMNS = ["at_utc", "by", "by_id", "act", "about", "about_id", "cohort", "thing", "words"]


def admin_page(view):
    """For admins; for all others it does not exist."""

    @require_safe
    @never_cache
    @login_required
    @wraps(view)
    def guarded(request):
        if not request.user.is_staff:
            raise Http404("No such page.")
        return view(request)

    return guarded


@admin_page
def record(request):
    asked = {name: request.GET.get(name, "").strip() for name in ("kind", "who", "cohort", "since", "until")}
    page = Paginator(acts(asked), ACTS_A_PAGE).get_page(request.GET.get("page"))
    cohorts = list(Cohort.objects.all())
    names = {cohort.scope: cohort.name for cohort in cohorts}
    for act in page:
        act.title, act.cohort = KINDS.get(act.kind, act.kind), names.get(act.scope, "")
    facts = {
        "page": page,
        "asked": asked,
        "is_narrowed": any(asked.values()),
        "part": urlencode({name: value for name, value in asked.items() if value}),
        "kinds": KINDS.items(),
        "cohorts": cohorts,
        "now": timezone.now(),
    }
    return render(request, "portal/record.html", facts)


@admin_page
def record_csv(request):
    slugs = dict(Cohort.objects.values_list("scope", "slug"))
    lines = (
        [
            f"{act.at:%Y-%m-%d %H:%M:%S}",
            *(act.by or "", act.by_id or "", act.kind, act.person or "", act.person_id or ""),
            *(slugs.get(act.scope, act.scope), act.thing, act.words),
        ]
        for act in acts(request.GET).iterator(chunk_size=1000)
    )
    return csv_answer("who-did-what", COLUMNS, lines)


def acts(asked):
    """The acts that are asked for, the newest first, with their people. asked: kind, who, cohort, since, until; what is
    not understood narrows nothing. Days are the reader's."""
    found = Act.objects.select_related("by", "person")
    if asked.get("kind") in KINDS:
        found = found.filter(kind=asked["kind"])
    for word in asked.get("who", "").split():
        found = found.filter(
            Q(by__name__icontains=word)
            | Q(by__email__icontains=word)
            | Q(person__name__icontains=word)
            | Q(person__email__icontains=word)
            | Q(thing__icontains=word)
        )
    if asked.get("cohort"):
        found = found.filter(scope__in=Cohort.objects.filter(slug=asked["cohort"]).values("scope"))
    if since := _day(asked.get("since")):
        found = found.filter(at__gte=since)
    if until := _day(asked.get("until")):
        found = found.filter(at__lt=until + timedelta(days=1))
    return found


def _day(text):
    """The beginning of a day in the reader's zone; None for what is no day."""
    try:
        day = parse_date(text or "")
    except ValueError:
        return None
    return timezone.make_aware(datetime.combine(day, time())) if day else None
