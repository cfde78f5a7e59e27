"""EMR: one cluster and never a second, the whole of its price in one place, and what has to stop before it goes."""

from dataclasses import replace
from decimal import Decimal

import pytest
from botocore.stub import ANY

from labs.kinds import kind_of
from labs.kinds.base import ABSENT, DELETING, FAILED, PENDING, RUNNING, TAG_LAUNCH, Seen
from labs.tests.cast import START
from labs.tests.kinds.examples import EXAMPLES, delete, make, want_for
from labs.tests.kinds.scripted_aws import scripted

CLUSTER, INSTANCE, VOLUME, GROUP = map(kind_of, ("emr-cluster", "ec2-instance", "ebs-volume", "security-group"))
ARN = "arn:aws:elasticmapreduce:us-east-1:600000000002:cluster/j-1"
FLEET = {"InstanceCollectionType": "INSTANCE_FLEET", "ReleaseLabel": "emr-6.15.0", "EbsRootVolumeSize": 20}


def params(account, **more):
    return EXAMPLES["emr-cluster"].params(account) | more


def names_of(client):
    return [seen.name for seen in CLUSTER.find_all(client)]


# --- made once ------------------------------------------------------------------------------------------------


@pytest.mark.simulator
def test_a_create_that_is_repeated_makes_no_second_cluster(account):
    client, want, seen = make("emr-cluster", account)
    CLUSTER.create(client, want)
    assert names_of(client).count(want.name) == 1
    assert CLUSTER.observe(client, want).aws_id == seen.aws_id


@pytest.mark.simulator
def test_a_clone_made_in_the_console_is_not_taken_for_the_labs_own(account):
    client, want, seen = make("emr-cluster", account)
    clone = replace(want, name="another", token="0" * 32)
    CLUSTER.create(client, clone)  # with a name of its own, or the create would be ours again
    assert CLUSTER.observe(client, want).aws_id == seen.aws_id
    assert CLUSTER.observe(client, clone).aws_id != seen.aws_id


@pytest.mark.simulator
def test_it_is_made_so_that_it_ends_by_itself(account):
    client, _, seen = make("emr-cluster", account)
    policy = client.get_auto_termination_policy(ClusterId=seen.aws_id)["AutoTerminationPolicy"]
    assert policy == {"IdleTimeout": 900}
    cluster = client.describe_cluster(ClusterId=seen.aws_id)["Cluster"]
    assert (cluster["TerminationProtected"], cluster["AutoTerminate"]) == (False, False)


@pytest.mark.simulator
def test_one_that_is_for_its_steps_alone_ends_with_the_last_of_them(account):
    steps = [{"name": "count", "args": ["spark-submit", "s3://b/count.py"]}]
    client, want, seen = make("emr-cluster", account, params(account, steps=steps, ends_after_steps=True))
    assert CLUSTER.observe(client, replace(want, aws_id=seen.aws_id)).state == ABSENT


@pytest.mark.simulator
def test_a_lone_master_is_a_cluster_too(account):
    _, _, seen = make("emr-cluster", account, params(account, cores=0))
    assert seen.facts["machines"] == [{"type": "m5.xlarge", "spot": False, "count": 1}]


# --- its states -----------------------------------------------------------------------------------------------


@pytest.mark.simulator
def test_it_is_seen_on_its_way_and_costs_only_what_runs(account):
    account.simulator.pace(state_seconds=30)
    client, want, seen = make("emr-cluster", account)
    assert (seen.state, seen.facts["status"], CLUSTER.meters(seen)) == (PENDING, "STARTING", [])
    account.simulator.let_pass(31)
    seen = CLUSTER.observe(client, want)
    assert (seen.state, seen.facts["status"]) == (PENDING, "BOOTSTRAPPING")
    assert CLUSTER.meters(seen), "machines are paid for while they are set up"
    account.simulator.let_pass(31)
    seen = CLUSTER.observe(client, want)
    assert (seen.state, seen.facts["status"]) == (RUNNING, "WAITING")
    CLUSTER.delete(client, want, seen)
    assert CLUSTER.observe(client, want).state == DELETING
    account.simulator.let_pass(31)
    ended = CLUSTER.observe(client, replace(want, aws_id=seen.aws_id))
    assert ended.state == ABSENT and ended.since is not None


@pytest.mark.simulator
def test_one_that_ended_before_anybody_saw_it_says_why(account):
    client, want, seen = make("emr-cluster", account)
    client.terminate_job_flows(JobFlowIds=[seen.aws_id])
    never_seen = CLUSTER.observe(client, want)
    assert (never_seen.state, never_seen.facts["failure"]) == (FAILED, "Terminated by user request")
    assert CLUSTER.meters(never_seen) == []
    assert CLUSTER.observe(client, replace(want, aws_id=seen.aws_id)).state == ABSENT


# --- the end --------------------------------------------------------------------------------------------------


@pytest.mark.simulator
def test_one_that_a_student_protected_goes_all_the_same(account):
    client, want, seen = make("emr-cluster", account)
    client.set_termination_protection(JobFlowIds=[seen.aws_id], TerminationProtected=True)
    assert delete("emr-cluster", client, want) == 1


def test_what_is_on_its_way_out_is_not_asked_again():
    with scripted("emr") as client:
        CLUSTER.delete(client, want_for("emr-cluster"), Seen(DELETING, aws_id="j-1"))


@pytest.mark.simulator
def test_emrs_own_security_groups_stay_behind_point_at_each_other_and_can_be_deleted(account):
    client, want, _ = make("emr-cluster", account)
    ec2 = account.client("ec2")

    def left():
        return [group for group in GROUP.find_all(ec2) if group.name.startswith("ElasticMapReduce-")]

    assert len(left()) == 3
    delete("emr-cluster", client, want)
    for other in CLUSTER.find_all(client):  # of the tests before
        client.terminate_job_flows(JobFlowIds=[other.aws_id])
    for group in left():
        GROUP.delete(ec2, want_for("security-group"), group)
    assert left() == []
    assert "emr-cluster" in GROUP.goes_after


