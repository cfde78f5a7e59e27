"""Alarms, dashboards and log groups: what each costs by, what holds what, what AWS itself made."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from labs import aws
from labs.kinds import kind_of
from labs.kinds.base import ABSENT, RUNNING, Seen
from labs.tests.kinds.examples import configure, delete, make, want_for
from labs.tests.kinds.examples.cloudwatch import WIDGET
from labs.tests.kinds.scripted_aws import scripted

ALARM, DASHBOARD, LOGS = map(kind_of, ("cloudwatch-alarm", "cloudwatch-dashboard", "log-group"))
AT = datetime(2025, 9, 13, 7, 0, tzinfo=UTC)


def lines(meters):
    return [(meter.kind, meter.sku, meter.unit, meter.quantity, meter.per) for meter in meters]


# --- alarms --------------------------------------------------------------------------------------------------


def stat(period):
    metric = {"Namespace": "AWS/EC2", "MetricName": "CPUUtilization"}
    return {"Id": f"m{period}", "MetricStat": {"Metric": metric, "Period": period, "Stat": "Average"}}


@pytest.mark.parametrize(
    ("asked", "billed", "why"),
    [
        ({"Period": 300}, ("standard", "alarm-metric-Mo", 1), "an alarm on one metric"),
        ({"Period": 60}, ("standard", "alarm-metric-Mo", 1), "a minute is still standard"),
        ({"Period": 10}, ("high-resolution", "alarm-metric-Mo", 1), "looked at every ten seconds"),
        (
            {"Metrics": [stat(300), stat(60), {"Id": "e", "Expression": "a+b"}]},
            ("standard", "alarm-metric-Mo", 2),
            "two",
        ),
        ({"Metrics": [stat(300), stat(10)]}, ("high-resolution", "alarm-metric-Mo", 2), "its quickest metric counts"),
        ({"Metrics": [{"Id": "q", "Expression": "SELECT 1", "Period": 60}]}, ("standard", "alarm-metric-Mo", 1), "one"),
    ],
)
def test_an_alarm_costs_by_the_metrics_that_it_looks_at_and_how_often(asked, billed, why):
    seen = ALARM.would_be(want_for("it", {"metric": asked}))
    sku, unit, quantity = billed
    assert lines(ALARM.meters(seen)) == [("alarms", sku, unit, Decimal(quantity), "month")], why


def test_a_composite_alarm_costs_as_one():
    seen = ALARM.would_be(want_for("it", {"rule": "ALARM(a) OR ALARM(b)"}))
    assert lines(ALARM.meters(seen)) == [("alarms", "composite", "alarm-Mo", Decimal(1), "month")]


@pytest.mark.simulator
def test_a_composite_alarm_is_found_and_its_parts_are_in_its_way(account):
    client, part, _ = make("cloudwatch-alarm", account)
    whole = {"rule": f'ALARM("{part.name}")', "actions": ["arn:aws:sns:us-east-1:600000000002:t"]}
    client, want, seen = make("cloudwatch-alarm", account, whole)
    assert seen.facts["rule"] == whole["rule"]
    assert want.name in [each.name for each in ALARM.find_all(client)], "left out unless it is asked for"
    with pytest.raises(client.exceptions.ClientError) as refused:
        ALARM.delete(client, part, ALARM.observe(client, part))
    assert isinstance(aws.sorted_trouble(refused.value), aws.InTheWay)
    assert delete("cloudwatch-alarm", client, want) == 2
    assert delete("cloudwatch-alarm", client, part) == 1


@pytest.mark.simulator
def test_two_alarms_that_depend_on_each_other_can_be_deleted(account):
    client, first, seen = make("cloudwatch-alarm", account, {"rule": "TRUE"})
    client, second, _ = make("cloudwatch-alarm", account, {"rule": f"ALARM({first.name})"})
    client.put_composite_alarm(AlarmName=first.name, AlarmRule=f"ALARM({second.name})")
    for want in (first, second):
        ALARM.delete(client, want, ALARM.observe(client, want))
    for want in (first, second):
        assert delete("cloudwatch-alarm", client, want) == 1


@pytest.mark.simulator
def test_an_alarm_that_rings_is_the_same_alarm(account):
    client, want, seen = make("cloudwatch-alarm", account)
    client.set_alarm_state(AlarmName=want.name, StateValue="ALARM", StateReason="a test")
    assert ALARM.observe(client, want) == seen


# --- dashboards ----------------------------------------------------------------------------------------------


@pytest.mark.simulator
def test_a_dashboard_is_the_accounts_wherever_it_is_looked_for(account):
    client, want, seen = make("cloudwatch-dashboard", account)
    elsewhere = account.client("cloudwatch", "ap-southeast-1")
    assert DASHBOARD.observe(elsewhere, want) == seen
    assert DASHBOARD.is_global and seen.facts["region"] == "us-east-1", "where its price stands"
    assert "first three" in DASHBOARD.meters(seen)[0].label


@pytest.mark.simulator
def test_a_dashboard_of_a_longer_name_is_another(account):
    client = account.client("cloudwatch")
    want = want_for("cloudwatch-dashboard", {"body": {"widgets": [WIDGET]}})
    client.put_dashboard(DashboardName=f"{want.name}-more", DashboardBody="{}")
    assert DASHBOARD.observe(client, want).state == ABSENT


# --- log groups ----------------------------------------------------------------------------------------------


@pytest.mark.simulator
def test_a_log_group_keeps_its_lines_for_days_and_not_for_ever(account):
    client, want, seen = make("log-group", account)
    assert seen.facts["days"] == 0
    assert LOGS.configure(client, want, seen) is False
    assert configure("log-group", client, want, seen).facts["days"] == 3
    _, other, seen = make("log-group", account, {})
    assert configure("log-group", client, other, seen).facts["days"] == 7


@pytest.mark.simulator
def test_what_lies_in_a_log_group_costs_by_the_month(account):
    client, want, seen = make("log-group", account)
    assert LOGS.meters(seen) == []
    client.create_log_stream(logGroupName=want.name, logStreamName="s")
    line = {"timestamp": int(account.simulator.now().timestamp() * 1000), "message": "x" * 1000}
    client.put_log_events(logGroupName=want.name, logStreamName="s", logEvents=[line])
    few = LOGS.observe(client, want)
    assert lines(LOGS.meters(few)) == [("logs", "storage", "GB-Mo", Decimal(1) / 1024, "month")]
    client.put_log_events(logGroupName=want.name, logStreamName="s", logEvents=[line])
    again = LOGS.observe(client, want)
    assert again.facts == few.facts and again.mark == few.mark, "each line would begin a span"


@pytest.mark.simulator
def test_a_log_group_that_a_service_made_is_found(account):
    """Whoever writes makes it: with slashes in its name, and nobody's tags."""
    client = account.client("logs")
    client.create_log_group(logGroupName="/aws/sagemaker/Endpoints/of-aye")
    seen = next(each for each in LOGS.find_all(client) if each.name == "/aws/sagemaker/Endpoints/of-aye")
    assert LOGS.complete(client, seen).tags == {}
    LOGS.delete(client, want_for("log-group"), LOGS.complete(client, seen))
    assert LOGS.complete(client, seen).state == ABSENT


