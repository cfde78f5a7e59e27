"""The portal's addresses, and one more: the bare view that bench/deadline.py measures handing in against."""

from django.contrib.auth.decorators import login_required
from django.core.files.storage import default_storage
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.http import require_POST

from portal.urls import *  # noqa: F403  the handlers of errors too
from portal.urls import urlpatterns as of_the_portal


@require_POST
@login_required
def bare(request):
    """Only saves the upload, as Django does it by itself: not synced, not hashed, in no row."""
    upload = request.FILES["files"]
    return HttpResponse(default_storage.save(f"bare/{request.user.pk}/{upload.name}", upload))


urlpatterns = [path("bare/", bare), *of_the_portal]
