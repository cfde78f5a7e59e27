"""EMR where moto does other than AWS: states and steps that take time, machines that go with their cluster, an end by
itself, and refusals where it failed."""

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.simulator

STEP = {"Name": "count", "HadoopJarStep": {"Jar": "command-runner.jar", "Args": ["spark-submit", "s3://b/count.py"]}}


@pytest.fixture
def aye(simulator):
    return simulator.new_account()


@pytest.fixture
def emr(simulator, aye):
    return simulator.client("emr", aye)


@pytest.fixture
def a_minute_later(simulator, emr):
    """States take a minute from here on; a_minute_later() lets it go by, and looks: the next state begins then."""
    simulator.pace(state_seconds=60, listed_seconds=3600)

    def pass_by():
        simulator.let_pass(61)
        emr.list_clusters()

    return pass_by


def run(emr, **more):
    keep = more.pop("keep", True)
    groups = [{"Name": "master", "InstanceRole": "MASTER", "InstanceType": "m5.xlarge", "InstanceCount": 1}]
    asked = {
        "Name": "aye's",
        "ReleaseLabel": "emr-7.5.0",
        "ServiceRole": "r",
        "JobFlowRole": "p",
        "Tags": [{"Key": "owner", "Value": "aye"}],
        "Instances": {"InstanceGroups": groups, "KeepJobFlowAliveWhenNoSteps": keep},
    }
    return emr.run_job_flow(**asked | more)["JobFlowId"]


def state(emr, cluster):
    return emr.describe_cluster(ClusterId=cluster)["Cluster"]["Status"]["State"]


def steps(emr, cluster):
    return [step["Status"]["State"] for step in reversed(emr.list_steps(ClusterId=cluster)["Steps"])]


def said(call, **asked):
    with pytest.raises(ClientError) as refused:
        call(**asked)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_cluster_is_seen_on_its_way_through_life(emr, a_minute_later):
    cluster = run(emr)
    for expected in ("STARTING", "BOOTSTRAPPING", "WAITING", "WAITING"):
        assert state(emr, cluster) == expected
        a_minute_later()
    emr.terminate_job_flows(JobFlowIds=[cluster])
    assert state(emr, cluster) == "TERMINATING"
    a_minute_later()
    status = emr.describe_cluster(ClusterId=cluster)["Cluster"]["Status"]
    assert status["State"] == "TERMINATED" and status["StateChangeReason"]["Message"] == "Terminated by user request"
    assert status["Timeline"].keys() == {"CreationDateTime", "ReadyDateTime", "EndDateTime"}


def test_without_a_pace_a_cluster_is_there_at_once(emr):
    assert state(emr, run(emr)) == "WAITING"


def test_steps_run_one_after_the_other_and_come_to_an_end(emr, a_minute_later):
    cluster = run(emr, Steps=[STEP, STEP])
    assert steps(emr, cluster) == ["PENDING", "PENDING"]
    a_minute_later()
    a_minute_later()
    assert (state(emr, cluster), steps(emr, cluster)) == ("RUNNING", ["RUNNING", "PENDING"])
    a_minute_later()
    assert steps(emr, cluster) == ["COMPLETED", "RUNNING"]
    a_minute_later()
    assert (state(emr, cluster), steps(emr, cluster)) == ("WAITING", ["COMPLETED", "COMPLETED"])
    emr.add_job_flow_steps(JobFlowId=cluster, Steps=[STEP])
    assert (state(emr, cluster), steps(emr, cluster)[-1]) == ("RUNNING", "RUNNING")


def test_a_cluster_that_is_to_end_with_its_steps_does(emr, a_minute_later):
    cluster = run(emr, keep=False, Steps=[STEP])
    for _ in range(3):
        a_minute_later()
    assert (state(emr, cluster), steps(emr, cluster)) == ("TERMINATING", ["COMPLETED"])


