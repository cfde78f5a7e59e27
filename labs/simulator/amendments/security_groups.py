"""Security groups. AWS keeps one while an instance, an interface or another group's rule needs it; and `default`."""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import DependencyViolationError, EC2ClientError
from moto.ec2.models.security_groups import SecurityGroupBackend
from moto.ec2.responses.security_groups import SecurityGroups

from labs.simulator.amendments import instead_of


@instead_of(SecurityGroupBackend, "_delete_security_group")
def _delete_security_group(was: Any, self: Any, vpc_id: str | None, group_id: str) -> Any:
    group = self.get_security_group_from_id(group_id)
    if any(_needs(instance, group_id) for instance in self.all_instances()) or _is_named_elsewhere(self, group_id):
        raise DependencyViolationError(f"resource {group_id} has a dependent object")
    return was(self, group.vpc_id, group_id)


# At the door and not in the backend: a VPC takes its default group with it.
@instead_of(SecurityGroups, "delete_security_group")
def delete_security_group(was: Any, self: SecurityGroups) -> Any:
    group = self.ec2_backend.get_security_group_from_id(self._get_param("GroupId") or "")
    if group is not None and group.name == "default":
        raise EC2ClientError(
            "CannotDelete", f'the specified group: "{group.id}" name: "default" cannot be deleted by a user'
        )
    return was(self)


def _needs(instance: Any, group_id: str) -> bool:
    """Until it is terminated for good: an instance that is shutting down still has its interface."""
    groups = [*instance.security_groups, *(group for nic in instance.nics.values() for group in nic.group_set)]
    return instance.state != "terminated" and any(group.id == group_id for group in groups)


def _is_named_elsewhere(backend: Any, group_id: str) -> bool:
    loose = (nic for nic in backend.enis.values() if nic.instance is None)
    if any(group.id == group_id for nic in loose for group in nic.group_set):
        return True
    others = (group for groups in backend.groups.values() for group in groups.values() if group.id != group_id)
    return any(
        rule.source_group.get("GroupId") == group_id
        for group in others
        for rule in [*group.ingress_rules, *group.egress_rules]
    )
