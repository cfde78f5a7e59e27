"""How things are shown: icons, states, money, durations, instants, Markdown. A builtin of every template.

An icon or a state that does not exist raises: a page with a hole where a state should be is worse than a test that
fails. `None` is always shown as a word ("unknown", "unpriced"), never as 0.
"""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext
from django.utils.translation import gettext as _

from labs.day_words import narrow_weekday, weekday, written_day
from portal import prose
from portal import script_words as words_of_scripts

register = template.Library()

# state: icon, colour, word. "Amber means that a light is on": only `running` and what is near a limit are amber.
STATES = {
    "waiting": ("circle-dashed", "text-secondary", gettext_lazy("Waiting")),
    "pending": ("loader-2", "text-secondary", gettext_lazy("Creating")),
    "creating": ("loader-2", "text-secondary", gettext_lazy("Creating")),
    "starting": ("loader-2", "text-secondary", gettext_lazy("Starting")),
    "updating": ("loader-2", "text-secondary", gettext_lazy("Updating")),
    "running": ("bulb!", "text-warning", gettext_lazy("Running")),
    "stopping": ("hourglass-low", "text-secondary", gettext_lazy("Stopping")),
    "stopped": ("player-stop", "text-secondary", gettext_lazy("Stopped")),
    "deleting": ("hourglass-low", "text-secondary", gettext_lazy("Deleting")),
    "gone": ("bulb-off", "text-secondary", gettext_lazy("Gone")),
    "failed": ("alert-triangle!", "text-danger", gettext_lazy("Failed")),
    "stuck": ("alert-triangle!", "text-danger", gettext_lazy("Stuck")),
    "blocked": ("alert-triangle!", "text-danger", gettext_lazy("Blocked")),
    "unknown": ("help-circle", "text-secondary", gettext_lazy("Unknown")),
    "ok": ("circle-check!", "text-success", gettext_lazy("OK")),
    "warn": ("alert-triangle!", "text-warning", gettext_lazy("Near budget")),
    "locked": ("lock", "text-danger", gettext_lazy("Paused at budget")),
    "active": ("circle-check", "text-secondary", gettext_lazy("Active")),
    "new": ("mail", "text-secondary", gettext_lazy("Invited")),
}
TICKS = {
    "ok": ("circle-check!", "text-success"),
    "bad": ("alert-triangle!", "text-danger"),
    "open": ("circle-dashed", "text-secondary"),
}
CENT = Decimal("0.01")


@cache
def _drawings():
    return json.loads((settings.BASE_DIR / "static/vendor/tabler-icons.json").read_text())


@register.simple_tag
def icon(name, cls="", label=None):
    """A Tabler icon as inline SVG; "bulb!" is the filled one. Without a label it is hidden from screen readers.

    Raises LookupError for an icon that is not vendored (`manage.py vendor --icon NAME` adds one).
    """
    return _drawn(str(name), str(cls), label and str(label))


# A page of 500 students draws a thousand icons, of which a handful differ.
@lru_cache(maxsize=1024)
def _drawn(name, cls, label):
    if name not in _drawings():
        raise LookupError(f"No icon {name!r} in static/vendor/tabler-icons.json.")
    line = 'fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round"'
    paint = 'fill="currentColor"' if name.endswith("!") else line
    said = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html(
        '<svg class="{}" width="24" height="24" viewBox="0 0 24 24" {} {}>{}</svg>',
        f"icon {cls}".strip(),
        mark_safe(paint),  # noqa: S308  one of the two above
        said,
        mark_safe(_drawings()[name]),  # noqa: S308  our own vendored file
    )


@register.simple_tag
def state(kind, label=None):
    """A state as icon, word and colour. "" (never observed) is shown as unknown; raises LookupError for another."""
    if (kind or "unknown") not in STATES:
        raise LookupError(f"No state {kind!r} in portal/templatetags/look.py.")
    drawing, colour, word = STATES[kind or "unknown"]
    extra = {"loader-2": " icon-rotate", "bulb!": " lo-fill"}.get(drawing, "")
    return format_html(
        '<span class="lo-st {}">{}{}</span>', colour, icon(drawing, f"icon-inline{extra}"), label or word
    )


