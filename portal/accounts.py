"""Who may have an account: those who were invited. Nobody signs up by themselves."""

from allauth.account.adapter import DefaultAccountAdapter


class InviteOnly(DefaultAccountAdapter):
    """allauth's adapter (settings.ACCOUNT_ADAPTER)."""

    def is_open_for_signup(self, request):
        return False
