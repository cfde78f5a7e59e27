"""Every page is rendered in its reader's time zone."""

from zoneinfo import ZoneInfo

from django.utils import timezone

# Where the course is held: for those who did not sign in yet.
DEFAULT_ZONE = "Asia/Yangon"


def zone_of(user):
    """The ZoneInfo of a person; the course's own for anonymous readers and for a zone this machine does not know."""
    try:
        return ZoneInfo(getattr(user, "time_zone", "") or DEFAULT_ZONE)
    except (KeyError, ValueError, OSError):
        return ZoneInfo(DEFAULT_ZONE)


class ReadersZoneMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        # Reset even when the view raises: the thread serves somebody else next.
        with timezone.override(zone_of(request.user)):
            return self.get_response(request)
