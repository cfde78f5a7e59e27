"""The Celery app. The row in the database is the queue; Celery only hurries it (docs/architecture.md)."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("lightsout")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
