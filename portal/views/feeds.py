"""The calendar feed: the same told instants as on every page, with the cohort's zone. Its address is a secret.

An event keeps its UID when its date moves and gets the next SEQUENCE, so that calendars move it instead of adding one.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import icalendar
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from portal import languages, schedule
from portal.access import Standing, member_page
from portal.models import Extension, Membership, MovedDate
from portal.models.course import new_feed_token
from portal.templatetags.look import written, zone_name, zone_offset
from portal.zones import zone_of


@require_safe
def calendar(request, token):
    """text/calendar for whoever knows the token of a membership. Titles of what is not released are not in it."""
    membership = get_object_or_404(
        Membership.objects.select_related("cohort__course", "user"), feed_token=token, user__is_active=True
    )
    standing = Standing(membership.user, membership.cohort, membership.role, membership)
    return _sent(feed(standing, timezone.now()), "inline", "course.ics")


@require_safe
@member_page
def week_file(request, number, standing):
    """The dates of one week as a file, for a calendar that does not subscribe. The same events as in the feed."""
    told = standing.week(number)
    return _sent(feed(standing, timezone.now(), only=told), "attachment", f"week-{number}.ics")


@require_POST
@member_page
def renew(request, standing):
    """Another secret address; who has the old one finds nothing there any more."""
    if standing.membership is None:
        raise Http404(_("Only members of a cohort have a calendar of it."))
    Membership.objects.filter(pk=standing.membership.pk).update(feed_token=new_feed_token())
    messages.success(request, _("Your calendar has a new address. The old one is dead: subscribe to the new one."))
    return redirect(reverse("portal:course") + "#ca")


def _sent(content, disposition, name):
    answer = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    answer["Content-Disposition"] = f'{disposition}; filename="{name}"'
    answer["Cache-Control"] = "private, max-age=900"
    return answer


def addresses_of(membership):
    """How one subscribes: {"plain", "webcal" (Apple, Outlook), "google", "outlook"}; None without a membership."""
    if membership is None:
        return None
    plain = settings.PUBLIC_URL + reverse("portal:feed", args=[membership.feed_token])
    webcal = f"webcal://{plain.partition('://')[2]}"
    name = membership.cohort.course.title
    return {
        "plain": plain,
        "webcal": webcal,
        "google": f"https://calendar.google.com/calendar/r?cid={quote(webcal, safe='')}",
        "outlook": f"https://outlook.live.com/calendar/0/addfromweb?{urlencode({'url': plain, 'name': name})}",
    }


# --- the bytes -------------------------------------------------------------------------------------------------


@dataclass
class Revised:
    """How often a date was told anew, and when last."""

    times: int
    at: datetime

    def once_more(self, times, at):
        return Revised(self.times + times, max(self.at, at))


def feed(standing, now, only=None):
    """The bytes of the calendar, in its reader's language: whoever fetches it has no session. `only`: of one
    CohortWeek. It changes when something was told anew or its reader chose another language, and else not."""
    with translation.override(languages.of(standing.user)):
        return _feed(standing, now, only)


def _feed(standing, now, only):
    cohort, zone = standing.cohort, ZoneInfo(standing.cohort.zone)
    book = icalendar.Calendar()
    book.add("prodid", "-//Lightsout//Course calendar//EN")
    book.add("version", "2.0")
    book.add("calscale", "GREGORIAN")
    book.add("x-wr-calname", f"{cohort.course.title}, {cohort.name}")
    book.add("x-wr-timezone", cohort.zone)
    book.add("refresh-interval", timedelta(hours=1), parameters={"VALUE": "DURATION"})
    book.add("x-published-ttl", "PT1H")
    writer = _Writer(standing, zone, now)
    for told in [only] if only else standing.told:
        for event in writer.of_week(told):
            book.add_component(event)
    for holiday in () if only else cohort.holidays.all():
        book.add_component(writer.holiday(holiday))
    book.add_missing_timezones()
    return book.to_ical()


class _Writer:
    def __init__(self, standing, zone, now):
        self.standing, self.zone, self.now = standing, zone, now
        self.readers = zone_of(standing.user)
        self.cases = defaultdict(list)
        for case in standing.assignments(now).order_by("position", "slug"):
            self.cases[case.week_id].append(case)
        first = Revised(0, standing.cohort.enrolment_opens_at)
        self.revised = defaultdict(lambda: first)
        for week, kind, at in MovedDate.objects.filter(move__cohort=standing.cohort).values_list(
            "week_id", "kind", "move__at"
        ):
            self.revised[week, kind] = self.revised[week, kind].once_more(1, at)
        own = Extension.objects.filter(cohort=standing.cohort, student=standing.user)
        self.own = {one.assignment_id: one for one in own}

    def of_week(self, told):
        name, cases = told.week.name, self.cases[told.week_id]
        is_shown = self.standing.teaches or schedule.is_released(told.dates, self.now)
        words = _("%(week)s opens: %(title)s") if is_shown else _("%(week)s opens")
        words %= {"week": name, "title": told.week.title}
        yield self.event(told, "release", told.released_at, words)
        if told.due_at:
            revised, at = self.revised[told.week_id, "due"], told.due_at
            for case in cases:
                own = self.own.get(case.pk)
                if own is None:
                    continue
                # One case study: its event moves to the own deadline, and back when that is withdrawn.
                if len(cases) == 1:
                    revised = revised.once_more(own.revision, own.withdrawn_at or own.granted_at)
                    at = told.due_at if own.withdrawn_at else own.due_at
                elif own.withdrawn_at is None:
                    since = Revised(own.revision, own.granted_at)
                    words = _("%(case)s due, for you") % {"case": case}
                    yield self.event(told, f"due-{case.slug}", own.due_at, words, revised=since)
            if cases:
                words = _("%(case)s due") % {"case": ", ".join(map(str, cases))}
            else:
                words = _("Case study of %(week)s due") % {"week": name.lower()}
            yield self.event(told, "due", at, words, revised=revised)
        if told.session_at:
            words = _("%(week)s live: hands-on, discussion, feedback, Q&A") if told.week.number else _("%(week)s live")
            words %= {"week": name}
            yield self.event(told, "session", told.session_at, words, lasts=schedule.A_SESSION)

    def event(self, told, kind, at, summary, *, revised=None, lasts=None):
        revised = revised or self.revised[told.week_id, kind]
        address = settings.PUBLIC_URL + reverse("portal:week", args=[told.week.number])
        event = icalendar.Event()
        event.add("uid", f"{self.standing.cohort.scope}-{told.week.number}-{kind}@lightsout")
        event.add("summary", summary)
        event.add("dtstart", at.astimezone(self.zone))
        # Without a length there is no DTEND: one that equals DTSTART is not valid (RFC 5545, 3.8.2.2).
        if lasts:
            event.add("dtend", (at + lasts).astimezone(self.zone))
        event.add("description", f"{self.in_zones(at)}\n{address}")
        # Of the telling, not of the asking: a feed that did not change is the same bytes.
        event.add("dtstamp", revised.at)
        event.add("last-modified", revised.at)
        event.add("sequence", revised.times)
        event.add("transp", "OPAQUE" if lasts else "TRANSPARENT")
        event.add("url", address)
        return event

    def in_zones(self, at):
        """The instant in the cohort's zone, and in the reader's where that is another."""
        zones = [self.zone]
        if at.astimezone(self.zone).utcoffset() != at.astimezone(self.readers).utcoffset():
            zones.append(self.readers)
        return "\n".join(
            _("%(when)s %(zone)s time (%(offset)s)")
            % {
                "when": written(at, "datetime", zone, at),
                "zone": zone_name(zone),
                "offset": zone_offset(zone, at),
            }
            for zone in zones
        )

    def holiday(self, holiday):
        event = icalendar.Event()
        event.add("uid", f"{self.standing.cohort.scope}-holiday-{holiday.pk}@lightsout")
        event.add("summary", _("Holiday: %(name)s") % {"name": holiday.name})
        event.add("dtstart", holiday.first)
        event.add("dtend", holiday.last + timedelta(days=1))
        event.add("dtstamp", self.standing.cohort.enrolment_opens_at)
        event.add("transp", "TRANSPARENT")
        return event
