"""PURE. No lab made it, so no lab's clock will end it."""

from datetime import datetime

from django.utils.translation import gettext_noop

from costs.rules.base import Facts, Verdict

NAME, RANK = "stranger", 30

WHOSE = {
    "account": gettext_noop("It is in this person's account, and no clock ends it."),
    "tag": gettext_noop("Its tag says whose it is. No clock ends it."),
    "name": gettext_noop("Its name is of a lab that is over. No clock ends it."),
    "creator": gettext_noop("CloudTrail says who made it. No clock ends it."),
    "": gettext_noop("Nobody is known to own it, and no clock ends it."),
}


def check(facts: Facts, now: datetime) -> Verdict | None:
    if facts.in_lab:
        return None
    return Verdict(
        gettext_noop("In no lab: made by hand, or by a service"),
        WHOSE.get(facts.owner_proof, gettext_noop("No clock ends it.")),
        since=facts.state_since,
    )
