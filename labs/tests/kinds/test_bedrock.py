"""Knowledge bases, whose data sources go first and whose store stays; and throughput that was bought for months.

Practice mode has neither "bedrock-knowledge-base" nor "bedrock-provisioned-throughput": each call is checked against
AWS's own description of it.
"""

from decimal import Decimal

import pytest

from labs import aws
from labs.kinds import kind_of
from labs.kinds.base import ABSENT, DELETING, FAILED, PENDING, RUNNING, Seen
from labs.tests.cast import START
from labs.tests.kinds.examples import want_for
from labs.tests.kinds.scripted_aws import scripted

BASE, THROUGHPUT = kind_of("bedrock-knowledge-base"), kind_of("bedrock-provisioned-throughput")
ID, ACCOUNT = "ABCDEFGHIJ", "600000000002"
ARN = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:knowledge-base/{ID}"
COLLECTION = f"arn:aws:aoss:us-east-1:{ACCOUNT}:collection/0123456789abcdefghij"
FIELDS = {"vectorField": "v", "textField": "t", "metadataField": "m"}
SUMMARY = {"knowledgeBaseId": ID, "name": "lecture", "status": "ACTIVE", "updatedAt": START}


def base(**more):
    whole = {
        **SUMMARY,
        "knowledgeBaseArn": ARN,
        "roleArn": f"arn:aws:iam::{ACCOUNT}:role/lab/kb",
        "createdAt": START,
        "knowledgeBaseConfiguration": {"type": "VECTOR"},
        "storageConfiguration": {
            "type": "OPENSEARCH_SERVERLESS",
            "opensearchServerlessConfiguration": {
                "collectionArn": COLLECTION,
                "vectorIndexName": "index",
                "fieldMapping": FIELDS,
            },
        },
    }
    return {"knowledgeBase": whole | more}


LISTED = ("list_knowledge_bases", {"maxResults": 100}, {"knowledgeBaseSummaries": [SUMMARY]})
TAGGED = ("list_tags_for_resource", {"resourceArn": ARN}, {"tags": {"owner": "aye"}})
DESCRIBED = ("get_knowledge_base", {"knowledgeBaseId": ID}, base())
MISSING = ("get_knowledge_base", {"knowledgeBaseId": ID}, "ResourceNotFoundException: none")


# --- knowledge bases ------------------------------------------------------------------------------------------


def test_a_knowledge_base_is_seen_with_its_tags_and_with_the_store_that_it_hides():
    with scripted("bedrock-agent", DESCRIBED, TAGGED) as client:
        seen = BASE.observe(client, want_for("bedrock-knowledge-base", aws_id=ID))
    assert (seen.state, seen.aws_id, seen.name, seen.tags) == (RUNNING, ID, "lecture", {"owner": "aye"})
    assert (seen.facts["store"], seen.facts["collection_arn"]) == ("OPENSEARCH_SERVERLESS", COLLECTION)
    assert "by the token" in seen.facts["not_accrued"], "free by itself, and the models that it asks are not"
    assert BASE.meters(seen) == [] and BASE.is_free


def test_it_is_found_by_name_too():
    with scripted("bedrock-agent", LISTED, DESCRIBED, TAGGED) as client:
        assert BASE.observe(client, want_for("bedrock-knowledge-base", name="lecture")).aws_id == ID


def test_a_missing_knowledge_base_is_absent():
    with scripted("bedrock-agent", MISSING) as client:
        assert BASE.observe(client, want_for("bedrock-knowledge-base", aws_id=ID)).state == ABSENT
    with scripted("bedrock-agent", LISTED) as client:
        assert BASE.observe(client, want_for("bedrock-knowledge-base", name="another")).state == ABSENT


def test_an_error_that_is_not_about_being_missing_comes_out():
    asked = {"knowledgeBaseId": ID}
    with (
        scripted("bedrock-agent", ("get_knowledge_base", asked, "AccessDeniedException: no")) as client,
        pytest.raises(client.exceptions.ClientError) as raised,
    ):
        BASE.observe(client, want_for("bedrock-knowledge-base", aws_id=ID))
    assert isinstance(aws.sorted_trouble(raised.value), aws.Denied)


