"""The spend page: what burns, what was spent, what it comes to, and who has lights on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db.models import Q, Sum

from costs.budget import NEAR, percent
from costs.dashboard.days import DaySpend, by_day, last_days, month, projected, services_of, since_first_spend
from costs.dashboard.exposed import bounded_by, by_owner, exposures_by
from costs.dashboard.forgotten import left_on_and_put_off, next_session
from costs.dashboard.on_now import OnNow, on_now
from costs.dashboard.people import NOBODY, Person, people_of
from costs.dashboard.stuck import Stuck, stuck_in
from costs.dashboard.unbounded import unbounded_in
from costs.exposing import Exposure, hours_between, together
from costs.limits import budget_of, budgets_of, rule_book
from costs.live import NOTHING, Burning
from costs.models import Budget, DailySpend, Scope
from labs import catalog
from labs.models import Launch

DAYS_SHOWN = 28
TREND_DAYS = 14
BOARD_SHOWN = 48  # tiles: eight rows, as high as the chart beside them
LOUDEST = ("on", "use", "later")


@dataclass(frozen=True)
class InLab:
    """A lab that somebody is in, on purpose."""

    title: str
    off_at: datetime


@dataclass(frozen=True)
class PersonRow:
    """One line of the table. budget_usd: None without a budget. forgotten: lights left on; put_off: those of which
    somebody said that they stay on for a while. unbounded: what AWS would not turn off, were the portal dead.
    exposure: what can still be spent, and what stops that. trend: USD of 14 days, where the row is shown."""

    person: Person
    spent_usd: Decimal
    budget_usd: Decimal | None
    burning: Burning
    forgotten: int
    put_off: int
    lab: InLab | None
    is_staff: bool = False
    unbounded: int = 0
    exposure: Exposure = Exposure()
    trend: tuple[Decimal, ...] = ()

    @property
    def light(self) -> str:
        """on: left on; use: in a lab; later: nothing is on but what was put off; off."""
        if self.forgotten:
            return "on"
        if self.burning.lights > self.put_off:
            return "use"
        return "later" if self.put_off else "off"

    @property
    def budget_state(self) -> str:
        """'' without a budget or well within it; near from 80 %; over from 100 %."""
        if not self.budget_usd:
            return ""
        share = self.spent_usd / self.budget_usd
        return "over" if share >= 1 else "near" if share >= NEAR else ""

    @property
    def trend_points(self) -> str:
        """Of a 96 x 24 polyline."""
        most = max(*self.trend, Decimal("0.01"))
        step = Decimal(94) / (len(self.trend) - 1)
        return " ".join(f"{1 + n * step:.1f},{22 - usd / most * 20:.1f}" for n, usd in enumerate(self.trend))


@dataclass(frozen=True)
class SpendPage:
    """seen_at: the oldest last look at a light that is on. unknown: how many were not seen for 15 minutes.

    projected_off_usd: by ends_at, when what is on is turned off now and days go on as the typical one of the last two
    weeks. projected_left_on_usd: that, and what was forgotten or put off left on until then.
    """

    now: datetime
    burning: Burning
    forgotten_burning: Burning
    put_off_burning: Burning
    forgotten_by_next_usd: Decimal
    next_session: datetime | None
    month_usd: Decimal
    unpriced_seconds: int
    spent_usd: Decimal
    budget_usd: Decimal | None
    ends_at: datetime | None
    projected_off_usd: Decimal | None
    projected_left_on_usd: Decimal | None
    seen_at: datetime | None
    unknown: int
    days: list[DaySpend]
    services: list[tuple[str, Decimal]]
    people: list[PersonRow]
    on_now: OnNow
    on: int = 0
    use: int = 0
    later: int = 0
    off: int = 0
    scopes: list[Scope] = field(default_factory=list)
    stuck: list[Stuck] = field(default_factory=list)
    unbounded: int = 0
    exposure: Exposure = field(default_factory=Exposure)

    @cached_property
    def lit(self) -> list[PersonRow]:
        """Whoever has something on, whether left on or on purpose: what was left on first."""
        found = [row for row in self.people if row.light != "off"]
        return sorted(found, key=lambda row: LOUDEST.index(row.light))

    @property
    def board(self) -> list[PersonRow]:
        """Of these as many as a board can show, in the order of names: each keeps their place while others come."""
        return sorted(self.lit[:BOARD_SHOWN], key=lambda row: (row.person.pk is None, row.person.name.casefold()))

    @property
    def board_more(self) -> int:
        return len(self.lit) - min(len(self.lit), BOARD_SHOWN)

    def found(self, asked: str) -> list[PersonRow]:
        """The students with these letters in their name or address; all of them for ''."""
        letters = asked.casefold()
        return [
            row
            for row in self.students
            if letters in row.person.name.casefold() or letters in row.person.email.casefold()
        ]

    @cached_property
    def students(self) -> list[PersonRow]:
        """Everybody but those who teach."""
        return [row for row in self.people if not row.is_staff]

    @cached_property
    def students_usd(self) -> Decimal:
        return sum((row.spent_usd for row in self.students), Decimal(0))

    @property
    def staff_usd(self) -> Decimal:
        return self.spent_usd - self.students_usd

    @property
    def budget_percent(self) -> str | None:
        """Of the budget spent, in words. None without a budget."""
        return percent(self.spent_usd, self.budget_usd) if self.budget_usd else None

    @property
    def is_moving(self) -> bool:
        """Something costs, or a lab is on: the figures change by themselves."""
        return bool(self.burning.usd_per_hour or self.burning.lights or any(row.lab for row in self.people))

    @property
    def poll_seconds(self) -> int:
        """How soon the page asks again: while all is off too, for a lab may be started at any time."""
        return 20 if self.is_moving else 60

    @cached_property
    def near_or_over(self) -> int:
        return sum(bool(row.budget_state) for row in self.people)


def spend_page(scopes: Iterable[str], now: datetime) -> SpendPage:
    """Twelve queries; two more while a state is newer than its last metering, one each while something is stuck, may
    have no switch, and while a lab is coming up. As many for 24 people as for 240."""
    keys = list(scopes)
    told = list(Scope.objects.filter(key__in=keys))
    budgets, staff = budgets_of(keys, now), {pk for scope in told for pk in scope.staff}
    on = on_now(keys, now)
    burning = on.by_owner()
    forgotten, put_off = left_on_and_put_off(keys, now, {row.pk: one for row, one in on.fresh})
    spent = _spent_by_owner(keys)
    launches = _open_launches(keys)
    labs = _labs_in_use(launches, now)
    first = min(month(now), last_days(now, DAYS_SHOWN)[0])
    days = by_day(DailySpend.objects.filter(scope__in=keys), first, now)
    everybody = people_of(keys, lit=[owner for owner, one in burning.items() if one.lights])
    if None in spent or None in burning:
        everybody.append(NOBODY)
    without_switch = unbounded_in(keys, now) if on.has_unarmed else []
    unbounded, endless = Counter(row.owner_id for row in without_switch), by_owner(without_switch)
    raw = exposures_by("owner_id", on.lines, launches, now, fresh=on.fresh, unbounded=without_switch)
    rules = rule_book(keys)
    owners = {*raw, *(person.pk for person in everybody)}
    budget = {owner: budget_of(owner, keys, budgets, told) for owner in owners if owner is not None}

    def exposure_of(owner: int | None) -> Exposure:
        """Bounded by the person's own budget too, where one cohort is looked at."""
        whole = raw.get(owner, Exposure())
        if owner is None or len(keys) != 1:
            return whole
        kind = Budget.STAFF if owner in staff else Budget.STUDENT
        usd, rate = budget[owner], burning.get(owner, NOTHING).usd_per_hour
        left_on = endless.get(owner, [])
        return bounded_by(whole, usd, spent.get(owner, Decimal(0)), rate, rules.of(keys[0], kind), left_on, now)

    exposures = {owner: exposure_of(owner) for owner in raw}
    people = [
        PersonRow(
            person,
            spent.get(person.pk, Decimal(0)),
            budget[person.pk] if person.pk else None,
            burning.get(person.pk, NOTHING),
            forgotten.get(person.pk, NOTHING).lights,
            put_off.get(person.pk, NOTHING).lights,
            labs.get(person.pk),
            is_staff=person.pk in staff,
            unbounded=unbounded[person.pk],
            exposure=exposures.get(person.pk, Exposure()),
        )
        for person in everybody
    ]
    people.sort(key=lambda row: (-row.burning.usd_per_hour, -row.spent_usd, row.person.name.casefold()))
    burns, left_on, later = (sum(each.values(), NOTHING) for each in (burning, forgotten, put_off))
    total = sum(spent.values(), Decimal(0))
    ends_at = max((scope.ends_at for scope in told if scope.ends_at), default=None)
    shown = since_first_spend(days[-DAYS_SHOWN:])
    off = projected(total, days, ends_at, now)
    until = next_session(told, now)
    cohort = [usd for (kind, _, _), usd in budgets.items() if kind == Budget.COHORT]
    return SpendPage(
        now=now,
        burning=burns,
        forgotten_burning=left_on,
        put_off_burning=later,
        forgotten_by_next_usd=left_on.usd_per_hour * hours_between(now, until or now + timedelta(days=1)),
        next_session=until,
        month_usd=sum((day.total for day in days if day.day >= month(now)), Decimal(0)),
        unpriced_seconds=sum(day.unpriced_seconds for day in days),
        spent_usd=total,
        budget_usd=sum(cohort, Decimal(0)) if cohort else None,
        ends_at=ends_at,
        projected_off_usd=off,
        # Labs in use are not in it: their clock turns them off.
        projected_left_on_usd=off + (left_on + later).usd_per_hour * hours_between(now, ends_at)
        if off and ends_at
        else off,
        seen_at=on.seen_at,
        unknown=on.unknown,
        on_now=on,
        days=shown,
        services=services_of(shown),
        people=people,
        on=sum(row.light == "on" for row in people),
        use=sum(row.light == "use" for row in people),
        later=sum(row.light == "later" for row in people),
        off=sum(row.light == "off" for row in people),
        scopes=told,
        stuck=stuck_in(keys, now),
        unbounded=unbounded.total(),
        exposure=together(exposures.values()),
    )


