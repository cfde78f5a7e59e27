"""The only writer of Resource, Span and Event: claim, begin_create, saw, close, wishes, strangers.

Every write for a claimed row carries the row's fence: a worker whose lease ran out and whose row was taken over is
refused (LostLease) instead of overwriting what the new holder knows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F, Max

from labs import adopting, guardrails
from labs.decide import GONE, SOON, TOLD, strictest
from labs.kinds import kind_of
from labs.kinds.base import (
    ABSENT,
    DELETING,
    FAILED,
    PENDING,
    RUNNING,
    STOPPED,
    STOPPING,
    TAG_LAUNCH,
    TAG_OWNER,
    TAG_RESOURCE,
    Seen,
    Want,
)
from labs.models import Account, Event, Launch, Resource, Span

LEASE = timedelta(
    seconds=90
)  # longer than the longest bounded verb (10 calls of 5 s), shorter than a person's patience
STATE_WORDS = {
    PENDING: "is being made",
    RUNNING: "is running",
    STOPPING: "is stopping",
    STOPPED: "is stopped",
    DELETING: "is being deleted",
    FAILED: "has failed",
}
SETTLED = (RUNNING, STOPPED, FAILED)


class LostLease(Exception):
    """Another worker holds the row now, or what is wanted of it has changed: let go of it."""


# --- the queue -----------------------------------------------------------------------------------------------


def claim(now: datetime, *, pk=None) -> Resource | None:
    """Take the row that is due the longest (or the row `pk`, if it is due), for LEASE. None when nothing is `due()`.

    Safe with any number of workers: rows are locked and skipped on PostgreSQL, writers are serial on SQLite. One
    statement, and one more for what the row belongs to: workers ask it for every look, and mostly nothing is due.
    """
    at = connection.ops.adapt_datetimefield_value
    only = "AND id = %s" if pk is not None else ""
    lock = "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
    claimed = Resource.objects.raw(
        f"""
        UPDATE labs_resource SET lease_until = %s, fence = fence + 1
        WHERE id = (
            SELECT id FROM labs_resource
            WHERE closed_at IS NULL AND next_look_at <= %s AND (lease_until IS NULL OR lease_until < %s) {only}
            ORDER BY next_look_at LIMIT 1 {lock}
        )
        RETURNING *
        """,  # noqa: S608  our own words: the values go beside them
        [at(now + LEASE), at(now), at(now), *([Resource._meta.pk.get_db_prep_value(pk, connection)] if only else [])],
    )
    row = next(iter(claimed), None)
    if row is not None and row.launch_id:
        row.launch = Launch.objects.select_related("account").get(pk=row.launch_id)
        if row.launch.account_id == row.account_id:
            row.account = row.launch.account
    return row


def put_off(row: Resource, until: datetime, *, now: datetime, **fields) -> None:
    """Let go of a claimed row until `until`; at once when it was hurried meanwhile, or other things are wanted."""
    held = Resource.objects.filter(pk=row.pk, fence=row.fence)
    unchanged = held.filter(wanted_at=row.wanted_at, next_look_at=row.next_look_at)
    if unchanged.update(lease_until=None, next_look_at=until, **fields):
        return
    held.update(lease_until=None, next_look_at=now, **fields)


def _write(row: Resource, **fields) -> None:
    if not Resource.objects.filter(pk=row.pk, fence=row.fence, closed_at=None).update(**fields):
        raise LostLease(str(row))
    for name, value in fields.items():
        setattr(row, name, value)


def became_ready(row: Resource, now: datetime) -> None:
    """The row runs and is configured, or has done its work: what needs it and was not begun yet looks again at once.

    Also what a worker looks at this moment: it may have read that the row is not ready. The lab is ready when its last
    row is.
    """
    if not row.launch_id:
        return
    family = Resource.objects.filter(launch=row.launch_id).exclude(key="").annotate(has_ended=F("facts__ended"))
    children, lacking = [], False
    for pk, needs, began, seen, configured, closed, has_ended in family.values_list(
        "pk", "needs", "create_began_at", "seen", "configured_at", "closed_at", "has_ended"
    ):
        if began is None and closed is None and row.key in needs:
            children.append(pk)
        lacking |= not (seen == RUNNING and configured) and not (closed and has_ended)
    if children:
        Resource.objects.open().filter(pk__in=children).update(next_look_at=now)
    if not lacking and Launch.objects.filter(pk=row.launch_id, ready_at=None).update(ready_at=now):
        note("ready", "The lab is ready", now, launch=row.launch)


def hurry_family(row: Resource, now: datetime) -> None:
    """The row is gone: its parents and children look again at once."""
    if row.launch_id:
        Resource.objects.open().filter(launch=row.launch_id, next_look_at__gt=now).exclude(pk=row.pk).exclude(
            seen=RUNNING, wanted=RUNNING, configured_at__isnull=False
        ).update(next_look_at=now)


# --- what a verb needs ---------------------------------------------------------------------------------------


def name_for(lab: str, key: str, launch_id, longest: int = 50) -> str:
    """A name that no other launch has, of at most `longest` characters of [a-z0-9-] (S3, IAM and SageMaker take 50). It
    begins with what guardrails let a session of this launch touch.

    Where AWS takes fewer it is the lab that is cut, for the key and the launch make the name unique: 32 is the least.
    """
    begins, ends = guardrails.own_prefix(launch_id.hex), key[:11].strip("-")
    return f"{begins}{lab[: min(20, longest - len(begins) - len(ends) - 1)].strip('-')}-{ends}"


def want_of(row: Resource, family: Mapping[str, Resource]) -> Want:
    """What the verbs need to make the row's resource or find it again, with parents' facts filled into its params.

    family: {key: row} of the same launch. A "{key.fact}" whose parent has no such fact yet stays as it is written: the
    row is not created before its parents are ready.
    """
    parents = {
        key: {"name": parent.name, "aws_id": parent.aws_id, **parent.facts}
        for key, parent in family.items()
        if key in row.needs
    }
    tags = {TAG_RESOURCE: row.id.hex}
    if row.launch_id:
        tags |= {TAG_LAUNCH: row.launch_id.hex, TAG_OWNER: str(row.owner_id or "")}
    limited = row.launch.limited_scope if row.launch and row.account.is_real else ""
    if row.launch_id and row.owner_id:
        tags |= guardrails.tags(row.owner_id, row.launch_id.hex)
    return Want(
        key=row.key,
        kind=row.kind,
        params=_filled(row.params, parents),
        needs=tuple(row.needs),
        name=row.name,
        token=row.id.hex,
        tags=tags,
        aws_id=row.aws_id,
        account_id=row.account.aws_id,
        region=row.region,
        parents=parents,
        boundary=guardrails.boundary_arn(row.account.aws_id, limited) if row.account.is_real else "",
    )


def _filled(value, parents):
    if isinstance(value, str):
        return re.sub(
            r"\{([a-z0-9-]+)\.([a-z0-9_]+)\}",
            lambda found: str(parents.get(found[1], {}).get(found[2], found[0])),
            value,
        )
    if isinstance(value, Mapping):
        return {key: _filled(inner, parents) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_filled(inner, parents) for inner in value]
    return value


# --- intents -------------------------------------------------------------------------------------------------


def plan(launch: Launch, wants: Iterable[Want], now: datetime) -> list[Resource]:
    """Write a row for each Want of a launch. Called inside the launch's transaction, before any AWS call.

    What needs another is looked at when that is ready, or ended.
    """
    rows = [
        Resource(
            account=launch.account,
            region=launch.region,
            kind=kind_of(want.kind).name,
            launch=launch,
            owner_id=launch.owner_id,
            owner_proof="launch",
            scope=launch.scope,
            key=want.key,
            name=name_for(launch.lab, want.key, launch.id, kind_of(want.kind).longest_name),
            params=json.loads(json.dumps(dict(want.params), default=str)),
            needs=list(want.needs),
            wanted_at=now,
            next_look_at=now + TOLD if want.needs else now,
            created_at=now,
        )
        for want in wants
    ]
    return Resource.objects.bulk_create(rows)


def begin_create(row: Resource, now: datetime) -> bool:
    """Commit the intent before the create call. True when this is the first try, so that a clear no means "not made".

    Raises LostLease when the row was taken over or is no longer wanted running.
    """
    first = row.create_began_at is None
    still_wanted = Resource.objects.filter(pk=row.pk, fence=row.fence, wanted=RUNNING, closed_at=None)
    if not still_wanted.update(create_began_at=now):
        raise LostLease(f"{row} is not wanted any more")
    row.create_began_at = now
    return first


def create_refused(row: Resource) -> None:
    """AWS clearly said no to the first create call: nothing was made, so nothing has to be found again."""
    _write(row, create_began_at=None)


def begin_switch(row: Resource, now: datetime) -> None:
    """Commit the intent before AWS's scheduler is asked: whoever dies in between leaves no switch that nobody knows."""
    if row.switch_began_at is None:
        _write(row, switch_began_at=now)


