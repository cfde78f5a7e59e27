"""EC2: instances and their disks, keys and groups."""

from labs.tests.kinds.examples.world import Example

PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2dVLZkdAbYpV7BIp3mH4YI+Xq8Ti3O4PqW5o3rQkYn aye"

EXAMPLES = {
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
    "ec2-key-pair": Example(params=lambda account: {"public_key": PUBLIC_KEY}),
    "security-group": Example(
        params=lambda account: {"ingress": [{"port": 22, "cidr": "203.0.113.0/24"}]},
        missing_id="sg-0123456789abcdef0",
    ),
}
