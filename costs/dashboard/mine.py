"""A person's own costs: what can still be spent, what was, and every figure down to the readings it is made of."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from costs.budget import calls_usd, exposure_of
from costs.dashboard.alerts import alerts_of
from costs.dashboard.days import DaySpend, by_day, last_days, projected, services_of
from costs.dashboard.exposed import bounded_by, by_hand_exposure
from costs.exposing import Exposure, hours_between, together
from costs.kinds import can_stop, label_of, stop_deletes, title_of
from costs.limits import budget_of, budgets_of, rule_book
from costs.live import UNKNOWN_AFTER, is_going, is_light, live
from costs.models import Alert, Budget, DailySpend, Price, Reading, Scope
from costs.pricebook import PriceBook
from costs.rates import Rate, rate_now
from labs import catalog, deadman
from labs.kinds.base import ABSENT, FAILED, STOPPED
from labs.models import Launch, Resource, Span

DAYS_SHOWN = 14
BY_HAND = "by-hand"


@dataclass(frozen=True)
class Light:
    """One live resource of theirs that costs something."""

    row: Resource
    rate: Rate
    is_light: bool
    now: datetime

    @property
    def title(self) -> str:
        return title_of(self.row.kind)

    @property
    def name(self) -> str:
        return self.row.name or self.row.aws_id

    @property
    def stops(self) -> bool:
        return can_stop(self.row.kind) and self.row.seen not in (STOPPED, FAILED)

    @property
    def turns_off_by_delete(self) -> bool:
        return not self.stops or stop_deletes(self.row.kind)

    @property
    def is_going(self) -> bool:
        return is_going(self.row)

    @property
    def aws_off_at(self) -> datetime | None:
        """When AWS turns it off if the portal is dead; None when it would not."""
        return deadman.reach([self.row], self.now).off_at


@dataclass(frozen=True)
class OwnLights:
    """All that is live of one person, the oldest first."""

    lights: list[Light]

    @property
    def strangers(self) -> list[Light]:
        """What no lab made and nothing stops by itself."""
        return [light for light in self.lights if light.row.launch_id is None and light.is_light]

    @property
    def strangers_usd_per_hour(self) -> Decimal | None:
        """None when a part has no price."""
        return sum((light.rate for light in self.strangers), Rate()).known

    def estimate_usd(self, scope: str | None = None) -> Decimal:
        """What came since each was metered; of one scope, or of all."""
        own = [light for light in self.lights if scope is None or light.row.scope == scope]
        return sum((_since_metered(light) for light in own), Decimal(0))


@dataclass(frozen=True)
class LabExposure:
    """What one lab can still cost before its clock deletes it. exposure.usd: None when a part is unpriced. reach: what
    of it AWS turns off when the portal is dead."""

    launch: Launch
    title: str
    usd_per_hour: Decimal | None
    exposure: Exposure
    calls_usd: Decimal
    reach: deadman.Reach

    @property
    def usd(self) -> Decimal | None:
        return self.exposure.usd


@dataclass(frozen=True)
class Group:
    """A lab in all its launches, or what was made by hand. time_on: how long the launches were open, added up; of what
    was made by hand, how long anything of it was on that costs something: two things at once count once."""

    key: str
    title: str
    launches: int
    began: datetime | None
    ended: datetime | None
    time_on: timedelta
    usd: Decimal
    unpriced_seconds: int


@dataclass(frozen=True)
class Item:
    """One meter of one resource: quantity x rate = usd, summed over its readings (one rate a line)."""

    resource: Resource
    meter: str
    unit: str
    quantity: Decimal
    rate: Decimal | None
    usd: Decimal | None
    price: Price | None
    began: datetime
    ended: datetime
    readings: int

    @property
    def label(self) -> str:
        return label_of(self.meter)

    @property
    def title(self) -> str:
        return title_of(self.resource.kind)


@dataclass(frozen=True)
class MyCosts:
    """exposures: what stops by itself, and when. strangers: what nothing stops by itself. estimate_usd: what came since
    it was metered. seen_at: the oldest last look at what costs. whole: what all that is on can still cost, labs and
    what was made by hand, and what stops the last of it. alerts: what is odd about their money now."""

    now: datetime
    exposures: list[LabExposure]
    strangers: list[Light]
    strangers_usd_per_hour: Decimal | None
    spent_usd: Decimal
    estimate_usd: Decimal
    unpriced_seconds: int
    budget_usd: Decimal | None
    ends_at: datetime | None
    projected_usd: Decimal | None
    days: list[DaySpend]
    services: list[tuple[str, Decimal]]
    groups: list[Group]
    open_group: str
    items: list[Item]
    seen_at: datetime | None
    metered_until: datetime | None
    whole: Exposure
    alerts: list[Alert]
    not_accrued: list[str] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)

    @property
    def at_most_usd(self) -> Decimal | None:
        """None when a part of what is on is unpriced: nobody knows the most then."""
        if any(one.usd is None for one in self.exposures):
            return None
        return sum((one.usd for one in self.exposures if one.usd is not None), Decimal(0))

    @property
    def unbounded(self) -> list[Resource]:
        """What only this portal turns off: while there is any, no most is known if the portal dies."""
        return [row for one in self.exposures for row in one.reach.unarmed]

    @property
    def unbounded_names(self) -> str:
        return ", ".join(row.name or row.aws_id for row in self.unbounded)

    @property
    def aws_off_by(self) -> datetime | None:
        """When AWS has turned off the last of the labs' things, should the portal be dead."""
        return max((one.reach.off_at for one in self.exposures if one.reach.off_at), default=None)

    @property
    def off_by(self) -> datetime | None:
        return max((one.launch.expires_at for one in self.exposures), default=None)

    @property
    def time_left(self) -> timedelta | None:
        return self.off_by - self.now if self.off_by else None

    @property
    def unseen_for(self) -> timedelta | None:
        return self.now - self.seen_at if self.seen_at else None

    @property
    def is_going_off(self) -> bool:
        """Of what was made by hand something was asked to go, and AWS still shows it."""
        return any(one.is_going for one in self.strangers)

    @property
    def total_usd(self) -> Decimal:
        """What was metered, and our estimate of what came since."""
        return self.spent_usd + self.estimate_usd

    @property
    def budget_share(self) -> Decimal | None:
        return self.total_usd * 100 / self.budget_usd if self.budget_usd else None

    @property
    def is_unknown(self) -> bool:
        return self.seen_at is not None and self.now - self.seen_at > UNKNOWN_AFTER


