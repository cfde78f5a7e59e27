"""The world in which examples are made: a simulated account of aye's, and what the ledger hands to a kind's verbs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import uuid4

import boto3
from botocore.config import Config

from labs.kinds import registry
from labs.kinds.base import TAG_LAUNCH, TAG_OWNER, TAG_RESOURCE, Kind, Want

REGION = "us-east-1"


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
    longest = registry()[kind].longest_name if kind in registry() else Kind.longest_name
    known = {
        "name": f"lab-test-{kind[:20]}-{token[:12]}"[-longest:].lstrip("-"),
        "token": token,
        "tags": {TAG_RESOURCE: token, TAG_LAUNCH: uuid4().hex, TAG_OWNER: "7"},
        "account_id": "100000000001",
        "region": REGION,
    }
    return Want("it", kind, params or {}, **(known | more))


@dataclass(frozen=True)
class Example:
    """How the walk over the registry makes one of a kind, and what it needs to know of it.

    params: what create is asked with, in an account in which its parents can be made. by_hand: makes one as a student
    or a service would, and answers its AWS id; for kinds that the portal does not create. running: its facts while it
    runs, for what costs money. parents: what `would_be` is told of its parents. missing_id: an id as AWS writes it, of
    one that does not exist; '' where ids are names.
    """

    params: Callable[[AccountOfAye], dict[str, Any]] = lambda account: {}
    by_hand: Callable[[AccountOfAye], str] | None = None
    running: Mapping[str, Any] = field(default_factory=dict)
    parents: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    missing_id: str = ""
