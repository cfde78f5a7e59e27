"""AWS's own bill, read by Cost Explorer and stored beside ours, day by day, until AWS calls the day final.

Each page of an answer costs $0.01, in the account that is asked. So a shared account is asked once a day, a student's
own one every two weeks, and only for the days that AWS may still change.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from botocore.exceptions import ClientError
from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext, gettext_noop

from costs import alerts, variance
from costs.models import Alert, Bill, BilledDay, DailySpend
from costs.variance import Line
from labs import aws
from labs.kinds.aws_words import code_of, message_of
from labs.kinds.base import TAG_OWNER
from labs.models import Account

log = logging.getLogger(__name__)

RULE = "variance"
ENDPOINT = "us-east-1"  # Cost Explorer's only one
EVERY = {Account.SHARED: timedelta(days=1), Account.OWN: timedelta(days=14)}
AGAIN = timedelta(days=1)  # after a no
AGAIN_SOON = timedelta(hours=1)  # after no answer
MOST_DAYS = 92  # how far back at most: what is older was never final, and is nobody's question any more
MOST_PAGES = 20  # $0.20; an account of a class has one or two
JUDGED_DAYS = 35  # a bill is final some days after its month
DAY = timedelta(days=1)

# What is written on a bill's row or into an alert, once for all who read it and in English; pages say it again in their
# reader's language (`in_words`; of alerts costs/retelling.py).
NOT_ENABLED = gettext_noop(
    "Cost Explorer is not enabled in this account. Open it once in AWS's console, as its owner (Billing and Cost "
    "Management, Cost Explorer); figures come a day later."
)
NO_FIGURES = gettext_noop("AWS has no figures yet: they come about a day after Cost Explorer was enabled.")
NOT_ALLOWED = gettext_noop("AWS does not let the portal's role read the bill (ce:GetCostAndUsage): %(said)s")
OTHER_MONEY = gettext_noop("AWS bills this account in %(unit)s, and the meter counts in USD.")
TOO_LONG = gettext_noop("The bill has more than %(pages)s pages, which AWS sells one by one. It was not read.")
# By what is apart (more, less), and whether that was on one day.
APART = {
    ("more", True): gettext_noop("AWS billed %(more)s more than was metered in %(account)s, on %(days)s day"),
    ("more", False): gettext_noop("AWS billed %(more)s more than was metered in %(account)s, on %(days)s days"),
    ("less", True): gettext_noop("AWS billed %(less)s less than was metered in %(account)s, on %(days)s day"),
    ("less", False): gettext_noop("AWS billed %(less)s less than was metered in %(account)s, on %(days)s days"),
    ("both", True): gettext_noop(
        "AWS billed %(more)s more and %(less)s less than was metered in %(account)s, on %(days)s day"
    ),
    ("both", False): gettext_noop(
        "AWS billed %(more)s more and %(less)s less than was metered in %(account)s, on %(days)s days"
    ),
}
WHY_APART = gettext_noop(
    "More: something was on that no list showed, or it was traffic, requests or a service that is not metered. Less: "
    "free tier or a discount, since the meter counts list prices."
)
NOT_ACCRUED = gettext_noop("%(day)s, %(service)s: metered nothing (not accrued), billed %(theirs)s")
METERED = gettext_noop("%(day)s, %(service)s: metered %(ours)s, billed %(theirs)s")
PATTERNS = (*APART.values(), WHY_APART, NOT_ACCRUED, METERED)


@dataclass(frozen=True)
class Told:
    """One group of one day, as Cost Explorer told it. key: the record type, or the value of our tag."""

    day: date
    service: str
    key: str
    usd: Decimal
    is_estimated: bool


def ask_due(now: datetime, *, most: int = 10) -> int:
    """Read the bills whose turn it is; answers of how many accounts AWS told all. What one account says stops no other:
    it is kept on its row, in words."""
    _enter(now)
    due = Bill.objects.filter(ask_at__lte=now, account__is_open=True).select_related("account").order_by("ask_at")
    told = 0
    for bill in due[:most]:
        # Whoever moves ask_at has it: no page is paid for twice. Should this worker die, another asks tomorrow.
        if Bill.objects.filter(pk=bill.pk, ask_at=bill.ask_at).update(ask_at=now + AGAIN):
            told += ask(bill, now)
    return told


def _enter(now: datetime) -> None:
    """A row for each real account that is connected and has none yet."""
    new = Account.objects.real().filter(bill=None, is_open=True).exclude(aws_id="")
    Bill.objects.bulk_create([Bill(account=one, ask_at=now) for one in new], ignore_conflicts=True)


def first_day(account: Account) -> date:
    """The first UTC day of which the meter saw all: the one after it was connected."""
    return (account.connected_at or account.created_at).astimezone(UTC).date() + DAY


def ask(bill: Bill, now: datetime) -> bool:
    """Read one bill now. False when there is no day to ask about, or when AWS did not tell: then bill.trouble says why.
    Calls AWS, so never within a transaction."""
    account, today = bill.account, now.astimezone(UTC).date()
    first = max(bill.final_through + DAY if bill.final_through else first_day(account), today - MOST_DAYS * DAY)
    if first >= today:
        return False
    try:
        answers, lines = read(account, first, today)
    except Exception as error:
        trouble = _sorted(error)
        log.warning("no bill of %s: %s", account, trouble)
        soon = isinstance(trouble, aws.Throttled | aws.NoAnswer)
        Bill.objects.filter(pk=bill.pk).update(trouble=str(trouble)[:500], ask_at=now + (AGAIN_SOON if soon else AGAIN))
        return False
    final = bill.final_through
    for day, is_estimated in sorted(answers.items()):
        if is_estimated:
            break
        final = day
    with transaction.atomic():
        # AWS corrects what it calls an estimate: the days that were asked for are written anew.
        BilledDay.objects.filter(account=account, day__gte=first, day__lt=today).delete()
        for line in lines:
            line.asked_at = now
        BilledDay.objects.bulk_create(lines, batch_size=500)
        Bill.objects.filter(pk=bill.pk).update(
            answered_at=now, final_through=final, trouble="", ask_at=now + EVERY[account.mode]
        )
    return True


# --- Cost Explorer -------------------------------------------------------------------------------------------


def read(account: Account, first: date, end: date) -> tuple[dict[date, bool], list[BilledDay]]:
    """({day: is it an estimate}, unsaved lines) of the days from `first` up to, not with, `end`.

    In a shared account AWS is asked once more for the value of our tag, which it knows where the account's owner
    activated it as a cost allocation tag. Raises what botocore raises, and aws.Trouble.
    """
    client = aws.client(account, "ce", ENDPOINT)
    # Of the payer of an organisation Cost Explorer would tell every account's.
    mine = {"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": [account.aws_id]}}
    days: dict[date, bool] = {}
    sums: dict[tuple[date, str, str, str], Decimal] = defaultdict(Decimal)
    for one in _pages(client, first, end, mine, {"Type": "DIMENSION", "Key": "RECORD_TYPE"}, days):
        sums[one.day, one.service, "", one.key] += one.usd
    if account.mode == Account.SHARED:
        _split_by_tag(sums, _by_tag(client, first, end, mine))
    lines = [
        BilledDay(
            account=account,
            day=day,
            service=service[:120],
            tag=tag[:256],
            record=record[:60],
            usd=usd,
            is_estimated=days[day],
        )
        for (day, service, tag, record), usd in sorted(sums.items())
        if usd
    ]
    return days, lines


def _by_tag(client: Any, first: date, end: date, mine: dict) -> dict[tuple[date, str], dict[str, Decimal]]:
    """{(day, service): {value of our tag: USD}} of the use; {} when AWS does not tell: the bill is whole without it."""
    found: dict[tuple[date, str], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    use = {"And": [mine, {"Dimensions": {"Key": "RECORD_TYPE", "Values": ["Usage"]}}]}
    try:
        for one in _pages(client, first, end, use, {"Type": "TAG", "Key": TAG_OWNER}, {}):
            # "lightsout:owner$42", and "lightsout:owner$" for what does not carry it.
            found[one.day, one.service][one.key.partition("$")[2]] += one.usd
    except Exception as error:
        log.warning("no bill by tag: %s", _sorted(error))
        return {}
    return found


def _split_by_tag(sums: dict, by_tag: dict[tuple[date, str], dict[str, Decimal]]) -> None:
    """Put the shares of the tags in the place of a sum; never where they do not add up to it."""
    for (day, service), shares in by_tag.items():
        whole = sums.get((day, service, "", "Usage"))
        if whole is None or not any(shares) or abs(sum(shares.values()) - whole) > Decimal("0.000001"):
            continue
        del sums[day, service, "", "Usage"]
        for tag, usd in shares.items():
            sums[day, service, tag, "Usage"] += usd


def _pages(client: Any, first: date, end: date, where: dict, by: dict, days: dict[date, bool]) -> Iterator[Told]:
    """Every group of every page; `days` learns which of them AWS calls an estimate."""
    asked: dict[str, Any] = {
        "TimePeriod": {"Start": first.isoformat(), "End": end.isoformat()},
        "Granularity": "DAILY",
        "Metrics": ["UnblendedCost"],
        "Filter": where,
        "GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}, by],
    }
    for _ in range(MOST_PAGES):
        page = client.get_cost_and_usage(**asked)
        for result in page["ResultsByTime"]:
            day = date.fromisoformat(result["TimePeriod"]["Start"][:10])
            days[day] = days.get(day, False) or bool(result.get("Estimated", True))
            for group in result.get("Groups", ()):
                cost = group["Metrics"]["UnblendedCost"]
                if cost["Unit"] != "USD":
                    raise aws.Refused(OTHER_MONEY % {"unit": cost["Unit"]})
                yield Told(day, group["Keys"][0], group["Keys"][1], Decimal(cost["Amount"]), days[day])
        if not page.get("NextPageToken"):
            return
        asked["NextPageToken"] = page["NextPageToken"]
    raise aws.Refused(TOO_LONG % {"pages": MOST_PAGES})


def _sorted(error: Exception) -> aws.Trouble:
    """The trouble, with words that say what helps."""
    is_aws = isinstance(error, ClientError)
    code, said = (code_of(error), message_of(error)) if is_aws else ("", "")
    # Cost Explorer's own word for too many calls; elsewhere it is a quota.
    if code == "LimitExceededException":
        return aws.Throttled("AWS asks to slow down")
    if "not enabled for cost explorer" in said.lower():
        return aws.Denied(NOT_ENABLED)
    if code == "DataUnavailableException":
        return aws.Refused(NO_FIGURES)
    trouble = aws.sorted_trouble(error)
    # What no role lets us into says so itself.
    if isinstance(trouble, aws.Denied) and code:
        return aws.Denied(NOT_ALLOWED % {"said": said[:300]})
    return trouble


def in_words(trouble: str) -> str:
    """Why a bill could not be read, as its row has it, in the reader's language. What AWS said itself stays."""
    if trouble in (NOT_ENABLED, NO_FIGURES):
        return gettext(trouble)
    for pattern, name in ((NOT_ALLOWED, "said"), (OTHER_MONEY, "unit"), (TOO_LONG, "pages")):
        begins, _, ends = pattern.partition(f"%({name})s")
        if trouble.startswith(begins) and trouble.endswith(ends):
            return gettext(pattern) % {name: trouble.removeprefix(begins).removesuffix(ends)}
    return trouble


