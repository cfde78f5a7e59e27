"""CloudFormation in practice mode: templates are data, and a stack is kept, or taken back, where AWS would do so."""

import json
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.simulator

BUCKET = {"Data": {"Type": "AWS::S3::Bucket"}}
TOPIC = {"News": {"Type": "AWS::SNS::Topic"}}


@pytest.fixture
def aye(simulator):
    return simulator.new_account()


@pytest.fixture
def stacks(simulator, aye):
    return simulator.client("cloudformation", aye)


@pytest.fixture
def s3(simulator, aye):
    return simulator.client("s3", aye)


def template(*resources, **more):
    return json.dumps({"Resources": {name: one for each in resources for name, one in each.items()}, **more})


def status_of(stacks, name):
    return stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]


def made_by(stacks, name):
    listed = stacks.list_stack_resources(StackName=name)["StackResourceSummaries"]
    return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in listed}


def refusal_of(call, **asked):
    with pytest.raises(ClientError) as refused:
        call(**asked)
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    return refused.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("{}", "At least one Resources member"),
        ("{", "not well-formed"),
        ("- a list", "unsupported structure"),
        ("Resources: !!python/object/apply:os.getcwd []", "not well-formed"),
        (template({"X": {"Type": "AWS::Made::Up"}}), "cannot make AWS::Made::Up"),
        (template(TOPIC, Parameters={"Missing": {"Type": "String"}}), "Missing"),
    ],
)
def test_a_template_that_is_wrong_is_refused_and_leaves_no_stack(stacks, body, words):
    assert words in refusal_of(stacks.create_stack, StackName="s", TemplateBody=body)
    assert stacks.describe_stacks()["Stacks"] == []


def test_no_python_of_a_template_is_run(stacks, tmp_path):
    """moto's loader would; the simulator runs as the portal's own user."""
    written = tmp_path / "written"
    body = f"Description: !!python/object/apply:os.mkdir ['{written}']\nResources: {{News: {{Type: AWS::SNS::Topic}}}}"
    for call in (stacks.create_stack, stacks.create_change_set):
        more = {"ChangeSetName": "c", "ChangeSetType": "CREATE"} if call == stacks.create_change_set else {}
        with pytest.raises(ClientError):
            call(StackName="s", TemplateBody=body, **more)
    assert not written.exists()


def test_yaml_is_read_with_its_short_forms_and_its_dates_as_text(simulator, aye, stacks):
    body = """
    Resources:
      Role:
        Type: AWS::IAM::Role
        Properties:
          AssumeRolePolicyDocument:
            Version: 2012-10-17
            Statement: []
      News:
        Type: AWS::SNS::Topic
        Properties: {DisplayName: !Sub "${AWS::StackName}-x"}
    Outputs:
      Arn: {Value: !GetAtt Role.Arn}
    """
    stacks.create_stack(StackName="s", TemplateBody=body, Capabilities=["CAPABILITY_IAM"])
    roles = simulator.client("iam", aye).list_roles()["Roles"]
    (role,) = [role for role in roles if role["Path"] != "/lab/"]
    assert role["AssumeRolePolicyDocument"]["Version"] == "2012-10-17"
    (output,) = stacks.describe_stacks(StackName="s")["Stacks"][0]["Outputs"]
    assert output["OutputValue"] == role["Arn"]


def test_a_bucket_that_is_not_empty_keeps_its_stack_until_it_is(stacks, s3):
    stacks.create_stack(StackName="s", TemplateBody=template(BUCKET, TOPIC))
    bucket = made_by(stacks, "s")["Data"]
    s3.put_object(Bucket=bucket, Key="a", Body=b"")
    stacks.delete_stack(StackName="s")
    assert status_of(stacks, "s") == "DELETE_FAILED"
    assert made_by(stacks, "s") == {"Data": bucket}, "what could be deleted is deleted, and looking makes nothing anew"
    told = stacks.describe_stack_events(StackName="s")["StackEvents"]
    (why,) = [each for each in told if each["LogicalResourceId"] == "Data"]
    assert (why["ResourceStatus"], "not empty" in why["ResourceStatusReason"]) == ("DELETE_FAILED", True)
    s3.delete_object(Bucket=bucket, Key="a")
    stacks.delete_stack(StackName="s")
    assert stacks.describe_stacks()["Stacks"] == []
    assert s3.list_buckets()["Buckets"] == []


