"""EC2 instances of labs: how steps tell a student to start one, how a check finds it again, how one logs in to it."""

from __future__ import annotations

from typing import Any

from labs.catalog.base import StudentView
from labs.kinds.base import Want

# What a student is told to start, for the price before the launch.
BY_HAND = Want("server", "ec2-instance", {"type": "t3.micro", "gb": 8})

# Parts of commands. The image is looked up: its id is another one in each region, and changes with each release.
IMAGE = """\
IMAGE=$(aws ec2 describe-images --owners amazon \\
  --filters 'Name=name,Values=al2023-ami-2023.*-x86_64' \\
  --query 'sort_by(Images, &CreationDate)[-1].ImageId' --output text)
"""
TAGS = "{Key=student,Value={lab.student}},{Key=lab,Value={lab.tag}}"
TAGGED = f"""\
  --tag-specifications \\
  'ResourceType=instance,Tags=[{{Key=Name,Value={{lab.prefix}}server}},{TAGS}]' \\
  'ResourceType=volume,Tags=[{TAGS}]' \\
"""
ITS_ID = """\
ID=$(aws ec2 describe-instances --filters Name=tag:lab,Values={lab.tag} \\
  Name=instance-state-name,Values=pending,running,stopping,stopped \\
  --query 'Reservations[0].Instances[0].InstanceId' --output text)
"""
# All that Session Manager needs, so that no port has to be open and no key pair made (Systems Manager user guide,
# "Create an IAM role with minimal permissions for Session Manager").
LOG_IN: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "ssm:UpdateInstanceInformation",
                "ssmmessages:CreateControlChannel",
                "ssmmessages:CreateDataChannel",
                "ssmmessages:OpenControlChannel",
                "ssmmessages:OpenDataChannel",
            ],
            "Resource": "*",
        }
    ],
}
ON_ITS_WAY_OUT = ("shutting-down", "terminated")


def of_this_lab(view: StudentView) -> list[dict[str, Any]]:
    """As AWS describes those with the lab's tag, the last started first; AWS lists terminated ones for an hour."""
    answer = view.client("ec2").describe_instances(Filters=[{"Name": "tag:lab", "Values": [view.tags["lab"]]}])
    found = [instance for reservation in answer["Reservations"] for instance in reservation["Instances"]]
    return sorted(found, key=lambda instance: instance["LaunchTime"], reverse=True)


def alive(view: StudentView) -> dict[str, Any] | None:
    """The one that is there, None where there is none: not started yet, or on its way out."""
    there = [each for each in of_this_lab(view) if each["State"]["Name"] not in ON_ITS_WAY_OUT]
    return there[0] if there else None


def tags_of(instance: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in instance.get("Tags", ())}


def start_one(view: StudentView, **more: Any) -> str:
    """As a student is told to, for a rehearsal. Answers its id."""
    ec2 = view.client("ec2")
    images = ec2.describe_images(Owners=["amazon"], Filters=[{"Name": "name", "Values": ["al2023-ami-2023.*-x86_64"]}])
    image = max(images["Images"], key=lambda each: each["CreationDate"])["ImageId"]
    tags = [{"Key": key, "Value": value} for key, value in view.tags.items()]
    started = ec2.run_instances(
        ImageId=image,
        InstanceType="t3.micro",
        MinCount=1,
        MaxCount=1,
        InstanceInitiatedShutdownBehavior="terminate",
        CreditSpecification={"CpuCredits": "standard"},
        MetadataOptions={"HttpTokens": "required"},
        TagSpecifications=[
            {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": f"{view.prefix}server"}, *tags]},
            {"ResourceType": "volume", "Tags": tags},
        ],
        **more,
    )
    return str(started["Instances"][0]["InstanceId"])


def note(view: StudentView, instance: str, key: str, value: str) -> None:
    """A tag that a student writes on an instance, for a rehearsal."""
    view.client("ec2").create_tags(Resources=[instance], Tags=[{"Key": key, "Value": value}])
