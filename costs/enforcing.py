"""Budgets act: what is nearly used up is told; what is used up is, a grace time after it was told, turned off.

Everything is read from rows and written as wishes, so that a worker that dies anywhere is made good by the next turn:
an alert says how far a budget has gone and when that was told (`told_at`, written by whoever tells people), and a
resource's own wish says whether it was asked already.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth import get_user_model
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext_noop

from costs.alerts import settle
from costs.budget import percent
from costs.live import is_going, live
from costs.models import Alert, Budget, Finding
from costs.standings import Standing, standings
from costs.thresholds import BLOCKED, DELETE, DELETES, STOPS, Thresholds, act_of
from costs.turning_off import is_at_work, may_turn_off
from labs import launching
from labs.decide import GONE
from labs.kinds.base import RUNNING, STOPPED
from labs.models import Account, Launch, Resource
from labs.rehearsal import REHEARSERS

RULE, AHEAD = "budget", "budget_ahead"

# What is written into an alert, once for all who read it and in English; pages say it again in their reader's language
# (costs/retelling.py), by the longest that fits.
SPENT = {
    Budget.ACCOUNT: gettext_noop(
        "The account %(who)s has spent %(spent)s of the budget of %(usd)s this month: %(share)s %%"
    ),
    Budget.COHORT: gettext_noop("The cohort has spent %(spent)s of the budget of %(usd)s: %(share)s %%"),
    Budget.STUDENT: gettext_noop("%(who)s has spent %(spent)s of the budget of %(usd)s: %(share)s %%"),
}
PASSES = {
    Budget.ACCOUNT: gettext_noop("What is on takes The account %(who)s past the budget of %(usd)s"),
    Budget.COHORT: gettext_noop("What is on takes The cohort past the budget of %(usd)s"),
    Budget.STUDENT: gettext_noop("What is on takes %(who)s past the budget of %(usd)s"),
}
COMES_TO = gettext_noop(
    "%(spent)s is spent. With what is on until it goes off by itself, or until the next session, it is %(comes_to)s."
)
# By whether the grace time is one hour.
ANNOUNCES_DELETE = {
    True: gettext_noop(
        "Labs are finished and what costs is deleted, %(hours)s hour after this was told. No new lab starts."
    ),
    False: gettext_noop(
        "Labs are finished and what costs is deleted, %(hours)s hours after this was told. No new lab starts."
    ),
}
ANNOUNCES_STOP = {
    True: gettext_noop(
        "What costs is stopped (deleted where AWS has no stop), %(hours)s hour after this was told. Jobs at work are "
        "left to end."
    ),
    False: gettext_noop(
        "What costs is stopped (deleted where AWS has no stop), %(hours)s hours after this was told. Jobs at work are "
        "left to end."
    ),
}
ANNOUNCES_NO_LABS = gettext_noop("No new lab starts. What is on stays on until it goes off by itself.")
ANNOUNCES_LATER = gettext_noop("From %(percent)s %% on no new lab starts.")
ONLY_TOLD = gettext_noop("This is only told.")
NOBODYS = gettext_noop("nobody’s")
PATTERNS = (
    *SPENT.values(),
    *PASSES.values(),
    COMES_TO,
    *ANNOUNCES_DELETE.values(),
    *ANNOUNCES_STOP.values(),
    ANNOUNCES_NO_LABS,
    ANNOUNCES_LATER,
    ONLY_TOLD,
    NOBODYS,
)

HOLDER = "budget"  # whose wish it is (labs/ledger.py): the strictest in force counts


def watch(now: datetime) -> list[Alert]:
    """Settle the alerts of all budgets, and do what their levels announced. Answers the alerts that are new."""
    found = standings(now)
    names = _names(found)
    told = [one for one in found if not one.is_quiet and (one.owner is None or one.owner in names.people)]
    new = settle(RULE, [_alert(one, names) for one in told if one.level], now)
    new += settle(AHEAD, [_ahead(one, names) for one in told if one.is_ahead], now)
    act({one.key: one for one in told}, now)
    return new


# --- what is told ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Named:
    """people: without dress rehearsals, whose budget is nobody's."""

    people: dict[int, str]
    accounts: dict[int, str]


