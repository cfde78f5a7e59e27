"""The instructor's view of a cohort: its dates and its people."""

from datetime import timedelta
from decimal import Decimal

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Max, Q, Sum
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from costs.models import DailySpend
from labs.models import Launch
from portal import access, reading, schedule
from portal.access import member_page, teacher_page
from portal.models import Draft, Extension, Submission
from portal.views.course import weeks_of

AWAY = timedelta(days=7)
SHOWS = {
    "": gettext_lazy("All"),
    "missing": gettext_lazy("Not handed in"),
    "labs": gettext_lazy("Labs on"),
    "away": gettext_lazy("Not seen for a week"),
}


@require_safe
@login_required
def here(request):
    standing = access.standing(request)
    if standing is None or not standing.teaches:
        raise Http404("No cohort to look after here.")
    return redirect("portal:cohort_page", standing.cohort.slug)


@require_POST
@member_page
def choose(request, standing):
    """Which of one's cohorts the pages are about, from now on."""
    chosen = access.standing(request, request.POST.get("cohort", ""))
    if chosen is None:
        raise Http404("You are not in that cohort.")
    request.session["cohort"] = chosen.cohort.slug
    return redirect("portal:today")


@require_safe
@teacher_page
def page(request, standing):
    now, show = timezone.now(), request.GET.get("show", "")
    weeks = weeks_of(standing, now, [])
    current = current_week(standing, now, weeks)
    rows = roster(standing.cohort, current.week if current else None)
    for row in rows:
        row["is_over"] = bool(current and schedule.is_late(now, current.told.due_at)) and not _has_more_time(row, now)
    return render(
        request,
        "portal/cohort.html",
        {
            "now": now,
            "standing": standing,
            "cohort": standing.cohort,
            "standings": {slug: one for slug, one in request.standings.items() if one.teaches},
            "weeks": weeks,
            "current": current,
            "students": len(rows),
            "roster": shown_of(rows, show, now),
            "show": show,
            "shows": SHOWS,
            "invited": standing.cohort.invitations.waiting().count(),
            "ready": reading.count_ready(standing.cohort),
            "instructors": standing.cohort.memberships.instructors().select_related("user"),
        },
    )


def current_week(standing, now, weeks=None):
    """The newest week with something to hand in that is open; None before the first one."""
    weeks = weeks_of(standing, now, []) if weeks is None else weeks
    return next((row for row in reversed(weeks) if row.told.due_at and row.state != "locked"), None)


def shown_of(rows, show, now):
    """Those of the roster's rows that one of SHOWS asks for; all of them for any other word."""
    chosen = {
        "missing": lambda row: row["handed_in"] < row["of"],
        "labs": lambda row: row["labs_on"],
        "away": lambda row: row["seen_at"] is None or now - row["seen_at"] > AWAY,
    }.get(show)
    return [row for row in rows if chosen(row)] if chosen else rows


def _has_more_time(row, now):
    return any(not schedule.is_late(now, one.due_at) for one in row["own"])


def roster(cohort, week):
    """A row for each student with counts of the week's case studies; who handed in least comes first. Seven queries.

    Row: {"membership", "handed_in", "of", "late", "last_at", "drafts", "own", "labs_on", "usd", "seen_at"}. own: the
    Extensions that they have in this week. usd: what their labs in this cohort cost so far, by the meter.
    """
    of = week.assignments.count() if week else 0
    handed_in, drafts, own = {}, {}, {}
    if week:
        here = {"cohort": cohort, "assignment__week": week}
        for row in (
            Submission.objects.filter(**here)
            .values("student_id")
            .annotate(
                count=Count("assignment", distinct=True),
                late=Count("pk", filter=Q(is_late=True)),
                last=Max("received_at"),
            )
        ):
            handed_in[row["student_id"]] = row
        begun = Draft.objects.filter(**here).exclude(answer_md="", files=None)
        drafts = dict(begun.values_list("student_id").annotate(Count("pk", distinct=True)))
        for one in Extension.objects.in_force().filter(**here):
            own.setdefault(one.student_id, []).append(one)
    labs_on = dict(Launch.objects.open().filter(scope=cohort.scope).values_list("owner_id").annotate(Count("pk")))
    spent = DailySpend.objects.filter(scope=cohort.scope).order_by().values_list("owner_id").annotate(Sum("usd"))
    usd = dict(spent)
    rows = []
    for membership in cohort.memberships.students().select_related("user").order_by("user__name", "user__email"):
        sent = handed_in.get(membership.user_id, {"count": 0, "late": 0, "last": None})
        rows.append(
            {
                "membership": membership,
                "handed_in": sent["count"],
                "of": of,
                "late": sent["late"],
                "last_at": sent["last"],
                "drafts": drafts.get(membership.user_id, 0),
                "own": own.get(membership.user_id, []),
                "labs_on": labs_on.get(membership.user_id, 0),
                "usd": usd.get(membership.user_id, Decimal(0)),
                "seen_at": membership.user.seen_at or membership.user.last_login,
            }
        )
    return sorted(rows, key=lambda row: (row["handed_in"] >= row["of"], -row["late"]))
