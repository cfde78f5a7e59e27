"""Which scopes' money a person may see or act on. Asked through Django's own object permissions; answered upstairs."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth import get_backends
from django.db.models import Q, QuerySet

from costs.models import Scope
from labs.models import Account, Launch

VIEW, ACT = "costs.view_spend", "costs.act"


def scopes_of(user, permission: str = VIEW) -> list[str]:
    """The scopes, of those that hold anything, for which the person has the permission. "" is what is nobody's.

    A backend that knows them by heart says so (`scopes_with`, in their order; None: it does not). Else one query, and
    whatever the answering backend needs.
    """
    if not user.is_authenticated or not user.is_active:
        return []
    for backend in get_backends():
        known = backend.scopes_with(user, permission) if hasattr(backend, "scopes_with") else None
        if known is not None:
            return known
    return [scope for scope in every_scope() if user.has_perm(permission, scope)]


def every_scope() -> list[str]:
    """Every scope that holds anything, "" too if something is nobody's. One query. Asks nobody whether."""
    known = Scope.objects.values_list("key", flat=True).union(
        Account.objects.values_list("scope", flat=True), Launch.objects.values_list("scope", flat=True)
    )
    return list(known.order_by("key"))


def bills_of(user, scopes: Iterable[str]) -> QuerySet[Account]:
    """The real accounts whose bill at AWS the person may see. scopes: those whose spend they may see.

    A shared account's: whoever may see its scope's spend, and of one that is every scope's, whoever may see what is
    nobody's. What a student's own account holds beside labs is theirs alone: its bill is shown to them, and to whoever
    may see what is nobody's.
    """
    scopes = list(scopes)
    seen = Q(mode=Account.SHARED, scope__in=scopes) | Q(mode=Account.OWN, owner=user)
    if user.has_perm(VIEW, ""):
        seen = Q()
    return Account.objects.real().filter(seen).exclude(aws_id="").order_by("mode", "name", "pk")
