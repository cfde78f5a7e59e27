"""Whether a resource is used: CloudWatch's signals, asked for rarely, in batches, and only where a rule reads them.

GetMetricData costs $0.01 for 1,000 metrics, without a free tier: states are looked at often, metrics hourly. A signal
that a rule judges over less than an hour is looked at as often as that.
"""

from __future__ import annotations

import logging
import random
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q

from costs import own_use
from costs.models import Activity
from costs.rules import signals_read
from labs import aws
from labs.kinds import kind_of
from labs.kinds.base import RUNNING, Seen, Signal
from labs.models import Account, Resource

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(hours=1)
PERIOD = 300  # seconds a datapoint
A_CALL = 500  # metrics that GetMetricData takes at most
SECONDS_A_RUN = 30  # then no other place is begun: what is left has its turn a minute later


def look(now: datetime, resources: Iterable[Resource] | None = None) -> int:
    """Look at the signals of what has been running for as long as a rule judges them over and was not looked at lately,
    or at those of these resources at once. Answers how many signals were stored; a place that does not answer keeps its
    old ones.
    """
    by_place: dict[tuple[Account, str, timedelta], list[Resource]] = defaultdict(list)
    for over in sorted({over for metrics in signals_read().values() for over in metrics.values()}):
        for row in _due(now, over, resources).select_related("account"):
            by_place[row.account, row.region, over].append(row)
    # In any order, so that a place which never answers does not keep the others from their turn.
    places = random.sample(sorted(by_place, key=lambda place: (place[0].pk, *place[1:])), len(by_place))
    stored, end = 0, time.monotonic() + SECONDS_A_RUN
    for account, region, over in places:
        if time.monotonic() > end:
            break
        stored += _look_at(account, region, over, by_place[account, region, over], now)
    return stored


def _read(kind: str, over: timedelta) -> list[str]:
    """The metrics of a kind that are judged over so long."""
    return [metric for metric, one in signals_read().get(kind, {}).items() if one == over]


def _due(now: datetime, over: timedelta, resources: Iterable[Resource] | None):
    kinds = [kind for kind in signals_read() if _read(kind, over)]
    running = Resource.objects.open().filter(seen=RUNNING, kind__in=kinds, account__is_open=True)
    if resources is not None:
        return running.filter(pk__in=[row.pk for row in resources])
    begun = now - over
    whole = running.filter(Q(seen_since__lte=begun) | Q(seen_since=None, first_seen_at__lte=begun))
    metrics = {metric for kind in kinds for metric in _read(kind, over)}
    lately = Activity.objects.filter(resource=OuterRef("pk"), signal__in=metrics, at__gt=now - min(LOOK_EVERY, over))
    return whole.exclude(Exists(lately))


def _look_at(account: Account, region: str, over: timedelta, rows: list[Resource], now: datetime) -> int:
    """One place: its metrics in as few calls as AWS takes, then one write."""
    asked = list(_metrics(rows, over))
    try:
        values = ask(account, region, [(signal, dimensions) for _, signal, dimensions in asked], now - over, now)
    except Exception as error:
        trouble = aws.sorted_trouble(error)
        log.warning("no signals of %s in %s: %s", account, region, trouble)
        return 0
    together: dict[tuple[Resource, Signal], list[float]] = defaultdict(list)
    for number, (row, signal, _) in enumerate(asked):
        together[row, signal] += values[number]
    looked = [
        Activity(
            resource=row,
            signal=signal.metric,
            window_began=now - over,
            at=now,
            value=_summed(signal, found),
            datapoints=len(found),
        )
        for (row, signal), found in together.items()
    ]
    Activity.objects.bulk_create(
        looked,
        update_conflicts=True,
        unique_fields=["resource", "signal"],
        update_fields=["window_began", "at", "value", "datapoints"],
        batch_size=500,
    )
    return len(looked)


def ask(
    account: Account, region: str, metrics: list[tuple[Signal, dict[str, str]]], since: datetime, until: datetime
) -> list[list[float]]:
    """The datapoints of each metric, [] where there were none: in as few calls as AWS takes, which are counted. Raises
    what the call does."""
    values: list[list[float]] = [[] for _ in metrics]
    client = aws.client(account, "cloudwatch", region)
    for at in range(0, len(metrics), A_CALL):
        queries = [_query(f"m{number}", *metrics[number]) for number in range(at, min(at + A_CALL, len(metrics)))]
        own_use.count(account.pk, region, own_use.METRICS, len(queries))
        pages = client.get_paginator("get_metric_data").paginate(
            MetricDataQueries=queries, StartTime=since, EndTime=until
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                values[int(result["Id"][1:])] += result["Values"]
    return values


def _metrics(rows: Iterable[Resource], over: timedelta) -> Iterator[tuple[Resource, Signal, dict[str, str]]]:
    """A signal may be several metrics, as one for each variant of an endpoint: all of them count."""
    for row in rows:
        kind, seen = kind_of(row.kind), Seen(row.seen, row.aws_id, row.name, row.seen_since, row.facts)
        for signal in kind.signals:
            if signal.metric in _read(row.kind, over):
                for dimensions in kind.dimensions(signal, seen):
                    yield row, signal, dimensions


def _query(name: str, signal: Signal, dimensions: dict[str, str]) -> dict:
    metric = {
        "Namespace": signal.namespace,
        "MetricName": signal.metric,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
    }
    return {"Id": name, "MetricStat": {"Metric": metric, "Period": PERIOD, "Stat": signal.statistic}}


def _summed(signal: Signal, values: list[float]) -> float | None:
    if not values:
        return None
    return max(values) if signal.statistic == "Maximum" else sum(values)
