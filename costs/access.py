"""Which scopes' money a person may see or act on. Asked through Django's own object permissions; answered upstairs."""

from __future__ import annotations

from costs.models import Scope
from labs.models import Account, Launch

VIEW, ACT = "costs.view_spend", "costs.act"


def scopes_of(user, permission: str = VIEW) -> list[str]:
    """The scopes, of those that hold anything, for which the person has the permission. "" is what is nobody's.

    One query, and whatever the answering backend needs.
    """
    if not user.is_authenticated or not user.is_active:
        return []
    return [scope for scope in every_scope() if user.has_perm(permission, scope)]


def every_scope() -> list[str]:
    """Every scope that holds anything, "" too if something is nobody's. One query. Asks nobody whether."""
    known = Scope.objects.values_list("key", flat=True).union(
        Account.objects.values_list("scope", flat=True), Launch.objects.values_list("scope", flat=True)
    )
    return list(known.order_by("key"))
