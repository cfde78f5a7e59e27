"""PURE. An endpoint costs by the hour whether it is called or not. Called by nobody for an hour, it is forgotten.

AWS sends no datapoint of Invocations where there was no call, so silence means zero, provided that the endpoint was
there all the time.
"""

from datetime import datetime

from costs.rules.base import Facts, Verdict
from labs.kinds.base import RUNNING

NAME, RANK = "idle-endpoint", 40
READS = (("sagemaker-endpoint", "Invocations"),)


def check(facts: Facts, now: datetime) -> Verdict | None:
    looked = facts.signals.get("Invocations")
    if facts.kind != "sagemaker-endpoint" or facts.state != RUNNING or looked is None:
        return None
    if looked.value or facts.state_since > looked.began:
        return None
    return Verdict("No calls for an hour", "An endpoint costs the same with no calls as with many.", since=looked.began)
