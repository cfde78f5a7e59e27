"""The spend page: what burns, what was spent, what it comes to, and who has lights on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Min, Q, Sum

from costs.budget import NEAR, percent
from costs.dashboard.days import DaySpend, by_day, last_days, month, projected, services_of, since_first_spend
from costs.dashboard.exposed import bounded_by, by_owner, exposures_by
from costs.dashboard.forgotten import left_on_and_put_off, next_session
from costs.dashboard.people import NOBODY, Person, people_of
from costs.dashboard.stuck import Stuck, stuck_in
from costs.dashboard.unbounded import unbounded_in
from costs.exposing import Exposure, hours_between, together
from costs.limits import budget_of, budgets_of, rule_book
from costs.live import LIGHT, NOTHING, UNKNOWN_AFTER, Burning, burning_by, live, newer
from costs.models import Budget, DailySpend, Scope
from labs import catalog
from labs.models import Launch, Resource

DAYS_SHOWN = 28
TREND_DAYS = 14


@dataclass(frozen=True)
class InLab:
    """A lab that somebody is in, on purpose."""

    title: str
    off_at: datetime


@dataclass(frozen=True)
class PersonRow:
    """One line of the table. budget_usd: None without a budget. forgotten: lights left on; put_off: those of which
    somebody said that they stay on for a while. trend: USD of 14 days. unbounded: what AWS would not turn off, were the
    portal dead. exposure: what can still be spent, and what stops that."""

    person: Person
    spent_usd: Decimal
    budget_usd: Decimal | None
    burning: Burning
    forgotten: int
    put_off: int
    lab: InLab | None
    trend: tuple[Decimal, ...]
    is_staff: bool = False
    unbounded: int = 0
    exposure: Exposure = field(default_factory=Exposure)

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
    on: int = 0
    use: int = 0
    later: int = 0
    off: int = 0
    scopes: list[Scope] = field(default_factory=list)
    stuck: list[Stuck] = field(default_factory=list)
    unbounded: int = 0
    exposure: Exposure = field(default_factory=Exposure)

    @property
    def board(self) -> list[PersonRow]:
        return sorted(self.people, key=lambda row: (row.person.pk is None, row.person.name.casefold()))

    @property
    def students(self) -> list[PersonRow]:
        """Everybody but those who teach."""
        return [row for row in self.people if not row.is_staff]

    @property
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
    def near_or_over(self) -> int:
        return sum(bool(row.budget_state) for row in self.people)


def spend_page(scopes: Iterable[str], now: datetime) -> SpendPage:
    """Seventeen queries; two more while a state is newer than its last metering, one each while something is stuck and
    while a lab is coming up. As many for 24 people as for 240."""
    keys = list(scopes)
    told = list(Scope.objects.filter(key__in=keys))
    budgets, staff = budgets_of(keys, now), {pk for scope in told for pk in scope.staff}
    alive = live(Resource.objects.filter(scope__in=keys))
    fresh = newer(alive, now)
    burning = burning_by(alive, "owner_id", fresh=fresh)
    forgotten, put_off = left_on_and_put_off(keys, now, {row.pk: one for row, one in fresh})
    spent = _spent_by_owner(keys)
    trends = _trends(keys, now)
    labs = _labs_in_use(keys, now)
    first = min(month(now), last_days(now, DAYS_SHOWN)[0])
    days = by_day(DailySpend.objects.filter(scope__in=keys), first, now)
    everybody = people_of(keys, lit=[owner for (owner,), one in burning.items() if one.lights])
    if None in spent or (None,) in burning:
        everybody.append(NOBODY)
    without_switch = unbounded_in(keys, now)
    unbounded, endless = Counter(row.owner_id for row in without_switch), by_owner(without_switch)
    launches = Launch.objects.open().filter(scope__in=keys)
    raw = exposures_by("owner_id", alive, launches, now, fresh=fresh, unbounded=without_switch)
    rules = rule_book(keys)

    def exposure_of(owner: int | None) -> Exposure:
        """Bounded by the person's own budget too, where one cohort is looked at."""
        whole = raw.get(owner, Exposure())
        if owner is None or len(keys) != 1:
            return whole
        kind = Budget.STAFF if owner in staff else Budget.STUDENT
        usd, rate = budget_of(owner, keys, budgets, told), burning.get((owner,), NOTHING).usd_per_hour
        left_on = endless.get(owner, [])
        return bounded_by(whole, usd, spent.get(owner, Decimal(0)), rate, rules.of(keys[0], kind), left_on, now)

    exposures = {owner: exposure_of(owner) for owner in raw}
    people = [
        PersonRow(
            person,
            spent.get(person.pk, Decimal(0)),
            budget_of(person.pk, keys, budgets, told) if person.pk else None,
            burning.get((person.pk,), NOTHING),
            forgotten.get(person.pk, NOTHING).lights,
            put_off.get(person.pk, NOTHING).lights,
            labs.get(person.pk),
            tuple(trends[person.pk].get(day, Decimal(0)) for day in last_days(now, TREND_DAYS)),
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
    seen = alive.filter(LIGHT).aggregate(
        oldest=Min("seen_at"), unknown=Count("pk", filter=Q(seen_at__lt=now - UNKNOWN_AFTER))
    )
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
        seen_at=seen["oldest"],
        unknown=seen["unknown"],
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


def _trends(scopes: list[str], now: datetime) -> dict[int | None, dict[date, Decimal]]:
    found: dict[int | None, dict[date, Decimal]] = defaultdict(dict)
    lines = DailySpend.objects.filter(scope__in=scopes, day__gte=last_days(now, TREND_DAYS)[0]).order_by()
    for line in lines.values("owner_id", "day").annotate(total=Sum("usd")):
        found[line["owner_id"]][line["day"]] = line["total"] or Decimal(0)
    return found


def _labs_in_use(scopes: list[str], now: datetime) -> dict[Any, InLab]:
    """{owner: the lab of theirs that goes off last}."""
    found: dict[Any, InLab] = {}
    launches = Launch.objects.in_use(now).filter(scope__in=scopes)
    for launch in launches.order_by("expires_at").values("owner_id", "lab", "expires_at"):
        lab = catalog.catalog().get(launch["lab"])
        found[launch["owner_id"]] = InLab(lab.title if lab else launch["lab"], launch["expires_at"])
    return found
