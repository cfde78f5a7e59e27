"""The forgotten page: what is left on, ranked by what it will cost, not by what it cost."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, F, Max, OuterRef, Q

from costs.dashboard.left import left_of, policies_of
from costs.dashboard.people import NOBODY, Person, people_of
from costs.dashboard.stuck import Stuck, stuck_in
from costs.dashboard.unbounded import unbounded_in
from costs.dashboard.unseen import NOT_YET, Unseen, UnseenAccounts
from costs.exposing import hours_between
from costs.kinds import can_stop, icon_of, kept_on_stop, lost_on_delete, stop_deletes, title_of
from costs.live import CURRENT, LIGHT, NOTHING, UNKNOWN_AFTER, Burning, burning_by, is_going, is_light, live, newer
from costs.lives import Left, Policy, Step, end_of, why_never
from costs.models import Finding, Scope
from costs.pricebook import PriceBook
from costs.rates import Rate, rate_now
from costs.rules import rank_of
from costs.saved import SavedSoFar, saved_in
from labs import catalog, deadman
from labs.decide import GONE
from labs.kinds.base import ABSENT, FAILED, STOPPED
from labs.models import Account, Launch, Resource

# Without a next session to look ahead to, pages look this far.
LOOK_AHEAD = timedelta(hours=24)
STUCK_SHOWN = 20
POLL_SECONDS, POLL_SECONDS_BLOCKED, POLL_SECONDS_QUIET = 5, 30, 60
LOOKED_LONG_AGO = timedelta(minutes=45)  # three times the time between two censuses


@dataclass(frozen=True)
class Forgotten:
    """One resource with its findings, the loudest first.

    burned_usd: what was metered, and its rate since then; estimated. by_next_usd: what it costs from now until `until`;
    None when a part is unpriced. ends: what the policy does if nobody does anything, and when. aws_off_at: when AWS
    turns it off if the portal is dead; None when it would not.
    """

    row: Resource
    findings: tuple[Finding, ...]
    rate: Rate
    burned_usd: Decimal
    unpriced_seconds: int
    until: datetime
    by_next_usd: Decimal | None
    is_light: bool
    is_unknown: bool
    left: Left
    policy: Policy
    ends: Step | None
    aws_off_at: datetime | None = None

    @property
    def never(self) -> str:
        """Why the policy does not turn it off, where one would ask; else ''."""
        return why_never(self.left, self.policy)

    @property
    def name(self) -> str:
        return self.row.name or self.row.aws_id

    @property
    def title(self) -> str:
        return title_of(self.row.kind)

    @property
    def icon(self) -> str:
        return icon_of(self.row.kind)

    @property
    def what(self) -> str:
        """'EC2 instance, t3.medium'; 'EBS volume, 100 GB gp3'."""
        facts = self.row.facts
        size = " ".join([*([f"{facts['gb']} GB"] if facts.get("gb") else []), str(facts.get("type") or "")]).strip()
        return f"{self.title}, {size}" if size else self.title

    @property
    def owner(self) -> str:
        return str(self.row.owner or NOBODY)

    @property
    def loudest(self) -> Finding:
        return self.findings[0]

    @property
    def snoozed_until(self) -> datetime | None:
        return max((finding.snoozed_until for finding in self.findings if finding.snoozed_until), default=None)

    def is_snoozed(self, now: datetime) -> bool:
        """All that is said of it is put off: a finding opened later speaks."""
        return all(finding.snoozed_until and finding.snoozed_until > now for finding in self.findings)

    @property
    def reminder_asked_at(self) -> datetime | None:
        return max((one.reminder_asked_at for one in self.findings if one.reminder_asked_at), default=None)

    @property
    def is_going(self) -> bool:
        return is_going(self.row)

    @property
    def stops(self) -> bool:
        """There is something to stop. Else only Delete turns it off."""
        return can_stop(self.row.kind) and self.row.seen not in (STOPPED, FAILED)

    @property
    def goes_out(self) -> bool:
        """Lights out turns it off: by Stop, or by Delete where that is what Stop means."""
        return self.is_light and not self.is_going and (self.stops or stop_deletes(self.row.kind))

    @property
    def happens(self) -> str:
        """What its own button does to it, in words."""
        keeps = self.stops or stop_deletes(self.row.kind)
        return kept_on_stop(self.row.kind) if keeps else lost_on_delete(self.row.kind)

    @property
    def lost_on_delete(self) -> str:
        return lost_on_delete(self.row.kind)


@dataclass(frozen=True)
class OnPurpose:
    """A lab in use: within its time. lights: what costs something in it; left_on: of these, how many are forgotten.
    unbounded: how many things in it AWS would not turn off, were the portal dead."""

    launch: Launch
    title: str
    usd_per_hour: Decimal
    lights: int
    unpriced: int
    left_on: int
    unbounded: int


@dataclass(frozen=True)
class ForgottenPage:
    """lights: on and forgotten; behind: costs nothing or next to nothing an hour, or is off already; snoozed: put off.

    on_purpose: every lab in use. stuck: what was asked to go and does not, found by a rule or not. board: [(person,
    their window: on, use (in a lab), later (put off) or off)]. until: the next session, or a day ahead where nobody
    said when it is (has_session). looked_at: the oldest last whole census of an account; seen_by: of those that the
    last census saw whole. unseen: those that it did not. caught: how many were asked to go and went; longest: how long
    one of them was on.
    """

    now: datetime
    lights: list[Forgotten]
    behind: list[Forgotten]
    snoozed: list[Forgotten]
    on_purpose: list[OnPurpose]
    stuck: list[Stuck]
    board: list[tuple[Person, str]]
    looked_at: datetime | None
    next_look_at: datetime | None
    accounts: int
    unseen: UnseenAccounts
    seen_by: datetime | None
    until: datetime
    has_session: bool
    caught: int = 0
    longest: timedelta | None = None
    scopes: list[Scope] = field(default_factory=list)
    saved: SavedSoFar = field(default_factory=lambda: SavedSoFar([]))

    @property
    def nobodys(self) -> int:
        """Lights that nobody is known to own: they are listed first."""
        return sum(one.row.owner_id is None for one in self.lights)

    @property
    def found(self) -> list[Forgotten]:
        return [*self.lights, *self.behind, *self.snoozed]

    @property
    def stuck_shown(self) -> list[Stuck]:
        """The dearest; one missing permission blocks a whole class, and says the same of each."""
        return self.stuck[:STUCK_SHOWN]

    @property
    def stuck_more(self) -> int:
        return len(self.stuck) - len(self.stuck_shown)

    @property
    def put_off(self) -> list[Forgotten]:
        """Lights that somebody said stay on for a while."""
        return [one for one in self.snoozed if one.is_light]

    @property
    def usd_per_hour(self) -> Decimal:
        return sum((one.rate.usd_per_hour for one in self.lights), Decimal(0))

    @property
    def burned_usd(self) -> Decimal:
        return sum((one.burned_usd for one in self.lights), Decimal(0))

    @property
    def by_next_usd(self) -> Decimal:
        """Of those that have a price; `unpriced` says how many have not."""
        return sum((one.by_next_usd for one in self.lights if one.by_next_usd is not None), Decimal(0))

    @property
    def unpriced(self) -> int:
        return sum(one.by_next_usd is None for one in self.lights)

    @property
    def going_out(self) -> list[Forgotten]:
        """What Lights out would turn off."""
        return [one for one in self.lights if one.goes_out]

    @property
    def going_off(self) -> list[Forgotten]:
        """Lights that were asked to go, and that AWS still shows."""
        return [one for one in self.lights if one.is_going]

    @property
    def only_delete_ends(self) -> list[Forgotten]:
        """Lights that Lights out leaves on: they have no Stop, and a person decides about what is on them."""
        return [one for one in self.lights if not one.is_going and not one.goes_out]

    @property
    def poll_seconds(self) -> int:
        """How soon the page asks again by itself: while something is on its way off. Rarely if all of that is blocked,
        which waits for a person; once a minute when all is quiet, for something may be left on at any time."""
        going = [one for one in self.found if one.is_going]
        if any(not one.row.blocked_why or (one.row.next_look_at or self.now) <= self.now for one in going):
            return POLL_SECONDS
        return POLL_SECONDS_BLOCKED if going else POLL_SECONDS_QUIET

    @property
    def seen(self) -> int:
        """How many accounts the last census saw whole."""
        return self.accounts - len(self.unseen)

    @property
    def looked_long_ago(self) -> bool:
        return self.looked_at is not None and self.now - self.looked_at > LOOKED_LONG_AGO


def forgotten_page(scopes: Iterable[str], now: datetime) -> ForgottenPage:
    """Twelve queries; two more while a state is newer than its last metering, one while something is stuck. As many for
    24 people as for 240."""
    keys = list(scopes)
    told = list(Scope.objects.filter(key__in=keys))
    everything = forgotten_in(keys, now, told=told)
    shown = [one for one in everything if not one.is_snoozed(now)]
    lights = [one for one in shown if one.is_light]
    on_purpose = _on_purpose(keys, Counter(one.row.launch_id for one in lights), now)
    snoozed = [one for one in everything if one.is_snoozed(now)]
    whose: dict[str, set[int | None]] = {
        "on": {one.row.owner_id for one in lights},
        "use": {one.launch.owner_id for one in on_purpose if one.lights},
        "later": {one.row.owner_id for one in snoozed if one.is_light},
    }
    looks = _looks(keys)
    so_far = _so_far(keys)
    looked_at = min((at for _, at, _ in looks if at), default=None)
    until = next_session(told, now) or max((one.until for one in lights if one.until != now + LOOK_AHEAD), default=None)
    return ForgottenPage(
        now=now,
        lights=lights,
        behind=[one for one in shown if not one.is_light],
        snoozed=snoozed,
        on_purpose=on_purpose,
        stuck=stuck_in(keys, now),
        board=[
            (person, next((light for light, owners in whose.items() if person.pk in owners), "off"))
            for person in people_of(keys, lit=set().union(*whose.values()))
        ],
        looked_at=looked_at,
        next_look_at=looked_at + census_every() if looked_at else None,
        accounts=len(looks),
        unseen=UnseenAccounts([Unseen(name, at, why or NOT_YET) for name, at, why in looks if why or at is None]),
        seen_by=min((at for _, at, why in looks if at and not why), default=None),
        until=until or now + LOOK_AHEAD,
        has_session=until is not None,
        caught=so_far["caught"],
        longest=so_far["longest"],
        scopes=told,
        saved=saved_in(keys, now),
    )


def left_on(scopes: Iterable[str], now: datetime) -> int:
    """How many lights are left on: the number beside Forgotten in the menu. One query."""
    found = Finding.objects.shown(now).filter(resource__scope__in=list(scopes), resource__closed_at=None)
    alive = Resource.objects.filter(pk__in=found.values("resource"))
    return live(alive).filter(LIGHT).count()


def left_on_and_put_off(
    scopes: list[str], now: datetime, fresh: Mapping[Any, Burning]
) -> tuple[dict[int | None, Burning], dict[int | None, Burning]]:
    """Twice {owner: what burns}: of what is forgotten, and of what was put off. fresh: what burns of rows newer than
    their metering. One query."""
    found = Finding.objects.open().filter(resource__scope__in=scopes, resource__closed_at=None)
    rows = live(Resource.objects.filter(pk__in=found.values("resource")))
    lights = rows.filter(Q(pk__in=list(fresh)) | (CURRENT & LIGHT)).annotate(
        is_shown=Exists(Finding.objects.shown(now).filter(resource=OuterRef("pk")))
    )
    left: dict[int | None, Burning] = defaultdict(Burning)
    later: dict[int | None, Burning] = defaultdict(Burning)
    for pk, owner, is_shown, rate, unpriced in lights.values_list(
        "pk", "owner", "is_shown", "metered__usd_per_hour", "metered__unpriced_meters"
    ):
        one = fresh.get(pk) or Burning(rate, 1, int(bool(unpriced)))
        if one.lights:
            (left if is_shown else later)[owner] += one
    return dict(left), dict(later)


def next_session(told: Iterable[Scope], now: datetime) -> datetime | None:
    """The next one of any of these scopes, if somebody said when it is."""
    sessions = [scope.look_ahead_until for scope in told if scope.look_ahead_until]
    return min((at for at in sessions if at > now), default=None)


def census_every() -> timedelta:
    """How often every account is looked into, as the clock is set."""
    return timedelta(seconds=float(str(settings.CELERY_BEAT_SCHEDULE["look into every account"]["schedule"])))


def forgotten_in(scopes: Iterable[str], now: datetime, *, told: Iterable[Scope] | None = None) -> list[Forgotten]:
    """Every resource with an open finding, snoozed ones too: what is nobody's first, then what has no price, then what
    costs most by the next session. Two queries; three when nobody says what the scopes were `told`."""
    keys = list(scopes)
    told = list(Scope.objects.filter(key__in=keys) if told is None else told)
    policies = policies_of(told)
    sessions = {scope.key: scope.look_ahead_until for scope in told}
    findings: dict[Any, list[Finding]] = defaultdict(list)
    rows: dict[Any, Resource] = {}
    found = Finding.objects.open().filter(resource__scope__in=keys, resource__closed_at=None)
    for finding in found.select_related(
        "resource__owner", "resource__metered", "resource__account", "resource__launch"
    ):
        findings[finding.resource_id].append(finding)
        rows[finding.resource_id] = finding.resource
    book = PriceBook.open(regions={row.region for row in rows.values()})
    made = [
        _one(
            row,
            sorted(findings[pk], key=lambda finding: rank_of(finding.rule)),
            book,
            sessions.get(row.scope),
            policies[row.scope],
            now,
        )
        for pk, row in rows.items()
    ]
    made.sort(key=lambda one: (one.row.owner_id is not None, *_by_cost(one)))
    return made


def _by_cost(one: Forgotten) -> tuple:
    return (one.by_next_usd is not None, -(one.by_next_usd or 0), -one.burned_usd, one.name)


def _one(
    row: Resource,
    findings: list[Finding],
    book: PriceBook,
    session: datetime | None,
    policy: Policy,
    now: datetime,
) -> Forgotten:
    rate = rate_now(row, book, now)
    left = left_of(row, findings, rate, now)
    metered = getattr(row, "metered", None)
    since = metered.until if metered else row.seen_since or row.first_seen_at or now
    ahead = [at for at in (session, *(finding.look_ahead_until for finding in findings)) if at and at > now]
    until = ahead[0] if ahead else now + LOOK_AHEAD
    return Forgotten(
        row=row,
        findings=tuple(findings),
        rate=rate,
        burned_usd=(metered.usd if metered else Decimal(0)) + rate.usd_per_hour * hours_between(since, now),
        unpriced_seconds=metered.unpriced_seconds if metered else 0,
        until=until,
        by_next_usd=None if rate.known is None else rate.known * hours_between(now, until),
        is_light=is_light(row, rate),
        is_unknown=row.seen_at is not None and now - row.seen_at > UNKNOWN_AFTER,
        left=left,
        policy=policy,
        ends=None if left.snoozed_until and left.snoozed_until > now else end_of(left, policy, now),
        aws_off_at=deadman.reach([row], now).off_at,
    )


def _on_purpose(scopes: list[str], forgotten: Mapping[Any, int], now: datetime) -> list[OnPurpose]:
    """Every lab in use, the dearest first. forgotten: {launch: how many of its lights are left on}."""
    launches = Launch.objects.in_use(now).filter(scope__in=scopes).select_related("owner").in_bulk()
    alive = live(Resource.objects.filter(launch__in=list(launches)))
    burning = burning_by(alive, "launch_id", fresh=newer(alive, now))
    unbounded = Counter(row.launch_id for row in unbounded_in(scopes, now))
    found = []
    for pk, launch in launches.items():
        lab, one = catalog.catalog().get(launch.lab), burning.get((pk,), NOTHING)
        title = lab.title if lab else launch.lab
        left_on = forgotten.get(pk, 0)
        found.append(OnPurpose(launch, title, one.usd_per_hour, one.lights, one.unpriced, left_on, unbounded[pk]))
    return sorted(found, key=lambda one: (-one.usd_per_hour, one.launch.expires_at))


def _looks(scopes: list[str]) -> list[tuple[str, datetime | None, str]]:
    accounts = Account.objects.filter(scope__in=scopes, is_open=True).order_by("name")
    return list(accounts.values_list("name", "looked_at", "census_trouble"))


def _so_far(scopes: list[str]) -> dict[str, Any]:
    """What was found, was asked to go, and went."""
    closed = Finding.objects.filter(
        resource__scope__in=scopes, resource__wanted__in=[GONE, STOPPED], closed_at__isnull=False, since__isnull=False
    )
    return closed.aggregate(
        caught=Count("resource", distinct=True, filter=Q(resource__seen__in=[ABSENT, STOPPED])),
        longest=Max(F("closed_at") - F("since")),
    )
