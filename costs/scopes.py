"""What the upper app tells about its scopes, as plain values: names, the end, the next session, budgets."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from costs import kept
from costs.lives import Policy
from costs.models import Budget, Scope


def tell(
    key: str,
    *,
    name: str,
    title: str = "",
    zone: str = "UTC",
    ends_at: datetime | None = None,
    look_ahead_until: datetime | None = None,
    student_usd: Decimal | None = None,
    cohort_usd: Decimal | None = None,
    staff: Iterable[int] = (),
    currency: str = "",
    policy: Policy | None = None,
) -> Scope:
    """Keep what is known of a scope. Telling the same twice changes nothing.

    name: short and typed before Lights out. ends_at: how far projections reach. look_ahead_until: the next session.
    currency: three letters of the money shown beside USD; "" for none.
    student_usd, cohort_usd: the budgets of each student and of the whole; None: there is none. Where somebody has set
    another one since (costs/budget_pages.py), it takes something new to be told to change that. staff: the ids of those
    who teach: the students' budget is not theirs, though the whole's is. policy: what is done about what was left on;
    None: it is only told of.
    """
    policy = policy or Policy()
    days = policy.delete_after // timedelta(days=1) if policy.delete_after else None
    before = _known(key)
    with transaction.atomic():
        scope, _ = Scope.objects.update_or_create(
            key=key,
            defaults={
                "name": name,
                "title": title or name,
                "zone": zone,
                "ends_at": ends_at,
                "look_ahead_until": look_ahead_until,
                "staff": sorted(staff),
                "currency": currency,
                "lights_level": policy.level,
                "lights_grace_minutes": policy.grace // timedelta(minutes=1),
                "lights_delete_days": days,
            },
        )
        for kind, usd in ((Budget.STUDENT, student_usd), (Budget.COHORT, cohort_usd)):
            _tell_budget(kind, key, usd)
        if _known(key) != before:
            kept.forget()
    return scope


def _known(key: str) -> list:
    budgets = Budget.objects.filter(scope=key, owner=None).order_by("kind").values_list("kind", "usd")
    return [*Scope.objects.filter(key=key).values(), *budgets]


def _tell_budget(kind: str, scope: str, usd: Decimal | None) -> None:
    """Only what is told for the first time, or otherwise than last time, counts: else it would undo every minute what
    somebody set on the page of the budgets."""
    rows = Budget.objects.filter(kind=kind, scope=scope, owner=None)
    known = rows.select_for_update().first()
    if known is None:
        if usd is not None:
            Budget.objects.get_or_create(kind=kind, scope=scope, owner=None, defaults={"usd": usd, "told_usd": usd})
    elif known.told_usd != usd:
        if usd is None:
            rows.delete()
        else:
            rows.update(usd=usd, told_usd=usd)
