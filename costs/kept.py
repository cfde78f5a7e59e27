"""The spend page, kept as it was last worked out: for the next who asks, until something is recorded.

To work it out takes one pass over everything that is on. The worker does that, after each metering and each judging,
for the pages that somebody has open; who asks then gets what it made. It is believed only while nothing was recorded
since: no event in the ledger, no reading, nothing that upper apps tell (`forget`). Where something was, or where no
worker works, the page is worked out for the asker, and kept. What changes by time alone (a look that grows old, a put
off that ends) shows after BELIEVED_FOR at the latest.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import connection
from django.db.models.expressions import RawSQL

from costs.dashboard.on_now import Line, OnNow
from costs.live import Burning
from costs.models import KeptPage

log = logging.getLogger(__name__)

BELIEVED_FOR = timedelta(seconds=90)  # the worker makes it anew every minute
OPEN_FOR = timedelta(minutes=5)  # an open page asks every 20 s (templates/costs/_spend_summary.html)
# Another one whenever the ledger or the meter wrote something. Numbers are given before a transaction ends: a lower one
# may be committed after a higher one, which the sum of the last tells. In SQL of both databases: every page asks it.
RECORDED = """
    SELECT COALESCE(MAX(id), 0) || '-' || COALESCE(SUM(id), 0) || '-' ||
           (SELECT COALESCE(MAX(id), 0) FROM costs_reading)
    FROM (SELECT id FROM labs_event ORDER BY id DESC LIMIT 200) AS late
"""


@dataclass(frozen=True)
class Asked:
    """What decides what stands on the page, beside what is recorded. told_to: the scopes whose alerts are shown;
    number: of the page of students; letters: of names that are looked for; moves: only what moves, as a poll asks;
    language: in which it is written, as its reader's, also by the worker."""

    scopes: tuple[str, ...]
    told_to: tuple[str, ...]
    zone: str
    number: int = 1
    letters: str = ""
    moves: bool = False
    language: str = settings.LANGUAGE_CODE

    @property
    def key(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Made:
    """head, main: HTML, of a poll main alone; on_now: what burns, by scope; left_on: how many lights are."""

    head: str
    main: str
    on_now: OnNow
    left_on: int


MakePage = Callable[[Asked, datetime], Made]


def page(asked: Asked, now: datetime, make: MakePage) -> Made:
    """What is kept, if it may be believed; else what `make` works out. One query, and what `make` asks. A look for
    letters is not kept: it is asked for once."""
    if asked.letters:
        return make(asked, now)
    kept = KeptPage.objects.filter(key=asked.key).annotate(recorded=RawSQL(RECORDED, [])).first()  # noqa: S611  ours
    if kept is None or not _is_believed(kept, kept.recorded, now):
        stamp = kept.recorded if kept else recorded()
        return _keep(asked, make(asked, now), stamp, now, asked_at=now)
    if now - kept.asked_at > timedelta(minutes=1):
        KeptPage.objects.filter(key=kept.key).update(asked_at=now)
    lines = [
        Line(scope, None, None, Burning(Decimal(rate), lights, unpriced), Burning(), None)
        for scope, rate, lights, unpriced in kept.burning
    ]
    on_now = OnNow(frozenset(asked.scopes), lines, [], None, 0, False)
    return Made(kept.head, kept.main, on_now, kept.left_on)


def renew(now: datetime, make: MakePage) -> int:
    """Work out anew the pages that somebody has open and whose figures are not the latest, and drop the others. Answers
    how many were made."""
    KeptPage.objects.filter(asked_at__lt=now - OPEN_FOR).delete()
    made = 0
    for kept in KeptPage.objects.defer("head", "main"):
        stamp = recorded()
        if _is_believed(kept, stamp, now + timedelta(seconds=45)):
            continue
        told = kept.asked_for
        asked = Asked(**told | {"scopes": tuple(told["scopes"]), "told_to": tuple(told["told_to"])})
        try:
            _keep(asked, make(asked, now), stamp, now, asked_at=kept.asked_at)
        except Exception:
            # Who asks next sees what is wrong; the worker has other work.
            log.exception("a kept page could not be made anew")
            continue
        made += 1
    return made


def forget() -> None:
    """Something was changed that no event tells of: nothing kept is shown any more."""
    KeptPage.objects.all().delete()


def recorded() -> str:
    """What the ledger and the meter have written, as one word. One query."""
    with connection.cursor() as cursor:
        cursor.execute(RECORDED)
        return str(cursor.fetchone()[0])


def _is_believed(kept: KeptPage, stamp: str, now: datetime) -> bool:
    return kept.stamp == stamp and timedelta(0) <= now - kept.made_at < BELIEVED_FOR


def _keep(asked: Asked, made: Made, stamp: str, now: datetime, *, asked_at: datetime) -> Made:
    """stamp: read before the page was worked out."""
    burning = {scope: made.on_now.within([scope]) for scope in asked.scopes}
    row = KeptPage(
        key=asked.key,
        asked_for=asdict(asked),
        stamp=stamp,
        made_at=now,
        asked_at=asked_at,
        head=made.head,
        main=made.main,
        left_on=made.left_on,
        burning=[[scope, str(one.usd_per_hour), one.lights, one.unpriced] for scope, one in burning.items()],
    )
    told: list[str] = [field.name for field in KeptPage._meta.fields if not field.primary_key]
    KeptPage.objects.bulk_create([row], update_conflicts=True, unique_fields=["key"], update_fields=told)
    return made
