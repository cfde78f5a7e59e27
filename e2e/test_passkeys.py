"""A passkey in a real browser, under the product's own content security policy, at an address of this machine."""

import pytest
from playwright.sync_api import expect

from portal import second_factor

# What is kept is asked of the database elsewhere; this is about the browser, and the same on any database.
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.once]


@pytest.fixture
def page(context, live_server, settings):
    """A page whose computer has a finger on its sensor; what the policy forbids would fail the test."""
    settings.STAFF_NEED_SECOND_FACTOR = True
    page, errors = context.new_page(), []
    page.set_default_timeout(20_000)
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    devices = context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    has_all = ("hasResidentKey", "hasUserVerification", "isUserVerified", "automaticPresenceSimulation")
    options = {"protocol": "ctap2", "transport": "internal", **dict.fromkeys(has_all, True)}
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    page.goto(live_server.url.replace("127.0.0.1", "localhost") + "/accounts/login/")
    yield page
    assert not errors, errors


def test_an_instructor_sets_up_a_passkey_and_signs_in_with_it_alone(page, chit):
    page.get_by_label("Email").fill("chit@example.org")
    page.get_by_label("Password").fill("lights")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Password").fill("lights")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Add this device or key").click()
    expect(page.get_by_text("Keep them now, on paper")).to_be_visible()
    page.get_by_role("link", name="I have kept them").click()
    assert second_factor.has(chit)
    page.goto(page.url.split("/review")[0] + "/accounts/logout/")
    page.locator("main").get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("link", name="Review").first).to_be_visible()
