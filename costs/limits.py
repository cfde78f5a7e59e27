"""How much each may spend: budgets as they are set, what was given beyond them, and what happens at which share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Sum

from costs.models import Budget, BudgetExtension, BudgetRules, Scope
from costs.thresholds import DEFAULT, Thresholds

# (kind, scope, owner or None). EXTRA: what one person was given beyond whatever budget is theirs.
Budgets = Mapping[tuple[str, str, int | None], Decimal]
EXTRA = "extra"


def budgets_of(scopes: Iterable[str], now: datetime) -> dict[tuple[str, str, int | None], Decimal]:
    """{(kind, scope, owner or None): USD} with what the cohort was given beyond it. Two queries."""
    keys = list(scopes)
    found = {
        (budget.kind, budget.scope, budget.owner_id): Decimal(budget.usd)
        for budget in Budget.objects.filter(scope__in=keys).exclude(kind=Budget.ACCOUNT)
    }
    given = BudgetExtension.objects.in_force(now).filter(scope__in=keys).exclude(kind=Budget.ACCOUNT).order_by()
    for line in given.values("kind", "scope", "owner_id").annotate(more=Sum("usd")):
        if line["owner_id"] is not None:
            found[EXTRA, line["scope"], line["owner_id"]] = line["more"]
        elif (line["kind"], line["scope"], None) in found:
            found[line["kind"], line["scope"], None] += line["more"]
    return found


def budget_of(owner: int, scopes: Iterable[str], budgets: Budgets, told: Iterable[Scope] = ()) -> Decimal | None:
    """A person's budget in these scopes, their own before that of their kind; None when there is none.

    budgets: as `budgets_of` answers them. told: the scopes' facts; who teaches one has its teachers' budget there, not
    its students'.
    """
    teaches = {scope.key for scope in told if owner in scope.staff}
    own, common = [], []
    for scope in scopes:
        extra = budgets.get((EXTRA, scope, owner), Decimal(0))
        for kind in (Budget.STUDENT, Budget.STAFF):
            if (kind, scope, owner) in budgets:
                own.append(budgets[kind, scope, owner] + extra)
        kind = Budget.STAFF if scope in teaches else Budget.STUDENT
        if (kind, scope, None) in budgets:
            common.append(budgets[kind, scope, None] + extra)
    return max(own or common, default=None)


def account_budgets(now: datetime, accounts: Iterable[int] | None = None) -> dict[int, Decimal]:
    """{account: USD a UTC month} with what it was given beyond it, of all or of these. Two queries."""
    rows = Budget.objects.filter(kind=Budget.ACCOUNT)
    given = BudgetExtension.objects.in_force(now).filter(kind=Budget.ACCOUNT).order_by()
    if accounts is not None:
        wanted = list(accounts)
        rows, given = rows.filter(account__in=wanted), given.filter(account__in=wanted)
    found = {budget.account_id: Decimal(budget.usd) for budget in rows if budget.account_id is not None}
    for line in given.values("account_id").annotate(more=Sum("usd")):
        if line["account_id"] in found:
            found[line["account_id"]] += line["more"]
    return found


@dataclass(frozen=True)
class RuleBook:
    """What happens at which share of a budget, by scope and kind."""

    known: Mapping[tuple[str, str], Thresholds]

    def of(self, scope: str, kind: str) -> Thresholds:
        """Those set for it, else the defaults. Accounts share one set."""
        return self.known.get(("" if kind == Budget.ACCOUNT else scope, kind), DEFAULT)


def rule_book(scopes: Iterable[str] | None = None) -> RuleBook:
    """Of all scopes, or of these and of accounts. One query."""
    rows = BudgetRules.objects.all()
    if scopes is not None:
        rows = rows.filter(scope__in=[*scopes, ""])
    return RuleBook({(row.scope, row.kind): thresholds_of(row) for row in rows})


def thresholds_of(row: BudgetRules) -> Thresholds:
    return Thresholds(row.tell_at, row.block_at, row.stop_at, row.delete_at, timedelta(minutes=row.grace_minutes))


def kind_of_person(owner: int, scope: str, staff: Mapping[str, set[int]]) -> str:
    """STAFF for who teaches the scope, else STUDENT. staff: `staff_by_scope`."""
    return Budget.STAFF if owner in staff.get(scope, ()) else Budget.STUDENT


def staff_by_scope(told: Iterable[Scope]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for scope in told:
        found[scope.key] |= set(scope.staff)
    return found
