"""A part of the spend: of one week, service, person, region or account. All of it stands in the address, so that it can
be kept and sent; pages, sums and CSV files of one address are of the same part."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from django.db.models import Count, Min, Q, QuerySet
from django.utils.dateformat import format as date_format
from django.utils.translation import gettext, gettext_lazy

from costs.dashboard.days import today
from costs.dashboard.people import NOBODY, Person, people_of
from costs.kinds import cost_service
from costs.models import DailySpend
from labs.kinds import registry
from labs.models import Account, Resource

FIELDS = ("week", "service", "person", "region", "account")
NOBODYS = "nobody"
ALL = {
    "week": gettext_lazy("All weeks"),
    "service": gettext_lazy("All services"),
    "person": gettext_lazy("Everybody"),
    "region": gettext_lazy("All regions"),
    "account": gettext_lazy("All accounts"),
}
LABELS = {
    "week": gettext_lazy("Week"),
    "service": gettext_lazy("Service"),
    "person": gettext_lazy("Person"),
    "region": gettext_lazy("Region"),
    "account": gettext_lazy("Account"),
}


class NoSuchPart(ValueError):
    """Something in the address names nothing of these scopes; in words for who typed it."""


@dataclass(frozen=True)
class Part:
    """What is chosen; "" chooses nothing. week: an ISO week of UTC days, 2025-W38. person: an id, or "nobody"."""

    week: str = ""
    service: str = ""
    person: str = ""
    region: str = ""
    account: str = ""

    @property
    def is_whole(self) -> bool:
        return not any(getattr(self, name) for name in FIELDS)

    @property
    def days(self) -> tuple[date, date] | None:
        """Its first and last day; None for all of them."""
        return days_of(self.week) if self.week else None

    def query(self, *but: str, **more: str) -> str:
        """As an address has it, without what is not chosen and without `but`: "service=EC2&person=3"."""
        chosen = {name: getattr(self, name) for name in FIELDS if name not in but} | more
        return urlencode({name: value for name, value in chosen.items() if value})

    @property
    def of_a_day(self) -> str:
        """What a link to one day and service takes along: "&person=3"."""
        kept = self.query("week", "service")
        return f"&{kept}" if kept else ""

    def spend(self, lines: QuerySet[DailySpend]) -> QuerySet[DailySpend]:
        if self.days:
            lines = lines.filter(day__range=self.days)
        if self.service:
            lines = lines.filter(service=self.service)
        return lines.filter(self._whose())

    def resources(self, rows: QuerySet[Resource]) -> QuerySet[Resource]:
        """Of these rows those that it is of; they have no week."""
        if self.service:
            rows = rows.filter(kind__in=[name for name in registry() if cost_service(name) == self.service])
        return rows.filter(self._whose())

    def of_readings(self) -> Q:
        """What readings of it have in common; their day is the caller's."""
        told = self._whose("resource__")
        return told & Q(service=self.service) if self.service else told

    def _whose(self, of: str = "") -> Q:
        told = Q()
        if self.person:
            told &= Q(**{f"{of}owner": None if self.person == NOBODYS else int(self.person)})
        if self.region:
            told &= Q(**{f"{of}region": self.region})
        if self.account:
            told &= Q(**{f"{of}account": int(self.account)})
        return told


@dataclass(frozen=True)
class Choices:
    """What there is to choose from, for each field [(value, its words)]."""

    of: Mapping[str, list[tuple[str, str]]]
    people: list[Person] = field(default_factory=list)

    def part(self, asked: Mapping[str, str]) -> Part:
        """What an address asks for. Raises NoSuchPart for what is not among the choices."""
        chosen = {name: asked.get(name, "").strip() for name in FIELDS}
        wrong = [name for name, value in chosen.items() if value and value not in dict(self.of[name])]
        if wrong:
            said = ", ".join(f"{name} “{chosen[name][:40]}”" for name in wrong)
            raise NoSuchPart(gettext("Nothing here is of %(said)s.") % {"said": said})
        return Part(**chosen)

    def words(self, part: Part) -> list[str]:
        """What is chosen, as a person says it."""
        return [dict(self.of[name])[getattr(part, name)] for name in FIELDS if getattr(part, name)]

    def fields(self, part: Part) -> list[tuple[str, str, str, list[tuple[str, str]]]]:
        """[(name, its label, what is chosen, [(value, words)])], for the form."""
        return [
            (name, str(LABELS[name]), getattr(part, name), [("", str(ALL[name])), *self.of[name]]) for name in FIELDS
        ]


def choices_in(scopes: Iterable[str], now: datetime) -> Choices:
    """What was spent on in these scopes, and by whom. Three queries, over sums of days and never over readings."""
    keys = list(scopes)
    lines = DailySpend.objects.filter(scope__in=keys)
    told = list(
        lines.order_by()
        .values("service", "region")
        .annotate(first=Min("day"), nobodys=Count("pk", filter=Q(owner=None)))
    )
    accounts = Account.objects.filter(Q(scope__in=keys) | Q(pk__in=lines.order_by().values("account")))
    people = people_of(keys)
    if any(line["nobodys"] for line in told):
        people.append(NOBODY)
    services, regions = ({line[name] for line in told} for name in ("service", "region"))
    first = min((line["first"] for line in told), default=today(now))
    return Choices(
        {
            "week": [(week_of(monday), in_words(monday)) for monday in _mondays(first, today(now))],
            "service": [(one, one) for one in sorted(services, key=str.casefold)],
            "person": [(str(one.pk or NOBODYS), one.name) for one in people],
            "region": [(one, one) for one in sorted(regions)],
            "account": [(str(one.pk), str(one)) for one in accounts.order_by("name", "pk")],
        },
        people,
    )


def week_of(day: date) -> str:
    """The ISO week that a day is in: 2025-W38."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def days_of(week: str) -> tuple[date, date]:
    """Monday and Sunday of an ISO week. Raises ValueError for what is none."""
    found = re.fullmatch(r"(\d{4})-W(\d\d)", week)
    if not found:
        raise ValueError(f"{week} is no week")
    monday = date.fromisocalendar(int(found[1]), int(found[2]), 1)
    return monday, monday + timedelta(days=6)


def in_words(monday: date) -> str:
    """ "Mon 15 to Sun 21 Sep 2025"."""
    sunday = monday + timedelta(days=6)
    begins = date_format(monday, "D j" if monday.month == sunday.month else "D j M")
    return gettext("%(first)s to %(last)s") % {"first": begins, "last": date_format(sunday, "D j M Y")}


def _mondays(first: date, last: date) -> list[date]:
    """Of every week from that of `first` to that of `last`, the latest first."""
    begins, monday = (day - timedelta(days=day.weekday()) for day in (first, last))
    return [monday - timedelta(weeks=back) for back in range((monday - begins).days // 7 + 1)]
