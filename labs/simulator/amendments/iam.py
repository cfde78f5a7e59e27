"""IAM. AWS keeps a policy, group or user while something hangs on it, and has some 1,500 policies of its own.

moto can load those for every account: 0.1 s and 5 MB each. Here one is made in an account when it is first asked for,
and all of them when somebody lists them.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.exceptions import DeleteConflictException
from moto.iam.models import AWSManagedPolicy, IAMBackend

from labs.simulator.amendments import instead_of

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
    if len(policy.versions) > 1:
        raise DeleteConflictException("This policy has more than one version. Before you delete it, delete the others.")
    was(self, policy_arn)


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
    if user.access_keys:
        raise DeleteConflictException("Cannot delete entity, must delete access keys first.")
    if any(user in group.users for group in self.groups.values()):
        raise DeleteConflictException("Cannot delete entity, must remove users from group first.")
    was(self, user_name)
