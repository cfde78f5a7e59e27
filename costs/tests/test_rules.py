"""Each rule by a table: when it fires, when it does not, and when nobody can know."""

from datetime import timedelta
from pathlib import Path

import pytest

from costs.rules import (
    all_rules,
    idle_cache,
    idle_cluster,
    idle_collection,
    idle_concurrency,
    idle_database,
    idle_endpoint,
    idle_index,
    idle_instance,
    idle_load_balancer,
    idle_nat_gateway,
    idle_notebook,
    idle_throughput,
    idle_vpc_endpoint,
    large_and_kept,
    left_file_system,
    logs_for_ever,
    long_lived_key,
    long_work,
    loose_address,
    old_copy,
    open_app,
    past_its_time,
    signals_read,
    stopped_for_long,
    stranger,
    unattached_volume,
    workers_kept_ready,
    wrong_region,
)
from costs.rules.base import DELETE, STOP, Facts, Looked
from costs.tests.worlds import HOUR, MINUTE, NOW
from labs.kinds import kind_of

AN_HOUR_AGO, DAY = NOW - HOUR, timedelta(days=1)


def facts(**more):
    told = {
        "kind": "ec2-instance",
        "region": "us-east-1",
        "state": "running",
        "state_since": NOW - 5 * HOUR,
        "facts_since": NOW - 5 * HOUR,
        "lab_regions": ("us-east-1",),
    }
    return Facts(**(told | more))


def in_lab(expires=NOW + HOUR, **more):
    return facts(in_lab=True, lab_region="us-east-1", lab_expires_at=expires, **more)


def looked(value, datapoints=12, began=AN_HOUR_AGO):
    return Looked(began, NOW, value, datapoints)


def idle_ep(value, **more):
    return facts(kind="sagemaker-endpoint", signals={"Invocations": looked(value, 0 if value is None else 12)}, **more)


def idle_nb(value, datapoints=12, **more):
    return facts(kind="sagemaker-notebook", signals={"CPUUtilization": looked(value, datapoints)}, **more)


def disk(attached_to=(), since=NOW - 2 * HOUR, **more):
    return facts(kind="ebs-volume", facts={"attached_to": list(attached_to)}, facts_since=since, **more)


def silent(kind, *metrics, value=None, over=HOUR, told=None, **more):
    """One of this kind whose signals of use were looked at over so long."""
    looks = {metric: looked(value, 0 if value is None else 12, NOW - over) for metric in metrics}
    return facts(kind=kind, signals=looks, facts=told or {}, **({"state_since": NOW - 2 * DAY} | more))


def instance(processor=1.0, sent=1000, got=1000, datapoints=24, **more):
    values = {"CPUUtilization": processor, "NetworkIn": got, "NetworkOut": sent}
    looks = {metric: looked(value, datapoints, NOW - 2 * HOUR) for metric, value in values.items()}
    return facts(kind="ec2-instance", signals=looks, **more)


def cluster(idle=3, of=3, **more):
    return facts(kind="emr-cluster", signals={"IsIdle": looked(idle, of, NOW - 15 * MINUTE)}, **more)


def database(connections=0.0, datapoints=24, **more):
    look = looked(connections, datapoints, NOW - 2 * HOUR)
    return facts(kind="rds-instance", signals={"DatabaseConnections": look}, **more)


def studio_app(used=NOW - 2 * HOUR, app_type="JupyterLab", type_="ml.t3.medium", **more):
    told = {"app_type": app_type, "type": type_} | ({"used_at": used.isoformat()} if used else {})
    return facts(kind="sagemaker-studio-app", facts=told, **more)


def ready(minutes=16, **more):
    told = {"status": "STARTED", "ready": [{"kind": "DRIVER"}], "stops_when_idle": False} | more
    return facts(kind="emr-serverless-application", facts=told, state_since=NOW - minutes * MINUTE)