def switched(row: Resource, at: datetime | None) -> None:
    """The dead-man's switch of the row is set to `at`, or (None) taken away."""
    _write(row, switch_at=at, switch_began_at=row.switch_began_at if at else None)


def stop_asked(row: Resource, at: datetime) -> None:
    """Committed before the call, as every intent: what is seen stopped from now on was stopped by us."""
    _write(row, stop_asked_at=at)


def stop_served(row: Resource, at: datetime) -> None:
    """It is stopped as was wished, by whomever: who starts it from now on does so in spite of the wish."""
    if row.stop_asked_at is None or row.stop_asked_at < row.wanted_at:
        _write(row, stop_asked_at=at)


def start_asked(row: Resource) -> None:
    """AWS took our start: what is seen stopped from now on was stopped by somebody else."""
    if row.stop_asked_at is not None:
        _write(row, stop_asked_at=None)


def delete_asked(row: Resource, at: datetime) -> None:
    if row.delete_asked_at is None:
        _write(row, delete_asked_at=at)


def delete_refused(row: Resource) -> None:
    """AWS did not take the delete call: how long it takes is counted from a call that it takes."""
    _write(row, delete_asked_at=None)


# --- facts ---------------------------------------------------------------------------------------------------


def saw(row: Resource, seen: Seen, at: datetime) -> None:
    """Record one observation of a claimed row: its facts, its Span, and an Event when the state changed.

    An absence only notes when it was first seen: the meter runs on until `close`, because AWS shows new things late.
    """
    if seen.state == ABSENT:
        if row.absent_since is None:
            _write(row, absent_since=at)
        return
    facts = json.loads(json.dumps(dict(seen.facts), default=str, sort_keys=True))
    changed = row.seen != seen.state
    since = _began(row, seen, at)
    is_news = changed or row.facts != facts
    # Of one statement the database makes its own transaction.
    with transaction.atomic() if is_news else nullcontext():
        if is_news:
            if row.first_seen_at is not None:
                Span.objects.filter(resource=row, ended=None).update(ended=since)
            Span.objects.create(resource=row, state=seen.state, facts=facts, began=since)
        _write(
            row,
            seen=seen.state,
            seen_at=max(at, row.seen_at or at),
            seen_since=since if changed else row.seen_since,
            facts=facts,
            aws_id=seen.aws_id or row.aws_id,
            name=seen.name or row.name,
            changed_mark=seen.mark,
            first_seen_at=row.first_seen_at or at,
            absent_since=None,
            # What stood in the way of its making is over.
            **({} if row.first_seen_at else {"attempts": 0, "blocked_why": ""}),
        )
        if changed:
            words = f"{kind_of(row.kind).title} {row.name or row.aws_id} {STATE_WORDS[seen.state]}"
            note(seen.state, words, at, resource=row)


