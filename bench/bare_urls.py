"""The portal's addresses, and one more: the bare view that bench/spend_page.py measures the spend page against."""

from functools import cache

from django.contrib.auth.decorators import login_required
from django.db.models import Sum
from django.http import HttpResponse
from django.template import engines
from django.urls import path

from costs.models import DailySpend
from portal.urls import *  # noqa: F403  the handlers of errors too
from portal.urls import urlpatterns as of_the_portal

TEMPLATE = "<!doctype html><title>Bare</title><h1>{{ request.user }}</h1><p>{{ spent.usd }} USD</p>"


@login_required
def bare(request):
    spent = DailySpend.objects.filter(owner=request.user).aggregate(usd=Sum("usd"))
    return HttpResponse(_page().render({"spent": spent}, request))


@cache
def _page():
    """Compiled once, as the cached loader does with templates of files."""
    return engines["django"].from_string(TEMPLATE)


urlpatterns = [path("bare/", bare), *of_the_portal]
