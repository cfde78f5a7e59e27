"""What a monitoring system reads, and that nobody else does."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from prometheus_client.parser import text_string_to_metric_families

from costs import alerts, forgotten, gauges, metering, scopes
from costs.models import Alert, Scope
from costs.tests import worlds
from costs.tests.worlds import HOUR, MINUTE, NOW, SCOPE, endpoint, notebook, stranger
from labs.models import Resource

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("prices")]
SLUG = "aws-ml-sep-2025"


@pytest.fixture
def lights(aye, bo, ayes):
    scopes.tell(SCOPE, name=SLUG, title="September 2025")
    lab = worlds.launch(aye, ayes, NOW - HOUR, nb="sagemaker-notebook")
    worlds.saw(worlds.row_of(lab, "nb"), notebook(since=NOW - HOUR), NOW - MINUTE)
    stranger(worlds.account_of(bo, number=2), "sagemaker-endpoint", endpoint(since=NOW - 2 * HOUR), NOW - 3 * MINUTE)
    metering.meter(NOW)
    forgotten.judge(NOW)
    return lab


def read(now=NOW):
    """{(name, cohort or ""): value}."""
    told = {}
    for family in text_string_to_metric_families(gauges.exposition(now).decode()):
        for sample in family.samples:
            told[sample.name.removeprefix("lightsout_"), sample.labels.get("cohort", "")] = sample.value
    return told


def test_they_are_what_the_pages_show(lights):
    told = read()
    # A notebook at $0.05 with 5 GB at $0.14 a month, and an endpoint at $0.115.
    assert told["usd_per_hour", SLUG] == pytest.approx(0.166, abs=0.001)
    assert told["lights", SLUG] == 2 and told["unpriced", SLUG] == 0
    assert told["forgotten", SLUG] == 1
    assert told["spent_usd", SLUG] > 0
    assert told["exposure_usd", SLUG] == pytest.approx(3 * 0.051, abs=0.001)
    assert told["unarmed_lights", ""] == 2
    assert told["usd_per_hour", "none"] == 0


def test_open_alerts_are_told_by_rule(lights, aye):
    alerts.settle(
        "budget", [Alert(key="a", scope=SCOPE, sentence="odd"), Alert(key="b", scope=SCOPE, sentence="odd")], NOW
    )
    alerts.settle("variance", [Alert(key="c", sentence="odd")], NOW)
    told = {}
    for family in text_string_to_metric_families(gauges.exposition(NOW).decode()):
        told |= {
            (one.labels["rule"], one.labels["cohort"]): one.value for one in family.samples if "rule" in one.labels
        }
    assert told == {("budget", SLUG): 2, ("budget", "none"): 0, ("variance", SLUG): 0, ("variance", "none"): 1}


def test_what_was_made_by_hand_counts_to_its_switch_and_is_unbounded_without(lights):
    before = read()
    assert before["unbounded", SLUG] == 1, "the endpoint has no switch"
    Resource.objects.filter(kind="sagemaker-endpoint").update(switch_at=NOW + 4 * HOUR)
    told = read()
    assert told["unbounded", SLUG] == 0
    assert told["exposure_usd", SLUG] - before["exposure_usd", SLUG] == pytest.approx(4 * 0.115, abs=0.0001)


def test_a_controller_that_does_not_look_is_seen_from_outside(lights):
    Resource.objects.filter(launch=lights).update(next_look_at=NOW - 7 * MINUTE)
    told = read()
    assert told["oldest_look_seconds", ""] == 180
    assert told["due_rows", ""] >= 1 and told["oldest_due_seconds", ""] == 420
    assert told["blocked_rows", ""] == 0


def test_what_is_nobodys_is_told_too(lights, django_user_model):
    dora = django_user_model.objects.create_user(email="dora@school.example", password="x", name="Dora")
    stray = worlds.account_of(dora, number=9)
    stray.scope = ""
    stray.save()
    stranger(stray, "sagemaker-endpoint", endpoint(name="stray", since=NOW - HOUR), NOW)
    metering.meter(NOW + MINUTE)
    told = read(NOW + MINUTE)
    assert told["lights", "none"] == 1
    assert told["usd_per_hour", "none"] == pytest.approx(0.115)


def test_as_many_queries_for_thirty_cohorts_as_for_one(lights):
    def asked():
        with CaptureQueriesContext(connection) as queries:
            gauges.exposition(NOW)
        return len(queries)

    few = asked()
    for number in range(30):
        Scope.objects.create(key=f"{number:032x}", name=f"cohort-{number}")
    assert asked() == few <= 15


def test_only_who_shows_the_token_reads_them(client, settings, lights):
    address = reverse("costs:gauges")
    assert client.get(address).status_code == 404
    settings.METRICS_TOKEN = "a-token-of-the-operator"
    assert client.get(address).status_code == 401
    for wrong in ("Bearer wrong", "Basic a-token-of-the-operator", "a-token-of-the-operator", "Bearer é"):
        assert client.get(address, headers={"Authorization": wrong}).status_code == 401
    answer = client.get(address, headers={"Authorization": "Bearer a-token-of-the-operator"})
    assert answer.status_code == 200 and answer["Content-Type"].startswith("text/plain; version=0.0.4")
    assert f'lightsout_lights{{cohort="{SLUG}"}}'.encode() in answer.content
