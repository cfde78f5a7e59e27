"""Handing in over a bad net in a real browser: what was chosen or typed outlives cuts, reloads and closed tabs."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from e2e.test_writing import SAVED, answer_of, desk, sit_down  # noqa: F401  fixtures
from portal.models import Assignment, CohortWeek, Draft, Seal, Submission

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.once]
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 2000


@pytest.fixture
def this_week(cohort):
    """Browsers have the real clock: week 2 is due tomorrow."""
    now = timezone.now()
    day = timedelta(days=1)
    CohortWeek.objects.filter(cohort=cohort, week__number=2).update(released_at=now - day, due_at=now + day)


def choose(page, name="report.pdf", content=PDF):
    page.get_by_label("Add files").set_input_files({"name": name, "mimeType": "application/pdf", "buffer": content})


def test_a_file_goes_on_after_a_cut_and_a_reload_and_handing_in_waits_for_it(desk, this_week):  # noqa: F811
    """The second piece is cut, the page is closed; a new one sends the rest, and what was sent is not sent again."""
    page, sent = desk(), []

    def cut_the_second(route):
        sent.append(route.request.headers["upload-offset"])
        route.abort() if len(sent) == 2 else route.continue_()

    page.route(
        re.compile("/uploads/.+"),
        lambda route: cut_the_second(route) if route.request.method == "PATCH" else route.continue_(),
    )
    answer_of(page).fill("With a report.")
    choose(page)
    expect(page.locator("[data-queue]")).to_contain_text("No connection. It goes on by itself")
    page.close(run_before_unload=False)

    page = desk()
    resumed = []
    page.on(
        "request",
        lambda request: resumed.append(request.headers["upload-offset"]) if request.method == "PATCH" else None,
    )
    expect(page.locator("[data-here]")).to_contain_text("report.pdf")
    assert sent[:2] == ["0", "131072"] and resumed[0] == "131072"
    answer_of(page).fill("With a report.")
    page.get_by_role("button", name="Hand in version 1").click()
    expect(page.get_by_role("heading", name="Received: version 1")).to_be_visible()
    assert [file.size for file in Submission.objects.get().files.all()] == [len(PDF)]


def test_pressed_while_files_are_on_their_way_it_seals_at_once_and_hands_in_when_they_are_here(desk, this_week):  # noqa: F811
    page, held = desk(), []
    page.route(re.compile("/uploads/.+"), lambda route: held.append(route) if not held else route.continue_())
    answer_of(page).fill("Cloud.")
    expect(page.locator("[data-saved]")).to_have_text(SAVED)
    choose(page)
    expect(page.locator("[data-queue]")).to_contain_text("report.pdf")
    page.get_by_role("button", name="Hand in version 1").click()
    expect(page.locator("[data-wait-said]")).to_contain_text("Not handed in yet")
    expect(page.get_by_role("heading", name="Sealed, not yet received")).to_be_visible()
    assert not Submission.objects.exists()
    held[0].continue_()
    expect(page.get_by_role("heading", name="Received: version 1")).to_be_visible(timeout=15_000)
    assert Seal.objects.get().submission == Submission.objects.get(), "the browser's hashes are the server's"


def test_a_text_of_a_tab_that_was_closed_without_a_net_is_sent_by_the_next_one(desk, this_week, context):  # noqa: F811
    page = desk()
    context.set_offline(True)
    answer_of(page).fill("written in a tunnel, and the battery was empty")
    expect(page.locator("[data-saved]")).to_contain_text("no connection")
    page.close(run_before_unload=False)
    context.set_offline(False)
    page = desk()
    expect(answer_of(page)).to_have_value("written in a tunnel, and the battery was empty")
    expect(page.locator("[data-saved]")).to_contain_text("What had waited on this device is saved")
    assert Draft.objects.get().answer_md == "written in a tunnel, and the battery was empty"


def test_a_text_that_waited_and_met_a_newer_one_is_shown_beside_it(desk, this_week, context, aye):  # noqa: F811
    page = desk()
    context.set_offline(True)
    answer_of(page).fill("from the tunnel")
    expect(page.locator("[data-saved]")).to_contain_text("no connection")
    page.close(run_before_unload=False)
    other = Client()
    other.force_login(aye, backend="django.contrib.auth.backends.ModelBackend")
    address = Assignment.objects.get(week__number=2).get_absolute_url()
    fields = {"window": "0" * 32, "revision": 0, "sent": 1, "answer": "from the library", "whole": "yes"}
    other.post(f"{address}draft/", fields)
    context.set_offline(False)
    page = desk()
    expect(page.get_by_role("button", name="Use this text as my draft")).to_be_visible()
    expect(answer_of(page)).to_have_value("from the library")
    expect(page.get_by_text("from the tunnel")).to_be_visible()
