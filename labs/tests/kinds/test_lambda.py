"""Lambda: functions and who may invoke them, what is kept ready and costs by the hour, layers, readers of queues."""

import json
import time
from decimal import Decimal
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from labs import aws
from labs.kinds import kind_of
from labs.kinds.aws_words import read_back, written
from labs.kinds.base import (
    ABSENT,
    DELETING,
    FAILED,
    PENDING,
    RUNNING,
    STOPPED,
    STOPPING,
    TAG_OWNER,
    TAG_RESOURCE,
    Seen,
)
from labs.kinds.lambda_code import zip_of
from labs.tests.kinds.examples import configure, delete, make, want_for
from labs.tests.kinds.examples.lambda_functions import HELLO, function, function_params, queue, role

FUNCTION, LAYER, MAPPING = map(kind_of, ("lambda-function", "lambda-layer-version", "lambda-event-source-mapping"))
ARN = "arn:aws:lambda:us-east-1:600000000002:function:it"


def no(code, message="", operation="Op"):
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


class FakeLambda:
    """Answers what it was given, a list by pages; an exception is raised. Remembers the operations called."""

    def __init__(self, **answers):
        self.called, self.answers = [], answers
        self.exceptions = SimpleNamespace(ClientError=ClientError)

    def get_paginator(self, operation):
        return SimpleNamespace(paginate=lambda **asked: [getattr(self, operation)(**asked)])

    def __getattr__(self, operation):
        def call(**asked):
            self.called.append((operation, asked))
            answer = self.answers.get(operation, {})
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


# --- code ----------------------------------------------------------------------------------------------------


def test_the_same_files_are_the_same_bytes_whenever_they_are_packed(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 0.0)
    first = zip_of({"b.py": "2", "a.py": "1"})
    monkeypatch.undo()
    assert zip_of({"a.py": "1", "b.py": "2"}) == first
    assert zip_of({"a.py": "1", "b.py": "3"}) != first


# --- functions -----------------------------------------------------------------------------------------------


@pytest.mark.simulator
def test_a_function_is_made_as_it_was_asked_for(account):
    layer = make("lambda-layer-version", account)[2]
    params = function_params(
        account,
        memory=512,
        timeout=20,
        environment={"STAGE": "lab"},
        architecture="arm64",
        layers=[layer.aws_id],
        description="Says hello",
    )
    client, want, seen = make("lambda-function", account, params)
    told = client.get_function_configuration(FunctionName=want.name)
    assert (told["MemorySize"], told["Timeout"], told["Description"]) == (512, 20, "Says hello")
    assert told["Environment"]["Variables"] == {"STAGE": "lab"}
    assert (seen.facts["architecture"], seen.facts["layers"]) == ("arm64", [layer.aws_id])
    assert seen.facts["invoke_uri"].endswith(f"/functions/{seen.facts['arn']}/invocations")
    assert seen.facts["not_accrued"]


@pytest.mark.simulator
def test_a_function_may_be_an_image_of_a_repository(account):
    repository = make("ecr-repository", account)[2]
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    account.client("ecr").put_image(
        repositoryName=repository.name,
        imageTag="1",
        imageManifest=json.dumps({"mediaType": kind, "config": {"size": 9}, "layers": []}),
    )
    image = f"{repository.facts['uri']}:1"
    client, want, seen = make("lambda-function", account, {"role_arn": role(account), "image_uri": image})
    assert (seen.facts["package"], seen.facts["runtime"]) == ("Image", "")
    assert client.get_function(FunctionName=want.name)["Code"]["ImageUri"] == image


@pytest.mark.simulator
def test_a_role_that_is_not_known_everywhere_yet_is_waited_for(account):
    params = {**function_params(account), "role_arn": f"arn:aws:iam::{account.id}:role/made-just-now"}
    with pytest.raises(ClientError) as refused:
        make("lambda-function", account, params)
    assert isinstance(aws.sorted_trouble(refused.value), aws.NotYet)


@pytest.mark.simulator
@pytest.mark.parametrize(
    ("name", "why"),
    [("lambda-function", "its name is taken"), ("lambda-event-source-mapping", "these two are mapped")],
)
def test_a_create_that_is_made_again_finds_the_first(account, name, why):
    client, want, seen = make(name, account)
    with pytest.raises(ClientError) as refused:
        kind_of(name).create(client, want)
    assert isinstance(aws.sorted_trouble(refused.value), aws.AlreadyThere), why
    assert kind_of(name).observe(client, want).aws_id == seen.aws_id


@pytest.mark.simulator
def test_who_may_invoke_it_is_said_once_and_on_whose_behalf(account):
    rules = [
        {"service": "s3.amazonaws.com", "source_arn": "arn:aws:s3:::lab-bucket"},
        {"service": "apigateway.amazonaws.com"},
        {"service": "sns.amazonaws.com", "source_arn": f"arn:aws:sns:us-east-1:{account.id}:news"},
    ]
    client, want, seen = make("lambda-function", account, function_params(account, invoked_by=rules))
    configure("lambda-function", client, want, seen)
    statements = json.loads(client.get_policy(FunctionName=want.name)["Policy"])["Statement"]
    told = {one["Principal"]["Service"]: one["Condition"] for one in statements}
    assert len(statements) == 3
    assert told["s3.amazonaws.com"] == {
        "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::lab-bucket"},
        "StringEquals": {"AWS:SourceAccount": account.id},
    }
    apis = f"arn:aws:execute-api:us-east-1:{account.id}:*"
    assert told["apigateway.amazonaws.com"] == {"ArnLike": {"AWS:SourceArn": apis}}
    assert "StringEquals" not in told["sns.amazonaws.com"], "its ARN names the account"