def _began(row: Resource, seen: Seen, at: datetime) -> datetime:
    """When this state began: where AWS tells, but never before the last look, which still showed the old state."""
    began = _not_in_the_future(seen.since, at)
    return began if row.seen_at is None else min(max(began, row.seen_at), at)


def _not_in_the_future(since: datetime | None, at: datetime) -> datetime:
    return at if since is None or since > at else since


def close(
    row: Resource, at: datetime, why: str, *, since: datetime | None = None, facts: Mapping[str, Any] | None = None
) -> None:
    """The row was seen absent for good: end its span and its meter. The meter stops at the first sighting of absence,
    or where AWS says it ended (`since`), but not before the last sighting of the thing itself.

    facts: what AWS goes on telling of one whose work is over ("ended", "is_done"): kept beside those it had.
    """
    ended = row.absent_since or at
    if since is not None:
        ended = min(ended, since)
    if row.seen_at is not None:
        ended = max(ended, row.seen_at)
    with transaction.atomic():
        if row.launch_id:
            # Of two last rows that close at once, the second waits here and sees that the first is closed.
            Launch.objects.select_for_update().get(pk=row.launch_id)
        _write(
            row,
            closed_at=at,
            closed_why=why[:200],
            facts={**row.facts, **json.loads(json.dumps(dict(facts or {}), default=str))},
            seen=ABSENT if row.first_seen_at else "",
            seen_at=max(ended, row.seen_at) if row.seen_at else row.seen_at,
            lease_until=None,
            next_look_at=None,
            blocked_why="",
        )
        Span.objects.filter(resource=row, ended=None).update(ended=ended)
        has_ended = "has ended" if row.facts.get("ended") else ""
        if row.first_seen_at or has_ended:
            words = f"{kind_of(row.kind).title} {row.name or row.aws_id} {has_ended or 'is gone'}: {why}"
            note("gone", words, at, resource=row)
        if row.launch_id and not Resource.objects.open().filter(launch=row.launch_id).exists():
            over = Launch.objects.filter(pk=row.launch_id, ended_at=None, prove_at=None)
            # A lab in which the student makes things goes on without any row of its own, until it is asked to end.
            (over if row.key else over.exclude(asked_to_end_at=None)).update(prove_at=at)
    hurry_family(row, at)


