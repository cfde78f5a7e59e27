"""The week in figures, told on Sunday evening to whoever teaches a cohort."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Max
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from costs import weeks
from costs.retelling import retold
from labs.day_words import written_day
from portal import languages, notices
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
            with translation.override(languages.of(person)):
                subject = _subject(cohort, week)
                words = in_words(week, zone_of(person))
            new += notices.tell(person, "teaching", key, subject, words, url=reverse("costs:spend"), now=now)
    return new


def _subject(cohort: Cohort, week: weeks.Week) -> str:
    return ngettext(
        "%(cohort)s: %(usd)s this week, %(n)s light left on",
        "%(cohort)s: %(usd)s this week, %(n)s lights left on",
        len(week.lights),
    ) % {"cohort": cohort, "usd": _usd(week.usd), "n": len(week.lights)}


def in_words(week: weeks.Week, zone) -> str:
    lines = [
        _("Spent in the seven days to now (UTC days, from %(day)s): %(usd)s.")
        % {"day": written_day(week.since), "usd": _usd(week.usd)}
    ]
    if week.unpriced_seconds:
        hours = Decimal(week.unpriced_seconds) / 3600
        lines.append(
            _("Besides, %(hours)s hours of something that has no price: they are not in this sum.")
            % {"hours": f"{hours:.1f}"}
        )
    if week.students:
        lines += ["", _("The most, by person:"), *(f"- {name}: {_usd(usd)}" for name, usd in week.students)]
    if week.resources:
        lines += ["", _("The most, by resource:"), *(f"- {name}: {_usd(usd)}" for name, usd in week.resources)]
    left = ngettext("Left on now: %(n)s light.", "Left on now: %(n)s lights.", len(week.lights))
    lines += ["", left % {"n": len(week.lights)}]
    for one in week.lights[:SHOWN]:
        then = ""
        if one.ends:
            then = " " + _("Goes off %(at)s unless it is used or put off.") % {"at": local(one.ends.at, zone)}
        elif one.left.snoozed_until:
            then = " " + _("Put off to %(at)s.") % {"at": local(one.snoozed_until, zone)}
        lines.append(f"- {one.title} {one.name}, {one.owner}: {retold(one.loudest.sentence)}.{then}")
    if len(week.lights) > SHOWN:
        lines.append("- " + _("and %(n)s more") % {"n": len(week.lights) - SHOWN})
    saved = week.saved
    form = _("Saved by what went off by itself this week: about %(usd)s, counted to the next session.")
    lines += ["", form % {"usd": _usd(saved.usd)}]
    if saved.practice_usd:
        lines.append(_("Of it %(usd)s in practice mode, where nobody is billed.") % {"usd": _usd(saved.practice_usd)})
    if saved.unpriced:
        lines.append(_("%(n)s more had no price, and are not in this sum.") % {"n": saved.unpriced})
    return "\n".join(lines)


def _usd(amount: Decimal) -> str:
    return _("less than $0.01") if 0 < amount < Decimal("0.005") else f"${amount:,.2f}"
