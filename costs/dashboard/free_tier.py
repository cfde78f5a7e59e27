"""The Free Tier of accounts: what their readings of this UTC month have used, and what is on. All its queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Min, Sum
from django.utils.translation import gettext as _

from costs import budget, free_tier
from costs.dashboard.days import today
from costs.free_tier import FREE, SIGN_UP_USD, Allowance, Fits, MeterLine, Running, Standing
from costs.live import live
from costs.models import AccountPlan, DailySpend, Reading
from costs.pricebook import PriceBook
from costs.rates import meters_of
from labs import catalog
from labs.kinds.base import Meter, Seen
from labs.models import Account, Resource


@dataclass(frozen=True)
class AccountTier:
    """One account's Free Tier. plan: "" when nobody told it. told: what AWS or an admin said; None where neither did.
    unseen: allowances that it has and our meter sees nothing of. over: those that its time is over for. credits_usd:
    what is left of them, as AWS told it; of a practice account, as if it had those of a new one."""

    account: Account
    plan: str
    told: AccountPlan | None
    standings: list[Standing]
    unseen: list[Allowance]
    over: list[Allowance]
    credits_usd: Decimal | None

    @property
    def is_as_if(self) -> bool:
        return self.account.mode == Account.PRACTICE

    @property
    def plan_words(self) -> str:
        return str(dict(AccountPlan.PLANS).get(self.plan) or _("not known"))

    @property
    def over_names(self) -> str:
        return ", ".join(one.name for one in self.over)

    @property
    def used(self) -> list[Standing]:
        """What is used, or would be, the nearest to its end first."""
        some = [one for one in self.standings if one.by_end]
        return sorted(some, key=lambda one: (-one.level, -max(one.share, one.by_end / one.allowance.quantity)))

    @property
    def unused(self) -> list[Standing]:
        return [one for one in self.standings if not one.by_end]

    @property
    def nearest(self) -> Standing | None:
        return next(iter(self.used), None)

    @property
    def level(self) -> int:
        return self.nearest.level if self.nearest else 0


@dataclass(frozen=True)
class LabFits:
    """A lab of the catalogue against an account's Free Tier, were it started now for its hours."""

    title: str
    hours: Decimal
    fits: Fits


@dataclass(frozen=True)
class TierPage:
    """tiers: the accounts that use something or are real, the nearest to an end first. quiet: how many others."""

    tiers: list[AccountTier] = field(default_factory=list)
    quiet: int = 0

    @property
    def has_practice(self) -> bool:
        return any(tier.is_as_if for tier in self.tiers)


def free_tier_page(scopes: Iterable[str], now: datetime) -> TierPage:
    """Every open account of these scopes. Five queries, as many for 24 accounts as for 240."""
    accounts = Account.objects.filter(scope__in=list(scopes), is_open=True).exclude(aws_id="")
    found = tiers_of(accounts.select_related("owner", "plan").order_by("name", "pk"), now)
    shown = [tier for tier in found if tier.used or not tier.is_as_if]
    shown.sort(
        key=lambda tier: (-tier.level, -(tier.nearest.share if tier.nearest else 0), tier.account.name.casefold())
    )
    return TierPage(shown, len(found) - len(shown))


def tier_of(account: Account, now: datetime) -> AccountTier:
    """One account's. Five queries; four where AWS told its credits."""
    return tiers_of([account], now)[0]


def tiers_of(accounts: Iterable[Account], now: datetime) -> list[AccountTier]:
    """The accounts in their order. Five queries with accounts that carry their plan."""
    accounts = list(accounts)
    used, running = _used(accounts, now), _running(accounts, now)
    first_used, spent = _first_used(accounts), _spent(accounts)
    return [_tier(one, used[one.pk], running[one.pk], first_used[one.pk], spent.get(one.pk), now) for one in accounts]


def labs_against(tier: AccountTier, region: str, now: datetime) -> list[LabFits]:
    """Every lab of the catalogue that costs anything, against what is left. No query."""
    nothing, found = PriceBook([]), []
    for lab in catalog.catalog().values():
        meters = [line.meter for line in budget.rate_of(lab, region, now, book=nothing).rate.lines]
        hours = Decimal(str(lab.hours))
        if meters:
            found.append(LabFits(lab.title, hours, free_tier.fits(tier.standings, meters, hours, now)))
    return found


