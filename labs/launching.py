"""What others may ask of the controller: launch, extend, stop, start, delete. Each writes wishes; none calls AWS."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from datetime import datetime, timedelta

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from labs import admitting, adopting, ledger, locker
from labs.catalog.base import Lab
from labs.decide import GONE
from labs.kinds import kind_of
from labs.kinds.base import RUNNING, STOPPED
from labs.limits import Limits, is_held
from labs.models import Account, Launch, Resource
from labs.retelling import retold

log = logging.getLogger(__name__)


class CannotLaunch(Exception):
    """Why this lab does not start here, in words for the person who asked."""


class CannotExtend(Exception):
    """Why this lab's time is not extended, in words for the person who asked."""


NO_LIMITS = Limits()


def why_beyond(lab: Lab, limits: Limits, region: str, account: Account | None = None, scope: str = "") -> str:
    """Why a lab in that region is beyond a cohort's limits, or AWS does not hold the account to them, in words; '' when
    it may start. account: None for a practice account that is not made yet."""
    if beyond := limits.why_not(lab, region):
        return beyond
    try:
        narrowed = account.limited_to(limits) if account else None
    except ValueError as why:
        return retold(str(why))
    if account is None or narrowed is None:
        return ""
    held = Limits.read(account.limits_held.get(scope, {}))
    if is_held(lab, region, narrowed, held):
        return ""
    words = (
        _("In account %(account)s AWS still holds older limits of this cohort.")
        if held
        else _("In account %(account)s AWS does not hold this cohort's limits yet.")
    )
    mended = _("The cohort's page of limits says how that is mended.")
    return f"{words % {'account': account.aws_id}} {mended}"


def launch(
    lab: Lab,
    account: Account,
    owner,
    *,
    now: datetime,
    scope: str = "",
    labels: dict | None = None,
    region: str = "",
    hours=None,
    look_ahead_until: datetime | None = None,
    limits: Limits = NO_LIMITS,
) -> Launch:
    """Write a Launch and a row for each of the lab's Wants in one transaction; workers do the rest.

    hours: how long it may stay on (the lab's own by default). look_ahead_until: the next session, a plain instant.
    limits: those of the cohort that `scope` is. Raises CannotLaunch when the lab cannot run in that kind of account or
    region, or is beyond the limits.
    """
    if account.mode not in lab.modes:
        raise CannotLaunch(_in_no_such_account(lab, account))
    if not account.is_open:
        raise CannotLaunch(_("The account %(account)s is closed for new labs.") % {"account": account.name})
    region = region or account.regions[0]
    if region not in account.regions:
        words = _("%(region)s is not a region of this account; use %(regions)s.")
        raise CannotLaunch(words % {"region": region, "regions": ", ".join(account.regions)})
    if beyond := why_beyond(lab, limits, region, account, scope):
        raise CannotLaunch(beyond)
    with transaction.atomic():
        made = Launch.objects.create(
            lab=lab.slug,
            account=account,
            owner=owner,
            scope=scope,
            limits=limits.as_json() if account.limited_to(limits) else {},
            labels=labels or {},
            region=region,
            created_at=now,
            expires_at=now + timedelta(hours=float(hours if hours is not None else lab.hours)),
            look_ahead_until=look_ahead_until,
        )
        if account.mode == account.SHARED:
            admitting.ask(made, now)
        rows = ledger.plan(made, lab.wants, now)
        if not rows:
            Launch.objects.filter(pk=made.pk).update(ready_at=now)
        ledger.note("started", f"{lab.title} was started", now, launch=made, account=account, actor=owner)
        transaction.on_commit(lambda: hurry(len(rows)))
    return made


def _in_no_such_account(lab: Lab, account: Account) -> str:
    words = {
        Account.PRACTICE: _("%(lab)s cannot run in a practice account."),
        Account.SHARED: _("%(lab)s cannot run in a shared account."),
        Account.OWN: _("%(lab)s cannot run in an own account."),
    }
    return words[account.mode] % {"lab": lab.title}


