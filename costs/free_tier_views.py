"""The Free Tier's pages: of every account of the scopes that a reader may see, and of one account."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from costs.access import VIEW
from costs.dashboard.free_tier import free_tier_page, labs_against, tier_of
from costs.views import money_page
from labs.models import Account


@money_page
def every_account(request, scopes):
    now = timezone.now()
    return render(request, "costs/free_tier.html", {"page": free_tier_page(scopes, now), "now": now})


@require_safe
@never_cache
@login_required
def one_account(request, pk):
    """Its owner's, and of those who may see its scope's spend; for others it does not exist."""
    account = get_object_or_404(Account.objects.select_related("owner", "plan"), pk=pk)
    may_see_all = request.user.has_perm(VIEW, account.scope)
    if account.owner_id != request.user.pk and not may_see_all:
        raise Http404("No such account.")
    now = timezone.now()
    tier = tier_of(account, now)
    region = (account.lab_regions or settings.LAB_REGIONS)[0]
    against = labs_against(tier, region, now)
    facts = {
        "tier": tier,
        "account": account,
        "now": now,
        "region": region,
        "leaving": [one for one in against if one.fits.leaving],
        "outside": [one for one in against if one.fits.outside and not one.fits.leaving],
        "within": [one for one in against if not one.fits.outside and not one.fits.leaving],
        "may_see_all": may_see_all,
    }
    return render(request, "costs/account_free_tier.html", facts)
