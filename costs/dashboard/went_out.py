"""What came of one Lights out, lab by lab: what was on, when it was asked, when AWS showed it off, and the proof."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from costs.dashboard.people import NOBODY
from costs.kinds import title_of
from costs.models import LightsOut, PutOut, Scope
from labs import catalog
from labs.kinds.base import STOPPED
from labs.models import Launch, Resource

BY_HAND = gettext_lazy("Made by hand, in no lab")


@dataclass(frozen=True)
class Line:
    """One resource that was on. usd_per_hour: as it was then, None when a part had no price. found_later: its student
    made it, and the end of its lab found it."""

    row: Resource
    act: str
    asked_at: datetime
    usd_per_hour: Decimal | None
    found_later: bool = False

    @property
    def name(self) -> str:
        return self.row.name or self.row.aws_id

    @property
    def title(self) -> str:
        return title_of(self.row.kind)

    @property
    def off_at(self) -> datetime | None:
        """When AWS showed it off; None while it is on."""
        if self.row.closed_at is not None:
            return self.row.closed_at
        return self.row.seen_since if self.act == PutOut.STOP and self.row.seen == STOPPED else None

    @property
    def proof(self) -> str:
        """What was seen, in words; '' while it is on."""
        if self.row.closed_at is not None:
            return _("AWS was asked twice, and shows none") if self.row.first_seen_at else _("it was never made")
        return _("AWS shows it stopped; its disk is kept") if self.off_at else ""


@dataclass(frozen=True)
class LabOut:
    """One lab, or what one person made by hand."""

    launch: Launch | None
    owner: str
    email: str
    lines: list[Line]

    @property
    def title(self) -> str:
        if self.launch is None:
            return str(BY_HAND)
        lab = catalog.catalog().get(self.launch.lab)
        return lab.title if lab else self.launch.lab

    @property
    def asked_at(self) -> datetime | None:
        asked = [line.asked_at for line in self.lines]
        return min(asked, default=self.launch.asked_to_end_at if self.launch else None)

    @property
    def still_on(self) -> list[Line]:
        return [line for line in self.lines if line.off_at is None]

    @property
    def off_at(self) -> datetime | None:
        """When the last of it was seen off; None while any is on. A lab in which nothing was is off when it ended."""
        seen = [line.off_at for line in self.lines]
        if None in seen:
            return None
        return max((at for at in seen if at is not None), default=self.launch.ended_at if self.launch else None)

    @property
    def is_ended(self) -> bool:
        """It was asked to end as a whole, so that its proof is a certificate."""
        return self.launch is not None and (self.launch.asked_to_end_at or self.launch.ended_at) is not None

    @property
    def is_fenced(self) -> bool:
        return self.launch is not None and self.launch.fenced_at is not None

    @property
    def is_unfenced(self) -> bool:
        """It went without its credentials having been revoked: they ended by themselves, within the hour."""
        launch = self.launch
        return bool(launch and self.is_ended and launch.session_at and not (launch.fenced_at or launch.prepare_at))

    @property
    def has_certificate(self) -> bool:
        return self.launch is not None and bool(self.launch.certificate)

    @property
    def is_done(self) -> bool:
        """Off, and proved as far as it will be."""
        return self.off_at is not None and not (self.is_ended and self.launch and self.launch.ended_at is None)

    @property
    def usd_per_hour(self) -> Decimal:
        return sum((line.usd_per_hour or Decimal(0) for line in self.lines), Decimal(0))

    @property
    def unpriced(self) -> int:
        return sum(line.usd_per_hour is None and not line.found_later for line in self.lines)


@dataclass(frozen=True)
class WentOut:
    """labs: those with something still on first, then by whose they are."""

    record: LightsOut
    scope: Scope | None
    labs: list[LabOut] = field(default_factory=list)

    @property
    def lines(self) -> list[Line]:
        return [line for lab in self.labs for line in lab.lines]

    @property
    def off(self) -> int:
        return sum(line.off_at is not None for line in self.lines)

    @property
    def still_on(self) -> list[Line]:
        return [line for line in self.lines if line.off_at is None]

    @property
    def is_over(self) -> bool:
        """Nothing on this page changes any more."""
        return all(lab.is_done for lab in self.labs)

    @property
    def off_at(self) -> datetime | None:
        """When the last of all was seen off."""
        seen = [lab.off_at for lab in self.labs]
        return None if None in seen else max((at for at in seen if at is not None), default=None)


def went_out(record: LightsOut) -> WentOut:
    """Four queries, for a class as for one lab."""
    found: dict[tuple, list[Line]] = defaultdict(list)
    asked = record.lines.select_related(*(f"resource__{name}" for name in ("launch", "owner", "account")))
    for one in asked.order_by("resource__created_at", "resource__key", "resource"):
        row = one.resource
        found[row.launch_id, row.owner_id].append(Line(row, one.act, one.asked_at, one.usd_per_hour))
    ended = {launch.pk: launch for launch in record.launches.select_related("owner")}
    known = record.lines.values("resource")
    later = Resource.objects.filter(launch__in=ended, created_at__gt=record.at).exclude(pk__in=known)
    for row in later.select_related("owner", "account"):
        line = Line(row, PutOut.DELETE, row.wanted_at, None, found_later=True)
        found[row.launch_id, row.owner_id].append(line)
    labs = [
        _lab(ended.get(launch) or lines[0].row.launch, lines[0].row.owner, lines)
        for (launch, _), lines in found.items()
    ]
    labs += [_lab(launch, launch.owner, []) for launch in ended.values() if (launch.pk, launch.owner_id) not in found]
    labs.sort(key=lambda lab: (lab.off_at is not None, lab.owner.casefold(), lab.title))
    return WentOut(record, Scope.objects.filter(key=record.scope).first(), labs)


def _lab(launch: Launch | None, owner: Any, lines: list[Line]) -> LabOut:
    return LabOut(launch, str(owner or NOBODY), owner.email if owner else "", lines)
