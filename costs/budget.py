"""Can they afford it? Before a launch: what it would cost an hour, at most, and whether that is within the budgets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Any

from django.db.models import Sum
from django.utils.translation import gettext as _

from costs.exposing import Exposure, Part, exposed
from costs.limits import account_budgets, budget_of, budgets_of, kind_of_person, rule_book, staff_by_scope
from costs.live import burning_by, live, newer
from costs.models import Budget, DailySpend, Scope
from costs.pricebook import PriceBook
from costs.rates import Rate, meters_of
from costs.rates import rate_of as rate_of_meters
from labs import catalog
from labs.catalog.base import Lab
from labs.kinds import kind_of
from labs.kinds.base import Want
from labs.models import Launch, Resource

CENT = Decimal("0.01")
NEAR = Decimal("0.8")  # of a budget


@dataclass(frozen=True)
class LabPrice:
    """What a lab would cost. usd_per_hour and at_most are None when a part of it has no price in that region.

    at_most: every hour until the clock deletes it, and the lab's allowance for calls.
    """

    rate: Rate
    hours: Decimal
    calls_usd: Decimal

    @property
    def usd_per_hour(self) -> Decimal | None:
        return self.rate.known

    @property
    def at_most(self) -> Decimal | None:
        return None if self.usd_per_hour is None else self.usd_per_hour * self.hours + self.calls_usd


def rate_of(lab: Lab, region: str, now: datetime, *, hours=None, book: PriceBook | None = None) -> LabPrice:
    """The price of a lab before it is launched, as if all that it wants, and all that its student makes by hand, were
    running. One query, none with a `book`."""
    book, wants = book or PriceBook.open(regions=[region]), (*lab.wants, *lab.by_hand)
    params = {want.key: want.params for want in wants}
    rate = sum((_would_cost(want, params, region, book, now) for want in wants), Rate())
    return LabPrice(rate, Decimal(str(hours if hours is not None else lab.hours)), lab.calls_usd)


def _would_cost(want: Want, params: Mapping[str, Mapping], region: str, book: PriceBook, now: datetime) -> Rate:
    parents = {key: params[key] for key in want.needs}
    would_be = kind_of(want.kind).would_be(replace(want, region=region, parents=parents))
    return rate_of_meters(meters_of(want.kind, would_be), region, book, now)


@dataclass(frozen=True)
class Verdict:
    """allowed, or why not and what would help, in words for the person who asked."""

    allowed: bool
    reason: str = ""


def _unpriced() -> Verdict:
    return Verdict(False, _("A part of this lab has no price in this region, so nobody can say what it would cost."))


def may_launch(
    owner, scope: str, rate_usd_per_hour: Decimal | None, hours, now: datetime, *, account: int | None = None
) -> Verdict:
    """May this person start something that costs so much an hour for so long, in that account?

    What was spent, what can still be spent by the labs that are on, and this launch must fit into the person's budget,
    into the scope's, and into the account's of this month, each up to where its rules block launches. Without a budget
    everything fits; without a price nothing does: nobody knows what it costs.
    """
    if rate_usd_per_hour is None:
        return _unpriced()
    return _fits(owner.pk, scope, account, rate_usd_per_hour * Decimal(str(hours)), now)


def may_each_launch(
    owners: Iterable[int],
    scope: str,
    rate_usd_per_hour: Decimal | None,
    hours,
    now: datetime,
    *,
    accounts: Mapping[int, int] | None = None,
) -> dict[int, Verdict]:
    """{owner: the Verdict} of a class that starts the same thing, one after the other: what the first ones may is taken
    from what the cohort, and an account that they share, has left for the next. accounts: {owner: the account}. As many
    queries for 24 as for 240."""
    owners = list(owners)
    if rate_usd_per_hour is None:
        return dict.fromkeys(owners, _unpriced())
    asked = rate_usd_per_hour * Decimal(str(hours))
    caps, found = _Caps.read(scope, set((accounts or {}).values()), now), {}
    for owner in owners:
        account = (accounts or {}).get(owner)
        found[owner] = verdict = caps.fits(owner, account, asked)
        if verdict.allowed:
            caps.grant(owner, account, asked)
    return found


def may_extend(launch: Launch, hours, now: datetime) -> Verdict:
    """May this lab stay on for so many hours more? Its owner's budget, the scope's and the account's are asked, whoever
    extends it."""
    asked = rates_of_labs([launch], now)[launch.pk] * Decimal(str(hours))
    return _fits(launch.owner_id, launch.scope, launch.account_id, asked, now)


def hold(scope: str) -> None:
    """Inside a transaction: whoever asks next what fits into this scope's budget waits until this launch counts."""
    Scope.objects.select_for_update().filter(key=scope).first()


