"""IAM in practice mode, where moto would let through what AWS refuses."""

import json
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.simulator

SEE = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:List*", "Resource": "*"}]})
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


@pytest.fixture
def iam(simulator):
    return simulator.client("iam", simulator.new_account())


def code_of(call, **asked):
    with pytest.raises(ClientError) as refused:
        call(**asked)
    return refused.value.response["Error"]["Code"]


@pytest.fixture
def user(iam):
    name = f"u-{uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    return name


def test_a_user_with_a_password_is_kept(iam, user):
    iam.create_login_profile(UserName=user, Password="Practice-only-1!")
    assert code_of(iam.delete_user, UserName=user) == "DeleteConflict"
    iam.delete_login_profile(UserName=user)
    iam.delete_user(UserName=user)


def test_a_user_with_an_mfa_device_is_kept_and_so_is_the_device(iam, user):
    serial = iam.create_virtual_mfa_device(VirtualMFADeviceName=user)["VirtualMFADevice"]["SerialNumber"]
    codes = {"AuthenticationCode1": "123456", "AuthenticationCode2": "234567"}
    iam.enable_mfa_device(UserName=user, SerialNumber=serial, **codes)
    assert code_of(iam.delete_user, UserName=user) == "DeleteConflict"
    assert code_of(iam.delete_virtual_mfa_device, SerialNumber=serial) == "DeleteConflict"
    iam.deactivate_mfa_device(UserName=user, SerialNumber=serial)
    iam.delete_virtual_mfa_device(SerialNumber=serial)
    iam.delete_user(UserName=user)


def test_a_password_for_a_service_is_told_once_and_keeps_its_user(iam, user):
    made = iam.create_service_specific_credential(UserName=user, ServiceName="codecommit.amazonaws.com")
    credential = made["ServiceSpecificCredential"]
    assert credential["ServicePassword"]
    (listed,) = iam.list_service_specific_credentials(UserName=user)["ServiceSpecificCredentials"]
    assert "ServicePassword" not in listed
    assert listed["ServiceSpecificCredentialId"] == credential["ServiceSpecificCredentialId"]
    assert code_of(iam.delete_user, UserName=user) == "DeleteConflict"
    asked = {"UserName": user, "ServiceSpecificCredentialId": listed["ServiceSpecificCredentialId"]}
    iam.delete_service_specific_credential(**asked)
    assert code_of(iam.delete_service_specific_credential, **asked) == "NoSuchEntity"
    iam.delete_user(UserName=user)


def test_a_policy_tells_all_who_have_it_however_it_is_asked(iam):
    arn = iam.create_policy(PolicyName="own", PolicyDocument=SEE)["Policy"]["Arn"]
    roles = {f"r{number}" for number in range(3)}
    for role in roles:
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=TRUST)
        iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    pages = iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=arn, PaginationConfig={"PageSize": 1})
    assert {role["RoleName"] for page in pages for role in page["PolicyRoles"]} == roles
    assert code_of(iam.list_entities_for_policy, PolicyArn=arn + "x") == "NoSuchEntity"


def test_a_boundary_is_not_an_attached_policy_and_is_kept_while_a_role_has_it(iam):
    arn = iam.create_policy(PolicyName="edge", PolicyDocument=SEE)["Policy"]["Arn"]
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=arn)
    for usage, roles in (("PermissionsPolicy", []), ("PermissionsBoundary", ["r"])):
        told = iam.list_entities_for_policy(PolicyArn=arn, PolicyUsageFilter=usage)["PolicyRoles"]
        assert [role["RoleName"] for role in told] == roles
    assert code_of(iam.delete_policy, PolicyArn=arn) == "DeleteConflict"
    iam.delete_role(RoleName="r")
    iam.delete_policy(PolicyArn=arn)
