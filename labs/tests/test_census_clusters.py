"""A census of machines that somebody else lists too: an EMR cluster is one row, with all that it costs."""

from datetime import UTC, datetime

import pytest

from labs import aws, census
from labs.kinds import kind_of
from labs.kinds.base import RUNNING, Seen
from labs.models import Account, Resource
from labs.tests.cast import START
from labs.tests.kinds.examples import AccountOfAye, make

pytestmark = [pytest.mark.django_db, pytest.mark.simulator, pytest.mark.once]

KINDS = ("ebs-volume", "ec2-instance", "emr-cluster")


@pytest.fixture
def own(simulator, settings, aye):
    """aye's own account."""
    simulator.serves(settings)
    aws.forget_clients()
    yield Account.objects.create(
        name="Aye's",
        mode=Account.PRACTICE,
        aws_id=simulator.new_account(),
        owner=aye,
        regions=["us-east-1"],
        boot_id=simulator.boot()["boot_id"],
        created_at=START,
    )
    aws.forget_clients()


def look(account):
    groups = [group for group in census.groups_of([account]) if group.kind in KINDS]
    assert census.survey(groups, lambda: datetime.now(UTC)).trouble == {}
    return {row.kind: row for row in Resource.objects.open().filter(account=account)}


def test_a_cluster_made_by_hand_is_one_stranger_with_its_owner_and_its_whole_price(simulator, own, aye):
    by_hand = AccountOfAye(simulator, own.aws_id)
    make("emr-cluster", by_hand)
    make("ec2-instance", by_hand)
    rows = look(own)
    assert sorted(rows) == ["ec2-instance", "emr-cluster"]
    assert Resource.objects.filter(account=own).count() == 2, "its three machines are no rows of their own"
    cluster = rows["emr-cluster"]
    assert (cluster.owner, cluster.seen) == (aye, RUNNING)

    meters = [
        meter
        for row in rows.values()
        for meter in kind_of(row.kind).meters(Seen(row.seen, row.aws_id, facts=row.facts))
    ]
    hours = {meter.sku: int(meter.quantity) for meter in meters if meter.service == "EC2"}
    assert hours == {"m5.xlarge": 3, "t3.micro": 1}
    assert sum(meter.quantity for meter in meters if meter.service == "VPC") == 4
    assert look(own).keys() == rows.keys(), "and the next census finds nothing new"
