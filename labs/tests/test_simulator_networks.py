"""Where moto does other than AWS with networks, load balancers, file systems, images and snapshots."""

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.simulator

AL2023 = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"


@pytest.fixture
def aye(simulator):
    return simulator.new_account()


@pytest.fixture
def ec2(simulator, aye):
    return simulator.client("ec2", aye)


@pytest.fixture
def a_minute_later(simulator):
    """States take a minute from here on; a_minute_later() lets it go by."""
    simulator.pace(state_seconds=60, listed_seconds=3600)
    return lambda: simulator.let_pass(61)


@pytest.fixture
def vpc(ec2):
    return ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]


@pytest.fixture
def subnet(ec2, vpc):
    return ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]


@pytest.fixture
def gateway(ec2, vpc):
    made = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=made, VpcId=vpc)
    return made


@pytest.fixture
def address(ec2):
    return ec2.allocate_address(Domain="vpc")["AllocationId"]


def code_of(call, **asked):
    with pytest.raises(ClientError) as refused:
        call(**asked)
    return refused.value.response["Error"]["Code"]


def run_one(simulator, aye, ec2, **more):
    image = simulator.client("ssm", aye).get_parameter(Name=AL2023)["Parameter"]["Value"]
    asked = {"ImageId": image, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1} | more
    return ec2.run_instances(**asked)["Instances"][0]["InstanceId"]


# --- who holds whom -------------------------------------------------------------------------------------------


def test_a_subnet_is_kept_until_the_last_interface_in_it_is_gone(simulator, aye, ec2, subnet, a_minute_later):
    box = run_one(simulator, aye, ec2, SubnetId=subnet)
    mine = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    a_minute_later()
    assert code_of(ec2.delete_subnet, SubnetId=subnet) == "DependencyViolation"
    ec2.delete_network_interface(NetworkInterfaceId=mine)
    ec2.terminate_instances(InstanceIds=[box])
    assert code_of(ec2.delete_subnet, SubnetId=subnet) == "DependencyViolation", "shutting down, it is still in it"
    a_minute_later()
    ec2.delete_subnet(SubnetId=subnet)


def test_a_subnet_that_goes_leaves_its_route_table_and_its_access_list(ec2, vpc, subnet):
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    here = [{"Name": "association.subnet-id", "Values": [subnet]}]
    (old,) = ec2.describe_network_acls(Filters=here)["NetworkAcls"]
    (association,) = (each for each in old["Associations"] if each["SubnetId"] == subnet)
    ec2.replace_network_acl_association(AssociationId=association["NetworkAclAssociationId"], NetworkAclId=acl)
    ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_route_table(RouteTableId=table)
    ec2.delete_network_acl(NetworkAclId=acl)


@pytest.mark.parametrize("what", ["subnet", "gateway", "egress", "group", "acl", "table", "endpoint"])
def test_a_vpc_is_kept_while_anything_is_in_it(request, ec2, vpc, what):
    match what:
        case "subnet" | "gateway":
            request.getfixturevalue(what)
        case "egress":
            ec2.create_egress_only_internet_gateway(VpcId=vpc)
        case "group":
            ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc)
        case "acl":
            ec2.create_network_acl(VpcId=vpc)
        case "table":
            ec2.create_route_table(VpcId=vpc)
        case "endpoint":
            ec2.create_vpc_endpoint(VpcId=vpc, ServiceName="com.amazonaws.us-east-1.s3")
    assert code_of(ec2.delete_vpc, VpcId=vpc) == "DependencyViolation"


def test_an_empty_vpc_takes_its_default_group_with_it(ec2, vpc):
    (group,) = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"]
    assert code_of(ec2.delete_security_group, GroupId=group["GroupId"]) == "CannotDelete"
    ec2.delete_vpc(VpcId=vpc)
    assert code_of(ec2.describe_security_groups, GroupIds=[group["GroupId"]]) == "InvalidGroup.NotFound"
    assert code_of(ec2.delete_vpc, VpcId=vpc) == "InvalidVpcID.NotFound"


