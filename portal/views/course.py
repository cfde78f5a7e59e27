"""The syllabus, a week, its materials and their files."""

from collections import Counter
from dataclasses import dataclass, field

from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from portal import casework, filing, live, reading, schedule, wording
from portal.access import member_page
from portal.agenda import of as of_saturday
from portal.models import MaterialEdition
from portal.views import feeds
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
        if len(own) == 1 and own[0].everybodys_due_at:
            told = own[0].told
        rows.append(Row(told, state, is_preview=standing.teaches and not is_released, cases=own))
    return rows


@require_safe
@member_page
def course(request, standing):
    now = timezone.now()
    cases = casework.cases(standing, now)
    weeks = weeks_of(standing, now, cases)
    told = schedule.events([week.told.dates for week in weeks])
    kinds, read = {}, Counter()
    marked = reading.with_marks(standing.materials(now), request.user)
    for week, kind, version, seen in marked.values_list("week_id", "kind", "version", "seen_version"):
        kinds.setdefault(week, []).append(kind)
        read[week] += reading.mark_of(version, seen) == reading.READ
    unread = standing.threads(now).unread_by_week(request.user)
    labs = list(standing.labs(now).values_list("week_id", flat=True))
    for week in weeks:
        week.readings = sum(kind != "lab_kit" for kind in kinds.get(week.week.pk, []))
        week.unread = unread.get(week.week.pk, 0)
        week.read, week.of = read[week.week.pk], len(kinds.get(week.week.pk, []))
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
            "calendar": feeds.addresses_of(standing.membership),
            "standings": request.standings,
        },
    )


@require_safe
@member_page
def week(request, number, standing):
    """A week; before its release students are told when it opens and nothing of what is in it."""
    now = timezone.now()
    told = standing.week(number)
    rows = weeks_of(standing, now, [])
    row = next(row for row in rows if row.told == told)
    context = {"now": now, "standing": standing, "row": row, "week": told.week, "told": told, "weeks": rows}
    if row.state == "locked" and not row.is_preview:
        return render(request, "portal/week_locked.html", {**context, "opens_in": told.released_at - now})
    materials = marked(standing, told.week, now)
    threads = standing.threads(now).filter(week=told.week)
    assignments = standing.assignments(now).filter(week=told.week).select_related("week")
    cases = casework.cases(standing, now, assignments)
    return render(
        request,
        "portal/week.html",
        {
            **context,
            "theory": [material for material in materials if material.kind != "lab_kit"],
            "kits": [material for material in materials if material.kind == "lab_kit"],
            "labs": launchable(standing, told, now),
            "cases": cases,
            "agenda": agenda(weeks_of(standing, now, cases), told, now),
            "read": sum(material.mark == reading.READ for material in materials),
            "material_count": len(materials),
            "threads": list(threads.with_counts(request.user)[:5]),
            "thread_count": threads.count(),
            "live": live.shown(told, now, teaches=standing.teaches),
            "talks": of_saturday(standing.cohort, told.week_id, now),
            **_before_the_course(standing, told),
            "next_week": next((other for other in rows if other.number == number + 1), None),
        },
    )


def marked(standing, week, now):
    """The materials of a week that exist for the reader, each with its `mark`: of reading, "" for those who teach."""
    materials = list(reading.with_marks(standing.materials(now).filter(week=week), standing.user))
    for one in materials:
        one.mark = reading.mark_of(one.version, one.seen_version) if standing.is_student else ""
    return materials


def _before_the_course(standing, told):
    if told.week.number != schedule.ONBOARDING or not standing.is_student:
        return {}
    return {"ready": reading.ready(standing), "region": (standing.cohort.lab_regions or ["us-east-1"])[0]}


def agenda(rows, told, now):
    """The days from the Monday of this week to the next Monday, in the reader's zone; of onboarding none."""
    if told.due_at is None:
        return []
    zone = timezone.get_current_timezone()
    monday = told.released_at.astimezone(zone).date()
    days = schedule.days([row.told.dates for row in rows], monday, 8, zone, now)
    return [(day, wording.lines_of(day)) for day in days]


def material_of(standing, number, slug, now):
    materials = reading.with_marks(standing.materials(now), standing.user).select_related("week")
    return get_object_or_404(materials, week__number=number, slug=slug)


def _edition(found, request):
    """The former version that the address asks for with ?version=; None for the present one. A 404 for another."""
    number = request.GET.get("version", "")
    if not number:
        return None
    return get_object_or_404(
        MaterialEdition, material=found, number=int(number) if number.isdecimal() and len(number) < 5 else 0
    )


@require_safe
@member_page
def material(request, number, slug, standing):
    now = timezone.now()
    told = standing.week(number)
    found = material_of(standing, number, slug, now)
    former = _edition(found, request)
    mark = reading.look(found, request.user, now) if standing.is_student and not former else ""
    others = list(standing.materials(now).filter(week=told.week))
    at = others.index(found)
    return render(
        request,
        "portal/material.html",
        {
            "now": now,
            "standing": standing,
            "material": found,
            "shown": former or found,
            "former": former,
            "editions": list(found.editions.defer("body_md")),
            "mark": mark if mark == reading.CHANGED else "",
            "told": told,
            "is_preview": not schedule.is_released(told.dates, now),
            "before": others[at - 1] if at else None,
            "after": others[at + 1] if at + 1 < len(others) else None,
            "on_disk": bool((former or found).file) and course_file(former or found).is_file(),
        },
    )


@require_safe
@member_page
def material_file(request, number, slug, standing):
    """The file of a material, as an attachment. Not there before its week is released, like everything of it."""
    now = timezone.now()
    found = material_of(standing, number, slug, now)
    former = _edition(found, request)
    if standing.is_student and not former and request.method == "GET":
        reading.look(found, request.user, now)
    found = former or found
    if not found.file or not course_file(found).is_file():
        raise Http404(_("This material has no file."))
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
