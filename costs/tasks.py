"""What Celery calls. Each of these may be lost, doubled or late: the next one makes it good."""

from celery import shared_task
from django.utils import timezone

from costs import activity, forgotten, metering


@shared_task
def meter():
    metering.meter(timezone.now())


@shared_task
def find_forgotten():
    now = timezone.now()
    activity.look(now)
    forgotten.judge(now)
