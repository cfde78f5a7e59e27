"""Where every budget stands: what was spent of it, what is on, what that comes to, and how far it has gone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Sum

from costs.budget import exposure, rates_of_labs, spent_by_account
from costs.exposing import hours_between
from costs.limits import account_budgets, budget_of, budgets_of, rule_book, staff_by_scope
from costs.live import burning_by, live, newer
from costs.models import Budget, DailySpend, Scope
from costs.thresholds import Thresholds, comes_to, is_ahead
from labs.models import Account, Launch, Resource

# Where nobody said when the next session is, what was made by hand is counted so far ahead.
LOOK_AHEAD = timedelta(hours=24)
LINES = 5  # of what an amount is made of
ENDED = timedelta(days=14)  # after its last session a cohort has ended


@dataclass(frozen=True)
class Standing:
    """One budget of one person, cohort or account. usd: with what was given beyond it. spent: metered; of an account in
    this UTC month. comes_to: what was spent, and what is on until it goes off by itself or the next session begins.
    by: {what: USD}, what was spent on; of a cohort {owner: USD}. has_ended: its cohort did, a while ago."""

    kind: str
    scope: str
    owner: int | None
    account: int | None
    usd: Decimal
    spent: Decimal
    comes_to: Decimal
    rate: Decimal
    thresholds: Thresholds
    by: Mapping = field(default_factory=dict)
    has_ended: bool = False

    @property
    def key(self) -> str:
        """Of its alerts; the same whether the budget is a person's own or that of their kind."""
        if self.account is not None:
            return f"account-{self.account}"
        return f"{self.scope}-{self.owner}" if self.owner is not None else self.scope

    @property
    def level(self) -> int:
        return self.thresholds.level(self.spent, self.usd)

    @property
    def is_ahead(self) -> bool:
        """It is not used up, and what is on will use it up."""
        return is_ahead(self.spent, self.comes_to, self.usd)

    @property
    def is_quiet(self) -> bool:
        """Its cohort has ended and nothing is on: what was spent is history, and no alert."""
        return self.has_ended and not self.rate

    @property
    def dearest(self) -> list[tuple]:
        return sorted(self.by.items(), key=lambda pair: -pair[1])[:LINES]


def standings(now: datetime, scopes: Iterable[str] | None = None) -> list[Standing]:
    """Of all scopes and accounts, or of these scopes and the accounts that belong to them. A dozen queries, as many for
    24 people as for 240."""
    told = list(Scope.objects.all() if scopes is None else Scope.objects.filter(key__in=list(scopes)))
    keys = [scope.key for scope in told]
    budgets, rules, staff = budgets_of(keys, now), rule_book(), staff_by_scope(told)
    spent: dict[tuple[str, int | None], dict[str, Decimal]] = defaultdict(dict)
    lines = DailySpend.objects.filter(scope__in=keys).order_by().values("scope", "owner_id", "service")
    for line in lines.annotate(total=Sum("usd")):
        spent[line["scope"], line["owner_id"]][line["service"]] = line["total"] or Decimal(0)
    of_accounts = _accounts(now, None if scopes is None else list(scopes))
    on = _On.read(now, keys, list(of_accounts))
    found: list[Standing] = []
    for scope in told:
        over = scope.ends_at is not None and scope.ends_at + ENDED < now
        people = {owner for key, owner in (*spent, *on.people) if key == scope.key and owner is not None}
        hours = hours_between(now, _until(scope, now))
        for owner in sorted(people):
            usd = budget_of(owner, [scope.key], budgets, [scope])
            if usd is not None:
                kind = Budget.STAFF if owner in staff[scope.key] else Budget.STUDENT
                by = spent.get((scope.key, owner), {})
                running = on.people[scope.key, owner]
                found.append(_standing(kind, scope.key, usd, by, running, hours, rules, owner=owner, over=over))
        whole = budgets.get((Budget.COHORT, scope.key, None))
        if whole is not None:
            each = {owner: sum(by.values(), Decimal(0)) for (key, owner), by in spent.items() if key == scope.key}
            all_on = sum((one for (key, _), one in on.people.items() if key == scope.key), _Running())
            found.append(_standing(Budget.COHORT, scope.key, whole, each, all_on, hours, rules, over=over))
    if of_accounts:
        this_month = spent_by_account(now, of_accounts)
        hours = hours_between(now, now + LOOK_AHEAD)
        for account, (scope_key, usd) in of_accounts.items():
            month = {account: this_month.get(account, Decimal(0))}
            running = on.accounts[account]
            found.append(_standing(Budget.ACCOUNT, scope_key, usd, month, running, hours, rules, account=account))
    return found


@dataclass(frozen=True)
class _Running:
    """What is on: what labs can still cost before their clocks, and what was made by hand costs an hour."""

    labs_usd: Decimal = Decimal(0)
    by_hand: Decimal = Decimal(0)
    rate: Decimal = Decimal(0)

    def __add__(self, other: _Running) -> _Running:
        return _Running(self.labs_usd + other.labs_usd, self.by_hand + other.by_hand, self.rate + other.rate)


@dataclass(frozen=True)
class _On:
    people: dict[tuple[str, int | None], _Running]
    accounts: dict[int, _Running]

    @classmethod
    def read(cls, now: datetime, scopes: list[str], accounts: list[int]) -> _On:
        """Four queries; three more while a state is newer than its last metering, or a lab is coming up."""
        people: dict[tuple[str, int | None], _Running] = defaultdict(_Running)
        of_accounts: dict[int, _Running] = defaultdict(_Running)
        launches = list(Launch.objects.open())
        rates = rates_of_labs(launches, now)
        for launch in launches:
            rate = Decimal(0) if launch.asked_to_end_at else rates[launch.pk]
            one = _Running(exposure(launch, rates[launch.pk], now), Decimal(0), rate)
            people[launch.scope, launch.owner_id] += one
            of_accounts[launch.account_id] += one
        by_hand = live(Resource.objects.filter(launch=None))
        groups = burning_by(by_hand, "scope", "owner_id", "account_id", fresh=newer(by_hand, now))
        for (scope, owner, account), burns in groups.items():
            one = _Running(Decimal(0), burns.usd_per_hour, burns.usd_per_hour)
            people[scope, owner] += one
            of_accounts[account] += one
        return cls(people, of_accounts)


def _standing(
    kind, scope, usd, by, running: _Running, hours, rules, *, owner=None, account=None, over=False
) -> Standing:
    spent = sum(by.values(), Decimal(0))
    most = comes_to(spent, running.labs_usd, running.by_hand, hours)
    thresholds = rules.of(scope, kind)
    return Standing(kind, scope, owner, account, usd, spent, most, running.rate, thresholds, by, over)


def _accounts(now: datetime, scopes: list[str] | None) -> dict[int, tuple[str, Decimal]]:
    """{account: (its scope, its budget)}."""
    budgets = account_budgets(now)
    if not budgets:
        return {}
    rows = Account.objects.filter(pk__in=budgets)
    if scopes is not None:
        rows = rows.filter(scope__in=scopes)
    return {pk: (scope, budgets[pk]) for pk, scope in rows.values_list("pk", "scope")}


def _until(scope: Scope, now: datetime) -> datetime:
    ahead = scope.look_ahead_until
    return ahead if ahead and ahead > now else now + LOOK_AHEAD
