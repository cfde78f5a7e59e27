"""Notebooks, models, configurations and endpoints: what must stop first, what has failed, what bills what."""

from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from labs.aws import Refused
from labs.kinds import kind_of
from labs.kinds.base import ABSENT, DELETING, FAILED, PENDING, RUNNING, STOPPED, STOPPING, Seen
from labs.tests.kinds.examples import delete, make, want_for

NOTEBOOK, MODEL, CONFIG, ENDPOINT = map(
    kind_of, ("sagemaker-notebook", "sagemaker-model", "sagemaker-endpoint-config", "sagemaker-endpoint")
)
AT = datetime(2025, 9, 13, 7, 0, tzinfo=UTC)


def not_found(operation):
    words = 'Could not find endpoint configuration "arn:aws:sagemaker:us-east-1:1:endpoint-config/c".'
    return ClientError({"Error": {"Code": "ValidationException", "Message": words}}, operation)


class FakeSageMaker:
    """Answers what it was given; an exception is raised. Remembers the operations called."""

    def __init__(self, **answers):
        self.called, self.answers = [], answers
        self.exceptions = SimpleNamespace(ClientError=ClientError)

    def __getattr__(self, operation):
        def call(**asked):
            self.called.append(operation)
            answer = self.answers.get(operation, {})
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


# --- notebooks -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "calls", "why"),
    [
        (RUNNING, ["stop_notebook_instance"], "AWS deletes only what is stopped"),
        (STOPPED, ["delete_notebook_instance"], "now it does"),
        (FAILED, ["delete_notebook_instance"], "a failed one cannot be stopped, and can be deleted"),
        (PENDING, [], "on its way AWS takes neither"),
        (STOPPING, [], "on its way AWS takes neither"),
        (DELETING, [], "it is going"),
    ],
)
def test_deleting_a_notebook_takes_the_call_that_its_state_allows(state, calls, why):
    client = FakeSageMaker()
    NOTEBOOK.delete(client, want_for("sagemaker-notebook"), Seen(state, aws_id="it"))
    assert client.called == calls, why


@pytest.mark.simulator
def test_a_running_notebook_is_gone_after_two_calls(account):
    client, want, _ = make("sagemaker-notebook", account)
    assert delete("sagemaker-notebook", client, want) == 2


@pytest.mark.simulator
def test_a_notebook_is_seen_on_its_way(account):
    client, want, seen = make("sagemaker-notebook", account)
    account.simulator.pace(state_seconds=30)
    assert NOTEBOOK.observe(client, want).state == PENDING
    account.simulator.pace(state_seconds=0)
    NOTEBOOK.stop(client, want, seen)
    account.simulator.pace(state_seconds=30)
    assert NOTEBOOK.observe(client, want).state == STOPPING
    account.simulator.pace(state_seconds=0)
    stopped = NOTEBOOK.observe(client, want)
    assert stopped.state == STOPPED and stopped.since >= seen.since


def test_a_notebook_that_failed_says_why():
    answer = {
        "NotebookInstanceName": "it",
        "NotebookInstanceArn": "arn",
        "NotebookInstanceStatus": "Failed",
        "FailureReason": "The role has no trust",
        "InstanceType": "ml.t3.medium",
        "LastModifiedTime": AT,
    }
    client = FakeSageMaker(describe_notebook_instance=answer)
    seen = NOTEBOOK.observe(client, want_for("sagemaker-notebook"))
    assert (seen.state, seen.facts["failure"]) == (FAILED, "The role has no trust")


def lines(meters):
    return {(meter.kind, meter.sku, meter.quantity, meter.per) for meter in meters}


NOTEBOOK_HOURS = ("notebook", "ml.t3.medium", Decimal(1), "hour")
NOTEBOOK_DISK = ("storage", "ML-storage-gp2", Decimal(5), "month")


@pytest.mark.parametrize(
    ("state", "billed"),
    [
        (RUNNING, {NOTEBOOK_HOURS, NOTEBOOK_DISK}),
        (STOPPING, {NOTEBOOK_HOURS, NOTEBOOK_DISK}),
        (STOPPED, {NOTEBOOK_DISK}),
        (FAILED, {NOTEBOOK_DISK}),
        (PENDING, {NOTEBOOK_DISK}),
        (ABSENT, set()),
    ],
)
def test_a_notebook_costs_its_disk_also_when_it_is_stopped(state, billed):
    facts = {"type": "ml.t3.medium", "disk_gb": 5}
    assert lines(NOTEBOOK.meters(Seen(state, facts=facts))) == billed


# --- models --------------------------------------------------------------------------------------------------


@pytest.mark.simulator
@pytest.mark.parametrize(("region", "registry"), [("us-east-1", "683313688378"), ("ap-southeast-1", "121021644041")])
def test_the_image_of_built_in_xgboost_is_the_regions_own(account, region, registry):
    client = account.client("sagemaker", region)
    want = want_for(
        "sagemaker-model", {"algorithm": "xgboost", "data_url": "s3://b/m.tar.gz", "role_arn": account.role()}
    )
    MODEL.create(client, want)
    image = MODEL.observe(client, want).facts["image"]
    assert image == f"{registry}.dkr.ecr.{region}.amazonaws.com/sagemaker-xgboost:1.7-1"


