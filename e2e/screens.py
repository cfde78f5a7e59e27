"""Pictures of pages and what is wrong with them, as a person of each role sees them.

    python e2e/screens.py --base http://127.0.0.1:8000 --out screens --email anonymous --email thiri@example.org \
        / /course/ /labs/

Signs in by the demo cards, so the portal must run with DEMO=1. Takes each path at 1440x900 and 390x844, light and dark,
and reports what would be seen as broken: text under 14 px, content wider than the window, console errors, answers that
are not 200, and what axe finds. Ends with 1 when there was any.
"""

import argparse
import re
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

AXE = Path(__file__).parent / "vendor/axe.min.js"
WINDOWS = {
    "desktop": {"viewport": {"width": 1440, "height": 900}},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2,
        "is_mobile": True,
        "has_touch": True,
    },
}
LOOK = """() => {
  const width = document.documentElement.clientWidth, wide = [], small = [];
  const over = document.documentElement.scrollWidth - width;
  if (over > 0) for (const e of document.querySelectorAll('body *')) {
    const box = e.getBoundingClientRect();
    if (box.width && box.right > width + 1 && !e.closest('.table-responsive'))
      wide.push(e.tagName.toLowerCase() + '.' + (e.getAttribute('class') || '') + ' to ' + Math.round(box.right));
  }
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), seen = new Set();
  while (walk.nextNode()) {
    const text = walk.currentNode.data.trim(), e = walk.currentNode.parentElement;
    if (!text || e.closest('script,style,.visually-hidden') || !e.checkVisibility()) continue;
    const size = parseFloat(getComputedStyle(e).fontSize);
    if (size < 13.99) seen.add(size + ' px: ' + text.slice(0, 40));
  }
  return {over, wide: wide.slice(0, 6), small: [...seen].slice(0, 8), h1: document.querySelectorAll('h1').length};
}"""
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
RUN_AXE = """async rules => (await axe.run(document, {runOnly: rules})).violations.map(v => v.id + ' x'
  + v.nodes.length + ': ' + v.nodes.slice(0, 4).map(n => n.target.join(' ')
  + (n.any[0]?.data?.contrastRatio ? ` [${n.any[0].data.contrastRatio}]` : '')).join(' | '))"""


def sign_in(page, base, email):
    """By the demo card of that person. Raises LookupError when the sign-in page has none."""
    page.goto(f"{base}/accounts/login/")
    card = page.locator(f'button[name="email"][value="{email}"]')
    if not card.count():
        raise LookupError(
            f"No demo card for {email} on the sign-in page. Is DEMO=1, and is {email} the first of a role?"
        )
    with page.expect_navigation():
        card.click()


def demo_emails(browser, base):
    page = browser.new_page()
    page.goto(f"{base}/accounts/login/")
    found = page.locator('button[name="email"]').evaluate_all("all => all.map(e => e.value)")
    page.close()
    return found


def troubles(page):
    """What is wrong with the page as it stands: [words]."""
    seen = page.evaluate(LOOK)
    found = [f"{seen['h1']} h1 elements"] * (seen["h1"] != 1)
    if seen["over"] > 0:
        found.append(f"{seen['over']} px wider than the window: {'; '.join(seen['wide'])}")
    found += seen["small"]
    page.evaluate(AXE.read_text())
    return found + [f"axe {violation}" for violation in page.evaluate(RUN_AXE, AXE_RULES)]


def take(browser, base, email, paths, out):
    """Pictures of `paths` for one person; returns the number of pages with trouble."""
    bad = 0
    for window, size in WINDOWS.items():
        for theme in ("light", "dark"):
            context = browser.new_context(**size, color_scheme=theme, reduced_motion="reduce")
            if email != "anonymous":
                sign_in(context.new_page(), base, email)
            for path in paths:
                page = context.new_page()
                found = visit(page, base + path)
                who = email.split("@")[0]
                place = re.sub(r"\W+", "-", path).strip("-") or "home"
                page.screenshot(path=out / f"{who}--{place}--{window}-{theme}.png")
                page.close()
                bad += bool(found)
                print("\n    ".join([f"{'TROUBLE' if found else 'fine   '} {who} {path} {window} {theme}", *found]))  # noqa: T201
            context.close()
    return bad


def visit(page, address):
    """Open it in a fresh page, wait until it is still, and tell what is wrong: [words]."""
    said = []
    page.on("console", lambda message: said.append(f"console: {message.text}") if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(f"script: {error}"))
    answer = page.goto(address)
    # Not "networkidle": pages that poll are never idle.
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(300)
    return [f"answered {answer.status}"] * (answer.status != 200) + said + troubles(page)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", default="http://127.0.0.1:8000")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--email", action="append", default=[], help="default: every demo card; 'anonymous' is nobody")
    parser.add_argument("paths", nargs="+")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    base = asked.base.rstrip("/")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--hide-scrollbars"])
        people = asked.email or demo_emails(browser, base)
        bad = sum(take(browser, base, email, asked.paths, asked.out) for email in people)
        browser.close()
    print(f"{bad} of {len(people) * len(asked.paths) * 4} pages with trouble")  # noqa: T201
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
