"""Instances and their disks: what is asked of AWS, what is seen, and what it costs."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from labs.aws import InTheWay, Refused, sorted_trouble
from labs.kinds import kind_of
from labs.kinds.base import ABSENT, DELETING, FAILED, PENDING, RUNNING, STOPPED, STOPPING, Seen
from labs.tests.kinds.examples import configure, delete, make, want_for
from labs.tests.kinds.examples.ec2 import PUBLIC_KEY, volume
from labs.tests.kinds.stubbed import stubbed

INSTANCE, VOLUME, GROUP, KEY_PAIR, SNAPSHOT, IMAGE = map(
    kind_of, ("ec2-instance", "ebs-volume", "security-group", "ec2-key-pair", "ebs-snapshot", "ami")
)
GP3 = {"type": "gp3", "gb": 8, "iops": 3000, "mibps": 125}
MICRO = {"type": "t3.micro", "platform": "linux", "disks": [GP3], "public_ips": 1}


class Recorder:
    """An EC2 client that answers nothing and remembers what it was asked."""

    def __init__(self, **answers):
        self.asked, self.answers = {}, answers
        self.meta = SimpleNamespace(region_name="us-east-1")
        self.exceptions = SimpleNamespace(ClientError=ClientError)

    def __getattr__(self, operation):
        def call(**asked):
            self.asked[operation] = asked
            return self.answers.get(operation, {})

        return call


def by_tag(want):
    return Recorder(
        describe_images={
            "Images": [{"ImageId": "ami-1", "RootDeviceName": "/dev/xvda", "CreationDate": "1", "Name": "a"}]
        }
    )


# --- create --------------------------------------------------------------------------------------------------


def test_the_create_call_carries_token_tags_and_every_cap_that_aws_offers():
    want = want_for("ec2-instance", {"type": "t3.micro", "gb": 12, "profile": "reads", "security_groups": ["sg-1"]})
    client = by_tag(want)
    INSTANCE.create(client, want)
    asked = client.asked["run_instances"]
    assert asked["ClientToken"] == want.token
    assert (asked["MinCount"], asked["MaxCount"]) == (1, 1)
    assert asked["InstanceInitiatedShutdownBehavior"] == "terminate"
    assert asked["CreditSpecification"] == {"CpuCredits": "standard"}, "unlimited credits cost without an upper bound"
    assert asked["MetadataOptions"] == {"HttpTokens": "required"}
    assert asked["BlockDeviceMappings"][0]["Ebs"] == {
        "VolumeSize": 12,
        "VolumeType": "gp3",
        "DeleteOnTermination": True,
    }
    assert asked["IamInstanceProfile"] == {"Name": "reads"}
    assert asked["SecurityGroupIds"] == ["sg-1"]
    for made in asked["TagSpecifications"]:
        assert {"Key": "lightsout:resource", "Value": want.token} in made["Tags"]
    assert {made["ResourceType"] for made in asked["TagSpecifications"]} == {"instance", "volume"}


def test_a_type_without_credits_is_not_asked_for_credits():
    want = want_for("ec2-instance", {"type": "c5.large"})
    client = by_tag(want)
    INSTANCE.create(client, want)
    assert "CreditSpecification" not in client.asked["run_instances"]


def test_the_newest_amazon_linux_is_taken():
    images = [
        {"ImageId": "ami-old", "RootDeviceName": "/dev/xvda", "CreationDate": "2025-01-01T00:00:00.000Z", "Name": "b"},
        {"ImageId": "ami-new", "RootDeviceName": "/dev/xvda", "CreationDate": "2026-01-01T00:00:00.000Z", "Name": "a"},
    ]
    client = Recorder(describe_images={"Images": images})
    INSTANCE.create(client, want_for("ec2-instance", {"type": "t4g.micro", "architecture": "arm64"}))
    assert client.asked["run_instances"]["ImageId"] == "ami-new"
    assert client.asked["describe_images"]["Filters"][0]["Values"] == ["al2023-ami-2023.*-arm64"]
    assert client.asked["describe_images"]["Owners"] == ["amazon"], "anybody can publish an image of that name"


def test_a_region_without_the_image_says_so_in_words():
    with pytest.raises(Refused, match="no Amazon Linux image .* in us-east-1"):
        INSTANCE.create(Recorder(describe_images={"Images": []}), want_for("ec2-instance", {"type": "t3.micro"}))


# --- seen ----------------------------------------------------------------------------------------------------


@pytest.mark.simulator
def test_what_is_seen_on_the_way_up_and_down(account):
    client, want, seen = make("ec2-instance", account)
    assert seen.state == RUNNING
    assert seen.facts["disk_gb"] == 8 and seen.facts["public_ips"] == 1
    account.simulator.pace(state_seconds=30)
    assert INSTANCE.observe(client, want).state == PENDING
    account.simulator.pace(state_seconds=0)
    INSTANCE.stop(client, want, seen)
    account.simulator.pace(state_seconds=30)
    assert INSTANCE.observe(client, want).state == STOPPING
    account.simulator.pace(state_seconds=0)
    stopped = INSTANCE.observe(client, want)
    assert stopped.state == STOPPED
    assert stopped.since is not None and stopped.since.tzinfo == UTC
    assert stopped.facts["public_ips"] == 0, "a stopped instance gives its address back"
    INSTANCE.delete(client, want, stopped)
    account.simulator.pace(state_seconds=30)
    assert INSTANCE.observe(client, want).state == DELETING


@pytest.mark.simulator
def test_what_was_terminated_is_gone_and_says_since_when(account):
    client, want, seen = make("ec2-instance", account)
    want = replace(want, aws_id=seen.aws_id)
    delete("ec2-instance", client, want)
    gone = INSTANCE.observe(client, want)
    assert gone.state == ABSENT
    assert gone.since is None or abs((datetime.now(UTC) - gone.since).total_seconds()) < 120
    assert seen.aws_id not in {each.aws_id for each in INSTANCE.find_all(client)}


def test_what_aws_ended_before_anybody_saw_it_has_failed_and_says_why():
    dead = {
        "InstanceId": "i-1",
        "InstanceType": "t3.micro",
        "State": {"Name": "terminated"},
        "StateReason": {"Code": "Client.VolumeLimitExceeded", "Message": "Volume limit exceeded"},
    }
    client = Recorder(describe_instances={"Reservations": [{"Instances": [dead]}]})
    seen = INSTANCE.observe(client, want_for("ec2-instance"))
    assert (seen.state, seen.aws_id, seen.facts["failure"]) == (FAILED, "i-1", "Volume limit exceeded")
    assert INSTANCE.meters(seen) == []
    later = INSTANCE.observe(client, want_for("ec2-instance", aws_id="i-1"))
    assert (later.state, later.facts) == (ABSENT, {"failure": "Volume limit exceeded"})


@pytest.mark.parametrize(
    ("reason", "facts", "why"),
    [
        (
            {"Code": "Server.InsufficientInstanceCapacity", "Message": "There is not enough capacity"},
            {"failure": "There is not enough capacity"},
            "AWS ended it",
        ),
        ({"Code": "Server.InternalError"}, {"failure": "AWS gives no reason"}, "AWS ended it without a word"),
        ({"Code": "Client.UserInitiatedShutdown", "Message": "User initiated shutdown"}, {}, "somebody ended it"),
        ({"Code": "Client.InstanceInitiatedShutdown", "Message": "x"}, {}, "it was shut down from inside"),
        (None, {}, "AWS does not say"),
    ],
)
def test_what_was_seen_alive_and_then_ended_by_aws_says_why(reason, facts, why):
    dead = {"InstanceId": "i-1", "InstanceType": "t3.micro", "State": {"Name": "terminated"}}
    dead |= {"StateReason": reason} if reason else {}
    client = Recorder(describe_instances={"Reservations": [{"Instances": [dead]}]})
    seen = INSTANCE.observe(client, want_for("ec2-instance", aws_id="i-1"))
    assert (seen.state, seen.facts) == (ABSENT, facts), why


@pytest.mark.simulator
def test_termination_protection_is_lifted_and_the_next_call_gets_through(account):
    client, want, seen = make("ec2-instance", account)
    client.modify_instance_attribute(InstanceId=seen.aws_id, DisableApiTermination={"Value": True})
    INSTANCE.delete(client, want, seen)
    assert INSTANCE.observe(client, want).state == RUNNING
    INSTANCE.delete(client, want, seen)
    assert INSTANCE.observe(client, replace(want, aws_id=seen.aws_id)).state == ABSENT


@pytest.mark.simulator
def test_a_name_of_any_length_and_kind_is_only_text(account):
    client, want, seen = make("ec2-instance", account)
    name = "<script>alert(1)</script>" + "x" * 231
    client.create_tags(Resources=[seen.aws_id], Tags=[{"Key": "Name", "Value": name}])
    assert INSTANCE.observe(client, want).name == name[:255]


# --- disks ---------------------------------------------------------------------------------------------------


@pytest.mark.simulator
def test_the_root_disk_is_counted_with_its_instance_and_not_listed_beside_it(account):
    client, want, seen = make("ec2-instance", account)
    (root,) = client.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [seen.aws_id]}])["Volumes"]
    assert seen.facts["disks"][0]["gb"] == root["Size"] == 8
    assert root["VolumeId"] not in {each.aws_id for each in VOLUME.find_all(client)}
    as_volume = VOLUME.observe(client, want_for("ebs-volume", aws_id=root["VolumeId"]))
    assert as_volume.facts["goes_with"] == seen.aws_id
    assert VOLUME.meters(as_volume) == []


@pytest.mark.simulator
def test_a_disk_of_its_own_is_attached_listed_detached_and_deleted(account):
    client, _, instance = make("ec2-instance", account)
    client, want, seen = make(
        "ebs-volume", account, {"gb": 10, "attach_to": instance.aws_id, "zone": instance.facts["zone"]}
    )
    assert seen.facts["attached"] is False
    seen = configure("ebs-volume", client, want, seen)
    assert seen.facts["attached_to"] == [instance.aws_id]
    assert seen.aws_id in {each.aws_id for each in VOLUME.find_all(client)}
    assert [meter.quantity for meter in VOLUME.meters(seen)] == [Decimal(10)]
    assert INSTANCE.observe(client, want_for("ec2-instance", aws_id=instance.aws_id)).facts["disk_gb"] == 8
    assert delete("ebs-volume", client, want) == 2, "detached by the first call, deleted by the second"


@pytest.mark.simulator
def test_the_tag_on_an_instances_disk_does_not_make_it_the_volume_of_a_lab(account):
    """RunInstances gives the instance's tags to its disk: a volume's row must not take that disk for its own."""
    client, want, _ = make("ec2-instance", account)
    assert VOLUME.observe(client, replace(want, kind="ebs-volume", name="other")).state == ABSENT


# --- meters --------------------------------------------------------------------------------------------------


def lines(meters):
    return {(meter.service, meter.kind, meter.sku, meter.quantity, meter.per) for meter in meters}


HOURS = ("EC2", "on-demand-linux", "t3.micro", Decimal(1), "hour")
ADDRESS = ("VPC", "public-ipv4", "in-use-address", Decimal(1), "hour")
DISK = ("EBS", "volume", "gp3", Decimal(8), "month")


@pytest.mark.parametrize(
    ("state", "facts", "billed", "why"),
    [
        (RUNNING, {}, {HOURS, ADDRESS, DISK}, "all three while it runs"),
        (PENDING, {}, {ADDRESS, DISK}, "EC2 bills from running on"),
        (STOPPING, {"public_ips": 0}, {DISK}, "no hours while it stops"),
        (STOPPED, {"public_ips": 0}, {DISK}, "a stopped instance pays for its disk"),
        (DELETING, {}, {DISK}, "until the disk is gone too"),
        (FAILED, {}, set(), "it never ran"),
        (ABSENT, {}, set(), "gone"),
        (RUNNING, {"spot": True}, {("EC2", "spot", *HOURS[2:]), ADDRESS, DISK}, "another price"),
        (
            RUNNING,
            {"platform": "windows"},
            {("EC2", "on-demand-windows", *HOURS[2:]), ADDRESS, DISK},
            "not in the book: unpriced, and not at Linux's price",
        ),
        (RUNNING, {"public_ips": 2}, {HOURS, (*ADDRESS[:3], Decimal(2), "hour"), DISK}, "each address is billed"),
        (
            RUNNING,
            {"disks": [GP3, {**GP3, "gb": 20}], "public_ips": 0},
            {HOURS, ("EBS", "volume", "gp3", Decimal(28), "month")},
            "two disks of one type are one line",
        ),
    ],
)
def test_an_instance_costs(state, facts, billed, why):
    assert lines(INSTANCE.meters(Seen(state, facts=MICRO | facts))) == billed, why


def test_an_instance_is_billed_by_the_second_and_a_minute_at_least():
    (hours,) = [meter for meter in INSTANCE.meters(Seen(RUNNING, facts=MICRO)) if meter.service == "EC2"]
    assert (hours.minimum_seconds, hours.rounding) == (60, "second")


@pytest.mark.parametrize(
    ("disk", "billed"),
    [
        ({"type": "gp2", "gb": 100, "iops": 300, "mibps": 0}, {("EBS", "volume", "gp2", Decimal(100), "month")}),
        (
            {"type": "gp3", "gb": 100, "iops": 4000, "mibps": 250},
            {
                ("EBS", "volume", "gp3", Decimal(100), "month"),
                ("EBS", "iops", "gp3", Decimal(1000), "month"),
                ("EBS", "throughput", "gp3", Decimal(125), "month"),
            },
        ),
        (
            {"type": "io1", "gb": 10, "iops": 500, "mibps": 0},
            {("EBS", "volume", "io1", Decimal(10), "month"), ("EBS", "iops", "io1", Decimal(500), "month")},
        ),
    ],
)
def test_a_volume_costs_attached_or_not(disk, billed):
    for attached in (True, False):
        assert lines(VOLUME.meters(Seen(RUNNING, facts={**disk, "attached": attached, "goes_with": ""}))) == billed


# --- snapshots and images ------------------------------------------------------------------------------------


@pytest.fixture
def ec2():
    with stubbed("ec2") as client:
        yield client


def snapshot_seen(ec2, **more):
    told = {
        "SnapshotId": "snap-1",
        "State": "completed",
        "VolumeSize": 100,
        "StartTime": datetime(2025, 9, 13, tzinfo=UTC),
    }
    ec2.answers.add_response("describe_snapshots", {"Snapshots": [told | more]}, {"SnapshotIds": ["snap-1"]})
    return SNAPSHOT.observe(ec2, want_for("ebs-snapshot", aws_id="snap-1"))


@pytest.mark.parametrize(
    ("told", "billed", "why"),
    [
        ({}, [("standard", Decimal(100))], "AWS does not say how much is in it: at most the whole disk"),
        ({"FullSnapshotSizeInBytes": 3 * 2**30}, [("standard", Decimal(3))], "empty blocks cost nothing"),
        ({"StorageTier": "archive"}, [("archive", Decimal(100))], "another price, which is not in the book: unpriced"),
        ({"State": "pending"}, [], "it is being written"),
        ({"State": "error"}, [], "it holds nothing"),
    ],
)
def test_a_snapshot_costs(ec2, told, billed, why):
    meters = SNAPSHOT.meters(snapshot_seen(ec2, **told))
    assert [(meter.sku, meter.quantity) for meter in meters] == billed, why


def test_a_snapshot_that_failed_says_why(ec2):
    seen = snapshot_seen(ec2, State="error", StateMessage="The key is disabled")
    assert (seen.state, seen.facts["failure"]) == (FAILED, "The key is disabled")


@pytest.mark.simulator
def test_snapshots_and_images_that_others_own_are_not_listed(account):
    client = account.client("ec2")
    assert client.describe_images(Owners=["amazon"])["Images"]
    mine = make("ami", account)[2]
    assert mine.aws_id in {each.aws_id for each in IMAGE.find_all(client)}
    owners = {each["OwnerId"] for each in client.describe_images(ImageIds=[mine.aws_id])["Images"]}
    for image in IMAGE.find_all(client):
        assert {each["OwnerId"] for each in client.describe_images(ImageIds=[image.aws_id])["Images"]} == owners


@pytest.mark.simulator
def test_the_snapshot_behind_an_image_waits_for_the_image_and_is_kept_by_its_end(account):
    client, want, seen = make("ami", account)
    (behind,) = seen.facts["snapshots"]
    mine = want_for("ebs-snapshot", aws_id=behind)
    with pytest.raises(ClientError) as refused:
        SNAPSHOT.delete(client, mine, SNAPSHOT.observe(client, mine))
    assert isinstance(sorted_trouble(refused.value), InTheWay)
    delete("ami", client, want)
    assert SNAPSHOT.observe(client, mine).state == RUNNING, "it costs on, and is its own row"
    delete("ebs-snapshot", client, mine)


@pytest.mark.simulator
def test_snapshots_and_images_are_seen_on_their_way(account):
    account.simulator.pace(state_seconds=30)
    _, _, image = make("ami", account)
    _, _, snapshot = make("ebs-snapshot", account, {"volume": volume(account)})
    assert (image.state, snapshot.state) == (PENDING, PENDING)
    account.simulator.let_pass(31)
    for kind, seen in ((IMAGE, image), (SNAPSHOT, snapshot)):
        assert kind.observe(account.client("ec2"), want_for(kind.name, aws_id=seen.aws_id)).state == RUNNING


@pytest.mark.simulator
def test_a_disabled_image_is_listed_with_the_snapshots_that_it_holds(account):
    client, want, seen = make("ami", account)
    client.disable_image(ImageId=seen.aws_id)
    (listed,) = (each for each in IMAGE.find_all(client) if each.aws_id == seen.aws_id)
    assert (listed.state, listed.facts["state"]) == (RUNNING, "disabled")
    delete("ami", client, want)


def test_an_image_protected_against_deregistration_is_unprotected_and_asked_again(ec2):
    asked = {"ImageId": "ami-1"}
    ec2.answers.add_client_error("deregister_image", "OperationNotPermitted", expected_params=asked)
    ec2.answers.add_response("disable_image_deregistration_protection", {"Return": "true"}, asked)
    ec2.answers.add_response("deregister_image", {"Return": True}, asked)
    for _ in range(2):
        IMAGE.delete(ec2, want_for("ami"), Seen(RUNNING, aws_id="ami-1"))


def test_an_image_that_failed_says_why(ec2):
    told = {"ImageId": "ami-1", "State": "failed", "StateReason": {"Message": "The instance has no disk"}}
    ec2.answers.add_response("describe_images", {"Images": [told]})
    seen = IMAGE.observe(ec2, want_for("ami", aws_id="ami-1"))
    assert (seen.state, seen.facts["failure"]) == (FAILED, "The instance has no disk")


# --- key pairs and groups ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given", ["", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl", PUBLIC_KEY + "\n" + PUBLIC_KEY, None]
)
def test_only_a_public_key_is_imported_and_none_is_ever_made(given):
    client = Recorder()
    with pytest.raises(Refused, match="public key is needed"):
        KEY_PAIR.create(client, want_for("ec2-key-pair", {"public_key": given} if given is not None else {}))
    assert client.asked == {}


@pytest.mark.simulator
def test_groups_that_let_each_other_in_can_still_be_deleted(account):
    client, mine, seen = make("security-group", account)
    _, theirs, other = make("security-group", account)
    for group, source in ((seen, other), (other, seen)):
        rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
        ranges = {"IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
        pair = {"UserIdGroupPairs": [{"GroupId": source.aws_id}]}
        client.authorize_security_group_ingress(GroupId=group.aws_id, IpPermissions=[rule | ranges | pair])
    assert delete("security-group", client, mine) == 1
    left = GROUP.observe(client, theirs)
    assert left.facts["inbound"] == ["tcp 22-22 10.0.0.0/8"], "only what spoke of the deleted group is revoked"
    delete("security-group", client, theirs)


@pytest.mark.simulator
def test_a_group_in_use_waits_for_its_instance(account):
    client, want, seen = make("security-group", account)
    _, instance, _ = make("ec2-instance", account, {"type": "t3.micro", "security_groups": [seen.aws_id]})
    with pytest.raises(ClientError) as refused:
        GROUP.delete(client, want, seen)
    assert isinstance(sorted_trouble(refused.value), InTheWay)
    delete("ec2-instance", client, instance)
    delete("security-group", client, want)


@pytest.mark.simulator
def test_the_default_group_is_awss_own_and_not_listed(account):
    client = account.client("ec2")
    assert "default" in {group["GroupName"] for group in client.describe_security_groups()["SecurityGroups"]}
    assert "default" not in {each.name for each in GROUP.find_all(client)}


@pytest.mark.simulator
def test_an_open_door_is_a_fact(account):
    client, want, seen = make("security-group", account, {"ingress": [{"port": 8888, "cidr": "0.0.0.0/0"}]})
    assert seen.facts["open_to_the_world"] is False
    assert configure("security-group", client, want, seen).facts["open_to_the_world"] is True


def test_a_region_without_a_default_vpc_says_what_to_do():
    with pytest.raises(Refused, match="us-east-1 has no default VPC. Make one"):
        GROUP.create(Recorder(describe_vpcs={"Vpcs": []}), want_for("security-group"))
