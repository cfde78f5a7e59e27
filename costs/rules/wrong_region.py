"""PURE. It is in a region that no lab uses, where nobody looks."""

from datetime import datetime

from costs.rules.base import Facts, Verdict

NAME, RANK = "wrong-region", 20


def check(facts: Facts, now: datetime) -> Verdict | None:
    if not facts.lab_regions or facts.region in facts.lab_regions:
        return None
    if facts.in_lab and facts.region == facts.lab_region:
        return None
    return Verdict(
        f"In {facts.region}, where no lab runs",
        f"Labs run in {', '.join(facts.lab_regions)}. Was another region chosen by mistake?",
        since=facts.state_since,
    )
