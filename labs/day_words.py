"""Days and months in the reader's language, for sentences; templates have Django's |date, which reads the same words.

Figures are Latin in every language. The English is what strftime writes: "Thu", "18", "Sep".
"""

from __future__ import annotations

from datetime import date

from django.utils.dates import MONTHS, MONTHS_3, WEEKDAYS, WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, pgettext_lazy

# Django's own messages, named here so that our catalog has them: Django's Burmese has a few of them only.
KNOWN_TO_DJANGO = [
    *(gettext_noop("Monday"), gettext_noop("Tuesday"), gettext_noop("Wednesday"), gettext_noop("Thursday")),
    *(gettext_noop("Friday"), gettext_noop("Saturday"), gettext_noop("Sunday")),
    *(gettext_noop("Mon"), gettext_noop("Tue"), gettext_noop("Wed"), gettext_noop("Thu"), gettext_noop("Fri")),
    *(gettext_noop("Sat"), gettext_noop("Sun")),
    *(gettext_noop("January"), gettext_noop("February"), gettext_noop("March"), gettext_noop("April")),
    *(gettext_noop("May"), gettext_noop("June"), gettext_noop("July"), gettext_noop("August")),
    *(gettext_noop("September"), gettext_noop("October"), gettext_noop("November"), gettext_noop("December")),
    *(gettext_noop("jan"), gettext_noop("feb"), gettext_noop("mar"), gettext_noop("apr"), gettext_noop("may")),
    *(gettext_noop("jun"), gettext_noop("jul"), gettext_noop("aug"), gettext_noop("sep"), gettext_noop("oct")),
    *(gettext_noop("nov"), gettext_noop("dec")),
]


def weekday(day: date) -> str:
    """ "Thu"."""
    return str(WEEKDAYS_ABBR[day.weekday()])


# As calendars write them over their columns, which in Burmese is shorter than in a sentence.
NARROW = (
    *(pgettext_lazy("column of a week", "Mon"), pgettext_lazy("column of a week", "Tue")),
    *(pgettext_lazy("column of a week", "Wed"), pgettext_lazy("column of a week", "Thu")),
    *(pgettext_lazy("column of a week", "Fri"), pgettext_lazy("column of a week", "Sat")),
    pgettext_lazy("column of a week", "Sun"),
)


def narrow_weekday(day: date) -> str:
    """ "Thu", where there is little room."""
    return str(NARROW[day.weekday()])


def whole_weekday(day: date) -> str:
    """ "Thursday"."""
    return str(WEEKDAYS[day.weekday()])


def month(day: date) -> str:
    """ "Sep"."""
    return str(MONTHS_3[day.month]).title()


def whole_month(day: date) -> str:
    """ "September"."""
    return str(MONTHS[day.month])


def written_day(day: date, *, with_weekday: bool = True, with_year: bool = False) -> str:
    """ "Thu 18 Sep", "Thu 18 Sep 2025", "18 Sep", "18 Sep 2025"."""
    facts = {"weekday": weekday(day), "day": day.day, "month": month(day), "year": day.year}
    if with_weekday:
        form = _("%(weekday)s %(day)s %(month)s %(year)s") if with_year else _("%(weekday)s %(day)s %(month)s")
    else:
        form = _("%(day)s %(month)s %(year)s") if with_year else _("%(day)s %(month)s")
    return form % facts
