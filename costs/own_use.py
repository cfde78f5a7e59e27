"""What the portal itself costs at AWS: every call of its own that AWS bills, counted where it is made, a sum a day.

Most of AWS's calls are free. Those that are not are named here, each with its line of the price book.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from costs.models import OwnUse
from labs import call_counts
from labs.kinds.base import Meter
from labs.models import Account

METRICS, PAGES, ALARM_CALLS, S3_LISTS, S3_READS = "metrics", "bill-pages", "cloudwatch-calls", "s3-lists", "s3-reads"
KEY_CALLS, SECRET_CALLS, SCHEDULES = "kms-calls", "secrets-calls", "schedules"


@dataclass(frozen=True)
class Use:
    """Something that AWS bills by the number. a_unit: how many of it are one unit of the price. free: how many a month
    AWS gives every account for nothing, for ever; what it gives for a year only is left out. title, why: in the
    reader's language.
    """

    title: str | Promise
    meter: Meter
    a_unit: int
    free: int = 0
    why: str | Promise = ""


USES: Mapping[str, Use] = {
    METRICS: Use(
        gettext_lazy("CloudWatch metrics"),
        Meter("CloudWatch", "api", "GetMetricData", "1k-metrics"),
        1000,
        why=gettext_lazy("is it used?"),
    ),
    PAGES: Use(
        gettext_lazy("Pages of the AWS bill"),
        Meter("Cost Explorer", "api", "request", "request"),
        1,
        why=gettext_lazy("what AWS billed"),
    ),
    ALARM_CALLS: Use(
        gettext_lazy("CloudWatch calls"),
        Meter("CloudWatch", "api", "request", "1k-requests"),
        1000,
        free=1_000_000,
        why=gettext_lazy("alarms and dashboards that are on"),
    ),
    S3_LISTS: Use(
        gettext_lazy("S3 lists and writes"),
        Meter("S3", "requests", "Standard-PUT-COPY-POST-LIST", "1k-requests"),
        1000,
        why=gettext_lazy("which buckets are there, what lies in them"),
    ),
    S3_READS: Use(
        gettext_lazy("S3 reads"),
        Meter("S3", "requests", "Standard-GET", "1k-requests"),
        1000,
        why=gettext_lazy("how a bucket is set"),
    ),
    KEY_CALLS: Use(
        gettext_lazy("KMS calls"),
        Meter("KMS", "requests", "symmetric", "10k-requests"),
        10_000,
        free=20_000,
        why=gettext_lazy("which keys are there; the portal has none of its own"),
    ),
    SECRET_CALLS: Use(
        gettext_lazy("Secrets Manager calls"),
        Meter("Secrets Manager", "api", "request", "10k-requests"),
        10_000,
        why=gettext_lazy("which secrets are there"),
    ),
    # A schedule fires once at most, and costs nothing before.
    SCHEDULES: Use(
        gettext_lazy("Dead-man’s switches set"),
        Meter("EventBridge", "scheduler", "invocations", "1M-invocations"),
        1_000_000,
        free=14_000_000,
        why=gettext_lazy("each fires once at most"),
    ),
}


def use_of(service: str, operation: str) -> str:
    """Which of USES a call of boto3's is; '' for what AWS does not bill, or is counted otherwise."""
    match service:
        case "ce":
            return PAGES if operation == "GetCostAndUsage" else ""
        case "cloudwatch":
            # By the metric and not by the call; whoever asks counts them.
            return "" if operation == "GetMetricData" else ALARM_CALLS
        case "s3":
            if operation.startswith(("Delete", "Abort")):
                return ""
            return S3_READS if operation.startswith(("Get", "Head")) else S3_LISTS
        case "kms":
            return KEY_CALLS
        case "secretsmanager":
            return SECRET_CALLS
        case "scheduler":
            return SCHEDULES if operation == "CreateSchedule" else ""
    return ""


# --- counting ------------------------------------------------------------------------------------------------

_counted: Counter[tuple[int, str, str]] = Counter()
_lock = threading.Lock()


def count(account: int, region: str, what: str, quantity: int) -> None:
    """Count what no single call tells, in memory until `record` writes it. In any thread."""
    with _lock:
        _counted[account, region, what] += quantity


def take() -> dict[tuple[int, str, str], int]:
    """{(account, region, what): quantity} counted in this process since the last time."""
    with _lock:
        taken = Counter(_counted)
        _counted.clear()
    for call, number in call_counts.take().items():
        what = use_of(call.service, call.operation)
        if what:
            taken[call.account, call.region, what] += number
    return dict(taken)


def record(now: datetime) -> int:
    """Add what this process counted to the day's sums. Answers to how many. A process that is killed loses a minute of
    them."""
    taken = take()
    if not taken:
        return 0
    try:
        return _add_up(taken, now.astimezone(UTC).date())
    except Exception:
        with _lock:
            _counted.update(taken)
        raise


@transaction.atomic
def _add_up(taken: Mapping[tuple[int, str, str], int], day: date) -> int:
    known = set(Account.objects.filter(pk__in={account for account, _, _ in taken}).values_list("pk", flat=True))
    added = {at: number for at, number in sorted(taken.items()) if at[0] in known}
    OwnUse.objects.bulk_create(
        [OwnUse(day=day, account_id=account, region=region, what=what) for account, region, what in added],
        ignore_conflicts=True,
        batch_size=500,
    )
    rows = OwnUse.objects.filter(day=day, account__in=known).order_by("pk").select_for_update()
    changed = []
    for row in rows:
        number = added.get((row.account_id, row.region, row.what))
        if number:
            row.quantity += number
            changed.append(row)
    OwnUse.objects.bulk_update(changed, ["quantity"], batch_size=500)
    return len(changed)


# --- what it costs -------------------------------------------------------------------------------------------


class Share(NamedTuple):
    """What one account was asked in one region within a month. usd_a_unit: None where the price book has none."""

    account: int
    what: str
    quantity: int
    usd_a_unit: Decimal | None


@dataclass(frozen=True)
class Cost:
    """Of one of USES. free: how many of the quantity AWS gives for nothing. usd: None where a part has no price."""

    what: str
    quantity: int
    free: int
    usd: Decimal | None

    @property
    def use(self) -> Use:
        return USES[self.what]


def cost_of(shares: Iterable[Share]) -> list[Cost]:
    """PURE. What a month of these costs, the dearest first. What is free is free once a month and account, of the
    regions that come first."""
    left: dict[tuple[int, str], int] = {}
    quantity: Counter[str] = Counter()
    free: Counter[str] = Counter()
    usd: dict[str, Decimal | None] = {}
    for share in shares:
        use, at = USES[share.what], (share.account, share.what)
        given = min(left.setdefault(at, use.free), share.quantity)
        left[at] -= given
        quantity[share.what] += share.quantity
        free[share.what] += given
        sofar, billed = usd.get(share.what, Decimal(0)), share.quantity - given
        if not billed or sofar is None:
            usd[share.what] = sofar
        else:
            usd[share.what] = None if share.usd_a_unit is None else sofar + share.usd_a_unit * billed / use.a_unit
    costs = [Cost(what, quantity[what], free[what], usd[what]) for what in usd]
    return sorted(costs, key=lambda cost: (-(cost.usd or Decimal(0)), str(cost.use.title)))