def test_an_internet_gateway_stays_while_something_has_a_public_address(ec2, vpc, subnet, gateway, address):
    mine = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    held = ec2.associate_address(AllocationId=address, NetworkInterfaceId=mine)["AssociationId"]
    assert code_of(ec2.delete_internet_gateway, InternetGatewayId=gateway) == "DependencyViolation"
    asked = {"InternetGatewayId": gateway, "VpcId": vpc}
    assert code_of(ec2.detach_internet_gateway, **asked) == "DependencyViolation"
    ec2.disassociate_address(AssociationId=held)
    ec2.detach_internet_gateway(**asked)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)


def test_only_the_subnets_that_a_default_vpc_began_with_are_default(ec2, subnet):
    (mine,) = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"]
    assert (mine["DefaultForAz"], mine["MapPublicIpOnLaunch"]) == (False, False)
    others = [each for each in ec2.describe_subnets()["Subnets"] if each["SubnetId"] != subnet]
    assert others and all(each["DefaultForAz"] for each in others)


def test_a_subnet_without_a_zone_lies_in_one_of_its_region(simulator, aye):
    ec2 = simulator.client("ec2", aye, "ap-southeast-1")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]
    assert made["AvailabilityZone"].startswith("ap-southeast-1")


# --- addresses and interfaces ---------------------------------------------------------------------------------


def test_an_address_in_use_is_not_released_and_an_instance_that_ends_lets_it_go(simulator, aye, ec2, address):
    box = run_one(simulator, aye, ec2)
    ec2.associate_address(AllocationId=address, InstanceId=box)
    assert code_of(ec2.release_address, AllocationId=address) == "InvalidIPAddress.InUse"
    ec2.terminate_instances(InstanceIds=[box])
    (left,) = ec2.describe_addresses(AllocationIds=[address])["Addresses"]
    assert "AssociationId" not in left
    ec2.release_address(AllocationId=address)


def test_an_address_says_whose_it_is(simulator, aye, ec2, address):
    box = run_one(simulator, aye, ec2)

    def owner():
        (card,) = ec2.describe_instances(InstanceIds=[box])["Reservations"][0]["Instances"][0]["NetworkInterfaces"]
        return card["PrivateIpAddresses"][0]["Association"]["IpOwnerId"]

    assert owner() == "amazon"
    ec2.associate_address(AllocationId=address, InstanceId=box)
    assert owner() == aye


def test_an_interface_that_goes_lets_its_address_go(ec2, subnet, address):
    mine = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    ec2.associate_address(AllocationId=address, NetworkInterfaceId=mine)
    ec2.delete_network_interface(NetworkInterfaceId=mine)
    ec2.release_address(AllocationId=address)


def test_an_interface_in_use_is_kept(simulator, aye, ec2, subnet):
    box = run_one(simulator, aye, ec2, SubnetId=subnet)
    here = [{"Name": "subnet-id", "Values": [subnet]}]
    (primary,) = ec2.describe_network_interfaces(Filters=here)["NetworkInterfaces"]
    assert primary["Attachment"]["DeleteOnTermination"] is True
    asked = {"NetworkInterfaceId": primary["NetworkInterfaceId"]}
    assert code_of(ec2.delete_network_interface, **asked) == "InvalidParameterValue"
    ec2.terminate_instances(InstanceIds=[box])
    assert ec2.describe_network_interfaces(Filters=here)["NetworkInterfaces"] == []


# --- gateways and endpoints -----------------------------------------------------------------------------------


def nat_state(ec2, nat):
    return ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"][0]["State"]


def test_a_nat_gateway_is_seen_coming_and_going_and_then_listed_for_a_while(
    simulator, ec2, subnet, address, a_minute_later
):
    nat = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]
    assert nat_state(ec2, nat) == "pending"
    a_minute_later()
    assert nat_state(ec2, nat) == "available"
    ec2.delete_nat_gateway(NatGatewayId=nat)
    assert nat_state(ec2, nat) == "deleting"
    assert code_of(ec2.release_address, AllocationId=address) == "AuthFailure", "it holds its address until it is gone"
    assert code_of(ec2.delete_subnet, SubnetId=subnet) == "DependencyViolation"
    a_minute_later()
    assert nat_state(ec2, nat) == "deleted"
    ec2.release_address(AllocationId=address)
    ec2.delete_subnet(SubnetId=subnet)
    simulator.let_pass(3600)
    assert code_of(nat_state, ec2=ec2, nat=nat) == "NatGatewayNotFound"
    assert code_of(ec2.delete_nat_gateway, NatGatewayId=nat) == "NatGatewayNotFound"


