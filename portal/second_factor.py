"""Who answers for others signs in with two things: a password and a code, or a passkey, which is both.

Instructors and admins who have no second factor yet reach the pages that set one up, and nothing else. Demo people are
exempt where the demo is open, which is on this machine alone; the sign-in page says so.
"""

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labs import audit
from portal import access, notices, seen
from portal.models import Membership, User
from portal.views.demo import demo_is_open

FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
# What is open to somebody who has yet to set theirs up.
OPEN = {
    "account_login",
    "account_logout",
    "account_reauthenticate",
    "mfa_index",
    "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "mfa_list_webauthn",
    "mfa_view_recovery_codes",
    "portal:set_theme",
    "portal:set_language",
    "portal:alive",
    "portal:ready",
    "portal:unsubscribe",
}


def has(person):
    """Whether this person has one. Recovery codes alone are none."""
    return Authenticator.objects.filter(user_id=person.pk, type__in=FACTORS).exists()


def is_needed(person, teaches):
    """Whether this person must have one. teaches: whether they are an instructor of some cohort."""
    if not settings.STAFF_NEED_SECOND_FACTOR or (person.is_demo and demo_is_open()):
        return False
    return person.is_staff or person.is_superuser or teaches


class SecondFactorMiddleware:
    """One query for those who need one; the standings, which most pages ask anyway, for the others."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        person = request.user
        if not person.is_authenticated or request.resolver_match.view_name in OPEN:
            return None
        access.standing(request)
        teaches = any(one.teaches for one in request.standings.values())
        if not is_needed(person, teaches) or has(person):
            return None
        messages.warning(request, _("Set up a second factor first: who sees other people's work signs in with two."))
        return redirect("mfa_index")


class Adapter(DefaultMFAAdapter):
    """allauth's adapter of second factors (settings.MFA_ADAPTER)."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "cannot_delete_authenticator": gettext_lazy(
            "It is your only second factor, and your role needs one. Add another first."
        ),
        "incorrect_code": gettext_lazy("This code is not right, or was used already. Wait for the next one."),
    }

    def can_delete_authenticator(self, authenticator):
        person = authenticator.user
        others = Authenticator.objects.filter(user=person, type__in=FACTORS).exclude(pk=authenticator.pk)
        return others.exists() or not is_needed(person, person.memberships.instructors().exists())

    def get_totp_issuer(self):
        return "Lightsout"

    def generate_authenticator_name(self, user, type):
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return _("Passkey %(n)s") % {"n": count + 1}


def people():
    """Everybody who must have one or has one, each with `factors`, how many; three queries for any number."""
    teach = Membership.objects.instructors().values("user")
    own = Authenticator.objects.filter(type__in=FACTORS)
    found = (User.objects.filter(is_staff=True) | User.objects.filter(pk__in=teach)).distinct()
    factors = {}
    for user_id, kind in own.filter(user__in=found.values("pk")).values_list("user_id", "type"):
        factors.setdefault(user_id, []).append(kind)
    return [(person, factors.get(person.pk, [])) for person in found.filter(is_active=True).order_by("name", "email")]


@transaction.atomic
def reset(person, *, by, now):
    """Take a lost second factor away: the person is signed out everywhere, and sets up another at their next sign-in.

    Who did it is written down, and the person is told. by: an admin, or None for the operator at the machine.
    """
    Authenticator.objects.filter(user=person).delete()
    seen.end_sessions(person)
    audit.note("factor", "taken away", by=by, person=person, now=now)
    notices.tell(
        person,
        "people",
        f"second-factor-reset-{now.isoformat()}",
        gettext_lazy("Your second factor was taken away"),
        lambda: (
            _(
                "%(who)s did it, because it was lost. Sign in with your password and set up another. "
                "You did not ask for this? Then change your password and tell your admin at once."
            )
            % {"who": by or _("The operator")}
        ),
        now=now,
        is_urgent=True,
    )
