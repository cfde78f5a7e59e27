"""What guards an account: its sessions, and for admins the second factors of those who answer for others."""

from allauth.account.views import PasswordResetFromKeyView
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from portal import inviting, second_factor, seen
from portal.models import User


class PasswordByMail(PasswordResetFromKeyView):
    def form_valid(self, form):
        """Who came by the link in a mail of ours has that mailbox."""
        answer = super().form_valid(form)
        inviting.prove(self.reset_user)
        return answer


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def sessions(request):
    """Where one is signed in. POST: `end` is the number of one of them, or "others"."""
    here = request.session.session_key
    own = UserSession.objects.filter(user=request.user)
    if request.method == "POST":
        if request.POST.get("end") == "others":
            seen.end_sessions(request.user, besides=here)
            messages.success(request, _("You are signed out everywhere else."))
        else:
            _one(own.exclude(session_key=here), request.POST.get("end", "")).end()
            messages.success(request, _("That device is signed out."))
        return redirect("usersessions_list")
    found = UserSession.objects.purge_and_list(request.user)
    rows = [(one, seen.browser_of(one.user_agent), one.session_key == here) for one in found]
    rows.sort(key=lambda row: (not row[2], -row[0].last_seen_at.timestamp()))
    return render(request, "account/sessions.html", {"rows": rows})


def _one(rows, number):
    if not number.isdecimal():
        raise Http404("No such session.")
    return get_object_or_404(rows, pk=number)


def _admins_only(request):
    if not request.user.is_staff:
        raise Http404("No such page.")


@require_safe
@login_required
def second_factors(request):
    _admins_only(request)
    return render(request, "portal/second_factors.html", {"people": second_factor.people()})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def reset_second_factor(request, pk):
    """Of somebody else, by an admin: nobody lets themselves in."""
    _admins_only(request)
    person = get_object_or_404(User.objects.exclude(pk=request.user.pk), pk=pk)
    if request.method == "POST":
        second_factor.reset(person, by=request.user, now=timezone.now())
        messages.success(
            request, _("%(person)s has no second factor any more, and is signed out everywhere.") % {"person": person}
        )
        return redirect("portal:second_factors")
    return render(request, "portal/second_factor_reset.html", {"person": person, "has": second_factor.has(person)})
