"""PURE. A load balancer costs by the hour, with visitors or without."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from costs.rules.base import Facts, Reads, Verdict
from labs.kinds.base import RUNNING

NAME, RANK = "idle-load-balancer", 59
SHOWS_DISUSE = True
OVER = timedelta(hours=2)
METRICS = {"load-balancer": ("RequestCount", "NewFlowCount"), "classic-load-balancer": ("RequestCount",)}
READS = tuple(Reads(kind, metric, OVER) for kind, metrics in METRICS.items() for metric in metrics)


def check(facts: Facts, now: datetime) -> Verdict | None:
    if facts.kind not in METRICS or facts.state != RUNNING:
        return None
    since = facts.silent_since(*METRICS[facts.kind])
    if since is None:
        return None
    return Verdict(
        gettext_noop("No visitor for two hours"),
        gettext_noop("It costs by the hour, and so do its addresses."),
        since=since,
    )