def lights_of(user, now: datetime) -> OwnLights:
    """Two queries."""
    rows = list(
        live(Resource.objects.filter(owner=user))
        .select_related("launch", "metered", "account")
        .defer("params", "wishes")
        .order_by("created_at")
    )
    book = PriceBook.open(regions={row.region for row in rows})
    return OwnLights(
        [Light(row, rate, is_light(row, rate), now) for row in rows for rate in [rate_now(row, book, now)]]
    )


def my_costs(user, now: datetime, *, open_group: str = "") -> MyCosts:
    """Eleven queries, one more for what was made by hand, two or three more with a group open. open_group: the key of
    the group whose items are shown."""
    mine = Resource.objects.filter(owner=user)
    own = lights_of(user, now)
    lights, rows = own.lights, [light.row for light in own.lights]
    exposures = _exposures(lights, now)
    groups = _groups(mine, now)
    scopes = {row.scope for row in rows} | _scopes(user)
    spent = sum((group.usd for group in groups), Decimal(0))
    estimate = own.estimate_usd()
    days = by_day(DailySpend.objects.filter(owner=user), last_days(now, DAYS_SHOWN)[0], now)
    told = list(Scope.objects.filter(key__in=scopes))
    ends_at = max((scope.ends_at for scope in told if scope.ends_at), default=None)
    costing = [light for light in lights if light.rate.lines]
    budget_usd = budget_of(user.pk, scopes, budgets_of(scopes, now), told)
    by_hand = {light.row: light.rate for light in lights if light.row.launch_id is None and not light.is_going}
    whole = together([*(one.exposure for one in exposures), by_hand_exposure(by_hand, now)])
    if len(told) == 1:
        kind = Budget.STAFF if user.pk in told[0].staff else Budget.STUDENT
        thresholds = rule_book([told[0].key]).of(told[0].key, kind)
        rate = sum((light.rate.usd_per_hour for light in lights if not light.is_going), Decimal(0))
        endless = deadman.reach(rows, now).unarmed
        whole = bounded_by(whole, budget_usd, spent + estimate, rate, thresholds, endless, now)
    return MyCosts(
        now=now,
        exposures=exposures,
        strangers=own.strangers,
        strangers_usd_per_hour=own.strangers_usd_per_hour,
        spent_usd=spent,
        estimate_usd=estimate,
        unpriced_seconds=sum(group.unpriced_seconds for group in groups),
        budget_usd=budget_usd,
        ends_at=ends_at,
        projected_usd=projected(spent + estimate, days, ends_at, now),
        days=days,
        services=services_of(days),
        groups=groups,
        open_group=open_group if any(group.key == open_group for group in groups) else "",
        items=items_of(_of_group(mine, open_group)) if open_group else [],
        seen_at=min((light.row.seen_at for light in costing if light.row.seen_at), default=None),
        metered_until=max((one.row.metered.until for one in costing if hasattr(one.row, "metered")), default=None),
        whole=whole,
        alerts=alerts_of(user.pk),
        not_accrued=sorted({str(row.facts["not_accrued"]) for row in rows if row.facts.get("not_accrued")}),
        scopes=told,
    )