# --- beside the meter's --------------------------------------------------------------------------------------


def lines_of(accounts: Iterable[Account], first: date, last: date) -> dict[int, list[Line]]:
    """{account's pk: its Lines from `first` to `last`}, no day before the meter saw all of it. Three queries."""
    since = {account.pk: max(first, first_day(account)) for account in accounts}
    final = dict(Bill.objects.filter(pk__in=since).values_list("account", "final_through"))
    ours: dict[int, list[variance.Metered]] = defaultdict(list)
    spent = DailySpend.objects.filter(account__in=since, day__range=(first, last)).order_by()
    for one in spent.values("account", "day", "service").annotate(total=Sum("usd"), gap=Sum("unpriced_seconds")):
        ours[one["account"]].append(variance.Metered(one["day"], one["service"], one["total"], one["gap"]))
    theirs: dict[int, list[variance.Billed]] = defaultdict(list)
    billed = BilledDay.objects.filter(account__in=since, day__range=(first, last)).order_by()
    grouped = billed.values("account", "day", "service", "record", "is_estimated").annotate(total=Sum("usd"))
    for line in grouped:
        told = variance.Billed(line["day"], line["service"], line["record"], line["total"], line["is_estimated"])
        theirs[line["account"]].append(told)
    return {
        pk: variance.lines(
            (one for one in ours[pk] if one.day >= day), (one for one in theirs[pk] if one.day >= day), final.get(pk)
        )
        for pk, day in since.items()
    }


