"""Networks: which row counts an address, what is AWS's own, what must go before what, and what AWS refuses."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from graphlib import TopologicalSorter

import pytest
from botocore.exceptions import ClientError

from labs.aws import InTheWay, Refused, sorted_trouble
from labs.kinds import kind_of, registry
from labs.kinds.base import ABSENT, DELETING, FAILED, PENDING, RUNNING, STOPPED, Seen
from labs.tests.kinds.examples import AccountOfAye, configure, delete, make, want_for
from labs.tests.kinds.examples import vpc as by_hand
from labs.tests.kinds.examples.elb import balancer
from labs.tests.kinds.stubbed import stubbed

ADDRESS, INSTANCE, NAT, ENDPOINT, INTERFACE, GATEWAY, SUBNET, TABLE, VPC, GROUP = map(
    kind_of,
    (
        "elastic-ip",
        "ec2-instance",
        "nat-gateway",
        "vpc-endpoint",
        "network-interface",
        "internet-gateway",
        "subnet",
        "route-table",
        "vpc",
        "security-group",
    ),
)
AT = datetime(2025, 9, 13, 7, 0, tzinfo=UTC)
MICRO = {"type": "t3.micro", "gb": 8}


@pytest.fixture
def ec2():
    with stubbed("ec2") as client:
        yield client


def trouble_of(call, *asked, **more):
    with pytest.raises(Exception) as raised:  # noqa: PT011  sorted on the next line
        call(*asked, **more)
    return sorted_trouble(raised.value)


def addresses_billed(*seen):
    """{sku: how many public IPv4 addresses} over all these rows."""
    billed = {}
    for each in seen:
        kind = INSTANCE if each.aws_id.startswith("i-") else NAT if each.aws_id.startswith("nat-") else ADDRESS
        for meter in kind.meters(each):
            if meter.kind == "public-ipv4":
                billed[meter.sku] = billed.get(meter.sku, 0) + meter.quantity
    return billed


# --- addresses -----------------------------------------------------------------------------------------------


@pytest.mark.simulator
def test_an_address_is_counted_once_whoever_holds_it(account):
    client, box, instance = make("ec2-instance", account, MICRO)
    _, mine, seen = make("elastic-ip", account, {"instance": instance.aws_id})

    def rows():
        return INSTANCE.observe(client, box), ADDRESS.observe(client, mine)

    assert addresses_billed(*rows()) == {"in-use-address": 1, "idle-address-EIP": 1}, "AWS lends one; ours lies idle"
    configure("elastic-ip", client, mine, seen)
    assert addresses_billed(*rows()) == {"in-use-address": 1}, "ours took the place of the one that was lent"
    assert rows()[1].facts["attached_to"] == instance.aws_id
    client.stop_instances(InstanceIds=[instance.aws_id])
    assert rows()[0].state == STOPPED
    assert addresses_billed(*rows()) == {"in-use-address": 1}, "it stays with a stopped instance, and costs"
    delete("ec2-instance", client, box)
    assert addresses_billed(ADDRESS.observe(client, mine)) == {"idle-address-EIP": 1}, "and stays when that ends"
    delete("elastic-ip", client, mine)


@pytest.mark.simulator
def test_the_list_of_instances_shows_that_the_address_is_another(account):
    client, _, instance = make("ec2-instance", account, MICRO)
    _, mine, seen = make("elastic-ip", account, {"instance": instance.aws_id})
    configure("elastic-ip", client, mine, seen)
    (listed,) = (each for each in INSTANCE.find_all(client) if each.aws_id == instance.aws_id)
    assert listed.mark != instance.mark, "a quiet row would count the lent one until its maximum age"
    assert listed.facts["public_ips"] == 0


@pytest.mark.simulator
def test_the_address_of_a_nat_gateway_is_counted_by_its_own_row(account):
    params = {"subnet": by_hand.subnet(account), "address": by_hand.address(account)}
    client, _, gateway = make("nat-gateway", account, params)
    address = ADDRESS.observe(client, want_for("elastic-ip", aws_id=params["address"]))
    assert gateway.facts["addresses"] == [params["address"]]
    assert addresses_billed(gateway, address) == {"in-use-address": 1}


def address_answer(**more):
    return {"PublicIp": "203.0.113.9", "AllocationId": "eipalloc-1", "Domain": "vpc", **more}


def test_an_address_that_somebody_brought_along_is_free(ec2):
    ec2.answers.add_response("describe_addresses", {"Addresses": [address_answer(PublicIpv4Pool="ipv4pool-ec2-1")]})
    assert ADDRESS.meters(ADDRESS.observe(ec2, want_for("elastic-ip", aws_id="eipalloc-1"))) == []


def test_an_address_that_a_service_allocated_for_itself_is_counted_there_and_is_no_row(ec2):
    ec2.answers.add_response("describe_addresses", {"Addresses": [address_answer(ServiceManaged="rnat")]})
    assert list(ADDRESS.find_all(ec2)) == []


@pytest.mark.simulator
def test_an_address_in_use_is_taken_from_its_instance_and_released(account):
    client, _, instance = make("ec2-instance", account, MICRO)
    _, mine, seen = make("elastic-ip", account, {"instance": instance.aws_id})
    configure("elastic-ip", client, mine, seen)
    assert delete("elastic-ip", client, mine) == 1


@pytest.mark.simulator
def test_the_address_of_a_nat_gateway_waits_until_that_is_gone(account):
    params = {"subnet": by_hand.subnet(account), "address": by_hand.address(account)}
    client, gateway, _ = make("nat-gateway", account, params)
    mine = want_for("elastic-ip", aws_id=params["address"])
    refused = trouble_of(ADDRESS.delete, client, mine, ADDRESS.observe(client, mine))
    assert isinstance(refused, InTheWay), "AWS calls it a lack of permission, which no role can cure"
    delete("nat-gateway", client, gateway)
    delete("elastic-ip", client, mine)


# --- NAT gateways --------------------------------------------------------------------------------------------


def nat_answer(state="available", **more):
    return {"NatGatewayId": "nat-1", "VpcId": "vpc-1", "SubnetId": "subnet-1", "State": state, "CreateTime": AT, **more}


def nat_seen(ec2, **answer):
    ec2.answers.add_response(
        "describe_nat_gateways", {"NatGateways": [nat_answer(**answer)]}, {"NatGatewayIds": ["nat-1"]}
    )
    return NAT.observe(ec2, want_for("nat-gateway", aws_id="nat-1"))


@pytest.mark.parametrize(
    ("state", "seen", "is_billed"),
    [
        ("pending", PENDING, False),
        ("available", RUNNING, True),
        ("deleting", DELETING, False),
        ("deleted", ABSENT, False),
        ("failed", FAILED, False),
    ],
)
def test_a_nat_gateway_is_seen_as(ec2, state, seen, is_billed):
    found = nat_seen(ec2, state=state)
    assert (found.state, bool(NAT.meters(found))) == (seen, is_billed)


def test_a_deleted_nat_gateway_is_listed_for_an_hour_and_is_gone_and_says_since_when(ec2):
    deleted = nat_answer("deleted", DeleteTime=AT + timedelta(hours=1))
    ec2.answers.add_response("describe_nat_gateways", {"NatGateways": [deleted]})
    assert list(NAT.find_all(ec2)) == []
    assert nat_seen(ec2, state="deleted", DeleteTime=AT + timedelta(hours=1)).since == AT + timedelta(hours=1)


def test_a_nat_gateway_that_failed_says_why(ec2):
    words = "Network vpc-1 has no Internet gateway attached"
    assert (
        nat_seen(ec2, state="failed", FailureCode="Gateway.NotAttached", FailureMessage=words).facts["failure"] == words
    )


def test_a_started_hour_of_a_nat_gateway_is_a_whole_hour():
    (hours,) = NAT.meters(Seen(RUNNING, facts={}))
    assert (hours.quantity, hours.rounding) == (Decimal(1), "hour")


def test_a_regional_nat_gateway_costs_in_each_zone_and_with_the_addresses_that_aws_allocates_for_it(ec2):
    addresses = [
        {
            "PublicIp": f"203.0.113.{number}",
            "AllocationId": f"eipalloc-{number}",
            "AvailabilityZone": f"us-east-1{zone}",
        }
        for number, zone in enumerate("aab")
    ]
    regional = {"AvailabilityMode": "regional", "NatGatewayAddresses": addresses}
    by_aws = NAT.meters(nat_seen(ec2, AutoScalingIps="enabled", **regional))
    assert [(meter.kind, meter.quantity) for meter in by_aws] == [("nat-gateway", 2), ("public-ipv4", 3)]
    given = NAT.meters(nat_seen(ec2, AutoScalingIps="disabled", **regional))
    assert [meter.kind for meter in given] == ["nat-gateway"], "addresses that it was given are rows of their own"


def test_the_create_call_of_a_nat_gateway_carries_our_token(ec2):
    want = want_for("nat-gateway", {"subnet": "subnet-1", "address": "eipalloc-1"})
    tags = [{"Key": key, "Value": value} for key, value in {"Name": want.name, **want.tags}.items()]
    ec2.answers.add_response(
        "create_nat_gateway",
        {},
        {
            "SubnetId": "subnet-1",
            "AllocationId": "eipalloc-1",
            "ConnectivityType": "public",
            "ClientToken": want.token,
            "TagSpecifications": [{"ResourceType": "natgateway", "Tags": tags}],
        },
    )
    NAT.create(ec2, want)


@pytest.mark.simulator
@pytest.mark.parametrize("name", ["nat-gateway", "vpc-endpoint"])
def test_a_create_that_is_repeated_with_the_same_token_makes_one(account, name):
    client, want, seen = make(name, account)
    kind_of(name).create(client, want)
    same = [each.aws_id for each in kind_of(name).find_all(client) if each.tags.items() >= want.tags.items()]
    assert same == [seen.aws_id]


@pytest.mark.simulator
@pytest.mark.parametrize("name", ["nat-gateway", "vpc-endpoint"])
def test_what_takes_minutes_to_go_is_asked_once(account, name):
    client, want, seen = make(name, account)
    want = replace(want, aws_id=seen.aws_id)
    account.simulator.pace(state_seconds=60)
    account.simulator.let_pass(61)
    kind_of(name).delete(client, want, seen)
    going = kind_of(name).observe(client, want)
    assert going.state == DELETING
    account.simulator.forget_calls()
    kind_of(name).delete(client, want, going)
    assert account.simulator.calls()["count"] == 0
    account.simulator.let_pass(61)
    assert kind_of(name).observe(client, want).state == ABSENT
    assert seen.aws_id not in {each.aws_id for each in kind_of(name).find_all(client)}


@pytest.mark.simulator
def test_a_private_nat_gateway_needs_no_address(account):
    client, want, seen = make("nat-gateway", account, {"subnet": by_hand.subnet(account)})
    assert seen.facts["addresses"] == []
    assert [meter.kind for meter in NAT.meters(seen)] == ["nat-gateway"]
    delete("nat-gateway", client, want)


# --- endpoints -----------------------------------------------------------------------------------------------


def endpoint_answer(state="available", kind="Interface", interfaces=2, **more):
    return {
        "VpcEndpointId": "vpce-1",
        "VpcEndpointType": kind,
        "VpcId": "vpc-1",
        "ServiceName": "com.amazonaws.us-east-1.sagemaker.api",
        "State": state,
        "NetworkInterfaceIds": [f"eni-{number}" for number in range(interfaces)],
        "CreationTimestamp": AT,
        **more,
    }


def endpoint_seen(ec2, **answer):
    ec2.answers.add_response("describe_vpc_endpoints", {"VpcEndpoints": [endpoint_answer(**answer)]})
    return ENDPOINT.observe(ec2, want_for("vpc-endpoint", aws_id="vpce-1"))


@pytest.mark.parametrize(
    ("state", "seen", "zones_billed", "why"),
    [
        ("pending", PENDING, 0, "nothing is there yet"),
        ("available", RUNNING, 2, "each zone"),
        ("Available", RUNNING, 2, "however AWS writes it"),
        (
            "pendingAcceptance",
            RUNNING,
            2,
            "its interfaces are there, for as long as its service's owner does not answer",
        ),
        ("rejected", FAILED, 2, "and also after that owner said no"),
        ("failed", FAILED, 2, "as long as it has interfaces"),
        ("deleting", DELETING, 0, "it is going"),
        ("deleted", ABSENT, 0, "gone"),
    ],
)
def test_an_interface_endpoint_is_seen_and_billed(ec2, state, seen, zones_billed, why):
    found = endpoint_seen(ec2, state=state)
    assert found.state == seen, why
    assert sum(meter.quantity for meter in ENDPOINT.meters(found)) == zones_billed, why


def test_a_started_hour_of_an_endpoint_is_a_whole_hour(ec2):
    (hours,) = ENDPOINT.meters(endpoint_seen(ec2))
    assert (hours.quantity, hours.rounding) == (Decimal(2), "hour")


def test_a_gateway_endpoint_is_free_and_another_type_is_unpriced(ec2):
    assert ENDPOINT.meters(endpoint_seen(ec2, kind="Gateway", interfaces=0)) == []
    (hours,) = ENDPOINT.meters(endpoint_seen(ec2, kind="GatewayLoadBalancer", interfaces=1))
    assert hours.kind == "gatewayloadbalancer-endpoint"


def test_an_endpoint_that_was_refused_says_why(ec2):
    told = {"LastError": {"Code": "x", "Message": "The service's owner refused"}}
    assert endpoint_seen(ec2, state="failed", **told).facts["failure"] == "The service's owner refused"
    assert endpoint_seen(ec2, state="rejected").facts["failure"] == "it is rejected"


def test_an_endpoint_that_a_service_made_for_itself_is_no_row(ec2):
    ec2.answers.add_response("describe_vpc_endpoints", {"VpcEndpoints": [endpoint_answer(RequesterManaged=True)]})
    assert list(ENDPOINT.find_all(ec2)) == []


def test_a_refusal_that_comes_with_200_is_a_refusal(ec2):
    said = {"ResourceId": "vpce-1", "Error": {"Code": "UnauthorizedOperation", "Message": "no"}}
    ec2.answers.add_response("delete_vpc_endpoints", {"Unsuccessful": [said]}, {"VpcEndpointIds": ["vpce-1"]})
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        ENDPOINT.delete(ec2, want_for("vpc-endpoint"), Seen(RUNNING, aws_id="vpce-1"))


@pytest.mark.simulator
def test_a_gateway_endpoint_goes_with_its_routes(account):
    of = by_hand.vpc(account)
    ec2 = account.client("ec2")
    table = ec2.create_route_table(VpcId=of)["RouteTable"]["RouteTableId"]
    params = {"service": "s3", "type": "Gateway", "vpc": of, "route_tables": [table]}
    client, want, seen = make("vpc-endpoint", account, params)
    assert ENDPOINT.meters(seen) == ENDPOINT.meters(ENDPOINT.would_be(want)) == []

    def routes():
        (found,) = client.describe_route_tables(RouteTableIds=[table])["RouteTables"]
        return len(found["Routes"])

    assert routes() == 2, "the local one and the endpoint's"
    assert TABLE.observe(client, want_for("route-table", aws_id=table)).facts["routes"] == [], "neither is ours to set"
    delete("vpc-endpoint", client, want)
    assert routes() == 1


# --- interfaces ----------------------------------------------------------------------------------------------


def interface_answer(**more):
    return {"NetworkInterfaceId": "eni-1", "OwnerId": "600000000002", "InterfaceType": "interface", **more}


def attached(**more):
    whole = {"AttachmentId": "eni-attach-1", "InstanceId": "i-1", "InstanceOwnerId": "600000000002", "DeviceIndex": 1}
    return {"Attachment": {**whole, "DeleteOnTermination": False, **more}, "Status": "in-use"}


@pytest.mark.parametrize(
    ("answer", "is_a_row", "why"),
    [
        ({"Status": "available"}, True, "it stands on its own"),
        (attached(), True, "it stays when its instance goes"),
        (attached(DeleteOnTermination=True, DeviceIndex=0), False, "it goes with its instance"),
        (attached(InstanceOwnerId="111122223333"), False, "SageMaker's, at a machine in an account of SageMaker's"),
        ({"RequesterManaged": True}, False, "a load balancer's, or a mount target's"),
        ({"InterfaceType": "nat_gateway"}, False, "a NAT gateway's"),
        ({"InterfaceType": "vpc_endpoint"}, False, "an endpoint's"),
        ({"InterfaceType": "lambda"}, False, "Lambda's, for up to 45 minutes after its function"),
    ],
)
def test_only_interfaces_that_stand_on_their_own_are_rows(ec2, answer, is_a_row, why):
    ec2.answers.add_response("describe_network_interfaces", {"NetworkInterfaces": [interface_answer(**answer)]})
    assert bool(list(INTERFACE.find_all(ec2))) is is_a_row, why


@pytest.mark.simulator
def test_what_instances_gateways_endpoints_and_balancers_hold_is_not_listed_beside_them(account):
    for name in ("ec2-instance", "nat-gateway", "vpc-endpoint", "load-balancer"):
        make(name, account)
    ec2 = account.client("ec2")
    subnet = by_hand.subnet(account)
    system = account.client("efs").create_file_system(CreationToken=subnet)["FileSystemId"]
    account.client("efs").create_mount_target(FileSystemId=system, SubnetId=subnet)
    mine = by_hand.interface(account)
    listed = [each.aws_id for each in INTERFACE.find_all(ec2)]
    assert mine in listed
    whole = ec2.describe_network_interfaces(NetworkInterfaceIds=listed)["NetworkInterfaces"]
    assert {each["Description"].split()[0] for each in whole} == {"mine"}


@pytest.mark.simulator
def test_an_attached_interface_is_detached_and_then_deleted(account):
    client, _, instance = make("ec2-instance", account, MICRO)
    mine = by_hand.interface(account)
    client.attach_network_interface(NetworkInterfaceId=mine, InstanceId=instance.aws_id, DeviceIndex=1)
    assert INTERFACE.observe(client, want_for("network-interface", aws_id=mine)).facts["attached_to"] == instance.aws_id
    assert delete("network-interface", client, want_for("network-interface", aws_id=mine)) == 2


@pytest.mark.simulator
def test_an_attached_interface_outlives_its_instance(account):
    client, box, instance = make("ec2-instance", account, MICRO)
    mine = by_hand.interface(account)
    client.attach_network_interface(NetworkInterfaceId=mine, InstanceId=instance.aws_id, DeviceIndex=1)
    delete("ec2-instance", client, box)
    seen = INTERFACE.observe(client, want_for("network-interface", aws_id=mine))
    assert (seen.state, seen.facts["attached"]) == (RUNNING, False)


def test_the_first_interface_of_an_instance_waits_for_its_end(ec2):
    answer = interface_answer(**attached(DeviceIndex=0))
    ec2.answers.add_response("describe_network_interfaces", {"NetworkInterfaces": [answer]})
    want = want_for("network-interface", aws_id="eni-1")
    with pytest.raises(InTheWay, match="first interface of i-1"):
        INTERFACE.delete(ec2, want, INTERFACE.observe(ec2, want))


def test_an_interface_that_is_being_detached_is_not_asked_again(ec2):
    answer = interface_answer(**attached() | {"Status": "detaching"})
    ec2.answers.add_response("describe_network_interfaces", {"NetworkInterfaces": [answer]})
    want = want_for("network-interface", aws_id="eni-1")
    INTERFACE.delete(ec2, want, INTERFACE.observe(ec2, want))


# --- what is AWS's own ---------------------------------------------------------------------------------------


@pytest.mark.simulator
def test_a_default_vpc_and_all_that_it_began_with_is_left_alone(simulator):
    fresh = AccountOfAye(simulator, simulator.new_account())
    ec2 = fresh.client("ec2")
    (default,) = ec2.describe_vpcs()["Vpcs"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=default["VpcId"])  # AWS makes that one too
    assert ec2.describe_subnets()["Subnets"] and ec2.describe_route_tables()["RouteTables"]
    for kind in (VPC, SUBNET, TABLE, GATEWAY, GROUP, INTERFACE):
        assert list(kind.find_all(ec2)) == [], kind.name


@pytest.mark.simulator
def test_a_second_subnet_in_the_default_vpc_is_somebodys(account):
    ec2 = account.client("ec2")
    (default,) = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    params = {"vpc": default["VpcId"], "cidr": "172.31.250.0/24", "zone": "us-east-1a"}
    client, want, seen = make("subnet", account, params)
    assert seen.aws_id in {each.aws_id for each in SUBNET.find_all(client)}
    delete("subnet", client, want)


@pytest.mark.simulator
def test_the_main_route_table_of_a_vpc_goes_with_it(account):
    client, want, seen = make("vpc", account)
    tables = client.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [seen.aws_id]}])["RouteTables"]
    assert len(tables) == 1
    assert tables[0]["RouteTableId"] not in {each.aws_id for each in TABLE.find_all(client)}
    assert delete("vpc", client, want) == 1


def test_a_region_without_a_default_vpc_says_what_to_do(ec2):
    ec2.answers.add_response("describe_vpcs", {"Vpcs": []})
    with pytest.raises(Refused, match="us-east-1 has no default VPC. Make one"):
        ENDPOINT.create(ec2, want_for("vpc-endpoint", {"service": "s3", "type": "Gateway"}))


# --- settings ------------------------------------------------------------------------------------------------


@pytest.mark.simulator
def test_a_route_table_leads_its_subnets_to_the_internet_or_to_a_nat_gateway(account):
    params = by_hand.route_table(account)
    nat = {"subnet": params["subnets"][0], "address": by_hand.address(account)}
    client, _, gateway = make("nat-gateway", account, nat)
    params["routes"].append({"cidr": "198.51.100.0/24", "nat": gateway.aws_id})
    _, want, seen = make("route-table", account, params)
    seen = configure("route-table", client, want, seen)
    igw = params["routes"][0]["gateway"]
    assert seen.facts["routes"] == [f"0.0.0.0/0 {igw}", f"198.51.100.0/24 {gateway.aws_id}"]
    assert seen.facts["subnets"] == params["subnets"]
    assert delete("route-table", client, want) == 1, "taken from its subnets first"


@pytest.mark.simulator
def test_a_subnet_gives_public_addresses_only_where_that_was_asked_for(account):
    of = by_hand.vpc(account)
    for public, cidr in ((True, "10.9.10.0/24"), (False, "10.9.11.0/24")):
        client, want, seen = make("subnet", account, {"vpc": of, "cidr": cidr, "public": public})
        assert configure("subnet", client, want, seen).facts["public"] is public


# --- what goes before what -----------------------------------------------------------------------------------


@pytest.mark.simulator
def test_access_lists_and_egress_only_gateways_go_with_their_vpc(account):
    client, want, seen = make("vpc", account)
    client.create_network_acl(VpcId=seen.aws_id)
    client.create_egress_only_internet_gateway(VpcId=seen.aws_id)
    elsewhere = client.create_egress_only_internet_gateway(VpcId=by_hand.vpc(account))
    assert delete("vpc", client, want) == 1
    left = client.describe_egress_only_internet_gateways()["EgressOnlyInternetGateways"]
    assert elsewhere["EgressOnlyInternetGateway"]["EgressOnlyInternetGatewayId"] in {
        each["EgressOnlyInternetGatewayId"] for each in left
    }


def order():
    """Kinds in an order in which all of an account can be deleted: what `goes_after` others comes later."""
    return TopologicalSorter({name: kind.goes_after for name, kind in registry().items()}).static_order()


def a_network(account):
    """What a student has after "VPC and more", load balancers, a machine with two interfaces and shared files: all of
    it holds on to something."""
    ec2 = account.client("ec2")
    params = by_hand.route_table(account)
    of, (subnet,) = params["vpc"], params["subnets"]
    _, table, seen = make("route-table", account, params)
    configure("route-table", ec2, table, seen)
    groups = [ec2.create_security_group(GroupName=f"g{n}", Description="g", VpcId=of)["GroupId"] for n in range(2)]
    for group, other in (groups, reversed(groups)):
        rule = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": other}]}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    inside = {"subnet": subnet, "security_groups": groups}
    make("ec2-instance", account, MICRO | inside | {"zone": ""})
    (box,) = (each.aws_id for each in INSTANCE.find_all(ec2))
    mine = ec2.create_network_interface(SubnetId=subnet, Groups=groups)["NetworkInterface"]["NetworkInterfaceId"]
    ec2.attach_network_interface(NetworkInterfaceId=mine, InstanceId=box, DeviceIndex=1)
    ec2.associate_address(AllocationId=by_hand.address(account), InstanceId=box)
    ec2.associate_address(AllocationId=by_hand.address(account), NetworkInterfaceId=mine)
    make("nat-gateway", account, {"subnet": subnet, "address": by_hand.address(account)})
    make(
        "vpc-endpoint",
        account,
        {"service": "sagemaker.api", "type": "Interface", "vpc": of} | inside | {"subnets": [subnet]},
    )
    make("vpc-endpoint", account, {"service": "s3", "type": "Gateway", "vpc": of, "route_tables": [_id(ec2, TABLE)]})
    balancer(account, Subnets=[subnet], SecurityGroups=groups[:1])
    account.client("elb").create_load_balancer(
        LoadBalancerName="classic",
        Subnets=[subnet],
        SecurityGroups=groups[1:],
        Listeners=[{"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 80}],
    )
    efs = account.client("efs")
    system = efs.create_file_system(CreationToken="shared")["FileSystemId"]
    efs.create_mount_target(FileSystemId=system, SubnetId=subnet, SecurityGroups=groups)
    disk = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    ec2.create_snapshot(VolumeId=disk)
    ec2.create_image(InstanceId=box, Name="mine")


def _id(client, kind):
    (found,) = kind.find_all(client)
    return found.aws_id


def left_in(account, names):
    return {
        name: found for name in names if (found := list(kind_of(name).find_all(account.client(kind_of(name).service))))
    }


NETWORK = [
    "ami",
    "classic-load-balancer",
    "ebs-snapshot",
    "ebs-volume",
    "ec2-instance",
    "efs-file-system",
    "elastic-ip",
    "internet-gateway",
    "load-balancer",
    "nat-gateway",
    "network-interface",
    "route-table",
    "security-group",
    "subnet",
    "vpc",
    "vpc-endpoint",
]


@pytest.mark.simulator
def test_a_whole_network_goes_in_the_order_that_the_kinds_name(simulator):
    account = AccountOfAye(simulator, simulator.new_account())
    a_network(account)
    there = left_in(account, NETWORK)
    assert sorted(there) == NETWORK, "there is one of each"
    for name in order():
        kind = kind_of(name)
        client = account.client(kind.service)
        for seen in there.get(name, ()):
            want = want_for(name, name=seen.name, aws_id=seen.aws_id, tags={}, token="")
            delete(name, client, want)
    assert left_in(account, NETWORK) == {}


@pytest.mark.simulator
def test_what_is_asked_to_go_too_early_is_in_the_way_and_nothing_else(simulator):
    account = AccountOfAye(simulator, simulator.new_account())
    a_network(account)
    ec2 = account.client("ec2")
    for name in ("vpc", "internet-gateway", "subnet", "security-group", "ebs-snapshot"):
        held = [each for each in kind_of(name).find_all(ec2) if name != "ebs-snapshot" or _is_an_images(each)]
        assert held
        for seen in held:
            want = want_for(name, name=seen.name, aws_id=seen.aws_id, tags={}, token="")
            refused = trouble_of(kind_of(name).delete, ec2, want, seen)
            assert isinstance(refused, InTheWay), (name, refused)


def _is_an_images(snapshot):
    return snapshot.facts["description"].startswith("Created by CreateImage")


# --- groups --------------------------------------------------------------------------------------------------


@pytest.mark.simulator
def test_the_groups_that_emr_leaves_behind_can_be_deleted_in_any_order(account):
    """ElasticMapReduce-master, -slave and -ServiceAccess: each lets itself and the others in, and out too."""
    of = by_hand.vpc(account)
    ec2 = account.client("ec2")
    names = ("ElasticMapReduce-Master-Private", "ElasticMapReduce-Slave-Private", "ElasticMapReduce-ServiceAccess")
    master, slave, service = (
        ec2.create_security_group(GroupName=name, Description="Made by EMR", VpcId=of)["GroupId"] for name in names
    )
    for protocol in ("tcp", "udp"):
        pairs = {"UserIdGroupPairs": [{"GroupId": master}, {"GroupId": slave}]}
        every_port = {"IpProtocol": protocol, "FromPort": 0, "ToPort": 65535}
        for group in (master, slave):
            ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[every_port | pairs])
    reached = {"IpProtocol": "tcp", "FromPort": 8443, "ToPort": 8443}
    for group in (master, slave):
        from_service = reached | {"UserIdGroupPairs": [{"GroupId": service}]}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[from_service])
        to_group = reached | {"UserIdGroupPairs": [{"GroupId": group}]}
        ec2.authorize_security_group_egress(GroupId=service, IpPermissions=[to_group])
    answers_back = {"IpProtocol": "tcp", "FromPort": 9443, "ToPort": 9443, "UserIdGroupPairs": [{"GroupId": master}]}
    ec2.authorize_security_group_ingress(GroupId=service, IpPermissions=[answers_back])
    for group in (slave, service, master):
        assert delete("security-group", ec2, want_for("security-group", aws_id=group)) == 1
    delete("vpc", ec2, want_for("vpc", aws_id=of))
