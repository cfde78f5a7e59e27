"""IAM users. The portal makes one without any way in: a password or a key of its own is for the student to make."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import tag_list
from labs.kinds.base import Seen, Want
from labs.kinds.iam_identity import PATH, IAMIdentity, pages_of


class IAMUser(IAMIdentity):
    """params, as wanted: managed_policies ([ARN]), inline_policies ({name: document}), groups ([name]),
    permissions_boundary (ARN)."""

    name, what = "iam-user", "User"
    title, icon, arn_type = "IAM user", "user", "iam:user"
    lost_on_delete = gettext_noop(
        "Its password, access keys and MFA devices are deleted with it: nobody can sign in as it any more."
    )

    def create(self, client, want: Want) -> None:
        boundary = want.params.get("permissions_boundary") or want.boundary
        client.create_user(
            UserName=want.name,
            Path=PATH,
            Tags=tag_list(want.tags),
            **({"PermissionsBoundary": boundary} if boundary else {}),
        )

    def configure(self, client, want: Want, seen: Seen) -> bool:
        done = super().configure(client, want, seen)
        missing = set(want.params.get("groups", ()))
        if missing:
            there = pages_of(client, "list_groups_for_user", "Groups", UserName=seen.aws_id)
            missing -= {group["GroupName"] for group in there}
        for group in sorted(missing):
            client.add_user_to_group(GroupName=group, UserName=seen.aws_id)
        return done and not missing

    def delete(self, client, want: Want, seen: Seen) -> None:
        """What lets somebody in goes first. One part a call: the next call goes on where this one ended."""
        for drop in (
            _keys,
            _password,
            _service_credentials,
            _ssh_keys,
            _certificates,
            _mfa_devices,
            _groups,
            self.drop_policies,
        ):
            if drop(client, seen.aws_id):
                return
        client.delete_user(UserName=seen.aws_id)

    def listed(self, client) -> Iterable[Mapping[str, Any]]:
        return pages_of(client, "list_users", "Users")


# What hangs on a user, each answering how many there were: a handful, by IAM's own limits.


def _each(listing: str, member: str, drop: str, key: str) -> Callable[[Any, str], int]:
    """A part that is listed, and dropped one by one."""

    def part(client, user: str) -> int:
        found = pages_of(client, listing, member, UserName=user)
        for one in found:
            getattr(client, drop)(**{"UserName": user, key: one[key]})
        return len(found)

    return part


_keys = _each("list_access_keys", "AccessKeyMetadata", "delete_access_key", "AccessKeyId")
_ssh_keys = _each("list_ssh_public_keys", "SSHPublicKeys", "delete_ssh_public_key", "SSHPublicKeyId")
_certificates = _each("list_signing_certificates", "Certificates", "delete_signing_certificate", "CertificateId")
_groups = _each("list_groups_for_user", "Groups", "remove_user_from_group", "GroupName")


def _password(client, user: str) -> int:
    try:
        client.get_login_profile(UserName=user)
    except client.exceptions.NoSuchEntityException:
        return 0
    client.delete_login_profile(UserName=user)
    return 1


def _service_credentials(client, user: str) -> int:
    """Passwords for Git and Cassandra, and the long-term API keys of Bedrock. Their list has no pages."""
    credentials = client.list_service_specific_credentials(UserName=user)["ServiceSpecificCredentials"]
    for credential in credentials:
        client.delete_service_specific_credential(
            UserName=user, ServiceSpecificCredentialId=credential["ServiceSpecificCredentialId"]
        )
    return len(credentials)


def _mfa_devices(client, user: str) -> int:
    devices = pages_of(client, "list_mfa_devices", "MFADevices", UserName=user)
    for device in devices:
        serial = device["SerialNumber"]
        client.deactivate_mfa_device(UserName=user, SerialNumber=serial)
        # An app's half stays in the account and holds the user's name taken; a stick is the person's own.
        if ":mfa/" in serial:
            client.delete_virtual_mfa_device(SerialNumber=serial)
    return len(devices)
