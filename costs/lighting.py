"""Does what the life of each thing that was left on asks for (costs/lives.py): one step a thing, again and again.

Nobody is told here. That somebody is to be told is written down; who tells people reads it (`reminders_due` of
costs/forgotten.py, `staff_due` and `acts_due` here) and then says that it was done.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.db.models import F

from costs import activity
from costs.access import every_scope
from costs.dashboard.forgotten import Forgotten, forgotten_in
from costs.forgotten import ANEW
from costs.kinds import title_of
from costs.lives import DELETE, LOOK, STOP, TELL_OWNER, TELL_STAFF, next_step
from costs.models import Activity, Finding
from costs.rules import all_rules, shows_disuse
from labs import launching, ledger
from labs.kinds.base import RUNNING, STOPPED
from labs.models import Resource

HOLDER = "policy"


@dataclass(frozen=True)
class Tended:
    """What one turn did, counted in resources."""

    told: int = 0
    told_staff: int = 0
    looked: int = 0
    stopped: int = 0
    deleted: int = 0


def tend(now: datetime) -> Tended:
    """One step of each life that is due. May be lost, doubled or late: what was done is written down with it."""
    _let_be(now)
    due = defaultdict(list)
    news = _news()
    for one in forgotten_in(every_scope(), now):
        left = replace(one.left, news_at=_news_of(one, news))
        step = next_step(left, one.policy, now)
        if step is not None and step.at <= now:
            due[step.act].append(one)
    for one in due[TELL_OWNER]:
        _ask(one, now, "reminder", "its owner is told", reminder_asked_at=now, reminded_at=None)
    for one in due[TELL_STAFF]:
        _ask(one, now, "told_staff", "those who teach are told", staff_asked_at=now, staff_told_at=None)
    stopped = [one for one in due[STOP] if _act(one, now, launching.ask_to_stop)]
    deleted = [one for one in due[DELETE] if _act(one, now, launching.ask_to_delete)]
    if due[LOOK]:
        rows = [one.row for one in due[LOOK]]
        Finding.objects.open().filter(resource__in=[row.pk for row in rows]).update(look_asked_at=now)
        ledger.hurry([row.pk for row in rows], now)
        activity.look(now, rows)
    return Tended(len(due[TELL_OWNER]), len(due[TELL_STAFF]), len(due[LOOK]), len(stopped), len(deleted))


def _ask(one: Forgotten, now: datetime, code: str, words: str, **fields) -> None:
    with transaction.atomic():
        if Finding.objects.shown(now).filter(resource=one.row).update(**fields):
            ledger.note(code, f"{one.title} {one.name}: {words}. {one.loudest.sentence}", now, resource=one.row)


def _act(one: Forgotten, now: datetime, ask) -> bool:
    """Whether it is asked to go by this: not, where another worker was first."""
    with transaction.atomic():
        stands_on = [finding for finding in one.findings if shows_disuse(finding.rule)] or list(one.findings)
        findings = Finding.objects.shown(now).filter(pk__in=[finding.pk for finding in stands_on])
        # Put off, or found in use, since it was read.
        if not findings.select_for_update().exists():
            return False
        why = f"left on ({stands_on[0].sentence[0].lower()}{stands_on[0].sentence[1:]})"
        changed = ask([one.row], now=now, why=why, holder=HOLDER)
        if changed:
            findings.update(acted_at=now, act_told_at=None)
        return bool(changed)


def _let_be(now: datetime) -> None:
    """What its owner started again in spite of the policy's stop is theirs: the wish is taken back, and its life begins
    anew when nobody uses it again."""
    again = Resource.objects.open().filter(
        wanted=STOPPED,
        wanted_by=HOLDER,
        seen=RUNNING,
        stop_asked_at__gte=F("wanted_at"),
        seen_since__gt=F("stop_asked_at"),
    )
    for row in again.select_related("account", "launch"):
        with transaction.atomic():
            ledger.wish([row], HOLDER, RUNNING, now, why="it was started again")
            Finding.objects.open().filter(resource=row).update(**ANEW)
            words = f"{title_of(row.kind)} {row.name or row.aws_id} was started again: it is let be while it is used"
            ledger.note("let_be", words, now, resource=row)


def _news() -> dict:
    """{resource: {metric: when it was looked at}} of what may be stopped for lack of use."""
    unused = [rule.NAME for rule in all_rules() if shows_disuse(rule.NAME)]
    rows = Finding.objects.open().filter(rule__in=unused, look_asked_at__isnull=False).values("resource")
    found: dict = defaultdict(dict)
    for pk, metric, at in Activity.objects.filter(resource__in=rows).values_list("resource", "signal", "at"):
        found[pk][metric] = at
    return found


def _news_of(one: Forgotten, news: dict) -> datetime | None:
    """The oldest of what its findings of no use stand on: when AWS was asked for it, and for each signal read."""
    reads = {
        read.metric
        for rule in all_rules()
        if any(finding.rule == rule.NAME for finding in one.findings)
        for read in getattr(rule, "READS", ())
        if read.kind == one.row.kind
    }
    looks = [one.row.seen_at, *(news.get(one.row.pk, {}).get(metric) for metric in reads)]
    return None if None in looks else min(at for at in looks if at)


# --- for whoever tells people --------------------------------------------------------------------------------


def staff_due() -> dict[str, list[Finding]]:
    """{scope: open findings of which those who teach it are to be told}, one finding a resource."""
    wished = Finding.objects.open().filter(staff_asked_at__isnull=False, staff_told_at=None)
    due: dict[str, dict] = defaultdict(dict)
    for finding in wished.select_related("resource__owner", "resource__account").order_by("pk"):
        due[finding.resource.scope].setdefault(finding.resource_id, finding)
    return {scope: list(findings.values()) for scope, findings in due.items()}


def staff_told(findings: Iterable[Finding], now: datetime) -> int:
    rows = {finding.resource_id for finding in findings}
    wished = Finding.objects.open().filter(resource__in=rows, staff_asked_at__isnull=False, staff_told_at=None)
    return wished.update(staff_told_at=now)


def acts_due() -> dict[int, list[Finding]]:
    """{owner: findings, closed ones too, for which the policy turned something of theirs off}, one a resource."""
    acted = Finding.objects.filter(acted_at__isnull=False, act_told_at=None, resource__owner__isnull=False)
    due: dict[int, dict] = defaultdict(dict)
    for finding in acted.select_related("resource__account").order_by("pk"):
        due[finding.resource.owner_id or 0].setdefault(finding.resource_id, finding)
    return {owner: list(findings.values()) for owner, findings in due.items()}


def acts_told(findings: Iterable[Finding], now: datetime) -> int:
    rows = {finding.resource_id for finding in findings}
    return Finding.objects.filter(resource__in=rows, acted_at__isnull=False, act_told_at=None).update(act_told_at=now)
