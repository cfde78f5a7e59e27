"""PURE. What people of this course want to do, and the machines that fit it, for the cost calculator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext_lazy

from labs.kinds.base import Meter

Words = Any  # a str, or what is one in the language of whoever reads it

OWN = "own"
GP3 = Meter("EBS", "volume", "gp3", "GB-Mo", per="month")
ML_DISK = Meter("SageMaker", "storage", "ML-storage-gp2", "GB-Mo", per="month")
TRANSFER_OUT = Meter("DataTransfer", "internet-out", "first-10TB", "GB")


@dataclass(frozen=True)
class Machine:
    """A type of instance, how it fits, and how many of them: "m5.xlarge", "Our pick", 3."""

    type: str
    about: str
    fit: Words
    is_our_pick: bool = False


@dataclass(frozen=True)
class Workload:
    """One thing to do. line: how SageMaker bills its machines ("notebook", "training", "hosting"), "" for EC2;
    count: machines of a cluster, each with EMR's price on top (`with_emr`). The rest is what the form begins with."""

    slug: str
    title: Words
    icon: str
    machines: tuple[Machine, ...]
    hours: Decimal
    days: Decimal
    disk_gb: Decimal
    line: str = ""
    count: int = 1
    with_emr: bool = False

    @property
    def disk(self) -> Meter:
        return ML_DISK if self.line else GP3

    def meters(self, type: str) -> Iterator[Meter]:
        """What an hour of one machine is made of."""
        if self.line:
            yield Meter("SageMaker", self.line, type, "Hrs", label=type)
            return
        yield Meter("EC2", "on-demand-linux", type, "Hrs", label=type)
        if self.with_emr:
            yield Meter("EMR", "ec2-uplift", type, "Hrs", label="EMR")


def _pick(type: str, about: str) -> Machine:
    return Machine(type, about, gettext_lazy("Our pick"), is_our_pick=True)


# Which type for what: as the course teaches it ("EC2 prices as taught").
WORKLOADS = (
    Workload(
        "notebook",
        gettext_lazy("Use a notebook"),
        "notebook",
        (
            _pick("ml.t3.medium", "2 vCPU, 4 GB"),
            Machine("ml.m5.xlarge", "4 vCPU, 16 GB", gettext_lazy("For larger tables")),
            Machine("ml.g4dn.xlarge", "1 × T4, 16 GB", gettext_lazy("Only while a GPU is needed")),
        ),
        *(Decimal(2), Decimal(20), Decimal(5)),
        line="notebook",
    ),
    Workload(
        "train",
        gettext_lazy("Train XGBoost"),
        "chart-dots-2",
        (
            _pick("ml.m5.large", "2 vCPU, 8 GB"),
            Machine("ml.m5.4xlarge", "16 vCPU, 64 GB", gettext_lazy("For millions of rows")),
            Machine("ml.g4dn.xlarge", "1 × T4, 16 GB", gettext_lazy("A GPU helps XGBoost little")),
        ),
        *(Decimal("0.5"), Decimal(20), Decimal(30)),
        line="training",
    ),
    Workload(
        "gpu",
        gettext_lazy("Fine-tune on a GPU"),
        "brain",
        (
            _pick("g4dn.xlarge", "1 × T4, 16 GB"),
            Machine("p3.2xlarge", "1 × V100, 16 GB", gettext_lazy("Faster, 6 times the price")),
            Machine("p3.8xlarge", "4 × V100, 64 GB", gettext_lazy("Large training only")),
        ),
        *(Decimal(3), Decimal(20), Decimal(100)),
    ),
    Workload(
        "serve",
        gettext_lazy("Serve a model"),
        "cloud-computing",
        (
            _pick("ml.m5.large", "2 vCPU, 8 GB"),
            Machine("ml.c5.xlarge", "4 vCPU, 8 GB", gettext_lazy("For many calls at once")),
            Machine("ml.g4dn.xlarge", "1 × T4, 16 GB", gettext_lazy("For models that need a GPU")),
        ),
        *(Decimal(24), Decimal(30), Decimal(0)),
        line="hosting",
    ),
    Workload(
        "spark",
        gettext_lazy("Run Spark on EMR"),
        "server-2",
        (
            _pick("m5.xlarge", "4 vCPU, 16 GB"),
            Machine("c5.xlarge", "4 vCPU, 8 GB", gettext_lazy("Preprocessing that computes a lot")),
            Machine("r5.xlarge", "4 vCPU, 32 GB", gettext_lazy("Large joins")),
        ),
        *(Decimal(1), Decimal(8), Decimal(96)),
        count=3,
        with_emr=True,
    ),
    Workload(OWN, gettext_lazy("Choose it myself"), "adjustments", (), Decimal(2), Decimal(20), Decimal(30)),
)


def workload(slug: str) -> Workload:
    """The workload of that slug; KeyError when there is none."""
    return {one.slug: one for one in WORKLOADS}[slug]


@dataclass(frozen=True)
class Example:
    """A worked example of the course: what to fill in, and where AWS's own list gives another figure."""

    title: Words
    inputs: dict[str, str]
    usd: Decimal
    elsewhere: Words

    @property
    def address(self) -> str:
        return urlencode(self.inputs)


EXAMPLES = (
    Example(
        gettext_lazy("8 h of p3.2xlarge, with 100 GB and 50 GB from S3"),
        {
            "workload": OWN,
            "type": "p3.2xlarge",
            "hours": "8",
            "days": "1",
            "disk_gb": "100",
            "disk_usd_hour": "0.0133",
            "transfer_gb": "50",
            "transfer_usd": "0.018",
        },
        Decimal("25.49"),
        gettext_lazy(
            "AWS counts 100 GB of gp3 for 8 hours as $0.09, and files from S3 to a machine in the same region as "
            "nothing: $24.57 in all."
        ),
    ),
    Example(
        gettext_lazy("c5.4xlarge for 2 h a day, with 1 TB kept all month"),
        {
            "workload": OWN,
            "type": "c5.4xlarge",
            "hours": "2",
            "days": "30",
            "disk_gb": "1000",
            "disk_usd": "0.08",
            "is_kept": "on",
        },
        Decimal("120.80"),
        gettext_lazy(
            "The disk is most of it, because it stays all month. Made anew each day and deleted each evening, it is "
            "$47.38."
        ),
    ),
)