@register.simple_tag
def tick(kind, label):
    """One line of a checklist, as <li>: ok, bad or open."""
    drawing, colour = TICKS[kind]
    said = {"ok": _("Done:"), "bad": _("Problem:"), "open": _("Open:")}[kind]
    return format_html(
        '<li class="lo-st fw-normal {}">{}<span><span class="visually-hidden">{} </span>{}</span></li>',
        colour,
        icon(drawing, "icon-inline"),
        said,
        label,
    )


# --- money ---------------------------------------------------------------------------------------------


def _rounded(amount, step):
    return Decimal(str(amount)).quantize(step, ROUND_HALF_UP)


def _dollars(amount, step):
    figure = _rounded(amount, step)
    return f"-${-figure:,}" if figure < 0 else f"${abs(figure):,}"


@register.filter
def usd(amount):
    """USD with cents: "$342.76"; None is "unknown"."""
    return _("unknown") if amount is None else _dollars(amount, CENT)


@register.filter
def usd_short(amount):
    """For forecasts: no cents from $100 up ("$395"), else as `usd`."""
    if amount is None or abs(_rounded(amount, CENT)) < 100:
        return usd(amount)
    return _dollars(amount, Decimal(1))


@register.filter
def rate(amount):
    """USD an hour, in a table: "0.0416" below $1, "14.69" from $1 up, "0" for nothing; None is "unpriced"."""
    if amount is None:
        return _("unpriced")
    if not amount:
        return "0"
    return f"{_rounded(amount, CENT if abs(amount) >= 1 else Decimal('0.0001')):,}"


@register.filter
def rate_h(amount):
    """USD an hour, in a headline: "$0.05/h". What would round to $0.00 keeps four decimals, if they show anything;
    None is "unpriced"."""
    if amount is None:
        return _("unpriced")
    small = Decimal("0.00005") <= abs(amount) < Decimal("0.005")
    return _("%(usd)s/h") % {"usd": _dollars(amount, Decimal("0.0001") if small else CENT)}


# --- time ----------------------------------------------------------------------------------------------


