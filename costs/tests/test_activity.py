"""CloudWatch is asked seldom, in few calls, and only about what runs and what a rule reads."""

import pytest

from costs import activity
from costs.models import Activity
from costs.tests import worlds
from costs.tests.worlds import HOUR, MINUTE, NOW, endpoint, instance, notebook, stranger, volume
from labs import aws
from labs.kinds.base import RUNNING, STOPPED, Seen

pytestmark = pytest.mark.django_db


class FakeCloudWatch:
    """GetMetricData over {(metric, its dimension values): values}; takes 500 metrics a call and pages its answers."""

    def __init__(self, metrics=None):
        self.metrics, self.calls, self.over, self.asked_in, self.refuses = metrics or {}, [], [], [], set()

    def client(self, account, service, region=None, config=None):
        assert service == "cloudwatch"
        if region in self.refuses:
            raise aws.Denied("not allowed")
        self.asked_in.append((account.pk, region))
        return self

    def get_paginator(self, operation):
        assert operation == "get_metric_data"
        return self

    def paginate(self, MetricDataQueries, StartTime, EndTime):
        assert len(MetricDataQueries) <= 500
        self.calls.append(MetricDataQueries)
        self.over.append(EndTime - StartTime)
        for query in MetricDataQueries:
            metric = query["MetricStat"]["Metric"]
            at = (metric["MetricName"], *(dimension["Value"] for dimension in metric["Dimensions"]))
            values = self.metrics.get(at, [])
            for half in (values[: len(values) // 2], values[len(values) // 2 :]):
                yield {"MetricDataResults": [{"Id": query["Id"], "Values": half}]}


@pytest.fixture
def cloudwatch(monkeypatch):
    made = FakeCloudWatch()
    monkeypatch.setattr(aws, "client", made.client)
    return made


def looked(row):
    return Activity.objects.filter(resource=row).values_list("signal", "value", "datapoints")


def test_the_highest_of_a_processor_and_the_sum_of_calls(ayes, cloudwatch):
    nb = stranger(ayes, "sagemaker-notebook", notebook(since=NOW - 2 * HOUR), NOW)
    ep = stranger(ayes, "sagemaker-endpoint", endpoint(since=NOW - 2 * HOUR), NOW)
    cloudwatch.metrics = {("CPUUtilization", "nb"): [1.0, 7.5, 2.0], ("Invocations", "ep", "AllTraffic"): [2.0, 3.0]}
    assert activity.look(NOW) == 2
    assert list(looked(nb)) == [("CPUUtilization", 7.5, 3)]
    assert list(looked(ep)) == [("Invocations", 5.0, 2)]
    assert len(cloudwatch.calls) == 1, "one call for the whole place"


def test_no_datapoint_is_kept_as_no_datapoint(ayes, cloudwatch):
    ep = stranger(ayes, "sagemaker-endpoint", endpoint(since=NOW - 2 * HOUR), NOW)
    activity.look(NOW)
    assert list(looked(ep)) == [("Invocations", None, 0)]


def test_an_endpoint_is_used_when_any_of_its_variants_is_called(ayes, cloudwatch):
    one = {"type": "ml.m5.large", "disk_gb": 0, "count": 1, "serverless": False}
    ep = stranger(
        ayes,
        "sagemaker-endpoint",
        endpoint(variants=[one | {"name": "a"}, one | {"name": "b"}], since=NOW - 2 * HOUR),
        NOW,
    )
    cloudwatch.metrics = {("Invocations", "ep", "b"): [4.0]}
    activity.look(NOW)
    assert list(looked(ep)) == [("Invocations", 4.0, 1)]


def test_only_what_has_run_for_the_whole_window_and_is_read_by_a_rule_is_asked_for(ayes, cloudwatch):
    stranger(ayes, "sagemaker-notebook", notebook(since=NOW - 59 * MINUTE, name="young"), NOW)
    stranger(ayes, "sagemaker-notebook", notebook(STOPPED, since=NOW - 9 * HOUR, name="off"), NOW)
    stranger(ayes, "ec2-instance", instance(since=NOW - 119 * MINUTE), NOW)
    stranger(ayes, "ebs-volume", volume(since=NOW - 9 * HOUR), NOW)
    assert activity.look(NOW) == 0
    assert cloudwatch.calls == []


def test_each_signal_is_asked_over_as_long_as_its_rule_judges_it(ayes, cloudwatch):
    box = stranger(ayes, "ec2-instance", instance(since=NOW - 3 * HOUR), NOW)
    nb = stranger(ayes, "sagemaker-notebook", notebook(since=NOW - 3 * HOUR), NOW)
    assert activity.look(NOW) == 4
    assert sorted(cloudwatch.over) == [HOUR, 2 * HOUR]
    began = {row: {one.window_began for one in Activity.objects.filter(resource=row)} for row in (box, nb)}
    assert began == {box: {NOW - 2 * HOUR}, nb: {NOW - HOUR}}


def test_what_is_judged_over_a_quarter_of_an_hour_is_looked_at_as_often(ayes, cloudwatch):
    cluster = Seen(RUNNING, "j-1", "cluster", since=NOW - 3 * HOUR, facts={"machines": []})
    stranger(ayes, "emr-cluster", cluster, NOW)
    stranger(ayes, "sagemaker-notebook", notebook(since=NOW - 3 * HOUR), NOW)
    assert activity.look(NOW) == 2
    assert activity.look(NOW + 14 * MINUTE) == 0
    assert activity.look(NOW + 16 * MINUTE) == 1


def test_it_is_asked_once_an_hour_or_when_somebody_asks(ayes, cloudwatch):
    nb = stranger(ayes, "sagemaker-notebook", notebook(since=NOW - 2 * HOUR), NOW)
    activity.look(NOW)
    assert activity.look(NOW + 59 * MINUTE) == 0
    assert activity.look(NOW + 59 * MINUTE, [nb]) == 1
    assert activity.look(NOW + 119 * MINUTE) == 1
    assert Activity.objects.count() == 1, "the last look replaces the one before"


def test_a_place_that_does_not_answer_keeps_what_it_had_and_stops_nobody(ayes, bo, cloudwatch):
    bos = worlds.account_of(bo, number=2)
    there = stranger(ayes, "sagemaker-notebook", notebook(since=NOW - 2 * HOUR), NOW, region="ap-southeast-1")
    here = stranger(bos, "sagemaker-notebook", notebook(since=NOW - 2 * HOUR), NOW)
    cloudwatch.refuses.add("ap-southeast-1")
    assert activity.look(NOW) == 1
    assert not looked(there).exists() and looked(here).exists()


def test_more_metrics_than_a_call_takes_are_several_calls(ayes, cloudwatch):
    for number in range(501):
        stranger(ayes, "sagemaker-notebook", notebook(since=NOW - 2 * HOUR, name=f"nb-{number}"), NOW)
    cloudwatch.metrics = {("CPUUtilization", "nb-500"): [9.0], ("CPUUtilization", "nb-0"): [1.0]}
    assert activity.look(NOW) == 501
    assert [len(call) for call in cloudwatch.calls] == [500, 1]
    assert sorted(Activity.objects.exclude(value=None).values_list("value", flat=True)) == [1.0, 9.0]


def test_slow_places_do_not_hold_up_the_run(ayes, bo, cloudwatch, monkeypatch):
    bos = worlds.account_of(bo, number=2)
    for account in (ayes, bos):
        stranger(account, "sagemaker-notebook", notebook(since=NOW - 2 * HOUR), NOW)
    monkeypatch.setattr(activity, "SECONDS_A_RUN", -1)
    assert activity.look(NOW) == 0
    monkeypatch.undo()
    monkeypatch.setattr(aws, "client", cloudwatch.client)
    assert activity.look(NOW) == 2, "what was left has its turn"