def _fits(owner: int, scope: str, account: int | None, asked: Decimal, now: datetime) -> Verdict:
    return _Caps.read(scope, {account} - {None}, now).fits(owner, account, asked)


@dataclass
class _Caps:
    """The budgets that a launch in a scope must fit into, with what was spent of each and what labs can still cost."""

    scope: str
    budgets: Mapping
    told: list[Scope]
    rules: Any
    spent: dict[int | None, Decimal]
    on: dict[int, Decimal]
    accounts: Mapping[int, Decimal]
    account_spent: Mapping[int, Decimal]
    account_on: dict[int, Decimal]

    @classmethod
    def read(cls, scope: str, accounts: Iterable[int | None], now: datetime) -> _Caps:
        lines = DailySpend.objects.filter(scope=scope).order_by().values_list("owner").annotate(Sum("usd"))
        told = list(Scope.objects.filter(key=scope))
        of_accounts = account_budgets(now, [one for one in accounts if one]) if accounts else {}
        launches = list(Launch.objects.open().filter(scope=scope))
        if of_accounts:
            known = {launch.pk for launch in launches}
            launches += list(Launch.objects.open().filter(account__in=of_accounts).exclude(pk__in=known))
        rates = rates_of_labs(launches, now)
        on: dict[int, Decimal] = defaultdict(Decimal)
        account_on: dict[int, Decimal] = defaultdict(Decimal)
        for launch in launches:
            most = exposure(launch, rates[launch.pk], now)
            account_on[launch.account_id] += most
            if launch.scope == scope:
                on[launch.owner_id] += most
        return cls(
            scope,
            budgets_of([scope], now),
            told,
            rule_book([scope]),
            {owner: usd or Decimal(0) for owner, usd in lines},
            on,
            of_accounts,
            spent_by_account(now, of_accounts) if of_accounts else {},
            account_on,
        )

    def fits(self, owner: int, account: int | None, asked: Decimal) -> Verdict:
        kind = kind_of_person(owner, self.scope, staff_by_scope(self.told))
        own = budget_of(owner, [self.scope], self.budgets, self.told)
        spent, on = self.spent.get(owner, Decimal(0)), self.on.get(owner, Decimal(0))
        limit = None if own is None else self.rules.of(self.scope, kind).limit(own)
        if own is not None and limit is not None and spent + on + asked > limit:
            return Verdict(False, _your_budget(asked, own, limit, spent, on, is_staff=kind == Budget.STAFF))
        whole = self.budgets.get((Budget.COHORT, self.scope, None))
        spent, on = sum(self.spent.values(), Decimal(0)), sum(self.on.values(), Decimal(0))
        limit = None if whole is None else self.rules.of(self.scope, Budget.COHORT).limit(whole)
        if whole is not None and limit is not None and spent + on + asked > limit:
            return Verdict(
                False,
                _(
                    "This can cost up to %(asked)s, and the cohort has %(left)s left of its %(budget)s. Ask your "
                    "instructor: what others left on may be in it."
                )
                % {"asked": _at_most(asked), "left": _left(limit - spent - on), "budget": _of(whole, limit)},
            )
        return self._account_fits(account, asked)

    def _account_fits(self, account: int | None, asked: Decimal) -> Verdict:
        if account is None or account not in self.accounts:
            return Verdict(True)
        usd, spent = self.accounts[account], self.account_spent.get(account, Decimal(0))
        limit, on = self.rules.of("", Budget.ACCOUNT).limit(usd), self.account_on.get(account, Decimal(0))
        if limit is None or spent + on + asked <= limit:
            return Verdict(True)
        return Verdict(
            False,
            _(
                "This can cost up to %(asked)s, and this AWS account has %(left)s left of its %(budget)s for this "
                "month. Ask an admin for more, or wait for the first of the next (UTC)."
            )
            % {"asked": _at_most(asked), "left": _left(limit - spent - on), "budget": _of(usd, limit)},
        )

    def grant(self, owner: int, account: int | None, asked: Decimal) -> None:
        """It is on from here: whoever asks next has that much less."""
        self.on[owner] = self.on.get(owner, Decimal(0)) + asked
        if account is not None:
            self.account_on[account] = self.account_on.get(account, Decimal(0)) + asked


