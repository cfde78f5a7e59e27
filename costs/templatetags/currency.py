"""The cohort's own money beside USD: {% load currency %}{{ usd|about_in:rate }}, {% rate_of code now as rate %}."""

from decimal import Decimal

from django import template
from django.utils.translation import gettext as _

from costs import currency

register = template.Library()


@register.filter
def about_in(usd, rate):
    """ "about SGD 0.07"; "" where there is no rate or no amount, so that USD alone is shown."""
    if usd is None or rate is None or rate == "":
        return ""
    return _("about %(amount)s") % {"amount": rate.shown(Decimal(usd))}


@register.simple_tag
def rate_of(code, now):
    """The costs.currency.Rate of a currency; None where there is none. One query, none for USD and ""."""
    return currency.rate_of(code, now)
