"""My data: what the portal holds of the asker, as a zip, and their deletion. An admin does both for another."""

import tempfile
from functools import wraps

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import FileResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labs import audit
from portal import leaving, own_data
from portal.filing import Refused
from portal.models import User


def whose_page(view):
    """The view gets the person: the asker, or for an admin the one whose id is in the address."""

    @never_cache
    @login_required
    @wraps(view)
    def guarded(request, pk=None):
        others = User.objects.all() if request.user.is_staff else User.objects.none()
        person = request.user if pk is None else get_object_or_404(others, pk=pk)
        return view(request, person)

    return guarded


def _home(request, person):
    own = person == request.user
    return redirect("portal:my_data") if own else redirect("portal:person_data", person.pk)


@require_safe
@whose_page
def page(request, person):
    return _show(request, person)


def _show(request, person, trouble="", status=200):
    facts = {
        "person": person,
        "is_mine": person == request.user,
        "asked": leaving.open_leaving(person),
        "is_gone": leaving.is_gone(person),
        "in_the_way": leaving.in_the_way(person),
        "stays": leaving.WORK_STAYS.days,
        "waits": leaving.WAITS.days,
        "trouble": trouble,
        "now": timezone.now(),
    }
    return render(request, "portal/my_data.html", facts, status=status)


@require_POST
@whose_page
def take(request, person):
    """The zip, made on the disk and sent from there."""
    now = timezone.now()
    made = tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR)  # noqa: SIM115  the answer closes it
    own_data.write(made, person, site=settings.PUBLIC_URL, now=now, is_theirs=person == request.user)
    with transaction.atomic():
        audit.note("export", "taken along as a zip", by=request.user, person=person, now=now)
    made.seek(0)
    name = f"lightsout-{slugify(str(person)) or person.pk}-{now:%Y-%m-%d}.zip"
    return FileResponse(made, as_attachment=True, filename=name, content_type="application/zip")


@require_http_methods(["GET", "HEAD", "POST"])
@whose_page
def delete(request, person):
    """Asks for the address to be typed, then notes the wish; an admin may have it done at once."""
    if request.method != "POST":
        return _home(request, person)
    if request.POST.get("email", "").strip().lower() != person.email:
        words = _("Type %(email)s to confirm. Nothing was asked for.") % {"email": person.email}
        return _show(request, person, words, 422)
    now = timezone.now()
    at_once = person != request.user and "at_once" in request.POST
    try:
        with transaction.atomic():
            asked = leaving.ask(person, by=request.user, now=now)
            if at_once:
                leaving.erase(asked, by=request.user, now=now)
    except Refused as why:
        return _show(request, person, _("%(why)s Nothing was asked for.") % {"why": why}, 422)
    if at_once:
        messages.success(request, _("Deleted. Sums, and marks that were released, are kept without a name."))
    else:
        form = _("Asked for. It is done in %(days)s days, unless it is taken back here.")
        messages.success(request, form % {"days": leaving.WAITS.days})
    return _home(request, person)


@require_POST
@whose_page
def keep(request, person):
    """Take the wish back."""
    if leaving.take_back(person, by=request.user, now=timezone.now()):
        messages.success(request, _("Taken back. Everything stays."))
    return _home(request, person)