def test_the_list_reads_every_page_and_shows_what_a_describe_shows():
    another = SUMMARY | {"knowledgeBaseId": "KLMNOPQRST", "name": "other"}
    with scripted(
        "bedrock-agent",
        ("list_knowledge_bases", {"maxResults": 100}, {"knowledgeBaseSummaries": [SUMMARY], "nextToken": "n"}),
        ("list_knowledge_bases", {"maxResults": 100, "nextToken": "n"}, {"knowledgeBaseSummaries": [another]}),
        DESCRIBED,
        TAGGED,
    ) as client:
        glimpsed, other = BASE.find_all(client)
        told = BASE.complete(client, glimpsed)
    assert other.name == "other" and not glimpsed.whole
    assert (told.state, told.aws_id, told.name, told.mark) == (
        glimpsed.state,
        glimpsed.aws_id,
        glimpsed.name,
        glimpsed.mark,
    )


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("CREATING", PENDING),
        ("UPDATING", RUNNING),
        ("UPDATE_UNSUCCESSFUL", RUNNING),
        ("DELETE_UNSUCCESSFUL", RUNNING),
        ("DELETING", DELETING),
        ("FAILED", FAILED),
    ],
)
def test_a_knowledge_base_is_seen_as(status, state):
    described = ("get_knowledge_base", {"knowledgeBaseId": ID}, base(status=status, failureReasons=["no role"]))
    with scripted("bedrock-agent", described, TAGGED) as client:
        seen = BASE.observe(client, want_for("bedrock-knowledge-base", aws_id=ID))
    assert (seen.state, seen.facts["failure"]) == (state, "no role")


def sources(*statuses):
    summaries = [
        {"knowledgeBaseId": ID, "dataSourceId": f"SOURCE000{n}", "name": f"s{n}", "status": status, "updatedAt": START}
        for n, status in enumerate(statuses)
    ]
    return "list_data_sources", {"knowledgeBaseId": ID, "maxResults": 100}, {"dataSourceSummaries": summaries}


def at(n):
    return {"knowledgeBaseId": ID, "dataSourceId": f"SOURCE000{n}"}


def asked(n):
    return "delete_data_source", at(n), {**at(n), "status": "DELETING"}


GONE = ("delete_knowledge_base", {"knowledgeBaseId": ID}, {"knowledgeBaseId": ID, "status": "DELETING"})


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ([sources("AVAILABLE", "FAILED"), asked(0), asked(1)], "data sources go first"),
        ([sources("DELETING")], "they take a while"),
        ([sources(), GONE], "then the knowledge base"),
    ],
)
def test_a_knowledge_base_goes_after_its_data_sources(script, why):
    with scripted("bedrock-agent", *script) as client:
        BASE.delete(client, want_for("bedrock-knowledge-base"), Seen(RUNNING, aws_id=ID))


def test_a_data_source_whose_store_is_gone_is_told_to_leave_its_data():
    """It would take its vectors out of a store that is not there any more, for ever in vain."""
    configuration = {"type": "S3", "s3Configuration": {"bucketArn": "arn:aws:s3:::lecture"}}
    chunks = {"chunkingConfiguration": {"chunkingStrategy": "NONE"}}
    source = {
        **at(0),
        "name": "s0",
        "status": "DELETE_UNSUCCESSFUL",
        "dataSourceConfiguration": configuration,
        "vectorIngestionConfiguration": chunks,
        "createdAt": START,
        "updatedAt": START,
    }
    kept = {
        **at(0),
        "name": "s0",
        "dataSourceConfiguration": configuration,
        "vectorIngestionConfiguration": chunks,
        "dataDeletionPolicy": "RETAIN",
    }
    with scripted(
        "bedrock-agent",
        sources("DELETE_UNSUCCESSFUL"),
        ("get_data_source", at(0), {"dataSource": source}),
        ("update_data_source", kept, {"dataSource": source}),
        asked(0),
    ) as client:
        BASE.delete(client, want_for("bedrock-knowledge-base"), Seen(RUNNING, aws_id=ID))


def test_a_knowledge_base_on_its_way_out_is_not_asked_again():
    with scripted("bedrock-agent") as client:
        BASE.delete(client, want_for("bedrock-knowledge-base"), Seen(DELETING, aws_id=ID))


def test_one_that_an_agent_still_uses_is_in_the_way():
    with (
        scripted("bedrock-agent", sources(), (*GONE[:2], "ConflictException: an agent uses it")) as client,
        pytest.raises(client.exceptions.ClientError) as raised,
    ):
        BASE.delete(client, want_for("bedrock-knowledge-base"), Seen(RUNNING, aws_id=ID))
    assert isinstance(aws.sorted_trouble(raised.value), aws.InTheWay)


def test_its_words_say_that_the_store_stays_and_costs():
    assert "$350 a month" in BASE.lost_on_delete and BASE.not_in_practice.startswith("Practice mode has no")


# --- provisioned throughput -----------------------------------------------------------------------------------

PROVISIONED = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:provisioned-model/abcdefghijkl"
MODEL = "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-text-lite-v1:0:4k"
THROUGHPUT_TAGS = ("list_tags_for_resource", {"resourceARN": PROVISIONED}, {"tags": [{"key": "owner", "value": "bo"}]})


