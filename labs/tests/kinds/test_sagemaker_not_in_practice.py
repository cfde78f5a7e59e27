"""What practice mode has not got of SageMaker, against botocore's description of the API: each call is checked for its
members, and each answer for those that AWS gives.
"""

from datetime import UTC, datetime
from decimal import Decimal

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from labs.kinds import kind_of
from labs.kinds.aws_words import tag_list
from labs.kinds.base import ABSENT, DELETING, FAILED, PENDING, RUNNING, STOPPED, STOPPING, Seen
from labs.tests.kinds.examples import EXAMPLES, want_for

COMPONENT, FEATURES, MLFLOW = map(
    kind_of, ("sagemaker-inference-component", "sagemaker-feature-group", "sagemaker-mlflow-server")
)
NAMES = ("sagemaker-inference-component", "sagemaker-feature-group", "sagemaker-mlflow-server")
each_kind = pytest.mark.parametrize("name", NAMES)
AT = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
ARN = "arn:aws:sagemaker:us-east-1:100000000001"


@pytest.fixture(scope="module")
def client():
    return boto3.client(
        "sagemaker", region_name="us-east-1", aws_access_key_id="nobody", aws_secret_access_key="nothing"
    )


@pytest.fixture
def stub(client):
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def component(status="InService", **more):
    return {
        "InferenceComponentName": "it",
        "InferenceComponentArn": f"{ARN}:inference-component/it",
        "EndpointName": "e",
        "EndpointArn": f"{ARN}:endpoint/e",
        "InferenceComponentStatus": status,
        "CreationTime": AT,
        "LastModifiedTime": AT,
    } | more


def features(status="Created", **more):
    return {
        "FeatureGroupName": "it",
        "FeatureGroupArn": f"{ARN}:feature-group/it",
        "RecordIdentifierFeatureName": "id",
        "EventTimeFeatureName": "at",
        "FeatureDefinitions": [{"FeatureName": "id", "FeatureType": "String"}],
        "CreationTime": AT,
        "FeatureGroupStatus": status,
        "OnlineStoreConfig": {"EnableOnlineStore": True},
        "NextToken": "",
    } | more


def mlflow(status="Created", **more):
    return {
        "TrackingServerName": "it",
        "TrackingServerArn": f"{ARN}:mlflow-tracking-server/it",
        "TrackingServerSize": "Small",
        "TrackingServerStatus": status,
        "CreationTime": AT,
        "LastModifiedTime": AT,
    } | more


# kind -> (what its calls end in, its name's member, an answer of describe, the list call, its member, a line of it)
API = {
    "sagemaker-inference-component": (
        "inference_component",
        "InferenceComponentName",
        component,
        "list_inference_components",
        "InferenceComponents",
        lambda status: component(status, VariantName="AllTraffic"),
    ),
    "sagemaker-feature-group": (
        "feature_group",
        "FeatureGroupName",
        features,
        "list_feature_groups",
        "FeatureGroupSummaries",
        lambda status: {
            "FeatureGroupName": "it",
            "FeatureGroupArn": f"{ARN}:feature-group/it",
            "CreationTime": AT,
            "FeatureGroupStatus": status,
        },
    ),
    "sagemaker-mlflow-server": (
        "mlflow_tracking_server",
        "TrackingServerName",
        mlflow,
        "list_mlflow_tracking_servers",
        "TrackingServerSummaries",
        lambda status: {name: value for name, value in mlflow(status).items() if name != "TrackingServerSize"},
    ),
}
STATES = [
    ("sagemaker-inference-component", "Creating", PENDING),
    ("sagemaker-inference-component", "InService", RUNNING),
    ("sagemaker-inference-component", "Updating", RUNNING),
    ("sagemaker-inference-component", "Failed", FAILED),
    ("sagemaker-inference-component", "Deleting", DELETING),
    ("sagemaker-feature-group", "Creating", PENDING),
    ("sagemaker-feature-group", "Created", RUNNING),
    ("sagemaker-feature-group", "CreateFailed", FAILED),
    ("sagemaker-feature-group", "Deleting", DELETING),
    ("sagemaker-feature-group", "DeleteFailed", FAILED),
    ("sagemaker-mlflow-server", "Creating", PENDING),
    ("sagemaker-mlflow-server", "Created", RUNNING),
    ("sagemaker-mlflow-server", "CreateFailed", FAILED),
    ("sagemaker-mlflow-server", "Starting", PENDING),
    ("sagemaker-mlflow-server", "Started", RUNNING),
    ("sagemaker-mlflow-server", "Stopping", STOPPING),
    ("sagemaker-mlflow-server", "Stopped", STOPPED),
    ("sagemaker-mlflow-server", "MaintenanceInProgress", RUNNING),
    ("sagemaker-mlflow-server", "Deleting", DELETING),
]


