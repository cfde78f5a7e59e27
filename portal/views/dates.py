"""A cohort's dates for those who teach: weeks moved, single dates, holidays; and one student's own deadline.

Nothing is changed before it was shown: a GET with the form's fields is the preview, its POST does what was shown.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from portal import extending, moving, replanning, schedule
from portal.access import teacher_page
from portal.models import Assignment, DateMove, Extension, Holiday, User

AGAIN = gettext_lazy(
    "The dates changed while you looked. This is what your change would do now: look again before you save."
)


class WeekForm(forms.Form):
    week = forms.IntegerField(error_messages={"required": gettext_lazy("Choose a week.")})
    by = forms.IntegerField(
        error_messages={
            "required": gettext_lazy("Write by how many days."),
            "invalid": gettext_lazy("Write whole days, such as 7 or -1."),
        }
    )
    only = forms.BooleanField(required=False)


class DateForm(forms.Form):
    which = forms.CharField(error_messages={"required": gettext_lazy("Choose a date.")})
    at = forms.CharField(max_length=30, error_messages={"required": gettext_lazy("Write the new date and time.")})


class HolidayForm(forms.Form):
    first = forms.DateField(
        error_messages={
            "required": gettext_lazy("Write the first day."),
            "invalid": gettext_lazy("Write the day as a date."),
        }
    )
    last = forms.DateField(required=False, error_messages={"invalid": gettext_lazy("Write the last day as a date.")})
    name = forms.CharField(
        max_length=80, error_messages={"required": gettext_lazy("Write what the holiday is called.")}
    )

    def clean(self):
        found = super().clean()
        if found.get("first") and not found.get("last"):
            found["last"] = found["first"]
        if found.get("first") and found["last"] < found["first"]:
            raise forms.ValidationError(_("The last day is before the first."))
        return found


FORMS = {"week": WeekForm, "date": DateForm, "holiday": HolidayForm}


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@teacher_page
def dates(request, standing):
    """What was told, what was changed; and a change, shown first."""
    now, cohort = timezone.now(), standing.cohort
    asked = request.POST if request.method == "POST" else request.GET
    do = asked.get("do") if asked.get("do") in FORMS else None
    shown, trouble, status = None, "", 200
    if do:
        try:
            shown = _preview(standing, do, asked, now)
        except schedule.ScheduleError as wrong:
            trouble, status = str(wrong), 422
    if request.method == "POST":
        why = asked.get("why", "").strip()[:200]
        if shown and shown.moves and not why:
            trouble, status = _("Write one line why: the people whom it touches read it."), 422
        elif shown and shown.seen != asked.get("seen"):
            trouble, status = AGAIN, 409
        elif shown:
            try:
                move = moving.apply(cohort, shown, why=why, by=request.user, now=now)
                messages.success(request, _done(move))
                return redirect("portal:dates", cohort.slug)
            except moving.Changed:
                trouble, status = AGAIN, 409
        elif not do:
            trouble, status = _("Choose what to change."), 422
    facts = {
        "now": now,
        "standing": standing,
        "cohort": cohort,
        "told": standing.told,
        "choices": [(one, kind, moving.what(kind, one.week)) for one, kind in _to_come(standing, now)],
        "weeks": [one for one in standing.told if one.due_at and schedule.events([one.dates])[-1].at > now],
        "do": do,
        "asked": asked,
        "why": asked.get("why") or asked.get("name", ""),
        "fields": [(name, asked.get(name, "")) for name in FORMS[do].base_fields] if do else [],
        "shown": shown,
        "trouble": trouble,
        "holidays": cohort.holidays.all(),
        "moves": DateMove.objects.filter(cohort=cohort).select_related("by").prefetch_related("dates__week")[:10],
        "cohort_zone": ZoneInfo(cohort.zone),
    }
    return render(request, "portal/dates.html", facts, status=status)


def _to_come(standing, now):
    for one in standing.told:
        for kind, name in schedule.FIELDS.items():
            at = getattr(one, name)
            if at and at > now:
                yield one, kind


def _preview(standing, do, asked, now):
    """A moving.Preview of what the form asks for. Raises ScheduleError, also for a form that cannot be read."""
    form = FORMS[do](asked)
    if not form.is_valid():
        raise schedule.ScheduleError(" ".join(words for found in form.errors.values() for words in found))
    cohort, given = standing.cohort, form.cleaned_data
    zone, told = ZoneInfo(cohort.zone), [one.dates for one in standing.told]
    if do == "week":
        moves = replanning.move_week(told, given["week"], given["by"], not given["only"], zone, now)
        entries = [{"week": given["week"], "days": given["by"], "following": not given["only"]}]
        if not moves:
            raise schedule.ScheduleError(_("All dates of that week are past. What has happened stays as it was told."))
        return moving.preview(cohort, standing.told, moves, now=now, entries=entries)
    if do == "date":
        number, _space, kind = given["which"].partition(" ")
        local = _local(given["at"], is_deadline=kind == "due")
        moves = replanning.set_date(told, int(number) if number.isdecimal() else -1, kind, local, zone, now)
        if not moves:
            raise schedule.ScheduleError(_("That is the date that was told already."))
        entries = [{"week": int(number), kind: local.isoformat()}]
        return moving.preview(cohort, standing.told, moves, now=now, entries=entries)
    days = replanning.Days(given["first"], given["last"], given["name"])
    moves = replanning.clear_of([days], told, zone, now)
    holiday = Holiday(cohort=cohort, first=days.first, last=days.last, name=days.name)
    entries = moving.entries_of(moves, zone)
    return moving.preview(cohort, standing.told, moves, now=now, entries=entries, holiday=holiday)


def _done(move):
    if move is None:
        return _("Noted. No date lies on it, so none was moved.")
    words = ngettext("Moved, and %(n)s student told.", "Moved, and %(n)s students told.", move.people_told)
    return words % {"n": move.people_told}


@require_POST
@teacher_page
def forget_holiday(request, standing, pk):
    """The dates stay as they were told."""
    get_object_or_404(Holiday, cohort=standing.cohort, pk=pk).delete()
    messages.success(request, _("The holiday is off the list. The dates stay as they were told."))
    return redirect("portal:dates", standing.cohort.slug)


# --- one student's own deadline --------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@teacher_page
def extensions(request, standing):
    """Who has a deadline of their own; and another one."""
    now, cohort = timezone.now(), standing.cohort
    cases = cases_of(standing)
    students = {str(one.user_id): one.user for one in cohort.memberships.students().select_related("user")}
    trouble = ""
    if request.method == "POST":
        case, student = cases.get(request.POST.get("case")), students.get(request.POST.get("student"))
        try:
            if case is None or student is None:
                raise extending.Refused(_("Choose a student and a case study."))
            due = deadline_of(request.POST.get("at", ""), cohort)
            extending.grant(cohort, case, student, due, reason=request.POST.get("reason", ""), by=request.user, now=now)
            messages.success(request, _("%(student)s has a deadline of their own, and is told.") % {"student": student})
            return redirect("portal:extensions", cohort.slug)
        except (extending.Refused, schedule.ScheduleError) as refused:
            trouble = str(refused)
    told = {one.week_id: one for one in standing.told}
    in_force = Extension.objects.in_force().filter(cohort=cohort).select_related("student", "assignment__week")
    facts = {
        "now": now,
        "standing": standing,
        "cohort": cohort,
        "cases": [(one, told[one.week_id]) for one in cases.values()],
        "students": students.values(),
        "granted": [(one, told[one.assignment.week_id]) for one in in_force.select_related("granted_by")],
        "trouble": trouble,
        "asked": request.POST or request.GET,
        "cohort_zone": ZoneInfo(cohort.zone),
    }
    return render(request, "portal/extensions.html", facts, status=422 if trouble else 200)


def cases_of(standing):
    """{pk as a text: Assignment} of the case studies that have a deadline in the cohort."""
    due = {told.week_id for told in standing.told if told.due_at}
    found = Assignment.objects.filter(week__course=standing.cohort.course_id).select_related("week")
    return {str(one.pk): one for one in found if one.week_id in due}


def deadline_of(text, cohort):
    """The instant of what a <datetime-local> holds, by the cohort's clock. Raises ScheduleError."""
    return schedule.instant(_local(text, is_deadline=True), ZoneInfo(cohort.zone), deadline=True)


def _local(text, *, is_deadline):
    """What a <datetime-local> holds: a wall-clock time of the cohort's zone. A deadline of 23:59 is told as 23:59:59.

    Raises ScheduleError.
    """
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        local = None
    if local is None or local.tzinfo or not 2000 <= local.year <= 2100:
        raise schedule.ScheduleError(_("Write the new date as a date and a time, by the cohort's clock."))
    return local.replace(second=59) if is_deadline and local.minute == 59 else local


@require_POST
@teacher_page
def withdraw_extension(request, standing, pk):
    extension = get_object_or_404(Extension.objects.in_force().filter(cohort=standing.cohort), pk=pk)
    extending.withdraw(extension, by=request.user, now=timezone.now())
    student = User.objects.get(pk=extension.student_id)
    words = _("Everybody's deadline holds for %(student)s again, and they are told.")
    messages.success(request, words % {"student": student})
    return redirect("portal:extensions", standing.cohort.slug)
