"""Faults on purpose, counting, and the operator's desk: what other tests and benches lean on."""

import json
import time

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from labs.simulator.faults import BadRule, Faults

pytestmark = pytest.mark.simulator


@pytest.fixture
def ec2(simulator):
    return simulator.client("ec2", simulator.new_account())


def keys_in(ec2):
    return [each["KeyName"] for each in ec2.describe_key_pairs()["KeyPairs"]]


@pytest.mark.parametrize(
    ("service", "operation", "code", "status"),
    [
        ("ec2", "describe_instances", "RequestLimitExceeded", 503),
        ("s3", "list_buckets", "SlowDown", 503),
        ("iam", "list_roles", "Throttling", 400),
        ("sagemaker", "list_models", "ThrottlingException", 400),
        ("sagemaker", "list_models", "InternalFailure", 500),
    ],
)
def test_a_fault_is_met_once_in_the_services_own_format(simulator, service, operation, code, status):
    client = simulator.client(service, simulator.new_account())
    simulator.faults([{"service": service, "code": code, "status": status, "message": "<busy>"}])
    with pytest.raises(ClientError) as met:
        getattr(client, operation)()
    assert met.value.response["Error"]["Code"] == code
    assert met.value.response["Error"]["Message"] == "<busy>"
    assert met.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    getattr(client, operation)()


def test_a_call_cut_before_did_not_happen_and_one_cut_after_did(simulator, ec2):
    simulator.faults(
        [
            {"operation": "CreateKeyPair", "drop": "before"},
            {"operation": "CreateKeyPair", "drop": "after"},
        ]
    )
    with pytest.raises(ConnectionClosedError):
        ec2.create_key_pair(KeyName="never")
    assert keys_in(ec2) == []
    with pytest.raises(ConnectionClosedError):
        ec2.create_key_pair(KeyName="made all the same")
    assert keys_in(ec2) == ["made all the same"]


def test_a_slow_answer_meets_the_clients_time_out(simulator):
    impatient = Config(read_timeout=0.1, retries={"total_max_attempts": 1})
    client = simulator.client("ec2", simulator.new_account(), config=impatient)
    simulator.faults([{"operation": "DescribeVpcs", "delay": 0.4}])
    with pytest.raises(ReadTimeoutError):
        client.describe_vpcs()


def test_a_fault_may_wait_for_the_third_call_of_one_account(simulator, ec2):
    mine = ec2.describe_vpcs()["Vpcs"][0]["OwnerId"]
    simulator.faults([{"operation": "DescribeVpcs", "account": mine, "code": "Throttling", "skip": 2, "times": None}])
    simulator.client("ec2", simulator.new_account()).describe_vpcs()
    ec2.describe_vpcs()
    ec2.describe_vpcs()
    for _ in range(2):
        with pytest.raises(ClientError, match="Throttling"):
            ec2.describe_vpcs()


def test_a_rule_that_says_nothing_is_refused_and_the_others_stay():
    faults = Faults()
    faults.set([{"code": "Throttling"}])
    for wrong in ({}, {"drop": "never"}, {"codes": "x"}):
        with pytest.raises(BadRule):
            faults.set([wrong])
    assert len(faults._rules) == 1


def test_calls_are_counted_by_service_and_operation(simulator, ec2):
    simulator.forget_calls()
    # Which no other test asks: one that gave up waiting may still be served.
    ec2.describe_key_pairs()
    ec2.describe_key_pairs()
    with pytest.raises(ClientError):
        ec2.describe_instances(InstanceIds=["i-0123456789abcdef0"])
    calls = simulator.calls()
    assert calls["by"] == {"ec2:DescribeKeyPairs": 2, "ec2:DescribeInstances": 1}
    assert calls["count"] == 3 and calls["left_off"] == 0
    assert calls["calls"][-1] | {"at": ""} == {
        "at": "",
        "service": "ec2",
        "operation": "DescribeInstances",
        "account": calls["calls"][0]["account"],
        "region": "us-east-1",
        "status": 400,
    }


def test_a_delay_is_added_to_every_call_but_calls_do_not_wait_for_one_another(simulator, ec2):
    from concurrent.futures import ThreadPoolExecutor

    ec2.describe_vpcs()
    simulator.pace(delay_ms=100)
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ec2.describe_vpcs(), range(8)))
    took = time.monotonic() - began
    assert 0.1 <= took < 0.6


def test_many_threads_meet_no_error_of_the_simulators_own(simulator):
    """moto under 32 threads gave rare 500s: its dictionaries change while they are walked."""
    from concurrent.futures import ThreadPoolExecutor

    account = simulator.new_account()
    ec2 = simulator.client("ec2", account, config=Config(max_pool_connections=32, retries={"total_max_attempts": 1}))
    tagging = simulator.client("resourcegroupstaggingapi", account)

    def work(number):
        ec2.create_security_group(GroupName=f"g{number}", Description="one of many")
        return len(tagging.get_resources()["ResourceTagMappingList"])

    with ThreadPoolExecutor(32) as pool:
        assert len(list(pool.map(work, range(64)))) == 64
    assert len(ec2.describe_security_groups()["SecurityGroups"]) == 65


def test_the_secret_is_readable_by_its_owner_alone_and_goes_with_the_process(tmp_path):
    from labs.simulator.testing import start, stop

    running = start("--state-seconds", "0", var=tmp_path)
    secret = tmp_path / "simulator.secret"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert secret.read_text() == running.operator_secret
    assert json.dumps(running.boot())
    stop(running)
    assert running.process.returncode == 0
    assert not secret.exists()


def test_how_long_states_and_jobs_take_is_said_at_the_start_and_holds_after_a_reset(tmp_path):
    from labs.simulator.testing import start, stop

    running = start("--state-seconds", "2", "--work-seconds", "3", var=tmp_path)
    running.pace(state_seconds=9, work_seconds=9)
    running.reset()
    said = running.pace()
    stop(running)
    assert (said["state_seconds"], said["work_seconds"]) == (2, 3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--host", "0.0.0.0"], "loopback only"),  # noqa: S104
        (["--host", "example.org"], "loopback only"),
        (["--port", "{taken}"], "is taken"),
    ],
)
def test_it_does_not_start_where_it_should_not(simulator, options, said):
    import subprocess
    import sys

    port = simulator.url.rsplit(":", 1)[1]
    asked = [option.format(taken=port) for option in options]
    ended = subprocess.run(
        [sys.executable, "-m", "labs.simulator", *asked], capture_output=True, text=True, timeout=30, check=False
    )
    assert ended.returncode == 1
    assert said in ended.stderr and ended.stderr.count("\n") == 1
