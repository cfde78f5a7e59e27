"""Writing a case study in a real browser: kept as one types, in two windows, without a network. Without JavaScript,
with a file, to the receipt: test_a_week.py."""

import re

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from portal.models import Assignment, Draft

# What is kept is asked of the database elsewhere; this is about the browser, and the same on any database.
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.once]
SAVED = re.compile(r"Saved \d\d:\d\d")


@pytest.fixture
def sit_down(live_server, aye):
    """sit_down(context) lets aye's sign-in be known to a browser, and answers the address of case study 2."""

    def at(context):
        client = Client()
        client.force_login(aye, backend="django.contrib.auth.backends.ModelBackend")
        key = client.session.session_key
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": live_server.url}])
        return live_server.url + Assignment.objects.get(week__number=2).get_absolute_url()

    return at


@pytest.fixture
def desk(sit_down, context):
    """desk() is another window of aye's with the case study open in it."""
    address = sit_down(context)

    def open_window():
        page = context.new_page()
        page.goto(address)
        return page

    return open_window


def answer_of(page):
    return page.get_by_role("textbox", name="Answer")


def test_what_one_types_is_kept_without_a_click(desk):
    page = desk()
    answer_of(page).fill("I lean to the cloud.")
    expect(page.locator("[data-words]")).to_have_text("5 words")
    expect(page.locator("[data-saved]")).to_have_text(SAVED)
    answer_of(page).fill("I lean to the cloud, by region.")
    expect(page.locator("[data-saved]")).to_have_text("Not saved yet")
    expect(page.locator("[data-saved]")).to_have_text(SAVED)
    page.reload()
    expect(answer_of(page)).to_have_value("I lean to the cloud, by region.")


def test_two_windows_keep_both_texts_and_one_is_chosen(desk):
    first, second = desk(), desk()
    answer_of(first).fill("from the first window")
    expect(first.locator("[data-saved]")).to_have_text(SAVED)
    answer_of(second).fill("from the second window")
    expect(second.locator("[data-saved]")).to_contain_text("Both are kept")
    second.reload()
    expect(answer_of(second)).to_have_value("from the first window")
    second.get_by_role("button", name="Use this text as my draft").click()
    expect(answer_of(second)).to_have_value("from the second window")
    expect(second.get_by_text("from the first window")).to_be_visible()


def test_without_a_network_the_text_waits_and_is_saved_when_it_is_back(desk, context):
    page = desk()
    context.set_offline(True)
    answer_of(page).fill("written in a tunnel")
    expect(page.locator("[data-saved]")).to_contain_text("no connection")
    context.set_offline(False)
    expect(page.locator("[data-saved]")).to_have_text(SAVED, timeout=15_000)
    assert Draft.objects.get().answer_md == "written in a tunnel"


def test_an_answer_that_was_lost_on_the_way_does_not_make_a_window_meet_itself(desk, context):
    """The server has saved, the phone never heard of it: the next save of the same window is no conflict."""
    page = desk()
    lost = []

    def lose_the_first_answer(route):
        answer = route.fetch()
        if lost:
            route.fulfill(response=answer)
        else:
            lost.append(answer.status)
            route.abort()

    page.route("**/draft/", lose_the_first_answer)
    answer_of(page).fill("one")
    expect(page.locator("[data-saved]")).to_contain_text("no connection")
    answer_of(page).fill("one two")
    expect(page.locator("[data-saved]")).to_have_text(SAVED, timeout=15_000)
    draft = Draft.objects.get()
    assert (lost, draft.answer_md, draft.asides.count()) == ([200], "one two", 0)


def test_who_was_signed_out_meanwhile_signs_in_elsewhere_and_goes_on_writing(desk, sit_down, context):
    page = desk()
    context.clear_cookies()
    answer_of(page).fill("The session was over.")
    expect(page.locator("[data-saved]")).to_contain_text("You are signed out")
    sit_down(context)
    desk()  # the other tab, where one signs in
    answer_of(page).fill("The session was over, the text was not.")
    expect(page.locator("[data-saved]")).to_have_text(SAVED, timeout=15_000)
    assert Draft.objects.get().answer_md == "The session was over, the text was not."


def test_feedback_is_not_left_unsaved_without_a_question(live_server, context, cohort, aye, chit, now):
    from portal import submitting

    draft = submitting.draft_of(Assignment.objects.get(week__number=2), cohort, aye, now=now)
    submitting.save_draft(draft, "Cloud.", revision=0, window="w", now=now)
    submission, _ = submitting.submit(draft, key="k", now=now)
    client = Client()
    client.force_login(chit, backend="django.contrib.auth.backends.ModelBackend")
    key = client.session.session_key
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": live_server.url}])
    page, asked = context.new_page(), []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.goto(live_server.url + reverse("portal:review_desk", args=[cohort.slug, submission.number]))
    page.get_by_label("Feedback to Aye").fill("Good, and")
    page.get_by_role("link", name="Cohort").first.click(no_wait_after=True)
    expect(page.get_by_label("Feedback to Aye")).to_have_value("Good, and")
    assert asked == ["beforeunload"]
