"""PURE. It is in a region that no lab uses, where nobody looks."""

from datetime import datetime

from django.utils.translation import gettext_noop

from costs.rules.base import Facts, Verdict

NAME, RANK = "wrong-region", 20

SENTENCE = gettext_noop("In %(region)s, where no lab runs")
DETAIL = gettext_noop("Labs run in %(regions)s. Was another region chosen by mistake?")
PATTERNS = (SENTENCE, DETAIL)


def check(facts: Facts, now: datetime) -> Verdict | None:
    if not facts.lab_regions or facts.region in facts.lab_regions:
        return None
    if facts.in_lab and facts.region == facts.lab_region:
        return None
    return Verdict(
        SENTENCE % {"region": facts.region},
        DETAIL % {"regions": ", ".join(facts.lab_regions)},
        since=facts.state_since,
    )
