"""Class starts: an instructor plans a lab for the whole cohort at an hour, and every student's runs by then.

A plan is told before it is made (`preview`): what it costs, whom a budget or an account would refuse, what AWS's quotas
have room for. What cannot work is not planned. The rows are the queue: `start_due` may be lost, doubled or late.
"""

import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from costs import budget
from costs.exposing import hours_between
from labs import catalog, launching, ledger, pacing, quotas
from labs.catalog.base import Lab
from labs.models import Account, Launch
from portal.access import Standing
from portal.models import ClassSeat, ClassStart, LabInWeek, Membership
from portal.placing import Known, Place, mode_of, nowhere, place_of, region_of
from portal.views.labs import NotNow, Startable, begin

log = logging.getLogger(__name__)

# So long after the hour a student's is still started: a server that was away comes back. Later the class is over.
LATE = timedelta(minutes=30)
AGAIN = timedelta(seconds=30)
KNOWN_STARTS = 20  # the last ones of a lab, of which the slowest tells how early to begin
AWAY = "This server was away at that hour: nothing was started."
LEFT = "They have left the cohort."
ON_ALREADY = "They have it on already."
GOING_OFF = "Their last one of this lab is still going off. They can start it again when it is gone."


class Impossible(Exception):
    """Why such a plan cannot work, one reason a line, each with what would help."""


@dataclass(frozen=True)
class Quota:
    """What the class needs of one quota of one account. has: None when AWS did not tell. is_enough: None then."""

    account: Account
    title: str
    needs: int
    has: float | None

    @property
    def is_enough(self):
        return None if self.has is None else self.has >= self.needs


@dataclass
class Preview:
    """A class start as it would be. refused: {student: why theirs would not start if it were now}; on_already: students
    who have it on. impossible: why it is not planned at all, each with what would help. is_known: the lead is from
    starts that were seen."""

    cohort: object
    part: LabInWeek
    lab: Lab
    at: datetime
    mode: str
    price: budget.LabPrice
    lead: timedelta
    is_known: bool
    apart: timedelta
    starts: list[tuple[object, datetime]]
    refused: dict[object, str] = field(default_factory=dict)
    on_already: list[object] = field(default_factory=list)
    quotas: list[Quota] = field(default_factory=list)
    impossible: list[str] = field(default_factory=list)

    @property
    def students(self):
        return [student for student, _start_at in self.starts]

    @property
    def begins_at(self):
        return self.starts[0][1] if self.starts else self.at - self.lead

    @property
    def spread(self):
        """From the first start to the last."""
        return self.starts[-1][1] - self.starts[0][1] if self.starts else timedelta(0)

    @property
    def would_start(self):
        return len(self.starts) - len(self.refused) - len(self.on_already)

    @property
    def usd_per_hour(self):
        """Of all that would start; None when a part has no price."""
        each = self.price.usd_per_hour
        return None if each is None else each * self.would_start

    @property
    def at_most(self):
        return None if self.price.at_most is None else self.price.at_most * self.would_start


# --- before it is planned --------------------------------------------------------------------------------------


def preview(cohort, part: LabInWeek, at: datetime, *, now: datetime, spread: timedelta = timedelta(0)) -> Preview:
    """What a class start would be and do. spread: over how long the starts are spread at least. A dozen queries, for a
    class of any size."""
    lab, mode = catalog.get(part.lab_slug), mode_of(cohort, catalog.get(part.lab_slug))
    members = list(cohort.memberships.students().select_related("user").filter(user__is_active=True))
    standings = {one.user: Standing(one.user, cohort, Membership.Role.STUDENT, one) for one in members}
    took = _took(lab, mode)
    lead, apart = pacing.lead(took), _apart(lab, mode, spread, len(standings))
    starts = list(zip(standings, pacing.starts(at, lead, apart, len(standings)), strict=True))
    begins_at = starts[0][1] if starts else at - lead
    hours = lab.hours + hours_between(begins_at, at)
    price = budget.rate_of(lab, region_of(cohort), now, hours=hours)
    plan = Preview(cohort, part, lab, at, mode, price, lead, bool(took), apart, starts)
    known = Known(cohort, list(standings))
    places = {student: place_of(standing, lab, known=known) for student, standing in standings.items()}
    on = defaultdict(list)
    for owner, slug in Launch.objects.open().filter(owner__in=standings).values_list("owner", "lab"):
        on[owner].append(slug)
    plan.on_already = [student for student in standings if lab.slug in on[student.pk]]
    asked = [student for student in standings if lab.slug not in on[student.pk]]
    full = _("%(most)s labs at once is the most, and they have as many on now.") % {"most": settings.LABS_AT_ONCE}
    first = {one: places[one].trouble or (full if len(on[one.pk]) >= settings.LABS_AT_ONCE else "") for one in asked}
    may = [student.pk for student in asked if not first[student]]
    where = {one.pk: places[one].account.pk for one in asked if places[one].account is not None}
    fits = budget.may_each_launch(may, cohort.scope, price.usd_per_hour, hours, now, accounts=where)
    plan.refused = {one: why for one in asked if (why := first[one] or fits[one.pk].reason)}
    plan.quotas = _quotas(lab, places, len(asked))
    plan.impossible = _impossible(plan, now)
    return plan


