"""The labs on IAM say what is still missing, and what is too much."""

import json

import pytest

from labs.catalog.policies import documents_of, fault_in, trusted_by
from labs.policy_evaluator import Call
from labs.tests.test_catalog import account, lab, lab_by_hand  # noqa: F401  fixtures

pytestmark = pytest.mark.simulator
READ_ONLY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource, **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


# --- what the checks ask with --------------------------------------------------------------------------------


def test_a_condition_that_the_check_does_not_know_is_told_and_not_guessed():
    document = json.loads(policy(allow("s3:*", "*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})))
    call = {"list the bucket": Call("s3:ListBucket", "arn:aws:s3:::b", {"aws:SourceIp": "10.0.0.1"})}
    assert "'IpAddress', which this check cannot judge" in fault_in([document], call, {})


def test_whoever_a_trust_policy_names_is_told():
    def trusting(*statements):
        return trusted_by({"AssumeRolePolicyDocument": {"Statement": list(statements)}})

    def let_in(who, effect="Allow"):
        return {"Effect": effect, "Principal": who, "Action": "sts:AssumeRole"}

    assert trusting(let_in("*")) == {"*"}
    assert trusting(let_in({"AWS": ["*", "111122223333"], "Service": "ec2.amazonaws.com"})) == {
        "*",
        "111122223333",
        "ec2.amazonaws.com",
    }
    assert trusting(let_in("*", "Deny"), let_in({"Service": "lambda.amazonaws.com"})) == {"lambda.amazonaws.com"}


# --- a user --------------------------------------------------------------------------------------------------


@lab_by_hand("iam-user")
def test_the_user_lab_wants_rights_on_the_group_alone(lab):  # noqa: F811
    iam, user, group = lab.view.client("iam"), f"{lab.view.prefix}aye", f"{lab.view.prefix}readers"
    assert lab.check("make").said == f"There is no user {user} yet."
    iam.create_user(UserName=user)
    assert "make it again with --path /lab/" in lab.check("make").said
    iam.delete_user(UserName=user)
    iam.create_user(UserName=user, Path="/lab/")
    iam.attach_user_policy(UserName=user, PolicyArn=READ_ONLY)
    assert "has the policy AmazonS3ReadOnlyAccess itself" in lab.check("make").said
    iam.detach_user_policy(UserName=user, PolicyArn=READ_ONLY)
    assert lab.check("make").passed

    assert lab.check("group").said == f"There is no group {group} yet."
    iam.create_group(GroupName=group, Path="/lab/")
    assert "has no policy" in lab.check("group").said
    iam.attach_group_policy(GroupName=group, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    assert "has AdministratorAccess" in lab.check("group").said
    iam.detach_group_policy(GroupName=group, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    iam.attach_group_policy(GroupName=group, PolicyArn=READ_ONLY)
    assert f"is not in {group} yet" in lab.check("group").said
    iam.add_user_to_group(GroupName=group, UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="mine", PolicyDocument=policy(allow("s3:*", "*")))
    assert "has the policy mine itself" in lab.check("group").said
    iam.delete_user_policy(UserName=user, PolicyName="mine")
    assert lab.check("group").passed
    assert "is still in" in lab.check("leave").said


@lab_by_hand("iam-user")
def test_a_key_that_somebody_made_for_the_user_does_not_pass(lab):  # noqa: F811
    iam, user = lab.view.client("iam"), f"{lab.view.prefix}aye"
    iam.create_user(UserName=user, Path="/lab/")
    key = iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]
    assert f"has the access key {key}" in lab.check("look").said
    iam.update_access_key(UserName=user, AccessKeyId=key, Status="Inactive")
    assert not lab.check("look").passed, "it can be switched on again"


# --- a group -------------------------------------------------------------------------------------------------


@lab_by_hand("iam-group")
def test_the_group_lab_asks_what_the_group_allows_and_not_how_it_is_written(lab):  # noqa: F811
    iam, group, bucket = lab.view.client("iam"), f"{lab.view.prefix}readers", lab.resources["bucket"]["arn"]
    assert lab.check("members").said == f"There is no group {group} yet (the step before)."
    iam.create_group(GroupName=group, Path="/lab/")
    assert "does not have the policy AmazonS3ReadOnlyAccess" in lab.check("group").said
    iam.add_user_to_group(GroupName=group, UserName=lab.resources["aye"]["name"])
    assert lab.check("members").said == f"Not in the group yet: {lab.resources['bo']['name']}."

    def says(*statements):
        iam.put_group_policy(GroupName=group, PolicyName="mine", PolicyDocument=policy(*statements))
        return lab.check("narrow")

    assert "may not list the bucket yet" in lab.check("narrow").said
    assert "may not read a file of it yet" in says(allow("s3:ListBucket", bucket)).said
    assert "may also list other buckets" in says(allow(["s3:List*", "s3:Get*"], "*")).said
    assert "may also write into the bucket" in says(allow("s3:*", [bucket, f"{bucket}/*"])).said
    assert says(allow(["s3:Get*", "s3:List*"], [bucket, f"{bucket}/*"])).passed
    iam.attach_group_policy(GroupName=group, PolicyArn=READ_ONLY)
    assert "may also list other buckets" in lab.check("narrow").said, "the first policy is still on it"


@lab_by_hand("iam-group")
def test_people_with_policies_of_their_own_are_told(lab):  # noqa: F811
    iam, bo = lab.view.client("iam"), lab.resources["bo"]["name"]
    iam.attach_user_policy(UserName=bo, PolicyArn=READ_ONLY)
    assert lab.check("look").said.startswith(f"{bo} has a policy of its own.")


# --- a policy ------------------------------------------------------------------------------------------------


@lab_by_hand("iam-policy-bucket")
def test_the_policy_lab_knows_the_usual_mistakes(lab):  # noqa: F811
    iam, role, bucket = lab.view.client("iam"), lab.resources["role"]["name"], lab.resources["bucket"]["arn"]
    assert lab.check("list").said == "The role has no policy yet."

    def says(step, *statements):
        iam.put_role_policy(RoleName=role, PolicyName="see-the-bucket", PolicyDocument=policy(*statements))
        return lab.check(step)

    assert "the ARN of the bucket ends without /*" in says("list", allow("s3:ListBucket", f"{bucket}/*")).said
    assert "may also list other buckets" in says("list", allow("s3:ListBucket", "*")).said
    lists, reads = allow("s3:ListBucket", bucket), allow("s3:GetObject", f"{bucket}/raw/*")
    assert "may not read a file of it yet" in says("read", lists).said
    assert "may not read a file of it yet" in says("read", lists, allow("s3:GetObject", bucket)).said
    assert "may also read the models" in says("read", lists, allow("s3:GetObject", f"{bucket}/*")).said
    assert "may also delete from the bucket" in says("read", lists, reads, allow("s3:Delete*", f"{bucket}/*")).said
    assert says("read", lists, reads).passed

    assert "may also list the whole bucket" in says("narrow", lists, reads).said
    raw = {"StringEquals": {"s3:prefix": "raw/"}}
    assert "may not list a folder of a date yet" in says("narrow", lists | {"Condition": raw}, reads).said
    raw = {"StringLike": {"s3:prefix": ["raw/", "raw/*"]}}
    assert says("narrow", lists | {"Condition": raw}, reads).passed, "another right way to write it"
    everywhere = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}
    assert not says("narrow", lists | {"Condition": raw}, reads, everywhere).passed


# --- a role for a function -----------------------------------------------------------------------------------


@lab_by_hand("iam-role-for-lambda")
def test_the_lambda_lab_wants_a_role_for_lambda_alone_that_only_reads(lab):  # noqa: F811
    iam, role, bucket = lab.view.client("iam"), f"{lab.view.prefix}reads", lab.resources["bucket"]["arn"]

    def trusting(who):
        return policy({"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"})

    assert lab.check("role").said == f"There is no role {role} yet."
    assert lab.check("policy").said == f"There is no role {role} yet (the step before)."
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=trusting({"Service": "lambda.amazonaws.com"}))
    assert "--path /lab/" in lab.check("role").said
    iam.delete_role(RoleName=role)
    both = {"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]}
    iam.create_role(RoleName=role, Path="/lab/", AssumeRolePolicyDocument=trusting(both))
    assert "trusts ec2.amazonaws.com, lambda.amazonaws.com." in lab.check("role").said
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=trusting({"Service": "lambda.amazonaws.com"}))
    assert lab.check("role").passed

    assert "may not list the bucket yet" in lab.check("policy").said
    iam.attach_role_policy(RoleName=role, PolicyArn=READ_ONLY)
    assert "may not write its log yet" in lab.check("policy").said
    iam.put_role_policy(RoleName=role, PolicyName="log", PolicyDocument=policy(allow("logs:*", "*")))
    assert "may also list other buckets" in lab.check("policy").said
    iam.detach_role_policy(RoleName=role, PolicyArn=READ_ONLY)
    iam.put_role_policy(
        RoleName=role,
        PolicyName="read",
        PolicyDocument=policy(allow(["s3:Get*", "s3:List*"], [bucket, f"{bucket}/*"])),
    )
    assert lab.check("policy").passed
    assert f"still has the role {lab.resources['start']['name']}" in lab.check("give").said


@lab_by_hand("iam-role-for-lambda")
def test_the_role_that_the_portal_gives_the_function_may_not_read(lab):  # noqa: F811
    documents = documents_of(lab.view.client("iam"), "role", lab.resources["start"]["name"])
    bucket = lab.resources["bucket"]["arn"]
    assert fault_in(documents, {"read": Call("s3:GetObject", f"{bucket}/raw/x.csv")}, {})
    assert "may write a log and read no bucket" in lab.check("look").said
