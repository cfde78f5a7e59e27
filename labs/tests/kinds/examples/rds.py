"""RDS: databases that a student made, found and not made by a lab."""

from uuid import uuid4

from labs.tests.kinds.examples.world import AccountOfAye, Example

SECRET = "not-a-secret-1"  # noqa: S105  of a simulated database


def instance(account: AccountOfAye, **more: str) -> str:
    """A small MySQL database of the example's price, or a member of a cluster: its identifier."""
    name = f"by-hand-{uuid4().hex[:8]}"
    alone = {"Engine": "mysql", "AllocatedStorage": 20, "StorageType": "gp2", "MasterUsername": "aye"}
    asked = more or {**alone, "MasterUserPassword": SECRET}
    account.client("rds").create_db_instance(DBInstanceIdentifier=name, DBInstanceClass="db.t3.micro", **asked)
    return name


def cluster(account: AccountOfAye) -> str:
    name = f"by-hand-{uuid4().hex[:8]}"
    account.client("rds").create_db_cluster(
        DBClusterIdentifier=name, Engine="aurora-mysql", MasterUsername="aye", MasterUserPassword=SECRET
    )
    instance(account, Engine="aurora-mysql", DBClusterIdentifier=name)
    return name


EXAMPLES = {
    "rds-instance": Example(
        by_hand=instance,
        running={
            "status": "available",
            "engine": "mysql",
            "class": "db.t3.micro",
            "public": True,
            "disk_type": "gp2",
            "disk_gb": 20,
        },
        missing_id="nothing",
    ),
    "rds-cluster": Example(by_hand=cluster, missing_id="nothing"),
}
