"""What moves by itself on a page (static/app.js), in a browser, without a server behind it."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.browser
SCRIPT = (Path(__file__).parent.parent / "static/app.js").read_text()
NOW = "2025-09-18T08:17:00Z"


@pytest.fixture
def open_page(page):
    """open_page(body) shows it at NOW, as the server says; the reader's own clock is an hour and a half wrong."""

    def opened(body, head=""):
        page.route(
            "http://lightsout.test/**",
            lambda route: route.fulfill(
                content_type="text/html; charset=utf-8",
                body=f'<!doctype html><html lang="en" data-now="{NOW}"><head>{head}<script>{SCRIPT}</script></head>'
                f'<body>{body}<div role="status" id="said"></div></body></html>',
            ),
        )
        page.clock.install(time="2025-09-18T09:46:00Z")
        page.clock.pause_at("2025-09-18T09:47:00Z")
        page.goto("http://lightsout.test/")
        return page

    return opened


def test_the_meter_ticks_by_the_servers_clock(open_page):
    page = open_page(
        '<b data-meter-rate="36" data-meter-base="1.5" data-meter-at="2025-09-18T08:16:00Z">$1.50</b>'
        '<i data-meter-rate="0.0416" data-meter-base="0" data-meter-at="2025-09-18T07:17:00Z"'
        ' data-meter-digits="4"></i>'
    )
    assert page.text_content("b") == "$2.10"  # one minute at 1 cent a second
    assert page.text_content("i") == "$0.0416"
    page.clock.run_for(10_000)
    assert page.text_content("b") == "$2.20"


def test_the_meter_stops_where_the_lab_goes_off(open_page):
    page = open_page(
        '<b data-meter-rate="36" data-meter-base="0" data-meter-at="2025-09-18T08:17:00Z"'
        ' data-meter-until="2025-09-18T08:17:05Z"></b>'
    )
    page.clock.run_for(60_000)
    assert page.text_content("b") == "$0.05"


def test_a_meter_without_a_price_keeps_the_servers_word(open_page):
    page = open_page('<b data-meter-rate="unpriced" data-meter-base="" data-meter-at="">unpriced</b>')
    page.clock.run_for(2_000)
    assert page.text_content("b") == "unpriced"


@pytest.mark.parametrize(
    ("until", "words"),
    [
        ("2025-09-18T09:30:30Z", "1 h 13 m"),
        ("2025-09-18T08:21:20Z", "4 m 20 s"),
        ("2025-09-24T10:20:00Z", "6 d 2 h"),
        ("2025-09-18T08:00:00Z", "now"),
    ],
)
def test_a_countdown_says_the_same_words_as_the_server(open_page, until, words):
    assert open_page(f'<b data-until="{until}" data-over="now">?</b>').text_content("b") == words


def test_a_countdown_counts_down(open_page):
    page = open_page(
        '<b data-until="2025-09-18T08:17:42Z"></b><i data-since="2025-09-18T08:16:40Z" data-ago=" ago"></i>'
    )
    assert (page.text_content("b"), page.text_content("i")) == ("42 s", "20 s ago")
    page.clock.run_for(2_000)
    assert (page.text_content("b"), page.text_content("i")) == ("40 s", "22 s ago")


def test_the_theme_follows_the_system_until_one_is_chosen(open_page):
    page = open_page('<form action="/theme/"><button data-theme-toggle>Dark or light</button></form>')
    page.emulate_media(color_scheme="dark")
    assert page.get_attribute("html", "data-bs-theme") == "dark"
    page.click("button")
    assert page.url == "http://lightsout.test/"  # no round trip
    assert page.get_attribute("html", "data-bs-theme") == "light"
    page.reload()
    assert page.get_attribute("html", "data-bs-theme") == "light"
    assert "theme=light" in page.evaluate("document.cookie")


def test_a_dialog_opens_instead_of_the_page_it_stands_for_and_closes(open_page):
    page = open_page(
        '<a href="/finish/" data-dialog="finish">Finish lab</a>'
        '<dialog id="finish"><button type="button" data-close>Keep it on</button></dialog>'
    )
    page.click("a")
    assert page.url == "http://lightsout.test/"
    assert page.is_visible("dialog")
    page.click("[data-close]")
    assert not page.is_visible("dialog")