def _names(found: Iterable[Standing]) -> _Named:
    """Two queries."""
    loud = [one for one in found if one.level or one.is_ahead]
    owners: list[int] = [one.owner for one in loud if one.owner is not None]
    owners += [owner for one in loud if one.kind == Budget.COHORT for owner in one.by if owner is not None]
    people = get_user_model().objects.filter(pk__in=owners).exclude(email__regex=REHEARSERS)
    accounts = Account.objects.in_bulk([one.account for one in loud if one.account is not None])
    return _Named({one.pk: str(one) for one in people}, {pk: one.name for pk, one in accounts.items()})


def _alert(one: Standing, names: _Named) -> Alert:
    with translation.override("en"):
        share = percent(one.spent, one.usd)
    told = {"who": _who(one, names), "spent": f"${one.spent:,.2f}", "usd": f"${one.usd:,.2f}", "share": share}
    said = SPENT[_whose(one)] % told
    return _made(one, names, said, announced(one.level, one.thresholds), one.spent, one.level)


def _ahead(one: Standing, names: _Named) -> Alert:
    return _made(
        one,
        names,
        PASSES[_whose(one)] % {"who": _who(one, names), "usd": f"${one.usd:,.2f}"},
        COMES_TO % {"spent": f"${one.spent:,.2f}", "comes_to": f"${one.comes_to:,.2f}"},
        one.comes_to,
        0,
    )


def _made(one: Standing, names: _Named, sentence: str, detail: str, usd, level: int) -> Alert:
    lines = [[_line(one, what, names), f"{spent:.2f}"] for what, spent in one.dearest]
    return Alert(
        key=one.key,
        scope=one.scope,
        owner_id=one.owner,
        account_id=one.account,
        sentence=sentence[:200],
        detail=detail[:400],
        usd=usd,
        lines=lines,
        level=level,
    )


def _whose(one: Standing) -> str:
    """An account's, a person's (whoever that is) or a cohort's."""
    if one.account is not None:
        return Budget.ACCOUNT
    return Budget.COHORT if one.owner is None else Budget.STUDENT


def _who(one: Standing, names: _Named) -> str:
    if one.account is not None:
        return str(names.accounts.get(one.account, one.account))
    return names.people[one.owner] if one.owner is not None else ""


def _line(one: Standing, what, names: _Named) -> str:
    if one.account is not None:
        return names.accounts.get(what, str(what))
    if one.kind == Budget.COHORT:
        return names.people.get(what, NOBODYS) if what is not None else NOBODYS
    return str(what)


def announced(level: int, thresholds: Thresholds) -> str:
    """What this level means, and what comes next, without an instant: pages show that in the reader's zone."""
    grace = thresholds.grace.total_seconds() / 3600
    if level >= DELETES:
        return ANNOUNCES_DELETE[grace == 1] % {"hours": f"{grace:g}"}
    if level >= STOPS:
        return ANNOUNCES_STOP[grace == 1] % {"hours": f"{grace:g}"}
    if level >= BLOCKED:
        return ANNOUNCES_NO_LABS
    if thresholds.block is not None:
        return ANNOUNCES_LATER % {"percent": thresholds.block}
    return ONLY_TOLD


# --- what is done ---------------------------------------------------------------------------------------------


