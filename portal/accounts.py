"""Who may have an account: those who were invited. Nobody signs up by themselves."""

from allauth.account.adapter import DefaultAccountAdapter

from portal.chrome import home_of


class InviteOnly(DefaultAccountAdapter):
    """allauth's adapter (settings.ACCOUNT_ADAPTER)."""

    def is_open_for_signup(self, request):
        return False

    def get_login_redirect_url(self, request):
        """Where the work of their role begins, when the address did not say where they wanted to go."""
        return home_of(request)