def extend(launch: Launch, *, now: datetime, by) -> Launch:
    """Move the clock by settings.LAB_EXTENSION. Raises CannotExtend when it is over, asked to end, or used up."""
    with transaction.atomic():
        kept = Launch.objects.select_for_update().get(pk=launch.pk)
        if kept.ended_at or kept.asked_to_end_at:
            raise CannotExtend(_("This lab is already going off; start it again instead."))
        if not kept.extensions_left:
            words = _("This lab was already extended %(times)s times.")
            raise CannotExtend(words % {"times": settings.LAB_EXTENSIONS})
        kept.expires_at += settings.LAB_EXTENSION
        kept.extensions_used += 1
        kept.save(update_fields=["expires_at", "extensions_used"])
        # The dead-man's switches move with the clock.
        ledger.hurry(
            Resource.objects.open().filter(launch=kept).exclude(switch_at=None).values_list("pk", flat=True), now
        )
        minutes = int(settings.LAB_EXTENSION.total_seconds() // 60)
        ledger.note("extended", f"Extended by {minutes} minutes", now, launch=kept, account=kept.account, actor=by)
    return kept


def ask_to_delete(what: Launch | Iterable[Resource], *, now: datetime, by=None, why: str = "", holder="person"):
    """Wish that a launch, or these resources, be gone. Answers the rows whose `wanted` changed.

    A launch that is asked for is ended as a whole: its certificate comes when every row was seen absent.
    """
    with transaction.atomic():
        rows = _rows(what)
        rows += _what_needs(rows)
        changed = ledger.wish(rows, holder, GONE, now, by=by, why=why)
        if isinstance(what, Launch):
            first = Launch.objects.filter(pk=what.pk, asked_to_end_at=None, ended_at=None)
            if first.update(asked_to_end_at=now, prepare_at=now if _must_prepare(what) else None):
                words = f"Finishing{': ' + why if why else ''}"
                ledger.note("ending", words, now, launch=what, account=what.account, actor=by)
            if not rows and not _must_prepare(what):
                Launch.objects.filter(pk=what.pk, ended_at=None, prove_at=None).update(prove_at=now)
        else:
            _note_each(changed, "Delete", now, by, why)
        transaction.on_commit(lambda: hurry(len(changed)))
    return changed


def ask_to_stop(what: Launch | Iterable[Resource], *, now: datetime, by=None, why: str = "", holder="person"):
    """Wish that these stop: disks and settings are kept. Answers the rows whose `wanted` changed.

    Each kind says what Stop means where AWS has no stop: an endpoint is deleted (its model and configuration stay), a
    bucket or a role is kept as it is.
    """
    with transaction.atomic():
        rows = _rows(what)
        stops = [row for row in rows if kind_of(row.kind).can_stop]
        deletes = [row for row in rows if not kind_of(row.kind).can_stop and kind_of(row.kind).stop_means == "delete"]
        changed = ledger.wish(stops, holder, STOPPED, now, by=by, why=why)
        changed += ledger.wish(deletes, holder, GONE, now, by=by, why=why)
        _note_each(changed, "Stop", now, by, why)
        transaction.on_commit(lambda: hurry(len(changed)))
    return changed


def ask_to_start(what: Launch | Iterable[Resource], *, now: datetime, by=None, why: str = "", holder="person"):
    """Take back this holder's Stop. What another holder (a budget, the clock) wants off stays off."""
    with transaction.atomic():
        rows = [row for row in _rows(what) if kind_of(row.kind).can_stop]
        changed = ledger.wish(rows, holder, RUNNING, now, by=by, why=why)
        _note_each(changed, "Start", now, by, why)
        transaction.on_commit(lambda: hurry(len(changed)))
    return changed


def try_again(what: Iterable[Resource], *, now: datetime, by=None) -> list[Resource]:
    """Look at what is blocked now instead of when its turn comes: what stood in the way may be gone. Nothing else is
    wanted of it than before. Answers those that are blocked."""
    with transaction.atomic():
        rows = [row for row in _rows(what) if row.blocked_why]
        ledger.hurry([row.pk for row in rows], now)
        _note_each(rows, "Another try", now, by, "")
        transaction.on_commit(lambda: hurry(len(rows)))
    return rows


def end_expired(now: datetime) -> int:
    """Ask every launch past its time to go. Answers how many."""
    over = list(Launch.objects.past_their_time(now).select_related("account"))
    for one in over:
        ask_to_delete(one, now=now, holder="clock", why="its time is up")
    return len(over)


def hurry(rows: int) -> None:
    """Tell the workers that rows are due. Only a hint: beat looks at the rows every two seconds anyway.

    Sent from a thread of its own, one at a time: a click does not wait for a broker that is away (about 6 s).
    """
    if rows and _sending.acquire(blocking=False):
        threading.Thread(target=_hint, args=(min(rows, 4),), daemon=True, name="hint").start()


_sending = threading.Lock()


def _hint(times: int) -> None:
    try:
        for _each in range(times):
            current_app.send_task("labs.tasks.work_off", expires=10, retry=False)
    except (OperationalError, OSError) as error:
        log.warning("the broker did not take a hint (%s); the clock will find the rows", error)
    finally:
        _sending.release()


def _rows(what: Launch | Iterable[Resource]) -> list[Resource]:
    if isinstance(what, Launch):
        return list(Resource.objects.open().filter(launch=what))
    return [row for row in what if row.closed_at is None]


def _what_needs(rows: list[Resource]) -> list[Resource]:
    """What needs these, and what needs that: AWS keeps a parent as long as its children are there."""
    found = {row.pk: row for row in rows}
    for launch in {row.launch_id for row in rows if row.launch_id}:
        siblings = list(Resource.objects.open().filter(launch=launch))
        grew = True
        while grew:
            keys = {row.key for row in found.values() if row.launch_id == launch}
            more = [row for row in siblings if row.pk not in found and keys & set(row.needs)]
            found |= {row.pk: row for row in more}
            grew = bool(more)
    return [row for pk, row in found.items() if pk not in {given.pk for given in rows}]


def _must_prepare(launch: Launch) -> bool:
    """Somebody may still make things in it, or has, or there is work to save: ending.py goes before the teardown."""
    kept = Launch.objects.get(pk=launch.pk)
    return kept.session_at is not None or bool(adopting.made_in(kept)) or bool(locker.saved_places(kept))


def _note_each(rows, verb, now, by, why):
    for row in rows:
        said = f"{verb} asked for {kind_of(row.kind).title} {row.name or row.aws_id}{': ' + why if why else ''}"
        ledger.note("asked", said, now, resource=row, actor=by)
