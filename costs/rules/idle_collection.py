"""PURE. An OpenSearch Serverless collection costs by the hour from its first document on. Bedrock makes one for a
knowledge base and leaves it there when the base is deleted."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

from costs.rules.base import Facts, Reads, Verdict
from labs.kinds.base import RUNNING

NAME, RANK = "idle-collection", 57
PLAIN = gettext_noop("It costs by the hour, at least for its smallest size.")
OF_BEDROCK = gettext_noop(
    "Bedrock made it for a knowledge base, and does not delete it with that. It costs by the hour, at least for its "
    "smallest size."
)
METRICS = ("SearchRequestRate", "IngestionRequestRate")
READS = tuple(Reads("opensearch-serverless-collection", metric, timedelta(hours=1)) for metric in METRICS)


def check(facts: Facts, now: datetime) -> Verdict | None:
    if facts.kind != "opensearch-serverless-collection" or facts.state != RUNNING:
        return None
    since = facts.silent_since(*METRICS)
    if since is None:
        return None
    detail = OF_BEDROCK if facts.facts.get("of_bedrock") else PLAIN
    return Verdict(gettext_noop("No search for an hour"), detail, since=since)