def judge(now: datetime) -> list[Alert]:
    """An alert for each account whose bill and meter are too far apart on days that AWS calls final; the new ones."""
    today = now.astimezone(UTC).date()
    first = today - JUDGED_DAYS * DAY
    accounts = list(Account.objects.real().filter(bill__final_through__gte=first))
    by_account = lines_of(accounts, first, today)
    odd = [(account, [line for line in by_account[account.pk] if line.is_odd]) for account in accounts]
    return alerts.settle(RULE, [_alert(account, lines) for account, lines in odd if lines], now)


def _alert(account: Account, lines: list[Line]) -> Alert:
    dearest = sorted(lines, key=lambda line: abs(line.difference or Decimal(0)), reverse=True)
    days = len({line.day for line in lines})
    differences = [line.difference or Decimal(0) for line in lines]
    more, less = sum((one for one in differences if one > 0), Decimal(0)), -sum(one for one in differences if one < 0)
    said = APART["both" if more and less else "more" if more else "less", days == 1]
    return Alert(
        key=str(account.pk),
        # What else is on a student's own bill is theirs: it is shown to them and to admins.
        scope=account.scope if account.mode == Account.SHARED else "",
        owner_id=account.owner_id,
        account=account,
        sentence=said % {"more": f"${more:,.2f}", "less": f"${less:,.2f}", "account": account.name[:60], "days": days},
        detail=WHY_APART,
        usd=more + less,
        lines=[[_said_of(line), f"{line.difference:.2f}"] for line in dearest[:20]],
        level=days,  # another such day is told anew
    )


def _said_of(line: Line) -> str:
    told = {"day": f"{line.day:%-d %b %Y}", "service": line.service, "theirs": f"${line.theirs or 0:,.2f}"}
    return NOT_ACCRUED % told if line.ours is None else METERED % (told | {"ours": f"${line.ours:,.2f}"})