def _scopes(user) -> set[str]:
    return set(Launch.objects.filter(owner=user).values_list("scope", flat=True)) | set(
        user.aws_accounts.values_list("scope", flat=True)
    )


def _exposures(lights: list[Light], now: datetime) -> list[LabExposure]:
    """One for each lab that is on, the dearest first."""
    rates: dict[Any, Rate] = defaultdict(Rate)
    rows: dict[Any, list[Resource]] = defaultdict(list)
    launches: dict[Any, Launch] = {}
    for light in lights:
        launch = light.row.launch
        if launch is not None and not launch.asked_to_end_at:
            launches[launch.pk] = launch
            rates[launch.pk] += light.rate
            rows[launch.pk].append(light.row)
    found = []
    for pk, launch in launches.items():
        known, reach = rates[pk].known, deadman.reach(rows[pk], now)
        most = exposure_of(launch, known, now)
        found.append(LabExposure(launch, _lab_title(launch.lab), known, most, calls_usd(launch), reach))
    return sorted(found, key=lambda one: (one.usd is not None, -(one.usd or 0)))


def _since_metered(light: Light) -> Decimal:
    metered = getattr(light.row, "metered", None)
    since = metered.until if metered else light.row.first_seen_at or light.now
    return light.rate.usd_per_hour * hours_between(since, light.now)


def _groups(mine: QuerySet[Resource], now: datetime) -> list[Group]:
    """By lab, the dearest first."""
    found: dict[str, Group] = {}
    lines = (
        mine.order_by()
        .values("launch_id", "launch__lab", "launch__created_at", "launch__ended_at")
        .annotate(
            usd=Sum("metered__usd"),
            gap=Sum("metered__unpriced_seconds"),
            first=Min("first_seen_at"),
            last=Max("metered__until"),
        )
    )
    for line in lines:
        if line["launch_id"] is None:
            key, title, began, ended = BY_HAND, _("Made by hand, in no lab"), line["first"], line["last"]
            time_on = _any_on(mine.filter(launch=None))
        else:
            key, title = line["launch__lab"], _lab_title(line["launch__lab"])
            began, ended = line["launch__created_at"], line["launch__ended_at"] or now
            time_on = ended - began
        if began is None:
            continue
        old = found.get(key)
        ended = ended or began
        found[key] = Group(
            key,
            title,
            (old.launches if old else 0) + int(line["launch_id"] is not None),
            min(began, old.began) if old and old.began else began,
            max(ended, old.ended) if old and old.ended else ended,
            (old.time_on if old else timedelta(0)) + time_on,
            (old.usd if old else Decimal(0)) + (line["usd"] or Decimal(0)),
            (old.unpriced_seconds if old else 0) + (line["gap"] or 0),
        )
    return sorted(found.values(), key=lambda group: (-group.usd, group.title))


def _any_on(rows: QuerySet[Resource]) -> timedelta:
    """How long any of these was on and cost something, as far as it was metered. One query."""
    costs = Q(resource__metered__usd__gt=0) | Q(resource__metered__unpriced_seconds__gt=0)
    spans = Span.objects.filter(costs, resource__in=rows).exclude(state__in=(STOPPED, FAILED, ABSENT))
    known = spans.order_by("began").values_list("began", "ended", "resource__metered__until")
    total, reached = timedelta(0), None
    for began, ended, until in known:
        ended = min(ended or until, until)
        start = max(began, reached) if reached else began
        total += max(ended - start, timedelta(0))
        reached = max(ended, reached) if reached else ended
    return total


def _of_group(mine: QuerySet[Resource], key: str) -> QuerySet[Resource]:
    return mine.filter(launch=None) if key == BY_HAND else mine.filter(launch__lab=key)


def items_of(rows: QuerySet[Resource]) -> list[Item]:
    """What each meter of these resources counted, newest first: readings summed by meter and price. Three queries."""
    lines = list(
        Reading.objects.filter(resource__in=rows)
        .order_by()
        .values("resource_id", "meter", "unit", "rate", "price_id")
        .annotate(total=Sum("quantity"), cost=Sum("usd"), first=Min("start"), last=Max("end"), number=Count("pk"))
    )
    resources = Resource.objects.select_related("launch").in_bulk({line["resource_id"] for line in lines})
    prices = Price.objects.in_bulk({line["price_id"] for line in lines if line["price_id"]})
    items = [
        Item(
            resources[line["resource_id"]],
            line["meter"],
            line["unit"],
            line["total"],
            line["rate"],
            line["cost"],
            prices.get(line["price_id"]),
            line["first"],
            line["last"],
            line["number"],
        )
        for line in lines
    ]
    return sorted(items, key=lambda item: (item.began, item.resource.name, item.meter), reverse=True)


def _lab_title(slug: str) -> str:
    lab = catalog.catalog().get(slug)
    return lab.title if lab else slug
