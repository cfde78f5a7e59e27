"""What the ledger wrote down, in the reader's language: {% load records %}{{ event.words|retold }}."""

from __future__ import annotations

from django import template

from labs import retelling

register = template.Library()


@register.filter
def retold(written) -> str:
    """As it was written where its sentence is not known (labs/retelling.py)."""
    return retelling.retold(str(written or ""))
