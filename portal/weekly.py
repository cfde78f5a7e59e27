"""The week in figures, told on Sunday evening to whoever teaches a cohort."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Max
from django.urls import reverse

from costs import weeks
from portal import notices
from portal.lights import local
from portal.models import Cohort, Notice
from portal.zones import zone_of

SUNDAY, EVENING = 6, time(18)
# After its last session a cohort is told of once more: what is still on costs on.
AFTER = timedelta(days=8)
SHOWN = 10


def sunday_of(now: datetime, zone) -> datetime | None:
    """PURE. The instant of this Sunday's 18:00 in that zone, if it has come and Sunday is not over."""
    here = now.astimezone(zone)
    at = datetime.combine(here.date(), EVENING, zone)
    return at if here.weekday() == SUNDAY and at.timestamp() <= now.timestamp() else None


def tell(now: datetime) -> int:
    """Each instructor of each cohort that goes on, once a week. Answers how many notices are new."""
    new = 0
    cohorts = Cohort.objects.annotate(last=Max("told__session_at")).filter(enrolment_opens_at__lte=now)
    for cohort in cohorts:
        at = sunday_of(now, ZoneInfo(cohort.zone))
        if at is None or (cohort.last and cohort.last + AFTER < now):
            continue
        key = f"week {cohort.scope} {at:%Y-%m-%d}"
        told = set(Notice.objects.filter(key=key).values_list("person", flat=True))
        teachers = cohort.memberships.instructors().filter(user__is_active=True).exclude(user__in=told)
        people = [membership.user for membership in teachers.select_related("user")]
        if not people:
            continue
        week = weeks.week_of(cohort.scope, now)
        for person in people:
            subject = f"{cohort}: {_usd(week.usd)} this week, {_lights(len(week.lights))} left on"
            words = in_words(week, zone_of(person))
            new += notices.tell(person, "teaching", key, subject, words, url=reverse("costs:spend"), now=now)
    return new


def in_words(week: weeks.Week, zone) -> str:
    lines = [f"Spent in the seven days to now (UTC days, from {week.since:%a %-d %b}): {_usd(week.usd)}."]
    if week.unpriced_seconds:
        hours = Decimal(week.unpriced_seconds) / 3600
        lines.append(f"Besides, {hours:.1f} hours of something that has no price: they are not in this sum.")
    if week.students:
        lines += ["", "The most, by person:", *(f"- {name}: {_usd(usd)}" for name, usd in week.students)]
    if week.resources:
        lines += ["", "The most, by resource:", *(f"- {name}: {_usd(usd)}" for name, usd in week.resources)]
    lines += ["", f"Left on now: {_lights(len(week.lights))}."]
    for one in week.lights[:SHOWN]:
        ends = f" Goes off {local(one.ends.at, zone)} unless it is used or put off." if one.ends else ""
        off = f" Put off to {local(one.snoozed_until, zone)}." if one.left.snoozed_until and not one.ends else ""
        lines.append(f"- {one.title} {one.name}, {one.owner}: {one.loudest.sentence}.{ends}{off}")
    if len(week.lights) > SHOWN:
        lines.append(f"- and {len(week.lights) - SHOWN} more")
    saved = week.saved
    lines += ["", f"Saved by what went off by itself this week: about {_usd(saved.usd)}, counted to the next session."]
    if saved.practice_usd:
        lines.append(f"Of it {_usd(saved.practice_usd)} in practice mode, where nobody is billed.")
    if saved.unpriced:
        lines.append(f"{saved.unpriced} more had no price, and are not in this sum.")
    return "\n".join(lines)


def _usd(amount: Decimal) -> str:
    return "less than $0.01" if 0 < amount < Decimal("0.005") else f"${amount:,.2f}"


def _lights(number: int) -> str:
    return f"{number} light{'' if number == 1 else 's'}"
