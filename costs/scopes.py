"""What the upper app tells about its scopes, as plain values: names, the end, the next session, budgets."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

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
    policy: Policy | None = None,
) -> Scope:
    """Keep what is known of a scope. Telling the same twice changes nothing.

    name: short and typed before Lights out. ends_at: how far projections reach. look_ahead_until: the next session.
    student_usd, cohort_usd: the budgets of each student and of the whole; None: there is none. staff: the ids of those
    who teach: the students' budget is not theirs, though the whole's is. policy: what is done about what was left on;
    None: it is only told of.
    """
    policy = policy or Policy()
    days = policy.delete_after // timedelta(days=1) if policy.delete_after else None
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
                "lights_level": policy.level,
                "lights_grace_minutes": policy.grace // timedelta(minutes=1),
                "lights_delete_days": days,
            },
        )
        for kind, usd in ((Budget.STUDENT, student_usd), (Budget.COHORT, cohort_usd)):
            if usd is None:
                Budget.objects.filter(kind=kind, scope=key, owner=None).delete()
            else:
                Budget.objects.update_or_create(kind=kind, scope=key, owner=None, defaults={"usd": usd})
    return scope
