"""Who may what: roles and the profiles that carry them, users with all that hangs on them, groups, policies, keys."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import boto3
import pytest
from botocore.stub import Stubber
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from labs.kinds import kind_of
from labs.kinds.base import ABSENT, RUNNING, STOPPED, Seen
from labs.tests.kinds.examples import configure, delete, make, want_for
from labs.tests.kinds.examples.iam import READS

ROLE, PROFILE = kind_of("iam-role"), kind_of("instance-profile")
USER, GROUP, POLICY, KEY = map(kind_of, ("iam-user", "iam-group", "iam-policy", "iam-access-key"))
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


def test_a_role_keeps_its_boundary_until_it_is_gone(account):
    """IAM asks for no more; without it the role may do for a moment what it never might."""
    boundary = account.client("iam").create_policy(PolicyName=f"b-{uuid4().hex}", PolicyDocument=json.dumps(READS))
    asked = {"trust": "ec2.amazonaws.com", "permissions_boundary": boundary["Policy"]["Arn"]}
    client, want, _ = make("iam-role", account, asked)
    account.simulator.forget_calls()
    assert delete("iam-role", client, want) == 1
    assert "iam:DeleteRolePermissionsBoundary" not in account.simulator.calls()["by"]


# --- users -----------------------------------------------------------------------------------------------------


def a_certificate() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([]), datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def with_mfa(client, user):
    serial = client.create_virtual_mfa_device(VirtualMFADeviceName=user)["VirtualMFADevice"]["SerialNumber"]
    client.enable_mfa_device(
        UserName=user, SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="234567"
    )


def in_a_group(client, user):
    group = f"g-{uuid4().hex}"
    client.create_group(GroupName=group)
    client.add_user_to_group(GroupName=group, UserName=user)


HANGS_ON_A_USER = {
    "access keys": lambda client, user: [client.create_access_key(UserName=user) for _ in range(2)],
    "a password": lambda client, user: client.create_login_profile(UserName=user, Password="Practice-only-1!"),
    "a Git password": lambda client, user: client.create_service_specific_credential(
        UserName=user, ServiceName="codecommit.amazonaws.com"
    ),
    "an SSH key": lambda client, user: client.upload_ssh_public_key(UserName=user, SSHPublicKeyBody="ssh-rsa AAAA"),
    "a certificate": lambda client, user: client.upload_signing_certificate(
        UserName=user, CertificateBody=a_certificate()
    ),
    "an MFA device": with_mfa,
    "a group": in_a_group,
    "an attached policy": lambda client, user: client.attach_user_policy(UserName=user, PolicyArn=SSM),
    "an inline policy": lambda client, user: client.put_user_policy(
        UserName=user, PolicyName="own", PolicyDocument=json.dumps(READS)
    ),
}


@pytest.mark.parametrize("what", HANGS_ON_A_USER)
def test_a_user_goes_when_what_hangs_on_it_is_gone(account, what):
    client, want, _ = make("iam-user", account, {})
    HANGS_ON_A_USER[what](client, want.name)
    with pytest.raises(client.exceptions.DeleteConflictException):
        client.delete_user(UserName=want.name)
    assert delete("iam-user", client, want) == 2, "one part a call, then the user"


def test_a_user_with_everything_goes_in_bounded_parts_and_what_lets_somebody_in_goes_first(account):
    client, want, _ = make("iam-user", account, {})
    for hang in HANGS_ON_A_USER.values():
        hang(client, want.name)
    USER.delete(client, want, USER.observe(client, want))
    assert client.list_access_keys(UserName=want.name)["AccessKeyMetadata"] == []
    assert client.get_login_profile(UserName=want.name), "and no more than one part"
    assert delete("iam-user", client, want, calls=9) == 8
    serials = [device["SerialNumber"] for device in client.list_virtual_mfa_devices()["VirtualMFADevices"]]
    assert not [serial for serial in serials if serial.endswith(f"/{want.name}")], "its name is free for another one"


def test_a_stick_of_the_persons_own_is_deactivated_and_nothing_more():
    client = boto3.client("iam", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    user, serial = {"UserName": "aye"}, "arn:aws:iam::100000000001:u2f/user/aye/stick-AAAA"
    device = {"UserName": "aye", "SerialNumber": serial, "EnableDate": datetime(2025, 9, 13, tzinfo=UTC)}
    whole_page = {**user, "MaxItems": 1000}
    with Stubber(client) as stub:
        stub.add_response("list_access_keys", {"AccessKeyMetadata": []}, whole_page)
        stub.add_client_error("get_login_profile", "NoSuchEntity", expected_params=user)
        stub.add_response("list_service_specific_credentials", {"ServiceSpecificCredentials": []}, user)
        stub.add_response("list_ssh_public_keys", {"SSHPublicKeys": []}, whole_page)
        stub.add_response("list_signing_certificates", {"Certificates": []}, whole_page)
        stub.add_response("list_mfa_devices", {"MFADevices": [device]}, whole_page)
        stub.add_response("deactivate_mfa_device", {}, {**user, "SerialNumber": serial})
        USER.delete(client, want_for("iam-user"), Seen(RUNNING, aws_id="aye"))
        stub.assert_no_pending_responses()


def test_a_user_of_the_portal_has_no_way_in_and_is_put_into_its_groups(account):
    _, group, _ = make("iam-group", account, {})
    client, want, seen = make("iam-user", account, {"groups": [group.name]})
    configure("iam-user", client, want, seen)
    assert [each["GroupName"] for each in client.list_groups_for_user(UserName=want.name)["Groups"]] == [group.name]
    assert client.list_access_keys(UserName=want.name)["AccessKeyMetadata"] == []
    with pytest.raises(client.exceptions.NoSuchEntityException):
        client.get_login_profile(UserName=want.name)


# --- groups ----------------------------------------------------------------------------------------------------


def test_a_groups_members_leave_and_stay_alive(account):
    client, want, seen = make("iam-group", account, {"managed_policies": [SSM], "inline_policies": {"reads": READS}})
    configure("iam-group", client, want, seen)
    users = [make("iam-user", account, {"groups": [want.name]})[1:] for _ in range(2)]
    for user, seen_user in users:
        configure("iam-user", client, user, seen_user)
    assert delete("iam-group", client, want) == 3
    assert all(USER.observe(client, user).state == RUNNING for user, _ in users)


def test_members_leave_fifty_a_call():
    members, removed = [{"UserName": f"u{number}"} for number in range(120)], []

    def get_group(GroupName, MaxItems):  # noqa: N803  as boto3 names them
        return {"Users": members[len(removed) :][:MaxItems]}

    client = SimpleNamespace(get_group=get_group, remove_user_from_group=lambda **asked: removed.append(asked))
    GROUP.delete(client, want_for("iam-group"), Seen(RUNNING, aws_id="g"))
    assert len(removed) == 50


# --- policies --------------------------------------------------------------------------------------------------


def test_a_policy_leaves_everybody_and_its_older_versions_before_it_goes(account):
    client, want, seen = make("iam-policy", account)
    for _ in range(3):
        client.create_policy_version(PolicyArn=seen.aws_id, PolicyDocument=json.dumps(READS), SetAsDefault=True)
    _, user, _ = make("iam-user", account, {"managed_policies": [seen.aws_id]})
    _, group, _ = make("iam-group", account, {"managed_policies": [seen.aws_id]})
    _, role, _ = make("iam-role", account, {"trust": "ec2.amazonaws.com", "managed_policies": [seen.aws_id]})
    for kind, holder in (("iam-user", user), ("iam-group", group), ("iam-role", role)):
        configure(kind, client, holder, kind_of(kind).observe(client, holder))
    assert POLICY.observe(client, want).facts["attached"] == 3
    assert delete("iam-policy", client, want) == 3, "detached, its versions, itself"
    assert USER.observe(client, user).state == RUNNING


def test_a_policy_is_not_taken_off_as_a_boundary_and_waits_for_the_role(account):
    """Without its boundary the role would be allowed more than before."""
    client, want, seen = make("iam-policy", account)
    _, role, _ = make("iam-role", account, {"trust": "ec2.amazonaws.com", "permissions_boundary": seen.aws_id})
    with pytest.raises(client.exceptions.DeleteConflictException):
        POLICY.delete(client, want, seen)
    delete("iam-role", client, role)
    assert delete("iam-policy", client, want) == 1


def test_a_policy_is_taken_off_fifty_holders_a_call(account):
    client, want, seen = make("iam-policy", account)
    pages = [{"PolicyUsers": [], "PolicyGroups": [], "PolicyRoles": [{"RoleName": f"r{n}"} for n in range(40)]}] * 2
    detached = []
    stand_in = SimpleNamespace(
        get_paginator=lambda operation: SimpleNamespace(paginate=lambda **asked: pages),
        detach_user_policy=detached.append,
        detach_group_policy=detached.append,
        detach_role_policy=lambda **asked: detached.append(asked),
    )
    POLICY.delete(stand_in, want, seen)
    assert len(detached) == 50


def test_the_census_leaves_out_aws_own_policies_and_the_portals_boundary(account):
    client = account.client("iam")
    there = [policy["Arn"] for policy in client.list_policies(Scope="Local")["Policies"]]
    if f"arn:aws:iam::{account.id}:policy/lab/boundary" not in there:
        client.create_policy(PolicyName="boundary", Path="/lab/", PolicyDocument=json.dumps(READS))
    _, _, seen = make("iam-policy", account)
    client.get_policy(PolicyArn=SSM)
    listed = {each.aws_id for each in POLICY.find_all(client)}
    assert seen.aws_id in listed
    assert not [arn for arn in listed if arn.startswith("arn:aws:iam::aws:") or arn.endswith("/lab/boundary")]


# --- access keys -----------------------------------------------------------------------------------------------


def test_an_access_key_is_stopped_by_deactivating_it(account):
    client, want, seen = make("iam-access-key", account)
    assert seen.state == RUNNING and seen.facts["last_used"] == ""
    assert "secret" not in json.dumps(dict(seen.facts)).lower()
    KEY.stop(client, want, seen)
    stopped = KEY.observe(client, want)
    assert stopped.state == STOPPED and stopped.mark != seen.mark
    assert stopped.since is None, "AWS tells no time of it: a stop must not seem older than our wish"
    with pytest.raises(TypeError, match="cannot be started"):
        KEY.start(client, want, stopped)


def test_of_a_key_in_use_the_day_is_a_fact_and_not_the_moment():
    client = boto3.client("iam", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    key, made = "AKIA0000000000000000", datetime(2025, 9, 13, 7, tzinfo=UTC)
    for hour in (3, 17):
        with Stubber(client) as stub:
            line = {"UserName": "aye", "AccessKeyId": key, "Status": "Active", "CreateDate": made}
            stub.add_response("list_access_keys", {"AccessKeyMetadata": [line]}, {"UserName": "aye", "MaxItems": 1000})
            used = {"LastUsedDate": datetime(2025, 9, 14, hour, tzinfo=UTC), "ServiceName": "s3", "Region": "us-east-1"}
            stub.add_response("get_access_key_last_used", {"AccessKeyLastUsed": used}, {"AccessKeyId": key})
            seen = KEY.observe(client, want_for("iam-access-key", aws_id=f"aye/{key}"))
        assert seen.facts == {"user": "aye", "key": key, "created": "2025-09-13T07:00:00Z", "last_used": "2025-09-14"}


def test_a_key_goes_with_its_user_and_a_user_that_goes_meanwhile_does_not_end_the_census(account):
    client, want, seen = make("iam-access-key", account)
    user = want_for("iam-user", name=seen.facts["user"])
    delete("iam-user", client, user)
    assert KEY.observe(client, want).state == ABSENT
    gone = SimpleNamespace(
        exceptions=client.exceptions,
        get_paginator=lambda operation: (
            SimpleNamespace(paginate=lambda **asked: [{"Users": [{"UserName": user.name}]}])
            if operation == "list_users"
            else client.get_paginator(operation)
        ),
    )
    assert list(KEY.find_all(gone)) == []
