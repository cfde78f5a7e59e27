"""Telling: what costs must know of cohorts, as plain values."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from django.db.models import Max, Min, Q

from costs import scopes
from portal.models import Cohort, Membership


def tell_costs(now: datetime) -> int:
    """Tell costs each cohort's name, end, next session, budgets and teachers. Answers how many cohorts.

    Telling twice changes nothing. The next session is the next instant at which the cohort meets or gets new material:
    "will cost by then".
    """
    cohorts = Cohort.objects.annotate(
        last=Max("told__session_at"),
        meets=Min("told__session_at", filter=Q(told__session_at__gt=now)),
        opens=Min("told__released_at", filter=Q(told__released_at__gt=now)),
    )
    staff = defaultdict(list)
    for scope, teacher in Membership.objects.instructors().values_list("cohort__scope", "user"):
        staff[scope].append(teacher)
    for cohort in cohorts:
        scopes.tell(
            cohort.scope,
            name=cohort.slug,
            title=cohort.name,
            zone=cohort.zone,
            ends_at=cohort.last,
            look_ahead_until=min((at for at in (cohort.meets, cohort.opens) if at), default=None),
            student_usd=cohort.student_budget_usd,
            cohort_usd=cohort.cohort_budget_usd,
            staff=staff[cohort.scope],
            policy=cohort.lights_policy,
        )
    return len(cohorts)
