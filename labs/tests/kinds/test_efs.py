"""EFS file systems: mount targets first, what each storage class costs, and what Studio leaves behind."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from botocore.exceptions import ClientError

from labs.aws import AlreadyThere, InTheWay, sorted_trouble
from labs.kinds import kind_of
from labs.kinds.base import ABSENT, DELETING, FAILED, PENDING, RUNNING, Seen
from labs.kinds.efs_file_system import STANDARD, TAG_OF_STUDIO
from labs.tests.kinds.examples import delete, make, want_for
from labs.tests.kinds.examples.elb import two_subnets

SYSTEM = kind_of("efs-file-system")
DOMAIN = "arn:aws:sagemaker:us-east-1:600000000002:domain/d-abcdefghijkl"
GB = 2**30


@pytest.mark.simulator
def test_mount_targets_go_before_their_file_system(account):
    client, want, seen = make("efs-file-system", account)
    for subnet in two_subnets(account):
        client.create_mount_target(FileSystemId=seen.aws_id, SubnetId=subnet)
    with pytest.raises(ClientError) as refused:
        client.delete_file_system(FileSystemId=seen.aws_id)
    assert isinstance(sorted_trouble(refused.value), InTheWay)
    assert SYSTEM.observe(client, want).facts["mount_targets"] == 2
    assert delete("efs-file-system", client, want) == 2, "both targets by the first call, the files by the second"


@pytest.mark.simulator
def test_mount_targets_take_a_while_and_are_asked_once(account):
    client, want, seen = make("efs-file-system", account)
    client.create_mount_target(FileSystemId=seen.aws_id, SubnetId=two_subnets(account)[0])
    account.simulator.pace(state_seconds=60)
    account.simulator.let_pass(61)
    SYSTEM.delete(client, want, seen)
    account.simulator.forget_calls()
    SYSTEM.delete(client, want, seen)
    assert set(account.simulator.calls()["by"]) == {"efs:DescribeMountTargets"}
    account.simulator.let_pass(61)
    SYSTEM.delete(client, want, seen)
    going = SYSTEM.observe(client, replace(want, aws_id=seen.aws_id))
    assert going.state == DELETING
    SYSTEM.delete(client, want, going)
    account.simulator.let_pass(61)
    assert SYSTEM.observe(client, replace(want, aws_id=seen.aws_id)).state == ABSENT


@pytest.mark.simulator
def test_a_create_that_is_repeated_finds_the_first_one(account):
    client, want, _ = make("efs-file-system", account)
    with pytest.raises(ClientError) as refused:
        SYSTEM.create(client, want)
    assert isinstance(sorted_trouble(refused.value), AlreadyThere)


@pytest.mark.simulator
def test_what_a_studio_domain_left_behind_says_so(account):
    client = account.client("efs")
    tags = [{"Key": TAG_OF_STUDIO, "Value": DOMAIN}]
    left = client.create_file_system(CreationToken="studio", Tags=tags)["FileSystemId"]
    (seen,) = (each for each in SYSTEM.find_all(client) if each.aws_id == left)
    assert seen.facts["studio_domain"] == DOMAIN
    assert SYSTEM.observe(client, make("efs-file-system", account)[1]).facts["studio_domain"] == ""


def lines(facts, state=RUNNING):
    meters = SYSTEM.meters(Seen(state, facts=facts))
    return {(meter.kind, meter.sku, meter.quantity, meter.per) for meter in meters}


@pytest.mark.parametrize(
    ("facts", "billed", "why"),
    [
        (
            {"bytes": {"Standard": 3 * GB, "IA": GB}},
            {("storage", STANDARD, Decimal(3), "month"), ("storage", "IA", Decimal(1), "month")},
            "each class has a price",
        ),
        (
            {"bytes": {"Standard": GB}, "one_zone": True},
            {("storage", "OneZone-Standard", Decimal(1), "month")},
            "one zone is cheaper",
        ),
        ({"bytes": {"Archive": GB}}, {("storage", "Archive", Decimal(1), "month")}, "not in the book: unpriced"),
        (
            {"bytes": {"Archive": GB}, "one_zone": True},
            {("storage", "OneZone-Archive", Decimal(1), "month")},
            "the same",
        ),
        ({"bytes": {}}, set(), "nothing is stored"),
        (
            {"bytes": {}, "mibps": 2.5},
            {("throughput", "provisioned", Decimal("2.5"), "month")},
            "throughput that is kept ready costs, used or not",
        ),
    ],
)
def test_a_file_system_costs(facts, billed, why):
    assert lines(facts) == billed, why


@pytest.mark.parametrize(
    ("state", "is_billed"), [(RUNNING, True), (DELETING, True), (PENDING, False), (FAILED, False), (ABSENT, False)]
)
def test_what_is_stored_costs_as_long_as_it_is_there(state, is_billed):
    assert bool(lines({"bytes": {"Standard": GB}}, state)) is is_billed


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("creating", PENDING),
        ("available", RUNNING),
        ("updating", RUNNING),
        ("deleting", DELETING),
        ("deleted", ABSENT),
        ("error", FAILED),
    ],
)
def test_a_file_system_is_seen_as(status, state):
    class Client:
        def describe_file_systems(self, **asked):
            sizes = {"Value": 6144, "ValueInStandard": 6144, "ValueInIA": 0}
            at = datetime(2025, 9, 13, 7, 0, tzinfo=UTC)
            told = {"FileSystemId": "fs-1", "LifeCycleState": status, "SizeInBytes": sizes, "CreationTime": at}
            return {"FileSystems": [told]}

        exceptions = type("Exceptions", (), {"ClientError": ClientError})

    assert SYSTEM.observe(Client(), want_for("efs-file-system", aws_id="fs-1")).state == state
