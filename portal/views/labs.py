"""Which labs a person may start, and starting one: released, allowed, affordable, and not too many at once."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from costs import budget
from costs.dashboard import LaunchMeter, launch_meter
from costs.dashboard.free_tier import lab_fits
from costs.exposing import hours_between
from costs.limits import budget_of, budgets_of
from costs.pricebook import PriceBook
from labs import catalog, launching
from labs.catalog.base import Lab
from labs.models import CUT_OFF, Account, Launch
from portal import enrolling, schedule
from portal.access import member_page
from portal.placing import nowhere, place_of, region_of

# A lab that the practice world took with it is told of for so long, or until it is started again.
TOLD_FOR = timedelta(days=1)


@dataclass
class Startable:
    """A lab of a week as its row shows it, with what it would cost."""

    lab: Lab
    week: object
    is_preview: bool
    price: budget.LabPrice
    open: Launch | None = None
    finished: Launch | None = None  # the last one of this lab that went to its end
    cut_off: Launch | None = None  # the last one, if the practice world ended it and it was lately

    @property
    def lasts(self):
        return timedelta(hours=float(self.lab.hours))


@dataclass
class OpenLab:
    """A lab of the asker that is not over, with its meter."""

    launch: Launch
    title: str
    meter: LaunchMeter

    @property
    def minutes_all(self):
        return max(1, int((self.launch.expires_at - self.launch.created_at).total_seconds() // 60))

    @property
    def minutes_used(self):
        return min(self.minutes_all, int(self.meter.time_on.total_seconds() // 60))


@dataclass
class OwnBudget:
    usd: Decimal
    spent: Decimal

    @property
    def share(self):
        return self.spent / self.usd if self.usd else Decimal(1)

    @property
    def percent(self):
        """In words: "49", "under 1"."""
        return budget.percent(self.spent, self.usd)

    @property
    def arc(self):
        """The drawn part of the gauge, of 100; a dot is seen even at nothing."""
        return min(100, max(1, int(self.share * 100)))

    @property
    def is_near(self):
        return self.share >= budget.NEAR


def open_labs(user, now):
    """The asker's launches that are not over, the newest first. One query, and two for each of LABS_AT_ONCE at most."""
    launches = Launch.objects.open().filter(owner=user).order_by("-created_at")
    known = catalog.catalog()
    return [
        OpenLab(launch, known[launch.lab].title if launch.lab in known else launch.lab, launch_meter(launch, now))
        for launch in launches
    ]


def cut_off_labs(user, now):
    """[(launch, title)] of the asker's that a restart of the practice world ended lately (TOLD_FOR), and that they did
    not start again since. One query."""
    again = Launch.objects.filter(owner=user, lab=OuterRef("lab"), created_at__gt=OuterRef("created_at"))
    found = Launch.objects.filter(CUT_OFF, ~Exists(again), owner=user, ended_at__gt=now - TOLD_FOR)
    known = catalog.catalog()
    return [(launch, known[launch.lab].title) for launch in found.order_by("-ended_at") if launch.lab in known]


def own_budget(user, cohort, lights, now):
    """What a student may spend and has spent; None when the cohort sets no budget. Three queries.

    lights: their OwnLights: what came since it was metered counts too, as on the page of their costs.
    """
    usd = budget_of(user.pk, [cohort.scope], budgets_of([cohort.scope], now))
    if usd is None:
        return None
    return OwnBudget(usd, budget.spent_usd(cohort.scope, owner=user) + lights.estimate_usd(cohort.scope))


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
    for launch in launches.annotate(was_cut_off=CUT_OFF).defer("certificate"):
        for row in rows:
            if row.lab.slug == launch.lab:
                went_to_its_end = launch.ended_at is not None and not launch.was_cut_off
                row.open = launch if launch.ended_at is None else row.open
                row.finished = launch if went_to_its_end else row.finished
                row.cut_off = launch if launch.was_cut_off and now - launch.ended_at < TOLD_FOR else None
    return rows


