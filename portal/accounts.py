"""Who may have an account: those who were invited. Nobody signs up by themselves."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp
from django.conf import settings
from django.http import Http404
from django.shortcuts import render
from django.utils import timezone, translation

from portal import inviting, languages
from portal.chrome import home_of
from portal.models import Invitation, User


class InviteOnly(DefaultAccountAdapter):
    """allauth's adapter (settings.ACCOUNT_ADAPTER)."""

    def is_open_for_signup(self, request):
        return False

    def get_login_redirect_url(self, request):
        """Where the work of their role begins, when the address did not say where they wanted to go."""
        return home_of(request)

    def send_mail(self, template_prefix, email, context):
        """In the language of the person to whom it goes; where they chose none, in that of the page."""
        person = context.get("user")
        chose = person is not None and person.language
        with translation.override(languages.of(person) if chose else translation.get_language()):
            super().send_mail(template_prefix, email, context)


class InvitedSocially(DefaultSocialAccountAdapter):
    """allauth's adapter (settings.SOCIALACCOUNT_ADAPTER): Google or GitHub may say who comes, never that they may in.

    It counts only when the provider has verified the address, and we have too: by an invitation that waits for it, or
    because its member came by a link that was mailed there. A second factor is asked for all the same.
    """

    def list_apps(self, request, provider=None, client_id=None):
        """What the environment says, and nothing that somebody put into the database."""
        if provider and provider not in settings.SOCIALACCOUNT_PROVIDERS:
            return []
        return [app for app in super().list_apps(request, provider, client_id) if app.pk is None]

    def get_app(self, request, provider, client_id=None):
        try:
            return super().get_app(request, provider, client_id)
        except SocialApp.DoesNotExist:
            raise Http404("There is no sign-in by that here.") from None

    def pre_social_login(self, request, sociallogin):
        if sociallogin.state.get("process") != "login":
            self._refuse(request, sociallogin, "")
        if sociallogin.is_existing:
            return
        verified = {one.email.lower() for one in sociallogin.email_addresses if one.verified}
        members = User.objects.filter(email__in=verified, is_demo=False)
        person = members.first() if members.count() == 1 else None
        if person:
            if not EmailAddress.objects.filter(user=person, email=person.email, verified=True).exists():
                self._refuse(request, sociallogin, person.email)
        else:
            person = self._invited(sociallogin, verified) if not members else None
        if person is None:
            self._refuse(request, sociallogin, "")
        sociallogin.connect(request, person)

    @staticmethod
    def _invited(sociallogin, verified):
        now = timezone.now()
        invitation = Invitation.objects.open(now).filter(email__in=verified).select_related("cohort", "link").first()
        if invitation is None:
            return None
        name = sociallogin.account.extra_data.get("name") or invitation.name or invitation.email.partition("@")[0]
        try:
            return inviting.accept_by_proof(invitation, name=name[:150], now=now)
        except inviting.NotAccepted:
            return None

    @staticmethod
    def _refuse(request, sociallogin, unproved):
        facts = {"provider": sociallogin.account.get_provider().name, "unproved": unproved}
        raise ImmediateHttpResponse(render(request, "account/social_refused.html", facts, status=403))
