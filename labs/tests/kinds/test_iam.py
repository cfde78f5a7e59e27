"""Roles and the profiles that carry them."""

import json

import pytest

from labs.kinds import kind_of
from labs.tests.kinds.examples import configure, delete, make, want_for
from labs.tests.kinds.examples.iam import READS

ROLE, PROFILE = kind_of("iam-role"), kind_of("instance-profile")
SSM = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
pytestmark = pytest.mark.simulator


def test_a_role_lies_under_lab_and_trusts_one_service(account):
    client, want, seen = make("iam-role", account, {"trust": "sagemaker.amazonaws.com"})
    role = client.get_role(RoleName=want.name)["Role"]
    assert role["Path"] == "/lab/"
    assert seen.facts["arn"] == f"arn:aws:iam::{account.id}:role/lab/{want.name}"
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}


def test_a_boundary_that_is_asked_for_is_in_the_create_call(account):
    boundary = account.client("iam").create_policy(PolicyName="boundary", PolicyDocument=json.dumps(READS))
    arn = boundary["Policy"]["Arn"]
    client, want, _ = make("iam-role", account, {"trust": "ec2.amazonaws.com", "permissions_boundary": arn})
    role = client.get_role(RoleName=want.name)["Role"]
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == arn


def test_policies_are_attached_and_written_until_they_are_seen(account):
    asked = {"trust": "ec2.amazonaws.com", "managed_policies": [SSM], "inline_policies": {"reads": READS}}
    client, want, seen = make("iam-role", account, asked)
    configure("iam-role", client, want, seen)
    attached = client.list_attached_role_policies(RoleName=want.name)["AttachedPolicies"]
    assert [policy["PolicyArn"] for policy in attached] == [SSM]
    assert client.get_role_policy(RoleName=want.name, PolicyName="reads")["PolicyDocument"] == READS


def test_an_inline_policy_that_was_changed_is_written_again(account):
    client, want, seen = make("iam-role", account)
    other = json.dumps(READS | {"Statement": []} | {"Statement": [{**READS["Statement"][0], "Action": "s3:*"}]})
    client.put_role_policy(RoleName=want.name, PolicyName="reads", PolicyDocument=other)
    configure("iam-role", client, want, seen)
    assert client.get_role_policy(RoleName=want.name, PolicyName="reads")["PolicyDocument"] == READS


def test_a_role_lets_go_of_profiles_and_policies_also_of_those_a_student_added(account):
    asked = {"trust": "ec2.amazonaws.com", "managed_policies": [SSM], "inline_policies": {"reads": READS}}
    client, want, seen = make("iam-role", account, asked)
    configure("iam-role", client, want, seen)
    _, profile, seen_profile = make("instance-profile", account, {"role": want.name})
    configure("instance-profile", client, profile, seen_profile)
    client.put_role_policy(RoleName=want.name, PolicyName="own", PolicyDocument=json.dumps(READS))
    assert delete("iam-role", client, want) == 1
    assert PROFILE.observe(client, profile).facts["roles"] == []


def test_a_profile_whose_role_was_exchanged_can_be_deleted(account):
    client, want, seen = make("instance-profile", account)
    seen = configure("instance-profile", client, want, seen)
    other = account.role().rsplit("/", 1)[-1]
    client.remove_role_from_instance_profile(InstanceProfileName=want.name, RoleName=seen.facts["roles"][0])
    client.add_role_to_instance_profile(InstanceProfileName=want.name, RoleName=other)
    assert delete("instance-profile", client, want) == 1


def test_the_census_leaves_out_aws_own_roles_and_the_portals(account):
    client = account.client("iam")
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    there = {role["RoleName"] for role in client.list_roles()["Roles"]}
    for name, path in (
        ("controller", "/lab/"),
        ("student", "/lab/"),
        ("AWSServiceRoleForX", "/aws-service-role/x.amazonaws.com/"),
        ("AWSReservedSSO_Admin", "/aws-reserved/sso.amazonaws.com/"),
        ("Admin", "/"),
    ):
        if name not in there:
            client.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=trust)
    listed = {seen.name for seen in ROLE.find_all(client)}
    assert "Admin" in listed
    assert not listed & {"controller", "student", "AWSServiceRoleForX", "AWSReservedSSO_Admin"}


def test_a_name_that_begins_like_the_portals_own_hides_nothing(account):
    client = account.client("iam")
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    client.create_role(RoleName="student-of-mine", Path="/lab/", AssumeRolePolicyDocument=trust)
    client.create_instance_profile(InstanceProfileName="student-of-mine", Path="/lab/")
    for kind in (ROLE, PROFILE):
        assert "student-of-mine" in {seen.name for seen in kind.find_all(client)}


def test_two_roles_of_one_name_are_one_role(account):
    """EntityAlreadyExists: the second create of a lost answer finds the first."""
    client, want, _ = make("iam-role", account)
    with pytest.raises(client.exceptions.EntityAlreadyExistsException):
        ROLE.create(client, want)
    assert ROLE.observe(client, want_for("iam-role", name=want.name)).name == want.name
