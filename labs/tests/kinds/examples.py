"""One example of every kind, to walk the registry with: what it needs first, what it is asked with, what is seen of it.

A kind without an example fails the walk: add it here when you add the kind.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from uuid import uuid4

import boto3
from botocore.config import Config

from labs.kinds import kind_of
from labs.kinds.base import RUNNING, TAG_LAUNCH, TAG_OWNER, TAG_RESOURCE, Seen, Want

REGION = "us-east-1"
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2dVLZkdAbYpV7BIp3mH4YI+Xq8Ti3O4PqW5o3rQkYn aye"
LIFECYCLE = [
    {
        "ID": "raw",
        "Status": "Enabled",
        "Filter": {"Prefix": "raw/"},
        "Transitions": [{"Days": 30, "StorageClass": "GLACIER"}],
    }
]
READS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::lab-bucket/*"}],
}


@dataclass
class AccountOfAye:
    """A simulated account and clients into it, which are kept from test to test: making one costs more than a call."""

    simulator: Any
    id: str
    made: ClassVar[dict[tuple, Any]] = {}
    session: ClassVar[Any] = boto3.session.Session()

    def __post_init__(self):
        self.world = (self.simulator.boot()["boot_id"], self.id)  # another boot knows none of the keys of this one
        if self.world not in self.made:
            self.made[self.world] = self.simulator.credentials(self.id)

    def client(self, service: str, region: str = REGION):
        at = (*self.world, service, region)
        if at not in self.made:
            self.made[at] = self.session.client(
                service,
                region_name=region,
                endpoint_url=self.simulator.url,
                config=Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=30),
                **self.made[self.world],
            )
        return self.made[at]

    def role(self) -> str:
        """The ARN of a role that is there."""
        trust = json.dumps({"Version": "2012-10-17", "Statement": []})
        made = self.client("iam").create_role(RoleName=f"by-hand-{uuid4().hex[:8]}", AssumeRolePolicyDocument=trust)
        return made["Role"]["Arn"]

    def model(self) -> str:
        name = f"by-hand-{uuid4().hex[:8]}"
        container = {"Image": "image", "ModelDataUrl": "s3://bucket/model.tar.gz"}
        self.client("sagemaker").create_model(ModelName=name, ExecutionRoleArn=self.role(), PrimaryContainer=container)
        return name

    def endpoint_config(self) -> str:
        name = f"by-hand-{uuid4().hex[:8]}"
        variant = {"VariantName": "AllTraffic", "ModelName": self.model(), "InstanceType": "ml.m5.large"}
        self.client("sagemaker").create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[{**variant, "InitialInstanceCount": 1}]
        )
        return name


def want_for(kind: str, params: Mapping[str, Any] | None = None, **more: Any) -> Want:
    """What the ledger would hand to the verbs of a new row."""
    token = uuid4().hex
    known = {
        "name": f"lab-test-{kind[:20]}-{token[:12]}",
        "token": token,
        "tags": {TAG_RESOURCE: token, TAG_LAUNCH: uuid4().hex, TAG_OWNER: "7"},
        "account_id": "100000000001",
        "region": REGION,
    }
    return Want("it", kind, params or {}, **(known | more))


# What a kind is asked with, given an account in which its parents can be made.
PARAMS: dict[str, Callable[[AccountOfAye], dict[str, Any]]] = {
    "s3-bucket": lambda account: {"versioning": True, "lifecycle": LIFECYCLE, "prefixes": ["raw/", "processed/"]},
    "ec2-instance": lambda account: {"type": "t3.micro", "gb": 8},
    "ebs-volume": lambda account: {"gb": 10},
    "ec2-key-pair": lambda account: {"public_key": PUBLIC_KEY},
    "security-group": lambda account: {"ingress": [{"port": 22, "cidr": "203.0.113.0/24"}]},
    "iam-role": lambda account: {"trust": "ec2.amazonaws.com", "inline_policies": {"reads": READS}},
    "instance-profile": lambda account: {"role": account.role().rsplit("/", 1)[-1]},
    "sagemaker-notebook": lambda account: {"type": "ml.t3.medium", "gb": 5, "role_arn": account.role()},
    "sagemaker-model": lambda account: {
        "algorithm": "xgboost",
        "data_url": "s3://bucket/model.tar.gz",
        "role_arn": account.role(),
    },
    "sagemaker-endpoint-config": lambda account: {"model": account.model(), "type": "ml.m5.large"},
    "sagemaker-endpoint": lambda account: {"config": account.endpoint_config()},
}

# What costs money, as it is seen while it runs.
RUNNING_FACTS: dict[str, dict[str, Any]] = {
    "s3-bucket": {"bytes": {"STANDARD": 3 * 2**30}},
    "ec2-instance": {
        "type": "t3.micro",
        "platform": "linux",
        "disks": [{"type": "gp3", "gb": 8, "iops": 3000, "mibps": 125}],
        "public_ips": 1,
    },
    "ebs-volume": {"type": "gp3", "gb": 10, "iops": 3000, "mibps": 125, "goes_with": ""},
    "sagemaker-notebook": {"type": "ml.t3.medium", "disk_gb": 5},
    "sagemaker-endpoint": {
        "variants": [{"name": "AllTraffic", "type": "ml.m5.large", "count": 1, "disk_gb": 4, "serverless": False}]
    },
}


def example_of(kind: str) -> Seen:
    return Seen(RUNNING, aws_id="it", name="it", facts=RUNNING_FACTS[kind])


def make(kind: str, account: AccountOfAye, params: Mapping[str, Any] | None = None) -> tuple[Any, Want, Seen]:
    """Create one in the account and look at it: (client, want, seen)."""
    client = account.client(kind_of(kind).service)
    want = want_for(kind, PARAMS[kind](account) if params is None else params, account_id=account.id)
    kind_of(kind).create(client, want)
    return client, want, kind_of(kind).observe(client, want)


def configure(kind: str, client: Any, want: Want, seen: Seen) -> Seen:
    """Configure until it says that all is in force, as the controller would; what is seen then."""
    for _ in range(3):
        if kind_of(kind).configure(client, want, seen):
            return kind_of(kind).observe(client, want)
        seen = kind_of(kind).observe(client, want)
    raise AssertionError(f"{kind} was not configured by three calls")


def delete(kind: str, client: Any, want: Want, calls: int = 4) -> int:
    """Ask for its end until it is seen absent. Answers how often it had to be asked."""
    for asked in range(calls):
        seen = kind_of(kind).observe(client, want)
        if seen.state == "absent":
            return asked
        want = replace(want, aws_id=seen.aws_id)  # as the ledger does with what it saw
        kind_of(kind).delete(client, want, seen)
    seen = kind_of(kind).observe(client, want)
    assert seen.state == "absent", f"{kind} is still {seen.state} after {calls} deletes"
    return calls
