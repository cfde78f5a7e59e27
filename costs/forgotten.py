"""Facts of every live resource -> rules -> findings, opened and closed. And what people do with a finding."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery

from costs.kinds import can_stop, title_of
from costs.live import is_going
from costs.models import Activity, Finding, Scope
from costs.rules import Facts, Verdict, all_rules
from costs.rules.base import Looked
from labs import ledger
from labs.kinds.base import ABSENT
from labs.models import Resource, Span

BATCH = 500
IT_IS_GONE = "it is gone"
NO_LONGER_SO = "it is no longer so"

# What was told and done of a finding, taken back: its life begins anew.
ANEW = dict.fromkeys(
    ["reminder_asked_at", "reminded_at", "staff_asked_at", "staff_told_at", "look_asked_at", "acted_at", "act_told_at"]
)

# A second reminder within this time tells nobody anything new.
REMIND_AGAIN_AFTER = timedelta(hours=12)


@dataclass(frozen=True)
class Judged:
    """What one judging did, counted in findings."""

    opened: int = 0
    closed: int = 0
    open: int = 0


def judge(now: datetime, look_ahead: Mapping[str, datetime] | None = None) -> Judged:
    """Ask every rule about every live resource; open and close findings, each with an Event.

    look_ahead: {scope: the next session}. Without it, what the scope was told, else what the resource's launch was.
    A finding closes when the resource is gone or when its rule no longer fires; a snoozed one too.
    """
    rows = _live()
    signals = _signals()
    told = dict(Scope.objects.filter(look_ahead_until__gt=now).values_list("key", "look_ahead_until"))
    told |= look_ahead or {}
    verdicts: dict[tuple, Verdict] = {}
    by_pk: dict = {}
    for row in rows.iterator(chunk_size=2000):
        facts = _facts(row, signals.get(row.pk, {}))
        for rule in all_rules():
            verdict = rule.check(facts, now)
            if verdict is not None:
                verdicts[row.pk, rule.NAME] = verdict
                by_pk[row.pk] = (row, facts)
    with transaction.atomic():
        known = {
            (finding.resource_id, finding.rule): finding
            for finding in Finding.objects.open().select_related("resource__launch", "resource__account")
        }
        opened = _open([key for key in verdicts if key not in known], verdicts, by_pk, told, now)
        _keep([(known[key], verdict) for key, verdict in verdicts.items() if key in known], by_pk, told, now)
        closed = _close([finding for key, finding in known.items() if key not in verdicts], now)
    return Judged(opened, closed, len(known) + opened - closed)


def _live() -> QuerySet[Resource]:
    began = Span.objects.filter(resource=OuterRef("pk"), ended=None).values("began")
    return (
        Resource.objects.open()
        .exclude(seen__in=["", ABSENT])
        .select_related("launch", "account")
        .annotate(facts_since=Subquery(began))
        .defer("params", "wishes")
    )


def _signals() -> dict:
    """{resource: {metric: Looked}} of what is live."""
    found: dict = defaultdict(dict)
    for one in Activity.objects.filter(resource__closed_at=None):
        found[one.resource_id][one.signal] = Looked(one.window_began, one.at, one.value, one.datapoints)
    return found


def _facts(row: Resource, signals: Mapping[str, Looked]) -> Facts:
    launch, first = row.launch, row.first_seen_at or row.created_at
    return Facts(
        kind=row.kind,
        region=row.region,
        state=row.seen,
        state_since=row.seen_since or first,
        facts_since=row.facts_since or first,  # type: ignore[attr-defined]  # annotated
        facts=row.facts,
        can_stop=can_stop(row.kind),
        owner_proof=row.owner_proof,
        blocked_why=row.blocked_why,
        lab_regions=tuple(row.account.lab_regions),
        in_lab=launch is not None,
        lab_region=launch.region if launch else "",
        lab_expires_at=launch.expires_at if launch else None,
        lab_asked_to_end_at=launch.asked_to_end_at if launch else None,
        lab_ended_at=launch.ended_at if launch else None,
        signals=signals,
    )


def _open(keys: list, verdicts: Mapping, by_pk: Mapping, told: Mapping, now: datetime) -> int:
    new = []
    for pk, rule in keys:
        row, facts = by_pk[pk]
        verdict = verdicts[pk, rule]
        new.append(
            Finding(
                resource=row,
                rule=rule,
                sentence=verdict.sentence,
                detail=verdict.detail,
                since=verdict.since,
                action=facts.turned_off_by,
                look_ahead_until=_look_ahead(row, told, now),
                opened_at=now,
            )
        )
    # Another judge may have opened the same: the constraint keeps one, and each tells only of its own.
    Finding.objects.bulk_create(new, ignore_conflicts=True, batch_size=BATCH)
    mine = Finding.objects.open().filter(opened_at=now).values_list("resource", "rule") if new else ()
    for pk, rule in mine:
        row = by_pk[pk][0]
        ledger.note("forgotten", f"{_name(row)}: {verdicts[pk, rule].sentence}", now, resource=row)
    return len(mine)


def _keep(pairs: Iterable[tuple[Finding, Verdict]], by_pk: Mapping, told: Mapping, now: datetime) -> None:
    """A finding that stays open says what its rule says now."""
    changed = []
    for finding, verdict in pairs:
        row, facts = by_pk[finding.resource_id]
        says = (verdict.sentence, verdict.detail, verdict.since, facts.turned_off_by, _look_ahead(row, told, now))
        said = (finding.sentence, finding.detail, finding.since, finding.action, finding.look_ahead_until)
        if says != said:
            finding.sentence, finding.detail, finding.since, finding.action, finding.look_ahead_until = says
            changed.append(finding)
    Finding.objects.bulk_update(
        changed, ["sentence", "detail", "since", "action", "look_ahead_until"], batch_size=BATCH
    )


def _close(findings: list[Finding], now: datetime) -> int:
    for finding in findings:
        gone = finding.resource.closed_at is not None or finding.resource.seen == ABSENT
        finding.closed_at, finding.closed_why = now, IT_IS_GONE if gone else NO_LONGER_SO
        words = f"{_name(finding.resource)}: {finding.closed_why} ({finding.sentence[0].lower()}{finding.sentence[1:]})"
        ledger.note("not_forgotten", words, now, resource=finding.resource)
    Finding.objects.bulk_update(findings, ["closed_at", "closed_why"], batch_size=BATCH)
    return len(findings)


def _look_ahead(row: Resource, told: Mapping[str, datetime], now: datetime) -> datetime | None:
    if row.scope in told:
        return told[row.scope]
    until = row.launch.look_ahead_until if row.launch else None
    return until if until and until > now else None


def _name(row: Resource) -> str:
    return f"{title_of(row.kind)} {row.name or row.aws_id}"


# --- what people do with a finding ---------------------------------------------------------------------------


def remind(resources: Iterable[Resource], *, now: datetime, by) -> list[Resource]:
    """Wish that the owners of these be told. Answers those that are not going off already, and whose owner is known and
    was not told lately.

    Who tells people asks `reminders_due` and then calls `reminded`.
    """
    wished = []
    with transaction.atomic():
        for row in _held(resources):
            findings = Finding.objects.shown(now).filter(resource=row)
            lately = findings.filter(reminder_asked_at__gt=now - REMIND_AGAIN_AFTER).exists()
            if row.owner_id is None or lately or not findings.update(reminder_asked_at=now, reminded_at=None):
                continue
            ledger.note("reminder", f"A reminder was asked for: {_name(row)}", now, resource=row, actor=by)
            wished.append(row)
    return wished


def reminders_due() -> dict[int, list[Finding]]:
    """{owner: open findings that somebody wished them to be told of}, one finding a resource."""
    due: dict[int, dict] = defaultdict(dict)
    wished = Finding.objects.open().filter(reminder_asked_at__isnull=False, reminded_at=None)
    for finding in wished.select_related("resource__owner", "resource__account", "resource__metered").order_by("pk"):
        if finding.resource.owner_id is not None:
            due[finding.resource.owner_id].setdefault(finding.resource_id, finding)
    return {owner: list(findings.values()) for owner, findings in due.items()}


def reminded(findings: Iterable[Finding], now: datetime) -> int:
    """The owners were told. Answers of how many findings."""
    rows = {finding.resource_id for finding in findings}
    wished = Finding.objects.open().filter(resource__in=rows, reminder_asked_at__isnull=False, reminded_at=None)
    return wished.update(reminded_at=now)


def snooze(resources: Iterable[Resource], *, until: datetime, why: str, now: datetime, by) -> list[Resource]:
    """Put the findings of these off until then; after that their life begins anew. They cost what they cost meanwhile.
    Answers those put off, without what is going off already."""
    if until <= now:
        raise ValueError("a finding is put off to an instant that is still to come")
    put_off = []
    with transaction.atomic():
        for row in _held(resources):
            if Finding.objects.open().filter(resource=row).update(snoozed_until=until, snooze_why=why[:200], **ANEW):
                words = f"{_name(row)} was put off{': ' + why if why else ''}"
                ledger.note("snoozed", words, now, resource=row, actor=by)
                put_off.append(row)
    return put_off


def wake(resources: Iterable[Resource], *, now: datetime, by=None) -> int:
    """Take a snooze back: its life begins anew. Answers how many findings were."""
    woken = 0
    with transaction.atomic():
        for row in resources:
            put_off = Finding.objects.open().filter(resource=row).exclude(snoozed_until=None)
            if found := put_off.update(snoozed_until=None, snooze_why="", **ANEW):
                woken += found
                ledger.note("woken", f"{_name(row)} is not put off any more", now, resource=row, actor=by)
    return woken


def _held(resources: Iterable[Resource]) -> list[Resource]:
    """Of these, as they are now, what stays on unless somebody acts."""
    ids = [row.pk for row in resources]
    rows = Resource.objects.open().filter(pk__in=ids).select_related("launch", "account").order_by("pk")
    return [row for row in rows if not is_going(row)]