def _your_budget(
    asked: Decimal, budget: Decimal, limit: Decimal, spent: Decimal, on: Decimal, *, is_staff: bool
) -> str:
    left = {"asked": _at_most(asked), "left": _left(limit - spent - on), "budget": _of(budget, limit)}
    said = [_("This can cost up to %(asked)s, and you have %(left)s left of your %(budget)s.") % left]
    if on >= CENT:
        still = _("Your labs that are on can still cost %(on)s: finish one, and that part is yours again.")
        said.append(still % {"on": _at_most(on)})
    if spent + asked > limit:
        said.append(_("Ask an admin for more.") if is_staff else _("Ask your instructor for more."))
    return " ".join(said)


def _of(budget: Decimal, limit: Decimal) -> str:
    """$25.00; where its rules block launches at another share of it, that too."""
    if budget == limit:
        return _left(budget)
    return _("%(budget)s (labs start up to %(limit)s)") % {"budget": _left(budget), "limit": _left(limit)}


def spent_usd(scope: str, *, owner=None) -> Decimal:
    """What was metered so far in a scope, by everybody or by one person. One query."""
    lines = DailySpend.objects.filter(scope=scope)
    if owner is not None:
        lines = lines.filter(owner=owner)
    return lines.aggregate(usd=Sum("usd"))["usd"] or Decimal(0)


def spent_by_account(now: datetime, accounts: Iterable[int] | None = None) -> dict[int, Decimal]:
    """{account: USD metered in this UTC month}, of all or of these. One query."""
    lines = DailySpend.objects.filter(day__gte=now.astimezone(UTC).date().replace(day=1)).order_by()
    if accounts is not None:
        lines = lines.filter(account__in=list(accounts))
    return {account: usd or Decimal(0) for account, usd in lines.values_list("account").annotate(Sum("usd"))}


def rates_of_labs(launches: Iterable[Launch], now: datetime) -> dict[Any, Decimal]:
    """{launch: USD an hour} of labs that are on; one that is not all there yet counts as if it were."""
    on = {launch.pk: launch for launch in launches}
    alive = live(Resource.objects.filter(launch__in=list(on)))
    rates = {pk: one.usd_per_hour for (pk,), one in burning_by(alive, "launch_id", fresh=newer(alive, now)).items()}
    return with_coming(on, rates, now)


def with_coming(on: Mapping[Any, Launch], rates: Mapping[Any, Decimal], now: datetime) -> dict[Any, Decimal]:
    """The rates of all of these labs: of one that is not all there yet, or in which its student makes things that cost,
    that of the whole. One query while there is one."""
    known = {pk: rates.get(pk, Decimal(0)) for pk in on}
    known_labs = catalog.catalog()
    coming = [
        launch
        for launch in on.values()
        if launch.lab in known_labs and (launch.ready_at is None or known_labs[launch.lab].by_hand)
    ]
    book = PriceBook.open(regions={launch.region for launch in coming}) if coming else None
    for launch in coming:
        whole = rate_of(catalog.get(launch.lab), launch.region, now, book=book).rate.usd_per_hour
        known[launch.pk] = max(known[launch.pk], whole)
    return known


def exposure(launch: Launch, usd_per_hour: Decimal, now: datetime) -> Decimal:
    """What a launch can still cost: its rate to the instant at which the clock ends it, and its allowance for calls."""
    return exposure_of(launch, usd_per_hour, now).known_usd


def exposure_of(launch: Launch, usd_per_hour: Decimal | None, now: datetime) -> Exposure:
    """The same with what stops it. usd_per_hour: None when a part has no price."""
    is_going = bool(launch.asked_to_end_at or launch.ended_at)
    return exposed(Part(usd_per_hour, launch.expires_at, None, calls_usd(launch), is_going), now)


def calls_usd(launch: Launch) -> Decimal:
    lab = catalog.catalog().get(launch.lab)
    return lab.calls_usd if lab else Decimal(0)


def percent(part: Decimal, whole: Decimal) -> str:
    """How much of `whole` that is, in whole percent, half up: "49". What is not nothing is never "0", and what is not
    all never "100": it is "under 1" or "over 99". Of nothing, all is spent."""
    if not whole:
        return "100"
    share = part * 100 / whole
    rounded = share.quantize(Decimal(1), ROUND_HALF_UP)
    if share > 0 and not rounded:
        return _("under 1")
    return _("over 99") if share < 100 <= rounded else f"{rounded}"


def _at_most(amount: Decimal) -> str:
    return f"${amount.quantize(CENT, ROUND_UP):,}"


def _left(amount: Decimal) -> str:
    return f"${max(amount, Decimal(0)).quantize(CENT, ROUND_DOWN):,}"