def test_a_log_group_of_a_longer_name_is_another():
    group = {"logGroupName": "lab-2", "arn": "arn:aws:logs:us-east-1:1:log-group:lab-2:*", "creationTime": 0}
    with scripted("logs", ("describe_log_groups", {"logGroupNamePrefix": "lab"}, {"logGroups": [group]})) as client:
        assert LOGS.observe(client, want_for("log-group", name="lab")).state == ABSENT


def test_a_log_group_is_named_by_an_arn_without_its_star():
    group = {"logGroupName": "lab", "arn": "arn:aws:logs:us-east-1:1:log-group:lab:*", "creationTime": 0}
    with scripted("logs", ("describe_log_groups", {"logGroupNamePrefix": "lab"}, {"logGroups": [group]})) as client:
        seen = LOGS.observe(client, want_for("log-group", name="lab"))
    assert seen.facts["arn"] == "arn:aws:logs:us-east-1:1:log-group:lab"


def test_a_protected_log_group_loses_its_protection_first():
    seen = Seen(RUNNING, "lab", facts={"is_protected": True})
    with scripted(
        "logs",
        (
            "put_log_group_deletion_protection",
            {"logGroupIdentifier": "lab", "deletionProtectionEnabled": False},
            {},
        ),
        ("delete_log_group", {"logGroupName": "lab"}, {}),
    ) as client:
        LOGS.delete(client, want_for("log-group"), seen)


def test_log_groups_go_after_what_writes_into_them():
    assert {"sagemaker-endpoint", "sagemaker-notebook", "step-functions-state-machine"} <= set(LOGS.goes_after)
