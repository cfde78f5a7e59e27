"""PURE. An OpenSearch Serverless collection costs by the hour from its first document on. Bedrock makes one for a
knowledge base and leaves it there when the base is deleted."""

from datetime import datetime, timedelta

from costs.rules.base import Facts, Reads, Verdict
from labs.kinds.base import RUNNING

NAME, RANK = "idle-collection", 57
METRICS = ("SearchRequestRate", "IngestionRequestRate")
READS = tuple(Reads("opensearch-serverless-collection", metric, timedelta(hours=1)) for metric in METRICS)


def check(facts: Facts, now: datetime) -> Verdict | None:
    if facts.kind != "opensearch-serverless-collection" or facts.state != RUNNING:
        return None
    since = facts.silent_since(*METRICS)
    if since is None:
        return None
    of_bedrock = facts.facts.get("of_bedrock")
    made = "Bedrock made it for a knowledge base, and does not delete it with that. " if of_bedrock else ""
    return Verdict("No search for an hour", f"{made}It costs by the hour, at least for its smallest size.", since=since)
