"""From a person down to readings: their labs, the resources of one lab, and the resources of one day. What stands on a
level adds up to the figure that led there, to the last place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Count, F, Max, Min, Q, QuerySet, Sum
from django.utils.html import format_html_join

from costs.dashboard.days import DaySpend, bounds, by_day, services_of
from costs.dashboard.mine import Item, items_of
from costs.dashboard.people import NOBODY, Person, known_in
from costs.exposing import hours_between
from costs.kinds import is_free, title_of
from costs.live import NOTHING, Burning, burning_by, live, newer
from costs.models import DailySpend, Reading
from costs.narrowing import NOBODYS, Choices, Part
from labs import catalog
from labs.models import Launch, Resource


@dataclass(frozen=True)
class LabCost:
    """One launch: what was metered of it, and what it burns now."""

    launch: Launch
    usd: Decimal
    unpriced_seconds: int
    burning: Burning
    now: datetime

    @property
    def title(self) -> str:
        lab = catalog.catalog().get(self.launch.lab)
        return lab.title if lab else self.launch.lab

    @property
    def mean_usd_per_hour(self) -> Decimal:
        """What an hour cost, from its click to its end, or to now."""
        hours = hours_between(self.launch.created_at, self.launch.ended_at or self.now)
        return self.usd / hours if hours else Decimal(0)


@dataclass(frozen=True)
class ByHand:
    """What one person made in no lab, all of it together."""

    number: int
    usd: Decimal
    unpriced_seconds: int
    burning: Burning


@dataclass(frozen=True)
class PersonPage:
    """spent_usd: the sum of their days. It is what their labs and what was made by hand come to."""

    person: Person
    days: list[DaySpend]
    services: list[tuple[str, Decimal]]
    labs: list[LabCost]
    by_hand: ByHand

    @property
    def spent_usd(self) -> Decimal:
        return sum((day.total for day in self.days), Decimal(0))

    @property
    def unpriced_seconds(self) -> int:
        return sum(day.unpriced_seconds for day in self.days)

    @property
    def labs_usd(self) -> Decimal:
        return sum((one.usd for one in self.labs), Decimal(0))

    @property
    def metered_usd(self) -> Decimal:
        return self.labs_usd + self.by_hand.usd

    @property
    def burning(self) -> Burning:
        return sum((one.burning for one in self.labs), self.by_hand.burning)


def of_person(scopes: Iterable[str], who: str) -> tuple[Person, QuerySet[Resource], QuerySet[DailySpend]] | None:
    """Somebody, their resources and their days within these scopes; who: an id, or "nobody". None for whom these scopes
    do not know (people.py), and where nothing is nobody's. Two queries at most."""
    keys = list(scopes)
    if who != NOBODYS and not who.isdigit():
        return None
    owner = None if who == NOBODYS else int(who)
    rows = Resource.objects.filter(owner=owner, scope__in=keys)
    days = DailySpend.objects.filter(owner=owner, scope__in=keys)
    if owner is None:
        return (NOBODY, rows, days) if rows.exists() or days.exists() else None
    is_known = known_in(keys) | Q(pk__in=rows.values("owner"))
    user = get_user_model().objects.filter(is_known, pk=owner).first()
    return (Person(user.pk, str(user)), rows, days) if user else None


def person_page(person: Person, rows: QuerySet[Resource], spend: QuerySet[DailySpend], now: datetime) -> PersonPage:
    """Five queries; two more while a state is newer than its last metering."""
    days = by_day(spend, None, now)
    labs, by_hand = labs_of(rows, now)
    return PersonPage(person, days, services_of(days), labs, by_hand)


def labs_of(rows: QuerySet[Resource], now: datetime) -> tuple[list[LabCost], ByHand]:
    """The launches that these resources are of, the latest first, and what is of none. Four queries; two more while a
    state is newer than its last metering."""
    sums = rows.order_by().values("launch_id")
    sums = sums.annotate(usd=Sum("metered__usd"), gap=Sum("metered__unpriced_seconds"), number=Count("pk"))
    told: dict[Any, Any] = {line["launch_id"]: line for line in sums}
    alive = live(rows)
    burning = burning_by(alive, "launch_id", fresh=newer(alive, now))
    launches = Launch.objects.filter(pk__in=[pk for pk in told if pk]).defer("certificate").order_by("-created_at")
    labs = [
        LabCost(
            launch,
            told[launch.pk]["usd"] or Decimal(0),
            told[launch.pk]["gap"] or 0,
            burning.get((launch.pk,), NOTHING),
            now,
        )
        for launch in launches
    ]
    none = told.get(None, {"number": 0, "usd": None, "gap": None})
    by_hand = ByHand(none["number"], none["usd"] or Decimal(0), none["gap"] or 0, burning.get((None,), NOTHING))
    return labs, by_hand


# --- resources -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ResourceCost:
    """One resource with what each meter of it counted. usd: the sum of them."""

    row: Resource
    usd: Decimal
    unpriced_seconds: int
    items: list[Item] = field(default_factory=list)

    @property
    def title(self) -> str:
        return title_of(self.row.kind)

    @property
    def name(self) -> str:
        return self.row.name or self.row.aws_id or self.row.key

    @property
    def is_free(self) -> bool:
        return is_free(self.row.kind)


