"""Stacks: what their states mean, what keeps one, and what is said of it."""

import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.stub import Stubber

from labs.aws import Refused
from labs.kinds import kind_of
from labs.kinds.base import ABSENT, DELETING, FAILED, PENDING, RUNNING, STOPPED, Seen
from labs.kinds.cloudformation_stack import STATES
from labs.tests.kinds.examples import delete, make, want_for

STACK = kind_of("cloudformation-stack")
AT = datetime(2025, 9, 13, 7, 0, tzinfo=UTC)
ID = "arn:aws:cloudformation:us-east-1:100000000001:stack/s/01234567-89ab-cdef-0123-456789abcdef"
BY_ID = {"StackName": ID}


@pytest.fixture
def client():
    return boto3.client("cloudformation", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")


def stack(status, **more):
    return {"StackId": ID, "StackName": "s", "CreationTime": AT, "StackStatus": status, **more}


def event(name, status, reason="", *, kind="AWS::S3::Bucket", physical="b", minute=0):
    return {
        "StackId": ID,
        "EventId": f"{name}-{minute}",
        "StackName": "s",
        "LogicalResourceId": name,
        "PhysicalResourceId": physical,
        "ResourceType": kind,
        "Timestamp": AT + timedelta(minutes=minute),
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


def own(status, reason=""):
    return event("s", status, reason, kind="AWS::CloudFormation::Stack", physical=ID)


def seen_of(client, answer, resources=(), events=()):
    """What is seen of a stack that AWS tells of like this; events the newest first."""
    with Stubber(client) as stub:
        stub.add_response("describe_stacks", {"Stacks": [answer]}, BY_ID)
        if STATES[answer["StackStatus"]] in (RUNNING, FAILED):
            stub.add_response("list_stack_resources", {"StackResourceSummaries": list(resources)}, BY_ID)
        if STATES[answer["StackStatus"]] == FAILED:
            stub.add_response("describe_stack_events", {"StackEvents": list(events)}, BY_ID)
        seen = STACK.observe(client, want_for("cloudformation-stack", aws_id=ID))
        stub.assert_no_pending_responses()
    return seen


def test_every_state_that_a_stack_can_have_is_known(client):
    assert set(client.meta.service_model.shape_for("StackStatus").enum) == set(STATES)


@pytest.mark.parametrize(
    ("status", "state", "why"),
    [
        ("CREATE_IN_PROGRESS", PENDING, ""),
        ("CREATE_COMPLETE", RUNNING, ""),
        ("ROLLBACK_IN_PROGRESS", PENDING, "it will have failed, and AWS is still at it"),
        ("ROLLBACK_COMPLETE", FAILED, "complete is the taking back"),
        ("UPDATE_IN_PROGRESS", RUNNING, "what it made before is there, and costs"),
        ("UPDATE_ROLLBACK_COMPLETE", RUNNING, "as it was before the change"),
        ("REVIEW_IN_PROGRESS", STOPPED, "nobody works at it: looked at for ever, it would be looked at every 2 s"),
        ("DELETE_IN_PROGRESS", DELETING, ""),
        ("DELETE_FAILED", FAILED, "no longer on its way out"),
        ("DELETE_COMPLETE", ABSENT, "told by its id for 90 days"),
    ],
)
def test_a_stack_is_seen_as(client, status, state, why):
    assert seen_of(client, stack(status)).state == state, why


def test_a_stack_that_is_gone_says_since_when(client):
    gone = seen_of(client, stack("DELETE_COMPLETE", DeletionTime=AT + timedelta(hours=1)))
    assert gone.since == AT + timedelta(hours=1)


def test_a_stack_names_what_it_made_and_not_what_its_template_prints(client):
    """An output may be a password; the id of a thing is none."""

    def line(name, kind, physical, status="CREATE_COMPLETE"):
        known = {"PhysicalResourceId": physical} if physical else {}
        named = {"LogicalResourceId": name, "ResourceType": kind, "LastUpdatedTimestamp": AT, "ResourceStatus": status}
        return named | known

    seen = seen_of(
        client,
        stack("CREATE_COMPLETE", Outputs=[{"OutputKey": "Password", "OutputValue": "do not keep this"}]),
        [
            line("Data", "AWS::S3::Bucket", "s-data-1"),
            line("Box", "AWS::EC2::Instance", "i-0", "DELETE_COMPLETE"),
            line("Never", "AWS::SNS::Topic", ""),
        ],
    )
    assert seen.facts["resources"] == [{"name": "Data", "type": "AWS::S3::Bucket", "id": "s-data-1"}]
    assert seen.facts["id_of_data"] == "s-data-1"
    assert "do not keep this" not in json.dumps(dict(seen.facts))


def test_a_stack_that_could_not_be_made_says_what_failed_first(client):
    events = [
        own("ROLLBACK_COMPLETE"),
        own("ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [Role, Data]."),
        event("Role", "CREATE_FAILED", "Resource creation cancelled", kind="AWS::IAM::Role"),
        event("Data", "CREATE_FAILED", "taken already exists"),
        own("CREATE_IN_PROGRESS", "User Initiated"),
        event("Old", "DELETE_FAILED", "of an earlier operation"),
    ]
    seen = seen_of(client, stack("ROLLBACK_COMPLETE"), events=events)
    assert seen.facts["failure"] == "Data (AWS::S3::Bucket): taken already exists"


def test_a_failure_without_events_says_what_the_stack_says(client):
    told = stack("DELETE_FAILED", StackStatusReason="The following resource(s) failed to delete: [Data].")
    assert seen_of(client, told).facts["failure"] == "The following resource(s) failed to delete: [Data]."
    assert "ROLLBACK_FAILED" in seen_of(client, stack("ROLLBACK_FAILED")).facts["failure"]


def test_a_failure_is_looked_for_in_a_few_pages_only(client):
    with Stubber(client) as stub:
        stub.add_response("describe_stacks", {"Stacks": [stack("CREATE_FAILED")]}, BY_ID)
        stub.add_response("list_stack_resources", {"StackResourceSummaries": []}, BY_ID)
        token = {}
        for page in range(3):
            answer = {"StackEvents": [event("Data", "CREATE_FAILED", f"page {page}")], "NextToken": f"t{page}"}
            stub.add_response("describe_stack_events", answer, BY_ID | token)
            token = {"NextToken": f"t{page}"}
        seen = STACK.observe(client, want_for("cloudformation-stack", aws_id=ID))
    assert seen.facts["failure"] == "Data (AWS::S3::Bucket): page 2"


def test_nested_stacks_are_left_to_their_root(client):
    inner = stack("CREATE_COMPLETE", ParentId=ID, RootId=ID) | {"StackId": ID + "-inner", "StackName": "s-inner"}
    with Stubber(client) as stub:
        stub.add_response("describe_stacks", {"Stacks": [stack("CREATE_COMPLETE"), inner]}, {})
        assert [seen.name for seen in STACK.find_all(client)] == ["s"]


@pytest.mark.parametrize("status", ["DELETE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"])
def test_in_the_middle_of_a_change_no_delete_is_asked_for(client, status):
    with Stubber(client):  # any call would fail: none is expected
        STACK.delete(client, want_for("cloudformation-stack"), Seen(STATES[status], ID, facts={"status": status}))


def test_a_stack_that_is_being_made_can_be_deleted(client):
    with Stubber(client) as stub:
        stub.add_response("delete_stack", {}, BY_ID)
        STACK.delete(
            client, want_for("cloudformation-stack"), Seen(PENDING, ID, facts={"status": "CREATE_IN_PROGRESS"})
        )
        stub.assert_no_pending_responses()


def test_the_dead_mans_switch_deletes_it_with_what_it_made():
    """The stack costs nothing, what it made may: one call for all of it."""
    call = STACK.off_call(want_for("cloudformation-stack", aws_id=ID))
    assert (call.target, call.input) == ("arn:aws:scheduler:::aws-sdk:cloudformation:deleteStack", {"StackName": ID})
    assert STACK.off_call(want_for("cloudformation-stack", name="lab-s")).input == {"StackName": "lab-s"}
    assert STACK.stop_means == "delete"


# --- in practice mode -------------------------------------------------------------------------------------------


@pytest.mark.simulator
def test_a_stack_that_somebody_protected_is_gone_after_two_calls(account):
    client, want, _ = make("cloudformation-stack", account)
    client.update_termination_protection(StackName=want.name, EnableTerminationProtection=True)
    assert delete("cloudformation-stack", client, want) == 2


@pytest.mark.simulator
def test_a_stack_with_a_bucket_that_is_not_empty_is_kept_loudly_and_goes_when_it_is_empty(account):
    client, want, seen = make("cloudformation-stack", account)
    s3, bucket = account.client("s3"), seen.facts["id_of_data"]
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    STACK.delete(client, want, seen)
    kept = STACK.observe(client, want)
    assert (kept.state, kept.facts["status"]) == (FAILED, "DELETE_FAILED")
    assert kept.facts["resources"] == [{"name": "Data", "type": "AWS::S3::Bucket", "id": bucket}], "the topic is gone"
    with pytest.raises(Refused, match="Data .AWS::S3::Bucket.: The bucket you tried to delete is not empty"):
        STACK.delete(client, want, kept)
    s3.delete_object(Bucket=bucket, Key="a")
    with pytest.raises(Refused):
        STACK.delete(client, want, STACK.observe(client, want))  # asked again all the same: it goes this time
    assert STACK.observe(client, want).state == ABSENT


@pytest.mark.simulator
def test_a_template_that_needs_leave_or_a_parameter_is_refused_before_anything_is_made(account):
    client = account.client("cloudformation")
    want = want_for("cloudformation-stack", {"template_body": "Resources: {}"})
    with pytest.raises(client.exceptions.ClientError, match="At least one Resources member"):
        STACK.create(client, want)
    assert STACK.observe(client, want).state == ABSENT


@pytest.mark.simulator
def test_a_stack_is_seen_on_its_way(account):
    account.simulator.pace(state_seconds=30)
    client, want, seen = make("cloudformation-stack", account)
    assert (seen.state, "resources" in seen.facts) == (PENDING, False)
    account.simulator.let_pass(31)
    seen = STACK.observe(client, want)
    assert seen.state == RUNNING
    STACK.delete(client, want, seen)
    assert STACK.observe(client, want).state == DELETING
    account.simulator.let_pass(31)
    assert STACK.observe(client, want).state == ABSENT