@pytest.mark.parametrize(("name", "status", "state"), STATES)
def test_it_is_seen_as_the_same_by_a_describe_and_by_a_list(client, stub, name, status, state):
    noun, member, answer, listing, lines, line = API[name]
    stub.add_response(f"describe_{noun}", answer(status), {member: "it"})
    seen = kind_of(name).observe(client, want_for(name, aws_id="it"))
    stub.add_response(listing, {lines: [line(status)]}, {"MaxResults": 100})
    (glimpsed,) = kind_of(name).find_all(client)
    assert seen.state == glimpsed.state == state
    assert seen.mark == glimpsed.mark and seen.aws_id == glimpsed.aws_id == "it"
    assert seen.facts["arn"] == glimpsed.facts["arn"]
    assert not glimpsed.whole, "no list tells tags"


@each_kind
def test_a_list_is_read_to_its_last_page(client, stub, name):
    _, _, _, listing, lines, line = API[name]
    status = {"sagemaker-inference-component": "InService"}.get(name, "Created")
    stub.add_response(listing, {lines: [line(status)], "NextToken": "more"}, {"MaxResults": 100})
    stub.add_response(listing, {lines: [line(status)]}, {"MaxResults": 100, "NextToken": "more"})
    assert len(list(kind_of(name).find_all(client))) == 2


@each_kind
def test_a_missing_one_is_absent(client, stub, name):
    noun = API[name][0]
    for code, words in (("ResourceNotFound", "Not Found"), ("ValidationException", "Could not find it")):
        stub.add_client_error(f"describe_{noun}", code, words)
        assert kind_of(name).observe(client, want_for(name)).state == ABSENT


@each_kind
def test_another_refusal_comes_out(client, stub, name):
    stub.add_client_error(f"describe_{API[name][0]}", "AccessDeniedException", "no")
    with pytest.raises(ClientError):
        kind_of(name).observe(client, want_for(name))


@each_kind
def test_a_strangers_tags_are_read(client, stub, name):
    noun, member, answer, *_ = API[name]
    stub.add_response(f"describe_{noun}", answer(), {member: "it"})
    stub.add_response(
        "list_tags", {"Tags": [{"Key": "lab", "Value": "s4"}]}, {"ResourceArn": next(iter(arns(answer())))}
    )
    assert kind_of(name).complete(client, Seen(RUNNING, aws_id="it")).tags == {"lab": "s4"}


def arns(answer):
    return (value for name, value in answer.items() if name.endswith("Arn") and name != "EndpointArn")


@each_kind
def test_it_is_deleted_by_name_and_not_again_while_it_goes(client, stub, name):
    noun, member, answer, *_ = API[name]
    deleted = {"TrackingServerArn": f"{ARN}:mlflow-tracking-server/it"} if name == "sagemaker-mlflow-server" else {}
    stub.add_response(f"delete_{noun}", deleted, {member: "it"})
    kind_of(name).delete(client, want_for(name), Seen(RUNNING, aws_id="it", facts={"status": "Created"}))
    kind_of(name).delete(client, want_for(name), Seen(DELETING, aws_id="it", facts={"status": "Deleting"}))


@each_kind
def test_practice_mode_says_why_it_has_none(name):
    assert "ractice mode" in kind_of(name).not_in_practice


# --- what each is made of ---------------------------------------------------------------------------------------