def launchable(standing, told, now):
    """The labs of one week."""
    return startables(standing, standing.labs(now).filter(week=told.week_id).select_related("week"), now)


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
            "trouble": nowhere(standing.cohort),
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
        raise Http404(_("No such lab."))
    one = rows[0]
    if one.open:
        return redirect("labs:panel", one.open.pk)
    place = place_of(standing, one.lab, back=request.path)
    if request.method == "POST":
        try:
            return redirect("labs:panel", begin(standing, one, place, now).pk)
        except (NotNow, launching.CannotLaunch) as why:
            trouble = str(why)
    else:
        trouble = _why_not(standing, one, place, now, one.lab.hours)
    return render(
        request,
        "portal/start_lab.html",
        {
            "now": now,
            "standing": standing,
            "one": one,
            "place": place,
            "open_count": Launch.objects.open().filter(owner=request.user).count(),
            "trouble": trouble,
            **_free_tier(standing, one, place, now),
        },
        status=422 if request.method == "POST" else 200,
    )


def _free_tier(standing, one, place, now):
    """What the lab means to the Free Tier of the account that it would start in; and that account, for who may see all
    of it: a shared one's is not a student's."""
    account, meters = place.account, [line.meter for line in one.price.rate.lines]
    if not meters:
        return {}
    if account is None and place.mode == Account.PRACTICE:
        mine = Account.objects.filter(owner=standing.user, mode=Account.PRACTICE, is_open=True)
        account = mine.select_related("plan").first()
    elif account is None:
        return {}
    may_see = account is not None and (account.owner_id == standing.user.pk or standing.teaches)
    fits = lab_fits(account, meters, Decimal(str(one.lab.hours)), now)
    return {"fits": fits, "tier_account": account if may_see else None}


class NotNow(Exception):
    """Why this person cannot start this lab now, in words for them."""


def begin(standing, one, place, now, *, runs_from=None):
    """Start the lab in that place, or answer the launch of it that is on. Raises NotNow, CannotLaunch.

    runs_from: the instant, still to come, from which its hours count; from now on without it.
    """
    hours = one.lab.hours if runs_from is None else one.lab.hours + hours_between(now, runs_from)
    if place.trouble:
        raise NotNow(place.trouble)
    account = place.account or enrolling.practice_account(standing.user, now=now)
    ahead = [told.session_at for told in standing.told if told.session_at and told.session_at > now]
    with transaction.atomic():
        # Of two clicks at once the second waits here, and then finds what the first one started.
        account = Account.objects.select_for_update().get(pk=account.pk)
        already = Launch.objects.open().filter(owner=standing.user, lab=one.lab.slug).first()
        if already:
            return already
        # Of two people at once the second counts what the first began: they may share the cohort's budget.
        budget.hold(standing.cohort.scope)
        if why := _why_not(standing, one, place, now, hours):
            raise NotNow(why)
        return launching.launch(
            one.lab,
            account,
            standing.user,
            now=now,
            scope=standing.cohort.scope,
            labels={"week": one.week.number},
            region=region_of(standing.cohort),
            hours=hours,
            look_ahead_until=min(ahead, default=None),
            limits=standing.cohort.limits,
        )


def _why_not(standing, one, place, now, hours):
    """Why this lab may not be started by this person now; '' when it may."""
    if place.trouble:
        return place.trouble
    on = Launch.objects.open().filter(owner=standing.user).count()
    if on >= settings.LABS_AT_ONCE:
        words = _("You have %(on)s labs on, and %(most)s at once is the most. Finish one first.")
        return words % {"on": on, "most": settings.LABS_AT_ONCE}
    account = place.account.pk if place.account else None
    scope, rate = standing.cohort.scope, one.price.usd_per_hour
    verdict = budget.may_launch(standing.user, scope, rate, hours, now, account=account)
    return "" if verdict.allowed else verdict.reason
