"""What nothing but this portal, or a person, turns off: its exposure has no bound should the portal die."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from costs.live import live
from labs import deadman
from labs.models import Resource


def not_armed(now: datetime) -> Q:
    """Of a kind that can cost by the hour, and without a switch whose time is still to come. Some of these are off."""
    return Q(kind__in=deadman.kinds_with_a_switch()) & (Q(switch_at=None) | Q(switch_at__lte=now))


def unbounded_in(scopes: Iterable[str], now: datetime) -> list[Resource]:
    """Of whole scopes, what is on, can cost by the hour, and has no switch at AWS whose time is still to come. One
    query, over the few that are not armed."""
    rows = live(Resource.objects.filter(not_armed(now), scope__in=list(scopes)))
    return list(deadman.reach(rows.select_related("account").defer("params", "wishes"), now).unarmed)
