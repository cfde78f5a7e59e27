"""Can they afford it? Before a launch: what it would cost an hour, at most, and whether that is within the budgets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Any

from django.db.models import Sum

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


UNPRICED = Verdict(False, "A part of this lab has no price in this region, so nobody can say what it would cost.")


def may_launch(owner, scope: str, rate_usd_per_hour: Decimal | None, hours, now: datetime) -> Verdict:
    """May this person start something that costs so much an hour for so long?

    What was spent, what can still be spent by the labs that are on, and this launch must fit into the person's budget
    and into the scope's. Without a budget everything fits; without a price nothing does: nobody knows what it costs.
    """
    if rate_usd_per_hour is None:
        return UNPRICED
    return _fits(owner.pk, scope, rate_usd_per_hour * Decimal(str(hours)), now)


def may_each_launch(
    owners: Iterable[int], scope: str, rate_usd_per_hour: Decimal | None, hours, now: datetime
) -> dict[int, Verdict]:
    """{owner: the Verdict} of a class that starts the same thing, one after the other: what the first ones may is taken
    from what the cohort has left for the next. As many queries for 24 as for 240."""
    owners = list(owners)
    if rate_usd_per_hour is None:
        return dict.fromkeys(owners, UNPRICED)
    asked = rate_usd_per_hour * Decimal(str(hours))
    budgets, told = budgets_of([scope]), list(Scope.objects.filter(key=scope))
    lines = DailySpend.objects.filter(scope=scope).order_by().values_list("owner").annotate(Sum("usd"))
    spent = {owner: usd or Decimal(0) for owner, usd in lines}
    on = _still_to_spend_by_owner(Launch.objects.open().filter(scope=scope), now)
    whole, granted, found = budgets.get((Budget.COHORT, scope, None)), Decimal(0), {}
    whole_spent, whole_on = sum(spent.values(), Decimal(0)), sum(on.values(), Decimal(0))
    for owner in owners:
        own = budget_of(owner, [scope], budgets, told)
        verdict = _own_fits(asked, own, spent.get(owner, Decimal(0)), on.get(owner, Decimal(0)))
        if verdict.allowed:
            verdict = _whole_fits(asked, whole, whole_spent, whole_on + granted)
        granted += asked if verdict.allowed else Decimal(0)
        found[owner] = verdict
    return found


def may_extend(launch: Launch, hours, now: datetime) -> Verdict:
    """May this lab stay on for so many hours more? Its owner's budget and the scope's are asked, whoever extends it."""
    asked = rates_of_labs([launch], now)[launch.pk] * Decimal(str(hours))
    return _fits(launch.owner_id, launch.scope, asked, now)


def hold(scope: str) -> None:
    """Inside a transaction: whoever asks next what fits into this scope's budget waits until this launch counts."""
    Scope.objects.select_for_update().filter(key=scope).first()


def _fits(owner: int, scope: str, asked: Decimal, now: datetime) -> Verdict:
    budgets = budgets_of([scope])
    own = budget_of(owner, [scope], budgets, Scope.objects.filter(key=scope))
    if own is not None:
        verdict = _own_fits(asked, own, spent_usd(scope, owner=owner), still_to_spend(scope, now, owner=owner))
        if not verdict.allowed:
            return verdict
    whole = budgets.get((Budget.COHORT, scope, None))
    return Verdict(True) if whole is None else _whole_fits(asked, whole, spent_usd(scope), still_to_spend(scope, now))


def _own_fits(asked: Decimal, own: Decimal | None, spent: Decimal, on: Decimal) -> Verdict:
    if own is None or spent + on + asked <= own:
        return Verdict(True)
    return Verdict(False, _your_budget(asked, own, spent, on))


def _whole_fits(asked: Decimal, whole: Decimal | None, spent: Decimal, on: Decimal) -> Verdict:
    if whole is None or spent + on + asked <= whole:
        return Verdict(True)
    return Verdict(
        False,
        f"This can cost up to {_at_most(asked)}, and the cohort has {_left(whole - spent - on)} left of its "
        f"{_left(whole)}. Ask your instructor: what others left on may be in it.",
    )


def _your_budget(asked: Decimal, budget: Decimal, spent: Decimal, on: Decimal) -> str:
    left = _left(budget - spent - on)
    said = f"This can cost up to {_at_most(asked)}, and you have {left} left of your {_left(budget)}."
    if on >= CENT:
        said += f" Your labs that are on can still cost {_at_most(on)}: finish one, and that part is yours again."
    if spent + asked > budget:
        said += " Ask your instructor for more."
    return said