def resources_of(rows: QuerySet[Resource]) -> list[ResourceCost]:
    """Each of these with its meters, the dearest first. Four queries."""
    items: dict[Any, list[Item]] = defaultdict(list)
    for item in items_of(rows):
        items[item.resource.pk].append(item)
    found = []
    for row in rows.select_related("metered").defer("params", "wishes"):
        metered = getattr(row, "metered", None)
        usd = metered.usd if metered else Decimal(0)
        found.append(ResourceCost(row, usd, metered.unpriced_seconds if metered else 0, items[row.pk]))
    return sorted(found, key=lambda one: (-one.usd, not one.unpriced_seconds, one.name))


def total_of(found: Sequence[ResourceCost]) -> Decimal:
    return sum((one.usd for one in found), Decimal(0))


# --- a day -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OfADay:
    """What one resource cost on one UTC day. usd: None when all of it was without a price."""

    row: Resource
    usd: Decimal | None
    began: datetime
    ended: datetime
    readings: int
    unpriced: int

    @property
    def title(self) -> str:
        return title_of(self.row.kind)

    @property
    def name(self) -> str:
        return self.row.name or self.row.aws_id or self.row.key


@dataclass(frozen=True)
class DayPage:
    day: date
    usd: Decimal
    number: int
    unpriced: int
    lines: QuerySet


def day_page(within: Q, part: Part, day: date) -> DayPage:
    """What one UTC day's figure is made of: `within` says of whose readings. One query; `of_a_day` asks for the lines,
    of which there may be thousands, a page at a time."""
    begins, ends = bounds(day)
    found = Reading.objects.filter(within, part.of_readings(), start__gte=begins, start__lt=ends)
    told = found.aggregate(
        cost=Sum("usd"), number=Count("resource", distinct=True), gap=Count("pk", filter=Q(usd=None))
    )
    lines = found.values("resource").annotate(
        cost=Sum("usd"), first=Min("start"), last=Max("end"), number=Count("pk"), gap=Count("pk", filter=Q(usd=None))
    )
    return DayPage(
        day,
        told["cost"] or Decimal(0),
        told["number"],
        told["gap"],
        lines.order_by(F("cost").desc(nulls_first=True), "resource"),
    )


def of_a_day(lines: Iterable[dict]) -> list[OfADay]:
    """One query."""
    lines = list(lines)
    rows = Resource.objects.select_related("owner", "launch").defer("params", "wishes")
    known = rows.in_bulk([line["resource"] for line in lines])
    return [
        OfADay(known[line["resource"]], line["cost"], line["first"], line["last"], line["number"], line["gap"])
        for line in lines
    ]


# --- a part of the spend ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PartPage:
    """A part of the spend. people: [(whose, USD, what burns of theirs now)], the dearest first. whole_usd: what all of
    it comes to, so that the part's share can be told. has_now: what is on now belongs to it."""

    part: Part
    words: list[str]
    days: list[DaySpend]
    services: list[tuple[str, Decimal]]
    people: list[tuple[Person, Decimal, Burning]]
    whole_usd: Decimal
    burning: Burning
    has_now: bool

    @property
    def words_shown(self) -> str:
        """What is chosen, as HTML: one value, so that a sentence of any language has it where it belongs."""
        return format_html_join(", ", '<b class="text-body">{}</b>', ((word,) for word in self.words))

    @property
    def usd(self) -> Decimal:
        return sum((usd for _, usd in self.services), Decimal(0))

    @property
    def unpriced_seconds(self) -> int:
        return sum(day.unpriced_seconds for day in self.days)

    @property
    def dearest(self) -> DaySpend | None:
        return max((day for day in self.days if day.total), key=lambda day: day.total, default=None)


def part_page(scopes: Iterable[str], part: Part, choices: Choices, now: datetime) -> PartPage:
    """Four queries; two more while a state is newer than its last metering, and two fewer of a week that is over. They
    read sums of days, never readings, and are as many for 24 people as for 240."""
    keys = list(scopes)
    everything = DailySpend.objects.filter(scope__in=keys)
    spend = part.spend(everything)
    first, last = part.days or (None, None)
    until = min(now, bounds(last)[0]) if last else now
    days = by_day(spend, first, until)
    lines = spend.order_by().values("owner_id").annotate(total=Sum("usd"), gap=Sum("unpriced_seconds"))
    told = [line for line in lines if line["total"] or line["gap"]]
    sums: dict[int | None, Decimal] = {line["owner_id"]: line["total"] or Decimal(0) for line in told}
    has_now = part.days is None or until == now
    alive = part.resources(live(Resource.objects.filter(scope__in=keys)))
    burning = burning_by(alive, "owner_id", fresh=newer(alive, now)) if has_now else {}
    people = [
        (person, sums.get(person.pk, Decimal(0)), burning.get((person.pk,), NOTHING))
        for person in choices.people
        if person.pk in sums or burning.get((person.pk,), NOTHING) != NOTHING
    ]
    people.sort(key=lambda line: (-line[1], -line[2].usd_per_hour, line[0].name.casefold()))
    return PartPage(
        part=part,
        words=choices.words(part),
        days=days,
        services=services_of(days),
        people=people,
        whole_usd=everything.aggregate(usd=Sum("usd"))["usd"] or Decimal(0),
        burning=sum(burning.values(), NOTHING),
        has_now=has_now,
    )
