"""Telling people of lights: theirs that are left on, what was turned off for them, in the evening, and after a lab.

costs says what there is to tell and is then told that it was; `portal.notices` delivers it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time

from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from costs import forgotten, lighting, tonight
from costs.dashboard.forgotten import forgotten_in
from costs.kinds import title_of
from costs.models import Finding
from costs.retelling import retold
from labs import catalog
from labs.models import Launch
from portal import languages, notices
from portal.models import Membership, Notice, User
from portal.templatetags.look import day_and_time
from portal.zones import zone_of

BEDTIME = time(22)
SHOWN = 20  # lines of one notice


def tell(now: datetime) -> int:
    """Everything that is to be told of lights. Answers how many notices are new."""
    return tell_owners(now) + tell_staff(now) + tell_acts(now) + tell_evening(now) + tell_after_labs(now)


# --- what was left on ----------------------------------------------------------------------------------------


def tell_owners(now: datetime) -> int:
    """One notice a person for all that they are to be told of, with what happens next."""
    return _each(forgotten.reminders_due(), forgotten.reminded, _of_owner, now)


def tell_staff(now: datetime) -> int:
    """One notice for each who teaches the scope; of what is no cohort's, for each admin."""
    new = 0
    for scope, findings in lighting.staff_due().items():
        key, url = _key("left on, to staff", findings, "staff_asked_at"), reverse("costs:forgotten")
        with transaction.atomic():
            ends = _next_of(findings, now)
            for person in _staff_of(scope):
                with translation.override(languages.of(person)):
                    subject, words = _left_on(findings), _lines(findings, ends, zone_of(person), whose=True)
                new += notices.tell(person, "teaching", key, subject, words, url=url, now=now)
            lighting.staff_told(findings, now)
    return new


def _left_on(findings: list[Finding]) -> str:
    facts = {"n": len(findings), "nobodys": sum(finding.resource.owner_id is None for finding in findings)}
    if facts["nobodys"]:
        form = ngettext(
            "%(n)s light left on for hours, %(nobodys)s of them nobody’s",
            "%(n)s lights left on for hours, %(nobodys)s of them nobody’s",
            facts["n"],
        )
    else:
        form = ngettext("%(n)s light left on for hours", "%(n)s lights left on for hours", facts["n"])
    return form % facts


def tell_acts(now: datetime) -> int:
    """What the cohort's policy turned off: its owner hears of it, whether it was told of before or not."""
    return _each(lighting.acts_due(), lighting.acts_told, _of_act, now)


def _each(due, told, of_person, now: datetime) -> int:
    people, new = User.objects.in_bulk(due), 0
    for owner, findings in due.items():
        with transaction.atomic(), translation.override(languages.of(people[owner])):
            new += of_person(people[owner], findings, now)
            told(findings, now)
    return new


def _of_owner(person: User, findings: list[Finding], now: datetime) -> bool:
    subject = ngettext("%(n)s of your lights is still on", "%(n)s of your lights are still on", len(findings)) % {
        "n": len(findings)
    }
    words = _lines(findings, _next_of(findings, now), zone_of(person))
    words += "\n\n" + _(
        "Turn off what you do not need. If you need it, say so to your instructor: they can put it off."
    )
    key = _key("left on", findings, "reminder_asked_at")
    return notices.tell(person, "lights", key, subject, words, url=reverse("costs:mine"), now=now)


def _of_act(person: User, findings: list[Finding], now: datetime) -> bool:
    subject = ngettext(
        "%(n)s light of yours is turned off: nobody used it",
        "%(n)s lights of yours are turned off: nobody used them",
        len(findings),
    ) % {"n": len(findings)}
    words = _lines(findings, {}, zone_of(person))
    words += "\n\n" + _("What is stopped keeps its disk, and can be started again.")
    key = _key("turned off", findings, "acted_at")
    return notices.tell(person, "lights", key, subject, words, url=reverse("costs:mine"), now=now)


def _key(what: str, findings: Iterable[Finding], field: str) -> str:
    findings = list(findings)
    return f"{what} {min(one.pk for one in findings)} {max(getattr(one, field) for one in findings):%Y%m%d%H%M%S}"


def _next_of(findings: Iterable[Finding], now: datetime) -> dict:
    """{resource: what the policy does with it, and when}."""
    scopes = {finding.resource.scope for finding in findings}
    return {one.row.pk: one.ends for one in forgotten_in(scopes, now)}