def lab_fits(account: Account | None, meters: Iterable[Meter], hours: Decimal, now: datetime) -> Fits:
    """What a lab of these meters would use of an account's Free Tier; None is a practice account that is still to be
    made. As many queries as `tier_of`; none for None."""
    if account is None:
        new = _tier(Account(mode=Account.PRACTICE), {}, [], {}, None, now)
        return free_tier.fits(new.standings, meters, hours, now)
    return free_tier.fits(tier_of(account, now).standings, meters, hours, now)


def _tier(
    account: Account,
    used: dict[MeterLine, Decimal],
    running: list[Running],
    first_used: dict[str, date],
    spent: Decimal | None,
    now: datetime,
) -> AccountTier:
    told: AccountPlan | None = getattr(account, "plan", None)
    plan = (told.plan if told else "") or (FREE if account.mode == Account.PRACTICE else "")
    opened_on = told.opened_on if told else None
    day, every = today(now), free_tier.allowances()
    having = [one for one in every if free_tier.has(one, plan, opened_on, first_used, day)]
    # Of those that once were: the 12 months of an account that had them, and trials.
    over = [one for one in every if one not in having and (one.lasts != free_tier.TWELVE_MONTHS or opened_on)]
    credits = told.credits_usd if told else None
    if account.mode == Account.PRACTICE and plan != free_tier.LEGACY:
        credits = max(Decimal(0), SIGN_UP_USD - (spent or Decimal(0)))
    return AccountTier(
        account,
        plan,
        told,
        free_tier.standings(having, used, running, now),
        [one for one in having if one.counts is None],
        [one for one in over if plan == free_tier.LEGACY or one.lasts == free_tier.TRIAL],
        credits,
    )


def _used(accounts: list[Account], now: datetime) -> dict[int, dict[MeterLine, Decimal]]:
    found: dict[int, dict[MeterLine, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    readings = Reading.objects.filter(resource__account__in=accounts, start__gte=free_tier.first_of_month(now))
    summed = readings.order_by().values("resource__account_id", "meter").annotate(total=Sum("quantity"))
    for one in summed:
        service, kind, sku, _ = (one["meter"] + "///").split("/", 3)
        found[one["resource__account_id"]][service, kind, sku] += one["total"]
    return found


def _running(accounts: list[Account], now: datetime) -> dict[int, list[Running]]:
    """What is on in each account, with its clock: what no lab made goes on to the end of the month."""
    found: dict[int, list[Running]] = defaultdict(list)
    rows = live(Resource.objects.filter(account__in=accounts)).select_related("launch", "owner")
    known, month_ends = catalog.catalog(), free_tier.end_of_month(now)
    for row in rows.defer("params", "wishes"):
        until, what = month_ends, row.name or row.aws_id
        if row.launch:
            # Past its clock and still on: nobody knows until when.
            until = row.launch.expires_at if row.launch.expires_at > now else month_ends
            what = known[row.launch.lab].title if row.launch.lab in known else row.launch.lab
        if row.owner:
            what = _("%(what)s of %(owner)s") % {"what": what, "owner": row.owner}
        seen = Seen(row.seen, row.aws_id, row.name, row.seen_since, row.facts)
        found[row.account_id] += [Running(meter, until, what) for meter in meters_of(row.kind, seen)]
    return found


def _first_used(accounts: list[Account]) -> dict[int, dict[str, date]]:
    """{account: {service: the first day on which it cost anything here}} of services whose offer begins with it."""
    found: dict[int, dict[str, date]] = defaultdict(dict)
    services = {one.service for one in free_tier.allowances() if one.lasts == free_tier.TRIAL}
    lines = DailySpend.objects.filter(account__in=accounts, service__in=services).order_by()
    for line in lines.values("account_id", "service").annotate(first=Min("day")):
        found[line["account_id"]][line["service"]] = line["first"]
    return found


def _spent(accounts: list[Account]) -> dict[int, Decimal]:
    """{practice account: all that was metered in it}."""
    practice = [one for one in accounts if one.mode == Account.PRACTICE]
    if not practice:
        return {}
    lines = DailySpend.objects.filter(account__in=practice).order_by().values("account_id")
    return {line["account_id"]: line["total"] for line in lines.annotate(total=Sum("usd"))}
