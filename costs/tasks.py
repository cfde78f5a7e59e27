"""What Celery calls. Each of these may be lost, doubled or late: the next one makes it good."""

from celery import shared_task
from django.utils import timezone

from costs import activity, forgotten, lighting, metering, saving


@shared_task
def meter():
    metering.meter(timezone.now())


@shared_task
def find_forgotten():
    # Judged first: CloudWatch may be slow, and what it says is known a minute later.
    forgotten.judge(timezone.now())
    lighting.tend(timezone.now())
    saving.note(timezone.now())
    activity.look(timezone.now())
