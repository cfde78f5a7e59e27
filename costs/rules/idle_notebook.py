"""PURE. A notebook whose processor did nothing for an hour. Without datapoints nobody knows, and nothing is said."""

from datetime import datetime

from costs.rules.base import Facts, Verdict
from labs.kinds.base import RUNNING

NAME, RANK = "idle-notebook", 50
READS = (("sagemaker-notebook", "CPUUtilization"),)

IDLE_BELOW = 3.0  # percent at its highest; an open tab that runs nothing stays below
ENOUGH = 6  # datapoints of five minutes in the hour


def check(facts: Facts, now: datetime) -> Verdict | None:
    looked = facts.signals.get("CPUUtilization")
    if facts.kind != "sagemaker-notebook" or facts.state != RUNNING or looked is None:
        return None
    if looked.value is None or looked.datapoints < ENOUGH or facts.state_since > looked.began:
        return None
    if looked.value >= IDLE_BELOW:
        return None
    return Verdict(
        "Idle for an hour",
        f"Its processor was never above {looked.value:.1f} %. Files are kept when it is stopped.",
        since=looked.began,
    )
