"""The close-out of a scope: who spent what, which labs are gone with a proof, what is kept and what it costs, and what
still stands in the way of calling it over. Everything in it is read anew each time: it says how things stand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, Sum
from django.db.models.fields.json import KT
from django.utils.translation import gettext as _

from costs.dashboard.forgotten import LOOKED_LONG_AGO
from costs.dashboard.people import NOBODY, Person, people_of
from costs.dashboard.unseen import Unseen, UnseenAccounts
from costs.kinds import title_of
from costs.live import is_light
from costs.models import DailySpend, Finding, Metered, Scope
from costs.pricebook import PriceBook
from costs.rates import Rate, rate_now
from labs import catalog
from labs.decide import GONE
from labs.models import Account, Launch, Resource, SavedFile

HOURS_A_MONTH = 730  # as AWS's own quotes count


@dataclass(frozen=True)
class Kept:
    """One resource that AWS still holds, and what it costs. snoozed_until: somebody said that it stays on till then."""

    row: Resource
    rate: Rate
    is_light: bool
    snoozed_until: datetime | None = None
    snooze_why: str = ""

    @property
    def title(self) -> str:
        return title_of(self.row.kind)

    @property
    def name(self) -> str:
        return self.row.name or self.row.aws_id or self.row.key

    @property
    def why(self) -> str:
        """Why it is there, in words."""
        if self.row.blocked_why:
            return self.row.blocked_why
        if self.snoozed_until:
            until = f"{self.snoozed_until:%Y-%m-%d %H:%M} UTC"
            if not self.snooze_why:
                return _("put off until %(until)s") % {"until": until}
            return _("put off until %(until)s: %(why)s") % {"until": until, "why": self.snooze_why}
        if self.row.wanted == GONE:
            return _("on its way off")
        return _("of a lab") if self.row.launch_id else _("made by hand, and left")

    @property
    def usd_a_month(self) -> Decimal | None:
        """None when a part has no price."""
        return None if self.rate.known is None else self.rate.known * HOURS_A_MONTH


@dataclass(frozen=True)
class LabEnd:
    """One launch, and how it ended."""

    launch: Launch
    proved_at: str | None
    left: list[Kept] = field(default_factory=list)

    @property
    def title(self) -> str:
        lab = catalog.catalog().get(self.launch.lab)
        return lab.title if lab else self.launch.lab

    @property
    def is_proved(self) -> bool:
        return bool(self.launch.ended_at and self.proved_at)

    @property
    def said(self) -> str:
        """How it stands, in words."""
        if self.is_proved:
            return _("gone, with a certificate")
        if self.launch.ended_at:
            if self.launch.asked_to_end_at is None:
                return _("its practice world was started anew")
            return _("no certificate")
        if self.launch.asked_to_end_at:
            return _("going: %(n)d left") % {"n": len(self.left)} if self.left else _("gone, being proved")
        return _("still on")


@dataclass(frozen=True)
class PersonEnd:
    """One person's line: what they spent in all, their labs, and what is kept of theirs at AWS and in the locker."""

    person: Person
    usd: Decimal
    unpriced_seconds: int
    labs: list[LabEnd]
    kept: list[Kept]
    files: int = 0
    bytes: int = 0
    is_staff: bool = False
    email: str = ""

    @property
    def proved(self) -> int:
        return sum(lab.is_proved for lab in self.labs)

    @property
    def open(self) -> list[LabEnd]:
        return [lab for lab in self.labs if lab.launch.ended_at is None]

    @property
    def unproved(self) -> list[LabEnd]:
        """Ended, and without a certificate."""
        return [lab for lab in self.labs if lab.launch.ended_at and not lab.is_proved]


@dataclass(frozen=True)
class CloseOut:
    """kept: what costs something or is on, the dearest first; free: how many more AWS holds and bills nothing for.
    unmetered: how many resources' meters have not reached their end. unseen: accounts that the last census did not see
    whole, or has not seen for long."""

    scope: Scope
    now: datetime
    people: list[PersonEnd]
    kept: list[Kept]
    free: int
    unmetered: int
    unseen: UnseenAccounts
    accounts: int
    looked_at: datetime | None

    @property
    def has_ended(self) -> bool:
        return self.scope.ends_at is not None and self.scope.ends_at <= self.now

    @property
    def usd(self) -> Decimal:
        return sum((one.usd for one in self.people), Decimal(0))

    @property
    def unpriced_seconds(self) -> int:
        return sum(one.unpriced_seconds for one in self.people)

    @property
    def labs(self) -> list[LabEnd]:
        return [lab for one in self.people for lab in one.labs]

    @property
    def proved(self) -> int:
        return sum(one.proved for one in self.people)

    @property
    def open(self) -> list[LabEnd]:
        return [lab for one in self.people for lab in one.open]

    @property
    def unproved(self) -> list[LabEnd]:
        return [lab for one in self.people for lab in one.unproved]

    @property
    def lights(self) -> list[Kept]:
        return [one for one in self.kept if one.is_light]

    @property
    def snoozed(self) -> list[Kept]:
        return [one for one in self.kept if one.snoozed_until]

    @property
    def blocked(self) -> list[Kept]:
        return [one for one in self.kept if one.row.blocked_why]

    @property
    def rate(self) -> Rate:
        return sum((one.rate for one in self.kept), Rate())

    @property
    def usd_a_month(self) -> Decimal:
        """Of what has a price; `rate.unpriced` says whether there is more."""
        return self.rate.usd_per_hour * HOURS_A_MONTH

    @property
    def files(self) -> int:
        return sum(one.files for one in self.people)

    @property
    def bytes(self) -> int:
        return sum(one.bytes for one in self.people)

    @property
    def is_dark(self) -> bool:
        """No light is on, and everything was looked into."""
        return not self.lights and not self.unseen and self.looked_at is not None

    @property
    def is_whole(self) -> bool:
        """Nothing stands in the way: the figures are final."""
        return self.has_ended and self.is_dark and not self.open and not self.unmetered