@pytest.mark.parametrize("asked", [{"algorithm": "xgboost"}, {"algorithm": "oracle"}, {}])
def test_a_region_or_algorithm_without_an_image_is_said_before_anything_is_made(asked):
    client = FakeSageMaker()
    client.meta = SimpleNamespace(region_name="af-south-1")
    with pytest.raises(Refused, match="No image is known for .* in af-south-1"):
        MODEL.create(client, want_for("sagemaker-model", asked | {"role_arn": "arn", "data_url": "s3://b/m"}))
    assert client.called == []


# --- endpoints -----------------------------------------------------------------------------------------------


def endpoint_answer(status="InService", count=1, **more):
    variant = {"VariantName": "AllTraffic", "CurrentInstanceCount": count, **more}
    return {
        "EndpointName": "it",
        "EndpointArn": "arn",
        "EndpointConfigName": "c",
        "EndpointStatus": status,
        "LastModifiedTime": AT,
        "ProductionVariants": [variant],
    }


CONFIG_ANSWER = {
    "ProductionVariants": [{"VariantName": "AllTraffic", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}]
}


def seen_of(answer, config=CONFIG_ANSWER):
    client = FakeSageMaker(describe_endpoint=answer, describe_endpoint_config=config)
    return ENDPOINT.observe(client, want_for("sagemaker-endpoint"))


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("Creating", PENDING),
        ("InService", RUNNING),
        ("Updating", RUNNING),
        ("RollingBack", RUNNING),
        ("Failed", FAILED),
        ("OutOfService", FAILED),
        ("Deleting", DELETING),
    ],
)
def test_an_endpoint_is_seen_as(status, state):
    assert seen_of(endpoint_answer(status)).state == state


def test_the_machines_that_it_has_now_are_billed_not_those_it_was_configured_with():
    (hours,) = ENDPOINT.meters(seen_of(endpoint_answer(count=4)))
    assert (hours.kind, hours.sku, hours.quantity) == ("hosting", "ml.m5.large", Decimal(4))


def test_a_failed_update_can_leave_machines_that_cost():
    assert ENDPOINT.meters(seen_of(endpoint_answer("Failed", count=2)))
    assert ENDPOINT.meters(seen_of(endpoint_answer("Failed", count=0))) == []


def test_a_serverless_variant_has_no_hours_and_says_what_is_not_accrued():
    seen = seen_of(endpoint_answer(count=0, CurrentServerlessConfig={"MemorySizeInMB": 2048}))
    assert ENDPOINT.meters(seen) == []
    assert "Calls of serverless variants" in seen.facts["not_accrued"]
    assert "Calls" not in seen_of(endpoint_answer()).facts["not_accrued"], (
        "machines cost by the hour, however often called"
    )


def test_an_endpoint_whose_configuration_was_deleted_is_unpriced_and_not_free():
    (hours,) = ENDPOINT.meters(seen_of(endpoint_answer(), config=not_found("DescribeEndpointConfig")))
    assert hours.sku == "unknown"


def test_two_variants_are_two_lines():
    answer = endpoint_answer()
    answer["ProductionVariants"].append({"VariantName": "B", "CurrentInstanceCount": 1})
    config = {
        "ProductionVariants": [
            *CONFIG_ANSWER["ProductionVariants"],
            {"VariantName": "B", "InstanceType": "ml.m5.large"},
        ]
    }
    meters = ENDPOINT.meters(seen_of(answer, config))
    assert len({meter.slug for meter in meters}) == 2


def test_an_endpoint_that_is_being_made_is_asked_again_later():
    busy = ClientError(
        {"Error": {"Code": "ValidationException", "Message": 'Cannot update in-progress endpoint "arn".'}},
        "DeleteEndpoint",
    )
    client = FakeSageMaker(delete_endpoint=busy)
    ENDPOINT.delete(client, want_for("sagemaker-endpoint"), Seen(PENDING, aws_id="it"))
    assert client.called == ["delete_endpoint"]
    client = FakeSageMaker()
    ENDPOINT.delete(client, want_for("sagemaker-endpoint"), Seen(DELETING, aws_id="it"))
    assert client.called == []


def test_another_refusal_of_a_delete_comes_out():
    refusal = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DeleteEndpoint")
    with pytest.raises(ClientError):
        ENDPOINT.delete(
            FakeSageMaker(delete_endpoint=refusal), want_for("sagemaker-endpoint"), Seen(RUNNING, aws_id="it")
        )


def test_stop_means_delete_and_the_model_and_configuration_are_kept():
    assert (ENDPOINT.can_stop, ENDPOINT.stop_means) == (False, "delete")
    assert (MODEL.stop_means, CONFIG.stop_means) == ("keep", "keep")


@pytest.mark.simulator
def test_a_strangers_tags_are_read_and_our_own_are_not_asked_for(account):
    client, want, seen = make("sagemaker-endpoint", account)
    account.simulator.forget_calls()
    ENDPOINT.observe(client, want)
    assert "sagemaker:ListTags" not in account.simulator.calls()["by"]
    stranger = want_for("sagemaker-endpoint", name=seen.name, aws_id=seen.aws_id, tags={}, token="")
    assert ENDPOINT.observe(client, stranger).tags == want.tags
