"""Stored English in the reader's language: {% load retold %}{{ finding.sentence|retold }}."""

from django import template

from costs import retelling

register = template.Library()


@register.filter
def retold(stored):
    """As it was stored where it is not known (costs/retelling.py)."""
    return retelling.retold(str(stored or ""))
