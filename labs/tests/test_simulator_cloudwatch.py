"""What practice mode amends of CloudWatch: composite alarms, dashboards of the account, log groups and their tags."""

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.simulator


@pytest.fixture
def aye(simulator):
    return simulator.new_account()


@pytest.fixture
def cloudwatch(simulator, aye):
    return simulator.client("cloudwatch", aye)


def alarm(cloudwatch, name, **more):
    asked = {"EvaluationPeriods": 1, "ComparisonOperator": "LessThanThreshold", "Threshold": 1.0}
    stat = {"Namespace": "AWS/EC2", "MetricName": "CPUUtilization", "Period": 60, "Statistic": "Average"}
    cloudwatch.put_metric_alarm(AlarmName=name, **asked, **stat, **more)


def test_a_new_alarm_has_no_data_yet(cloudwatch):
    alarm(cloudwatch, "a")
    assert cloudwatch.describe_alarms()["MetricAlarms"][0]["StateValue"] == "INSUFFICIENT_DATA"


@pytest.mark.parametrize("rule", ["ALARM(a)", 'OK("a") AND NOT ALARM(b)', "(ALARM(b) OR ALARM( a ))"])
def test_an_alarm_on_which_a_composite_one_depends_is_kept(cloudwatch, rule):
    for name in ("a", "b"):
        alarm(cloudwatch, name)
    cloudwatch.put_composite_alarm(AlarmName="both", AlarmRule=rule)
    told = cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    assert [each["AlarmRule"] for each in told] == [rule]
    with pytest.raises(ClientError, match="Cannot delete a as there are composite"):
        cloudwatch.delete_alarms(AlarmNames=["a"])
    cloudwatch.put_composite_alarm(AlarmName="both", AlarmRule="FALSE")
    cloudwatch.delete_alarms(AlarmNames=["a"])


def test_an_alarms_tags_go_with_it(cloudwatch):
    alarm(cloudwatch, "a", Tags=[{"Key": "lab", "Value": "x"}])
    cloudwatch.delete_alarms(AlarmNames=["a"])
    alarm(cloudwatch, "a")
    arn = cloudwatch.describe_alarms()["MetricAlarms"][0]["AlarmArn"]
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == []


def test_a_dashboard_is_the_accounts_with_its_tags_and_nobody_elses(simulator, aye, cloudwatch):
    tags = [{"Key": "lab", "Value": "x"}]
    singapore = simulator.client("cloudwatch", aye, "ap-southeast-1")
    singapore.put_dashboard(DashboardName="d", DashboardBody="{}", Tags=tags)
    for client in (cloudwatch, singapore):
        (told,) = client.list_dashboards()["DashboardEntries"]
        assert client.list_tags_for_resource(ResourceARN=told["DashboardArn"])["Tags"] == tags
    assert simulator.client("cloudwatch", simulator.new_account()).list_dashboards()["DashboardEntries"] == []
    cloudwatch.delete_dashboards(DashboardNames=["d"])
    assert singapore.list_dashboards()["DashboardEntries"] == []


def test_a_dashboard_is_dated_in_utc(simulator, cloudwatch):
    cloudwatch.put_dashboard(DashboardName="d", DashboardBody="{}")
    at = cloudwatch.list_dashboards()["DashboardEntries"][0]["LastModified"]
    assert abs((simulator.now() - at).total_seconds()) < 60


def test_a_log_group_is_told_by_the_tagging_api_until_it_is_gone(simulator, aye):
    logs, tagging = simulator.client("logs", aye), simulator.client("resourcegroupstaggingapi", aye)

    def told():
        found = tagging.get_resources(ResourceTypeFilters=["logs:log-group"])["ResourceTagMappingList"]
        return [each["Tags"] for each in found]

    logs.create_log_group(logGroupName="/lab/a", tags={"lab": "x"})
    assert told() == [[{"Key": "lab", "Value": "x"}]]
    logs.delete_log_group(logGroupName="/lab/a")
    logs.create_log_group(logGroupName="/lab/a")
    assert told() == []
