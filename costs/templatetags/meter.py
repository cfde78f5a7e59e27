"""The meter of a lab, for pages that know nothing of money: {% load meter %}{% launch_meter launch now as meter %}."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy

from costs import dashboard
from costs.kinds import label_of

register = template.Library()
LEAST = Decimal("0.0001")
# Of a price, what the book keeps; the page of readings says what each means.
HOW_SURE = {
    "list": pgettext_lazy("how sure a price is", "list"),
    "quoted": pgettext_lazy("how sure a price is", "quoted"),
    "indicative": pgettext_lazy("how sure a price is", "indicative"),
    "derived": pgettext_lazy("how sure a price is", "derived"),
    "unofficial": pgettext_lazy("how sure a price is", "unofficial"),
}


@register.simple_tag
def launch_meter(launch, now):
    """A costs.dashboard.LaunchMeter. Two queries, and the price book's."""
    return dashboard.launch_meter(launch, now)


@register.simple_tag
def rate_of(meter, row):
    """USD an hour of one resource, as a table shows it: four decimals, "unpriced", "free" where nothing is billed."""
    rate = meter.rates.get(row.pk)
    if rate is None or row.closed_at is not None:
        return "0"
    if rate.unpriced:
        return _("unpriced")
    return (
        f"{rate.usd_per_hour.quantize(Decimal('0.0001'), ROUND_HALF_UP)}"
        if rate.lines
        else pgettext("of charge", "free")
    )


@register.filter
def usd4(amount):
    """$0.1432: where cents hide what ticks. None is unknown, never $0; what is not nothing is never $0.0000."""
    if amount is None:
        return _("unknown")
    rounded = Decimal(amount).quantize(LEAST, ROUND_HALF_UP)
    return _("under $%(usd)s") % {"usd": LEAST} if amount > 0 and not rounded else f"${rounded:,}"


register.filter(label_of)


@register.filter
def how_sure(confidence):
    """In one word, what the book keeps of a price; a word that is not known as it is."""
    return HOW_SURE.get(confidence, confidence)


@register.filter
def round_usd(amount):
    """A round amount on an axis, with the decimals that it has and no others: $5, $0.20, $0.005."""
    text = f"{Decimal(amount).normalize():f}"
    whole, _, part = text.partition(".")
    return f"${int(whole):,}" + (f".{part.ljust(2, '0')}" if part else "")


@register.filter
def is_light(row, meter):
    """Costs money now, or may: what has no price counts as a light that is on."""
    rate = meter.rates.get(row.pk)
    return rate is not None and rate.is_light
