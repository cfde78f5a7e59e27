"""The Bill page and its file: for whoever may see the spend of a scope, or has an AWS account of their own."""

from __future__ import annotations

from datetime import date
from functools import wraps

from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from costs import dashboard
from costs.access import VIEW, bills_of, scopes_of
from costs.billing import first_day, lines_of
from costs.dashboard.days import month, today
from costs.exports import csv_answer


def bill_page(view):
    """The view gets the scopes and the accounts; for whoever may see none of either, the page does not exist."""

    @require_safe
    @never_cache
    @login_required
    @wraps(view)
    def guarded(request):
        scopes = scopes_of(request.user, VIEW)
        accounts = list(bills_of(request.user, scopes))
        if not scopes and not accounts:
            raise Http404("No such page.")
        return view(request, scopes, accounts)

    return guarded


def _chosen(request, accounts):
    """The account that the address names; without one the first. None where there is none at all."""
    asked = request.GET.get("account")
    if not asked:
        return accounts[0] if accounts else None
    found = next((account for account in accounts if str(account.pk) == asked), None)
    if found is None:
        raise Http404("No such account.")
    return found


def _month(request, now):
    try:
        return date.fromisoformat(f"{request.GET.get('month', '')}-01")
    except ValueError:
        return month(now)


@bill_page
def bill(request, scopes, accounts):
    now = timezone.now()
    page = dashboard.bill_page(accounts, _chosen(request, accounts), _month(request, now), now)
    # What the portal itself costs is no student's business.
    facts = {"page": page, "now": now, "own": dashboard.own_part(scopes, now) if scopes else None}
    return render(request, "costs/bill.html", facts)


@bill_page
def bill_csv(request, scopes, accounts):
    """One line a UTC day, account and service, of all that is known; amounts with all their places."""
    now = timezone.now()
    chosen = [_chosen(request, accounts)] if request.GET.get("account") else accounts
    since = min((first_day(account) for account in chosen), default=today(now))
    found = lines_of(chosen, since, today(now))
    return csv_answer(
        "aws-bill",
        [
            "account",
            "day_utc",
            "service",
            "metered_usd",
            "unpriced_seconds",
            "billed_usd",
            "difference_usd",
            "credits_usd",
            "refunds_usd",
            "tax_usd",
            "fees_and_discounts_usd",
            "to_pay_usd",
            "aws_says",
        ],
        (
            (
                account.aws_id,
                line.day.isoformat(),
                line.service,
                "not accrued" if line.ours is None else f"{line.ours:.10f}",
                line.unpriced_seconds,
                *_told(line),
            )
            for account in chosen
            for line in found[account.pk]
        ),
    )


def _told(line):
    if not line.is_told:
        return *[""] * 7, "nothing yet"
    amounts = (line.theirs, line.difference, line.credits, line.refunds, line.tax, line.other, line.net)
    return *(f"{usd:.10f}" for usd in amounts), "estimate" if line.is_estimated else "final"
