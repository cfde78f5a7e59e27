"""The portal's addresses, and one more: the bare view that bench/deadline.py measures handing in against."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db import models
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.http import require_POST

from portal.urls import *  # noqa: F403  the handlers of errors too
from portal.urls import urlpatterns as of_the_portal


class BareUpload(models.Model):
    """Whose it is, and the file, as Django keeps uploads by itself. The bench makes its table."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    file = models.FileField(upload_to="bare/")

    class Meta:
        app_label = "portal"
        managed = False
        db_table = "bench_bare_upload"


@require_POST
@login_required
def bare(request):
    """Only saves the upload: one row, one commit, and bytes that are neither synced nor hashed."""
    return HttpResponse(BareUpload.objects.create(user=request.user, file=request.FILES["files"]).pk)


urlpatterns = [path("bare/", bare), *of_the_portal]
