"""Who gets a page about money at all. What a person may not see does not exist for them: 404."""

from __future__ import annotations

from functools import wraps

from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from costs.access import VIEW, scopes_of
from costs.models import LightsOut, Scope


def money_page(view):
    """The view gets the scopes whose spend the reader may see; for whoever may see none, the page does not exist."""

    @require_safe
    @never_cache
    @login_required
    @wraps(view)
    def guarded(request, *args, **kwargs):
        scopes = scopes_of(request.user, VIEW)
        if not scopes:
            raise Http404("No such page.")
        return view(request, scopes, *args, **kwargs)

    return guarded


def night_page(view):
    """The view gets one Lights out of a scope whose spend the reader may see; for others it does not exist."""

    @require_safe
    @never_cache
    @login_required
    @wraps(view)
    def guarded(request, pk):
        record = LightsOut.objects.filter(pk=pk).select_related("by").first()
        if record is None or not request.user.has_perm(VIEW, record.scope):
            raise Http404("No such page.")
        return view(request, record)

    return guarded


def scope_page(view):
    """The view gets one scope whose spend the reader may see; for others it does not exist."""

    @require_safe
    @never_cache
    @login_required
    @wraps(view)
    def guarded(request, key):
        scope = Scope.objects.filter(key=key).first()
        if scope is None or not request.user.has_perm(VIEW, scope.key):
            raise Http404("No such page.")
        return view(request, scope)

    return guarded