def test_the_address_of_a_nat_gateway_cannot_be_taken_from_it(ec2, subnet, address):
    ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)
    (held,) = ec2.describe_addresses(AllocationIds=[address])["Addresses"]
    assert code_of(ec2.disassociate_address, AssociationId=held["AssociationId"]) == "AuthFailure"


def test_nat_gateways_are_found_by_their_tags(ec2, subnet):
    tagged = [{"ResourceType": "natgateway", "Tags": [{"Key": "whose", "Value": "aye's"}]}]
    asked = {"SubnetId": subnet, "ConnectivityType": "private"}
    mine = ec2.create_nat_gateway(TagSpecifications=tagged, **asked)["NatGateway"]["NatGatewayId"]
    ec2.create_nat_gateway(**asked)
    (found,) = ec2.describe_nat_gateways(Filter=[{"Name": "tag:whose", "Values": ["aye's"]}])["NatGateways"]
    assert found["NatGatewayId"] == mine


def test_the_same_client_token_makes_one(ec2, vpc, subnet):
    private = {"SubnetId": subnet, "ConnectivityType": "private"}
    s3 = {"VpcId": vpc, "ServiceName": "com.amazonaws.us-east-1.s3"}
    for create, member, named, asked in (
        (ec2.create_nat_gateway, "NatGateway", "NatGatewayId", private),
        (ec2.create_vpc_endpoint, "VpcEndpoint", "VpcEndpointId", s3),
    ):
        first, again = (create(ClientToken="t", **asked)[member][named] for _ in range(2))
        assert first == again
        assert create(ClientToken="other", **asked)[member][named] != first


def test_an_endpoint_is_seen_coming_and_going_with_its_interfaces_and_groups(ec2, vpc, subnet, a_minute_later):
    group = ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc)["GroupId"]
    made = ec2.create_vpc_endpoint(
        VpcEndpointType="Interface",
        VpcId=vpc,
        ServiceName="com.amazonaws.us-east-1.sagemaker.api",
        SubnetIds=[subnet],
        SecurityGroupIds=[group],
    )["VpcEndpoint"]
    asked = {"VpcEndpointIds": [made["VpcEndpointId"]]}

    def state():
        return ec2.describe_vpc_endpoints(**asked)["VpcEndpoints"][0]["State"]

    assert state() == "pending"
    a_minute_later()
    assert state() == "available"
    assert ec2.delete_vpc_endpoints(**asked)["Unsuccessful"] == []
    assert state() == "deleting"
    assert code_of(ec2.delete_security_group, GroupId=group) == "DependencyViolation"
    a_minute_later()
    assert code_of(ec2.describe_vpc_endpoints, **asked) == "InvalidVpcEndpointId.NotFound"
    ec2.delete_security_group(GroupId=group)
    ec2.delete_subnet(SubnetId=subnet)


def test_an_endpoint_that_is_not_there_is_said_in_an_answer_that_is_no_error(ec2):
    (said,) = ec2.delete_vpc_endpoints(VpcEndpointIds=["vpce-0123456789abcdef0"])["Unsuccessful"]
    assert said["Error"]["Code"] == "InvalidVpcEndpointId.NotFound"


def test_an_endpoint_is_of_the_gateway_type_unless_it_is_told_otherwise(ec2, vpc):
    made = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName="com.amazonaws.us-east-1.s3")["VpcEndpoint"]
    assert made["VpcEndpointType"] == "Gateway"


# --- load balancers, file systems -----------------------------------------------------------------------------


@pytest.fixture
def elbv2(simulator, aye):
    return simulator.client("elbv2", aye)


def test_a_load_balancer_is_provisioning_at_first_and_its_interfaces_stay_a_moment_after_it(
    ec2, elbv2, subnet, a_minute_later
):
    made = elbv2.create_load_balancer(Name="n", Subnets=[subnet])["LoadBalancers"][0]["LoadBalancerArn"]

    def state():
        return elbv2.describe_load_balancers(LoadBalancerArns=[made])["LoadBalancers"][0]["State"]["Code"]

    assert state() == "provisioning"
    a_minute_later()
    assert state() == "active"
    elbv2.delete_load_balancer(LoadBalancerArn=made)
    assert code_of(state) == "LoadBalancerNotFound"
    assert code_of(ec2.delete_subnet, SubnetId=subnet) == "DependencyViolation"
    a_minute_later()
    ec2.delete_subnet(SubnetId=subnet)


