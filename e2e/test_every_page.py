"""What axe finds on the pages of the product, as each role sees them, light and dark: nothing.

The pages are those of portal/tests/test_access_matrix.py, so that a new address is looked at when it gets its row. One
page is open in Chromium, with the stylesheets and axe; the others are put into it one after the other. Each address is
looked at once at least, and again as another role sees it where something on it was not seen before. Pages of Django's
admin are Django's.
"""

import re

import pytest
from django.conf import settings
from django.db import transaction
from django.urls import reverse

from e2e.screens import AXE, AXE_RULES
from portal.tests import test_access_matrix as matrix
from portal.tests.test_access_matrix import everybody, world  # noqa: F401  fixtures

# The clock of the world stands, as in the matrix.
pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db,
    pytest.mark.once,
    pytest.mark.slow,
    pytest.mark.usefixtures("clock", "lab"),
]
# aye has work and a lab, bo has nothing yet; who teaches another cohort, and root, see nothing that these do not.
WHO = ("aye", "bo", "chit", "admin", "nobody")
# Pages that look otherwise by what stands behind their address.
OTHERWISE = {
    "portal:assignment": "?view=preview",
    "portal:threads": "?only=open",
    "portal:feedback": "?part=1",
    "portal:review_desk": "?part=1",
    "portal:search": "?q=walrus2",
    "costs:mine": "?open=by-hand",
    "costs:readings": "?day=2025-09-18",
    "costs:spend": "?service=EC2",
    "costs:calculator": "?workload=own&type=c5.4xlarge&hours=2&days=30",
}
ORIGIN = "http://portal.test/"
PUT = """html => {
  const made = new DOMParser().parseFromString(html, 'text/html'), root = document.documentElement;
  document.title = made.title;
  root.lang = made.documentElement.lang;
  document.body.replaceWith(document.adoptNode(made.body));
  document.querySelector('dialog[data-open]')?.showModal();
}"""
# Of the frame, which is around every page, one look for each role is enough: {exclude} is empty then.
LOOK = """async ([theme, exclude, only]) => {
  document.documentElement.dataset.bsTheme = theme;
  const found = await axe.run({include: [['html']], exclude}, {runOnly: only, preload: false, iframes: false});
  return found.violations.map(one => one.id + ': ' + one.nodes.slice(0, 3).map(node => node.html).join(' | '));
}"""
FRAME = [["body > .page > .navbar"], ["body > .page > footer"], ["body > .page > .fixed-bottom"]]
BY_COLOUR = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}


def every_page(world, everybody):  # noqa: F811
    """[(address, who, HTML)]: all that the matrix says is shown, and what is said of a form that is not right."""
    clients = {who: matrix.signed_in(everybody[who]) for who in WHO}
    for name, method, *expected in matrix.ROWS:
        default = [world["launch"].pk] if name.startswith("labs:") else []
        address, form = reverse(name, args=world["args"].get(name, default)), world["forms"].get(name, {})
        for who, awaited in zip(matrix.PEOPLE, expected, strict=True):
            if who not in WHO or awaited not in ("200", "422") or name.startswith("admin:"):
                continue
            for query in ["", OTHERWISE[name]] if name in OTHERWISE else [""]:
                with transaction.atomic():
                    answer = getattr(clients[who], method.lower())(address + query, form)
                    transaction.set_rollback(True)
                if not answer.streaming and answer["Content-Type"].startswith("text/html"):
                    yield f"{method} {name}{query}", who, answer.content.decode()


def sorts_of_elements(html):
    """What axe could judge otherwise: tags with their classes and the names of their attributes."""
    page = html.partition("<main")[2].partition("</main>")[0] + html.partition('id="said"></div>')[2]
    return {
        (tag, *re.findall(r'\sclass="([^"]*)"', rest), *sorted(set(re.findall(r"\s([a-z-]+)(?==)", rest))))
        for tag, rest in re.findall(r"<(\w+)([^>]*)>", page)
    }


def worth_a_look(pages):
    """Each address once, and again where another role sees a sort of element that no page had before."""
    seen, addresses = set(), set()
    for address, who, html in sorted(pages, key=lambda page: -len(sorts_of_elements(page[2]))):
        sorts = sorts_of_elements(html)
        if address not in addresses or sorts - seen:
            seen |= sorts
            addresses.add(address)
            yield address, who, html


@pytest.fixture
def axe(page):
    """axe(html, whole) is what axe finds on that page: [words]."""

    def serve(route):
        file = settings.BASE_DIR / route.request.url.removeprefix(ORIGIN)
        if file.is_file():
            route.fulfill(path=file)
        else:
            links = "".join(
                f'<link rel="stylesheet" href="static/{name}.css">' for name in ("vendor/tabler.min", "app")
            )
            # What changes its colour slowly would be looked at in the middle.
            still = "<style>*{transition:none!important;animation:none!important}</style>"
            route.fulfill(
                body=f"<!doctype html><html lang=en><head>{links}{still}</head><body>", content_type="text/html"
            )

    page.route(f"{ORIGIN}**", serve)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(ORIGIN)
    page.evaluate(AXE.read_text())

    def look(html, whole):
        page.evaluate(PUT, html)
        exclude = [] if whole else FRAME
        return [
            f"{theme}: {words}"
            for theme, only in (("light", AXE_RULES), ("dark", BY_COLOUR))
            for words in page.evaluate(LOOK, [theme, exclude, only])
        ]

    return look


def test_axe_finds_nothing_on_any_page(world, everybody, axe):  # noqa: F811
    roles, wrong, pages = set(), [], list(every_page(world, everybody))
    for address, who, html in worth_a_look(pages):
        wrong += [f"{address} as {who}, {words}" for words in axe(html, who not in roles)]
        roles.add(who)
    assert roles == set(WHO)
    assert not wrong, "\n".join(wrong)


def test_axe_would_find_it(axe):
    """The dark look too: grey that is fine on white is not on black."""
    page = '<title>x</title><main><h1>x</h1><p style="color:#666">dim</p><img src="x"></main>'
    found = "\n".join(axe(f"<!doctype html><html lang=en>{page}", True))
    assert "light: image-alt" in found
    assert "dark: color-contrast" in found
    assert "light: color-contrast" not in found
