"""Load balancers: what each type costs, whose addresses it has, and protection that must be lifted."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from botocore.exceptions import ClientError

from labs.kinds import kind_of
from labs.kinds.base import ABSENT, FAILED, PENDING, RUNNING, Seen
from labs.tests.kinds.examples import delete, make, want_for
from labs.tests.kinds.examples.elb import balancer, two_subnets
from labs.tests.kinds.stubbed import stubbed

BALANCER, CLASSIC = kind_of("load-balancer"), kind_of("classic-load-balancer")
AT = datetime(2025, 9, 13, 7, 0, tzinfo=UTC)
ARN = "arn:aws:elasticloadbalancing:us-east-1:600000000002:loadbalancer/app/mine/50dc6c495c0c9188"


@pytest.fixture
def elbv2():
    with stubbed("elbv2") as client:
        yield client


def answer(kind="application", scheme="internet-facing", code="active", zones=({}, {}), **more):
    return {
        "LoadBalancerArn": ARN,
        "LoadBalancerName": "mine",
        "Type": kind,
        "Scheme": scheme,
        "State": {"Code": code, **more},
        "CreatedTime": AT,
        "AvailabilityZones": [{"ZoneName": f"zone-{number}", **zone} for number, zone in enumerate(zones)],
    }


def seen_of(elbv2, **said):
    elbv2.answers.add_response("describe_load_balancers", {"LoadBalancers": [answer(**said)]})
    return next(iter(BALANCER.find_all(elbv2)))


def lines(kind, seen):
    return {(meter.service, meter.kind, meter.sku, meter.quantity, meter.rounding) for meter in kind.meters(seen)}


def addresses(number):
    return ("VPC", "public-ipv4", "in-use-address", Decimal(number), "second")


@pytest.mark.parametrize(
    ("said", "billed", "why"),
    [
        ({}, {("ELB", "alb", "ALB-hour", 1, "hour"), addresses(2)}, "a public address in each zone"),
        ({"scheme": "internal"}, {("ELB", "alb", "ALB-hour", 1, "hour")}, "none is public"),
        ({"kind": "network"}, {("ELB", "nlb", "NLB-hour", 1, "hour"), addresses(2)}, "the same"),
        (
            {"kind": "network", "zones": ({"LoadBalancerAddresses": [{"AllocationId": "eipalloc-1"}]}, {})},
            {("ELB", "nlb", "NLB-hour", 1, "hour"), addresses(1)},
            "an Elastic IP that it was given is counted by its own row",
        ),
        ({"kind": "gateway", "scheme": ""}, {("ELB", "gateway", "hour", 1, "hour")}, "not in the book: unpriced"),
        (
            {"code": "active_impaired"},
            {("ELB", "alb", "ALB-hour", 1, "hour"), addresses(2)},
            "it costs, impaired or not",
        ),
        ({"code": "provisioning"}, set(), "it does not run yet"),
        ({"code": "failed"}, set(), "it never ran"),
    ],
)
def test_a_load_balancer_costs(elbv2, said, billed, why):
    if said.get("scheme") == "":
        said = said | {"scheme": "internal"}
    assert lines(BALANCER, seen_of(elbv2, **said)) == billed, why


@pytest.mark.parametrize(
    ("code", "state"),
    [("provisioning", PENDING), ("active", RUNNING), ("active_impaired", RUNNING), ("failed", FAILED)],
)
def test_a_load_balancer_is_seen_as(elbv2, code, state):
    assert seen_of(elbv2, code=code).state == state


def test_a_load_balancer_that_failed_says_why(elbv2):
    assert seen_of(elbv2, code="failed", Reason="no address is left").facts["failure"] == "no address is left"


@pytest.mark.simulator
def test_protection_is_lifted_and_the_next_call_deletes(account):
    client, want, seen = make("load-balancer", account)
    protected = [{"Key": "deletion_protection.enabled", "Value": "true"}]
    client.modify_load_balancer_attributes(LoadBalancerArn=seen.aws_id, Attributes=protected)
    assert delete("load-balancer", client, want) == 2


def test_another_refusal_of_a_delete_comes_out(elbv2):
    elbv2.answers.add_client_error("delete_load_balancer", "ResourceInUse", http_status_code=400)
    with pytest.raises(ClientError, match="ResourceInUse"):
        BALANCER.delete(elbv2, want_for("load-balancer"), Seen(RUNNING, aws_id=ARN))


@pytest.mark.simulator
def test_its_target_group_stays_and_is_in_the_way_of_nothing(account):
    client, want, seen = make("load-balancer", account)
    group = client.create_target_group(Name="behind-it", Protocol="HTTP", Port=80, VpcId=seen.facts["vpc"])
    forward = [{"Type": "forward", "TargetGroupArn": group["TargetGroups"][0]["TargetGroupArn"]}]
    client.create_listener(LoadBalancerArn=seen.aws_id, Protocol="HTTP", Port=80, DefaultActions=forward)
    delete("load-balancer", client, want)
    ec2 = account.client("ec2")
    for subnet in ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [seen.facts["vpc"]]}])["Subnets"]:
        delete("subnet", ec2, want_for("subnet", aws_id=subnet["SubnetId"]))
    delete("vpc", ec2, want_for("vpc", aws_id=seen.facts["vpc"]))
    assert client.describe_target_groups(Names=["behind-it"])["TargetGroups"]


@pytest.mark.simulator
def test_a_name_that_was_given_again_is_another_load_balancer(account):
    client, want, seen = make("load-balancer", account)
    delete("load-balancer", client, want)
    client.create_load_balancer(Name=seen.name, Subnets=two_subnets(account))
    assert BALANCER.observe(client, want).state == ABSENT
    assert BALANCER.observe(client, want_for("load-balancer", name=seen.name)).state == RUNNING


@pytest.mark.simulator
def test_a_network_load_balancer_is_measured_by_the_end_of_its_arn(account):
    arn = balancer(account, "network")
    seen = BALANCER.observe(account.client("elbv2"), want_for("load-balancer", aws_id=arn))
    (asked,) = BALANCER.dimensions(BALANCER.signals[1], seen)
    assert asked["LoadBalancer"].startswith(f"net/{seen.name}/")


@pytest.mark.parametrize(
    ("facts", "billed"),
    [
        ({"public_ips": 1}, {("ELB", "clb", "CLB-hour", 1, "hour"), addresses(1)}),
        ({"public_ips": 0}, {("ELB", "clb", "CLB-hour", 1, "hour")}),
    ],
)
def test_a_classic_load_balancer_costs_with_or_without_instances(facts, billed):
    assert lines(CLASSIC, Seen(RUNNING, facts=facts)) == billed


@pytest.mark.simulator
def test_an_instance_that_joins_a_classic_load_balancer_is_seen_in_the_list(account):
    client, want, seen = make("classic-load-balancer", account)
    client.register_instances_with_load_balancer(LoadBalancerName=seen.name, Instances=[{"InstanceId": "i-1"}])
    (listed,) = (each for each in CLASSIC.find_all(client) if each.aws_id == seen.aws_id)
    assert listed.mark != seen.mark and listed.facts["instances"] == ["i-1"]
    delete("classic-load-balancer", client, want)