def _lines(findings: list[Finding], ends: dict, zone, *, whose: bool = False) -> str:
    lines = []
    for finding in findings[:SHOWN]:
        row = finding.resource
        owner = ", " + str(row.owner or _("nobody’s")) if whose else ""
        line = f"- {title_of(row.kind)} {row.name or row.aws_id}, {row.region}{owner}: {retold(finding.sentence)}."
        end = ends.get(row.pk)
        if end:
            stops = end.act == lighting.STOP
            form = (
                _("Stopped %(at)s, unless it is used or put off.")
                if stops
                else _("Deleted %(at)s, unless it is used or put off.")
            )
            line += " " + form % {"at": local(end.at, zone)}
        lines.append(line)
    if len(findings) > SHOWN:
        lines.append("- " + _("and %(n)s more") % {"n": len(findings) - SHOWN})
    return "\n".join(lines)


def local(at: datetime, zone) -> str:
    """'Thu 22:15': an instant as its reader's clock shows it."""
    return day_and_time(at.astimezone(zone))


def _staff_of(scope: str) -> list[User]:
    if not scope:
        return list(User.objects.filter(is_staff=True, is_active=True))
    taught = Membership.objects.instructors().filter(cohort__scope=scope, user__is_active=True)
    return [membership.user for membership in taught.select_related("user")]


# --- before bed, and when a lab is over ----------------------------------------------------------------------


def bedtime_of(now: datetime, zone) -> datetime | None:
    """PURE. The instant of 22:00 of this evening in that zone, if it has come and it is not midnight yet.

    Of a 22:00 that a change of clocks shows twice it is the first.
    """
    here = now.astimezone(zone)
    at = datetime.combine(here.date(), BEDTIME, zone)
    return at if at.timestamp() <= now.timestamp() else None


def tell_evening(now: datetime) -> int:
    """At 22:00 of each person's own zone: what of theirs has been on, labs in use too. Once an evening, and not of what
    they switch on after that. Two queries as long as it is nobody's bedtime; few more then."""
    people = User.objects.filter(pk__in=tonight.owners_with_something(), is_active=True)
    evenings = {}
    for person in people:
        at = bedtime_of(now, zone_of(person))
        if at is not None:
            evenings[person.pk] = (person, at, f"evening {at:%Y-%m-%d}")
    if not evenings:
        return 0
    told = set(Notice.objects.filter(person__in=evenings, key__startswith="evening ").values_list("person", "key"))
    evenings = {pk: one for pk, one in evenings.items() if (pk, one[2]) not in told}
    new = 0
    for pk, lights in tonight.lit_of(evenings, now).items():
        person, at, key = evenings[pk]
        on = [one for one in lights if one.since.timestamp() <= at.timestamp()]
        if on:
            with translation.override(languages.of(person)):
                subject = ngettext(
                    "%(n)s light of yours is on this evening", "%(n)s lights of yours are on this evening", len(on)
                ) % {"n": len(on)}
                words = _lit(on, zone_of(person))
            new += notices.tell(person, "lights", key, subject, words, url=reverse("costs:mine"), now=now)
    return new


def tell_after_labs(now: datetime) -> int:
    """A lab is over, and something of its student's is on that nothing ends: once a lab."""
    over = [launch for launch in tonight.just_over(now) if launch.owner.is_active]
    told = (
        Notice.objects.filter(key__in=[_after(launch) for launch in over]).values_list("key", flat=True) if over else ()
    )
    over = [launch for launch in over if _after(launch) not in set(told)]
    lit, new = tonight.lit_of({launch.owner_id for launch in over}, now), 0
    for launch in over:
        lights = [one for one in lit.get(launch.owner_id, ()) if one.ends_at is None and one.since <= launch.ended_at]
        if lights:
            lab = catalog.catalog().get(launch.lab)
            with translation.override(languages.of(launch.owner)):
                subject = ngettext(
                    "%(lab)s is over, and %(n)s light of yours is still on",
                    "%(lab)s is over, and %(n)s lights of yours are still on",
                    len(lights),
                ) % {"lab": lab.title if lab else launch.lab, "n": len(lights)}
                words = _lit(lights, zone_of(launch.owner))
            new += notices.tell(
                launch.owner, "lights", _after(launch), subject, words, url=reverse("costs:mine"), now=now
            )
    return new


def _after(launch: Launch) -> str:
    return f"after lab {launch.pk.hex}"


def _lit(lights: list[tonight.Lit], zone) -> str:
    lines = []
    for one in lights[:SHOWN]:
        known = one.rate.known
        costs = _("nobody knows what it costs") if known is None else _("%(usd)s an hour") % {"usd": f"${known:.4f}"}
        if one.ends_at:
            ends = _("its lab turns it off %(at)s") % {"at": local(one.ends_at, zone)}
        else:
            ends = _("nothing turns it off by itself")
        lines.append(f"- {one.words}: {costs}; {ends}.")
    if len(lights) > SHOWN:
        lines.append("- " + _("and %(n)s more") % {"n": len(lights) - SHOWN})
    return "\n".join(lines)
