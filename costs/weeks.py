"""One week of a scope in figures, for whoever teaches it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from django.contrib.auth import get_user_model
from django.db.models import Sum

from costs.dashboard.forgotten import Forgotten, forgotten_in
from costs.dashboard.people import NOBODY
from costs.kinds import title_of
from costs.models import DailySpend, Reading
from costs.saved import SavedSoFar, saved_in
from labs.models import Resource

DAYS, TOP = 7, 5


@dataclass(frozen=True)
class Week:
    """since: its first UTC day, as AWS bills. saved: of what went off in it. USD throughout; what has no price is not
    in `usd` and is said by unpriced_seconds."""

    since: datetime
    usd: Decimal
    unpriced_seconds: int
    students: list[tuple[str, Decimal]]
    resources: list[tuple[str, Decimal]]
    found: list[Forgotten]
    saved: SavedSoFar

    @property
    def lights(self) -> list[Forgotten]:
        return [one for one in self.found if one.is_light]


def week_of(scope: str, now: datetime) -> Week:
    """The seven UTC days to `now`. Eight queries, whatever the number of people."""
    since = datetime.combine(now.astimezone(UTC).date() - timedelta(days=DAYS - 1), time(), UTC)
    spend = DailySpend.objects.filter(scope=scope, day__gte=since.date(), day__lte=now.astimezone(UTC).date())
    sums = spend.order_by().values("owner").annotate(usd=Sum("usd"), unpriced=Sum("unpriced_seconds"))
    by_owner = {line["owner"]: line["usd"] or Decimal(0) for line in sums}
    unpriced = sum(line["unpriced"] or 0 for line in sums)
    dearest = sorted(by_owner.items(), key=lambda item: -item[1])[:TOP]
    names = {user.pk: str(user) for user in get_user_model().objects.filter(pk__in=[pk for pk, _ in dearest if pk])}
    readings = Reading.objects.filter(resource__scope=scope, start__gte=since, start__lt=now, usd__isnull=False)
    top = list(readings.order_by().values_list("resource").annotate(sum=Sum("usd")).order_by("-sum")[:TOP])
    rows = Resource.objects.select_related("owner").in_bulk([pk for pk, _ in top])
    return Week(
        since=since,
        usd=sum(by_owner.values(), Decimal(0)),
        unpriced_seconds=unpriced,
        students=[(names.get(pk, NOBODY.name), usd) for pk, usd in dearest if usd],
        resources=[(_name(rows[pk]), usd) for pk, usd in top if usd],
        found=forgotten_in([scope], now),
        saved=saved_in([scope], now, since=since),
    )


def _name(row: Resource) -> str:
    return f"{title_of(row.kind)} {row.name or row.aws_id}, {row.owner or NOBODY.name}"