def _took(lab: Lab, mode: str) -> list[timedelta]:
    """How long it took to run from its start, the last times, in accounts of that mode. One query."""
    ran = Launch.objects.filter(lab=lab.slug, account__mode=mode, ready_at__isnull=False).order_by("-created_at")
    return list(ran.annotate(took=F("ready_at") - F("created_at")).values_list("took", flat=True)[:KNOWN_STARTS])


def _apart(lab: Lab, mode: str, spread: timedelta, number: int) -> timedelta:
    """AWS counts by account, so only a shared one makes students wait for each other."""
    by_aws = pacing.apart(lab) if mode == Account.SHARED else timedelta(0)
    asked = spread / (number - 1) if number > 1 else timedelta(0)
    return max(by_aws, asked, pacing.BY_US)


def _quotas(lab: Lab, places: dict[object, Place], people: int) -> list[Quota]:
    """Of each account that would be used, what the last look of the doctor's told of it. Practice mode has none."""
    accounts = {place.account.pk: place.account for place in places.values() if place.account is not None}
    vcpus = {kind: quotas.vcpus_by_name(kind) for kind in quotas.types_of([lab])}
    found = []
    for account in accounts.values():
        here = people if account.mode == Account.SHARED else 1
        told = {line["title"]: line["has"] for line in account.report.get("quotas", ())}
        for need in quotas.needs_of([lab], here, vcpus):
            found.append(Quota(account, need.quota.title, need.count, told.get(need.quota.title)))
    return found


def _impossible(plan: Preview, now: datetime) -> list[str]:
    checks: tuple[Callable[[Preview, datetime], list[str]], ...] = (_nobody, _too_soon, _not_open, _not_enough)
    return [why for check in checks for why in check(plan, now)]


def _nobody(plan, now):
    if not plan.starts:
        return [_("Nobody is in this cohort yet. Enrol students first.")]
    if trouble := nowhere(plan.cohort):
        return [trouble]
    if plan.starts and not plan.would_start and plan.refused:
        return [_("Nobody's would start. %(why)s") % {"why": next(iter(plan.refused.values()))}]
    return []