@pytest.mark.simulator
def test_what_reads_for_it_goes_first_and_the_rest_goes_with_it(account):
    client, want, seen = make("lambda-function", account, function_params(account))
    client.create_event_source_mapping(FunctionName=want.name, EventSourceArn=queue(account))
    client.create_function_url_config(FunctionName=want.name, AuthType="NONE")
    version = client.publish_version(FunctionName=want.name)["Version"]
    client.create_alias(FunctionName=want.name, Name="live", FunctionVersion=version)
    client.put_provisioned_concurrency_config(
        FunctionName=want.name, Qualifier="live", ProvisionedConcurrentExecutions=1
    )
    assert delete("lambda-function", client, want) == 2
    assert client.list_event_source_mappings(FunctionName=want.name)["EventSourceMappings"] == []
    assert code_of(client.get_function_url_config, FunctionName=want.name) == "ResourceNotFoundException"


def code_of(call, **asked):
    with pytest.raises(ClientError) as refused:
        call(**asked)
    return refused.value.response["Error"]["Code"]


@pytest.mark.parametrize(
    ("state", "mappings", "calls", "why"),
    [
        (RUNNING, [], ["delete_function"], "nothing is in its way"),
        (RUNNING, ["Enabled"], ["delete_event_source_mapping"], "AWS would leave the mapping behind"),
        (RUNNING, ["Deleting"], ["delete_function"], "the mapping goes by itself"),
        (FAILED, [], ["delete_function"], "a failed one is deleted like any other"),
        (DELETING, [], [], "it is going"),
    ],
)
def test_deleting_a_function_takes_the_call_that_its_state_allows(state, mappings, calls, why):
    listed = {"EventSourceMappings": [{"UUID": "m", "State": state} for state in mappings]}
    client = FakeLambda(list_event_source_mappings=listed)
    FUNCTION.delete(client, want_for("lambda-function"), Seen(state, aws_id="it"))
    assert [name for name, _ in client.called if not name.startswith("list")] == calls, why


def function_seen(state="Active", ready=(), **more):
    told = {
        "FunctionName": "it",
        "FunctionArn": ARN,
        "Role": "arn:aws:iam::600000000002:role/r",
        "MemorySize": 1024,
        "Timeout": 3,
        "State": state,
        "LastModified": "2025-09-13T07:00:00.123+0000",
        "CodeSha256": "abc",
        **more,
    }
    client = FakeLambda(
        get_function={"Configuration": told},
        list_provisioned_concurrency_configs={"ProvisionedConcurrencyConfigs": list(ready)},
    )
    return FUNCTION.observe(client, want_for("lambda-function"))


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ("Pending", PENDING),
        ("Active", RUNNING),
        ("Inactive", RUNNING),
        ("Failed", FAILED),
        ("Deleting", DELETING),
    ],
)
def test_a_function_is_seen_as(told, state):
    assert function_seen(told).state == state


def test_a_function_that_failed_says_why():
    seen = function_seen("Failed", StateReason="The image's architecture is not the function's")
    assert seen.facts["failure"] == "The image's architecture is not the function's"


def ready(count, status="READY", qualifier="live"):
    return {
        "FunctionArn": f"{ARN}:{qualifier}",
        "RequestedProvisionedConcurrentExecutions": count,
        "Status": status,
    }


def test_what_is_kept_ready_costs_by_the_second_used_or_not():
    (meter,) = FUNCTION.meters(function_seen(ready=[ready(2)]))
    assert (meter.kind, meter.sku, meter.unit) == ("provisioned-concurrency", "x86", "GB-second")
    assert (meter.quantity, meter.per, meter.rounding) == (Decimal(2 * 3600), "hour", "five-minutes")
    (meter,) = FUNCTION.meters(function_seen(ready=[ready(4)], MemorySize=512, Architectures=["arm64"]))
    assert (meter.sku, meter.quantity) == ("arm", Decimal(4 * 3600) / 2)


def test_two_versions_that_are_kept_ready_are_two_lines_and_one_that_could_not_be_is_none():
    seen = function_seen(ready=[ready(1), ready(2, "IN_PROGRESS", "2"), ready(3, "FAILED", "3")])
    meters = FUNCTION.meters(seen)
    assert [meter.quantity for meter in meters] == [3600 * 2, 3600]
    assert len({meter.slug for meter in meters}) == 2


def test_a_function_that_nobody_keeps_ready_costs_nothing_by_the_hour():
    assert FUNCTION.meters(function_seen()) == []


