"""What a class needs of AWS's quotas, from the Wants of its labs."""

import pytest

from labs import quotas
from labs.kinds.base import Want
from labs.quotas import Need, Quota, is_enough, needs_of, types_of
from labs.tests.conftest import lab_of

VCPUS = {"t3.medium": 2, "m5.xlarge": 4, "g4dn.xlarge": 4, "p3.2xlarge": 8}
STANDARD = Quota("ec2", "L-1216C47A", "Standard vCPU, EC2")


def needed(*wants, people=24):
    return {need.quota.title: need.count for need in needs_of([lab_of(*wants)], people, VCPUS)}


CASES = [
    ("an instance", Want("a", "ec2-instance", {"type": "t3.medium"}), {"Standard vCPU, EC2": 48}),
    ("one with a GPU", Want("a", "ec2-instance", {"type": "g4dn.xlarge"}), {"G and VT vCPU, EC2": 96}),
    ("a large one with a GPU", Want("a", "ec2-instance", {"type": "p3.2xlarge"}), {"P vCPU, EC2": 192}),
    ("of a type unknown here", Want("a", "ec2-instance", {"type": "z9.large"}), {"Standard vCPU, EC2": 24}),
    ("a cluster", Want("a", "emr-cluster", {"type": "m5.xlarge"}), {"Standard vCPU, EC2": 24 * 3 * 4}),
    ("a small one", Want("a", "emr-cluster", {"type": "m5.xlarge", "cores": 0}), {"Standard vCPU, EC2": 24 * 4}),
    (
        "a notebook",
        Want("a", "sagemaker-notebook", {"type": "ml.t3.medium"}),
        {"ml.t3.medium for notebook instance usage": 24},
    ),
    (
        "an endpoint of two",
        Want("a", "sagemaker-endpoint-config", {"type": "ml.m5.large", "count": 2}),
        {"ml.m5.large for endpoint usage": 48},
    ),
    (
        "a tuning job of two at a time",
        Want("a", "sagemaker-tuning-job", {"type": "ml.m5.large", "parallel": 2}),
        {"ml.m5.large for training job usage": 48},
    ),
    ("a network", Want("a", "vpc", {}), {"VPCs": 24}),
    ("a bucket", Want("a", "s3-bucket", {}), {}),
]


@pytest.mark.parametrize(("what", "want", "expected"), CASES, ids=[case[0] for case in CASES])
def test_a_class_of_24_needs(what, want, expected):
    assert needed(want) == expected


def test_what_a_lab_has_twice_counts_twice():
    two = [Want("a", "ec2-instance", {"type": "t3.medium"}), Want("b", "ec2-instance", {"type": "t3.medium"})]
    assert needed(*two, people=1) == {"Standard vCPU, EC2": 4}


def test_of_several_labs_the_largest_need_counts_and_is_named():
    """A class does one lab at a time."""
    small = lab_of(Want("a", "ec2-instance", {"type": "t3.medium"}), slug="small")
    large = lab_of(Want("a", "ec2-instance", {"type": "m5.xlarge"}), slug="large")
    [need] = needs_of([small, large], 10, VCPUS)
    assert need == Need(STANDARD, 40, large.title)


def test_the_types_that_aws_is_asked_about():
    lab = lab_of(
        Want("a", "ec2-instance", {"type": "t3.medium"}),
        Want("b", "emr-cluster", {"type": "m5.xlarge"}),
        Want("c", "sagemaker-notebook", {"type": "ml.t3.medium"}),
    )
    assert types_of([lab, lab]) == ["m5.xlarge", "t3.medium"]


@pytest.mark.parametrize(("has", "enough"), [(None, None), (47.0, False), (48.0, True)])
def test_enough_is_at_least_as_much(has, enough):
    values = {} if has is None else {("ec2", "L-1216C47A"): has}
    assert is_enough(Need(STANDARD, 48, "x"), values) is enough


def test_every_use_and_count_is_of_a_kind_that_is_there():
    from labs.kinds import registry

    assert {*quotas.USES, *quotas.COUNTED} <= set(registry())
