"""How old the price book is: {% load book %}{% price_age now %}."""

from django import template

from costs.dashboard.book import price_age as age_of

register = template.Library()


@register.inclusion_tag("costs/_price_age.html")
def price_age(now, as_of=None):
    """A sentence about the whole book, by one query; about prices of the day `as_of`, by none."""
    return {"age": age_of(now, as_of)}
