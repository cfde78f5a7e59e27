"""The world of the benches: what fifty students have in one account, made by hand in the simulator.

A student's basket is what the four labs make, twice each (one running, one of last week that nobody ended), and ten
things made beside them: forty. What the labs made carries their tags; what was made beside them carries none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from labs.kinds.base import TAG_LAUNCH, TAG_OWNER

REGION = "us-east-1"
PUBLIC_KEY = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2dVLZkdAbYpV7BIp3mH4YI+Xq8Ti3O4PqW5o3rQkYn aye"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"

# {kind: (in each of the two rounds of labs, made beside them)}: 2 x 15 + 10 = 40.
BASKET = {
    "s3-bucket": (4, 2),
    "ec2-instance": (1, 1),
    "ebs-volume": (0, 3),
    "ec2-key-pair": (1, 1),
    "security-group": (1, 1),
    "iam-role": (3, 1),
    "instance-profile": (1, 0),
    "sagemaker-notebook": (1, 1),
    "sagemaker-model": (1, 0),
    "sagemaker-endpoint-config": (1, 0),
    "sagemaker-endpoint": (1, 0),
}
A_STUDENT = sum(2 * by_labs + beside for by_labs, beside in BASKET.values())

Planted = set[tuple[str, str]]  # (kind, the id by which AWS lists it)
Tags = dict[str, str]


def plant(client: Callable[[str], Any], students: Iterable[int], region: str = REGION) -> Planted:
    """Make a basket for each of these students (any numbers, each once in the simulator: buckets have one namespace).
    `client(service)` is a client into the account, in the region."""
    hand = _Hand(client, region)
    return {(kind, hand.make(kind, name, tags)) for kind, name, tags in _baskets(students)}


def _baskets(students: Iterable[int]) -> Iterator[tuple[str, str, Tags]]:
    """(kind, name, tags), parents before children: a kind's number n is made of its parents' number n."""
    for student in students:
        for kind, (by_labs, beside) in BASKET.items():
            for number in range(2 * by_labs + beside):
                made_by_lab = number < 2 * by_labs
                launch = f"{student:08x}{number % 2:024x}"
                tags = {TAG_OWNER: str(student), TAG_LAUNCH: launch} if made_by_lab else {}
                yield kind, f"lab-{student:03d}-{number}", tags


class _Hand:
    """Makes one thing of each kind by a plain call, and answers the id by which AWS lists it."""

    def __init__(self, client: Callable[[str], Any], region: str):
        self.client, self.region = client, region
        images = client("ec2").describe_images(
            Owners=["amazon"], Filters=[{"Name": "name", "Values": ["al2023-ami-2023.*-x86_64"]}]
        )
        self.image = images["Images"][0]["ImageId"]
        self.role = ""  # the last one made: SageMaker wants one to act by

    def make(self, kind: str, name: str, tags: Tags) -> str:
        made: str = getattr(self, "_" + kind.replace("-", "_"))(name, [{"Key": k, "Value": v} for k, v in tags.items()])
        return made

    def _s3_bucket(self, name: str, tags: list[dict[str, str]]) -> str:
        s3 = self.client("s3")
        place = {} if self.region == "us-east-1" else {"LocationConstraint": self.region}
        s3.create_bucket(Bucket=name, **({"CreateBucketConfiguration": place} if place else {}))
        if tags:
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})
        for key in ("raw/iris.csv", "processed/"):
            s3.put_object(Bucket=name, Key=key, Body=b"5.1,3.5,1.4,0.2,setosa\n")
        return name

    def _ec2_instance(self, name: str, tags: list[dict[str, str]]) -> str:
        made = self.client("ec2").run_instances(
            ImageId=self.image, InstanceType="t3.micro", MinCount=1, MaxCount=1, **_tagged("instance", name, tags)
        )
        return str(made["Instances"][0]["InstanceId"])

    def _ebs_volume(self, name: str, tags: list[dict[str, str]]) -> str:
        made = self.client("ec2").create_volume(
            AvailabilityZone=f"{self.region}a", Size=20, VolumeType="gp3", **_tagged("volume", name, tags)
        )
        return str(made["VolumeId"])

    def _ec2_key_pair(self, name: str, tags: list[dict[str, str]]) -> str:
        self.client("ec2").import_key_pair(
            KeyName=name, PublicKeyMaterial=PUBLIC_KEY, **_tagged("key-pair", name, tags)
        )
        return name

    def _security_group(self, name: str, tags: list[dict[str, str]]) -> str:
        made = self.client("ec2").create_security_group(
            GroupName=name, Description="made for a lab", **_tagged("security-group", name, tags)
        )
        return str(made["GroupId"])

    def _iam_role(self, name: str, tags: list[dict[str, str]]) -> str:
        made = self.client("iam").create_role(RoleName=name, Path="/lab/", AssumeRolePolicyDocument=TRUST, Tags=tags)
        self.role = made["Role"]["Arn"]
        return name

    def _instance_profile(self, name: str, tags: list[dict[str, str]]) -> str:
        iam = self.client("iam")
        iam.create_instance_profile(InstanceProfileName=name, Path="/lab/", Tags=tags)
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
        return name

    def _sagemaker_notebook(self, name: str, tags: list[dict[str, str]]) -> str:
        self.client("sagemaker").create_notebook_instance(
            NotebookInstanceName=name, InstanceType="ml.t3.medium", RoleArn=self.role, VolumeSizeInGB=5, Tags=tags
        )
        return name

    def _sagemaker_model(self, name: str, tags: list[dict[str, str]]) -> str:
        container = {"Image": IMAGE, "ModelDataUrl": f"s3://{name}/model.tar.gz"}
        self.client("sagemaker").create_model(
            ModelName=name, ExecutionRoleArn=self.role, PrimaryContainer=container, Tags=tags
        )
        return name

    def _sagemaker_endpoint_config(self, name: str, tags: list[dict[str, str]]) -> str:
        variant = {"VariantName": "AllTraffic", "ModelName": name, "InstanceType": "ml.m5.large"}
        self.client("sagemaker").create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[variant | {"InitialInstanceCount": 1}], Tags=tags
        )
        return name

    def _sagemaker_endpoint(self, name: str, tags: list[dict[str, str]]) -> str:
        self.client("sagemaker").create_endpoint(EndpointName=name, EndpointConfigName=name, Tags=tags)
        return name


def _tagged(what: str, name: str, tags: list[dict[str, str]]) -> dict[str, Any]:
    return {"TagSpecifications": [{"ResourceType": what, "Tags": [{"Key": "Name", "Value": name}, *tags]}]}
