"""The Bill page: what AWS says beside what was metered, of one account and month; and what the portal itself costs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.contrib.auth import get_user_model
from django.db.models import Sum

from costs.billing import first_day, in_words, lines_of
from costs.dashboard.days import month, today
from costs.models import Bill, BilledDay, DailySpend, OwnUse
from costs.own_use import USES, Cost, Share, cost_of
from costs.pricebook import PriceBook
from costs.variance import Line, Sums, sums_of
from labs.models import Account


@dataclass(frozen=True)
class DayBill:
    """One UTC day with its services, the dearest first."""

    day: date
    lines: tuple[Line, ...]

    @property
    def sums(self) -> Sums:
        return sums_of(self.lines)

    @property
    def is_told(self) -> bool:
        return any(line.is_told for line in self.lines)

    @property
    def is_final(self) -> bool:
        return all(not line.is_estimated for line in self.lines)


@dataclass(frozen=True)
class TaggedShare:
    """What AWS billed for the use that carries one student's tag, and what was metered of theirs on the same days."""

    name: str
    ours: Decimal
    theirs: Decimal


@dataclass(frozen=True)
class OwnPart:
    """What the portal itself costs this month. practice: that of practice accounts, as if AWS had been asked."""

    real: tuple[Cost, ...] = ()
    practice: tuple[Cost, ...] = ()

    @property
    def usd(self) -> Decimal:
        return _known(self.real)

    @property
    def practice_usd(self) -> Decimal:
        return _known(self.practice)

    @property
    def unpriced(self) -> int:
        return sum(cost.usd is None for cost in (*self.real, *self.practice))


def _known(costs: Iterable[Cost]) -> Decimal:
    return sum((cost.usd or Decimal(0) for cost in costs), Decimal(0))


@dataclass(frozen=True)
class BillPage:
    """account: None when the reader may see no real one. month: its first day."""

    accounts: list[Account]
    account: Account | None = None
    bill: Bill | None = None
    month: date = date.min
    before: date | None = None
    after: date | None = None
    first_day: date = date.max
    days: list[DayBill] = field(default_factory=list)
    by_tag: list[TaggedShare] = field(default_factory=list)

    @property
    def sums(self) -> Sums:
        return sums_of(line for day in self.days for line in day.lines)

    @property
    def trouble(self) -> str:
        """Why the bill could not be read, for its reader; "" when it could."""
        return in_words(self.bill.trouble) if self.bill else ""

    @property
    def odd(self) -> int:
        """How many days are too far apart."""
        return sum(any(line.is_odd for line in day.lines) for day in self.days)

    @property
    def not_accrued_usd(self) -> Decimal:
        """What AWS bills for services of which the meter counts nothing."""
        found = (line.theirs or Decimal(0) for day in self.days for line in day.lines if line.ours is None)
        return sum(found, Decimal(0))

    @property
    def is_told(self) -> bool:
        return any(day.is_told for day in self.days)


def bill_page(accounts: list[Account], account: Account | None, asked_month: date, now: datetime) -> BillPage:
    """Four queries; two more where AWS sums by our tag. account: one of `accounts`. asked_month: a first of a month."""
    if account is None:
        return BillPage(accounts)
    first, latest = first_day(account), month(now)
    shown = min(max(asked_month, first.replace(day=1)), latest)
    end = (shown + timedelta(days=32)).replace(day=1)
    lines = lines_of([account], shown, min(end - timedelta(days=1), today(now)))[account.pk]
    by_day: dict[date, list[Line]] = defaultdict(list)
    for line in lines:
        by_day[line.day].append(line)
    return BillPage(
        accounts,
        account,
        Bill.objects.filter(account=account).first(),
        shown,
        before=(shown - timedelta(days=1)).replace(day=1) if shown > first else None,
        after=end if end <= latest else None,
        first_day=first,
        days=[DayBill(day, tuple(by_day[day])) for day in sorted(by_day, reverse=True)],
        by_tag=_by_tag(account, shown, end),
    )


def _by_tag(account: Account, first: date, end: date) -> list[TaggedShare]:
    """The dearest first. [] where AWS does not sum by our tag."""
    tagged = BilledDay.objects.filter(account=account, day__gte=first, day__lt=end).exclude(tag="")
    theirs = {line["tag"]: line["usd"] for line in tagged.order_by().values("tag").annotate(usd=Sum("usd"))}
    if not theirs:
        return []
    days = tagged.values("day")
    spent = DailySpend.objects.filter(account=account, day__in=days, owner__isnull=False).order_by()
    ours = {str(line["owner"]): line["usd"] for line in spent.values("owner").annotate(usd=Sum("usd"))}
    people = get_user_model().objects.in_bulk([int(tag) for tag in {*theirs, *ours} if tag.isdecimal()])
    names = {str(pk): str(person) for pk, person in people.items()}
    shares = [
        TaggedShare(names.get(tag, tag), ours.get(tag, Decimal(0)), theirs.get(tag, Decimal(0)))
        for tag in {*theirs, *ours}
    ]
    return sorted(shares, key=lambda share: (-share.theirs, share.name.casefold()))


def own_part(scopes: Iterable[str], now: datetime) -> OwnPart:
    """Of the accounts of these scopes, this UTC month. Two queries."""
    used = OwnUse.objects.filter(account__scope__in=list(scopes), day__gte=month(now), what__in=list(USES)).order_by()
    sums = list(used.values("account", "account__mode", "region", "what").annotate(number=Sum("quantity")))
    book = PriceBook.open({use.meter.service for use in USES.values()})
    shares: dict[bool, list[Share]] = {True: [], False: []}
    for line in sorted(sums, key=lambda line: (line["account"], line["region"])):
        price = book.price_of(USES[line["what"]].meter, line["region"], now)
        is_practice = line["account__mode"] == Account.PRACTICE
        shares[is_practice].append(Share(line["account"], line["what"], line["number"], price.usd if price else None))
    return OwnPart(tuple(cost_of(shares[False])), tuple(cost_of(shares[True])))
