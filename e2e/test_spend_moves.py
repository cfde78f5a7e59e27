"""The spend page in a real browser under its CSP: what moves comes by itself, the chart with it, until all is off."""

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from costs import metering, scopes
from costs.tests import worlds

# What the figures are is asked elsewhere; this is about the browser, and the same on any database.
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.once]
DRAWN = "document.querySelector('[data-chart]').data.map(one => one.name).sort().join()"


@pytest.fixture
def spend(live_server, cohort, chit, aye, context):
    """The spend page of chit, with Aye's box on for an hour; and her account. Nothing has a price."""
    scopes.tell(cohort.scope, name=cohort.slug)
    now = timezone.now()
    account = worlds.account_of(aye, scope=cohort.scope, number=97_000_007, mode="own")
    account.created_at = now - worlds.DAY
    account.save()
    box = worlds.stranger(account, "ec2-instance", worlds.instance(since=now - worlds.HOUR), now)
    metering.meter(now)
    client = Client()
    client.force_login(chit, backend="django.contrib.auth.backends.ModelBackend")
    key = client.session.session_key
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": live_server.url}])
    page = context.new_page()
    page.wrong = []
    page.on("console", lambda said: page.wrong.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.goto(live_server.url + reverse("costs:spend"))
    return page, account, box


def polled(page):
    """As if twenty seconds had passed."""
    with page.expect_response(lambda answer: answer.request.headers.get("hx-request") == "true") as answered:
        page.evaluate("htmx.ajax('GET', location.pathname, {target: '#spend-now', swap: 'outerHTML'})")
    return answered.value.status


def test_what_moves_comes_by_itself_and_nothing_breaks_the_csp(spend):
    page, account, box = spend
    page.wait_for_selector(".main-svg", state="attached")
    assert page.evaluate(DRAWN) == "EC2"
    expect(page.locator("#spend-days")).not_to_contain_text("SageMaker")
    now = timezone.now()
    worlds.stranger(account, "sagemaker-endpoint", worlds.endpoint(since=now - worlds.HOUR), now)
    metering.meter(now)
    assert polled(page) == 200
    expect(page.locator("#spend-legend")).to_contain_text("SageMaker")
    expect(page.locator("[data-chart] .trace.bars")).to_have_count(2)
    assert page.evaluate(DRAWN) == "EC2,SageMaker"
    expect(page.locator("#spend-days")).to_contain_text("SageMaker")
    expect(page.locator("#students")).to_contain_text("and 2 unpriced")
    assert page.locator("#spend-now").count() == page.locator("#students").count() == 1
    assert page.wrong == []


def test_it_asks_rarely_when_all_is_off(spend):
    page, _, box = spend
    assert page.get_attribute("#spend-now", "hx-trigger") == "every 20s"
    now = timezone.now()
    worlds.gone(box, now)
    metering.meter(now)
    assert polled(page) == 200
    expect(page.locator("#spend-now")).to_contain_text("None of it is forgotten")
    assert page.get_attribute("#spend-now", "hx-trigger") == "every 60s"


def test_on_a_phone_the_chart_comes_for_who_scrolls(spend):
    page, _, _ = spend
    page.set_viewport_size({"width": 390, "height": 1600})  # the chart's place is on the first screen
    page.reload()
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))")
    assert page.locator("script[src*=plotly]").count() == 0
    expect(page.locator("[data-chart-table]")).to_have_attribute("open", "")
    page.set_viewport_size({"width": 390, "height": 700})
    page.mouse.wheel(0, 300)
    page.wait_for_selector(".main-svg", state="attached")
    assert page.wrong == []
