"""How things are shown, and the frame around every page."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template
from django.utils import timezone, translation
from hypothesis import given
from hypothesis import strategies as st

from portal.templatetags import look

NOW = datetime(2025, 9, 18, 8, 17, tzinfo=UTC)  # Thu 14:47 in Yangon
YANGON, SINGAPORE, LONDON = ZoneInfo("Asia/Yangon"), ZoneInfo("Asia/Singapore"), ZoneInfo("Europe/London")


def shown(template, zone=YANGON, **world):
    with timezone.override(zone):
        return Template(template).render(Context({"now": NOW, **world}))


# --- icons and states --------------------------------------------------------------------------------------


def test_an_icon_is_hidden_beside_a_word_and_named_without_one():
    assert 'aria-hidden="true"' in look.icon("bulb")
    assert 'role="img" aria-label="Locked &quot;now&quot;"' in look.icon("lock", "text-secondary", 'Locked "now"')


def test_the_filled_icon_is_painted_and_the_outline_is_drawn():
    assert 'fill="currentColor"' in look.icon("bulb!")
    assert 'stroke="currentColor"' in look.icon("bulb")


@pytest.mark.parametrize("tag", ['{% icon "no-such-thing" %}', '{% state "dreaming" %}'])
def test_an_unknown_icon_or_state_raises_rather_than_leave_a_hole(tag):
    with pytest.raises(LookupError):
        shown(tag)


@pytest.mark.parametrize("kind", look.STATES)
def test_every_state_has_an_icon_a_word_and_a_colour(kind):
    html = look.state(kind)
    assert "<svg" in html
    assert str(look.STATES[kind][2]) in html
    assert look.STATES[kind][1] in html


def test_only_a_light_that_is_on_is_filled_amber():
    assert [kind for kind in look.STATES if "lo-fill" in look.state(kind)] == ["running"]


def test_what_was_never_observed_is_unknown():
    assert "Unknown" in look.state("")


def test_a_label_takes_the_place_of_the_word_and_is_escaped():
    assert "Left on &lt;b&gt;" in look.state("running", "Left on <b>")


def test_a_tick_says_in_words_what_its_icon_says():
    assert "Problem:" in shown('{% tick "bad" "1 key to remove" %}')


# --- money -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("as_filter", "amount", "words"),
    [
        ("usd", Decimal("342.755"), "$342.76"),
        ("usd", Decimal("1126"), "$1,126.00"),
        ("usd", Decimal("-3.2"), "-$3.20"),
        ("usd", Decimal("-0.001"), "$0.00"),
        ("usd", None, "unknown"),
        ("usd_short", Decimal("394.6"), "$395"),
        ("usd_short", Decimal("99.994"), "$99.99"),
        ("usd_short", Decimal("99.996"), "$100"),
        ("usd_short", None, "unknown"),
        ("rate", Decimal("0.0416"), "0.0416"),
        ("rate", Decimal("14.688"), "14.69"),
        ("rate", Decimal("0"), "0"),
        ("rate", None, "unpriced"),
        ("rate_h", Decimal("0.0499"), "$0.05/h"),
        ("rate_h", Decimal("0.0033"), "$0.0033/h"),  # not $0.00: it does cost something
        ("rate_h", Decimal("0"), "$0.00/h"),
        ("rate_h", None, "unpriced"),
    ],
)
def test_money_as_the_design_writes_it(as_filter, amount, words):
    assert getattr(look, as_filter)(amount) == words


# --- time --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (0, "0 s"),
        (-7, "0 s"),
        (42.9, "42 s"),
        (260, "4 m 20 s"),
        (299, "4 m 59 s"),
        (300, "5 m"),
        (timedelta(hours=1, minutes=13, seconds=59), "1 h 13 m"),
        (timedelta(hours=2), "2 h"),
        (timedelta(hours=71, minutes=59), "71 h 59 m"),
        (timedelta(hours=72), "3 d"),
        (timedelta(days=6, hours=2, minutes=50), "6 d 2 h"),
        (None, "unknown"),
    ],
)
def test_a_duration_has_two_units_at_most(length, words):
    assert look.lasting(length) == words


@given(st.floats(min_value=0, max_value=1e8))
def test_a_duration_never_says_more_than_has_passed(seconds):
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    words = look.lasting(seconds).split()
    told = sum(int(figure) * units[unit] for figure, unit in zip(words[::2], words[1::2], strict=True))
    assert told <= seconds < told + units[words[-1]] * 60


def test_an_instant_is_in_the_readers_zone_and_its_attribute_in_utc():
    due = datetime(2025, 9, 18, 17, 29, 59, tzinfo=UTC)
    html = shown("{% instant due %}", due=due)
    assert html == '<time class="n" datetime="2025-09-18T17:29:59Z">Thu 18 Sep, 23:59</time>'
    assert "Fri 19 Sep, 01:29" in shown("{% instant due %}", SINGAPORE, due=due)


@pytest.mark.parametrize(
    ("style", "words"),
    [
        ("date", "Thu 18 Sep"),
        ("time", "14:47"),
        ("datetime", "Thu 18 Sep, 14:47"),
        ("full", "Thu 18 Sep 2025, 14:47:00 Yangon (UTC+6:30)"),
    ],
)
def test_the_four_ways_to_write_an_instant(style, words):
    assert f">{words}<" in shown("{% instant at style %}", at=NOW, style=style)


def test_the_year_shows_when_it_is_another():
    assert "Sat 3 Jan 2026" in shown('{% instant at "date" %}', at=datetime(2026, 1, 3, tzinfo=UTC))


def test_the_year_is_the_readers_own_at_new_year():
    eve = datetime(2025, 12, 31, 18, tzinfo=UTC)  # 00:30 on 1 January in Yangon, 18:00 on the 31st in London
    assert ">Thu 1 Jan<" in shown('{% instant at "date" %}', YANGON, at=eve, now=eve)
    assert ">Thu 1 Jan 2026<" in shown('{% instant at "date" %}', YANGON, at=eve)
    assert ">Wed 31 Dec<" in shown('{% instant at "date" %}', LONDON, at=eve)


def test_a_bare_date_and_nothing_at_all():
    assert (
        shown('{% instant on "date" %}', on=date(2025, 9, 6))
        == '<time class="n" datetime="2025-09-06">Sat 6 Sep</time>'
    )
    assert shown("{% instant at %}", at=None) == "unknown"


def test_an_instant_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="aware"):
        shown("{% instant at %}", at=datetime(2025, 9, 18))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("zone", "style", "words"),
    [
        (YANGON, "datetime", "Thu 18 Sep, 23:59"),
        (SINGAPORE, "datetime", "Thu 18 Sep, 23:59 Yangon (Fri 01:29 for you)"),
        (SINGAPORE, "day", "Thu 23:59 Yangon (Fri 01:29 for you)"),
        (LONDON, "day", "Thu 23:59 Yangon (Thu 18:29 for you)"),
    ],
)
def test_a_deadline_is_told_in_both_zones_when_they_differ(zone, style, words):
    due = datetime(2025, 9, 18, 17, 29, 59, tzinfo=UTC)
    assert f">{words}<" in shown('{% both_zones due "Asia/Yangon" style %}', zone, due=due, style=style)


@pytest.mark.parametrize(
    ("zone", "words"),
    [("Asia/Yangon", "UTC+6:30"), ("UTC", "UTC"), ("America/New_York", "UTC-4"), ("Asia/Kathmandu", "UTC+5:45")],
)
def test_a_zone_is_named_with_its_offset(zone, words):
    assert look.zone_offset(ZoneInfo(zone), NOW) == words


# --- text and files ----------------------------------------------------------------------------------------


class Elements(HTMLParser):
    """Every element of some HTML as a browser would read it: [(tag, {attribute: value})]."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        '<img src=x onerror="alert(1)">',
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        '![x](x.png "a\\" onerror=alert(1) ")',
        "<style>body{display:none}</style>",
        "```\n</code></pre><script>alert(1)</script>\n```",
        '```"><script>alert(1)</script>\nx\n```',
        "| a |\n|---|\n| <iframe src=//evil> |",
    ],
)
def test_nothing_in_markdown_runs_or_styles(evil):
    written = Elements(look.markdown(evil)).found
    assert not {tag for tag, _ in written} & {"script", "style", "iframe", "form", "input", "svg"}
    names = {name for _, attributes in written for name in attributes}
    assert names <= {"href", "src", "alt", "title", "rel", "class", "scope", "tabindex", "role", "aria-label"}
    for _, attributes in written:
        assert not attributes.get("href", "").startswith(("javascript:", "data:"))