def holds(kind, told, days=2, **more):
    since = NOW - days * DAY
    return facts(kind=kind, facts=told, state_since=since, facts_since=since, **more)


FLOWS = ("RequestCount", "NewFlowCount")
RATES = ("SearchRequestRate", "IngestionRequestRate")
THROUGHPUT, COLLECTION = "bedrock-provisioned-throughput", "opensearch-serverless-collection"
KEPT_READY, CACHE = {"provisioned": [{"count": 1}]}, {"caches": [{"gb": "0.5"}]}

FIRES = [
    (past_its_time, in_lab(NOW - 16 * MINUTE), "its time ran out and it did not go"),
    (past_its_time, in_lab(NOW + HOUR, lab_ended_at=NOW - HOUR), "its lab was closed and it is still there"),
    (wrong_region, facts(region="ap-southeast-1"), "made by hand in a region that no lab uses"),
    (stranger, facts(), "no lab made it"),
    (stranger, facts(state="stopped"), "no lab made it, and its disk still costs"),
    (idle_endpoint, idle_ep(None), "no datapoint means no call"),
    (idle_endpoint, idle_ep(0.0), "AWS says zero"),
    (idle_endpoint, idle_ep(None, in_lab=True), "idle in a lab is idle too"),
    (idle_notebook, idle_nb(1.4), "its processor slept for an hour"),
    (unattached_volume, disk(), "attached to nothing for two hours"),
    (idle_instance, instance(), "it neither computed nor talked"),
    (idle_cluster, cluster(), "idle throughout"),
    (idle_database, database(), "nobody was connected"),
    (idle_index, silent("kendra-index", "IndexQueryCount", over=2 * HOUR), "nobody asked"),
    (idle_collection, silent(COLLECTION, *RATES), "nobody searched or wrote"),
    (idle_throughput, silent(THROUGHPUT, "Invocations", over=30 * MINUTE), "nobody called it"),
    (idle_nat_gateway, silent("nat-gateway", "ActiveConnectionCount"), "nothing went through"),
    (idle_nat_gateway, silent("nat-gateway", "ActiveConnectionCount", value=0.0), "AWS says zero"),
    (idle_load_balancer, silent("load-balancer", *FLOWS, over=2 * HOUR), "no visitor"),
    (idle_load_balancer, silent("classic-load-balancer", "RequestCount", over=2 * HOUR), "nor of a classic one"),
    (idle_vpc_endpoint, silent("vpc-endpoint", "BytesProcessed", over=DAY, told={"type": "Interface"}), "no byte"),
    (idle_concurrency, silent("lambda-function", "Invocations", told=KEPT_READY), "kept ready for nobody"),
    (idle_cache, silent("api-gateway-rest", "Count", told=CACHE), "a cache of nothing"),
    (long_work, facts(kind="sagemaker-training-job", state_since=NOW - 4 * HOUR), "four hours of training"),
    (long_work, facts(kind="step-functions-execution", state_since=NOW - 4 * HOUR), "a workflow that goes round"),
    (open_app, studio_app(), "used two hours ago"),
    (open_app, studio_app(NOW - 31 * MINUTE, "Canvas", "unknown"), "Canvas is dear, and was used half an hour ago"),
    (workers_kept_ready, ready(), "started, idle and never to stop"),
    (stopped_for_long, facts(kind="ec2-instance", state="stopped", state_since=NOW - 2 * DAY), "its disk costs"),
    (stopped_for_long, facts(kind="rds-instance", state="stopped", state_since=NOW - 2 * DAY), "it starts by itself"),
    (loose_address, facts(kind="elastic-ip", facts={"attached": False}), "it leads to nothing"),
    (old_copy, holds("ebs-snapshot", {}, 4), "four days old"),
    (old_copy, holds("ami", {}, 4), "and an image"),
    (left_file_system, holds("efs-file-system", {"mount_targets": 0, "studio_domain": "d-1"}), "its domain is gone"),
    (large_and_kept, holds("s3-bucket", {"bytes": {"STANDARD": 2 * 10**9}, "expires": False}), "files for ever"),
    (large_and_kept, holds("ecr-repository", {"bytes": 2 * 10**9, "expires": False}), "images for ever"),
    (logs_for_ever, holds("log-group", {"days": 0, "mib": 3}), "no end was set"),
    (long_lived_key, holds("iam-access-key", {"last_used": "2025-09-17"}), "it is active"),
]

