"""The way in: the sign-in page, and the demo's people at one click."""

from allauth.account.views import LoginView
from allauth.socialaccount.adapter import get_adapter
from django.conf import settings
from django.contrib.auth import login
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from portal import checks
from portal.chrome import home_of
from portal.models import Cohort, Membership, User

Role = Membership.Role


def demo_is_open():
    """Demo people are for this machine alone, also where a server was started past the system checks."""
    return settings.DEMO and not checks.exposed()


def demo_people():
    """[(person, role, what they do here)]: the first demo person of each role, in the order they were made."""
    if not demo_is_open():
        return []
    people = User.objects.filter(is_demo=True, is_active=True).order_by("pk")
    cards = [
        (people.filter(memberships__role=Role.STUDENT), _("Student"), _("Labs, case studies, my budget")),
        (people.filter(memberships__role=Role.INSTRUCTOR), _("Instructor"), _("Friday review, feedback")),
        (people.filter(is_staff=True), _("Admin"), _("Spend, forgotten resources")),
    ]
    return [(person, role, what) for found, role, what in cards if (person := found.first())]


def social_providers(request):
    """Those that the operator has set up; each has id and name."""
    return get_adapter().list_providers(request) if settings.SOCIALACCOUNT_PROVIDERS else []


class SignIn(LoginView):
    def get_context_data(self, **kwargs):
        newest = Cohort.objects.select_related("course").order_by("-start_on").first()
        line = _("The bootcamp's portal")
        if newest:
            line = f"{newest.course.title}, {date_format(newest.start_on, 'F Y')}"
        return {
            **super().get_context_data(**kwargs),
            "course_line": line,
            "demo_people": demo_people(),
            "social": social_providers(self.request),
        }


@require_POST
def demo_sign_in(request):
    """Sign in as the demo person of that email. Nothing is here unless this is a demo on this machine."""
    if not demo_is_open():
        raise Http404("No demo here.")
    person = get_object_or_404(User, email=request.POST.get("email", "").lower(), is_demo=True, is_active=True)
    login(request, person, backend="django.contrib.auth.backends.ModelBackend")
    return redirect(home_of(request))


@require_safe
def by_invitation(request):
    """What stands where other sites have their sign-up form."""
    return render(request, "account/signup_closed.html")
