"""The calendar feed: the same told instants as on every page, with the cohort's zone. Its address is a secret."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import icalendar
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from portal import schedule
from portal.access import Standing
from portal.models import Membership

SESSION = timedelta(hours=3)


@require_safe
def calendar(request, token):
    """text/calendar for whoever knows the token of a membership. Titles of what is not released are not in it."""
    membership = get_object_or_404(
        Membership.objects.select_related("cohort__course", "user"), feed_token=token, user__is_active=True
    )
    standing = Standing(membership.user, membership.cohort, membership.role, membership)
    answer = HttpResponse(feed(standing, timezone.now()), content_type="text/calendar; charset=utf-8")
    answer["Content-Disposition"] = 'inline; filename="course.ics"'
    answer["Cache-Control"] = "private, max-age=900"
    return answer


def feed(standing, now):
    """The bytes of the calendar. An event keeps its UID when its date moves, so calendars move it too."""
    cohort, zone = standing.cohort, ZoneInfo(standing.cohort.zone)
    book = icalendar.Calendar()
    book.add("prodid", "-//Lightsout//Course calendar//EN")
    book.add("version", "2.0")
    book.add("x-wr-calname", f"{cohort.course.title}, {cohort.name}")
    book.add("refresh-interval", timedelta(hours=1), parameters={"VALUE": "DURATION"})
    cases = {}
    for title, week in standing.assignments(now).values_list("title", "week_id"):
        cases.setdefault(week, []).append(title)
    for told in standing.told:
        shown = f": {told.week.title}" if standing.teaches or schedule.is_released(told.dates, now) else ""
        name = told.week.name
        book.add_component(_event(standing, told, "release", told.released_at, f"{name} opens{shown}", zone))
        if told.due_at:
            due = ", ".join(cases.get(told.week_id, [])) or f"Case study of {name.lower()}"
            book.add_component(_event(standing, told, "due", told.due_at, f"{due} due", zone))
        if told.session_at:
            words = f"{name} live: hands-on, discussion, feedback, Q&A" if told.week.number else f"{name} live"
            book.add_component(_event(standing, told, "session", told.session_at, words, zone, lasts=SESSION))
    book.add_missing_timezones()
    return book.to_ical()


def _event(standing, told, kind, at, summary, zone, lasts=timedelta(0)):
    event = icalendar.Event()
    event.add("uid", f"{standing.cohort.scope}-{told.week.number}-{kind}@lightsout")
    event.add("summary", summary)
    event.add("dtstart", at.astimezone(zone))
    event.add("dtend", at.astimezone(zone) + lasts)
    # Of the telling, not of the asking: a feed that did not change is the same bytes.
    event.add("dtstamp", standing.cohort.enrolment_opens_at)
    event.add("url", settings.PUBLIC_URL + reverse("portal:week", args=[told.week.number]))
    return event
