"""IAM. AWS keeps a policy, group, user or MFA device while something hangs on it, and tells of a policy everybody who
has it; it has some 1,500 policies of its own, and gives users passwords for services.

moto can load AWS's policies for every account: 0.1 s and 5 MB each. Here one is made in an account when it is first
asked for, and all of them when somebody lists them.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.exceptions import DeleteConflictException, NoSuchEntity
from moto.iam.models import AWSManagedPolicy, IAMBackend, User
from moto.iam.responses import IamResponse
from moto.moto_api._internal import mock_random

from labs.simulator.amendments import added_to, instead_of

_PREFIX = "arn:aws:iam::aws:policy"


@lru_cache
def _of_aws() -> dict[str, tuple[str, dict[str, Any]]]:
    """ARN -> (name, what moto ships of it)."""
    shipped = json.loads(aws_managed_policies_data)
    return {f"{_PREFIX}{policy.get('Path', '/')}{name}": (name, policy) for name, policy in shipped.items()}


def _know(backend: Any, arn: str) -> None:
    if arn in backend.managed_policies or arn not in _of_aws():
        return
    name, shipped = _of_aws()[arn]
    backend.managed_policies[arn] = AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, shipped)


def _knowing_it(was: Any, self: Any, policy_arn: str, *args: Any, **kwargs: Any) -> Any:
    if policy_arn.startswith(_PREFIX):
        _know(self, policy_arn)
    return was(self, policy_arn, *args, **kwargs)


for _operation in ("attach_role_policy", "attach_user_policy", "attach_group_policy", "get_policy"):
    instead_of(IAMBackend, _operation)(_knowing_it)


@instead_of(IAMBackend, "list_policies")
def list_policies(was: Any, self: Any, marker: Any, max_items: Any, only_attached: Any, path: Any, scope: str) -> Any:
    if scope != "Local" and not only_attached:
        for arn in _of_aws():
            _know(self, arn)
    return was(self, marker, max_items, only_attached, path, scope)


@instead_of(IAMBackend, "delete_policy")
def delete_policy(was: Any, self: Any, policy_arn: str) -> None:
    policy = self.get_policy(policy_arn)
    if policy.attachment_count:
        raise DeleteConflictException("Cannot delete a policy attached to entities.")
    if any(role.permissions_boundary_arn == policy_arn for role in self.roles.values()):
        raise DeleteConflictException("Cannot delete a policy that is used as a permissions boundary.")
    if len(policy.versions) > 1:
        raise DeleteConflictException("This policy has more than one version. Before you delete it, delete the others.")
    was(self, policy_arn)


@instead_of(IamResponse, "list_entities_for_policy")
def list_entities_for_policy(was: Any, self: IamResponse) -> ActionResult:
    """All who have it, and not only those among the first hundred roles."""
    arn, usage = self._get_param("PolicyArn"), self._get_param("PolicyUsageFilter")
    self.backend.get_policy(arn)
    holders: dict[str, list[Any]] = {}
    for member, what in (("PolicyUsers", "users"), ("PolicyGroups", "groups"), ("PolicyRoles", "roles")):
        everybody = getattr(self.backend, what).values()
        attached = [each for each in everybody if usage != "PermissionsBoundary" and arn in each.managed_policies]
        bounded = [each for each in everybody if usage != "PermissionsPolicy" and _boundary_of(each) == arn]
        holders[member] = attached + [each for each in bounded if each not in attached]
    return ActionResult({**holders, "IsTruncated": False})


def _boundary_of(identity: Any) -> str:
    return str(getattr(identity, "permissions_boundary_arn", None) or "")


@instead_of(IAMBackend, "delete_group")
def delete_group(was: Any, self: Any, group_name: str) -> None:
    group = self.get_group(group_name)
    if group.users:
        raise DeleteConflictException("Cannot delete entity, must remove users from group first.")
    if group.managed_policies or group.policies:
        raise DeleteConflictException("Cannot delete entity, must detach all policies first.")
    was(self, group_name)


@instead_of(IAMBackend, "delete_user")
def delete_user(was: Any, self: Any, user_name: str) -> None:
    user = self.get_user(user_name)
    for left, words in (
        (user.password, "must delete login profile first"),
        (user.access_keys, "must delete access keys first"),
        (user.mfa_devices, "must delete MFA device first"),
        (user.signing_certificates, "must delete certificates first"),
        (user.ssh_public_keys or _credentials_of(user), "must remove referenced objects first"),
        (any(user in group.users for group in self.groups.values()), "must remove users from group first"),
    ):
        if left:
            raise DeleteConflictException(f"Cannot delete entity, {words}.")
    was(self, user_name)


@instead_of(IAMBackend, "delete_virtual_mfa_device")
def delete_virtual_mfa_device(was: Any, self: Any, serial_number: str) -> None:
    device = self.virtual_mfa_devices.get(serial_number)
    if device is not None and device.user is not None:
        raise DeleteConflictException("Cannot delete an MFA device that is assigned to a user: deactivate it first.")
    was(self, serial_number)


# --- passwords for services, which moto has not got ---------------------------------------------------------------


def _credentials_of(user: User) -> dict[str, dict[str, Any]]:
    """{id: the credential as it is listed}; the password itself is told once, and kept nowhere."""
    return user.__dict__.setdefault("service_specific_credentials", {})


def _user_named(response: IamResponse) -> User:
    return response.backend.get_user(response._get_param("UserName"))


@added_to(IamResponse)
def create_service_specific_credential(self: IamResponse) -> ActionResult:
    user, service = _user_named(self), self._get_param("ServiceName")
    made = {
        "UserName": user.name,
        "Status": "Active",
        "ServiceUserName": f"{user.name}-at-{self.current_account}",
        "CreateDate": utcnow(),
        "ServiceSpecificCredentialId": f"ACCA{mock_random.get_random_string(16).upper()}",
        "ServiceName": service,
    }
    _credentials_of(user)[made["ServiceSpecificCredentialId"]] = made
    return ActionResult({"ServiceSpecificCredential": {**made, "ServicePassword": mock_random.get_random_string(40)}})


@added_to(IamResponse)
def list_service_specific_credentials(self: IamResponse) -> ActionResult:
    return ActionResult({"ServiceSpecificCredentials": list(_credentials_of(_user_named(self)).values())})


@added_to(IamResponse)
def delete_service_specific_credential(self: IamResponse) -> EmptyResult:
    credential = self._get_param("ServiceSpecificCredentialId")
    if _credentials_of(_user_named(self)).pop(credential, None) is None:
        raise NoSuchEntity(f"The credential {credential} cannot be found.")
    return EmptyResult()