def test_steps_are_cancelled_one_by_one_or_with_their_cluster(emr, a_minute_later):
    cluster = run(emr, Steps=[STEP, STEP, STEP])
    a_minute_later()
    a_minute_later()
    first = emr.list_steps(ClusterId=cluster)["Steps"][-1]["Id"]
    asked = {"ClusterId": cluster, "StepIds": [first]}
    assert emr.cancel_steps(**asked)["CancelStepsInfoList"] == [{"StepId": first, "Status": "SUBMITTED"}]
    assert steps(emr, cluster) == ["CANCELLED", "RUNNING", "PENDING"]
    assert emr.cancel_steps(**asked)["CancelStepsInfoList"][0]["Status"] == "FAILED"
    emr.terminate_job_flows(JobFlowIds=[cluster])
    assert steps(emr, cluster) == ["CANCELLED", "CANCELLED", "CANCELLED"]
    code, message = said(emr.add_job_flow_steps, JobFlowId=cluster, Steps=[STEP])
    assert code == "ValidationException" and "may not be modified" in message


def test_a_cluster_that_idles_for_as_long_as_its_policy_says_ends_by_itself(simulator, emr):
    cluster = run(emr, AutoTerminationPolicy={"IdleTimeout": 900})
    never = run(emr)
    simulator.let_pass(800)
    assert state(emr, cluster) == "WAITING"
    emr.put_auto_termination_policy(ClusterId=cluster, AutoTerminationPolicy={"IdleTimeout": 3600})
    simulator.let_pass(800)
    assert state(emr, cluster) == "WAITING"
    assert emr.get_auto_termination_policy(ClusterId=cluster)["AutoTerminationPolicy"] == {"IdleTimeout": 3600}
    simulator.let_pass(3600)
    emr.list_clusters()
    assert (state(emr, cluster), state(emr, never)) == ("TERMINATED", "WAITING")


def test_without_its_policy_or_with_protection_it_waits_for_ever(simulator, emr):
    removed, protected = (run(emr, AutoTerminationPolicy={"IdleTimeout": 900}) for _ in range(2))
    emr.remove_auto_termination_policy(ClusterId=removed)
    emr.set_termination_protection(JobFlowIds=[protected], TerminationProtected=True)
    simulator.let_pass(90_000)
    assert (state(emr, removed), state(emr, protected)) == ("WAITING", "WAITING")
    assert "AutoTerminationPolicy" not in emr.get_auto_termination_policy(ClusterId=removed)


def test_a_clusters_machines_carry_its_id_and_tags_stand_in_its_groups_and_go_with_it(simulator, aye, emr):
    cluster = run(emr)
    ec2 = simulator.client("ec2", aye)
    mine = [{"Name": "tag:aws:elasticmapreduce:job-flow-id", "Values": [cluster]}]

    def machine():
        (reservation,) = ec2.describe_instances(Filters=mine)["Reservations"]
        return reservation["Instances"][0]

    assert {"Key": "owner", "Value": "aye"} in machine()["Tags"]
    assert [group["GroupName"] for group in machine()["SecurityGroups"]] == ["ElasticMapReduce-Master-Private"]
    emr.terminate_job_flows(JobFlowIds=[cluster])
    assert machine()["State"]["Name"] == "terminated"


def test_machines_are_listed_by_their_state(emr, a_minute_later):
    cluster = run(emr)

    def running():
        asked = {"ClusterId": cluster, "InstanceStates": ["BOOTSTRAPPING", "RUNNING"]}
        return [machine["Status"]["State"] for machine in emr.list_instances(**asked)["Instances"]]

    assert running() == []
    a_minute_later()
    assert running() == ["BOOTSTRAPPING"]
    a_minute_later()
    assert running() == ["RUNNING"]


def test_what_is_missing_is_refused_as_aws_refuses_it(emr):
    missing = "j-0123456789ABC"
    assert said(emr.describe_cluster, ClusterId=missing) == (
        "InvalidRequestException",
        f"Cluster id '{missing}' is not valid.",
    )
    assert said(emr.list_instance_groups, ClusterId=missing)[0] == "InvalidRequestException"
    assert said(emr.terminate_job_flows, JobFlowIds=[missing]) == (
        "ValidationException",
        "Specified job flow ID does not exist.",
    )


def test_a_protected_cluster_is_kept(emr):
    cluster = run(emr)
    emr.set_termination_protection(JobFlowIds=[cluster], TerminationProtected=True)
    assert said(emr.terminate_job_flows, JobFlowIds=[cluster])[0] == "ValidationException"
    assert state(emr, cluster) == "WAITING"
