"""Load balancers, made by hand."""

from uuid import uuid4

from labs.tests.kinds.examples.world import AccountOfAye, Example


def two_subnets(account: AccountOfAye) -> list[str]:
    ec2 = account.client("ec2")
    of = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    asked = (("us-east-1a", "10.9.1.0/24"), ("us-east-1b", "10.9.2.0/24"))
    made = [ec2.create_subnet(VpcId=of, CidrBlock=cidr, AvailabilityZone=zone) for zone, cidr in asked]
    return [each["Subnet"]["SubnetId"] for each in made]


def balancer(account: AccountOfAye, kind: str = "application", **more: object) -> str:
    """The ARN of one that is there."""
    if "Subnets" not in more:
        more["Subnets"] = two_subnets(account)
    made = account.client("elbv2").create_load_balancer(
        Name=f"by-hand-{uuid4().hex[:8]}", Type=kind, Tags=[{"Key": "course", "Value": "ml"}], **more
    )
    return made["LoadBalancers"][0]["LoadBalancerArn"]


def classic(account: AccountOfAye) -> str:
    name = f"by-hand-{uuid4().hex[:8]}"
    account.client("elb").create_load_balancer(
        LoadBalancerName=name,
        Subnets=two_subnets(account)[:1],
        Listeners=[{"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 80}],
        Tags=[{"Key": "course", "Value": "ml"}],
    )
    return name


EXAMPLES = {
    "load-balancer": Example(
        by_hand=balancer,
        running={"type": "application", "public_ips": 2},
        missing_id="arn:aws:elasticloadbalancing:us-east-1:600000000001:loadbalancer/app/gone/50dc6c495c0c9188",
    ),
    "classic-load-balancer": Example(by_hand=classic, running={"public_ips": 1}),
}