def _spent_by_owner(scopes: list[str]) -> dict[int | None, Decimal]:
    lines = DailySpend.objects.filter(scope__in=scopes).order_by().values("owner_id").annotate(total=Sum("usd"))
    return {line["owner_id"]: line["total"] or Decimal(0) for line in lines}


def trends_of(
    owners: Iterable[int | None], scopes: Iterable[str], now: datetime
) -> dict[int | None, tuple[Decimal, ...]]:
    """{owner: USD of each of the last 14 UTC days} of these few. One query."""
    asked, days = list(owners), last_days(now, TREND_DAYS)
    found: dict[int | None, dict[date, Decimal]] = defaultdict(dict)
    whose = Q(owner__in=[owner for owner in asked if owner])
    if None in asked:
        whose |= Q(owner=None)
    lines = DailySpend.objects.filter(whose, scope__in=list(scopes), day__gte=days[0]).order_by()
    for line in lines.values("owner_id", "day").annotate(total=Sum("usd")):
        found[line["owner_id"]][line["day"]] = line["total"] or Decimal(0)
    return {owner: tuple(found[owner].get(day, Decimal(0)) for day in days) for owner in asked}


def _open_launches(scopes: list[str]) -> list[Launch]:
    needed = ("lab", "owner_id", "scope", "region", "ready_at", "expires_at", "asked_to_end_at", "ended_at")
    return list(Launch.objects.open().filter(scope__in=scopes).only(*needed).order_by("expires_at"))


def _labs_in_use(launches: Iterable[Launch], now: datetime) -> dict[Any, InLab]:
    """{owner: the lab of theirs that goes off last}. launches: those that are open, in the order in which they end."""
    found: dict[Any, InLab] = {}
    for launch in launches:
        if launch.is_in_use(now):
            lab = catalog.catalog().get(launch.lab)
            found[launch.owner_id] = InLab(lab.title if lab else launch.lab, launch.expires_at)
    return found