def test_an_inference_component_shares_the_machines_of_its_endpoint(client, stub):
    params = {"endpoint": "e", "model": "m", "memory_mb": 2048, "cpus": 1, "accelerators": 1, "copies": 2}
    want = want_for("sagemaker-inference-component", params)
    needs = {"MinMemoryRequiredInMb": 2048, "NumberOfCpuCoresRequired": 1.0, "NumberOfAcceleratorDevicesRequired": 1.0}
    stub.add_response(
        "create_inference_component",
        {"InferenceComponentArn": f"{ARN}:inference-component/it"},
        {
            "InferenceComponentName": want.name,
            "EndpointName": "e",
            "VariantName": "AllTraffic",
            "Specification": {"ModelName": "m", "ComputeResourceRequirements": needs},
            "RuntimeConfig": {"CopyCount": 2},
            "Tags": tag_list(want.tags),
        },
    )
    COMPONENT.create(client, want)
    assert COMPONENT.is_free, "the machines are its endpoint's"


def test_an_endpoint_and_a_model_go_after_the_components_that_use_them():
    for name in ("sagemaker-endpoint", "sagemaker-model"):
        assert "sagemaker-inference-component" in kind_of(name).goes_after


def test_a_component_that_failed_says_why(client, stub):
    stub.add_response("describe_inference_component", component("Failed", FailureReason="no memory"))
    assert COMPONENT.observe(client, want_for("sagemaker-inference-component")).facts["failure"] == "no memory"


@pytest.mark.parametrize(
    ("more", "asked"),
    [
        ({}, {"OnlineStoreConfig": {"EnableOnlineStore": True}}),
        (
            {"online": False, "offline": "s3://b/features", "role_arn": "arn:aws:iam::100000000001:role/r"},
            {
                "OfflineStoreConfig": {"S3StorageConfig": {"S3Uri": "s3://b/features"}},
                "RoleArn": "arn:aws:iam::100000000001:role/r",
            },
        ),
    ],
    ids=["an online store", "an offline store alone"],
)
def test_a_feature_group_is_made_with(client, stub, more, asked):
    want = want_for("sagemaker-feature-group", EXAMPLES["sagemaker-feature-group"].params(None) | more)
    definitions = [{"FeatureName": name, "FeatureType": "String"} for name in ("id", "at")]
    stub.add_response(
        "create_feature_group",
        {"FeatureGroupArn": f"{ARN}:feature-group/it"},
        {
            "FeatureGroupName": want.name,
            "RecordIdentifierFeatureName": "id",
            "EventTimeFeatureName": "at",
            "FeatureDefinitions": definitions,
            "Tags": tag_list(want.tags),
            **asked,
        },
    )
    FEATURES.create(client, want)


@pytest.mark.parametrize(
    ("stored", "megabytes"), [(0, 0), (1, 100), (100 * 2**20, 100), (100 * 2**20 + 1, 200)], ids=str
)
def test_what_an_online_store_holds_is_billed_in_steps_and_a_write_begins_no_new_span(client, stub, stored, megabytes):
    stub.add_response("describe_feature_group", features(OnlineStoreTotalSizeBytes=stored))
    seen = FEATURES.observe(client, want_for("sagemaker-feature-group"))
    meters = FEATURES.meters(seen)
    assert [meter.quantity for meter in meters] == ([Decimal(megabytes) / 1024] if megabytes else [])
    assert "Reads and writes" in seen.facts["not_accrued"]


def test_throughput_reserved_by_hand_costs_by_the_hour_and_an_offline_group_nothing(client, stub):
    reserved = {"ThroughputMode": "Provisioned", "ProvisionedReadCapacityUnits": 5, "ProvisionedWriteCapacityUnits": 2}
    stub.add_response("describe_feature_group", features(ThroughputConfig=reserved))
    meters = FEATURES.meters(FEATURES.observe(client, want_for("sagemaker-feature-group")))
    assert {(meter.sku, meter.quantity, meter.per) for meter in meters} == {
        ("read-capacity", Decimal(5), "hour"),
        ("write-capacity", Decimal(2), "hour"),
    }
    stub.add_response("describe_feature_group", features(OnlineStoreConfig={}))
    assert FEATURES.meters(FEATURES.observe(client, want_for("sagemaker-feature-group"))) == []


