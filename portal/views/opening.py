"""A new cohort from a course, a first Saturday and a rhythm: one form, and every date shown before it is saved."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from portal import access, enrolling, moving, replanning, schedule
from portal.models import Cohort, Course, Holiday, Membership
from portal.models.people import validate_zone

USUAL = schedule.Rhythm()
PARTS = [
    ("release", gettext_lazy("Material opens")),
    ("due", gettext_lazy("Case study is due")),
    ("feedback", gettext_lazy("Feedback is released")),
    ("session", gettext_lazy("Live session")),
]
DAYS = [(str(n), name) for n, name in WEEKDAYS_ABBR.items()]
HOLIDAYS = 3  # rows of the form; more are entered on the cohort's page of dates
# Addresses of ours that lie where a cohort's slug stands.
TAKEN = {"new", "choose"}


class CohortForm(forms.Form):
    """The whole of it. `dates` and `changes` are worked out when everything else is right."""

    name = forms.CharField(max_length=120, error_messages={"required": gettext_lazy("Give the cohort a name.")})
    start_on = forms.DateField(
        error_messages={
            "required": gettext_lazy("Choose the day of onboarding."),
            "invalid": gettext_lazy("Write the first day as a date."),
        }
    )
    zone = forms.CharField(max_length=64, initial="Asia/Yangon", validators=[validate_zone])

    def __init__(self, courses, asked=None):
        super().__init__(asked)
        self.fields["course"] = forms.ModelChoiceField(
            courses, empty_label=None, error_messages={"required": _("Choose a course.")}
        )
        for part, label in PARTS:
            usual = getattr(USUAL, part)
            self.fields[f"{part}_day"] = forms.ChoiceField(label=label, choices=DAYS, initial=str(usual.weekday))
            self.fields[f"{part}_at"] = forms.TimeField(
                label=_("%(what)s, time") % {"what": label},
                initial=usual.at.strftime("%H:%M"),
                error_messages={"invalid": _("%(what)s: write the time as 21:00.") % {"what": label}},
            )
        for n in range(1, HOLIDAYS + 1):
            self.fields[f"first_{n}"] = forms.DateField(label=_("First day"), required=False)
            self.fields[f"last_{n}"] = forms.DateField(label=_("Last day"), required=False)
            self.fields[f"holiday_{n}"] = forms.CharField(label=_("Name"), max_length=80, required=False)

    @property
    def rhythm_rows(self):
        return [(label, self[f"{part}_day"], self[f"{part}_at"]) for part, label in PARTS]

    @property
    def holiday_rows(self):
        return [(self[f"holiday_{n}"], self[f"first_{n}"], self[f"last_{n}"]) for n in range(1, HOLIDAYS + 1)]

    def clean(self):
        found = super().clean()
        if self.errors:
            return found
        try:
            self.rhythm = self._rhythm(found)
            self.holidays = self._holidays(found)
            zone = ZoneInfo(found["zone"])
            numbers = list(found["course"].weeks.values_list("number", flat=True))
            taught = max((n for n in numbers if n != schedule.OPTIONAL), default=0)
            changes = replanning.around(
                self.holidays, found["start_on"], zone, schedule.Rhythm.read(self.rhythm), taught
            )
            self.exceptions = [
                {"week": c.week, "days": c.days, "following": c.following, "why": c.why} for c in changes
            ]
        except (schedule.ScheduleError, OverflowError) as wrong:
            raise ValidationError(str(wrong)) from wrong
        return found

    def _rhythm(self, found):
        """What differs from the usual rhythm, as Cohort.rhythm keeps it."""
        differs = {}
        for part, _label in PARTS:
            at = found[f"{part}_at"]
            # The announced second counts in full: 23:59 is told as 23:59:59.
            at = at.replace(second=59) if part == "due" and at.minute == 59 else at
            moment = schedule.Moment(int(found[f"{part}_day"]), at)
            if moment != getattr(USUAL, part):
                differs[part] = str(moment)
        return differs

    def _holidays(self, found):
        days = []
        for n in range(1, HOLIDAYS + 1):
            name, first = found.get(f"holiday_{n}"), found.get(f"first_{n}")
            last = found.get(f"last_{n}") or first
            if not (name or first or last):
                continue
            if not (name and first):
                raise schedule.ScheduleError(_("A holiday has a name and a first day."))
            if last < first:
                raise schedule.ScheduleError(_("%(name)s: the last day is before the first.") % {"name": name})
            days.append(replanning.Days(first, last, name))
        return days

    def cohort(self, now):
        """As it would be, not saved. Its slug is free."""
        found = self.cleaned_data
        return Cohort(
            course=found["course"],
            slug=free_slug(found["name"]),
            name=found["name"],
            start_on=found["start_on"],
            zone=found["zone"],
            rhythm=self.rhythm,
            exceptions=self.exceptions,
            enrolment_opens_at=now,
        )


def free_slug(name):
    """The address of a cohort that is called so; counted on when it is taken."""
    wanted = slugify(name)[:44].strip("-") or "cohort"
    taken = TAKEN | set(Cohort.objects.filter(slug__startswith=wanted).values_list("slug", flat=True))
    return next(slug for n in range(1, 10_000) if (slug := wanted if n == 1 else f"{wanted}-{n}") not in taken)


def courses_of(request):
    """Those from which the asker may open cohorts: of admins all, else those that they teach."""
    access.standing(request)
    if request.user.is_staff:
        return Course.objects.all()
    taught = [one.cohort.course_id for one in request.standings.values() if one.teaches]
    return Course.objects.filter(pk__in=taught)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def new(request):
    """GET with the form's fields shows every date; POST saves what was shown. Who opens one teaches it."""
    courses = courses_of(request)
    if not courses.exists():
        raise Http404(_("No course to open a cohort from."))
    now = timezone.now()
    asked = request.POST if request.method == "POST" else request.GET
    form = CohortForm(courses, asked if "name" in asked else None)
    shown = []
    if form.is_bound and form.is_valid():
        cohort = form.cohort(now)
        if request.method == "POST":
            with transaction.atomic():
                made = enrolling.open_cohort(
                    cohort.course,
                    slug=cohort.slug,
                    name=cohort.name,
                    start_on=cohort.start_on,
                    now=now,
                    zone=cohort.zone,
                    rhythm=cohort.rhythm,
                    exceptions=cohort.exceptions,
                )
                Holiday.objects.bulk_create(
                    Holiday(cohort=made, first=one.first, last=one.last, name=one.name) for one in form.holidays
                )
                enrolling.enrol(made, request.user, role=Membership.Role.INSTRUCTOR, now=now)
            request.session["cohort"] = made.slug
            messages.success(
                request, _("%(cohort)s is open, and its dates are told to whoever joins.") % {"cohort": made.name}
            )
            return redirect("portal:cohort_page", made.slug)
        shown = preview(cohort)
    facts = {
        "now": now,
        "form": form,
        "shown": shown,
        "cohort_zone": form.cleaned_data["zone"] if shown else "",
        "exceptions": form.exceptions if shown else [],
        "zones": sorted(available_timezones()),
        "is_past": bool(shown) and shown[0][1][-1][1] < now,
        "next_saturday": _next_day(now),
    }
    return render(request, "portal/new_cohort.html", facts, status=422 if form.errors else 200)


def preview(cohort):
    """[(Week, [(words, instant)])] of every date that would be told, in order of weeks."""
    weeks = {week.number: week for week in cohort.course.weeks.all()}
    taught = max((number for number in weeks if number != schedule.OPTIONAL), default=0)
    return [
        (
            weeks[dates.number],
            [(moving.what(event.kind, weeks[dates.number]), event.at) for event in schedule.events([dates])],
        )
        for dates in cohort.computed_dates(weeks=taught)
        if dates.number in weeks
    ]


def _next_day(now):
    """The Saturday after next, as a start that leaves time to invite people."""
    day = now.date() + timedelta(days=7)
    return day + timedelta(days=(USUAL.session.weekday - day.weekday()) % 7)
