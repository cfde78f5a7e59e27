import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
portal = get_wsgi_application()

from portal.gateway import Gateway  # noqa: E402  reads the settings

# Before Django's middleware: a call of an AWS client has no session, no form and no cookie.
application = Gateway(portal)
