"""What Celery calls. Each of these may be lost, doubled or late: the next one makes it good."""

from celery import shared_task
from django.utils import timezone

from costs import (
    activity,
    allowances,
    anomalies,
    billing,
    counting,
    enforcing,
    forgotten,
    kept,
    lighting,
    metering,
    own_use,
    saving,
    spending,
)


@shared_task
def meter():
    metering.meter(timezone.now())
    kept.renew(timezone.now(), spending.made)
    own_use.record(timezone.now())


@shared_task
def find_forgotten():
    # Judged first: CloudWatch may be slow, and what it says is known a minute later.
    forgotten.judge(timezone.now())
    lighting.tend(timezone.now())
    saving.note(timezone.now())
    kept.renew(timezone.now(), spending.made)
    activity.look(timezone.now())
    counting.count(timezone.now())


@shared_task
def watch_budgets():
    enforcing.watch(timezone.now())


@shared_task
def find_unusual_days():
    anomalies.find(timezone.now())


@shared_task
def read_bills():
    billing.ask_due(timezone.now())
    billing.judge(timezone.now())
    own_use.record(timezone.now())


@shared_task
def watch_free_tier():
    allowances.ask_due(timezone.now())
    allowances.judge(timezone.now())