def block(row: Resource, why: str, until: datetime, now: datetime) -> None:
    """Say loudly that a person is needed. The row is still looked at, slowly, so that it mends itself once it can."""
    if row.blocked_why != why:
        note("blocked", f"{kind_of(row.kind).title} {row.name}: {why}", now, resource=row)
    put_off(row, until, now=now, blocked_why=why)


# --- wishes --------------------------------------------------------------------------------------------------


def wish(
    rows: Iterable[Resource], holder: str, wanted: str, now: datetime, *, by=None, why: str = ""
) -> list[Resource]:
    """Write one holder's wish on open rows, and what is wanted of them now. Answers the rows whose `wanted` changed.

    The strictest wish in force counts: a person's "running" does not undo a clock's "gone". And gone stays gone: a Stop
    or Start from a page that is out of date does not take a Finish back.
    """
    changed = []
    with transaction.atomic():
        ids = [row.pk for row in rows]
        for row in Resource.objects.open().filter(pk__in=ids).select_for_update(of=("self",)):
            if wanted != GONE and row.wishes.get(holder, {}).get("wanted") == GONE:
                continue
            row.wishes[holder] = {
                "wanted": wanted,
                "at": now.isoformat(),
                "by": getattr(by, "pk", None),
                "why": why,
            }
            strict, whose = strictest(row.wishes)
            if strict != row.wanted:
                changed.append(row)
            row.wanted, row.wanted_by, row.wanted_at = strict, whose, now
            row.next_look_at, row.attempts, row.blocked_why = now, 0, ""
            row.save(
                update_fields=["wishes", "wanted", "wanted_by", "wanted_at", "next_look_at", "attempts", "blocked_why"]
            )
    return changed


# --- the census writes ---------------------------------------------------------------------------------------


def confirm(ids: Iterable, at: datetime) -> int:
    """A list call showed these settled rows unchanged at `at`. One update for all of them."""
    return Resource.objects.open().filter(pk__in=list(ids), seen_at__lt=at).update(seen_at=at, absent_since=None)


def hurry(ids: Iterable, at: datetime) -> int:
    """A list call showed something else than the ledger knows: look at these rows now."""
    return Resource.objects.open().filter(pk__in=list(ids)).update(next_look_at=at)


def enter_strangers(
    found: Iterable[tuple[Account, str, Seen, str]], at: datetime, launches: Iterable[Launch] = ()
) -> list[Resource]:
    """Enter what no launch made: [(account, kind name, what was seen, region)]. Answers the new rows.

    launches: open ones in which a student makes things; what is shown to be made in one becomes a row of it, and goes
    with it. Something entered by another worker meanwhile is left to it.
    """
    rows, spans, found, launches = [], [], list(found), list(launches)
    known_until = _known_until(found)
    for account, kind_name, seen, region in found:
        launch, proof = adopting.launch_of(account, kind_name, seen, region, launches)
        owner_id = launch.owner_id if launch else None
        if launch is None:
            owner_id, proof = _owner_of(account, seen)
        facts = json.loads(json.dumps(dict(seen.facts), default=str, sort_keys=True))
        row = Resource(
            account=account,
            region=region,
            kind=kind_name,
            launch=launch,
            owner_id=owner_id,
            owner_proof=proof,
            scope=launch.scope if launch else account.scope,
            name=seen.name,
            aws_id=seen.aws_id,
            wanted_at=at,
            seen=seen.state,
            seen_at=at,
            seen_since=seen.since,
            first_seen_at=at,
            facts=facts,
            changed_mark=seen.mark,
            configured_at=at,
            next_look_at=at + _first_look_after(kind_name, seen),
            created_at=at,
        )
        if launch is not None and launch.asked_to_end_at is not None:
            row.wanted, row.wanted_by = GONE, "person"
            row.wishes = {"person": {"wanted": GONE, "at": at.isoformat(), "by": None, "why": "its lab is over"}}
            row.next_look_at = at
        rows.append(row)
        began = _not_in_the_future(seen.since, at)
        before = known_until.get((account.pk, kind_name, region, seen.aws_id), began)
        spans.append(Span(resource=row, state=seen.state, facts=facts, began=min(max(began, before), at)))
    try:
        with transaction.atomic():
            Resource.objects.bulk_create(rows, batch_size=500)
            Span.objects.bulk_create(spans, batch_size=500)
            Event.objects.bulk_create([_found_by_hand(row, at) for row in rows], batch_size=500)
    except IntegrityError:
        if len(rows) == 1:
            return []
        return [new for one in found for new in enter_strangers([one], at, launches)]
    return rows


