"""The home page: what today means, the next step, what is on, what came back."""

from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from costs.dashboard import lights_of
from portal import access, casework, discussing, live, schedule, wording
from portal.views.course import weeks_of
from portal.views.labs import cut_off_labs, open_labs, own_budget


@require_safe
@login_required
def today(request):
    now = timezone.now()
    standing = access.standing(request)
    if standing is None:
        return render(request, "portal/no_cohort.html")
    if standing.teaches:
        return redirect("portal:review" if standing.role != "admin" else "costs:spend")
    lights = lights_of(request.user, now)
    cases = casework.cases(standing, now)
    weeks = weeks_of(standing, now, cases)
    current = schedule.current_week([week.told.dates for week in weeks], now)
    strip = schedule.this_week([week.told.dates for week in weeks], timezone.get_current_timezone(), now)
    return render(
        request,
        "portal/today.html",
        {
            "now": now,
            "standing": standing,
            "weeks": weeks,
            "current": next((week for week in weeks if week.number == current), None),
            "strip": [(day, wording.lines_of(day)) for day in strip],
            "next_step": next_step(cases),
            "upcoming": upcoming(weeks, now),
            "today": now.astimezone(timezone.get_current_timezone()).date(),
            "news": latest_feedback(cases),
            "announcements": list(discussing.unread_announcements(standing)[:3]),
            "live_now": live.now_open(standing, now),
            "taught": sum(week.told.due_at is not None for week in weeks),
            "open_labs": open_labs(request.user, now),
            "cut_off_labs": cut_off_labs(request.user, now),
            "lights": lights,
            "budget": own_budget(request.user, standing.cohort, lights, now),
        },
    )


def next_step(cases):
    """The case study to hand in next: on time and soonest due first, else the one missed last; None when all are in."""
    open_ones = [case for case in cases if case.last is None and case.told.due_at]
    on_time = [case for case in open_ones if not case.is_over]
    if on_time:
        return min(on_time, key=lambda case: case.told.due_at)
    return max(open_ones, key=lambda case: case.told.due_at, default=None)


def upcoming(weeks, now):
    """The Line of what comes next; None when all is over. The deadline of what is handed in does not come any more, and
    feedback is said with its session."""
    told = schedule.events([week.told.dates for week in weeks])
    handed_in = {week.number for week in weeks if week.cases and all(case.last for case in week.cases)}
    return next(
        (
            wording.line_of(event)
            for event in told
            if event.at > now and event.kind != "feedback" and not (event.kind == "due" and event.number in handed_in)
        ),
        None,
    )


def latest_feedback(cases):
    found = [feedback for case in cases for feedback in case.feedback]
    return max(found, key=lambda feedback: feedback.released_at, default=None)