@pytest.mark.simulator
def test_what_a_student_keeps_ready_by_hand_is_found(account):
    client, want, seen = make("lambda-function", account, function_params(account, memory=1024))
    client.publish_version(FunctionName=want.name)
    client.put_provisioned_concurrency_config(FunctionName=want.name, Qualifier="1", ProvisionedConcurrentExecutions=3)
    seen = FUNCTION.observe(client, want)
    assert seen.facts["provisioned"] == [{"qualifier": "1", "count": 3}]
    assert FUNCTION.meters(seen)[0].quantity == 3 * 3600


def test_a_name_is_enough_for_the_dead_mans_switch_before_there_is_a_function():
    want = want_for("lambda-function")
    assert FUNCTION.off_call(want).input == {"FunctionName": want.name}


# --- layers --------------------------------------------------------------------------------------------------


@pytest.mark.simulator
def test_a_layer_says_in_its_description_whose_it_is(account):
    client, want, seen = make("lambda-layer-version", account)
    assert seen.tags == dict(want.tags)
    told = client.get_layer_version(LayerName=want.name, VersionNumber=1)
    assert told["Description"].startswith("Made for a lab lightsout.")


@pytest.mark.simulator
def test_what_others_write_into_a_description_is_no_tag(account):
    client = account.client("lambda")
    name = "shop-by-hand"
    words = "made by lightsout.example for everybody"
    client.publish_layer_version(LayerName=name, Description=words, Content={"ZipFile": zip_of(HELLO)})
    (seen,) = [each for each in LAYER.find_all(client) if each.name == name]
    assert seen.tags == {}


@pytest.mark.simulator
def test_both_versions_go_when_a_create_was_made_twice(account):
    client, want, first = make("lambda-layer-version", account)
    LAYER.create(client, want)
    assert LAYER.observe(client, want).facts["version"] == 2, "the newest is ours"
    assert len([each for each in LAYER.find_all(client) if each.name == want.name]) == 2
    delete("lambda-layer-version", client, want)
    assert [each for each in LAYER.find_all(client) if each.name == want.name] == []


@pytest.mark.simulator
def test_of_a_layer_that_no_lab_made_only_the_version_goes_that_was_asked_for(account):
    client = account.client("lambda")
    for text in ("1", "2"):
        client.publish_layer_version(LayerName="numbers", Content={"ZipFile": zip_of({"python/n.py": text})})
    first = next(each for each in LAYER.find_all(client) if each.name == "numbers" and each.facts["version"] == 1)
    stranger = want_for("lambda-layer-version", name="numbers", aws_id=first.aws_id, tags={TAG_RESOURCE: "0" * 32})
    LAYER.delete(client, stranger, first)
    assert [each.facts["version"] for each in LAYER.find_all(client) if each.name == "numbers"] == [2]


# --- event source mappings -----------------------------------------------------------------------------------


@pytest.mark.simulator
def test_a_mapping_is_stopped_and_started(account):
    client, want, seen = make("lambda-event-source-mapping", account)
    account.simulator.pace(state_seconds=30)
    account.simulator.let_pass(31)
    MAPPING.stop(client, want, seen)
    assert MAPPING.observe(client, want).state == STOPPING
    account.simulator.let_pass(31)
    stopped = MAPPING.observe(client, want)
    assert stopped.state == STOPPED
    MAPPING.start(client, want, stopped)
    assert MAPPING.observe(client, want).state == PENDING
    account.simulator.let_pass(31)
    assert MAPPING.observe(client, want).state == RUNNING


@pytest.mark.parametrize(
    ("state", "is_asked"),
    [(RUNNING, True), (STOPPED, True), (PENDING, False), (STOPPING, False), (DELETING, False)],
)
def test_a_mapping_on_its_way_is_asked_again_later(state, is_asked):
    client = FakeLambda()
    MAPPING.delete(client, want_for("lambda-event-source-mapping"), Seen(state, aws_id="m"))
    assert bool(client.called) == is_asked


@pytest.mark.simulator
def test_a_mapping_of_a_labs_function_is_known_by_its_tags_before_its_id_is(account):
    """It has no name, and its list no tags: a census between its create and our look would take it for a stranger."""
    labs_own = make("lambda-function", account, function_params(account))[1].name
    params = {"function": labs_own, "source_arn": queue(account)}
    client, want, seen = make("lambda-event-source-mapping", account, params)
    listed = next(each for each in MAPPING.find_all(client) if each.aws_id == seen.aws_id)
    assert listed.whole and listed.tags == dict(want.tags)
    by_hand = client.create_event_source_mapping(FunctionName=function(account), EventSourceArn=queue(account))["UUID"]
    glimpse = next(each for each in MAPPING.find_all(client) if each.aws_id == by_hand)
    assert not glimpse.whole


def test_what_is_written_is_read_back():
    tags = {**want_for("lambda-layer-version").tags, TAG_OWNER: ""}
    assert read_back(f"A layer. {written(tags)} And more.") == tags
    assert read_back(None) == {} == read_back("lightsout.but.not.ours")
    assert LAYER.observe(FakeLambda(list_layer_versions={"LayerVersions": []}), want_for("x")).state == ABSENT
