"""PURE, data alone. Which product of AWS's price list is which line of our price book.

AWS names what it bills by a usage type, with the region before it: `APS1-BoxUsage:t3.medium`. Here the region is left
out, the rest is an expression that has to match whole, and where a line is for many machines its group `sku` is ours.
Where the usage type is not enough, `also` says what else has to be so. Attributes are written as in AWS's JSON.

From AWS's own pages on usage types and from bills; docs/unproven.md says how to prove them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

ONE = Decimal(1)
HOURS, GB, GB_MONTHS, REQUESTS = r"hrs|hours?", r"gb", r"gb-(mo|month)", r"requests?"
TYPE = r"(?P<sku>[a-z0-9-]+\.[a-z0-9-]+)"
ML_TYPE = r"(?P<sku>ml\.[a-z0-9-]+\.[a-z0-9]+)"


@dataclass(frozen=True)
class Line:
    """One line of our book, or of every machine of its kind.

    offer: AWS's service code. usage: an expression for the usage type. sku: ours, '' where the expression has it.
    counted_in: an expression for AWS's unit; '' takes any. times: how many of AWS's units ours is: 1,000 requests;
    1/1024 of a GiB/s. is_global: AWS's product names no region and holds in all.
    """

    service: str
    kind: str
    unit: str
    offer: str
    usage: str
    sku: str = ""
    counted_in: str = ""
    times: Decimal = ONE
    also: Mapping[str, str] = field(default_factory=dict)
    is_global: bool = False

    @property
    def filters(self) -> Mapping[str, str]:
        """What the Pricing API is asked by, beside the region: of these products alone there are few enough."""
        return dict(self.also) if self.offer in ASKED_BY_ATTRIBUTES else {}


# EC2's list has a hundred thousand products a region: no more of it is asked for than is read.
ASKED_BY_ATTRIBUTES = {"AmazonEC2", "AmazonRDS"}

PLAIN = {
    "productFamily": "Compute Instance",
    "tenancy": "Shared",
    "preInstalledSw": "NA",
    "capacitystatus": "Used",
}


def _ebs(kind: str, sku: str, usage: str, unit: str = "GB-Mo", family: str = "Storage", **more) -> Line:
    return Line("EBS", kind, unit, "AmazonEC2", usage, sku, also={"productFamily": family}, **more)


def _s3(sku: str, usage: str) -> Line:
    return Line("S3", "storage", "GB-Mo", "AmazonS3", usage, sku, GB_MONTHS)


def _s3_requests(sku: str, usage: str) -> Line:
    return Line("S3", "requests", "1k-requests", "AmazonS3", usage, sku, REQUESTS, Decimal(1000))


def _ml(kind: str, usage: str) -> Line:
    return Line("SageMaker", kind, "Hrs", "AmazonSageMaker", f"{usage}{ML_TYPE}", counted_in=HOURS)


def _ml_disk(sku: str, usage: str) -> Line:
    return Line("SageMaker", "storage", "GB-Mo", "AmazonSageMaker", usage, sku, GB_MONTHS)


def _rds(engine: str, name: str) -> tuple[Line, ...]:
    return tuple(
        Line(
            "RDS",
            f"{engine}-{zones}-az",
            "Hrs",
            "AmazonRDS",
            rf"{usage}:(?P<sku>db\.[a-z0-9-]+\.[a-z0-9]+)",
            counted_in=HOURS,
            also={"productFamily": "Database Instance", "databaseEngine": name},
        )
        for zones, usage in (("single", "InstanceUsage"), ("multi", "Multi-AZUsage"))
    )


LINES: tuple[Line, ...] = (
    Line(
        *("EC2", "on-demand-linux", "Hrs", "AmazonEC2", f"BoxUsage:{TYPE}"),
        counted_in=HOURS,
        also={**PLAIN, "operatingSystem": "Linux", "operation": "RunInstances"},
    ),
    Line(
        *("EC2", "on-demand-windows", "Hrs", "AmazonEC2", f"BoxUsage:{TYPE}"),
        counted_in=HOURS,
        also={**PLAIN, "operatingSystem": "Windows", "operation": "RunInstances:0002"},
    ),
    _ebs("volume", "gp2", r"EBS:VolumeUsage\.gp2", counted_in=GB_MONTHS),
    _ebs("volume", "gp3", r"EBS:VolumeUsage\.gp3", counted_in=GB_MONTHS),
    _ebs("volume", "io1", r"EBS:VolumeUsage\.piops", counted_in=GB_MONTHS),
    _ebs("volume", "io2", r"EBS:VolumeUsage\.io2", counted_in=GB_MONTHS),
    _ebs("volume", "st1", r"EBS:VolumeUsage\.st1", counted_in=GB_MONTHS),
    _ebs("volume", "sc1", r"EBS:VolumeUsage\.sc1", counted_in=GB_MONTHS),
    _ebs("volume", "standard", r"EBS:VolumeUsage", counted_in=GB_MONTHS),
    _ebs("iops", "gp3", r"EBS:VolumeP-IOPS\.gp3", "IOPS-Mo", "System Operation", counted_in="iops-mo"),
    _ebs("iops", "io1", r"EBS:VolumeP-IOPS\.piops", "IOPS-Mo", "System Operation", counted_in="iops-mo"),
    _ebs("iops", "io2", r"EBS:VolumeP-IOPS\.io2", "IOPS-Mo", "System Operation", counted_in="iops-mo"),
    _ebs(
        *("throughput", "gp3", r"EBS:VolumeP-Throughput\.gp3", "MiBps-Mo", "Provisioned Throughput"),
        counted_in="gibps-mo",
        times=ONE / 1024,
    ),
    _ebs("snapshot", "standard", r"EBS:SnapshotUsage", family="Storage Snapshot", counted_in=GB_MONTHS),
    _ebs("snapshot", "archive", r"EBS:SnapshotArchiveStorage", family="Storage Snapshot", counted_in=GB_MONTHS),
    *(
        Line("VPC", "nat-gateway", unit, "AmazonEC2", usage, sku, unit_at_aws, also={"productFamily": "NAT Gateway"})
        for unit, usage, sku, unit_at_aws in (
            ("Hrs", "NatGateway-Hours", "hour", HOURS),
            ("GB", "NatGateway-Bytes", "data-processed", GB),
        )
    ),
    Line("VPC", "interface-endpoint", "Hrs", "AmazonVPC", "VpcEndpoint-Hours", "endpoint-hour-per-AZ", HOURS),
    Line("VPC", "interface-endpoint", "GB", "AmazonVPC", "VpcEndpoint-Bytes", "data-processed-first-PB", GB),
    Line("VPC", "public-ipv4", "Hrs", "AmazonVPC", "PublicIPv4:InUseAddress", "in-use-address", HOURS),
    Line("VPC", "public-ipv4", "Hrs", "AmazonVPC", "PublicIPv4:IdleAddress", "idle-address-EIP", HOURS),
    *(
        Line("ELB", kind, unit, "AWSELB", usage, sku, counted_in, also={"operation": operation})
        for kind, sku, operation in (
            ("alb", "ALB", "LoadBalancing:Application"),
            ("nlb", "NLB", "LoadBalancing:Network"),
            ("clb", "CLB", "LoadBalancing"),
        )
        for unit, usage, sku, counted_in in (
            ("Hrs", "LoadBalancerUsage", f"{sku}-hour", HOURS),
            ("LCU-Hrs", "LCUUsage", f"{sku}-LCU-hour", r"lcu-(hrs|hours?)"),
        )
        if (kind, unit) != ("clb", "LCU-Hrs")
    ),
    _s3("Standard-first-50TB", "TimedStorage-ByteHrs"),
    _s3("Standard-IA", "TimedStorage-SIA-ByteHrs"),
    _s3("OneZone-IA", "TimedStorage-ZIA-ByteHrs"),
    _s3("INT-Frequent", "TimedStorage-INT-FA-ByteHrs"),
    _s3("INT-DeepArchive", "TimedStorage-INT-DAA-ByteHrs"),
    _s3("Glacier-IR", "TimedStorage-GIR-ByteHrs"),
    _s3("Glacier-Flexible", "TimedStorage-GlacierByteHrs"),
    _s3("Glacier-Deep-Archive", "TimedStorage-GDA-ByteHrs"),
    _s3_requests("Standard-PUT-COPY-POST-LIST", "Requests-Tier1"),
    _s3_requests("Standard-GET", "Requests-Tier2"),
    _s3_requests("IA-PUT", "Requests-SIA-Tier1"),
    _s3_requests("IA-GET", "Requests-SIA-Tier2"),
    Line("S3", "retrieval", "GB", "AmazonS3", "Retrieval-SIA", "Standard-IA", GB),
    Line("S3", "retrieval", "GB", "AmazonS3", "Retrieval-GIR", "Glacier-IR", GB),
    Line("S3", "retrieval", "GB", "AmazonS3", "Standard-Retrieval-Bytes", "Glacier-Flexible-standard", GB),
    Line(
        *("DataTransfer", "internet-out", "GB", "AWSDataTransfer", "DataTransfer-Out-Bytes", "first-10TB", GB),
        also={"transferType": "AWS Outbound"},
    ),
    Line(
        *("DataTransfer", "inter-AZ", "GB", "AWSDataTransfer", "DataTransfer-Regional-Bytes", "each-direction", GB),
        also={"transferType": "IntraRegion"},
    ),
    _ml("notebook", "Notebk:"),
    _ml("hosting", "Host:"),
    _ml("training", "Train:"),
    _ml("processing", "Processing:"),
    _ml("transform", "Tsform:"),
    _ml("studio", "Studio:(?:KernelGateway|JupyterLab|CodeEditor)-"),
    # What is kept by notebooks, endpoints and jobs has one line of ours: were AWS to part them, it is told.
    _ml_disk("ML-storage-gp2", r"(?:Notebk|Host|Train|Processing):VolumeUsage\.gp2"),
    _ml_disk("notebook-ML-storage-gp2", r"Notebk:VolumeUsage\.gp2"),
    _ml_disk("hosting-ML-storage-gp2", r"Host:VolumeUsage\.gp2"),
    _ml_disk("training-ML-storage-gp2", r"Train:VolumeUsage\.gp2"),
    _ml_disk("processing-ML-storage-gp2", r"Processing:VolumeUsage\.gp2"),
    _ml_disk("Studio-gp3", r"Studio:VolumeUsage\.gp3"),
    Line("SageMaker", "canvas", "session-Hrs", "AmazonSageMaker", "Canvas:Session-Hrs", "workspace-session"),
    Line(
        *("EMR", "ec2-uplift", "Hrs", "ElasticMapReduce", f"BoxUsage:{TYPE}"),
        counted_in=HOURS,
        also={"softwareType": "EMR"},
    ),
    *(
        Line("EMR Serverless", "spark", unit, "ElasticMapReduce", f"EMR-SERVERLESS-{usage}", sku)
        for unit, usage, sku in (
            ("vCPU-Hrs", "vCPUHours", "vCPU-hour-x86"),
            ("GB-Hrs", "MemoryGBHours", "GB-hour-x86"),
            ("vCPU-Hrs", "ARM-vCPUHours", "vCPU-hour-arm"),
            ("GB-Hrs", "ARM-MemoryGBHours", "GB-hour-arm"),
        )
    ),
    *(
        Line("Lambda", kind, "GB-second", "AWSLambda", f"Lambda-{usage}", sku, "lambda-gb-second|gb-seconds?")
        for kind, usage, sku in (
            ("provisioned-concurrency", "Provisioned-Concurrency", "x86"),
            ("provisioned-concurrency", "Provisioned-Concurrency-ARM", "arm"),
            ("duration", "GB-Second", "x86-tier1"),
            ("duration", "GB-Second-ARM", "arm-tier1"),
            ("duration", "Provisioned-GB-Second", "x86-provisioned"),
            ("duration", "Provisioned-GB-Second-ARM", "arm-provisioned"),
        )
    ),
    Line("Lambda", "requests", "1M-requests", "AWSLambda", "Request", "x86", REQUESTS, Decimal(10**6)),
    Line("Lambda", "requests", "1M-requests", "AWSLambda", "Request-ARM", "arm", REQUESTS, Decimal(10**6)),
    Line(
        *("API Gateway", "cache", "Hrs", "AmazonApiGateway", r"ApiGatewayCacheUsage:(?P<sku>[0-9.]+GB)"),
        counted_in=HOURS,
    ),
    *(
        Line("CloudWatch", "alarms", unit, "AmazonCloudWatch", f"CW:{usage}", sku)
        for unit, usage, sku in (
            ("alarm-metric-Mo", "AlarmMonitorUsage", "standard"),
            ("alarm-metric-Mo", "HighResAlarmMonitorUsage", "high-resolution"),
            ("alarm-Mo", "CompositeAlarmMonitorUsage", "composite"),
        )
    ),
    Line(
        *("CloudWatch", "dashboards", "dashboard-Mo", "AmazonCloudWatch", "DashboardsUsageHour(?:-Basic)?"),
        sku="dashboard",
        also={"productFamily": "Dashboard"},
        is_global=True,
    ),
    Line("CloudWatch", "logs", "GB-Mo", "AmazonCloudWatch", "TimedStorage-ByteHrs", "storage", GB_MONTHS),
    Line("CloudWatch", "logs", "GB", "AmazonCloudWatch", "DataProcessing-Bytes", "ingestion-standard", GB),
    Line("CloudWatch", "logs", "GB", "AmazonCloudWatch", "DataScanned-Bytes", "insights-scanned", GB),
    Line("CodePipeline", "v1", "pipeline-Mo", "AWSCodePipeline", "activePipeline", "active-pipeline"),
    Line("ECR", "private-storage", "GB-Mo", "AmazonECR", "TimedStorage-ByteHrs", "storage", GB_MONTHS),
    *(
        Line("EFS", "storage", "GB-Mo", "AmazonEFS", usage, sku, GB_MONTHS)
        for usage, sku in (
            ("TimedStorage-ByteHrs", "Standard (SageMaker Studio home dirs bill here)"),
            ("IATimedStorage-ByteHrs", "IA"),
            ("TimedStorage-Z-ByteHrs", "OneZone-Standard"),
            ("IATimedStorage-Z-ByteHrs", "OneZone-IA"),
            ("ArchiveTimedStorage-ByteHrs", "Archive"),
        )
    ),
    Line("EFS", "throughput", "MiBps-Mo", "AmazonEFS", "ProvisionedTP-MiBpsHrs", "provisioned", "mibps-mo"),
    Line("KMS", "key", "key-Mo", "awskms", "KMS-Keys", "customer-managed-key"),
    Line("KMS", "requests", "10k-requests", "awskms", "KMS-Requests", "symmetric", REQUESTS, Decimal(10_000)),
    Line("Kendra", "developer", "Hrs", "AmazonKendra", "KendraDeveloperEdition", "base", HOURS),
    Line("Kendra", "enterprise", "Hrs", "AmazonKendra", "KendraEnterpriseEdition", "base", HOURS),
    Line(
        *("OpenSearch Serverless", "ocu", "OCU-Hrs", "AmazonES", "(?:IndexingOCU|SearchOCU)"),
        sku="indexing-or-search",
    ),
    *_rds("mysql", "MySQL"),
    *_rds("postgres", "PostgreSQL"),
    *_rds("mariadb", "MariaDB"),
    *(
        Line(
            *("RDS", "storage", "GB-Mo", "AmazonRDS", f"RDS:{name}-Storage", name.lower(), GB_MONTHS),
            also={"productFamily": "Database Storage"},
        )
        for name in ("GP2", "GP3")
    ),
    Line("Secrets Manager", "secret", "secret-Mo", "AWSSecretsManager", "AWSSecretsManager-Secrets?", "secret"),
)

NOT_METERED = "no kind meters it"
OWN_CALLS = "what the portal itself asks: AWS's name for its usage was not seen yet"
# What the book holds and AWS's list is not asked for, with the reason that is shown. A sku of "" is all of the kind.
NOT_LISTED: Mapping[tuple[str, str, str], str] = {
    ("EC2", "spot", ""): "spot prices move by the hour and are in no price list",
    ("SageMaker", "derived", ""): "reckoned from EC2's price where AWS's own line was not known",
    ("SageMaker", "ml-instance", ""): "stands in for AWS's own lines, which are read",
    ("Bedrock", "provisioned-no-commitment", ""): "AWS names model units by model, each in its own words",
    ("Bedrock", "provisioned-1-month", ""): "AWS names model units by model, each in its own words",
    ("Bedrock", "provisioned-6-months", ""): "AWS names model units by model, each in its own words",
    ("Bedrock", "on-demand-input", ""): NOT_METERED,
    ("Bedrock", "on-demand-output", ""): NOT_METERED,
    ("CloudWatch", "api", ""): OWN_CALLS,
    ("Cost Explorer", "api", ""): OWN_CALLS,
    ("EventBridge", "scheduler", ""): OWN_CALLS,
    ("Secrets Manager", "api", ""): OWN_CALLS,
    ("SageMaker", "mlflow", ""): "AWS's name for its usage was not seen yet",
    ("SageMaker", "feature-store", ""): "AWS's name for its usage was not seen yet",
    ("SageMaker", "storage", "warm-pool-ML-storage-gp2"): NOT_METERED,
    ("SageMaker", "data", ""): NOT_METERED,
    ("SageMaker", "serverless", ""): NOT_METERED,
    ("API Gateway", "rest", ""): NOT_METERED,
    ("API Gateway", "http", ""): NOT_METERED,
    ("API Gateway", "websocket", ""): NOT_METERED,
    ("CloudWatch", "metrics", ""): NOT_METERED,
    ("CloudWatch", "logs", "ingestion-infrequent-access"): NOT_METERED,
    ("CodeBuild", "linux", ""): NOT_METERED,
    ("CodePipeline", "v2", ""): NOT_METERED,
    ("DataTransfer", "inter-region-out", ""): "AWS has a price for each pair of regions",
    ("EventBridge", "archive", ""): NOT_METERED,
    ("EventBridge", "bus", ""): NOT_METERED,
    ("Lambda", "ephemeral-storage", ""): NOT_METERED,
    ("OpenSearch Serverless", "storage", ""): NOT_METERED,
    ("Step Functions", "express", ""): NOT_METERED,
    ("Step Functions", "standard", ""): NOT_METERED,
}


def why_not_listed(service: str, kind: str, sku: str) -> str:
    """Why AWS's list is not asked for this line of the book; '' where it is."""
    return NOT_LISTED.get((service, kind, sku)) or NOT_LISTED.get((service, kind, ""), "")
