"""For whoever watches from outside: is the process alive, and can it do its work?"""

from datetime import timedelta

from celery import current_app
from django.db import DatabaseError, connection
from django.db.models import Max
from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from labs.models import Account

# The census looks at every account each quarter of an hour; twice that is a controller that does not look.
LOOK_IS_OLD = timedelta(minutes=30)


@require_safe
def alive(request):
    """200 while the process answers at all. Asks nobody."""
    return HttpResponse("alive\n", content_type="text/plain")


@require_safe
def ready(request):
    """200 with database, broker and the controller's last look in order, else 503; JSON says which."""
    parts = {"database": _database(), "broker": _broker(), "controller": "unknown"}
    if parts["database"] == "ok":
        parts["controller"] = _controller(timezone.now())
    is_ready = all(part == "ok" for part in parts.values())
    return JsonResponse({"ready": is_ready, **parts}, status=200 if is_ready else 503)


def _database():
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "no answer"
    return "ok"


def _broker():
    try:
        with current_app.connection_for_write(connect_timeout=2) as broker:
            broker.ensure_connection(max_retries=0, timeout=2)
    except (OperationalError, OSError):
        return "no answer"
    return "ok"


def _controller(now):
    """ok, or since when it has not looked. Without any account there is nothing to look at."""
    looked_at = Account.objects.filter(is_open=True).aggregate(last=Max("looked_at"))["last"]
    if looked_at is None:
        return "ok" if not Account.objects.filter(is_open=True).exists() else "has not looked yet"
    return "ok" if now - looked_at <= LOOK_IS_OLD else f"last looked {looked_at.isoformat(timespec='seconds')}"
