"""RDS where moto does other than AWS: states that take time, a week of rest, clusters as one, last snapshots."""

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.simulator

USER = {"MasterUsername": "aye", "MasterUserPassword": "not-a-secret-1"}
ALONE = {"DBInstanceIdentifier": "alone", "DBInstanceClass": "db.t3.micro", "Engine": "mysql", "AllocatedStorage": 20}
MEMBER = {"DBInstanceIdentifier": "member", "DBInstanceClass": "db.t3.medium", "Engine": "aurora-mysql"}


@pytest.fixture
def rds(simulator):
    return simulator.client("rds", simulator.new_account())


@pytest.fixture
def alone(rds):
    rds.create_db_instance(**ALONE, **USER)
    return "alone"


@pytest.fixture
def together(rds):
    rds.create_db_cluster(DBClusterIdentifier="together", Engine="aurora-mysql", **USER)
    rds.create_db_instance(**MEMBER, DBClusterIdentifier="together")
    return "together"


@pytest.fixture
def a_minute_later(simulator):
    simulator.pace(state_seconds=60)
    return lambda: simulator.let_pass(61)


def state(rds, name):
    return rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]["DBInstanceStatus"]


def cluster_state(rds, name):
    return rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]["Status"]


def said(call, **asked):
    with pytest.raises(ClientError) as refused:
        call(**asked)
    return refused.value.response["Error"]["Code"]


def test_a_database_is_seen_on_its_way_through_life(rds, a_minute_later, alone):
    for ask, on_the_way, at_last in (
        (None, "creating", "available"),
        (rds.stop_db_instance, "stopping", "stopped"),
        (rds.start_db_instance, "starting", "available"),
    ):
        if ask:
            ask(DBInstanceIdentifier=alone)
        assert state(rds, alone) == on_the_way
        a_minute_later()
        assert state(rds, alone) == at_last
    rds.delete_db_instance(DBInstanceIdentifier=alone, SkipFinalSnapshot=True)
    assert state(rds, alone) == "deleting"
    assert said(rds.delete_db_instance, DBInstanceIdentifier=alone, SkipFinalSnapshot=True) == "InvalidDBInstanceState"
    a_minute_later()
    assert said(rds.describe_db_instances, DBInstanceIdentifier=alone) == "DBInstanceNotFound"


def test_what_was_stopped_starts_by_itself_after_a_week(simulator, rds, alone):
    rds.stop_db_instance(DBInstanceIdentifier=alone)
    stopped = rds.describe_db_instances(DBInstanceIdentifier=alone)["DBInstances"][0]
    assert stopped["AutomaticRestartTime"] > stopped["InstanceCreateTime"]
    simulator.let_pass(6 * 86_400)
    assert state(rds, alone) == "stopped"
    simulator.let_pass(86_401)
    started = rds.describe_db_instances(DBInstanceIdentifier=alone)["DBInstances"][0]
    assert started["DBInstanceStatus"] == "available" and "AutomaticRestartTime" not in started


def test_a_cluster_stops_and_starts_with_its_members_and_no_member_alone(rds, a_minute_later, together):
    a_minute_later()
    assert said(rds.stop_db_instance, DBInstanceIdentifier="member") == "InvalidParameterCombination"
    rds.stop_db_cluster(DBClusterIdentifier=together)
    assert (cluster_state(rds, together), state(rds, "member")) == ("stopping", "stopping")
    a_minute_later()
    assert (cluster_state(rds, together), state(rds, "member")) == ("stopped", "stopped")
    rds.start_db_cluster(DBClusterIdentifier=together)
    a_minute_later()
    assert (cluster_state(rds, together), state(rds, "member")) == ("available", "available")


def test_nothing_is_deleted_without_a_word_on_its_last_snapshot(rds, alone, together):
    assert said(rds.delete_db_instance, DBInstanceIdentifier=alone) == "InvalidParameterCombination"
    rds.delete_db_instance(DBInstanceIdentifier=alone, FinalDBSnapshotIdentifier="the-last")
    by_hand = rds.describe_db_snapshots(SnapshotType="manual")
    assert [each["DBSnapshotIdentifier"] for each in by_hand["DBSnapshots"]] == ["the-last"]
    rds.delete_db_instance(DBInstanceIdentifier="member")  # its data is the cluster's
    assert said(rds.delete_db_cluster, DBClusterIdentifier=together) == "InvalidParameterCombination"
    rds.delete_db_cluster(DBClusterIdentifier=together, SkipFinalSnapshot=True)


def test_a_cluster_that_is_deleted_is_listed_for_a_while(rds, together, a_minute_later):
    rds.delete_db_instance(DBInstanceIdentifier="member")
    a_minute_later()
    rds.delete_db_cluster(DBClusterIdentifier=together, SkipFinalSnapshot=True)
    assert cluster_state(rds, together) == "deleting"
    a_minute_later()
    assert said(rds.describe_db_clusters, DBClusterIdentifier=together) == "DBClusterNotFoundFault"
