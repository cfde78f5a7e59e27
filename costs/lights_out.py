"""Lights out: everything that a scope left on is asked to go off, in one act. Whoever calls this has asked twice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from costs.dashboard.forgotten import Forgotten, forgotten_in
from costs.kinds import title_of
from costs.rates import Rate
from labs import launching
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
class StaysOn:
    """What costs money and Lights out leaves as it is, the unpriced first and then the dearest."""

    rows: list[Forgotten]

    @property
    def rate(self) -> Rate:
        return sum((one.rate for one in self.rows), Rate())


def lights_out(scope: str, now: datetime, by, include_in_use: bool = False, *, pretend: bool = False) -> list[Out]:
    """Ask all that is forgotten in the scope to stop, or to be deleted where Stop means that; labs in use only if told.

    What is snoozed stays on: somebody said so. What can neither be stopped nor is safely deleted (a disk with data on
    it) is left to a person; `staying_on` tells both. Answers what was asked; nothing is off until it is seen to be.
    pretend: only answer.
    """
    outs = [_out(one) for one in going_out(forgotten_in([scope], now), now)]
    labs = labs_in_use(scope, now) if include_in_use else []
    for launch in labs:
        held = Resource.objects.open().filter(launch=launch).select_related("owner").order_by("created_at")
        asked = {out.resource.pk for out in outs}
        outs += [Out(row, "Delete", "Its lab is ended.") for row in held if row.pk not in asked]
    if not pretend:
        launching.ask_to_stop([out.resource for out in outs], now=now, by=by, why=WHY)
        for launch in labs:
            launching.ask_to_delete(launch, now=now, by=by, why=WHY)
    return outs


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


def _out(one: Forgotten) -> Out:
    return Out(one.row, "Stop" if one.stops else "Delete", one.happens, one.by_next_usd)
