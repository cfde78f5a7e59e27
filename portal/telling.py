"""Telling: what costs must know of cohorts, as plain values; and people what is odd about money."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import Max, Min, Q
from django.urls import reverse

from costs import alerts, scopes
from costs.dashboard.alerts import OF_PERSONS
from costs.models import Alert
from costs.retelling import retold
from costs.thresholds import STOPS
from portal import notices
from portal.models import Cohort, Membership, User


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
            currency=cohort.currency,
            policy=cohort.lights_policy,
        )
    return len(cohorts)


def tell_alerts(now: datetime) -> int:
    """Tell of open alerts that nobody was told of yet: the person whom one is about, and those who teach the cohort; of
    what is no cohort's, the admins. Answers how many alerts were told.

    A death between telling and noting it tells nobody twice: the same news has the same key.
    """
    to_tell = list(Alert.objects.to_tell().select_related("owner").order_by("pk"))
    if not to_tell:
        return 0
    teachers, admins = defaultdict(list), list(User.objects.filter(is_staff=True, is_active=True))
    for one in Membership.objects.instructors().filter(user__is_active=True).select_related("user", "cohort"):
        teachers[one.cohort.scope].append(one.user)
    told = 0
    for alert in to_tell:
        is_everybodys = alert.account_id is not None or not alert.scope
        staff = admins if is_everybodys else teachers[alert.scope] or admins
        made_of = "\n".join(f"{what}: ${usd}" for what, usd in alert.lines)
        # Kept in English, and said to each in their language.
        news = {
            "subject": partial(retold, alert.sentence),
            "words": partial(_detail, alert.detail, made_of),
            "now": now,
        }
        is_urgent = alert.rule == "budget" and alert.level >= STOPS
        with transaction.atomic():
            if alert.owner and alert.owner.is_active and alert.rule in OF_PERSONS:
                page = reverse("costs:mine")
                notices.tell(alert.owner, "budget", alert.news, url=page, is_urgent=is_urgent, **news)
            for person in staff:
                notices.tell(person, "teaching", alert.news, url=reverse("costs:alerts"), is_urgent=is_urgent, **news)
            told += alerts.told(alert, now)
    return told


def _detail(detail: str, made_of: str) -> str:
    return f"{retold(detail)}\n{made_of}".strip()
