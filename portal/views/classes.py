"""Class starts: an instructor plans a lab for the whole cohort at an hour, sees first what it would do, and cancels."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labs import catalog
from portal import prelaunching, schedule
from portal.access import teacher_page
from portal.models import ClassSeat, ClassStart, LabInWeek

STOP_POLLING = 286  # htmx ends a poll on this answer
SPREAD, MOST_SPREAD = 5, 120  # minutes
LOCAL = "%Y-%m-%dT%H:%M"  # of an <input type="datetime-local">


@dataclass
class Seat:
    """A student's line of a plan. state: as templatetags/look.py names it; words: what is told beside it."""

    seat: ClassSeat
    state: str
    words: str = ""

    @property
    def is_moving(self):
        return self.state in ("waiting", "creating")


@require_http_methods(["GET", "HEAD", "POST"])
@teacher_page
def class_starts(request, standing):
    """What is planned, and a form that shows first what a plan would do."""
    now, cohort = timezone.now(), standing.cohort
    parts = [part for part in _parts(standing) if part.lab_slug in catalog.catalog()]
    asked = request.POST if request.method == "POST" else request.GET
    form = _form(standing, parts, asked, now)
    told, status = None, 200
    if "lab" in asked and not form["trouble"]:
        given = {"now": now, "spread": timedelta(minutes=form["spread"])}
        if request.method == "POST":
            try:
                made = prelaunching.plan(cohort, form["part"], form["at"], by=request.user, **given)
                messages.success(request, _("Planned. Each student's starts by itself; you can cancel until then."))
                return redirect("portal:class_start", cohort.slug, made.pk)
            except prelaunching.Impossible:
                status = 422
        told = prelaunching.preview(cohort, form["part"], form["at"], **given)
    elif request.method == "POST":
        status = 422
    planned = ClassStart.objects.filter(cohort=cohort).select_related("week", "planned_by")
    facts = {
        "now": now,
        "standing": standing,
        "cohort": cohort,
        "form": form,
        "parts": [(part, catalog.get(part.lab_slug)) for part in parts],
        "told": told,
        "plans": [(one, _title(one)) for one in planned[:20]],
        "most_spread": MOST_SPREAD,
    }
    return render(request, "portal/class_starts.html", facts, status=status)


def _parts(standing):
    return LabInWeek.objects.filter(week__course=standing.cohort.course_id).select_related("week")


def _form(standing, parts, asked, now):
    """{"part", "at" (an instant), "at_local" (as the field has it), "spread" (minutes), "trouble"}; by default the lab
    of the week that is on, at the next live session."""
    sessions = [told for told in standing.told if told.session_at and told.session_at > now]
    session = min(sessions, key=lambda told: told.session_at, default=None)
    weeks = [told.week_id for told in standing.told if schedule.is_released(told.dates, now)]
    usual = next((part for part in parts if session and part.week_id == session.week_id), None)
    usual = usual or next((part for part in reversed(parts) if part.week_id in weeks), parts[0] if parts else None)
    zone = timezone.get_current_timezone()
    form = {
        "part": next((part for part in parts if str(part.pk) == asked.get("lab")), usual),
        "at": session.session_at if session else now + timedelta(hours=1),
        "spread": SPREAD,
        "trouble": "" if parts else _("No week of this course has a lab."),
    }
    try:
        if "at" in asked:
            form["at"] = schedule.instant(datetime.strptime(asked["at"], LOCAL), zone)  # noqa: DTZ007  it gets the zone
        form["spread"] = int(asked.get("spread") or 0) if "spread" in asked else SPREAD
        if not 0 <= form["spread"] <= MOST_SPREAD:
            form["trouble"] = _("Starts are spread over 0 to %(most)s minutes.") % {"most": MOST_SPREAD}
    except (ValueError, OverflowError):
        form["trouble"] = _("Write the hour as a date and a time, and the spread as whole minutes.")
    if "lab" in asked and str(getattr(form["part"], "pk", "")) != asked["lab"]:
        form["trouble"] = _("Choose one of these labs.")
    return form | {"at_local": form["at"].astimezone(zone).strftime(LOCAL)}


@require_safe
@never_cache
@teacher_page
def class_start(request, standing, pk):
    """One plan with a line a student; asked by htmx, only these."""
    one = _of(standing, pk)
    now = timezone.now()
    seats = [_seat(one, seat) for seat in one.seats.select_related("student", "launch__account")]
    seats.sort(key=lambda line: (line.state != "failed", line.seat.start_at))
    facts = {
        "now": now,
        "standing": standing,
        "cohort": standing.cohort,
        "one": one,
        "title": _title(one),
        "seats": seats,
        "running": sum(line.state == "running" for line in seats),
        "waiting": sum(line.state == "waiting" for line in seats),
        "refused": sum(line.state == "failed" for line in seats),
        "is_over": not any(line.is_moving for line in seats),
    }
    if request.headers.get("HX-Request"):
        return render(request, "portal/_class_seats.html", facts, status=STOP_POLLING if facts["is_over"] else 200)
    return render(request, "portal/class_start.html", facts)


@require_POST
@teacher_page
def cancel(request, standing, pk):
    one = _of(standing, pk)
    if one.cancelled_at is None:
        kept = prelaunching.cancel(one, now=timezone.now(), by=request.user)
        words = _("Cancelled: %(n)s not started by it any more. What runs already stays on until its own clock.")
        messages.success(request, words % {"n": kept})
    return redirect("portal:class_start", standing.cohort.slug, one.pk)


def _of(standing, pk):
    plans = ClassStart.objects.filter(cohort=standing.cohort).select_related("week", "planned_by", "cancelled_by")
    return get_object_or_404(plans, pk=pk)


def _title(one):
    lab = catalog.catalog().get(one.lab_slug)
    return lab.title if lab else one.lab_slug


def _seat(one, seat):
    launch = seat.launch
    if seat.outcome == ClassSeat.REFUSED:
        return Seat(seat, "failed", seat.said)
    if not seat.outcome:
        return Seat(seat, "gone", _("Cancelled before it was started")) if one.cancelled_at else Seat(seat, "waiting")
    if launch is None or launch.ended_at:
        return Seat(seat, "gone", seat.said)
    if launch.asked_to_end_at:
        return Seat(seat, "stopping", seat.said)
    return Seat(seat, "running" if launch.ready_at else "creating", seat.said)
