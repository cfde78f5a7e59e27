"""What Celery calls for the school. About three lines each."""

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from labs import practice
from portal import delivering, demo, enrolling, leaving, lights, overseeing, prelaunching, telling, weekly


@shared_task
def tend_practice():
    """Another start of the simulator is another world: close what was in the old one, lay the demo again."""
    now = timezone.now()
    boot_id = practice.current_boot()
    practice.adopt_world(now, boot_id)
    if settings.DEMO and boot_id:
        demo.lay_live(now)


@shared_task
def visit_accounts():
    overseeing.visit_due()


@shared_task
def tend_accounts():
    now = timezone.now()
    enrolling.let_leave(now)
    leaving.erase_due(now)


@shared_task
def start_classes():
    prelaunching.start_due(timezone.now())


@shared_task
def tell():
    now = timezone.now()
    telling.tell_costs(now)
    telling.tell_alerts(now)
    lights.tell(now)
    weekly.tell(now)


@shared_task
def deliver_notices():
    delivering.deliver(timezone.now())