def _too_soon(plan, now):
    if plan.begins_at >= now:
        return []
    early = -(-(plan.lead + plan.spread) // timedelta(minutes=1))
    words = (
        _(
            "That is too soon. The first start is %(early)s minutes before the hour: choose one at least so far from "
            "now."
        )
        if plan.at > now
        else _(
            "That hour is over. The first start is %(early)s minutes before the hour: choose one at least so far from "
            "now."
        )
    )
    return [words % {"early": early}]


def _not_open(plan, now):
    told = next((one for one in plan.cohort.told.all() if one.week_id == plan.part.week_id), None)
    if told is None or told.released_at > plan.begins_at:
        return [
            _("Its week is not open by then, so that students could not see what runs for them. Choose a later hour.")
        ]
    return []


def _not_enough(plan, now):
    """Which quotas are too small, and in how large groups the class could do it."""
    words = []
    for quota in plan.quotas:
        if quota.is_enough is False:
            each = quota.needs // (len(plan.students) - len(plan.on_already) or 1)
            fit = int(quota.has // each) if quota.account.mode == Account.SHARED and each else 0
            told = {"quota": quota.title, "account": quota.account.aws_id, "has": int(quota.has), "needs": quota.needs}
            lacks = _("%(quota)s: AWS gives account %(account)s %(has)s, and this needs %(needs)s.") % told
            helps = _("To help, ask AWS for more, in its console under Service Quotas.")
            if fit:
                helps = _(
                    "To help, start it in groups of %(fit)s at most, or ask AWS for more, in its console under Service "
                    "Quotas."
                ) % {"fit": fit}
            words.append(f"{lacks} {helps}")
    return words


# --- planning ----------------------------------------------------------------------------------------------------


def plan(cohort, part: LabInWeek, at: datetime, *, now: datetime, by, spread: timedelta = timedelta(0)) -> ClassStart:
    """Plan it. Raises Impossible with every reason. The same lab at the same hour is planned once, however often."""
    told = preview(cohort, part, at, now=now, spread=spread)
    if told.impossible:
        raise Impossible("\n".join(told.impossible))
    with transaction.atomic():
        made, is_new = ClassStart.objects.planned().get_or_create(
            cohort=cohort,
            lab_slug=part.lab_slug,
            at=at,
            defaults={
                "week": part.week,
                "begins_at": told.begins_at,
                "apart": told.apart,
                "planned_by": by,
                "planned_at": now,
            },
        )
        if is_new:
            ClassSeat.objects.bulk_create(
                ClassSeat(class_start=made, student=student, start_at=start_at) for student, start_at in told.starts
            )
    return made


def cancel(class_start: ClassStart, *, now: datetime, by) -> int:
    """Start nobody's any more. What runs already stays on. Answers how many are not started by it."""
    waiting = class_start.seats.filter(outcome="")
    if not ClassStart.objects.planned().filter(pk=class_start.pk).update(cancelled_at=now, cancelled_by=by):
        return 0
    return waiting.count()


# --- starting ----------------------------------------------------------------------------------------------------


def start_due(now: datetime, *, most: int = 50) -> int:
    """Start what is due, each student's in a transaction of its own. Answers how many were settled."""
    _seat_newcomers(now)
    due = ClassSeat.objects.filter(outcome="", start_at__lte=now, class_start__cancelled_at=None)
    settled = 0
    for pk in list(due.order_by("start_at").values_list("pk", flat=True)[:most]):
        try:
            settled += _settle(pk, now)
        except Exception:  # one student's trouble is not the class's
            log.exception("seat %s of a class start could not be settled", pk)
            ClassSeat.objects.filter(pk=pk, outcome="").update(start_at=now + AGAIN)
    return settled


def _seat_newcomers(now: datetime) -> None:
    """Who joined the cohort after the plan was made is started with the rest."""
    running = ClassStart.objects.planned().filter(begins_at__lte=now, at__gt=now)
    for one in running.select_related("cohort"):
        seated = one.seats.values("student")
        joined = one.cohort.memberships.students().filter(user__is_active=True).exclude(user__in=seated)
        # Another worker may seat the same ones: the constraint keeps one seat each.
        ClassSeat.objects.bulk_create(
            (
                ClassSeat(class_start=one, student_id=user, start_at=now)
                for user in joined.values_list("user", flat=True)
            ),
            ignore_conflicts=True,
        )


def _settle(pk: int, now: datetime) -> bool:
    """Start one student's, or say why not. Whoever locks the seat first settles it, together with its launch."""
    with transaction.atomic():
        seats = ClassSeat.objects.select_for_update(of=("self",)).select_related("class_start__cohort", "student")
        seat = seats.filter(pk=pk, outcome="", class_start__cancelled_at=None).first()
        if seat is None:
            return False
        one = seat.class_start
        if now > one.at + LATE:
            outcome, said, launch = ClassSeat.REFUSED, AWAY, None
        else:
            outcome, said, launch = _begin(one, seat.student, now)
        if not outcome:
            seat.start_at = now + AGAIN
        else:
            seat.outcome, seat.said, seat.launch, seat.settled_at = outcome, said, launch, now
        seat.save()
    return bool(outcome)


def _begin(one: ClassStart, student, now: datetime) -> tuple[str, str, Launch | None]:
    """(outcome, words, launch) of one student's start; ('', '', None) when it is to be tried again."""
    member = Membership.objects.students().filter(cohort=one.cohort, user=student, user__is_active=True).first()
    if member is None:
        return ClassSeat.SKIPPED, LEFT, None
    on = Launch.objects.open().filter(owner=student, lab=one.lab_slug).first()
    if on and not on.asked_to_end_at:
        return ClassSeat.SKIPPED, ON_ALREADY, on
    if on and now < one.at:
        return "", "", None
    if on:
        return ClassSeat.REFUSED, GOING_OFF, None
    lab = catalog.catalog().get(one.lab_slug)
    if lab is None:
        return ClassSeat.REFUSED, "This lab is no longer in the catalogue.", None
    standing = Standing(student, one.cohort, Membership.Role.STUDENT, member)
    price = budget.rate_of(lab, region_of(one.cohort), now)
    try:
        launch = begin(
            standing,
            Startable(lab, one.week, False, price),
            place_of(standing, lab),
            now,
            runs_from=max(now, one.at),
        )
    except (NotNow, launching.CannotLaunch) as why:
        return ClassSeat.REFUSED, str(why), None
    if launch.created_at != now:  # they pressed it themselves in this moment
        return ClassSeat.SKIPPED, ON_ALREADY, launch
    words = f"Started for the class by {one.planned_by or 'an instructor'}: its hours count from when the class begins"
    ledger.note("class", words, now, launch=launch, account=launch.account, actor=one.planned_by)
    return ClassSeat.STARTED, "", launch