DOES_NOT_FIRE = [
    (past_its_time, in_lab(NOW - 14 * MINUTE), "it is on its way: a notebook takes minutes to stop"),
    (past_its_time, in_lab(NOW + MINUTE), "it still has time"),
    (past_its_time, facts(), "it is in no lab, so it has no time"),
    (wrong_region, facts(), "labs run in this region"),
    (wrong_region, in_lab(region="us-east-1", lab_regions=("eu-west-1",)), "its own lab runs there"),
    (wrong_region, facts(region="ap-southeast-1", lab_regions=()), "nobody said where labs run"),
    (stranger, in_lab(), "a lab made it"),
    (idle_endpoint, idle_ep(3.0), "it was called"),
    (idle_endpoint, idle_ep(None, state="pending"), "it is not there yet"),
    (idle_endpoint, idle_nb(0.0), "a notebook has no invocations"),
    (idle_notebook, idle_nb(3.0), "something runs in it"),
    (idle_notebook, idle_nb(0.1, state="stopped"), "it is off already"),
    (unattached_volume, disk(["i-1"]), "it hangs on an instance"),
    (unattached_volume, disk(since=NOW - 59 * MINUTE), "loose for less than an hour"),
    (unattached_volume, disk(state="deleting"), "it is going"),
    (idle_instance, instance(processor=3.0), "it computes"),
    (idle_instance, instance(got=10**9), "it downloads"),
    (idle_instance, instance(sent=10**9), "it serves"),
    (idle_instance, instance(state="stopped"), "it is off already"),
    (idle_cluster, cluster(2), "it worked in one of the three"),
    (idle_cluster, cluster(state="deleting"), "it is going"),
    (idle_database, database(2.0), "two were connected"),
    (idle_index, silent("kendra-index", "IndexQueryCount", value=1.0), "somebody asked"),
    (idle_collection, silent(COLLECTION, *RATES, value=1.0), "somebody searched"),
    (idle_throughput, silent(THROUGHPUT, "Invocations", value=3.0), "it was called"),
    (idle_nat_gateway, silent("nat-gateway", "ActiveConnectionCount", value=2.0), "something goes through"),
    (idle_load_balancer, silent("load-balancer", *FLOWS, value=9.0), "it has visitors"),
    (idle_vpc_endpoint, silent("vpc-endpoint", "BytesProcessed", value=9.0, told={"type": "Interface"}), "in use"),
    (idle_vpc_endpoint, silent("vpc-endpoint", "BytesProcessed", over=DAY, told={"type": "Gateway"}), "it is free"),
    (idle_concurrency, silent("lambda-function", "Invocations", value=1.0, told=KEPT_READY), "it is called"),
    (idle_concurrency, silent("lambda-function", "Invocations"), "nothing is kept ready: it costs nothing"),
    (idle_cache, silent("api-gateway-rest", "Count", value=1.0, told=CACHE), "it is called"),
    (idle_cache, silent("api-gateway-rest", "Count"), "it has no cache"),
    (long_work, in_lab(kind="sagemaker-training-job", state_since=NOW - 9 * HOUR), "its lab's clock counts"),
    (long_work, facts(kind="sagemaker-training-job", state_since=NOW - 2 * HOUR), "it may take two hours"),
    (long_work, facts(kind="sagemaker-notebook", state_since=NOW - 9 * HOUR), "a notebook is no work that ends"),
    (open_app, studio_app(NOW - 59 * MINUTE), "used within the hour"),
    (open_app, studio_app(app_type="JupyterServer", type_="system"), "Studio's own server is free"),
    (open_app, studio_app(state_since=NOW - 10 * MINUTE), "opened again ten minutes ago"),
    (workers_kept_ready, ready(14), "it was started a moment ago"),
    (workers_kept_ready, ready(ready=[]), "nothing is kept ready"),
    (workers_kept_ready, ready(stops_when_idle=True), "it stops by itself"),
    (stopped_for_long, facts(kind="ec2-instance", state="stopped", state_since=NOW - 23 * HOUR), "over night"),
    (stopped_for_long, facts(kind="ec2-instance", state_since=NOW - 9 * DAY), "it runs"),
    (stopped_for_long, facts(kind="iam-access-key", state="stopped", state_since=NOW - 9 * DAY), "that costs nothing"),
    (loose_address, facts(kind="elastic-ip", facts={"attached": True}), "it leads somewhere"),
    (loose_address, facts(kind="elastic-ip", facts={"attached": False}, facts_since=NOW - 29 * MINUTE), "just now"),
    (old_copy, holds("ebs-snapshot", {}), "two days old"),
    (left_file_system, holds("efs-file-system", {"mount_targets": 2}), "something is attached"),
    (large_and_kept, holds("s3-bucket", {"bytes": {"STANDARD": 2 * 10**9}, "expires": True}), "a rule takes it away"),
    (large_and_kept, holds("s3-bucket", {"bytes": {"STANDARD": 5}}), "it is small"),
    (large_and_kept, holds("s3-bucket", {"bytes": {}, "expires": False}, in_lab=True), "it goes with its lab"),
    (large_and_kept, holds("s3-bucket", {"bytes": {}, "expires": False}, 0.5), "it may be on its way through"),
    (logs_for_ever, holds("log-group", {"days": 7, "mib": 3}), "it ends"),
    (logs_for_ever, holds("log-group", {"days": 0, "mib": 0}), "nothing is in it"),
    (logs_for_ever, holds("log-group", {"days": 0, "mib": 3}, 0.5), "its lab may still take it"),
    (long_lived_key, holds("iam-access-key", {}, state="stopped"), "it is switched off"),
]

