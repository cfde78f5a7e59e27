"""OpenSearch Serverless where moto does other than AWS: states that take time, names, protection, the key of AWS."""

import json

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.simulator


@pytest.fixture
def aoss(simulator):
    client = simulator.client("opensearchserverless", simulator.new_account())
    rules = [{"ResourceType": "collection", "Resource": ["collection/lecture"]}]
    encryption, network = {"Rules": rules, "AWSOwnedKey": True}, [{"Rules": rules, "AllowFromPublic": True}]
    client.create_security_policy(name="key", type="encryption", policy=json.dumps(encryption))
    client.create_security_policy(name="net", type="network", policy=json.dumps(network))
    return client


def make(aoss, **more):
    return aoss.create_collection(name="lecture", type="VECTORSEARCH", **more)["createCollectionDetail"]["id"]


def look(aoss, collection):
    details = aoss.batch_get_collection(ids=[collection])["collectionDetails"]
    return details[0] if details else None


def said(call, **asked):
    with pytest.raises(ClientError) as refused:
        call(**asked)
    return refused.value.response["Error"]["Code"]


def test_a_collection_is_seen_coming_and_going(simulator, aoss):
    simulator.pace(state_seconds=60)
    collection = make(aoss)
    assert look(aoss, collection)["status"] == "CREATING"
    simulator.let_pass(61)
    assert look(aoss, collection)["status"] == "ACTIVE"
    aoss.delete_collection(id=collection)
    assert look(aoss, collection)["status"] == "DELETING"
    simulator.let_pass(61)
    assert look(aoss, collection) is None


def test_it_has_awss_own_key_and_a_standby_unless_told_otherwise(aoss):
    told = look(aoss, make(aoss))
    assert (told["kmsKeyArn"], told["standbyReplicas"], told["deletionProtection"]) == ("auto", "ENABLED", "DISABLED")


def test_a_name_is_taken_once_and_a_token_makes_no_second(aoss):
    collection = make(aoss, clientToken="first")
    assert make(aoss, clientToken="first") == collection
    assert said(make, aoss=aoss, clientToken="another") == "ConflictException"


def test_a_protected_collection_is_kept(aoss):
    collection = make(aoss)
    aoss.update_collection(id=collection, deletionProtection="ENABLED")
    assert said(aoss.delete_collection, id=collection) == "ConflictException"
    aoss.update_collection(id=collection, deletionProtection="DISABLED")
    aoss.delete_collection(id=collection)
    assert look(aoss, collection) is None
    assert said(aoss.update_collection, id=collection) == "ResourceNotFoundException"
