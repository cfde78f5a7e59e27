"""My locker: what labs saved of the asker's work before they were torn down. Nobody else sees it, staff neither."""

from functools import wraps

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from labs import catalog, keeping, locker
from labs.models import SavedFile
from portal.filing import shown_name
from portal.views.course import attachment

FILES_A_PAGE = 100


def own_file(view):
    """The view gets a file that is in the asker's locker now; no other exists for them."""

    @login_required
    @wraps(view)
    def guarded(request, pk):
        return view(request, get_object_or_404(SavedFile.objects.kept(), pk=pk, owner=request.user))

    return guarded


@require_safe
@never_cache
@login_required
def mine(request):
    """What is kept, and what was not, by lab, the newest first."""
    found = SavedFile.objects.filter(owner=request.user, deleted_at=None).select_related("launch")
    page = Paginator(found.order_by("-launch__created_at", "launch", "name"), FILES_A_PAGE).get_page(
        request.GET.get("page")
    )
    known, used = catalog.catalog(), locker.used_bytes(request.user)
    labs = []
    for file in page:
        if not labs or labs[-1]["launch"] != file.launch:
            title = known[file.launch.lab].title if file.launch.lab in known else file.launch.lab
            labs.append({"launch": file.launch, "title": title, "files": []})
        labs[-1]["files"].append(file)
    facts = {
        "labs": labs,
        "page": page,
        "used": used,
        "most": settings.LOCKER_BYTES,
        "most_a_file": settings.LOCKER_FILE_BYTES,
        "percent": min(100, used * 100 // max(1, settings.LOCKER_BYTES)),
        "now": timezone.now(),
    }
    return render(request, "portal/locker.html", facts)


@require_safe
@own_file
def download(request, file):
    path = keeping.place_of(file.path, within=locker.FOLDER)
    if not path.is_file():
        raise Http404(_("This file is not on our disk."))
    return attachment(path, shown_name(file.name))


@require_http_methods(["GET", "HEAD", "POST"])
@own_file
def delete(request, file):
    """Asks once, then deletes."""
    if request.method != "POST":
        return render(request, "portal/locker_delete.html", {"file": file, "name": shown_name(file.name)})
    locker.delete(file, timezone.now())
    messages.success(request, _("%(name)s was deleted.") % {"name": shown_name(file.name)})
    return redirect("portal:locker")