def test_copy_says_that_it_copied(open_page, context):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = open_page('<pre id="key">export A=1</pre><button data-copy="key">Copy</button>')
    # Only https and this machine have a clipboard: elsewhere the text is selected, to be copied by hand.
    page.click("button")
    assert page.text_content("#said") == "Selected. Copy it with Ctrl+C."
    assert page.evaluate("getSelection().toString()") == "export A=1"
    page.evaluate(
        "Object.defineProperty(navigator, 'clipboard', {value: {writeText: t => (window.kept = t, Promise.resolve())}})"
    )
    page.click("button")
    assert page.evaluate("kept") == "export A=1"
    assert page.text_content("button") == "Copied"
    page.clock.run_for(2_100)
    assert page.text_content("button") == "Copy"


def test_a_guarded_button_wakes_for_the_exact_words_only(open_page):
    page = open_page('<input data-guard="sep-2025" data-for="go"><button id="go" disabled>Turn off 9 lights</button>')
    page.fill("input", "sep-202")
    assert page.is_disabled("#go")
    page.fill("input", " sep-2025 ")
    assert page.is_enabled("#go")
    page.fill("input", "Sep-2025")
    assert page.is_disabled("#go")


def test_the_bulk_bar_counts_and_sums_and_owns_up_to_what_is_unpriced(open_page):
    page = open_page(
        '<div data-bulk hidden><output data-by="by Mon 21:00"></output></div><input type="checkbox" data-all>'
        '<input type="checkbox" class="one" data-cost="680.50"><input type="checkbox" class="one" data-cost="1034.11">'
        '<input type="checkbox" class="one" data-cost="">'
    )
    assert not page.is_visible("[data-bulk]")
    page.check(".one >> nth=0")
    assert page.text_content("output") == "1 selected, $680.50 by Mon 21:00"
    page.check("[data-all]")
    assert page.text_content("output") == "3 selected, $1,714.61 by Mon 21:00, 1 unpriced"
    page.uncheck("[data-all]")
    assert not page.is_visible("[data-bulk]")


def test_a_row_opens_and_closes_by_its_button(open_page):
    page = open_page(
        '<button aria-expanded="false" aria-controls="more">Lab 2</button><p id="more" hidden>Readings</p>'
    )
    page.click("button")
    assert page.get_attribute("button", "aria-expanded") == "true"
    assert page.is_visible("#more")
    page.click("button")
    assert not page.is_visible("#more")


def test_a_search_field_hides_the_rows_that_do_not_match(open_page):
    page = open_page(
        '<input data-filter="students">'
        '<table id="students"><tbody><tr><td>Thiri</td></tr><tr><td>Daniel</td></tr></tbody></table>'
    )
    page.fill("input", "dAN")
    assert [row.is_visible() for row in page.locator("tr").all()] == [False, True]


def test_a_pressed_button_says_so_and_is_not_pressed_twice(open_page):
    page = open_page(
        '<form method="post" action="/check/"><button data-busy="Checking…"><svg></svg>Check it</button></form>'
    )
    # The form is never on its way for long enough to look at: here it does not leave at all.
    page.evaluate("document.querySelector('form').addEventListener('submit', e => e.preventDefault())")
    page.click("button")
    page.clock.run_for(10)
    assert page.text_content("button") == "Checking…"
    assert page.is_disabled("button")


def test_escape_and_a_click_elsewhere_close_the_menu(open_page):
    page = open_page('<h1>Page</h1><details class="dropdown"><summary>Menu</summary>Sign out</details>')
    for leave in (lambda: page.keyboard.press("Escape"), lambda: page.click("h1")):
        page.click("summary")
        assert page.get_attribute("details", "open") is not None
        leave()
        assert page.get_attribute("details", "open") is None


def test_offline_is_said_until_it_is_over(open_page, context):
    page = open_page("<p data-offline hidden>You are offline.</p>")
    context.set_offline(True)
    assert page.is_visible("[data-offline]")
    context.set_offline(False)
    assert not page.is_visible("[data-offline]")


def test_a_script_says_it_in_the_pages_language(open_page):
    words = '<script type="application/json" data-words>{"%(n)s h": "%(n)s နာရီ", "%(n)s m": "%(n)s မိနစ်"}</script>'
    page = open_page('<b data-until="2025-09-18T09:30:00Z">1 h 13 m</b>', head=words)
    assert page.text_content("b") == "1 နာရီ 13 မိနစ်"
    assert page.evaluate("translated('%(name)s is not sent.', {name: 'a %(n)s.csv'})") == "a %(n)s.csv is not sent."