# --- the price ------------------------------------------------------------------------------------------------


def lines(meters):
    return {(meter.service, meter.kind, meter.sku, meter.quantity) for meter in meters}


def test_a_machine_costs_what_ec2_takes_and_emrs_own_price_on_top():
    assert lines(CLUSTER.meters(Seen(RUNNING, facts=EXAMPLES["emr-cluster"].running))) == {
        ("EC2", "on-demand-linux", "m5.xlarge", Decimal(3)),
        ("EMR", "ec2-uplift", "m5.xlarge", Decimal(3)),
        ("EBS", "volume", "gp3", Decimal(3 * 15 + 3 * 32)),
        ("VPC", "public-ipv4", "in-use-address", Decimal(3)),
    }


def test_a_spot_machine_pays_the_same_to_emr():
    facts = {"machines": [{"type": "m5.xlarge", "spot": True, "count": 1}]}
    assert lines(CLUSTER.meters(Seen(RUNNING, facts=facts))) == {
        ("EC2", "spot", "m5.xlarge", Decimal(1)),
        ("EMR", "ec2-uplift", "m5.xlarge", Decimal(1)),
    }


def test_what_is_going_costs_until_its_machines_are_gone():
    assert CLUSTER.meters(Seen(DELETING, facts=EXAMPLES["emr-cluster"].running))


@pytest.mark.simulator
def test_the_machines_of_a_cluster_are_counted_with_it_and_nowhere_else(account):
    """A cluster that a student made by hand: its machines carry its tags, and EC2 lists them like any others."""
    client, want, cluster = make("emr-cluster", account)
    ec2 = account.client("ec2")
    mine = [{"Name": "tag:aws:elasticmapreduce:job-flow-id", "Values": [cluster.aws_id]}]
    reservations = ec2.describe_instances(Filters=mine)["Reservations"]
    machines = [instance for reservation in reservations for instance in reservation["Instances"]]
    assert len(machines) == 3
    assert all({"Key": TAG_LAUNCH, "Value": want.tags[TAG_LAUNCH]} in machine["Tags"] for machine in machines)

    ids = {machine["InstanceId"] for machine in machines}
    assert not ids & {seen.aws_id for seen in INSTANCE.find_all(ec2)}
    assert not any(set(seen.facts["attached_to"]) & ids for seen in VOLUME.find_all(ec2))
    told = INSTANCE.observe(ec2, want_for("ec2-instance", aws_id=machines[0]["InstanceId"]))
    assert (told.state, told.facts["goes_with"], INSTANCE.meters(told)) == (RUNNING, cluster.aws_id, [])
    assert sum(meter.quantity for meter in CLUSTER.meters(cluster) if meter.service == "EC2") == 3

    delete("emr-cluster", client, want)
    gone = INSTANCE.observe(ec2, want_for("ec2-instance", aws_id=machines[0]["InstanceId"]))
    assert gone.state == ABSENT, "they go with it"


@pytest.mark.simulator
def test_an_instance_of_nobodys_cluster_is_listed_as_ever(account):
    _, _, seen = make("ec2-instance", account)
    assert seen.aws_id in {each.aws_id for each in INSTANCE.find_all(account.client("ec2"))}
    assert "goes_with" not in seen.facts and INSTANCE.meters(seen)


def test_a_students_cluster_of_fleets_is_priced_by_what_came_of_them():
    """Which types a fleet got, and at which market, only its instances tell; what disks they have, only the fleet."""
    timeline = {"CreationDateTime": START, "ReadyDateTime": START}
    cluster = {"Id": "j-1", "Name": "by hand", "ClusterArn": ARN, "Status": {"State": "WAITING", "Timeline": timeline}}
    machines = [
        {"InstanceType": "m5.xlarge", "Market": "ON_DEMAND", "InstanceFleetId": "if-1", "PublicIpAddress": "192.0.2.1"},
        {"InstanceType": "m5.2xlarge", "Market": "SPOT", "InstanceFleetId": "if-2"},
    ]
    disk = {"VolumeSpecification": {"VolumeType": "gp2", "SizeInGB": 64}, "Device": "/dev/sdb"}
    fleets = [
        {"Id": "if-1", "InstanceTypeSpecifications": [{"InstanceType": "m5.xlarge"}]},
        {"Id": "if-2", "InstanceTypeSpecifications": [{"InstanceType": "m5.2xlarge", "EbsBlockDevices": [disk, disk]}]},
    ]
    with scripted(
        "emr",
        ("describe_cluster", {"ClusterId": "j-1"}, {"Cluster": cluster | FLEET}),
        ("list_instances", {"ClusterId": "j-1", "InstanceStates": ANY}, {"Instances": machines}),
        ("list_instance_fleets", {"ClusterId": "j-1"}, {"InstanceFleets": fleets}),
    ) as client:
        seen = CLUSTER.observe(client, want_for("emr-cluster", aws_id="j-1"))
    assert lines(CLUSTER.meters(seen)) == {
        ("EC2", "on-demand-linux", "m5.xlarge", Decimal(1)),
        ("EC2", "spot", "m5.2xlarge", Decimal(1)),
        ("EMR", "ec2-uplift", "m5.xlarge", Decimal(1)),
        ("EMR", "ec2-uplift", "m5.2xlarge", Decimal(1)),
        ("EBS", "volume", "gp2", Decimal(20 + 20 + 64 + 64)),
        ("VPC", "public-ipv4", "in-use-address", Decimal(1)),
    }
