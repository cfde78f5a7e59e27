"""The money of each AWS account: what it cost this month, what is on in it, and what nothing at AWS turns off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Sum

from costs.dashboard.days import month
from costs.dashboard.unbounded import unbounded_in
from costs.live import NOTHING, Burning, burning_by, live, newer
from costs.models import DailySpend
from labs.models import Resource


@dataclass(frozen=True)
class AccountMoney:
    """month_usd: of this UTC month. unbounded: how many things AWS would not turn off, were the portal dead."""

    month_usd: Decimal = Decimal(0)
    burning: Burning = NOTHING
    unbounded: int = 0

    def __add__(self, other: AccountMoney) -> AccountMoney:
        return AccountMoney(
            self.month_usd + other.month_usd, self.burning + other.burning, self.unbounded + other.unbounded
        )

    @property
    def is_something(self) -> bool:
        return self != NO_MONEY


NO_MONEY = AccountMoney()


def money_by_account(scopes: Iterable[str], now: datetime) -> dict[int, AccountMoney]:
    """{account: its money}, as far as it is of these scopes; what has none is not in it. Four queries; one more while a
    state is newer than its last metering."""
    keys = list(scopes)
    spent = DailySpend.objects.filter(scope__in=keys, day__gte=month(now)).order_by().values("account_id")
    sums = {line["account_id"]: line["total"] or Decimal(0) for line in spent.annotate(total=Sum("usd"))}
    alive = live(Resource.objects.filter(scope__in=keys))
    burning = burning_by(alive, "account_id", fresh=newer(alive, now))
    unbounded = Counter(row.account_id for row in unbounded_in(keys, now))
    found = {
        pk: AccountMoney(sums.get(pk, Decimal(0)), burning.get((pk,), NOTHING), unbounded[pk])
        for pk in {*sums, *(pk for (pk,) in burning), *unbounded}
    }
    return {pk: one for pk, one in found.items() if one.is_something}