def test_headings_follow_the_pages_own_without_a_gap():
    html = look.markdown("### First\n\n##### Under it\n\n### Second", 3)
    assert re.findall(r"<(h\d)>", html) == ["h3", "h4", "h3"]


def test_code_is_coloured_and_can_be_scrolled_by_keyboard():
    html = look.markdown('```python\nprint("<b>")\n```')
    assert '<pre tabindex="0">' in html
    assert '<span class="nb">print</span>' in html
    assert "&lt;b&gt;" in html


def test_a_table_keeps_its_alignment_without_styles():
    html = look.markdown("| a | b |\n|---|--:|\n| 1 | 2 |")
    assert '<td class="text-end">2</td>' in html
    assert '<th scope="col">a</th>' in html


def test_html_in_markdown_is_shown_not_obeyed():
    html = look.markdown('<b class="btn btn-danger">Press</b>')
    assert [tag for tag, _ in Elements(html).found] == ["p"]
    assert "Press" in html


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1023 bytes"),
        (1024, "1 KB"),
        (4300, "4.2 KB"),
        (20 * 1024 * 1024, "20 MB"),
        (412 * 1024 * 1024, "412 MB"),
        (1023 * 1024, "1 MB"),
        (967_000_000, "922 MB"),
        (None, "unknown"),
    ],
)
def test_sizes_as_people_say_them(size, words):
    assert look.filesize_short(size) == words


def test_figures_have_their_commas_in_burmese_too():
    with translation.override("my"):
        assert Template('{{ 12345.678|floatformat:"2g" }}').render(Context()) == "12,345.68"