def test_what_somebody_deleted_by_hand_is_in_no_stacks_way(simulator, aye, stacks, s3):
    logs = {"Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "mine"}}}
    stacks.create_stack(StackName="s", TemplateBody=template(BUCKET, logs))
    s3.delete_bucket(Bucket=made_by(stacks, "s")["Data"])
    simulator.client("logs", aye).delete_log_group(logGroupName="mine")
    stacks.delete_stack(StackName="s")
    assert stacks.describe_stacks()["Stacks"] == []


def test_what_is_gone_is_told_by_its_id_and_not_made_anew_by_looking(stacks, s3):
    body = template(BUCKET, Outputs={"Name": {"Value": {"Ref": "Data"}}})
    stack = stacks.create_stack(StackName="s", TemplateBody=body)["StackId"]
    stacks.delete_stack(StackName="s")
    assert status_of(stacks, stack) == "DELETE_COMPLETE"
    assert made_by(stacks, stack) == {}
    assert s3.list_buckets()["Buckets"] == []
    stacks.create_stack(StackName="s", TemplateBody=body)  # its name is free
    assert "does not exist" in refusal_of(stacks.describe_stacks, StackName="other")
    stacks.delete_stack(StackName="other")  # no error, as at AWS


def test_what_its_template_keeps_stays_when_the_stack_goes(stacks, s3):
    stacks.create_stack(StackName="s", TemplateBody=template({"Data": {**BUCKET["Data"], "DeletionPolicy": "Retain"}}))
    stacks.delete_stack(StackName="s")
    assert stacks.describe_stacks()["Stacks"] == []
    assert len(s3.list_buckets()["Buckets"]) == 1


def test_a_protected_stack_is_kept(stacks):
    stacks.create_stack(StackName="s", TemplateBody=template(TOPIC), EnableTerminationProtection=True)
    assert "TerminationProtection" in refusal_of(stacks.delete_stack, StackName="s")
    stacks.update_termination_protection(StackName="s", EnableTerminationProtection=False)
    stacks.delete_stack(StackName="s")
    assert stacks.describe_stacks()["Stacks"] == []


def test_a_stack_of_which_something_cannot_be_made_is_taken_back(simulator, aye, stacks):
    iam = simulator.client("iam", aye)
    iam.create_user(UserName="taken")
    user = {"Aye": {"Type": "AWS::IAM::User", "DependsOn": "News", "Properties": {"UserName": "taken"}}}
    stacks.create_stack(StackName="s", TemplateBody=template(TOPIC, user))
    (stack,) = stacks.describe_stacks(StackName="s")["Stacks"]
    assert (stack["StackStatus"], stack["StackStatusReason"]) == (
        "ROLLBACK_COMPLETE",
        "The following resource(s) failed to create: [Aye].",
    )
    assert made_by(stacks, "s") == {}
    assert simulator.client("sns", aye).list_topics()["Topics"] == []
    assert [user["UserName"] for user in iam.list_users()["Users"]] == ["taken"]
    told = stacks.describe_stack_events(StackName="s")["StackEvents"]
    (why,) = [each for each in told if each["ResourceStatus"] == "CREATE_FAILED"]
    assert (why["LogicalResourceId"], why["ResourceStatusReason"]) == ("Aye", "User taken already exists")
    stacks.delete_stack(StackName="s")
    assert stacks.describe_stacks()["Stacks"] == []


@pytest.fixture
def inner(s3):
    """The address of a template with a bucket, for a stack within a stack."""
    bucket = f"templates-{uuid4().hex}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="inner.json", Body=template(BUCKET).encode())
    return f"https://s3.amazonaws.com/{bucket}/inner.json"


def test_a_nested_stack_names_its_root_and_keeps_it(stacks, s3, inner):
    nested = {"Inner": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": inner}}}
    root = stacks.create_stack(StackName="root", TemplateBody=template(nested))["StackId"]
    told = {stack["StackName"]: stack for stack in stacks.describe_stacks()["Stacks"]}
    (name,) = set(told) - {"root"}
    assert (told[name]["ParentId"], told[name]["RootId"], "ParentId" in told["root"]) == (root, root, False)
    bucket = made_by(stacks, name)["Data"]
    s3.put_object(Bucket=bucket, Key="a", Body=b"")
    stacks.delete_stack(StackName="root")
    assert {status_of(stacks, each) for each in ("root", name)} == {"DELETE_FAILED"}
    s3.delete_object(Bucket=bucket, Key="a")
    stacks.delete_stack(StackName="root")
    assert stacks.describe_stacks()["Stacks"] == []


def test_a_stack_is_seen_on_its_way_through_life(simulator, stacks):
    simulator.pace(state_seconds=60)
    stack = stacks.create_stack(StackName="s", TemplateBody=template(TOPIC))["StackId"]
    for ask, on_the_way, at_last in (
        (None, "CREATE_IN_PROGRESS", "CREATE_COMPLETE"),
        (stacks.delete_stack, "DELETE_IN_PROGRESS", "DELETE_COMPLETE"),
    ):
        if ask:
            ask(StackName=stack)
        assert status_of(stacks, stack) == on_the_way
        simulator.let_pass(61)
        assert status_of(stacks, stack) == at_last


def test_a_stack_that_is_being_changed_takes_no_delete(simulator, stacks):
    stacks.create_stack(StackName="s", TemplateBody=template(TOPIC))
    simulator.pace(state_seconds=60)
    stacks.update_stack(StackName="s", TemplateBody=template(TOPIC, BUCKET))
    assert "UPDATE_IN_PROGRESS" in refusal_of(stacks.delete_stack, StackName="s")
    simulator.let_pass(61)
    assert status_of(stacks, "s") == "UPDATE_COMPLETE"
