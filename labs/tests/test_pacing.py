"""How far apart and how early a class is started."""

from datetime import UTC, datetime, timedelta

import pytest

from labs import pacing, quotas
from labs.kinds import registry
from labs.kinds.base import Want
from labs.tests.conftest import lab_of

AT = datetime(2025, 9, 20, 2, 30, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.mark.parametrize(
    ("why", "wants", "seconds"),
    [
        ("a lab in which the student makes everything", (), 0),
        ("as many as EC2 takes of anything", ("iam-role", "s3-bucket"), 0.5),
        ("two of a kind take twice as long", ("ec2-instance", "ec2-instance"), 1),
        ("the slowest of its kinds counts", ("iam-role", "api-gateway-rest"), 5),
        ("of two of the slowest, both", ("api-gateway-rest", "api-gateway-rest"), 10),
        ("clusters are slower still", ("emr-cluster",), 10),
    ],
)
def test_two_starts_in_one_account_are_as_far_apart_as_aws_takes_creates(why, wants, seconds):
    lab = lab_of(*(Want(f"w{n}", kind) for n, kind in enumerate(wants)))
    assert pacing.apart(lab) == timedelta(seconds=seconds)


@pytest.mark.parametrize("kind", registry().values(), ids=lambda kind: kind.name)
def test_every_kind_can_be_created_at_some_rate(kind):
    assert 0 < kind.creates_per_second <= 10


def test_one_begins_half_as_long_before_again_as_it_ever_took():
    assert pacing.lead([4 * MINUTE, 6 * MINUTE, 2 * MINUTE]) == 9 * MINUTE
    assert pacing.lead([3 * SECOND]) == MINUTE, "and never in the last moment"
    assert pacing.lead([]) == pacing.UNKNOWN_LEAD


def test_the_last_one_starts_early_enough_and_the_others_before_it():
    assert pacing.starts(AT, 9 * MINUTE, 5 * SECOND, 3) == [
        AT - 9 * MINUTE - 10 * SECOND,
        AT - 9 * MINUTE - 5 * SECOND,
        AT - 9 * MINUTE,
    ]
    assert pacing.starts(AT, MINUTE, SECOND, 0) == []


@pytest.mark.parametrize(
    ("machine", "vcpus"),
    [("t3.micro", 2), ("m5.large", 2), ("m5.xlarge", 4), ("g4dn.2xlarge", 8), ("p3.16xlarge", 64)],
)
def test_a_machines_name_tells_its_vcpus(machine, vcpus):
    assert quotas.vcpus_by_name(machine) == vcpus