def throughput(**more):
    return {
        "provisionedModelName": "workshop",
        "provisionedModelArn": PROVISIONED,
        "modelArn": MODEL,
        "desiredModelArn": MODEL,
        "foundationModelArn": MODEL,
        "modelUnits": 2,
        "desiredModelUnits": 2,
        "status": "InService",
        "creationTime": START,
        "lastModifiedTime": START,
        **more,
    }


FOR_A_MONTH = {"commitmentDuration": "OneMonth", "commitmentExpirationTime": START.replace(month=10)}


def look(**more):
    described = ("get_provisioned_model_throughput", {"provisionedModelId": PROVISIONED}, throughput(**more))
    with scripted("bedrock", described, THROUGHPUT_TAGS) as client:
        return THROUGHPUT.observe(client, want_for("bedrock-provisioned-throughput", aws_id=PROVISIONED))


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({}, "provisioned-no-commitment"),
        (FOR_A_MONTH, "provisioned-1-month"),
        (FOR_A_MONTH | {"commitmentDuration": "SixMonths"}, "provisioned-6-months"),
    ],
)
def test_each_unit_costs_by_the_hour_as_it_was_bought(more, kind):
    (meter,) = THROUGHPUT.meters(look(**more))
    assert (meter.service, meter.kind, meter.sku, meter.unit, meter.quantity, meter.per) == (
        "Bedrock",
        kind,
        "amazon.titan-text-lite-v1",
        "model-unit-Hrs",
        Decimal(2),
        "hour",
    )


@pytest.mark.parametrize(("status", "state"), [("Creating", PENDING), ("Updating", RUNNING), ("Failed", FAILED)])
def test_throughput_is_seen_as(status, state):
    seen = look(status=status, failureMessage="no capacity")
    assert (seen.state, seen.facts["failure"], seen.tags) == (state, "no capacity", {"owner": "bo"})
    assert bool(THROUGHPUT.meters(seen)) is (state == RUNNING)


def test_missing_throughput_is_absent():
    described = ("get_provisioned_model_throughput", {"provisionedModelId": PROVISIONED})
    with scripted("bedrock", (*described, "ResourceNotFoundException: none")) as client:
        assert THROUGHPUT.observe(client, want_for("it", aws_id=PROVISIONED)).state == ABSENT
    with scripted("bedrock", ("list_provisioned_model_throughputs", {"maxResults": 100}, {})) as client:
        assert THROUGHPUT.observe(client, want_for("it", name="another")).state == ABSENT


@pytest.mark.parametrize("known_by", ["workshop", "abcdefghijkl"])
def test_throughput_is_found_by_its_name_and_by_the_end_of_its_arn(known_by):
    listed = {"provisionedModelSummaries": [throughput()]}
    with scripted(
        "bedrock",
        ("list_provisioned_model_throughputs", {"maxResults": 100}, listed),
        ("get_provisioned_model_throughput", {"provisionedModelId": PROVISIONED}, throughput()),
        THROUGHPUT_TAGS,
    ) as client:
        assert THROUGHPUT.observe(client, want_for("it", aws_id=known_by)).aws_id == PROVISIONED


def test_the_list_of_throughput_shows_what_a_describe_shows():
    listed = {"provisionedModelSummaries": [throughput(**FOR_A_MONTH)]}
    with scripted("bedrock", ("list_provisioned_model_throughputs", {"maxResults": 100}, listed)) as client:
        (glimpsed,) = THROUGHPUT.find_all(client)
    told = look(**FOR_A_MONTH)
    assert (told.mark, told.facts) == (glimpsed.mark, glimpsed.facts)
    assert not glimpsed.whole, "its tags are not in the list"


DELETE = ("delete_provisioned_model_throughput", {"provisionedModelId": PROVISIONED})


def test_what_was_not_bought_for_months_is_deleted():
    with scripted("bedrock", (*DELETE, {})) as client:
        THROUGHPUT.delete(client, want_for("it"), look())


def test_what_was_bought_for_months_cannot_be_ended_and_says_so_loudly():
    refusal = "ValidationException: You can't delete a Provisioned Throughput before its commitment term is complete."
    with (
        scripted("bedrock", (*DELETE, refusal)) as client,
        pytest.raises(aws.Refused, match="bought for one month, until 2025-10-15.*used or not.*AWS Support"),
    ):
        THROUGHPUT.delete(client, want_for("it"), look(**FOR_A_MONTH))


def test_once_the_months_are_over_it_goes_like_any_other():
    with scripted("bedrock", (*DELETE, {})) as client:
        THROUGHPUT.delete(client, want_for("it"), look(**FOR_A_MONTH))


def test_another_refusal_is_not_told_as_a_commitment():
    for more in ({}, FOR_A_MONTH):
        with (
            scripted("bedrock", (*DELETE, "AccessDeniedException: no")) as client,
            pytest.raises(client.exceptions.ClientError, match="AccessDenied"),
        ):
            THROUGHPUT.delete(client, want_for("it"), look(**more))
