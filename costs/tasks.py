"""What Celery calls. Each of these may be lost, doubled or late: the next one makes it good."""

from celery import shared_task
from django.utils import timezone

from costs import activity, allowances, forgotten, metering


@shared_task
def meter():
    metering.meter(timezone.now())


@shared_task
def find_forgotten():
    # Judged first: CloudWatch may be slow, and what it says is known a minute later.
    forgotten.judge(timezone.now())
    activity.look(timezone.now())


@shared_task
def watch_free_tier():
    allowances.ask_due(timezone.now())
    allowances.judge(timezone.now())
