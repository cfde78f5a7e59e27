"""What is odd about money without being one resource's fault: kept open as long as it is so, and told.

A budget that is used up, a day far above its own past, a bill that differs from our meter: each of these asks its
question again and again, and hands everything that it finds to `settle`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from costs import kept as kept_pages
from costs.models import Alert

SAID = ["scope", "owner_id", "account_id", "sentence", "detail", "usd", "lines", "level"]


def settle(rule: str, found: Iterable[Alert], now: datetime) -> list[Alert]:
    """Make the open alerts of this rule say what was found, and close the rest. Answers those that are new.

    found: unsaved Alerts with a `key` each, which is the same for the same oddity as long as it lasts. One whose
    `level` rises (a further threshold of a budget) is told anew; one that falls back is not.
    """
    wanted = {one.key: one for one in found}
    with transaction.atomic():
        known = {one.key: one for one in Alert.objects.open().filter(rule=rule).select_for_update()}
        new, changed = [], []
        for key, one in wanted.items():
            if key not in known:
                one.rule, one.opened_at = rule, now
                new.append(one)
                continue
            kept = known[key]
            if one.level > kept.level:
                kept.told_at, kept.raised_at = None, now
            if any(getattr(kept, name) != getattr(one, name) for name in SAID):
                for name in SAID:
                    setattr(kept, name, getattr(one, name))
                changed.append(kept)
        over = [one.pk for key, one in known.items() if key not in wanted]
        # Another worker may have opened the same: the constraint keeps one.
        Alert.objects.bulk_create(new, ignore_conflicts=True, batch_size=500)
        names = [name.removesuffix("_id") for name in SAID]
        Alert.objects.bulk_update(changed, [*names, "told_at", "raised_at"], batch_size=500)
        Alert.objects.filter(pk__in=over).update(closed_at=now)
        if new or changed or over:
            kept_pages.forget()
        keys = [one.key for one in new]
        return list(Alert.objects.open().filter(rule=rule, key__in=keys, opened_at=now)) if keys else []


def told(alert: Alert, now: datetime) -> bool:
    """Whoever tells has told it. False where it has gone further meanwhile: that is still to be told."""
    return bool(Alert.objects.to_tell().filter(pk=alert.pk, level=alert.level).update(told_at=now))
