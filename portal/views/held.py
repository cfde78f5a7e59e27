"""What is held back of a version: for its owner where the credential stands and how it is turned off; for those who
teach that and why; for an admin the button that lets it through, with a reason."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from portal import holding
from portal.access import member_page
from portal.filing import Refused
from portal.views.submissions import received_by

A_PAGE = 50


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_page
def page(request, number, standing):
    found = received_by(request, number)
    typed, trouble = {}, ""
    if request.method == "POST":
        if not request.user.is_staff:
            raise Http404("Only admins let something through.")
        typed = {"sha256": request.POST.get("sha256", ""), "reason": request.POST.get("reason", "")}
        try:
            holding.let_through(found, typed["sha256"], by=request.user, reason=typed["reason"], now=timezone.now())
        except Refused as refusal:
            trouble = str(refusal)
        else:
            words = _("%(student)s and those who teach see it now. Your reason stays with it.")
            messages.success(request, words % {"student": found.student})
            return redirect("portal:held", found.number)
    parts = holding.parts(found, found.files.all())
    return render(
        request,
        "portal/held.html",
        {
            "now": timezone.now(),
            "submission": found,
            "assignment": found.assignment,
            "parts": parts,
            "is_mine": found.student_id == request.user.pk,
            "may_let_through": request.user.is_staff,
            "typed": typed,
            "trouble": trouble,
        },
        status=422 if trouble else 200,
    )


@require_safe
@never_cache
@login_required
def everything(request):
    """For admins: all that is held back now, the newest first."""
    if not request.user.is_staff:
        raise Http404("Nothing here.")
    shown = Paginator(holding.held_versions(), A_PAGE).get_page(request.GET.get("page"))
    return render(request, "portal/held_all.html", {"now": timezone.now(), "versions": shown})
