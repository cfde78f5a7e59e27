"""Changing dates that a cohort was told: shown first, then changed and told anew in one transaction.

portal.replanning says what would become of which date. Here it is read against the database: whom it touches, what they
were told, and what does not move along.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labs import audit
from portal import languages, notices, replanning, schedule, telling
from portal.models import (
    Announcement,
    ClassStart,
    Cohort,
    CohortWeek,
    DateMove,
    Draft,
    Extension,
    Holiday,
    Membership,
    Week,
)
from portal.models import MovedDate as MovedRow
from portal.replanning import Moved
from portal.templatetags.look import written, zone_name, zone_offset
from portal.zones import zone_of

SOON = timedelta(hours=36)
WHAT = {
    "release": gettext_lazy("%(week)s opens"),
    "due": gettext_lazy("Case study of %(week)s due"),
    "feedback": gettext_lazy("Feedback of %(week)s"),
    "session": gettext_lazy("%(week)s live session"),
}


class Changed(Exception):
    """The dates are not those any more that the person was shown: they have to look again."""


@dataclass(frozen=True)
class Line:
    """One date as it was told and as it would be."""

    week: Week
    moved: Moved

    @property
    def words(self):
        """What date it is, in the language of whoever reads it: of the notices each is written in its reader's."""
        return what(self.moved.kind, self.week)


@dataclass
class Preview:
    """What a change would do. `seen` stands for the dates that it was worked out from."""

    moves: list[Moved]
    lines: list[Line]
    remarks: list[str]
    stays: list[str]
    people: int
    seen: str
    entries: list = field(default_factory=list)
    holiday: Holiday | None = None


def entries_of(moves: Sequence[Moved], zone: ZoneInfo) -> list[dict]:
    """Moves by whole days as Cohort.exceptions notes them: each week with what it moves beyond the one before."""
    by_week: dict[int, int] = {}
    for one in moves:
        was, becomes = (at.astimezone(zone).date() for at in (one.was, one.becomes))
        by_week.setdefault(one.number, (becomes - was).days)
    found, before = [], 0
    for number, days in sorted(by_week.items()):
        if number != schedule.OPTIONAL and days != before:
            found.append({"week": number, "days": days - before, "following": True})
            before = days
    return found


def what(kind, week):
    """ "Week 3 opens", "Case study of week 3 due"; a sentence's beginning is a capital."""
    pattern = str(WHAT[kind])
    said = pattern % {"week": week.name if pattern.startswith("%(week)s") else week.name.lower()}
    return said[0].upper() + said[1:]


def fingerprint(told: Sequence[CohortWeek]) -> str:
    """Stands for all dates of a cohort: another one when any of them differs."""
    facts = [str(one.dates) for one in told]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:32]


def preview(cohort: Cohort, told: Sequence[CohortWeek], moves: list[Moved], *, now: datetime, entries=(), holiday=None):
    """What `moves` would do, in words; nothing is changed. Four queries.

    entries: what Cohort.exceptions notes of it, for weeks that are added to the course later. holiday: not saved yet.
    """
    zone = ZoneInfo(cohort.zone)
    weeks = {one.week.number: one.week for one in told}
    holidays = [replanning.Days(one.first, one.last, one.name) for one in cohort.holidays.all()]
    if holiday:
        holidays.append(replanning.Days(holiday.first, holiday.last, holiday.name))
    rhythm = schedule.Rhythm.read(cohort.rhythm)
    said = replanning.remarks([one.dates for one in told], moves, holidays, rhythm, zone)
    numbers = {one.number for one in moves}
    stays = []
    granted = Extension.objects.in_force().filter(cohort=cohort, assignment__week__number__in=numbers)
    for extension in granted.select_related("student", "assignment"):
        facts = {"student": extension.student, "case": extension.assignment}
        facts["when"] = written(extension.due_at, "datetime", zone, now)
        stays.append(_("%(student)s’s own deadline of %(case)s stays: %(when)s.") % facts)
    planned = ClassStart.objects.planned().filter(cohort=cohort, week__number__in=numbers, at__gt=now)
    said += [
        _("A class start of %(lab)s is planned for %(when)s. It does not move: cancel it and plan it anew.")
        % {"lab": one.lab_slug, "when": written(one.at, "datetime", zone, now)}
        for one in planned
    ]
    return Preview(
        moves=moves,
        lines=[Line(weeks[one.number], one) for one in moves],
        remarks=said,
        stays=stays,
        people=cohort.memberships.students().filter(user__is_active=True).count(),
        seen=fingerprint(told),
        entries=list(entries),
        holiday=holiday,
    )


