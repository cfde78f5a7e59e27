"""Days far above a person's or a service's own past: found, and told with what they are made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Sum
from django.utils.translation import gettext_noop

from costs.alerts import settle
from costs.dashboard.days import today
from costs.models import Alert, DailySpend
from costs.unusual import PAST_DAYS, Unusual, judged
from labs.rehearsal import REHEARSERS

RULE = "anomaly"
LINES = 5
SENTENCE = gettext_noop("%(who)s: $%(usd)s on %(day)s (UTC), and $%(usual)s is usual")
DETAIL = gettext_noop(
    "Usual is the middle of the days with any spend in the two weeks before. A day is far above them from $%(limit)s "
    "on."
)
PATTERNS = (SENTENCE, DETAIL)


def find(now: datetime) -> list[Alert]:
    """Judge today and yesterday of everybody and of every service in every scope. Two queries, and settling.

    Yesterday too: what was on late is metered after midnight, and a night's news is read in the morning. Answers the
    alerts that are new.
    """
    day = today(now)
    first = day - timedelta(days=PAST_DAYS + 1)
    spent = DailySpend.objects.filter(day__gte=first, day__lte=day).order_by()
    people: _Series = defaultdict(lambda: defaultdict(lambda: defaultdict(Decimal)))
    services: _Series = defaultdict(lambda: defaultdict(lambda: defaultdict(Decimal)))
    for line in spent.values("day", "scope", "owner_id", "service").annotate(total=Sum("usd")):
        usd = line["total"] or Decimal(0)
        if line["owner_id"] is not None:
            people[line["scope"], line["owner_id"]][line["day"]][line["service"]] += usd
        services[line["scope"], line["service"]][line["day"]][line["owner_id"]] += usd
    odd = [*_odd("person", people, day), *_odd("service", services, day)]
    names = _names(odd)
    found = [_alert(one, names) for one in odd if one.kind == "service" or one.whose in names]
    return settle(RULE, found, now)


# {(scope, owner or service): {day: {service or owner: USD}}}
_Series = defaultdict[tuple, defaultdict[date, defaultdict]]


@dataclass(frozen=True)
class _Odd:
    """kind: person or service. whose: the person's id, or the service. by: {service or person: USD} of that day."""

    kind: str
    scope: str
    whose: Any
    day: date
    unusual: Unusual
    by: Mapping


def _odd(kind: str, series: _Series, day: date) -> list[_Odd]:
    found = []
    for (scope, whose), days in series.items():
        for one in (day - timedelta(days=1), day):
            if one not in days:
                continue
            before = [one - timedelta(days=back) for back in range(PAST_DAYS, 0, -1)]
            past = [sum(days[each].values(), Decimal(0)) if each in days else Decimal(0) for each in before]
            unusual = judged(past, sum(days[one].values(), Decimal(0)))
            if unusual is not None:
                found.append(_Odd(kind, scope, whose, one, unusual, dict(days[one])))
    return found


def _names(odd: list[_Odd]) -> dict[int, str]:
    """Without dress rehearsals. One query, none where nothing is odd."""
    owners = {one.whose for one in odd if one.kind == "person"}
    owners |= {owner for one in odd if one.kind == "service" for owner in one.by if owner is not None}
    if not owners:
        return {}
    people = get_user_model().objects.filter(pk__in=owners).exclude(email__regex=REHEARSERS)
    return {one.pk: str(one) for one in people}


def _alert(one: _Odd, names: Mapping[int, str]) -> Alert:
    is_person = one.kind == "person"
    dearest = sorted(one.by.items(), key=lambda pair: -pair[1])[:LINES]
    unusual = one.unusual
    said = {
        "who": names[one.whose] if is_person else one.whose,
        "usd": f"{unusual.usd:,.2f}",
        "day": f"{one.day:%d %B}",
        "usual": f"{unusual.usual_usd:,.2f}",
    }
    return Alert(
        key=f"{one.scope}-{one.kind}-{one.whose}-{one.day.isoformat()}"[:120],
        scope=one.scope,
        owner_id=one.whose if is_person else None,
        sentence=(SENTENCE % said)[:200],
        detail=DETAIL % {"limit": f"{unusual.limit_usd:,.2f}"},
        usd=unusual.usd,
        lines=[[what if is_person else names.get(what, "nobody’s"), f"{usd:.2f}"] for what, usd in dearest],
    )