def test_a_protected_load_balancer_is_kept(elbv2, subnet):
    made = elbv2.create_load_balancer(Name="n", Subnets=[subnet])["LoadBalancers"][0]["LoadBalancerArn"]
    for value, is_kept in (("true", True), ("false", False)):
        attributes = [{"Key": "deletion_protection.enabled", "Value": value}]
        elbv2.modify_load_balancer_attributes(LoadBalancerArn=made, Attributes=attributes)
        if is_kept:
            assert code_of(elbv2.delete_load_balancer, LoadBalancerArn=made) == "OperationNotPermitted"
    elbv2.delete_load_balancer(LoadBalancerArn=made)
    assert elbv2.describe_load_balancers()["LoadBalancers"] == []


@pytest.mark.parametrize(("kind", "path"), [("application", "app"), ("network", "net"), ("gateway", "gwy")])
def test_the_arn_of_a_load_balancer_says_of_which_type_it_is(elbv2, subnet, kind, path):
    tags = [{"Key": "whose", "Value": "aye's"}]
    asked = {"Name": "n", "Type": kind, "Subnets": [subnet], "Tags": tags}
    made = elbv2.create_load_balancer(**asked)["LoadBalancers"][0]["LoadBalancerArn"]
    assert f":loadbalancer/{path}/n/" in made
    assert elbv2.describe_tags(ResourceArns=[made])["TagDescriptions"][0]["Tags"] == tags
    elbv2.delete_load_balancer(LoadBalancerArn=made)
    assert elbv2.describe_load_balancers()["LoadBalancers"] == []


def test_a_classic_load_balancer_lies_in_its_subnets_too(simulator, aye, ec2, subnet):
    elb = simulator.client("elb", aye)
    listener = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 80}
    elb.create_load_balancer(LoadBalancerName="old", Subnets=[subnet], Listeners=[listener])
    assert code_of(ec2.delete_subnet, SubnetId=subnet) == "DependencyViolation"
    elb.delete_load_balancer(LoadBalancerName="old")
    ec2.delete_subnet(SubnetId=subnet)


def test_a_file_system_and_its_mount_target_are_seen_coming_and_going(simulator, aye, subnet, a_minute_later):
    efs = simulator.client("efs", aye)
    system = efs.create_file_system(CreationToken="t")["FileSystemId"]
    target = efs.create_mount_target(FileSystemId=system, SubnetId=subnet)["MountTargetId"]

    def states():
        targets = efs.describe_mount_targets(FileSystemId=system)["MountTargets"]
        return [
            each["LifeCycleState"]
            for each in [*efs.describe_file_systems(FileSystemId=system)["FileSystems"], *targets]
        ]

    assert states() == ["creating", "creating"]
    a_minute_later()
    assert states() == ["available", "available"]
    efs.delete_mount_target(MountTargetId=target)
    assert states() == ["available", "deleting"]
    assert code_of(efs.delete_file_system, FileSystemId=system) == "FileSystemInUse"
    a_minute_later()
    efs.delete_file_system(FileSystemId=system)
    assert states() == ["deleting"]
    a_minute_later()
    assert code_of(efs.describe_file_systems, FileSystemId=system) == "FileSystemNotFound"


# --- images and snapshots -------------------------------------------------------------------------------------


def test_what_somebody_images_is_pending_for_a_while_and_awss_own_never(ec2, a_minute_later):
    assert {each["State"] for each in ec2.describe_images(Owners=["amazon"])["Images"]} == {"available"}
    mine = ec2.register_image(Name="mine")["ImageId"]

    def state():
        return ec2.describe_images(ImageIds=[mine])["Images"][0]["State"]

    assert state() == "pending"
    a_minute_later()
    assert state() == "available"
    ec2.disable_image(ImageId=mine)
    assert state() == "disabled"


def test_a_snapshot_is_pending_while_it_copies(ec2, a_minute_later):
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    asked = {"SnapshotIds": [ec2.create_snapshot(VolumeId=volume)["SnapshotId"]]}
    assert ec2.describe_snapshots(**asked)["Snapshots"][0]["State"] == "pending"
    a_minute_later()
    assert ec2.describe_snapshots(**asked)["Snapshots"][0]["State"] == "completed"