def spent_usd(scope: str, *, owner=None) -> Decimal:
    """What was metered so far in a scope, by everybody or by one person. One query."""
    lines = DailySpend.objects.filter(scope=scope)
    if owner is not None:
        lines = lines.filter(owner=owner)
    return lines.aggregate(usd=Sum("usd"))["usd"] or Decimal(0)


def still_to_spend(scope: str, now: datetime, *, owner=None) -> Decimal:
    """What the labs that are on can still cost before their clocks end them. What no clock ends is not in it.

    A lab that is not all there yet counts as if it were: a second click does not come in between.
    """
    launches = Launch.objects.open().filter(scope=scope)
    if owner is not None:
        launches = launches.filter(owner=owner)
    return sum(_still_to_spend_by_owner(launches, now).values(), Decimal(0))


def _still_to_spend_by_owner(launches: Iterable[Launch], now: datetime) -> dict[int, Decimal]:
    on = list(launches)
    rates = rates_of_labs(on, now)
    found: dict[int, Decimal] = defaultdict(Decimal)
    for launch in on:
        found[launch.owner_id] += exposure(launch, rates[launch.pk], now)
    return found


def rates_of_labs(launches: Iterable[Launch], now: datetime) -> dict[Any, Decimal]:
    """{launch: USD an hour} of labs that are on; one that is not all there yet counts as if it were."""
    on = {launch.pk: launch for launch in launches}
    alive = live(Resource.objects.filter(launch__in=list(on)))
    rates = {pk: one.usd_per_hour for (pk,), one in burning_by(alive, "launch_id", fresh=newer(alive, now)).items()}
    coming = [launch for launch in on.values() if launch.ready_at is None and launch.lab in catalog.catalog()]
    book = PriceBook.open(regions={launch.region for launch in coming}) if coming else None
    for launch in coming:
        whole = rate_of(catalog.get(launch.lab), launch.region, now, book=book).rate.usd_per_hour
        rates[launch.pk] = max(rates.get(launch.pk, Decimal(0)), whole)
    return {pk: rates.get(pk, Decimal(0)) for pk in on}


def exposure(launch: Launch, usd_per_hour: Decimal, now: datetime) -> Decimal:
    """What a launch can still cost: its rate to the instant at which the clock ends it, and its allowance for calls."""
    if launch.asked_to_end_at or launch.ended_at:
        return Decimal(0)
    return usd_per_hour * hours_between(now, launch.expires_at) + calls_usd(launch)


def calls_usd(launch: Launch) -> Decimal:
    lab = catalog.catalog().get(launch.lab)
    return lab.calls_usd if lab else Decimal(0)


def hours_between(start: datetime, end: datetime) -> Decimal:
    """0 when `end` is over."""
    seconds = max(end - start, timedelta(0)) // timedelta(seconds=1)
    return Decimal(seconds) / 3600


def budgets_of(scopes: Iterable[str]) -> dict[tuple[str, str, int | None], Decimal]:
    """{(kind, scope, owner or None): USD}. One query."""
    return {
        (budget.kind, budget.scope, budget.owner_id): budget.usd
        for budget in Budget.objects.filter(scope__in=list(scopes))
    }


def budget_of(
    owner: int,
    scopes: Iterable[str],
    budgets: Mapping[tuple[str, str, int | None], Decimal],
    told: Iterable[Scope] = (),
) -> Decimal | None:
    """A person's budget in these scopes, their own before the students'; None when there is none.

    budgets: as `budgets_of` answers them. told: the scopes' facts; who teaches one has no student's budget there.
    """
    teaches = {scope.key for scope in told if owner in scope.staff}
    own = [budgets[Budget.STUDENT, scope, owner] for scope in scopes if (Budget.STUDENT, scope, owner) in budgets]
    students = [
        budgets[Budget.STUDENT, scope, None]
        for scope in scopes
        if (Budget.STUDENT, scope, None) in budgets and scope not in teaches
    ]
    return max(own or students, default=None)


def percent(part: Decimal, whole: Decimal) -> str:
    """How much of `whole` that is, in whole percent, half up: "49". What is not nothing is never "0", and what is not
    all never "100": it is "under 1" or "over 99". Of nothing, all is spent."""
    if not whole:
        return "100"
    share = part * 100 / whole
    rounded = share.quantize(Decimal(1), ROUND_HALF_UP)
    if share > 0 and not rounded:
        return "under 1"
    return "over 99" if share < 100 <= rounded else f"{rounded}"


def _at_most(amount: Decimal) -> str:
    return f"${amount.quantize(CENT, ROUND_UP):,}"


def _left(amount: Decimal) -> str:
    return f"${max(amount, Decimal(0)).quantize(CENT, ROUND_DOWN):,}"