def test_a_store_in_memory_is_a_line_of_its_own_and_unpriced_rather_than_cheap(client, stub):
    answer = features(
        OnlineStoreConfig={"EnableOnlineStore": True, "StorageType": "InMemory"}, OnlineStoreTotalSizeBytes=2**30
    )
    stub.add_response("describe_feature_group", answer)
    (meter,) = FEATURES.meters(FEATURES.observe(client, want_for("sagemaker-feature-group")))
    assert meter.sku == "in-memory-storage"


def test_a_feature_group_costs_nothing_before_it_holds_anything():
    want = want_for("sagemaker-feature-group", EXAMPLES["sagemaker-feature-group"].params(None))
    assert FEATURES.meters(FEATURES.would_be(want)) == []


def test_a_feature_group_that_is_being_made_is_deleted_later(client, stub):
    FEATURES.delete(client, want_for("sagemaker-feature-group"), Seen(PENDING, aws_id="it"))


def test_an_mlflow_server_is_made_small_unless_the_lab_says_otherwise(client, stub):
    params = {"artifacts": "s3://b/mlflow", "role_arn": "arn:aws:iam::100000000001:role/r"}
    for more, asked in (
        ({}, {"TrackingServerSize": "Small"}),
        ({"size": "Large", "version": "3.0"}, {"TrackingServerSize": "Large", "MlflowVersion": "3.0"}),
    ):
        want = want_for("sagemaker-mlflow-server", params | more)
        stub.add_response(
            "create_mlflow_tracking_server",
            {"TrackingServerArn": f"{ARN}:mlflow-tracking-server/it"},
            {
                "TrackingServerName": want.name,
                "ArtifactStoreUri": "s3://b/mlflow",
                "RoleArn": "arn:aws:iam::100000000001:role/r",
                "Tags": tag_list(want.tags),
                **asked,
            },
        )
        MLFLOW.create(client, want)
        assert MLFLOW.would_be(want).facts["size"] == asked["TrackingServerSize"]


def test_an_mlflow_server_is_stopped_and_started(client, stub):
    for verb in ("stop", "start"):
        told = {"TrackingServerArn": f"{ARN}:mlflow-tracking-server/it"}
        stub.add_response(f"{verb}_mlflow_tracking_server", told, {"TrackingServerName": "it"})
        getattr(MLFLOW, verb)(client, want_for("sagemaker-mlflow-server"), Seen(RUNNING, aws_id="it"))


@pytest.mark.parametrize(
    ("state", "billed"), [(RUNNING, True), (STOPPING, True), (STOPPED, False), (PENDING, False), (FAILED, False)]
)
def test_an_mlflow_server_costs_by_its_size_until_it_has_stopped(state, billed):
    meters = MLFLOW.meters(Seen(state, facts={"size": "Medium"}))
    assert [(meter.kind, meter.sku) for meter in meters] == ([("mlflow", "Medium")] if billed else [])


@pytest.mark.parametrize(
    ("status", "active", "state"),
    [
        ("StopFailed", "Active", RUNNING),
        ("DeleteFailed", "Active", RUNNING),
        ("DeleteFailed", "Inactive", FAILED),
        ("StartFailed", "Inactive", FAILED),
        ("UpdateFailed", "Active", RUNNING),
        ("Updated", "Inactive", STOPPED),
        ("MaintenanceComplete", "Inactive", STOPPED),
    ],
)
def test_whether_an_mlflow_server_runs_and_costs_is_what_aws_says_of_it_whatever_failed(
    client, stub, status, active, state
):
    stub.add_response("describe_mlflow_tracking_server", mlflow(status, IsActive=active))
    seen = MLFLOW.observe(client, want_for("sagemaker-mlflow-server"))
    assert seen.state == state
    assert bool(MLFLOW.meters(seen)) == (state == RUNNING)


@pytest.mark.parametrize("status", ["Creating", "Starting", "Stopping", "Updating", "MaintenanceInProgress"])
def test_an_mlflow_server_in_transition_is_deleted_later(client, stub, status):
    MLFLOW.delete(client, want_for("sagemaker-mlflow-server"), Seen(RUNNING, aws_id="it", facts={"status": status}))