NOT_ENOUGH_DATA = [
    (idle_endpoint, facts(kind="sagemaker-endpoint"), "nobody looked yet"),
    (idle_endpoint, idle_ep(None, state_since=NOW - 59 * MINUTE), "younger than the window: silence proves nothing"),
    (idle_notebook, facts(kind="sagemaker-notebook"), "nobody looked yet"),
    (idle_notebook, idle_nb(None, 0), "no datapoint of a processor is not an idle processor"),
    (idle_notebook, idle_nb(0.5, 5), "too few datapoints for an hour"),
    (idle_notebook, idle_nb(0.5, state_since=NOW - 30 * MINUTE), "it was started within the hour"),
    (idle_instance, facts(), "nobody looked yet"),
    (idle_instance, instance(datapoints=11), "too few datapoints for two hours"),
    (idle_instance, instance(state_since=NOW - HOUR), "it was started within the two hours"),
    (idle_cluster, facts(kind="emr-cluster"), "nobody looked yet"),
    (idle_cluster, cluster(2, 2), "two datapoints in a quarter of an hour"),
    (idle_cluster, cluster(state_since=NOW - 10 * MINUTE), "it is ten minutes old"),
    (idle_database, database(None, 0), "no datapoint is not nobody"),
    (idle_index, facts(kind="kendra-index"), "nobody looked yet"),
    (idle_collection, silent(COLLECTION, RATES[0]), "nobody looked at what is written"),
    (idle_throughput, silent(THROUGHPUT, "Invocations", state_since=NOW - MINUTE), "it is a minute old"),
    (idle_nat_gateway, facts(kind="nat-gateway"), "nobody looked yet"),
    (idle_load_balancer, silent("load-balancer", FLOWS[0], over=2 * HOUR), "nobody looked at its flows"),
    (idle_vpc_endpoint, facts(kind="vpc-endpoint"), "nobody looked yet"),
    (idle_concurrency, facts(kind="lambda-function", facts=KEPT_READY), "nobody looked yet"),
    (idle_cache, facts(kind="api-gateway-rest", facts=CACHE), "nobody looked yet"),
    (open_app, studio_app(None), "AWS does not say when it was used"),
    (left_file_system, holds("efs-file-system", {}), "nobody counted what is attached"),
    (large_and_kept, holds("s3-bucket", {"not_accrued": "too many to count"}), "nobody counted"),
    (loose_address, facts(kind="elastic-ip"), "AWS does not say"),
]