def _known_until(found: Iterable[tuple[Account, str, Seen, str]]) -> dict[tuple, datetime]:
    """{(account id, kind, region, aws_id): the end of what closed rows tell of these}. AWS's lists are late: what was
    closed as gone may be shown once more, and what was metered of it already is not metered again. One query."""
    ids = {seen.aws_id for _, _, seen, _ in found if seen.aws_id}
    spans = Span.objects.filter(
        resource__account__in={account.pk for account, *_ in found},
        resource__aws_id__in=ids,
        resource__closed_at__isnull=False,
    )
    place = ("resource__account", "resource__kind", "resource__region", "resource__aws_id")
    return {tuple(one): ended for *one, ended in spans.order_by().values_list(*place).annotate(Max("ended")) if ended}


def _first_look_after(kind_name: str, seen: Seen) -> timedelta:
    """Soon for what moves, and for what costs by the hour: its dead-man's switch is set at its first look."""
    kind = kind_of(kind_name)
    costs = kind.off_call(Want("", kind_name, aws_id=seen.aws_id, name=seen.name)) is not None
    return SOON if costs or seen.state not in SETTLED else timedelta(seconds=kind.max_age_seconds)


def _found_by_hand(row: Resource, at: datetime) -> Event:
    what = f"{kind_of(row.kind).title} {row.name or row.aws_id} was found in {row.region}"
    words = f"{what}: made in this lab" if row.launch_id else f"{what}: no lab made it"
    code = "made" if row.launch_id else "stranger"
    return Event(at=at, resource=row, launch=row.launch, account=row.account, code=code, words=words)


def _owner_of(account: Account, seen: Seen) -> tuple[int | None, str]:
    if account.owner_id:
        return account.owner_id, "account"
    tagged = str(seen.tags.get(TAG_OWNER, ""))
    if tagged.isdigit() and Resource.objects.filter(account=account, owner_id=int(tagged)).exists():
        return int(tagged), "tag"
    # What a student makes in a shared account carries their tag, or the name of a lab of theirs that may be over.
    launches = Launch.objects.filter(account=account)
    student = str(seen.tags.get(guardrails.TAG_STUDENT, ""))
    if student.isdigit() and launches.filter(owner_id=int(student)).exists():
        return int(student), "tag"
    mark = re.search(r"lab-([0-9a-f]{12})-", seen.name)
    owner = launches.filter(**adopting.with_mark(mark[1])).values_list("owner", flat=True).first() if mark else None
    return (owner, "name") if owner else (None, "")


def made_by(row: Resource, words: str, owner_id: int | None, at: datetime) -> None:
    """CloudTrail says who made a stranger. Whose it is known to be already stays so."""
    with transaction.atomic():
        nobodys = Resource.objects.open().filter(pk=row.pk, launch=None, owner=None)
        owned = {"owner_id": owner_id, "owner_proof": "creator"} if owner_id else {}
        if nobodys.update(made_by=words[:200], **owned):
            what = f"{kind_of(row.kind).title} {row.name or row.aws_id}"
            note("creator", f"{what} was made by {words[:200]}, as CloudTrail says", at, resource=row)


