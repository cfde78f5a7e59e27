"""What a day of the schedule is called on a page. One place, so that Today, the week and the course say the same."""

from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from portal.schedule import ONBOARDING, OPTIONAL


class Line(NamedTuple):
    words: str
    at: object  # an instant, or None
    word_before: str = ""  # "by 23:59", "from 09:00"


QUIET = {"study": gettext_lazy("Study and case study"), "feedback": gettext_lazy("Instructor prepares feedback")}


def lines_of(day):
    """The Lines of a schedule.Day: one for each thing that was told, or one for what a quiet day is for."""
    if not day.events:
        words = QUIET.get(day.means) or (_("Happy weekend") if day.date.weekday() >= 5 else "")
        return [Line(words, None)] if words else []
    lines = []
    for event in day.events:
        together = [other.kind for other in day.events if other.at == event.at and other.number == event.number]
        if event.kind == "feedback" and "session" in together:
            continue  # said with the session
        lines.append(line_of(event, with_feedback=event.kind == "session" and "feedback" in together))
    return lines


def line_of(event, with_feedback=True):
    """The Line of one schedule.Event; a session is said with the feedback that comes with it."""
    if event.kind == "release":
        return Line(_opens(event.number), event.at)
    if event.kind == "due":
        return Line(_("Case study %(number)s due") % {"number": event.number}, event.at, pgettext("by 23:59", "by"))
    if event.kind == "feedback":
        return Line(_("Feedback is released"), event.at)
    if event.number == ONBOARDING:
        return Line(_("Onboarding, live"), event.at, pgettext("from 09:00", "from"))
    words = _("Feedback, hands-on, Q&A") if with_feedback else _("Live: hands-on, Q&A")
    return Line(words, event.at, pgettext("from 09:00", "from"))


def _opens(number):
    if number == ONBOARDING:
        return _("Onboarding opens")
    if number == OPTIONAL:
        return _("Optional lectures open")
    return _("Week %(number)s: theory and labs open") % {"number": number}
