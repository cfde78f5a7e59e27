"""Secrets of Secrets Manager. What is in one is never read here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import code_of, mark, message_of, tag_dict, tag_list, utc
from labs.kinds.base import ABSENT, GONE_FROM_AWS, NAME, RUNNING, Kind, Meter, Seen, Want


class Secret(Kind):
    """params, as wanted: value (a string; a lab's, never a real one: params are kept in the ledger), description."""

    name, service, identity = "secret", "secretsmanager", NAME
    title, icon, cost_service, arn_type = "Secret", "eye-off", "Secrets Manager", "secretsmanager:secret"
    id_is_arn = True
    listing_costs = True
    lost_on_delete = gettext_noop("It is deleted at once, with every version and every copy in other regions.")

    def create(self, client, want: Want) -> None:
        value = want.params.get("value")
        client.create_secret(
            Name=want.name,
            ClientRequestToken=want.token,
            Description=str(want.params.get("description") or "Made for a lab"),
            Tags=tag_list(want.tags),
            **({"SecretString": value} if value else {}),
        )

    def observe(self, client, want: Want) -> Seen:
        try:
            secret = client.describe_secret(SecretId=want.aws_id or want.name)
        except client.exceptions.ResourceNotFoundException:
            return GONE_FROM_AWS
        # Somebody deleted it with a window to change their mind: AWS bills none of it (Secrets Manager pricing).
        if secret.get("DeletedDate"):
            words = (
                f"its deletion is scheduled for {utc(secret['DeletedDate']):%Y-%m-%d}; until then it can be restored"
            )
            return Seen(ABSENT, aws_id=secret["ARN"], facts={"ended": words})
        return _seen(secret)

    def delete(self, client, want: Want, seen: Seen) -> None:
        try:
            client.delete_secret(SecretId=seen.aws_id, ForceDeleteWithoutRecovery=True)
        except client.exceptions.ClientError as error:
            if code_of(error) != "InvalidParameterException" or "replica" not in message_of(error):
                raise
            # The next call gets through: a copy is made a secret of its own first, an original loses its copies.
            if seen.facts["primary_region"]:
                client.stop_replication_to_replica(SecretId=seen.aws_id)
                return
            copies = client.describe_secret(SecretId=seen.aws_id).get("ReplicationStatus", ())
            client.remove_regions_from_replication(
                SecretId=seen.aws_id, RemoveReplicaRegions=[copy["Region"] for copy in copies]
            )

    def find_all(self, client) -> Iterable[Seen]:
        pages = client.get_paginator("list_secrets").paginate(
            IncludePlannedDeletion=False, PaginationConfig={"PageSize": 100}
        )
        for page in pages:
            for secret in page["SecretList"]:
                # A service's own (a database's password) goes with what it belongs to, and cannot go before.
                if not secret.get("OwningService") and not secret.get("DeletedDate"):
                    yield _seen(secret)

    def meters(self, seen: Seen) -> list[Meter]:
        """By the month, each copy in another region like a secret (Secrets Manager pricing)."""
        if seen.state == ABSENT:
            return []
        return [Meter("Secrets Manager", "secret", "secret", "secret-Mo", per="month", label="secret")]


def _seen(secret: Mapping[str, Any]) -> Seen:
    region = secret["ARN"].split(":")[3]
    primary = secret.get("PrimaryRegion") or region
    return Seen(
        RUNNING,
        aws_id=secret["ARN"],
        name=secret["Name"][:255],
        since=utc(secret.get("CreatedDate")),
        facts={
            "arn": secret["ARN"],
            "primary_region": primary if primary != region else "",
            "rotated": bool(secret.get("RotationEnabled")),
            "not_accrued": gettext_noop("Requests for this secret"),
        },
        tags=tag_dict(secret.get("Tags")),
        mark=mark(secret.get("LastChangedDate") or "", primary),
    )
