"""RDS databases, alone or in a cluster. No lab makes one: a student's is found, metered, stopped and deleted."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds import public_ipv4
from labs.kinds.aws_words import mark, tag_dict, utc
from labs.kinds.base import DELETING, RUNNING, STOPPED, STOPPING, Meter, OffCall, Seen, Signal, Want
from labs.kinds.rds_named import RDSKind, restart_of, state_of

BOUGHT_IOPS = ("io1", "io2")


class RDSInstance(RDSKind):
    name, title, icon, arn_type = "rds-instance", "RDS database", "database", "rds:db"
    operation, argument, member = "describe_db_instances", "DBInstanceIdentifier", "DBInstances"
    signals = (Signal("AWS/RDS", "DatabaseConnections", "DBInstanceIdentifier", "Maximum"),)
    kept_on_stop = gettext_noop(
        "Its data is kept, and its disk still costs. AWS starts it again by itself after 7 days."
    )
    lost_on_delete = gettext_noop(
        "All its data is lost: no last snapshot is made, and automatic backups go with it. Snapshots made by hand stay "
        "and go on costing."
    )

    def start(self, client, want: Want, seen: Seen) -> None:
        if seen.facts.get("cluster"):
            client.start_db_cluster(DBClusterIdentifier=seen.facts["cluster"])
        else:
            client.start_db_instance(DBInstanceIdentifier=seen.aws_id)

    def stop(self, client, want: Want, seen: Seen) -> None:
        if seen.facts.get("cluster"):
            # AWS stops no member of a cluster alone.
            client.stop_db_cluster(DBClusterIdentifier=seen.facts["cluster"])
        else:
            client.stop_db_instance(DBInstanceIdentifier=seen.aws_id)

    def delete(self, client, want: Want, seen: Seen) -> None:
        if seen.state == DELETING:
            return
        if seen.facts.get("protected"):
            client.modify_db_instance(DBInstanceIdentifier=seen.aws_id, DeletionProtection=False, ApplyImmediately=True)
            return
        client.delete_db_instance(DBInstanceIdentifier=seen.aws_id, SkipFinalSnapshot=True)

    def off_call(self, want: Want) -> OffCall:
        # Scheduler writes members as the SDK for Java does: "Db", and not "DB". A member of a cluster is not stopped by
        # this, but by the cluster's own switch (rds_cluster.py).
        return OffCall("rds", "stopDBInstance", {"DbInstanceIdentifier": want.aws_id or want.name})

    def seen(self, answer: Mapping[str, Any]) -> Seen:
        status, cluster = answer["DBInstanceStatus"], answer.get("DBClusterIdentifier", "")
        disk_type = answer.get("StorageType", "")
        # The disk of a cluster is the cluster's: a member says 1 GB of "aurora".
        disk_gb = 0 if cluster else int(answer.get("AllocatedStorage") or 0)
        facts = {
            "arn": answer["DBInstanceArn"],
            "status": status,
            "engine": answer["Engine"],
            "class": answer["DBInstanceClass"],
            "multi_az": bool(answer.get("MultiAZ")),
            "public": bool(answer.get("PubliclyAccessible")),
            "disk_type": disk_type,
            "disk_gb": disk_gb,
            "iops": int(answer.get("Iops") or 0),
            "protected": bool(answer.get("DeletionProtection")),
            "cluster": cluster,
            "not_accrued": gettext_noop("Backups and snapshots of RDS databases"),
            **restart_of(answer),
        }
        return Seen(
            state_of(status),
            aws_id=answer["DBInstanceIdentifier"],
            name=answer["DBInstanceIdentifier"],
            since=utc(answer.get("InstanceCreateTime")) if status == "creating" else None,
            facts=facts,
            tags=tag_dict(answer.get("TagList")),
            mark=mark(status, answer["DBInstanceClass"], disk_type, disk_gb, facts["multi_az"]),
        )

    def meters(self, seen: Seen) -> list[Meter]:
        """Hours by the second, 10 minutes at least, of what runs; the disk by GB-month also when stopped; nothing while
        it is made or deleted (RDS pricing, "DB instance status")."""
        facts, meters = seen.facts, []
        if seen.state not in (RUNNING, STOPPED, STOPPING) and facts.get("status") != "starting":
            return []
        if seen.state == RUNNING:
            kind = f"{facts['engine']}-{'multi' if facts.get('multi_az') else 'single'}-az"
            meters.append(
                Meter("RDS", kind, facts["class"], "Hrs", minimum_seconds=600, label=f"{facts['class']}, {kind}")
            )
            if facts.get("public"):
                meters += public_ipv4.meters_of(1)
        disk = facts.get("disk_type", "")
        gb = Decimal(facts.get("disk_gb", 0)) * (2 if facts.get("multi_az") else 1)
        if gb:
            meters.append(Meter("RDS", "storage", disk, "GB-Mo", gb, per="month", label=f"disk {gb} GB"))
        if disk in BOUGHT_IOPS and facts.get("iops"):
            iops = Decimal(facts["iops"])
            meters.append(Meter("RDS", "iops", disk, "IOPS-Mo", iops, per="month", label=f"{iops} IOPS"))
        return meters
