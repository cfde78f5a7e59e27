"""What a census asks of strangers of kinds whose lists do not tell all: whose they are, by as few calls as it takes."""

import json
from datetime import UTC, datetime

import pytest

from labs import aws, census
from labs.kinds import kind_of
from labs.kinds.base import TAG_OWNER
from labs.ledger import want_of
from labs.models import Account, Launch, Resource
from labs.tests.cast import START

pytestmark = [pytest.mark.django_db, pytest.mark.simulator]

KINDS = ("iam-role", "s3-bucket", "sagemaker-model")
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
MANY = 4


@pytest.fixture
def shared(simulator, settings, aye, account):
    """An account of many, in which aye had a lab; `account` is aye's own."""
    simulator.serves(settings)
    aws.forget_clients()
    made = Account.objects.create(
        name="Everybody's",
        mode=Account.PRACTICE,
        aws_id=simulator.new_account(),
        regions=["us-east-1"],
        lab_regions=["us-east-1"],
        boot_id=simulator.boot()["boot_id"],
        created_at=START,
    )
    launch = Launch.objects.create(
        lab="x", account=made, owner=aye, region="us-east-1", created_at=START, expires_at=START
    )
    Resource.objects.create(
        account=made, region="us-east-1", kind="iam-role", launch=launch, owner=aye, wanted_at=START, created_at=START
    )
    yield made
    aws.forget_clients()


@pytest.fixture
def by_hand(simulator, shared, aye):
    """Make a role, a bucket and a model of this name, with aye's tag or without."""
    clients = {service: simulator.client(service, shared.aws_id) for service in ("iam", "s3", "sagemaker")}

    def make(name, *, tagged=True):
        tags = [{"Key": TAG_OWNER, "Value": str(aye.pk)}] if tagged else []
        name = f"{name}-{shared.aws_id}"
        role = clients["iam"].create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Tags=tags)["Role"]["Arn"]
        clients["s3"].create_bucket(Bucket=name)
        if tagged:
            clients["s3"].put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})
        container = {"Image": "image", "ModelDataUrl": "s3://bucket/model.tar.gz"}
        clients["sagemaker"].create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer=container, Tags=tags)

    return make


@pytest.fixture
def look(simulator):
    """A census of these kinds in an account. Answers {operation: how often it was called}."""

    def run(account):
        simulator.forget_calls()
        found = census.survey(
            [group for group in census.groups_of([account]) if group.kind in KINDS], lambda: datetime.now(UTC)
        )
        assert found.trouble == {}
        return {call.split(":")[1]: number for call, number in simulator.calls()["by"].items()}

    return run


def owners():
    return set(Resource.objects.strangers().values_list("kind", "owner"))


def test_the_tags_of_many_are_asked_for_at_once(by_hand, look, shared, aye):
    for number in range(MANY):
        by_hand(f"n{number}")
    calls = look(shared)
    assert owners() == {(kind, aye.pk) for kind in KINDS}
    assert Resource.objects.strangers().count() == len(KINDS) * MANY
    assert (calls["GetResources"], calls["GetAccountAuthorizationDetails"]) == (2, 1)
    assert not {"GetRole", "GetBucketTagging", "ListTags"} & set(calls)


def test_one_stranger_is_asked_itself(by_hand, look, shared, aye):
    by_hand("lonely")
    calls = look(shared)
    assert owners() == {(kind, aye.pk) for kind in KINDS}
    assert "GetResources" not in calls
    assert (calls["GetRole"], calls["GetBucketTagging"], calls["ListTags"]) == (1, 1, 1)


def test_what_the_tagging_api_does_not_know_yet_is_asked_itself(by_hand, look, shared):
    for number in range(MANY):
        by_hand(f"n{number}")
    by_hand("new", tagged=False)
    calls = look(shared)
    assert (calls["GetBucketTagging"], calls["ListTags"]) == (1, 1)
    assert Resource.objects.strangers().filter(owner=None).count() == len(KINDS)


def test_without_the_tagging_api_each_is_asked_itself(by_hand, look, shared, aye, simulator):
    simulator.faults(
        [{"service": "resourcegroupstaggingapi", "code": "AccessDeniedException", "status": 400, "times": None}]
    )
    for number in range(MANY):
        by_hand(f"n{number}")
    calls = look(shared)
    assert owners() == {(kind, aye.pk) for kind in KINDS}
    assert (calls["GetBucketTagging"], calls["ListTags"]) == (MANY, MANY)


def test_in_an_account_with_an_owner_nobody_asks_for_tags(by_hand, look, shared, bo):
    for number in range(MANY):
        by_hand(f"n{number}")
    shared.owner = bo
    shared.save()
    calls = look(shared)
    assert owners() == {(kind, bo.pk) for kind in KINDS}
    assert set(calls) == {
        "AssumeRole",
        "ListRoles",
        "ListBuckets",
        "ListModels",
    }


def test_a_stranger_has_the_facts_that_its_own_look_tells(by_hand, look, shared):
    """A first look by complete and a later one by observe: other facts would begin a new span for nothing."""
    by_hand("same")
    look(shared)
    for row in Resource.objects.strangers().select_related("account"):
        kind = kind_of(row.kind)
        seen = kind.observe(aws.client(shared, kind.service), want_of(row, {}))
        told, entered = json.loads(json.dumps(dict(seen.facts))), dict(row.facts)
        if row.kind == "s3-bucket":
            # What lies in a bucket is left to its first look: it begins one span more, an hour later.
            for facts in (told, entered):
                facts.pop("bytes", None)
                facts.pop("not_accrued")
        assert told == entered
        assert (seen.state, seen.mark, seen.name) == (row.seen, row.changed_mark, row.name)
