"""The review desk in a real browser: all of it by keyboard, the next student at once, two reviewers. Without
JavaScript: test_a_week.py."""

import re

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from conftest import member
from portal.models import Assignment, Feedback, Phrase, Remark
from portal.tests.test_reviewing import hand_in, write

# What is kept is asked of the database elsewhere; this is about the browser, and the same on any database.
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.once]
TEXT = "We chose Lambda.\n\nThe cold start fell from 9.1 s to 3.4 s.\n\nIt costs $0.04 a month."
MOST_MS = 200
# From a key to the frame in which the next student's name is painted.
WATCH = """() => {
  window.painted = null;
  addEventListener('keydown', e => {
    if (e.key !== 'j') return;
    const from = performance.now(), before = document.getElementById('w').textContent;
    (function look() {
      const name = document.getElementById('w');
      if (!name || name.textContent === before) requestAnimationFrame(look);
      else requestAnimationFrame(() => { window.painted = performance.now() - from; });
    })();
  }, true);
}"""


@pytest.fixture
def case(course):
    return Assignment.objects.get(week__number=2)


@pytest.fixture
def handed_in(case, cohort, aye, bo, now):
    """Five students' answers, in the order of their names."""
    others = [member(cohort, name, "student", now) for name in ("dahlia", "ei", "fatimah")]
    return [hand_in(case, cohort, student, now, TEXT) for student in (aye, bo, *others)]


def sign_in(context, user, live_server):
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    key = client.session.session_key
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": live_server.url}])


def address(live_server, cohort, submission):
    return live_server.url + reverse("portal:review_desk", args=[cohort.slug, submission.number])


def test_a_case_study_is_reviewed_without_touching_a_mouse(live_server, context, cohort, chit, handed_in):
    Phrase.objects.create(course=cohort.course, label="Units", text_md="Show the units.")
    sign_in(context, chit, live_server)
    page = context.new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(address(live_server, cohort, handed_in[0]))
    keys = page.keyboard
    # Points, line by line; the sum counts along.
    keys.press("4")
    keys.press("5")
    expect(page.locator("#total")).to_have_text("9")
    # A remark on the second paragraph.
    keys.press("n")
    keys.press("n")
    keys.press("c")
    keys.type("How many did you measure?")
    keys.press("Control+Enter")
    expect(page.locator("#p-2")).to_contain_text("How many did you measure?")
    # The feedback, with a phrase of the bank; it saves itself.
    keys.press("e")
    keys.type("Well done.")
    keys.press("Alt+1")
    expect(page.locator("#state")).to_have_text(re.compile(r"Saved \d\d:\d\d as a draft"))
    keys.press("Control+Enter")
    expect(page.locator("#w")).to_have_text("Bo")
    expect(page).to_have_url(address(live_server, cohort, handed_in[1]))
    given = Feedback.objects.get()
    assert (given.state, given.score, given.comment_md) == ("ready", 9, "Well done.\n\nShow the units.")
    assert Remark.objects.get().quote == "The cold start fell from 9.1 s to 3.4 s."
    # Ready ones stand below: Bo is the first now, and there is no one before him.
    keys.press("j")
    expect(page.locator("#w")).to_have_text("Dahlia")
    keys.press("k")
    expect(page.locator("#w")).to_have_text("Bo")
    keys.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    assert not faults


def test_the_next_student_is_painted_within_a_fifth_of_a_second(live_server, context, cohort, chit, handed_in):
    sign_in(context, chit, live_server)
    page = context.new_page()
    took = []
    page.goto(address(live_server, cohort, handed_in[0]))
    page.evaluate(WATCH)
    for name in ("Bo", "Dahlia", "Ei", "Fatimah"):
        # As a reviewer reads: what comes next was fetched meanwhile.
        expect(page.locator("#desk")).to_have_attribute("data-ahead", "all")
        page.keyboard.press("j")
        expect(page.locator("#w")).to_have_text(name)
        page.wait_for_function("window.painted !== null")
        took.append(page.evaluate("() => { const ms = window.painted; window.painted = null; return ms; }"))
    assert sorted(took)[len(took) // 2] <= MOST_MS, took


def test_the_second_reviewer_is_told_and_both_texts_are_there(
    live_server, context, cohort, chit, handed_in, now, admin
):
    sign_in(context, chit, live_server)
    page = context.new_page()
    page.goto(address(live_server, cohort, handed_in[0]))
    write(handed_in[0], admin, now, comment="From hazel.")
    page.locator("#fb").fill("From chit.")
    expect(page.locator("#state")).to_contain_text("Your text is kept")
    page.evaluate("window.onbeforeunload = null")
    other = context.new_page()
    other.goto(address(live_server, cohort, handed_in[0]))
    expect(other.locator("#fb")).to_have_value("From chit.")
    expect(other.get_by_role("alert")).to_contain_text("From hazel.")
    assert Feedback.objects.get().comment_md == "From hazel."