def apply(cohort: Cohort, shown: Preview, *, why: str, by, now: datetime) -> DateMove | None:
    """Do what was shown: all dates and the notices of them, or nothing. None where only a holiday was noted.

    Raises Changed when the dates are not those any more that the preview was worked out from.
    """
    with transaction.atomic():
        # Not its key: who hands in holds their draft, which waits here below, and refers to the cohort.
        kept = Cohort.objects.select_for_update(no_key=True).get(pk=cohort.pk)
        told = list(CohortWeek.objects.filter(cohort=kept).select_related("week").order_by("week__number"))
        if fingerprint(told) != shown.seen:
            raise Changed
        if shown.holiday:
            shown.holiday.save()
        if not shown.moves:
            return None
        weeks = {one.week.number: one for one in told}
        for one in shown.moves:
            setattr(weeks[one.number], schedule.FIELDS[one.kind], one.becomes)
        CohortWeek.objects.bulk_update(weeks.values(), list(schedule.FIELDS.values()))
        if any(one.kind == "due" for one in shown.moves):
            Draft.objects.filter(cohort=kept).move_deadline()
        if shown.entries:
            kept.exceptions = [*kept.exceptions, *({**entry, "why": why} for entry in shown.entries)]
            kept.save(update_fields=["exceptions"])
        move = DateMove.objects.create(cohort=kept, by=by, at=now, why=why, people_told=shown.people)
        MovedRow.objects.bulk_create(
            MovedRow(move=move, week=weeks[m.number].week, kind=m.kind, was=m.was, became=m.becomes)
            for m in shown.moves
        )
        words = f"{len(shown.moves)} date{'' if len(shown.moves) == 1 else 's'} moved, {shown.people} people told"
        audit.note("dates", words, by=by, scope=kept.scope, now=now)
        _tell(kept, move, shown, by=by, now=now)
        telling.tell_costs(now)
    return move


def _tell(cohort, move, shown, *, by, now):
    people = [
        one.user
        for one in Membership.objects.filter(cohort=cohort, user__is_active=True).select_related("user")
        if one.user_id != getattr(by, "pk", None)
    ]
    soonest = min(at for one in shown.moves for at in (one.was, one.becomes))
    notices.tell_each(
        ((person, f"dates-{move.pk}", _subject(shown.lines, person), reverse("portal:course")) for person in people),
        "school",
        now=now,
        words=lambda person: _letter(shown.lines, move.why, person, ZoneInfo(cohort.zone), now),
        is_urgent=soonest - now < SOON,
    )
    zone = ZoneInfo(cohort.zone)
    # One text for all who read it, whatever their languages.
    with translation.override("en"):
        Announcement.objects.create(
            cohort=cohort,
            author=by,
            at=now,
            title=_new_dates(shown.lines)[:140],
            body_md=in_words(shown.lines, move.why, zone, zone, now, mark="- "),
            key=f"dates-{move.pk}",
            move=move,
        )


def _subject(lines, person):
    with translation.override(languages.of(person)):
        return _new_dates(lines)


def _letter(lines, why, person, cohort_zone, now):
    with translation.override(languages.of(person)):
        return in_words(lines, why, zone_of(person), cohort_zone, now)


def _new_dates(lines):
    first, more = lines[0].words, len(lines) - 1
    if not more:
        return _("New dates: %(first)s") % {"first": first}
    return _("New dates: %(first)s, and %(more)s more") % {"first": first, "more": more}


def in_words(lines, why, zone, cohort_zone, now, mark=""):
    """Each date with what it was, in the reader's zone, and in the cohort's beside it where that is another."""
    said = [why, ""] if why else []
    for line in lines:
        at = line.moved.becomes
        when = written(at, "datetime", zone, now)
        if at.astimezone(zone).utcoffset() != at.astimezone(cohort_zone).utcoffset():
            when += f" ({written(at, 'datetime', cohort_zone, now)} {zone_name(cohort_zone)})"
        facts = {"date": line.words, "when": when, "was": written(line.moved.was, "datetime", zone, now)}
        said.append(mark + _("%(date)s: %(when)s. It was %(was)s.") % facts)
    # The zone by name: what it is ahead of UTC may differ from one of these dates to another.
    clock = _("Times are %(zone)s time (%(offset)s today).")
    return "\n".join([*said, "", clock % {"zone": zone_name(zone), "offset": zone_offset(zone, now)}])
