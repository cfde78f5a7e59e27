"""The reader's own settings of the frame: dark or light, the language, and the time zone."""

from datetime import timedelta
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from portal import languages
from portal.chrome import THEMES, theme_of
from portal.models.people import validate_zone
from portal.templatetags.look import zone_name

# Where the course's people are; everything else follows in the full list.
NEAR = ["Asia/Yangon", "Asia/Bangkok", "Asia/Singapore", "Asia/Kuala_Lumpur", "Asia/Tokyo", "Europe/London", "UTC"]


def back(request):
    """A redirect to where the form stood, when that is a page of ours; else to the sign-in page's way home."""
    where = request.POST.get("next") or request.GET.get("next") or ""
    own = url_has_allowed_host_and_scheme(where, {request.get_host()}, require_https=request.is_secure())
    return redirect(where if own else settings.LOGIN_REDIRECT_URL)


@require_POST
def set_theme(request):
    """Keep the theme that was asked for in a cookie; without one, the other than now."""
    theme = request.POST.get("theme")
    if theme not in THEMES:
        theme = "light" if theme_of(request) == "dark" else "dark"
    answer = back(request)
    # Not HttpOnly: app.js changes it without a round trip, where there is JavaScript.
    answer.set_cookie("theme", theme, max_age=timedelta(days=365), samesite="Lax", secure=settings.BEHIND_HTTPS)
    return answer


@require_POST
def set_language(request):
    """Write pages in the language that was asked for: for a person on every device, else in this browser."""
    code, answer = request.POST.get("language", ""), back(request)
    if not languages.is_offered(code):
        return answer
    if request.user.is_authenticated:
        request.user.language = code
        request.user.save(update_fields=["language"])
    else:
        answer.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            code,
            max_age=settings.LANGUAGE_COOKIE_AGE,
            httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
            samesite=settings.LANGUAGE_COOKIE_SAMESITE,
            secure=settings.LANGUAGE_COOKIE_SECURE,
        )
    return answer


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def set_zone(request):
    """Choose the time zone in which pages show their instants."""
    zone, trouble = request.POST.get("time_zone", request.user.time_zone), ""
    if request.method == "POST":
        try:
            validate_zone(zone)
        except ValidationError as wrong:
            trouble = wrong.messages[0]
        else:
            request.user.time_zone = zone
            request.user.save(update_fields=["time_zone"])
            messages.success(request, _("Times are shown for %(zone)s from now on.") % {"zone": zone_name(zone)})
            return back(request)
    others = sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))
    world = {"zone": zone, "trouble": trouble, "near": NEAR, "others": others, "next": request.GET.get("next", "")}
    return render(request, "account/zone.html", world, status=422 if trouble else 200)