@register.filter
def lasting(length):
    """A timedelta, or seconds, in two units at most: "42 s", "4 m 20 s", "9 m", "1 h 13 m", "6 d 2 h".

    Seconds only under 5 minutes; hours up to 72, then days. Rounded down; below zero is "0 s"; None is "unknown".
    """
    if length is None:
        return _("unknown")
    seconds = length.total_seconds() if isinstance(length, timedelta) else float(length)
    seconds = max(0, int(seconds))
    minutes, hours = seconds // 60, seconds // 3600
    if seconds < 300:
        parts = [_minutes(minutes), _seconds(seconds % 60)]
    elif hours < 72:
        parts = [_hours(hours), _minutes(minutes % 60)]
    else:
        parts = [_days(hours // 24), _hours(hours % 24)]
    return " ".join(filter(None, parts)) or _seconds(0, even_none=True)


def _days(n):
    return pgettext("length of time", "%(n)s d") % {"n": n} if n else ""


def _hours(n):
    return pgettext("length of time", "%(n)s h") % {"n": n} if n else ""


def _minutes(n):
    return pgettext("length of time", "%(n)s m") % {"n": n} if n else ""


def _seconds(n, even_none=False):
    return pgettext("length of time", "%(n)s s") % {"n": n} if n or even_none else ""


register.filter(narrow_weekday)


def zone_name(zone):
    """What people call a zone: "Yangon" for Asia/Yangon."""
    return str(zone).rsplit("/", 1)[-1].replace("_", " ")


def zone_offset(zone, at):
    """ "UTC+6:30" for Asia/Yangon, "UTC" without an offset."""
    minutes = int(at.astimezone(zone).utcoffset().total_seconds()) // 60
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")


def _day(local, this_year):
    return written_day(local, with_year=local.year != this_year)


def day_and_time(local):
    """ "Thu 23:59": within a week."""
    return _("%(weekday)s %(time)s") % {"weekday": weekday(local), "time": f"{local:%H:%M}"}


def written(at, style, zone, now):
    """An instant in words, in `zone`. `style`: date, time, datetime, or full (a receipt's: year, seconds and zone)."""
    local = at.astimezone(zone)
    day, clock = _day(local, now.astimezone(zone).year), f"{local:%H:%M}"
    return {
        "date": day,
        "time": clock,
        "datetime": _("%(day)s, %(time)s") % {"day": day, "time": clock},
        "full": _("%(day)s, %(time)s %(zone)s (%(offset)s)")
        % {
            "day": _day(local, None),
            "time": f"{local:%H:%M:%S}",
            "zone": zone_name(zone),
            "offset": zone_offset(zone, at),
        },
    }[style]


def _element(at, words, wraps=False):
    start = mark_safe("<time" if wraps else '<time class="n"')  # noqa: S308  one of the two
    return format_html('{} datetime="{}">{}</time>', start, at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), words)


def _now(context):
    return context.get("now") or timezone.now()


@register.simple_tag(takes_context=True)
def instant(context, at, style="datetime"):
    """<time> in the reader's zone, its attribute in UTC. `style` as in `written`; a bare date has style "date" only.

    None is "unknown". The year shows when it is not the year of the page's `now`.
    """
    if at is None:
        return _("unknown")
    now = _now(context)
    if isinstance(at, date) and not isinstance(at, datetime):
        year = now.astimezone(timezone.get_current_timezone()).year
        return format_html('<time class="n" datetime="{}">{}</time>', at.isoformat(), _day(at, year))
    if timezone.is_naive(at):
        raise ValueError(f"{at!r} has no zone: instants are aware, in UTC.")
    return _element(at, written(at, style, timezone.get_current_timezone(), now))


@register.simple_tag(takes_context=True)
def both_zones(context, at, cohort_zone, style="datetime"):
    """A deadline in the cohort's zone and, where that differs, in the reader's too.

    "Thu 18 Sep, 23:59 Yangon (Fri 01:29 for you)"; with style "day": "Thu 23:59 Yangon (Fri 01:29 for you)"; for a
    reader of the same zone without the zones. With "full" to the second with its zone for all; that wraps.
    `cohort_zone`: an IANA name or a ZoneInfo.
    """
    zone = ZoneInfo(str(cohort_zone))
    here = timezone.get_current_timezone()
    there, mine = at.astimezone(zone), at.astimezone(here)
    words = day_and_time(there) if style == "day" else written(at, style, zone, _now(context))
    if there.utcoffset() != mine.utcoffset():
        facts = {"there": words, "zone": zone_name(zone), "here": day_and_time(mine)}
        form = _("%(there)s (%(here)s for you)") if style == "full" else _("%(there)s %(zone)s (%(here)s for you)")
        words = form % facts
    return _element(at, words, wraps=style == "full")


@register.simple_tag
def script_words(*scripts):
    """What these scripts of static/ say (portal/script_words.py), as JSON for them; "" on a page in English."""
    if get_language() == settings.LANGUAGE_CODE:
        return ""
    told = {english: words for script in scripts for english, words in words_of_scripts.of(script).items()}
    # As json_script does, but in letters: written as \uXXXX Burmese would be twice as long.
    plain = json.dumps(told, ensure_ascii=False).translate({ord(mark): f"\\u{ord(mark):04X}" for mark in "<>&"})
    return format_html('<script type="application/json" data-words>{}</script>\n', mark_safe(plain))  # noqa: S308


# --- text and files --------------------------------------------------------------------------------------


@register.filter
def markdown(text, top=2):
    """Markdown as safe HTML; the highest heading becomes <h{top}>. Put it in an element of class `markdown`."""
    return mark_safe(prose.render(text or "", int(top)))  # noqa: S308  sanitised by prose.render


@register.filter
def filesize_short(size):
    """Bytes as people say them: "812 bytes", "4.2 KB", "412 MB" (1 KB = 1,024 bytes)."""
    if size is None:
        return _("unknown")
    if size < 1024:
        return ngettext("%(n)s byte", "%(n)s bytes", size) % {"n": size}
    figure = Decimal(size)
    for unit in ("KB", "MB", "GB", "TB"):
        figure /= 1024
        if _rounded(figure, Decimal(1)) < 1000 or unit == "TB":
            break
    tenths = _rounded(figure, Decimal("0.1"))
    shown = tenths if tenths < 10 and tenths % 1 else _rounded(figure, Decimal(1))
    return f"{shown:,} {unit}"