def note(code: str, words: str, at: datetime, *, resource=None, launch=None, account=None, actor=None) -> Event:
    """Append one Event. A resource's event is its launch's event too."""
    if resource is not None:
        launch = launch or (resource.launch if resource.launch_id else None)
        account = account or resource.account
    return Event.objects.create(
        at=at, code=code, words=words, resource=resource, launch=launch, account=account, actor=actor
    )


def note_once(code: str, words: str, at: datetime, *, launch: Launch, account=None) -> None:
    """Append an Event, unless the last one of that code says the same of this launch."""
    last = launch.events.filter(code=code).order_by("-at", "-id").first()
    if last is None or last.words != words:
        note(code, words, at, launch=launch, account=account)


def may_go(launch: Launch, at: datetime) -> None:
    """What had to be done before the teardown is done: its rows are looked at now, or its absence is proved."""
    Launch.objects.filter(pk=launch.pk, ended_at=None).update(prepare_at=None)
    rows = Resource.objects.open().filter(launch=launch)
    if not rows.update(next_look_at=at):
        Launch.objects.filter(pk=launch.pk, ended_at=None, prove_at=None).update(prove_at=at)


def family_of(row: Resource) -> dict[str, Resource]:
    """{key: row} of the launch that the row belongs to, open and closed. {} for a stranger."""
    if not row.launch_id:
        return {}
    return {sibling.key: sibling for sibling in Resource.objects.filter(launch=row.launch_id).exclude(key="")}


def end_world(account: Account, boot_id: str, now: datetime) -> list[Launch]:
    """The simulator that held this practice account was restarted and kept nothing: close every row with that reason.

    Answers the launches that were open. No describe is needed: the whole world is known to be gone, because
    another boot id answers. Spans end where they were last observed.
    """
    why = "the simulator was restarted, and it keeps nothing over a restart"
    with transaction.atomic():
        locked = Account.objects.select_for_update().get(pk=account.pk)
        if locked.boot_id == boot_id:
            return []
        _close_all(account, now, why, seen=ABSENT)
        launches = list(Launch.objects.open().filter(account=account))
        for launch in launches:
            note("ended", f"The lab ended: {why}", now, launch=launch, account=account)
        Launch.objects.filter(pk__in=[launch.pk for launch in launches]).update(ended_at=now, prove_at=None)
        Account.objects.filter(pk=account.pk).update(boot_id=boot_id)
    account.boot_id = boot_id
    return launches


def let_go(account: Account, now: datetime, why: str) -> int:
    """Close every row of an account that we do not look into any more: what is there is its owner's business now, not
    known to be gone. Spans end where they were last observed. Answers how many rows."""
    with transaction.atomic():
        return _close_all(account, now, why, switch_at=None, switch_began_at=None)


def _close_all(account: Account, now: datetime, why: str, **more) -> int:
    rows = Resource.objects.open().filter(account=account)
    for row in rows.exclude(seen_at=None).only("id", "seen_at"):
        Span.objects.filter(resource=row, ended=None, began__lte=row.seen_at).update(ended=row.seen_at)
    return rows.update(
        closed_at=now,
        closed_why=why,
        next_look_at=None,
        lease_until=None,
        blocked_why="",
        fence=F("fence") + 1,  # a worker that had just looked into the old world writes nothing
        **more,
    )


def goes_before(row: Resource, kind, family: Mapping[str, Resource]) -> bool:
    """Is anything left that has to be deleted before this row: what needs it, or (`goes_after`) of a kind that AWS
    wants gone first? Of a stranger: what was asked to go with it, in the same place. One query, if the kind says so.
    """
    if open_children(row, family):
        return True
    if not kind.goes_after:
        return False
    going = Resource.objects.open().filter(account=row.account_id, kind__in=kind.goes_after, wanted=GONE)
    if row.launch_id:
        # What the row itself needs goes after it, whatever their kinds say.
        return going.filter(launch=row.launch_id).exclude(key__in=_all_needs(row, family)).exists()
    here = going.strangers().filter(blocked_why="")
    return (here if kind.is_global else here.filter(region=row.region)).exists()


def _all_needs(row: Resource, family: Mapping[str, Resource]) -> set[str]:
    found: set[str] = set()
    ahead = list(row.needs)
    while ahead:
        key = ahead.pop()
        if key not in found:
            found.add(key)
            ahead += family[key].needs if key in family else []
    return found


def open_children(row: Resource, family: Mapping[str, Resource]) -> list[Resource]:
    """Rows of the family that need this one and may still exist."""
    return [other for other in family.values() if row.key and row.key in other.needs and other.closed_at is None]
