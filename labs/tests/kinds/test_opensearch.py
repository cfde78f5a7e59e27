"""OpenSearch Serverless: the least that AWS keeps running is counted once for those that share it."""

from decimal import Decimal

import pytest

from labs.kinds import kind_of
from labs.kinds.base import DELETING, FAILED, PENDING, Seen
from labs.tests.kinds.examples import delete, make, want_for
from labs.tests.kinds.examples.opensearch import collection
from labs.tests.kinds.examples.world import AccountOfAye
from labs.tests.kinds.scripted_aws import scripted

COLLECTION = kind_of("opensearch-serverless-collection")


@pytest.fixture
def alone(simulator):
    """An account in which nobody else's collections share: the least depends on all that there are."""
    return AccountOfAye(simulator, simulator.new_account())


def least(account):
    return {seen.aws_id: seen.facts["least_ocus"] for seen in COLLECTION.find_all(account.client(COLLECTION.service))}


def ocus(account):
    found = COLLECTION.find_all(account.client(COLLECTION.service))
    return sum(meter.quantity for seen in found for meter in COLLECTION.meters(seen))


# --- the price ------------------------------------------------------------------------------------------------


@pytest.mark.simulator
def test_five_that_share_cost_what_one_does(alone):
    first, *others = [collection(alone) for _ in range(5)]
    assert least(alone) == {first: 2} | dict.fromkeys(others, 0)
    assert ocus(alone) == Decimal(2)


@pytest.mark.simulator
def test_vectors_share_with_vectors_alone_and_a_key_with_itself(alone):
    collection(alone)
    collection(alone, type="SEARCH")
    collection(alone, type="TIMESERIES")  # shares with the one before
    assert ocus(alone) == Decimal(4)


@pytest.mark.simulator
def test_without_a_standby_it_is_half_of_it_and_one_with_a_standby_is_enough(alone):
    cheap = collection(alone, standbyReplicas="DISABLED")
    assert least(alone) == {cheap: 1}
    dear = collection(alone)
    assert least(alone) == {cheap: 2, dear: 0}


@pytest.mark.simulator
def test_when_the_oldest_goes_the_next_carries_it_and_the_census_sees_that(alone):
    client = alone.client(COLLECTION.service)
    first, second = collection(alone), collection(alone)
    marks = {seen.aws_id: seen.mark for seen in COLLECTION.find_all(client)}
    client.delete_collection(id=first)
    (seen,) = COLLECTION.find_all(client)
    assert (seen.aws_id, seen.facts["least_ocus"]) == (second, 2)
    assert seen.mark != marks[second], "a mark that stayed would leave the row as it was"


@pytest.mark.parametrize("state", [PENDING, DELETING, FAILED])
def test_only_what_runs_costs(state):
    assert COLLECTION.meters(Seen(state, facts={"least_ocus": 2})) == []


# --- whose it is, and the end ---------------------------------------------------------------------------------


@pytest.mark.simulator
def test_what_a_knowledge_base_left_behind_is_known_as_such_and_goes_after_it(account):
    left, own = collection(account, prefix="bedrock-knowledge-base"), collection(account)
    found = COLLECTION.find_all(account.client(COLLECTION.service))
    told = {seen.aws_id: seen.facts["of_bedrock"] for seen in found}
    assert (told[left], told[own]) == (True, False)
    assert COLLECTION.goes_after == ("bedrock-knowledge-base",)


@pytest.mark.simulator
def test_a_protected_one_goes_all_the_same(account):
    client, want, seen = make("opensearch-serverless-collection", account)
    client.update_collection(id=seen.aws_id, deletionProtection="ENABLED")
    assert delete("opensearch-serverless-collection", client, want) == 2


@pytest.mark.simulator
def test_its_metrics_are_named_by_account_id_and_name(account):
    _, _, seen = make("opensearch-serverless-collection", account)
    (asked,) = COLLECTION.dimensions(COLLECTION.signals[0], seen)
    assert asked == {"ClientId": account.id, "CollectionId": seen.aws_id, "CollectionName": seen.name}


def detail(number, **more):
    id_ = f"{number:020}"
    arn = f"arn:aws:aoss:us-east-1:600000000002:collection/{id_}"
    return {"id": id_, "name": f"c-{number}", "arn": arn, "status": "ACTIVE", "createdDate": number, **more}


def test_every_page_is_read_and_the_oldest_of_all_pages_carries_the_least():
    one, two = detail(2), detail(1)
    with scripted(
        "opensearchserverless",
        ("list_collections", {"maxResults": 100}, {"collectionSummaries": [{"id": one["id"]}], "nextToken": "n"}),
        ("batch_get_collection", {"ids": [one["id"]]}, {"collectionDetails": [one]}),
        ("list_collections", {"maxResults": 100, "nextToken": "n"}, {"collectionSummaries": [{"id": two["id"]}]}),
        ("batch_get_collection", {"ids": [two["id"]]}, {"collectionDetails": [two]}),
    ) as client:
        found = {seen.name: seen.facts["least_ocus"] for seen in COLLECTION.find_all(client)}
    assert found == {"c-2": 0, "c-1": 2}


def test_a_key_or_a_group_of_its_own_has_machines_of_its_own():
    key = "arn:aws:kms:us-east-1:600000000002:key/1"
    details = [
        detail(1),
        detail(2, kmsKeyArn=key),
        detail(3, collectionGroupName="class"),
        detail(4, status="DELETING"),
    ]
    with scripted(
        "opensearchserverless",
        ("list_collections", {"maxResults": 100}, {"collectionSummaries": [{"id": each["id"]} for each in details]}),
        ("batch_get_collection", {"ids": [each["id"] for each in details]}, {"collectionDetails": details}),
    ) as client:
        found = [seen.facts["least_ocus"] for seen in COLLECTION.find_all(client)]
    assert found == [2, 2, 2, 0]


def test_one_that_failed_says_why():
    broken = detail(1, status="FAILED", failureMessage="The key is disabled")
    with scripted(
        "opensearchserverless",
        ("list_collections", {"maxResults": 100}, {"collectionSummaries": [{"id": broken["id"]}]}),
        ("batch_get_collection", {"ids": [broken["id"]]}, {"collectionDetails": [broken]}),
        ("list_tags_for_resource", {"resourceArn": broken["arn"]}, {"tags": [{"key": "owner", "value": "aye"}]}),
    ) as client:
        seen = COLLECTION.observe(client, want_for("opensearch-serverless-collection", aws_id=broken["id"]))
    assert (seen.state, seen.facts["failure"], seen.tags) == (FAILED, "The key is disabled", {"owner": "aye"})
