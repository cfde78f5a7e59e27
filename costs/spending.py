"""The spend page worked out and written, part by part, for whoever asks for just this (costs/kept.py)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.core.paginator import Paginator
from django.template.loader import render_to_string
from django.utils import timezone, translation

from costs import dashboard
from costs.charts import shown_days
from costs.currency import shared_rate
from costs.kept import Asked, Made

STUDENTS_A_PAGE = 50


def made(asked: Asked, now: datetime) -> Made:
    """Written without a request: for every reader of the zone and the language alike."""
    with translation.override(asked.language):
        return _written(asked, now)


def _written(asked: Asked, now: datetime) -> Made:
    page = dashboard.spend_page(asked.scopes, now)
    facts = {
        "page": page,
        "now": now,
        "rate": shared_rate(page.scopes, now),
        "alerts": dashboard.open_alerts(asked.told_to),
        **_students(page, asked, now),
        **shown_days(page.days, page.services, now),
    }
    head = ""
    with timezone.override(ZoneInfo(asked.zone)):
        if asked.moves:
            main = render_to_string("costs/_spend_moves.html", facts | {"as_fragment": True})
        else:
            head, main = (render_to_string(f"costs/_spend_{part}.html", facts) for part in ("head", "main"))
    return Made(head, main, page.on_now, page.forgotten_burning.lights)


def _students(page: dashboard.SpendPage, asked: Asked, now: datetime) -> dict[str, Any]:
    """A page of those whose name or address has the letters. place: the address of just this, for the poll."""
    shown = Paginator(page.found(asked.letters), STUDENTS_A_PAGE).get_page(asked.number)
    trends = dashboard.trends_of([row.person.pk for row in shown], asked.scopes, now)
    place = {"q": asked.letters} if asked.letters else {}
    return {
        "q": asked.letters,
        "shown": shown,
        "students": [replace(row, trend=trends[row.person.pk]) for row in shown],
        "found": urlencode(place),
        "place": urlencode(place | ({"page": shown.number} if shown.number > 1 else {})),
    }
