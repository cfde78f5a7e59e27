"""PURE. A public address that leads nowhere is paid for like one in use."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from costs.rules.base import Facts, Verdict
from labs.kinds.base import RUNNING

NAME, RANK = "loose-address", 65

LOOSE_FOR = timedelta(minutes=30)


def check(facts: Facts, now: datetime) -> Verdict | None:
    if facts.kind != "elastic-ip" or facts.state != RUNNING or facts.facts.get("attached", True):
        return None
    if now - facts.facts_since <= LOOSE_FOR:
        return None
    return Verdict(
        gettext_noop("An address that leads to nothing"),
        gettext_noop("It costs by the hour, used or not."),
        since=facts.facts_since,
    )
