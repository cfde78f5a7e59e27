"""Pages on which those who may set budgets: whose, how much, what happens at which share, and more for a while."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from costs.access import ACT, VIEW, scopes_of
from costs.budget_forms import AmountForm, ExtensionForm, ThresholdsForm, initial_of
from costs.dashboard.budgets import budgets_page
from costs.dashboard.people import people_of
from costs.limits import account_budgets, budget_of, budgets_of, rule_book
from costs.models import Budget, BudgetExtension, BudgetRules, Scope
from costs.thresholds import Thresholds
from costs.views import money_page
from labs import audit, ledger
from labs.models import Account

KEY = re.compile(
    r"(?P<what>students|staff|cohort)-(?P<scope>[0-9a-f]{1,32})"
    r"|person-(?P<owner>[0-9]{1,18})-(?P<of>[0-9a-f]{1,32})"
    r"|account-(?P<account>[0-9]{1,18})"
    r"|(?P<accounts>accounts)"
)
# Lazily: a page says them in its reader's language, the record in English.
ALL_OF = {
    "students": gettext_lazy("Each student"),
    "staff": gettext_lazy("Each teacher"),
    "cohort": gettext_lazy("The whole cohort"),
}
KINDS = {"students": Budget.STUDENT, "staff": Budget.STAFF, "cohort": Budget.COHORT}


@dataclass(frozen=True)
class Whose:
    """Whom a budget's page is about. kind: whose rules hold; name: for the page's head."""

    key: str
    kind: str
    scope: str
    name: str | Promise
    owner: int | None = None
    account: int | None = None
    told: Scope | None = None

    @property
    def is_account(self) -> bool:
        return self.account is not None

    @property
    def is_person(self) -> bool:
        return self.owner is not None

    @property
    def has_amount(self) -> bool:
        return self.key != "accounts"

    @property
    def has_rules(self) -> bool:
        """Rules are of all people of a kind, or of all accounts."""
        return not (self.is_person or self.is_account)

    @property
    def is_extended(self) -> bool:
        """More is given to one: a person, a cohort, an account."""
        return self.is_person or self.is_account or self.kind == Budget.COHORT

    @property
    def rows(self) -> QuerySet[Budget]:
        if self.is_account:
            return Budget.objects.filter(kind=Budget.ACCOUNT, account=self.account)
        if self.is_person:
            return Budget.objects.filter(scope=self.scope, owner=self.owner)
        return Budget.objects.filter(kind=self.kind, scope=self.scope, owner=None)

    @property
    def extensions(self) -> QuerySet[BudgetExtension]:
        given = BudgetExtension.objects.select_related("by", "undone_by")
        if self.is_account:
            return given.filter(account=self.account)
        if self.is_person:
            return given.filter(scope=self.scope, owner=self.owner)
        return given.filter(kind=Budget.COHORT, scope=self.scope, owner=None)

    def usd(self, now: datetime) -> Decimal | None:
        """What counts for them now, with what they were given beyond it."""
        if self.is_account:
            return account_budgets(now, [self.account]).get(self.account) if self.account else None
        budgets = budgets_of([self.scope], now)
        if self.is_person:
            return budget_of(self.owner or 0, [self.scope], budgets, [self.told] if self.told else [])
        return budgets.get((self.kind, self.scope, None))


def whose_of(key: str) -> Whose | None:
    """None for a key that names nobody who is there."""
    said = KEY.fullmatch(key)
    if said is None:
        return None
    if said["accounts"]:
        return Whose(key, Budget.ACCOUNT, "", gettext_lazy("Each AWS account"))
    if said["account"]:
        account = Account.objects.filter(pk=int(said["account"])).first()
        return Whose(key, Budget.ACCOUNT, account.scope, account.name, account=account.pk) if account else None
    told = Scope.objects.filter(key=said["scope"] or said["of"]).first()
    if told is None:
        return None
    if said["what"]:
        return Whose(key, KINDS[said["what"]], told.key, ALL_OF[said["what"]], told=told)
    owner = int(said["owner"])
    if owner not in {person.pk for person in people_of([told.key])}:
        return None
    person, kind = get_user_model().objects.get(pk=owner), Budget.STAFF if owner in told.staff else Budget.STUDENT
    return Whose(key, kind, told.key, str(person), owner=owner, told=told)


def may_change(user, whose: Whose) -> bool:
    """Those who act on the scope. To themselves, or to all who teach, only an admin ("") gives more."""
    is_own = whose.owner == user.pk or (whose.kind == Budget.STAFF and whose.owner is None)
    return user.has_perm(ACT, "" if is_own or whose.key == "accounts" else whose.scope)


@money_page
def budgets(request, scopes):
    """All budgets of one scope, the newest first; with more than one, which is in the address."""
    now, told = timezone.now(), list(Scope.objects.filter(key__in=scopes).order_by("-ends_at", "name"))
    scope = next((one for one in told if one.key == request.GET.get("scope")), None) or next(iter(told), None)
    if scope is None:
        raise Http404("No such page.")
    accounts = [scope.key, *([""] if request.user.has_perm(ACT, "") else [])]
    page = budgets_page(scope, accounts, now)
    may_act = request.user.has_perm(ACT, scope.key)
    is_admin = request.user.has_perm(ACT, "")
    facts = {"page": page, "scopes": told, "now": now, "may_act": may_act, "is_admin": is_admin}
    return render(request, "costs/budgets.html", facts)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def budget(request, key):
    """One budget: its amount, its rules, more for a while; what was given can be undone."""
    whose = whose_of(key)
    if whose is None or not scopes_of(request.user, ACT):
        raise Http404("No such budget.")
    if not may_change(request.user, whose):
        # An alert leads here. Of one's own budget there is nothing to change, and much to see.
        if request.method != "POST" and whose.owner and request.user.has_perm(VIEW, whose.scope):
            return redirect("costs:person", whose.owner)
        raise Http404("No such budget.")
    now, own = timezone.now(), whose.rows.first() if whose.has_amount else None
    rules = rule_book([whose.scope]).of(whose.scope, whose.kind)
    act = request.POST.get("act", "") if request.method == "POST" else ""
    amount = AmountForm(request.POST if act == "amount" else None, initial={"usd": own.usd if own else None})
    shares = ThresholdsForm(request.POST if act == "rules" else None, initial=initial_of(rules))
    more = ExtensionForm(request.POST if act == "extend" else None, now=now)
    done = ""
    if act == "amount" and whose.has_amount and amount.is_valid():
        done = set_amount(whose, amount.cleaned_data["usd"], now, request.user)
    elif act == "rules" and whose.has_rules and shares.is_valid():
        done = set_rules(whose, shares.thresholds, now, request.user)
    elif act == "extend" and whose.is_extended and more.is_valid():
        told = more.cleaned_data
        done = extend(whose, told["more"], told["until"], told["why"], now, request.user)
    elif act == "undo" and request.POST.get("pk", "").isdecimal():
        done = undo(whose, int(request.POST["pk"]), now, request.user)
    if done:
        messages.success(request, done)
        return redirect("costs:budget", key)
    facts = {
        "whose": whose,
        "own": own,
        "usd": whose.usd(now) if whose.has_amount else None,
        "rules": rules,
        "amount": amount,
        "shares": shares,
        "more": more,
        "extensions": list(whose.extensions[:50]) if whose.is_extended else [],
        "now": now,
    }
    return render(request, "costs/budget.html", facts, status=422 if request.method == "POST" else 200)


# --- what is done -------------------------------------------------------------------------------------------------


def set_amount(whose: Whose, usd: Decimal | None, now: datetime, by) -> str:
    """Set this very budget, or take it away; one that the cohort itself has goes back to that. Answers in words what it
    did."""
    with transaction.atomic():
        row = whose.rows.select_for_update().first()
        if usd is None and row and row.told_usd is not None:
            whose.rows.update(usd=row.told_usd)
            recorded = f"{_usd(row.told_usd)} again, as the cohort itself says"
            said = _("%(name)s: %(usd)s again, as the cohort itself says. It counts from now on.")
            shown = row.told_usd
        elif usd is None:
            whose.rows.delete()
            recorded, shown = "no budget of its own any more", None
            said = _("%(name)s: no budget of its own any more. It counts from now on.")
        else:
            row = row or Budget(kind=whose.kind, scope="" if whose.is_account else whose.scope)
            row.owner_id, row.account_id, row.usd = whose.owner, whose.account, usd
            row.save()
            recorded, shown = f"a budget of {_usd(usd)}", usd
            said = _("%(name)s: a budget of %(usd)s. It counts from now on.")
        _note(whose, recorded, now, by)
        _record(whose, "budget", recorded, now, by)
    return said % {"name": whose.name, "usd": _usd(shown)}


def set_rules(whose: Whose, thresholds: Thresholds, now: datetime, by) -> str:
    facts = {
        "tell_at": thresholds.tell,
        "block_at": thresholds.block,
        "stop_at": thresholds.stop,
        "delete_at": thresholds.delete,
        "grace_minutes": int(thresholds.grace.total_seconds() // 60),
    }
    scope = "" if whose.kind == Budget.ACCOUNT else whose.scope
    with transaction.atomic():
        BudgetRules.objects.update_or_create(scope=scope, kind=whose.kind, defaults=facts)
        _note(whose, "what happens at which share of the budget was changed", now, by)
        _record(whose, "budget", f"at which share of it what happens: {facts}", now, by)
    return _("What happens at which share is changed. It counts from now on.")


def extend(whose: Whose, usd: Decimal, until: datetime | None, why: str, now: datetime, by) -> str:
    """Give more, until then or for good. The row says who and why."""
    with transaction.atomic():
        BudgetExtension.objects.create(
            # A person's stays theirs when they begin to teach.
            kind=Budget.STUDENT if whose.is_person else whose.kind,
            scope="" if whose.is_account else whose.scope,
            owner_id=whose.owner,
            account_id=whose.account,
            usd=usd,
            until=until,
            why=why,
            by=by,
            at=now,
        )
        _note(whose, f"{_usd(usd)} more, {why}", now, by)
        lasts = f"until {until.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if until else "for good"
        _record(whose, "extension", f"{_usd(usd)} more {lasts}", now, by)
    said = _("%(name)s has %(usd)s more. What a budget had stopped in labs starts again within a minute or two.")
    return said % {"name": whose.name, "usd": _usd(usd)}


def undo(whose: Whose, pk: int, now: datetime, by) -> str:
    with transaction.atomic():
        row = whose.extensions.select_related(None).select_for_update().filter(pk=pk, undone_at=None).first()
        if row is None:
            return ""
        BudgetExtension.objects.filter(pk=row.pk).update(undone_at=now, undone_by=by)
        _note(whose, f"{_usd(row.usd)} more is taken back", now, by)
        _record(whose, "extension", f"{_usd(row.usd)} more is taken back", now, by)
    return _("%(usd)s more is taken back.") % {"usd": _usd(row.usd)}


def _usd(usd: Decimal | None) -> str:
    return "" if usd is None else f"${usd:,.2f}"


def _note(whose: Whose, words: str, now: datetime, by) -> None:
    """In the ledger, which is for all readers and in English."""
    account = Account.objects.get(pk=whose.account) if whose.account is not None else None
    with translation.override("en"):
        ledger.note("budget", f"{whose.name}: {words}", now, account=account, actor=by)


def _record(whose: Whose, kind: str, words: str, now: datetime, by) -> None:
    """In the record of who did what, which names nobody."""
    with translation.override("en"):
        of = str(dict(Budget.KINDS)[whose.kind])
    audit.note(kind, f"budget of {of}: {words}", by=by, person=whose.owner, scope=whose.scope, thing=whose.key, now=now)
