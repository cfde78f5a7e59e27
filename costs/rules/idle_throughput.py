"""PURE. Throughput of a model, bought by the hour and not used. A workshop of a student's cost $2,700 this way."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from costs.rules.base import Facts, Reads, Verdict
from labs.kinds.base import RUNNING

NAME, RANK = "idle-throughput", 39
SHOWS_DISUSE = True
DELETE_IT = gettext_noop("Delete it.")
BOUGHT = gettext_noop("It was bought for %(term)s: AWS takes it back only then. Tell the instructor.")
PATTERNS = (BOUGHT,)
READS = (Reads("bedrock-provisioned-throughput", "Invocations", timedelta(minutes=30)),)


def check(facts: Facts, now: datetime) -> Verdict | None:
    if facts.kind != "bedrock-provisioned-throughput" or facts.state != RUNNING:
        return None
    since = facts.silent_since("Invocations")
    if since is None:
        return None
    bought = facts.facts.get("commitment")
    ends = BOUGHT % {"term": bought} if bought else DELETE_IT
    return Verdict(gettext_noop("Bought by the hour, and not called for half an hour"), ends, since=since)
