"""EC2: instances and their disks, snapshots, images, keys and groups."""

from uuid import uuid4

from labs.tests.kinds.examples.world import AccountOfAye, Example

PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2dVLZkdAbYpV7BIp3mH4YI+Xq8Ti3O4PqW5o3rQkYn aye"


def volume(account: AccountOfAye, gb: int = 1) -> str:
    return account.client("ec2").create_volume(AvailabilityZone="us-east-1a", Size=gb)["VolumeId"]


def image(account: AccountOfAye) -> str:
    return account.client("ec2").register_image(Name=f"by-hand-{uuid4().hex[:8]}")["ImageId"]


EXAMPLES = {
    "ami": Example(by_hand=image, missing_id="ami-0123456789abcdef0"),
    "ec2-instance": Example(
        params=lambda account: {"type": "t3.micro", "gb": 8},
        running={
            "type": "t3.micro",
            "platform": "linux",
            "disks": [{"type": "gp3", "gb": 8, "iops": 3000, "mibps": 125}],
            "public_ips": 1,
        },
        missing_id="i-0123456789abcdef0",
    ),
    "ebs-volume": Example(
        params=lambda account: {"gb": 10},
        running={"type": "gp3", "gb": 10, "iops": 3000, "mibps": 125, "goes_with": ""},
        missing_id="vol-0123456789abcdef0",
    ),
    "ebs-snapshot": Example(
        params=lambda account: {"volume": volume(account)},
        running={"bytes": 8 * 2**30, "tier": "standard"},
        parents={"volume": {"gb": 1}},
        missing_id="snap-0123456789abcdef0",
    ),
    "ec2-key-pair": Example(params=lambda account: {"public_key": PUBLIC_KEY}),
    "security-group": Example(
        params=lambda account: {"ingress": [{"port": 22, "cidr": "203.0.113.0/24"}]},
        missing_id="sg-0123456789abcdef0",
    ),
}
