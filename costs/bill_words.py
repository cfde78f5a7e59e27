"""PURE: AWS's words on a bill in ours: which line is use and which a credit, and which service of its is which of ours.

What the meter and AWS cut differently is compared as one: AWS bills an instance's disk and address, and an EMR
cluster's machines, beside EC2, and the meter counts them with the instance and with the cluster.
"""

from __future__ import annotations

from django.utils.translation import gettext, gettext_noop

USAGE, CREDIT, REFUND, TAX, OTHER = "usage", "credit", "refund", "tax", "other"
KINDS = (USAGE, CREDIT, REFUND, TAX, OTHER)

MACHINES = gettext_noop("EC2, disks, addresses, EMR")

# Cost Explorer's dimension SERVICE: (as AWS calls it, ...) of what we call so.
AWS_NAMES: dict[str, tuple[str, ...]] = {
    MACHINES: (
        "Amazon Elastic Compute Cloud - Compute",
        "EC2 - Other",
        "Amazon Elastic Block Store",
        "Amazon Virtual Private Cloud",
        "Amazon Elastic MapReduce",
    ),
    "API Gateway": ("Amazon API Gateway",),
    "Bedrock": ("Amazon Bedrock",),
    "CloudTrail": ("AWS CloudTrail",),
    "CloudWatch": ("AmazonCloudWatch", "CloudWatch Events"),
    "CodePipeline": ("AWS CodePipeline", "CodePipeline"),
    "ECR": ("Amazon EC2 Container Registry (ECR)", "Amazon Elastic Container Registry"),
    "EFS": ("Amazon Elastic File System",),
    "ELB": ("Amazon Elastic Load Balancing", "Elastic Load Balancing"),
    "EMR Serverless": ("Amazon EMR Serverless", "EMR Serverless"),
    "Kendra": ("Amazon Kendra",),
    "KMS": ("AWS Key Management Service",),
    "Lambda": ("AWS Lambda",),
    "OpenSearch Serverless": ("Amazon OpenSearch Service", "Amazon OpenSearch Serverless"),
    "RDS": ("Amazon Relational Database Service",),
    "S3": ("Amazon Simple Storage Service",),
    "SageMaker": ("Amazon SageMaker", "Amazon SageMaker AI"),
    "Secrets Manager": ("AWS Secrets Manager",),
    "Step Functions": ("AWS Step Functions",),
}
# Of the meter's services: those that AWS cuts otherwise.
TOGETHER = {"EC2": MACHINES, "EBS": MACHINES, "VPC": MACHINES, "EMR": MACHINES}

_OURS = {name: ours for ours, names in AWS_NAMES.items() for name in names}


def ours_of(service: str) -> str:
    """What we call a service of Cost Explorer's; its own name where the meter knows no such thing."""
    return _OURS.get(service, service)


def compared_as(service: str) -> str:
    """The line on which a service of the meter's is compared."""
    return TOGETHER.get(service, service)


def shown_as(line: str) -> str:
    """A line of the comparison for its reader; AWS's own names are the same in every language."""
    return gettext(line) if line == MACHINES else line


def is_metered(line: str) -> bool:
    """Does the meter count anything of this line? What it does not is "not accrued", and never 0."""
    return line in AWS_NAMES


def kind_of(record: str) -> str:
    """USAGE, CREDIT, REFUND, TAX or OTHER of Cost Explorer's dimension RECORD_TYPE.

    Use under a savings plan or a reservation is listed at its own price and taken back on another line (OTHER), as
    fees, support and discounts are.
    """
    said = record.casefold()
    if "credit" in said:
        return CREDIT
    if "refund" in said:
        return REFUND
    if "tax" in said:
        return TAX
    return USAGE if "usage" in said else OTHER
