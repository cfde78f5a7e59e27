"""PURE: what a class needs of an account's service quotas, from the Wants of its labs; and is there enough."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labs.catalog.base import Lab
    from labs.kinds.base import Want

# EC2 counts vCPUs by families of machines: {first letters of the type: (quota code, what a person calls it)}. AWS's
# service quotas, "Running On-Demand ... instances".
FAMILIES = {
    "g": ("L-DB2E81BA", "G and VT vCPU, EC2"),
    "vt": ("L-DB2E81BA", "G and VT vCPU, EC2"),
    "p": ("L-417A185B", "P vCPU, EC2"),
    "inf": ("L-1945791B", "Inf vCPU, EC2"),
    "trn": ("L-2C3B7624", "Trn vCPU, EC2"),
    "x": ("L-7295265B", "X vCPU, EC2"),
    "f": ("L-74FC7D96", "F vCPU, EC2"),
}
STANDARD = ("L-1216C47A", "Standard vCPU, EC2")
# SageMaker counts machines by type and use; AWS gives these quotas names alone.
USES = {
    "sagemaker-notebook": "notebook instance usage",
    "sagemaker-endpoint-config": "endpoint usage",
    "sagemaker-training-job": "training job usage",
    "sagemaker-tuning-job": "training job usage",
    "sagemaker-processing-job": "processing job usage",
    "sagemaker-transform-job": "transform job usage",
}
# {kind: (service, quota code, what a person calls it)}: counted one by one.
COUNTED = {
    "vpc": ("vpc", "L-F678F1CE", "VPCs"),
    "internet-gateway": ("vpc", "L-A4707A72", "Internet gateways"),
    "nat-gateway": ("vpc", "L-FE5A380F", "NAT gateways in a zone"),
    "elastic-ip": ("ec2", "L-0263D0A3", "Elastic IP addresses"),
}


@dataclass(frozen=True)
class Quota:
    """One quota of AWS. name: its code, or its whole name where AWS gives it no well-known code."""

    service: str
    name: str
    title: str


@dataclass(frozen=True)
class Need:
    """What a class needs of one quota when it does one lab all at once. lab: the one that needs the most."""

    quota: Quota
    count: int
    lab: str


def needs_of(labs: Iterable[Lab], people: int, vcpus: Mapping[str, int]) -> list[Need]:
    """The largest need of each quota, one lab at a time for everybody at once.

    vcpus: {EC2 type: its vCPUs}; a machine of a type that is not in it is counted as one vCPU. Labs in which students
    make things by hand need more than this knows.
    """
    most: dict[Quota, Need] = {}
    for lab in labs:
        for quota, each in _of_lab(lab, vcpus).items():
            need = Need(quota, each * people, lab.title)
            if quota not in most or need.count > most[quota].count:
                most[quota] = need
    return sorted(most.values(), key=lambda need: (need.quota.service, need.quota.title))


def types_of(labs: Iterable[Lab]) -> list[str]:
    """The EC2 types that the labs' machines are of."""
    return sorted({kind_type for lab in labs for want in lab.wants for kind_type, _ in _machines(want)})


def vcpus_by_name(machine: str) -> int:
    """The vCPUs of an EC2 type as its name tells them, for when AWS was not asked: "m5.2xlarge" has 8. Of the smallest
    burstable ones (t2) it tells more than they have."""
    size = machine.rpartition(".")[2]
    if size.endswith("xlarge"):
        return 4 * int(size.removesuffix("xlarge") or 1)
    return 2


def is_enough(need: Need, values: Mapping[tuple[str, str], float]) -> bool | None:
    """Does the account have enough? None when the quota could not be told. values: {(service, code or name): value}."""
    has = values.get((need.quota.service, need.quota.name))
    return None if has is None else has >= need.count


def _of_lab(lab: Lab, vcpus: Mapping[str, int]) -> dict[Quota, int]:
    found: dict[Quota, int] = {}
    for want in lab.wants:
        for quota, count in _of_want(want, vcpus):
            found[quota] = found.get(quota, 0) + count
    return found


def _of_want(want: Want, vcpus: Mapping[str, int]) -> Iterable[tuple[Quota, int]]:
    for machine, count in _machines(want):
        code, title = _family_of(machine)
        yield Quota("ec2", code, title), count * vcpus.get(machine, 1)
    if want.kind in USES:
        machine = str(want.params.get("type", ""))
        name = f"{machine} for {USES[want.kind]}"
        yield Quota("sagemaker", name, name), int(want.params.get("count", 1)) * int(want.params.get("parallel", 1))
    if want.kind in COUNTED:
        yield Quota(*COUNTED[want.kind]), 1


def _machines(want: Want) -> Iterable[tuple[str, int]]:
    """[(EC2 type, how many)] that a Want starts."""
    params: Mapping[str, Any] = want.params
    if want.kind == "ec2-instance":
        yield str(params["type"]), 1
    elif want.kind == "emr-cluster":
        yield str(params["type"]), 1 + int(params.get("cores", 2))


def _family_of(machine: str) -> tuple[str, str]:
    letters = machine.split(".")[0].rstrip("abcdefghijklmnopqrstuvwxyz-").rstrip("0123456789")
    return FAMILIES.get(letters, STANDARD)
