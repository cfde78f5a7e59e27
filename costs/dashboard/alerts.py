"""What is odd about money now, and what was lately: for those who see a scope, and for the person it is about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils.translation import gettext_lazy

from costs.models import Alert

# What a person is shown of their own; what is about a cohort, a bill or an account is for those who see these.
OF_PERSONS = ("budget", "budget_ahead", "anomaly")
CLOSED_FOR = timedelta(days=7)
SHOWN = 3  # on other pages, before the link to all of them
TITLES = {
    "budget": gettext_lazy("Budget"),
    "budget_ahead": gettext_lazy("Budget, ahead"),
    "anomaly": gettext_lazy("Unusual day"),
    "variance": gettext_lazy("Bill and meter differ"),
    "free_tier": gettext_lazy("Free Tier"),
}


@dataclass(frozen=True)
class Told:
    """One alert with where it is clicked down to."""

    alert: Alert

    @property
    def title(self) -> str:
        return str(TITLES.get(self.alert.rule) or self.alert.rule.replace("_", " ").capitalize())

    @property
    def href(self) -> str:
        one = self.alert
        if one.rule in ("budget", "budget_ahead"):
            return reverse("costs:budget", args=[key_of(one)])
        if one.rule == "variance" and one.account_id:
            return f"{reverse('costs:bill')}?account={one.account_id}"
        if one.rule == "free_tier" and one.account_id:
            return reverse("costs:account_free_tier", args=[one.account_id])
        return reverse("costs:person", args=[one.owner_id]) if one.owner_id else reverse("costs:spend")


@dataclass(frozen=True)
class AlertsPage:
    """open: the gravest first; closed: those of the last week, the last first."""

    open: list[Told]
    closed: list[Told]

    @property
    def shown(self) -> list[Told]:
        return self.open[:SHOWN]

    @property
    def more(self) -> int:
        return len(self.open) - len(self.shown)


def key_of(alert: Alert) -> str:
    """Of the page of the budget that it is about (costs/budget_pages.py)."""
    if alert.account_id is not None:
        return f"account-{alert.account_id}"
    return f"person-{alert.owner_id}-{alert.scope}" if alert.owner_id is not None else f"cohort-{alert.scope}"


def open_alerts(scopes: Iterable[str]) -> AlertsPage:
    """Of these scopes; "" is what is nobody's, and accounts that are every cohort's. One query."""
    found = Alert.objects.open().filter(scope__in=list(scopes)).order_by("-level", "-opened_at", "-pk")
    return AlertsPage([Told(one) for one in found], [])


def alerts_page(scopes: Iterable[str], now: datetime) -> AlertsPage:
    """Two queries."""
    keys = list(scopes)
    closed = Alert.objects.filter(scope__in=keys, closed_at__gt=now - CLOSED_FOR).order_by("-closed_at", "-pk")
    return AlertsPage(open_alerts(keys).open, [Told(one) for one in closed[:200]])


def alerts_of(owner: int) -> list[Alert]:
    """Those that are about this person. One query."""
    found = Alert.objects.open().filter(owner=owner, rule__in=OF_PERSONS)
    return list(found.order_by("-level", "-opened_at", "-pk"))
