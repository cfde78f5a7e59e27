import os
import sys

from django.core.wsgi import get_wsgi_application

# Seconds until a thread that works lets one go on that has its answer from the database or the disk. Python's own 5 ms
# come before each statement of a request, of which a hand-in has seven after its last byte (docs/benchmarks.md).
sys.setswitchinterval(0.0005)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
portal = get_wsgi_application()

from portal.gateway import Gateway  # noqa: E402  reads the settings

# Before Django's middleware: a call of an AWS client has no session, no form and no cookie.
application = Gateway(portal)
