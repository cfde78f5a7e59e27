"""VPCs and what lies in them: subnets, gateways, routes, endpoints, interfaces, addresses."""

from uuid import uuid4

from labs.tests.kinds.examples.world import AccountOfAye, Example


def vpc(account: AccountOfAye) -> str:
    """A VPC's id. Made by hand: no default one, and nothing in it."""
    return account.client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]


def subnet(account: AccountOfAye, of: str = "") -> str:
    ec2 = account.client("ec2")
    return ec2.create_subnet(VpcId=of or vpc(account), CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]


def address(account: AccountOfAye) -> str:
    return account.client("ec2").allocate_address(Domain="vpc")["AllocationId"]


def interface(account: AccountOfAye) -> str:
    made = account.client("ec2").create_network_interface(SubnetId=subnet(account), Description=f"mine {uuid4().hex}")
    return made["NetworkInterface"]["NetworkInterfaceId"]


def route_table(account: AccountOfAye) -> dict:
    """Params of one that leads a subnet to the internet."""
    ec2, of = account.client("ec2"), vpc(account)
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=of)
    routes = [{"cidr": "0.0.0.0/0", "gateway": gateway}]
    return {"vpc": of, "subnets": [subnet(account, of)], "routes": routes}


def endpoint(account: AccountOfAye) -> dict:
    of = vpc(account)
    return {"service": "sagemaker.api", "type": "Interface", "vpc": of, "subnets": [subnet(account, of)]}


EXAMPLES = {
    "elastic-ip": Example(
        running={"ip": "203.0.113.9", "attached": False},
        missing_id="eipalloc-0123456789abcdef0",
    ),
    "internet-gateway": Example(
        params=lambda account: {"vpc": vpc(account)},
        missing_id="igw-0123456789abcdef0",
    ),
    "nat-gateway": Example(
        params=lambda account: {"subnet": subnet(account), "address": address(account)},
        running={"zones": 1, "public_ips": 0},
        missing_id="nat-0123456789abcdef0",
    ),
    "network-interface": Example(by_hand=interface, missing_id="eni-0123456789abcdef0"),
    "route-table": Example(params=route_table, missing_id="rtb-0123456789abcdef0"),
    "subnet": Example(
        params=lambda account: {"vpc": vpc(account), "cidr": "10.9.2.0/24", "public": True},
        missing_id="subnet-0123456789abcdef0",
    ),
    "vpc": Example(missing_id="vpc-0123456789abcdef0"),
    "vpc-endpoint": Example(
        params=endpoint,
        running={"type": "Interface", "service": "com.amazonaws.us-east-1.sagemaker.api", "zones": 2},
        missing_id="vpce-0123456789abcdef0",
    ),
}
