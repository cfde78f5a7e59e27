"""RDS. AWS shows creating, starting, stopping and deleting on the way; starts by itself, after seven days, what was
stopped; stops a cluster with its members, and no member alone; and deletes nothing without a last snapshot unless it is
told to skip that.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from moto.core.utils import utcnow
from moto.rds.exceptions import InvalidDBInstanceStateFault, InvalidParameterCombination
from moto.rds.models import DBCluster, DBInstance, RDSBackend
from moto.rds.responses import RDSResponse

from labs.simulator.amendments import instead_of
from labs.simulator.transitions import by_way_of, later, pace

_A_WEEK = timedelta(days=7)
# moto's clusters are creating until they were looked at once.
DBCluster.status = property(  # type: ignore[method-assign,assignment]
    lambda cluster: cluster._status, lambda cluster, status: setattr(cluster, "_status", status)
)


@instead_of(DBInstance, "__init__")
def _init(was: Any, self: DBInstance, *args: Any, **kwargs: Any) -> None:
    was(self, *args, **kwargs)
    by_way_of(self, "status", "creating", "available")


@instead_of(DBCluster, "__init__")
def _init_cluster(was: Any, self: DBCluster, *args: Any, **kwargs: Any) -> None:
    was(self, *args, **kwargs)
    by_way_of(self, "status", "creating", "available")


def _stop(database: Any) -> None:
    by_way_of(database, "status", "stopping", "stopped")
    database.automatic_restart_time = utcnow() + _A_WEEK
    database.__dict__["restarts_at"] = pace.now() + _A_WEEK.total_seconds()


def _start(database: Any) -> None:
    by_way_of(database, "status", "starting", "available")
    database.automatic_restart_time = database.__dict__["restarts_at"] = None


@instead_of(RDSBackend, "stop_db_instance")
def stop_db_instance(was: Any, self: RDSBackend, db_instance_identifier: str, *snapshot: Any) -> DBInstance:
    database = self.describe_db_instances(db_instance_identifier)[0]
    if database.db_cluster_identifier:
        raise InvalidParameterCombination(f"{database.engine} DB instances are not eligible for stopping and starting.")
    was(self, db_instance_identifier, *snapshot)
    _stop(database)
    return database


@instead_of(RDSBackend, "start_db_instance")
def start_db_instance(was: Any, self: RDSBackend, db_instance_identifier: str) -> DBInstance:
    database = was(self, db_instance_identifier)
    _start(database)
    return database


@instead_of(RDSBackend, "stop_db_cluster")
def stop_db_cluster(was: Any, self: RDSBackend, cluster_identifier: str) -> DBCluster:
    was(self, cluster_identifier)
    cluster = self.clusters[cluster_identifier]
    for database in (cluster, *cluster._members):
        _stop(database)
    return cluster


@instead_of(RDSBackend, "start_db_cluster")
def start_db_cluster(was: Any, self: RDSBackend, cluster_identifier: str) -> DBCluster:
    was(self, cluster_identifier)
    cluster = self.clusters[cluster_identifier]
    for database in (cluster, *cluster._members):
        _start(database)
    return cluster


@instead_of(RDSBackend, "describe_db_instances")
def describe_db_instances(was: Any, self: RDSBackend, *asked: Any, **more: Any) -> Any:
    _start_what_was_stopped_for_a_week(self)
    return was(self, *asked, **more)


@instead_of(RDSBackend, "describe_db_clusters")
def describe_db_clusters(was: Any, self: RDSBackend, *asked: Any, **more: Any) -> Any:
    _start_what_was_stopped_for_a_week(self)
    return was(self, *asked, **more)


def _start_what_was_stopped_for_a_week(backend: RDSBackend) -> None:
    every: list[Any] = [*backend.clusters.values(), *backend.databases.values()]
    for database in every:
        at = database.__dict__.get("restarts_at")
        if database.status == "stopped" and at is not None and pace.now() >= at:
            _start(database)


# --- the end --------------------------------------------------------------------------------------------------


@instead_of(RDSResponse, "delete_db_instance")
def delete_db_instance(was: Any, self: RDSResponse) -> Any:
    database = self.backend.describe_db_instances(self.params["DBInstanceIdentifier"])[0]
    if not database.db_cluster_identifier:
        _refuse_without_a_word_on_snapshots(self.params)
    if database.status in ("creating", "deleting"):
        raise InvalidDBInstanceStateFault(
            f"Instance {database.db_instance_identifier} is already being {database.status}."
        )
    answer = was(self)
    _let_go(self.backend.databases, database.db_instance_identifier, database)
    return answer


@instead_of(RDSResponse, "delete_db_cluster")
def delete_db_cluster(was: Any, self: RDSResponse) -> Any:
    _refuse_without_a_word_on_snapshots(self.params)
    cluster = self.backend.describe_db_clusters(self.params["DBClusterIdentifier"])[0]
    answer = was(self)
    _let_go(self.backend.clusters, cluster.db_cluster_identifier, cluster)
    return answer


def _refuse_without_a_word_on_snapshots(params: Any) -> None:
    if not params.get("SkipFinalSnapshot") and not params.get("FinalDBSnapshotIdentifier"):
        raise InvalidParameterCombination(
            "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
        )


def _let_go(of: Any, identifier: str, database: Any) -> None:
    """What was deleted is listed as deleting for its while."""
    if pace.seconds:
        database.status = "deleting"
        of[identifier] = database
        later(partial(of.pop, identifier, None))
