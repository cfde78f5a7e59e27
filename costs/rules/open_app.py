"""PURE. A Studio app is a machine of its own, and goes on when the browser is closed."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from costs.rules.base import Facts, Verdict
from labs.kinds.base import RUNNING

NAME, RANK = "open-app", 52
SHOWS_DISUSE = True

IDLE_FOR = timedelta(hours=1)
# Canvas has no machine to choose and costs $1.90 an hour.
IDLE_FOR_CANVAS = timedelta(minutes=30)


def check(facts: Facts, now: datetime) -> Verdict | None:
    if facts.kind != "sagemaker-studio-app" or facts.state != RUNNING:
        return None
    used_at = facts.facts.get("used_at")
    if used_at is None or facts.facts.get("type") == "system":
        return None
    last = max(datetime.fromisoformat(used_at), facts.state_since)
    if now - last <= (IDLE_FOR_CANVAS if facts.facts.get("app_type") == "Canvas" else IDLE_FOR):
        return None
    return Verdict(
        gettext_noop("Open in Studio, and used by nobody"),
        gettext_noop("An app goes on when its browser is closed. Files are kept."),
        since=last,
    )
