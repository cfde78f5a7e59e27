"""Which labs a person may start, and starting one: released, allowed, affordable, and not too many at once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.contrib import messages
from django.db.models import Sum
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from costs import budget
from costs.live import NOTHING, burning_by, live, newer
from costs.models import Budget
from costs.pricebook import PriceBook
from labs import catalog, launching
from labs.catalog.base import Lab
from labs.models import Account, Launch, Resource
from portal import enrolling, schedule
from portal.access import member_page


@dataclass
class Startable:
    """A lab of a week as its row shows it, with what it would cost."""

    lab: Lab
    week: object
    is_preview: bool
    price: budget.LabPrice
    open: Launch | None = None
    finished: Launch | None = None  # the last one of this lab that is over

    @property
    def lasts(self):
        return timedelta(hours=float(self.lab.hours))


@dataclass
class OpenLab:
    """A lab of the asker that is on. spent_usd is what was metered so far; the page ticks on from there."""

    launch: Launch
    title: str
    usd_per_hour: Decimal | None  # None: a part of it has no price
    spent_usd: Decimal
    now: datetime

    @property
    def time_left(self):
        return max(self.launch.expires_at - self.now, timedelta(0))

    @property
    def minutes_all(self):
        return max(1, int((self.launch.expires_at - self.launch.created_at).total_seconds() // 60))

    @property
    def minutes_used(self):
        return min(self.minutes_all, max(0, int((self.now - self.launch.created_at).total_seconds() // 60)))


@dataclass
class OwnBudget:
    usd: Decimal
    spent: Decimal

    @property
    def percent(self):
        return int(self.spent * 100 / self.usd) if self.usd else 100

    @property
    def arc(self):
        """The drawn part of the gauge, of 100; a dot is seen even at nothing."""
        return min(100, max(1, self.percent))

    @property
    def is_near(self):
        return self.percent >= 80


def open_labs(user, now):
    """The asker's launches that are not over, the newest first. Four queries, one more while a state is newer."""
    launches = list(Launch.objects.open().filter(owner=user).defer("certificate").order_by("-created_at"))
    if not launches:
        return []
    rows = Resource.objects.filter(launch__in=launches)
    alive = live(rows)
    rates = burning_by(alive, "launch_id", fresh=newer(alive, now))
    spent = dict(rows.order_by().values_list("launch_id").annotate(Sum("metered__usd")))
    return [
        OpenLab(
            launch,
            catalog.get(launch.lab).title if launch.lab in catalog.catalog() else launch.lab,
            None if (rate := rates.get((launch.pk,), NOTHING)).unpriced else rate.usd_per_hour,
            spent.get(launch.pk) or Decimal(0),
            now,
        )
        for launch in launches
    ]


def own_budget(user, cohort):
    """What a student may spend and has spent; None when the cohort sets no budget. Two queries."""
    found = budget.budgets_of([cohort.scope])
    usd = found.get((Budget.STUDENT, cohort.scope, user.pk), found.get((Budget.STUDENT, cohort.scope, None)))
    return None if usd is None else OwnBudget(usd, budget.spent_usd(cohort.scope, owner=user))


def startables(standing, parts, now):
    """A Startable for each LabInWeek of `parts`, in their order; one that the catalogue does not know is left out."""
    parts = [part for part in parts if part.lab_slug in catalog.catalog()]
    labs = [catalog.get(part.lab_slug) for part in parts]
    region = region_of(standing.cohort)
    book = PriceBook.open(regions=[region]) if labs else None
    unreleased = {told.week_id for told in standing.told if not schedule.is_released(told.dates, now)}
    rows = [
        Startable(lab, part.week, part.week_id in unreleased, budget.rate_of(lab, region, now, book=book))
        for part, lab in zip(parts, labs, strict=True)
    ]
    launches = Launch.objects.filter(owner=standing.user, lab__in=[lab.slug for lab in labs]).order_by("created_at")
    for launch in launches.defer("certificate"):
        for row in rows:
            if row.lab.slug == launch.lab:
                row.open = launch if launch.ended_at is None else row.open
                row.finished = launch if launch.ended_at is not None else row.finished
    return rows


def launchable(standing, told, now):
    """The labs of one week."""
    return startables(standing, standing.labs(now).filter(week=told.week_id).select_related("week"), now)


def region_of(cohort):
    return (cohort.lab_regions or settings.LAB_REGIONS)[0]


@require_safe
@member_page
def index(request, standing):
    """All labs of the weeks that are open, and what of theirs is on."""
    now = timezone.now()
    parts = standing.labs(now).select_related("week").order_by("week__number", "position", "lab_slug")
    weeks = {}
    for row in startables(standing, parts, now):
        weeks.setdefault(row.week.pk, (row, []))[1].append(row)
    return render(
        request,
        "portal/labs.html",
        {
            "now": now,
            "standing": standing,
            "weeks": list(weeks.values()),
            "open_labs": open_labs(request.user, now),
            "at_once": settings.LABS_AT_ONCE,
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@member_page
def start(request, number, slug, standing):
    """Asks once with the price, then starts the lab and shows its panel. What is on already is not started again."""
    now = timezone.now()
    parts = standing.labs(now).filter(week__number=number, lab_slug=slug).select_related("week")
    rows = startables(standing, parts, now)
    if not rows:
        raise Http404("No such lab.")
    one = rows[0]
    if one.open:
        return redirect("labs:panel", one.open.pk)
    open_count = Launch.objects.open().filter(owner=request.user).count()
    trouble = _why_not(standing, one, open_count, now)
    if request.method == "POST" and not trouble:
        try:
            return redirect("labs:panel", _launch(standing, one, now).pk)
        except launching.CannotLaunch as why:
            trouble = str(why)
    if request.method == "POST":
        messages.error(request, f"{one.lab.title} was not started.")
    return render(
        request,
        "portal/start_lab.html",
        {
            "now": now,
            "standing": standing,
            "one": one,
            "open_count": open_count,
            "trouble": trouble,
            "account_mode": Account.PRACTICE,
        },
        status=422 if request.method == "POST" else 200,
    )


def _why_not(standing, one, open_count, now):
    """Why this lab may not be started by this person now; '' when it may."""
    if open_count >= settings.LABS_AT_ONCE:
        return f"You have {open_count} labs on, and {settings.LABS_AT_ONCE} at once is the most. Finish one first."
    verdict = budget.may_launch(standing.user, standing.cohort.scope, one.price.usd_per_hour, one.lab.hours, now)
    return "" if verdict.allowed else verdict.reason


def _launch(standing, one, now):
    ahead = [told.session_at for told in standing.told if told.session_at and told.session_at > now]
    return launching.launch(
        one.lab,
        enrolling.practice_account(standing.user, now=now),
        standing.user,
        now=now,
        scope=standing.cohort.scope,
        labels={"week": one.week.number},
        region=region_of(standing.cohort),
        look_ahead_until=min(ahead, default=None),
    )