def close_out(scope: Scope, now: datetime) -> CloseOut:
    """Nine queries, for 24 people as for 240."""
    keys = [scope.key]
    lines = DailySpend.objects.filter(scope=scope.key).order_by().values("owner_id")
    spent = {line["owner_id"]: line for line in lines.annotate(usd=Sum("usd"), gap=Sum("unpriced_seconds"))}
    held = _held(scope.key, now)
    kept = [one for one in held if one.is_light or one.rate.lines or one.row.blocked_why]
    kept.sort(key=lambda one: (one.rate.known is not None, -one.rate.usd_per_hour, one.name))
    labs = _labs(scope.key, held)
    saved = SavedFile.objects.kept().filter(launch__scope=scope.key).order_by().values("owner_id")
    locker = {line["owner_id"]: line for line in saved.annotate(number=Count("pk"), size=Sum("bytes"))}
    owners = {*spent, *labs, *(one.row.owner_id for one in kept)}
    everybody = people_of(keys, lit=owners)
    if None in owners:
        everybody.append(NOBODY)
    people = [
        PersonEnd(
            person,
            (spent[person.pk]["usd"] or Decimal(0)) if person.pk in spent else Decimal(0),
            (spent[person.pk]["gap"] or 0) if person.pk in spent else 0,
            labs.get(person.pk, []),
            [one for one in kept if one.row.owner_id == person.pk],
            locker[person.pk]["number"] if person.pk in locker else 0,
            locker[person.pk]["size"] if person.pk in locker else 0,
            is_staff=person.pk in scope.staff,
            email=person.email,
        )
        for person in everybody
    ]
    looks = list(
        Account.objects.filter(scope=scope.key, is_open=True)
        .order_by("name")
        .values_list("name", "looked_at", "census_trouble")
    )
    return CloseOut(
        scope=scope,
        now=now,
        people=people,
        kept=kept,
        free=len(held) - len(kept),
        unmetered=_unmetered(scope.key),
        unseen=UnseenAccounts(
            [Unseen(name, at, why or "Not looked into for long") for name, at, why in looks if why or _is_old(at, now)]
        ),
        accounts=len(looks),
        looked_at=min((at for _, at, _ in looks if at), default=None),
    )


def _is_old(at: datetime | None, now: datetime) -> bool:
    return at is None or now - at > LOOKED_LONG_AGO


def _held(scope: str, now: datetime) -> list[Kept]:
    """All that AWS was last seen to hold, and what was asked for and is not there yet. Three queries."""
    rows = list(
        Resource.objects.open()
        .filter(scope=scope)
        .select_related("owner", "account", "metered")
        .defer("params", "wishes")
        .order_by("created_at")
    )
    put_off: dict[Any, Finding] = {}
    for finding in Finding.objects.snoozed(now).filter(resource__scope=scope, resource__closed_at=None):
        put_off[finding.resource_id] = finding
    book = PriceBook.open(regions={row.region for row in rows})
    found = []
    for row in rows:
        rate, finding = rate_now(row, book, now), put_off.get(row.pk)
        until, why = (finding.snoozed_until, finding.snooze_why) if finding else (None, "")
        found.append(Kept(row, rate, is_light(row, rate) and bool(row.seen), until, why))
    return found


def _labs(scope: str, held: Iterable[Kept]) -> dict[int | None, list[LabEnd]]:
    """{owner: their launches, the first one first}. One query; certificates, which are long, stay in the database."""
    left: dict[Any, list[Kept]] = defaultdict(list)
    for one in held:
        left[one.row.launch_id].append(one)
    found: dict[int | None, list[LabEnd]] = defaultdict(list)
    launches = Launch.objects.filter(scope=scope).defer("certificate").select_related("account")
    for launch in launches.annotate(proved_at=KT("certificate__proved_at")).order_by("created_at"):
        found[launch.owner_id].append(LabEnd(launch, launch.proved_at, left[launch.pk]))
    return found


def _unmetered(scope: str) -> int:
    """Resources that ended, or were seen, after their meter last stood still at a figure. One query."""
    behind = Metered.objects.filter(resource=OuterRef("pk"), until__gte=F("resource__closed_at"))
    ended = Resource.objects.filter(
        scope=scope, closed_at__isnull=False, seen_at__isnull=False, first_seen_at__isnull=False
    )
    return ended.filter(~Q(Exists(behind))).count()
