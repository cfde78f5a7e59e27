"""PURE. No lab made it, so no lab's clock will end it."""

from datetime import datetime

from costs.rules.base import Facts, Verdict

NAME, RANK = "stranger", 30

WHOSE = {
    "account": "It is in this person's account, and no clock ends it.",
    "tag": "Its tag says whose it is. No clock ends it.",
    "name": "Its name is of a lab that is over. No clock ends it.",
    "creator": "CloudTrail says who made it. No clock ends it.",
    "": "Nobody is known to own it, and no clock ends it.",
}


def check(facts: Facts, now: datetime) -> Verdict | None:
    if facts.in_lab:
        return None
    return Verdict(
        "In no lab: made by hand, or by a service",
        WHOSE.get(facts.owner_proof, "No clock ends it."),
        since=facts.state_since,
    )