def act(standing: dict[str, Standing], now: datetime) -> list[Resource]:
    """Ask off what used up budgets announced, and take the stop back where they no longer do. Answers the rows whose
    `wanted` changed. Doing it twice changes nothing."""
    alerts = Alert.objects.open().filter(rule=RULE, level__gte=STOPS)
    over = [(one, standing[one.key]) for one in alerts if one.key in standing]
    changed: list[Resource] = []
    for alert, one in over:
        wanted = act_of(alert.level, alert.told_at, one.thresholds.grace, now)
        if wanted:
            changed += _turn_off(one, alert.raised_at or alert.opened_at, wanted == DELETE, now)
    changed += _take_back([one for _, one in over], now)
    return changed


def _turn_off(one: Standing, since: datetime, deletes: bool, now: datetime) -> list[Resource]:
    """since: when the budget got here: what was asked before that is asked again."""
    why = f"the budget of ${one.usd:,.2f} is used up"
    covered = _covered(one)
    if not deletes:
        rows = [row for row in covered.rows if not is_going(row) and not was_asked(row, since)]
        return launching.ask_to_stop(rows, now=now, why=why, holder=HOLDER)
    changed: list[Resource] = []
    for launch in Launch.objects.open().filter(_pays(one), asked_to_end_at=None).exclude(pk__in=covered.busy_labs):
        changed += launching.ask_to_delete(launch, now=now, why=why, holder=HOLDER)
    by_hand = [row for row in covered.rows if row.launch_id is None and row.wanted != GONE]
    return changed + launching.ask_to_delete(by_hand, now=now, why=why, holder=HOLDER)


def was_asked(row: Resource, since: datetime) -> bool:
    """This round's stop was asked for already. What its owner started again at AWS since then is found, not fought."""
    wish = row.wishes.get(HOLDER)
    return bool(wish and wish["wanted"] != RUNNING and datetime.fromisoformat(wish["at"]) >= since)


@dataclass(frozen=True)
class _Covered:
    rows: list[Resource]
    busy_labs: set


def _covered(one: Standing) -> _Covered:
    """What a budget may turn off of all that it pays for: what is on, can be turned off by a Stop, is known to be
    somebody's, was made since the account was connected, and does no work that a Stop would lose. A lab in which a job
    is at work is left whole: the job may need the rest."""
    rows = list(live(Resource.objects.filter(_pays(one))).select_related("account", "launch"))
    at_work = {row.pk for row in rows if is_at_work(row)} - _idle(rows)
    busy = {row.launch_id for row in rows if row.pk in at_work and row.launch_id}
    free = [row for row in rows if row.pk not in at_work and row.launch_id not in busy]
    return _Covered([row for row in free if may_turn_off(row)], busy)


def _pays(one: Standing) -> Q:
    if one.account is not None:
        return Q(account=one.account)
    return Q(scope=one.scope, owner=one.owner) if one.owner is not None else Q(scope=one.scope)


def _idle(rows: list[Resource]) -> set:
    """Of clusters those that are found to be without work (costs/rules/idle_cluster.py)."""
    clusters = [row.pk for row in rows if row.kind == "emr-cluster"]
    idle = Finding.objects.open().filter(resource__in=clusters, rule="idle-cluster")
    return set(idle.values_list("resource", flat=True)) if clusters else set()


def _take_back(over: list[Standing], now: datetime) -> list[Resource]:
    """The stop of what no used up budget pays for any more. What was stopped in a lab starts again, unless somebody
    else wants it off; what was made by hand stays off until its owner starts it. Deleted is deleted."""
    held = list(Resource.objects.open().filter(wishes__budget__wanted=STOPPED))
    if not held:
        return []
    still: dict[str, set] = defaultdict(set)
    for one in over:
        still["account" if one.account is not None else "owner" if one.owner is not None else "scope"].add(
            one.account or ((one.scope, one.owner) if one.owner is not None else one.scope)
        )
    free = [
        row
        for row in held
        if row.account_id not in still["account"]
        and (row.scope, row.owner_id) not in still["owner"]
        and row.scope not in still["scope"]
    ]
    return launching.ask_to_start(free, now=now, why="the budget has room again", holder=HOLDER)
