"""What Celery calls. The row is the queue: each of these may be lost, doubled or late, and only seconds are lost."""

from datetime import timedelta

from celery import shared_task
from django.db.models import Q
from django.utils import timezone

from labs import admitting, census, certify, creators, ending, launching, reconcile
from labs.models import Launch, Resource, StudentRole

DRAINS = 8  # as many as a worker has threads


@shared_task
def hurry():
    """Every two seconds: one drain for each due row, up to as many as there are threads."""
    now = timezone.now()
    due = Resource.objects.due(now)[:DRAINS].count()
    to_prove = Launch.objects.open().filter(Q(prove_at__lte=now) | Q(prepare_at__lte=now))[:1].count()
    to_admit = StudentRole.objects.filter(next_try_at__lte=now)[:1].count()
    for _ in range(max(due, to_prove, to_admit)):
        work_off.apply_async(expires=5)


@shared_task
def work_off():
    admitting.work_off(timezone.now)
    until = timezone.now() + timedelta(seconds=20)
    ending.prepare_due(timezone.now, until=until)
    until = max(until, timezone.now() + timedelta(seconds=5))
    reconcile.work_off(timezone.now, until=until)
    certify.prove_due(timezone.now)
    if timezone.now() >= until:
        # There may be more: whoever stopped in the middle does not wait for the clock to send another.
        work_off.apply_async(expires=5)


@shared_task
def confirm_settled():
    groups = {*census.groups_with_rows(timezone.now()), *census.groups_at_work()}
    # A survey stores account by account.
    census.survey(sorted(groups, key=lambda group: (group.account.pk, group.region, group.kind)), timezone.now)


@shared_task
def census_all():
    census.census_all(timezone.now, is_sparing=True)


@shared_task
def ask_who_made_it():
    creators.look_up(timezone.now())


@shared_task
def end_expired():
    launching.end_expired(timezone.now())
