"""RDS: what stopping keeps and AWS undoes, what a delete has to do first, and which disk is whose."""

from decimal import Decimal

import pytest

from labs.kinds import kind_of
from labs.kinds.base import DELETING, FAILED, PENDING, RUNNING, STOPPED, STOPPING, Seen
from labs.tests.kinds.examples import EXAMPLES, delete, make, want_for
from labs.tests.kinds.scripted_aws import scripted

INSTANCE, CLUSTER = kind_of("rds-instance"), kind_of("rds-cluster")
FACTS = EXAMPLES["rds-instance"].running


def lines(meters):
    return {(meter.service, meter.kind, meter.sku, meter.quantity) for meter in meters}


HOURS = ("RDS", "mysql-single-az", "db.t3.micro", Decimal(1))
ADDRESS = ("VPC", "public-ipv4", "in-use-address", Decimal(1))
DISK = ("RDS", "storage", "gp2", Decimal(20))


# --- the price ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "status", "billed"),
    [
        (RUNNING, "available", {HOURS, ADDRESS, DISK}),
        (RUNNING, "backing-up", {HOURS, ADDRESS, DISK}),
        (STOPPED, "stopped", {DISK}),
        (STOPPING, "stopping", {DISK}),
        (PENDING, "starting", {DISK}),
        (PENDING, "creating", set()),
        (DELETING, "deleting", set()),
        (FAILED, "failed", set()),
    ],
)
def test_a_stopped_database_goes_on_paying_for_its_disk(state, status, billed):
    assert lines(INSTANCE.meters(Seen(state, facts=FACTS | {"status": status}))) == billed


def test_a_standby_in_another_zone_doubles_the_disk_and_has_a_price_of_its_own():
    twice = lines(INSTANCE.meters(Seen(RUNNING, facts=FACTS | {"multi_az": True, "public": False})))
    assert twice == {("RDS", "mysql-multi-az", "db.t3.micro", Decimal(1)), ("RDS", "storage", "gp2", Decimal(40))}


def test_operations_that_were_bought_are_a_line_of_their_own():
    bought = FACTS | {"disk_type": "io1", "iops": 1000}
    assert ("RDS", "iops", "io1", Decimal(1000)) in lines(INSTANCE.meters(Seen(STOPPED, facts=bought)))


@pytest.mark.simulator
def test_the_disk_of_a_cluster_is_not_counted_with_each_member(account):
    client, want, cluster = make("rds-cluster", account)
    (name,) = cluster.facts["instances"]
    member = INSTANCE.observe(client, want_for("rds-instance", aws_id=name))
    assert member.facts["cluster"] == want.aws_id
    assert {meter.kind for meter in INSTANCE.meters(member)} == {"aurora-mysql-single-az"}
    assert "Storage" in cluster.facts["not_accrued"]


# --- stop and start -------------------------------------------------------------------------------------------


@pytest.mark.simulator
def test_a_database_is_seen_on_its_way(account):
    account.simulator.pace(state_seconds=30)
    client, want, seen = make("rds-instance", account)
    assert seen.state == PENDING
    account.simulator.let_pass(31)
    for ask, on_the_way, at_last in (
        (INSTANCE.stop, STOPPING, STOPPED),
        (INSTANCE.start, PENDING, RUNNING),
        (INSTANCE.delete, DELETING, "absent"),
    ):
        ask(client, want, INSTANCE.observe(client, want))
        assert INSTANCE.observe(client, want).state == on_the_way
        account.simulator.let_pass(31)
        assert INSTANCE.observe(client, want).state == at_last


@pytest.mark.simulator
def test_what_is_stopped_says_when_aws_starts_it_again(account):
    client, want, seen = make("rds-instance", account)
    assert "restarts_at" not in seen.facts
    INSTANCE.stop(client, want, seen)
    assert INSTANCE.observe(client, want).facts["restarts_at"]
    assert "7 days" in INSTANCE.kept_on_stop and "7 days" in CLUSTER.kept_on_stop


@pytest.mark.simulator
def test_a_member_is_stopped_and_started_with_its_cluster(account):
    client, want, cluster = make("rds-cluster", account)
    member = want_for("rds-instance", aws_id=cluster.facts["instances"][0])
    INSTANCE.stop(client, member, INSTANCE.observe(client, member))
    assert (INSTANCE.observe(client, member).state, CLUSTER.observe(client, want).state) == (STOPPED, STOPPED)
    INSTANCE.start(client, member, INSTANCE.observe(client, member))
    assert (INSTANCE.observe(client, member).state, CLUSTER.observe(client, want).state) == (RUNNING, RUNNING)


# --- the end --------------------------------------------------------------------------------------------------


@pytest.mark.simulator
def test_a_protected_database_goes_all_the_same_and_its_words_say_that_its_data_is_lost(account):
    client, want, seen = make("rds-instance", account)
    client.modify_db_instance(DBInstanceIdentifier=seen.aws_id, DeletionProtection=True)
    assert delete("rds-instance", client, want) == 2
    assert (
        "All its data is lost" in INSTANCE.lost_on_delete and "Snapshots made by hand stay" in INSTANCE.lost_on_delete
    )


@pytest.mark.simulator
def test_a_stopped_database_is_deleted_as_it_is(account):
    client, want, seen = make("rds-instance", account)
    INSTANCE.stop(client, want, seen)
    assert delete("rds-instance", client, want) == 1


@pytest.mark.simulator
def test_a_cluster_gives_up_its_protection_then_its_members_then_itself(account):
    client, want, seen = make("rds-cluster", account)
    client.modify_db_cluster(DBClusterIdentifier=seen.aws_id, DeletionProtection=True)
    assert delete("rds-cluster", client, want) == 3
    members = {each.aws_id for each in INSTANCE.find_all(client)}
    assert not members & set(seen.facts["instances"])


@pytest.mark.parametrize("says", ["InvalidDBInstanceState: it is being deleted", "DBInstanceNotFound: none"])
def test_a_member_on_its_way_out_does_not_keep_the_others(says):
    seen = Seen(RUNNING, aws_id="c", facts={"instances": ["one", "two"]})
    with scripted(
        "rds",
        ("delete_db_instance", {"DBInstanceIdentifier": "one", "SkipFinalSnapshot": True}, says),
        ("delete_db_instance", {"DBInstanceIdentifier": "two", "SkipFinalSnapshot": True}, {}),
    ) as client:
        CLUSTER.delete(client, want_for("rds-cluster"), seen)


def test_another_refusal_comes_out():
    asked = {"DBInstanceIdentifier": "one", "SkipFinalSnapshot": True}
    with (
        scripted("rds", ("delete_db_instance", asked, "AccessDenied: no")) as client,
        pytest.raises(client.exceptions.ClientError, match="AccessDenied"),
    ):
        CLUSTER.delete(client, want_for("rds-cluster"), Seen(RUNNING, aws_id="c", facts={"instances": ["one"]}))


def test_what_is_being_deleted_is_not_asked_again():
    for kind in (INSTANCE, CLUSTER):
        with scripted("rds") as client:
            kind.delete(client, want_for(kind.name), Seen(DELETING, aws_id="it", facts={"protected": True}))
