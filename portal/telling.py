"""Telling: what costs must know of cohorts, as plain values; and people what they were left on, by mail."""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import datetime

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import Max, Min, Q
from django.template.loader import render_to_string
from django.urls import reverse

from costs import forgotten, scopes
from portal.models import Cohort, Membership, User

log = logging.getLogger(__name__)


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
        )
    return len(cohorts)


def mail_reminders(now: datetime) -> int:
    """One mail a person for all reminders asked for. Answers how many people were told.

    A mail that cannot be sent is logged and tried again at the next turn; it holds up nobody else's.
    """
    due = forgotten.reminders_due()
    people = User.objects.in_bulk(due)
    told = 0
    for owner, findings in due.items():
        person = people[owner]
        facts = {"person": person, "findings": findings, "url": settings.PUBLIC_URL + reverse("costs:mine")}
        try:
            send_mail(
                f"{len(findings)} of your lights {'is' if len(findings) == 1 else 'are'} still on",
                render_to_string("portal/reminder.txt", facts),
                settings.DEFAULT_FROM_EMAIL,
                [person.email],
            )
        except Exception:
            log.exception("the reminder to %s could not be mailed", person.pk)
            continue
        forgotten.reminded(findings, now)
        told += 1
    return told