def named(cases):
    return [pytest.param(rule, told, id=f"{rule.NAME}: {why}") for rule, told, why in cases]


@pytest.mark.parametrize("rule, told", named(FIRES))
def test_it_fires(rule, told):
    verdict = rule.check(told, NOW)
    assert verdict is not None
    assert 0 < len(verdict.sentence) <= 200
    assert len(verdict.detail) <= 400
    assert verdict.since is not None and verdict.since <= NOW


@pytest.mark.parametrize("rule, told", named(DOES_NOT_FIRE))
def test_it_does_not_fire(rule, told):
    assert rule.check(told, NOW) is None


@pytest.mark.parametrize("rule, told", named(NOT_ENOUGH_DATA))
def test_without_enough_data_it_says_nothing(rule, told):
    assert rule.check(told, NOW) is None


def test_every_rule_is_in_each_table():
    # They go by what a look always tells: a state, a time, a region.
    quiet_without_signals = {
        *("past-its-time", "wrong-region", "stranger", "unattached-volume", "long-work", "workers-kept-ready"),
        *("stopped-for-long", "old-copy", "logs-for-ever", "long-lived-key"),
    }
    for cases, exempt in ((FIRES, set()), (DOES_NOT_FIRE, set()), (NOT_ENOUGH_DATA, quiet_without_signals)):
        assert {rule.NAME for rule in all_rules()} - exempt == {rule.NAME for rule, _, _ in cases}


def test_names_and_ranks_are_unique():
    rules = all_rules()
    assert len({rule.NAME for rule in rules}) == len({rule.RANK for rule in rules}) == len(rules)


def test_what_did_not_go_says_why():
    verdict = past_its_time.check(in_lab(NOW - HOUR, blocked_why="AWS does not let the portal do this"), NOW)
    assert verdict.detail == "It did not go by itself: AWS does not let the portal do this"
    assert verdict.since == NOW - HOUR


@pytest.mark.parametrize(
    "told, action",
    [
        (facts(can_stop=True), STOP),
        (facts(can_stop=True, state="stopped"), DELETE),
        (facts(kind="sagemaker-endpoint"), DELETE),
    ],
)
def test_the_mildest_act_that_turns_it_off(told, action):
    assert told.turned_off_by == action


def test_only_signals_that_a_kind_has_are_read_and_each_by_a_rule():
    for kind, metrics in signals_read().items():
        assert set(metrics) <= {signal.metric for signal in kind_of(kind).signals}, kind
    assert signals_read()["sagemaker-endpoint"] == {"Invocations": HOUR}
    # What nobody judges by is not asked for: each metric costs money.
    assert "efs-file-system" not in signals_read()


def test_every_rule_stands_in_the_documents_table():
    table = (Path(__file__).resolve().parents[2] / "docs/forgotten.md").read_text()
    assert [rule.NAME for rule in all_rules() if f"| `{rule.NAME}` |" not in table] == []


def test_idle_for_a_moment_less_than_an_hour_is_not_idle():
    told = idle_nb(0.5, state_since=AN_HOUR_AGO + timedelta(microseconds=1))
    assert idle_notebook.check(told, NOW) is None
