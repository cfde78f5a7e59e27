"""Lights out: everything that a scope left on is asked to go off, in one act. Whoever calls this has asked twice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from costs.dashboard.forgotten import Forgotten, forgotten_in
from costs.kinds import title_of
from costs.live import is_going, live
from costs.models import LightsOut, PutOut
from costs.pricebook import PriceBook
from costs.rates import Rate, rate_now
from labs import audit, launching
from labs.decide import GONE
from labs.models import Launch, Resource

WHY = "Lights out"


@dataclass(frozen=True)
class Out:
    """One resource that is asked to go off. act: Stop or Delete; saves_usd: by the next session, None when unpriced."""

    resource: Resource
    act: str
    words: str
    saves_usd: Decimal | None = None

    def __str__(self) -> str:
        whose = f" of {self.resource.owner}" if self.resource.owner else ""
        name = self.resource.name or self.resource.aws_id
        return f"{title_of(self.resource.kind)} {name}{whose}, {self.resource.region}: {self.act}. {self.words}".strip()


@dataclass(frozen=True)
class Night:
    """One Lights out: what was asked, the labs in use that are ended by it, those that stay on, and its record, which
    tells what came of it (None: it was only pretended)."""

    outs: list[Out]
    record: LightsOut | None = None
    labs: list[Launch] = field(default_factory=list)
    left_on: list[Launch] = field(default_factory=list)


@dataclass(frozen=True)
class StaysOn:
    """What costs money and Lights out leaves as it is, the unpriced first and then the dearest."""

    rows: list[Forgotten]

    @property
    def rate(self) -> Rate:
        return sum((one.rate for one in self.rows), Rate())


def lights_out(
    scope: str, now: datetime, by, include_in_use: bool = False, *, delete_all: bool = False, pretend: bool = False
) -> Night:
    """Ask all that is forgotten in the scope to stop, or to be deleted where Stop means that; labs in use only if told.

    delete_all: delete it instead, and what has no Stop or is stopped already: nothing of it costs any more, and what
    was on it is lost.

    A lab that is ended is fenced off first: its end asks for that (launching.py), and ending.py does it. What is
    snoozed stays on: somebody said so. What can neither be stopped nor is safely deleted (a disk with data on it) is
    left to a person unless delete_all; `staying_on` tells both. Nothing is off until it is seen to be. pretend: only
    answer.
    """
    in_use = labs_in_use(scope, now)
    labs, left_on = (in_use, []) if include_in_use else ([], in_use)
    ended = {launch.pk for launch in labs}
    found = forgotten_in([scope], now)
    going = going_out(found, now)
    if delete_all:
        going += [one for one in staying_on(found, now).rows if not one.is_snoozed(now)]
    outs = [_out(one, delete_all) for one in going if one.row.launch_id not in ended]
    held = Resource.objects.open().filter(launch__in=ended).select_related("owner").order_by("launch", "created_at")
    outs += [Out(row, "Delete", "Its lab is ended.") for row in held]
    if pretend:
        return Night(outs, None, labs, left_on)
    with transaction.atomic():
        record = LightsOut.objects.create(scope=scope, at=now, by=by, include_in_use=include_in_use)
        record.launches.set(labs)
        _note(record, outs)
        labs_too = f", {len(labs)} labs in use too" if include_in_use else ""
        words = f"{len(outs)} asked to {'be deleted' if delete_all else 'go off'}{labs_too}"
        audit.note("lights", words, by=by, scope=scope, thing=f"Lights out {record.pk}", now=now)
        for launch in labs:
            launching.ask_to_delete(launch, now=now, by=by, why=WHY)
        rest = [out.resource for out in outs if out.resource.launch_id not in ended]
        (launching.ask_to_delete if delete_all else launching.ask_to_stop)(rest, now=now, by=by, why=WHY)
    return Night(outs, record, labs, left_on)


def _note(record: LightsOut, outs: list[Out]) -> None:
    """Write down what was on: what is asked now, and what was asked before and has not gone yet."""
    asked = {out.resource.pk: (out.resource, PutOut.STOP if out.act == "Stop" else PutOut.DELETE) for out in outs}
    before = [row for row in live(Resource.objects.filter(scope=record.scope)) if is_going(row) and row.pk not in asked]
    lines = [*((row, act, record.at) for row, act in asked.values())]
    lines += [(row, PutOut.DELETE if row.wanted == GONE else PutOut.STOP, row.wanted_at) for row in before]
    book = PriceBook.open(regions={row.region for row, _, _ in lines})
    PutOut.objects.bulk_create(
        PutOut(lights_out=record, resource=row, act=act, asked_at=at, usd_per_hour=rate_now(row, book, record.at).known)
        for row, act, at in lines
    )


def going_out(forgotten: Iterable[Forgotten], now: datetime) -> list[Forgotten]:
    return [one for one in forgotten if one.goes_out and not one.is_snoozed(now)]


def staying_on(forgotten: Iterable[Forgotten], now: datetime) -> StaysOn:
    """Of what was found: what has no Stop and may hold data, what was put off, and what a stopped one keeps."""
    stays = [one for one in forgotten if one.rate.is_light and not one.is_going and not going_out([one], now)]
    return StaysOn(sorted(stays, key=lambda one: (one.rate.known is not None, -one.rate.usd_per_hour, one.name)))


def labs_in_use(scope: str, now: datetime) -> list[Launch]:
    """As many as the forgotten page tells of, whether they cost something now or not."""
    on = Launch.objects.in_use(now).filter(scope=scope)
    return list(on.select_related("owner", "account").order_by("created_at"))


def _out(one: Forgotten, delete_all: bool) -> Out:
    if delete_all:
        return Out(one.row, "Delete", one.lost_on_delete, one.by_next_usd)
    return Out(one.row, "Stop" if one.stops else "Delete", one.happens, one.by_next_usd)
