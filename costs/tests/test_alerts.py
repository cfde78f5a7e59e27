"""Something odd about money is open as long as it is so, and told once a step."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from costs import alerts
from costs.models import Alert

pytestmark = pytest.mark.django_db
NOW = datetime(2025, 9, 18, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def odd(key="aye", **facts):
    return Alert(**{"key": key, "sentence": f"{key} is odd", "usd": Decimal("1.5"), **facts})


def test_what_is_odd_is_opened_once_and_closed_when_it_is_over():
    assert [one.key for one in alerts.settle("budget", [odd("aye"), odd("bo")], NOW)] == ["aye", "bo"]
    assert alerts.settle("budget", [odd("aye")], LATER) == []
    assert [one.key for one in Alert.objects.open()] == ["aye"]
    assert Alert.objects.get(key="bo").closed_at == LATER
    assert [one.opened_at for one in alerts.settle("budget", [odd("bo")], LATER)] == [LATER], "a new case of it"


def test_rules_do_not_close_each_others_alerts():
    alerts.settle("budget", [odd()], NOW)
    alerts.settle("anomaly", [], LATER)
    assert Alert.objects.open().count() == 1


def test_an_open_alert_says_what_is_so_now():
    alerts.settle("budget", [odd()], NOW)
    alerts.settle("budget", [odd(sentence="worse", usd=Decimal("2"), lines=[["t3.micro", "2"]])], LATER)
    one = Alert.objects.get()
    assert (one.sentence, one.usd, one.lines, one.opened_at) == ("worse", Decimal("2"), [["t3.micro", "2"]], NOW)


@pytest.mark.parametrize(("level", "is_told_anew"), [(1, False), (2, True), (0, False)])
def test_only_a_step_further_is_told_anew(level, is_told_anew):
    alerts.settle("budget", [odd(level=1)], NOW)
    Alert.objects.update(told_at=NOW)
    alerts.settle("budget", [odd(level=level)], LATER)
    assert Alert.objects.to_tell().exists() is is_told_anew
