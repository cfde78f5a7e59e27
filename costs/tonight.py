"""What of a person's is on: for whoever reminds them before they go to bed, or when a lab of theirs has ended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from costs.kinds import title_of
from costs.live import is_going, is_light, live
from costs.models import Finding
from costs.pricebook import PriceBook
from costs.rates import Rate, rate_now
from labs.models import Launch, Resource

# A lab that ended longer ago than this is no news.
JUST_NOW = timedelta(hours=2)


@dataclass(frozen=True)
class Lit:
    """One light of a person. ends_at: when its lab's clock turns it off; None: nothing turns it off by itself."""

    row: Resource
    rate: Rate
    since: datetime
    ends_at: datetime | None

    @property
    def words(self) -> str:
        return f"{title_of(self.row.kind)} {self.row.name or self.row.aws_id}, {self.row.region}"


def owners_with_something() -> set[int]:
    """Whoever has something at AWS, whether it costs or not. One query."""
    rows = live(Resource.objects.filter(owner__isnull=False, account__is_open=True))
    return set(rows.order_by().values_list("owner", flat=True).distinct())


def lit_of(owners: Iterable[int], now: datetime) -> dict[int, list[Lit]]:
    """{owner: their lights, those that nothing ends first}, labs in use too. What goes off already and what was put off
    is left out. Three queries; none for nobody."""
    owners = list(owners)
    if not owners:
        return {}
    rows = list(
        live(Resource.objects.filter(owner__in=owners))
        .select_related("launch", "account")
        .defer("params", "wishes")
        .order_by("created_at")
    )
    put_off = set(Finding.objects.snoozed(now).filter(resource__owner__in=owners).values_list("resource", flat=True))
    book = PriceBook.open(regions={row.region for row in rows})
    found = defaultdict(list)
    for row in rows:
        rate = rate_now(row, book, now)
        if row.pk in put_off or is_going(row) or not is_light(row, rate):
            continue
        launch = row.launch
        on = launch is not None and launch.asked_to_end_at is None and launch.expires_at > now
        since = row.seen_since or row.first_seen_at or row.created_at
        found[row.owner_id or 0].append(Lit(row, rate, since, launch.expires_at if launch and on else None))
    return {owner: sorted(lights, key=lambda one: one.ends_at is not None) for owner, lights in found.items()}


def just_over(now: datetime) -> list[Launch]:
    """Labs that ended a short while ago. One query."""
    over = Launch.objects.filter(ended_at__gt=now - JUST_NOW, ended_at__lte=now)
    return list(over.select_related("owner").order_by("ended_at"))
