"""Aurora and other database clusters: what their instances share. Those are rows of their own (rds_instance.py), and
carry the price of the machines; how much the shared storage holds is in no list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_noop

from labs.aws import NotThere, NotYet, sorted_trouble
from labs.kinds.aws_words import mark, tag_dict
from labs.kinds.base import DELETING, OffCall, Seen, Want
from labs.kinds.rds_named import RDSKind, restart_of, state_of


class RDSCluster(RDSKind):
    name, title, icon, arn_type = "rds-cluster", "RDS database cluster", "database", "rds:cluster"
    operation, argument, member = "describe_db_clusters", "DBClusterIdentifier", "DBClusters"
    is_free = True  # without its instances it costs what it stores: said by `not_accrued`
    kept_on_stop = gettext_noop(
        "Its data is kept, and its storage still costs. AWS starts it again by itself after 7 days."
    )
    lost_on_delete = gettext_noop("All its data is lost, with all its instances: no last snapshot is made.")

    def start(self, client, want: Want, seen: Seen) -> None:
        client.start_db_cluster(DBClusterIdentifier=seen.aws_id)

    def stop(self, client, want: Want, seen: Seen) -> None:
        client.stop_db_cluster(DBClusterIdentifier=seen.aws_id)

    def delete(self, client, want: Want, seen: Seen) -> None:
        """Its protection, then its instances, then itself: one of these a call."""
        if seen.state == DELETING:
            return
        if seen.facts.get("protected"):
            client.modify_db_cluster(DBClusterIdentifier=seen.aws_id, DeletionProtection=False, ApplyImmediately=True)
        elif seen.facts.get("instances"):
            for instance in seen.facts["instances"]:
                _delete_instance(client, instance)
        else:
            client.delete_db_cluster(DBClusterIdentifier=seen.aws_id, SkipFinalSnapshot=True)

    def off_call(self, want: Want) -> OffCall:
        return OffCall("rds", "stopDBCluster", {"DbClusterIdentifier": want.aws_id or want.name})

    def seen(self, answer: Mapping[str, Any]) -> Seen:
        status = answer["Status"]
        instances = sorted(member["DBInstanceIdentifier"] for member in answer.get("DBClusterMembers", ()))
        facts = {
            "arn": answer["DBClusterArn"],
            "status": status,
            "engine": answer["Engine"],
            "instances": instances,
            "protected": bool(answer.get("DeletionProtection")),
            "not_accrued": gettext_noop("Storage, I/O and backups of RDS clusters"),
            **restart_of(answer),
        }
        return Seen(
            state_of(status),
            aws_id=answer["DBClusterIdentifier"],
            name=answer["DBClusterIdentifier"],
            facts=facts,
            tags=tag_dict(answer.get("TagList")),
            mark=mark(status, len(instances)),
        )


def _delete_instance(client, instance: str) -> None:
    try:
        client.delete_db_instance(DBInstanceIdentifier=instance, SkipFinalSnapshot=True)
    except client.exceptions.ClientError as error:
        # On its way already, or gone since we looked: the next one is still to be asked.
        if not isinstance(sorted_trouble(error), (NotYet, NotThere)):
            raise
