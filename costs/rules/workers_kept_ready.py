"""PURE. EMR Serverless is paid for by its work, but workers that are kept ready are paid for while it is started."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from costs.rules.base import Facts, Verdict
from labs.kinds.base import RUNNING

NAME, RANK = "workers-kept-ready", 43

READY_FOR = timedelta(minutes=15)


def check(facts: Facts, now: datetime) -> Verdict | None:
    told = facts.facts
    if facts.kind != "emr-serverless-application" or facts.state != RUNNING or told.get("status") != "STARTED":
        return None
    if not told.get("ready") or told.get("stops_when_idle", True) or now - facts.state_since <= READY_FOR:
        return None
    return Verdict(
        gettext_noop("Workers kept ready, with no end to it"),
        gettext_noop("It does not stop when it is idle: its workers are paid for whether a job runs or not."),
        since=facts.state_since,
    )
