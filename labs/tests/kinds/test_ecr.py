"""ECR: a repository is measured by its images, keeps what its lifecycle says, and goes with what is in it."""

import json
from decimal import Decimal

import pytest

from labs.kinds import kind_of
from labs.kinds.base import ABSENT
from labs.tests.kinds.examples import configure, delete, make, want_for
from labs.tests.kinds.examples.ecr import KEEP_THREE
from labs.tests.kinds.test_lambda import FakeLambda as FakeECR

REPOSITORY = kind_of("ecr-repository")
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def push(client, name, tag, *layers):
    """What is left in the registry after a `docker push` of layers of these sizes."""
    parts = [{"digest": f"sha256:{tag}{number}", "size": size} for number, size in enumerate(layers)]
    manifest = json.dumps({"mediaType": MANIFEST, "config": {"size": 0}, "layers": parts})
    client.put_image(repositoryName=name, imageTag=tag, imageManifest=manifest)


@pytest.mark.simulator
def test_a_repository_is_made_as_it_was_asked_for(account):
    client, want, seen = make("ecr-repository", account, {"immutable": True, "scan": True, "lifecycle": KEEP_THREE})
    seen = configure("ecr-repository", client, want, seen)
    (told,) = client.describe_repositories(repositoryNames=[want.name])["repositories"]
    assert (told["imageTagMutability"], told["imageScanningConfiguration"]["scanOnPush"]) == ("IMMUTABLE", True)
    assert json.loads(client.get_lifecycle_policy(repositoryName=want.name)["lifecyclePolicyText"]) == KEEP_THREE
    assert seen.facts["uri"].endswith(f".dkr.ecr.us-east-1.amazonaws.com/{want.name}")


@pytest.mark.simulator
def test_a_repository_with_images_is_deleted_with_them(account):
    client, want, _ = make("ecr-repository", account)
    push(client, want.name, "1", 10)
    assert delete("ecr-repository", client, want) == 1
    assert REPOSITORY.observe(client, want).state == ABSENT


@pytest.mark.simulator
def test_what_the_images_weigh_is_billed_by_the_month(account):
    client, want, seen = make("ecr-repository", account)
    assert REPOSITORY.meters(seen) == []
    push(client, want.name, "1", 2**30, 2**29)
    push(client, want.name, "2", 2**29)
    seen = REPOSITORY.observe(client, want)
    assert (seen.facts["images"], seen.facts["bytes"], seen.facts["expires"]) == (2, 2 * 2**30, False)
    (meter,) = REPOSITORY.meters(seen)
    assert (meter.sku, meter.unit, meter.quantity, meter.per) == ("storage", "GB-Mo", Decimal(2), "month")


def test_a_repository_of_very_many_images_is_said_not_to_be_counted():
    described = {
        "repositoryName": "it",
        "repositoryArn": "arn",
        "repositoryUri": "uri",
        "createdAt": None,
        "imageTagMutability": "MUTABLE",
    }
    client = FakeECR(
        describe_repositories={"repositories": [described]},
        describe_images={"imageDetails": [{"imageSizeInBytes": 1}], "nextToken": "more"},
    )
    seen = REPOSITORY.observe(client, want_for("ecr-repository"))
    assert "bytes" not in seen.facts and "more than a thousand images" in seen.facts["not_accrued"]
    assert REPOSITORY.meters(seen) == []


@pytest.mark.simulator
def test_a_strangers_tags_are_read_and_our_own_are_not_asked_for(account):
    client, want, seen = make("ecr-repository", account)
    account.simulator.forget_calls()
    REPOSITORY.observe(client, want)
    assert "ecr:ListTagsForResource" not in account.simulator.calls()["by"]
    stranger = want_for("ecr-repository", name=seen.name, aws_id=seen.aws_id, tags={}, token="")
    assert REPOSITORY.observe(client, stranger).tags == want.tags
