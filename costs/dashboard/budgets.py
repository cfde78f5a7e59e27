"""The page of the budgets: who may spend how much, where each stands, and what happens when it is used up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from django.db.models import Sum
from django.utils.translation import gettext as _

from costs.budget import percent
from costs.dashboard.people import people_of
from costs.enforcing import RULE
from costs.limits import RuleBook, budget_of, budgets_of, rule_book
from costs.models import Alert, Budget, BudgetExtension, DailySpend, Scope
from costs.standings import Standing, standings
from costs.thresholds import IN_WORDS, STOPS, Thresholds, acts_at
from labs.models import Account


@dataclass(frozen=True)
class BudgetRow:
    """One line. usd: None without a budget. comes_to: with what is on, until it goes off by itself or the next session
    begins. acts_at: when what is on is turned off; None while that is not due. has_own: a budget of their own."""

    key: str
    name: str
    usd: Decimal | None
    spent: Decimal = Decimal(0)
    comes_to: Decimal = Decimal(0)
    level: int = 0
    is_ahead: bool = False
    acts_at: datetime | None = None
    has_own: bool = False
    is_staff: bool = False

    @property
    def state(self) -> str:
        return str(IN_WORDS[self.level])

    @property
    def percent(self) -> str | None:
        return None if self.usd is None else percent(self.spent, self.usd)

    @property
    def is_over(self) -> bool:
        return self.usd is not None and self.spent >= self.usd


@dataclass(frozen=True)
class BudgetsPage:
    """rules: [(key of the page that changes it, whom it is for, USD or None, Thresholds)]."""

    scope: Scope
    cohort: BudgetRow
    people: list[BudgetRow]
    accounts: list[BudgetRow]
    rules: list[tuple[str, str, Decimal | None, Thresholds]]
    extensions: list[BudgetExtension] = field(default_factory=list)

    @property
    def near(self) -> int:
        return sum(bool(row.level) for row in self.people)


def budgets_page(scope: Scope, account_scopes: Iterable[str], now: datetime) -> BudgetsPage:
    """Nineteen queries; more while a state is newer than its last metering, or a lab is coming up. As many for 24
    people as for 240. account_scopes: whose accounts are shown: of practice accounts only what has a budget."""
    scopes = list(account_scopes)
    found = {one.key: one for one in standings(now, {scope.key, *scopes})}
    told = dict(Alert.objects.open().filter(rule=RULE, level__gte=STOPS).values_list("key", "told_at"))
    budgets, rules = budgets_of([scope.key], now), rule_book([scope.key])
    spent = _spent(scope.key)
    people = []
    for person in people_of([scope.key]):
        one = found.get(f"{scope.key}-{person.pk}")
        usd = budget_of(person.pk or 0, [scope.key], budgets, [scope])
        has_own = any((kind, scope.key, person.pk) in budgets for kind in (Budget.STUDENT, Budget.STAFF))
        row = _row(f"person-{person.pk}-{scope.key}", person.name, usd, one, told, has_own=has_own)
        if one is None:  # without a budget nobody keeps a standing of them; they have spent all the same
            row = replace(row, spent=spent.get(person.pk, Decimal(0)))
        people.append(_as_staff(row) if person.pk in scope.staff else row)
    people.sort(key=lambda row: (-row.level, -row.spent, row.name.casefold()))
    cohort = found.get(scope.key)
    whole = budgets.get((Budget.COHORT, scope.key, None))
    accounts = [
        _row(f"account-{account.pk}", account.name, one.usd if one else None, one, told)
        for account in Account.objects.filter(scope__in=scopes, is_open=True).order_by("name")
        for one in [found.get(f"account-{account.pk}")]
        if account.is_real or one
    ]
    return BudgetsPage(
        scope,
        _row(f"cohort-{scope.key}", _("The whole cohort"), whole, cohort, told),
        people,
        accounts,
        _rules(scope, budgets, rules),
        list(
            BudgetExtension.objects.filter(scope=scope.key)
            .exclude(kind=Budget.ACCOUNT)
            .select_related("owner", "by")[:20]
        ),
    )


def _spent(scope: str) -> dict[int | None, Decimal]:
    lines = DailySpend.objects.filter(scope=scope).order_by().values_list("owner").annotate(Sum("usd"))
    return {owner: usd or Decimal(0) for owner, usd in lines}


def _rules(scope: Scope, budgets, rules: RuleBook) -> list[tuple[str, str, Decimal | None, Thresholds]]:
    return [
        (f"{page}-{scope.key}", words, budgets.get((kind, scope.key, None)), rules.of(scope.key, kind))
        for page, kind, words in (
            ("students", Budget.STUDENT, _("Each student")),
            ("staff", Budget.STAFF, _("Each teacher")),
            ("cohort", Budget.COHORT, _("The whole cohort")),
        )
    ]


def _row(key: str, name: str, usd: Decimal | None, one: Standing | None, told, *, has_own: bool = False) -> BudgetRow:
    if one is None:
        return BudgetRow(key, name, usd, has_own=has_own)
    at = acts_at(one.level, told.get(one.key), one.thresholds.grace)
    return BudgetRow(key, name, usd, one.spent, one.comes_to, one.level, one.is_ahead, at, has_own)


def _as_staff(row: BudgetRow) -> BudgetRow:
    return BudgetRow(**{**row.__dict__, "is_staff": True})
