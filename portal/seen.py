"""When each person, and each of their sessions, last opened a page: to some minutes, so that reading stays reading."""

import logging
import re

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import DatabaseError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal import languages
from portal.models import User

log = logging.getLogger(__name__)
NOTED = "seen"

BROWSERS = [
    *[("Edg", "Edge"), ("OPR", "Opera"), ("SamsungBrowser", gettext_lazy("Samsung's browser"))],
    *[("Firefox", "Firefox"), ("CriOS", "Chrome"), ("Chrome", "Chrome"), ("Safari", "Safari"), ("curl", "curl")],
]
SYSTEMS = [
    *[("Android", "Android"), ("iPhone", gettext_lazy("an iPhone")), ("iPad", gettext_lazy("an iPad"))],
    *[("Windows", "Windows"), ("Mac OS X", gettext_lazy("a Mac")), ("CrOS", "ChromeOS"), ("Linux", "Linux")],
]


class LastSeenMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        now = timezone.now()
        # What is sent leads to a page that is opened next: in the minute of a deadline nobody waits for this as well.
        if request.method == "GET" and request.user.is_authenticated and _is_due(request.session, now):
            try:
                with transaction.atomic():
                    note(request, now)
            except DatabaseError:  # the page is there, and worth more than this
                log.warning("when somebody was seen could not be written down", exc_info=True)
        return response


def _is_due(session, now):
    return now.timestamp() - session.get(NOTED, 0) >= settings.SEEN_EVERY.total_seconds()


def note(request, now):
    """This person and this session are here now. A session of before these were listed is listed from now on."""
    request.session[NOTED] = now.timestamp()
    here = {"seen_at": now}
    if not request.user.language and (language := languages.chosen(request)):
        here["language"] = language  # as they chose it before they signed in: from now on for their mails too
    User.objects.filter(pk=request.user.pk).update(**here)
    key = request.session.session_key
    if key and not UserSession.objects.filter(session_key=key).update(last_seen_at=now):
        UserSession.objects.create_from_request(request)


def end_sessions(person, *, besides=None):
    """Sign this person out everywhere, also where no page was opened since; of `besides`, a session key, not."""
    for session in Session.objects.filter(expire_date__gt=timezone.now()):
        held = session.get_decoded()
        if held.get(SESSION_KEY) == str(person.pk) and BACKEND_SESSION_KEY in held and session.pk != besides:
            session.delete()
    UserSession.objects.filter(user=person).exclude(session_key=besides or "").delete()


def browser_of(user_agent):
    """ "Chrome on Android": what a person knows their device by."""
    browser = next((name for mark, name in BROWSERS if f"{mark}/" in user_agent), _("A browser"))
    system = next((name for mark, name in SYSTEMS if re.search(rf"\b{mark}\b", user_agent)), "")
    return _("%(browser)s on %(system)s") % {"browser": browser, "system": system} if system else str(browser)
