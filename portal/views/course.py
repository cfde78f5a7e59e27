"""The syllabus, a week, its materials and their files."""

from dataclasses import dataclass, field

from django.conf import settings
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from portal import casework, filing, schedule, wording
from portal.access import member_page
from portal.views.labs import launchable


@dataclass
class Row:
    """A week as its reader sees it. state: locked, now, or open (opened before the week that runs now)."""

    told: object
    state: str
    is_preview: bool  # shown to those who teach, before students may know of it
    cases: list = field(default_factory=list)

    @property
    def week(self):
        return self.told.week

    @property
    def number(self):
        return self.told.week.number

    @property
    def is_done(self):
        """All that can be handed in was, and the week is over."""
        return self.state == "open" and all(case.last for case in self.cases)


def weeks_of(standing, now, cases):
    """A Row for each week of the cohort, in order. No query but that of standing.told."""
    current = schedule.current_week([told.dates for told in standing.told], now)
    rows = []
    for told in standing.told:
        is_released = schedule.is_released(told.dates, now)
        state = "now" if told.week.number == current else "open" if is_released else "locked"
        own = [case for case in cases if case.assignment.week_id == told.week_id]
        rows.append(Row(told, state, is_preview=standing.teaches and not is_released, cases=own))
    return rows


@require_safe
@member_page
def course(request, standing):
    now = timezone.now()
    cases = casework.cases(standing, now)
    weeks = weeks_of(standing, now, cases)
    told = schedule.events([week.told.dates for week in weeks])
    kinds = {}
    for week, kind in standing.materials(now).values_list("week_id", "kind"):
        kinds.setdefault(week, []).append(kind)
    labs = list(standing.labs(now).values_list("week_id", flat=True))
    for week in weeks:
        week.readings = sum(kind != "lab_kit" for kind in kinds.get(week.week.pk, []))
        week.lab_count = labs.count(week.week.pk) + kinds.get(week.week.pk, []).count("lab_kit")
    return render(
        request,
        "portal/course.html",
        {
            "now": now,
            "standing": standing,
            "weeks": weeks,
            "cases": cases,
            "scored": [case for case in cases if case.last_feedback],
            "instructors": standing.cohort.memberships.instructors().select_related("user"),
            "next_dates": [wording.line_of(event) for event in told if event.at > now and event.kind != "feedback"][:6],
            "feed": standing.membership,
            "feed_address": feed_address(standing.membership),
            "standings": request.standings,
        },
    )


def feed_address(membership):
    """In full, as one gives it to a calendar; None for an admin, who has no membership."""
    return membership and settings.PUBLIC_URL + reverse("portal:feed", args=[membership.feed_token])


@require_safe
@member_page
def week(request, number, standing):
    """A week; before its release students are told when it opens and nothing of what is in it."""
    now = timezone.now()
    told = _told(standing, number)
    rows = weeks_of(standing, now, [])
    row = next(row for row in rows if row.told == told)
    context = {"now": now, "standing": standing, "row": row, "week": told.week, "told": told, "weeks": rows}
    if row.state == "locked" and not row.is_preview:
        return render(request, "portal/week_locked.html", {**context, "opens_in": told.released_at - now})
    materials = list(standing.materials(now).filter(week=told.week))
    assignments = standing.assignments(now).filter(week=told.week).select_related("week")
    return render(
        request,
        "portal/week.html",
        {
            **context,
            "theory": [material for material in materials if material.kind != "lab_kit"],
            "kits": [material for material in materials if material.kind == "lab_kit"],
            "labs": launchable(standing, told, now),
            "cases": casework.cases(standing, now, assignments),
            "agenda": agenda(rows, told, now),
            "next_week": next((other for other in rows if other.number == number + 1), None),
        },
    )


def agenda(rows, told, now):
    """The days from the Monday of this week to the next Monday, in the reader's zone; of onboarding none."""
    if told.due_at is None:
        return []
    zone = timezone.get_current_timezone()
    monday = told.released_at.astimezone(zone).date()
    days = schedule.days([row.told.dates for row in rows], monday, 8, zone, now)
    return [(day, wording.lines_of(day)) for day in days]


def _told(standing, number):
    found = next((told for told in standing.told if told.week.number == number), None)
    if found is None:
        raise Http404("No such week.")
    return found


def material_of(standing, number, slug, now):
    return get_object_or_404(standing.materials(now).select_related("week"), week__number=number, slug=slug)


@require_safe
@member_page
def material(request, number, slug, standing):
    now = timezone.now()
    told = _told(standing, number)
    found = material_of(standing, number, slug, now)
    others = list(standing.materials(now).filter(week=told.week))
    at = others.index(found)
    return render(
        request,
        "portal/material.html",
        {
            "now": now,
            "standing": standing,
            "material": found,
            "told": told,
            "is_preview": not schedule.is_released(told.dates, now),
            "before": others[at - 1] if at else None,
            "after": others[at + 1] if at + 1 < len(others) else None,
            "on_disk": bool(found.file) and course_file(found).is_file(),
        },
    )


@require_safe
@member_page
def material_file(request, number, slug, standing):
    """The file of a material, as an attachment. Not there before its week is released, like everything of it."""
    found = material_of(standing, number, slug, timezone.now())
    if not found.file or not course_file(found).is_file():
        raise Http404("This material has no file.")
    return attachment(course_file(found), found.file_name)


def course_file(found):
    try:
        return filing.on_disk(f"courses/{found.file}", within="courses")
    except filing.Refused as refusal:
        raise Http404(str(refusal)) from refusal


def attachment(path, name, content_type="application/octet-stream"):
    """Send a file so that no browser opens it as a page of ours, whatever is in it."""
    opened = open(path, "rb")  # noqa: SIM115  FileResponse closes it when it is sent
    answer = FileResponse(opened, as_attachment=True, filename=name, content_type=content_type)
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["Cache-Control"] = "private, no-cache"
    return answer
