"""EMR clusters, with the machines that are theirs: what costs the most an hour, and the only create of ours that AWS
guards in no way.

A cluster's machines are EC2 instances, which EC2 lists like any other. They are counted here, with their disks and
addresses, as a disk is counted with its instance: so that the price before a launch is the whole price, a cluster that
a student made by hand is one row with one owner, and nothing is counted twice (ec2_instance.py leaves them out).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.aws import is_not_there
from labs.iam_words import role_arn
from labs.kinds.aws_words import mark, tag_dict, tag_list, utc
from labs.kinds.base import (
    ABSENT,
    DELETING,
    FAILED,
    GONE_FROM_AWS,
    PENDING,
    RUNNING,
    TAG,
    Kind,
    Meter,
    OffCall,
    Seen,
    Signal,
    Want,
)
from labs.kinds.ebs_meters import disk_of, meters_of

STATES = {
    "STARTING": PENDING,
    "BOOTSTRAPPING": PENDING,
    "RUNNING": RUNNING,
    "WAITING": RUNNING,
    "TERMINATING": DELETING,
    "TERMINATED": ABSENT,
    "TERMINATED_WITH_ERRORS": ABSENT,
}
ALIVE = tuple(name for name, state in STATES.items() if state != ABSENT)
ENDED = tuple(name for name, state in STATES.items() if state == ABSENT)
RELEASE = "emr-7.5.0"
IDLE_MINUTES = 15
DISK_GB, ROOT_GB = 32, 15  # what EMR gives a machine when nobody says otherwise
# Releases before emr-7 put the system on gp2.
OLD_ROOTS = ("emr-4", "emr-5", "emr-6")


class EMRCluster(Kind):
    """params: type (of every machine), role (the service's: an ARN, or the name of one under /lab/ that was made with
    the account), profile (name of the machines' instance profile), and as
    wanted: cores (machines beside the master; 2), gb (disk of each), release, applications ([name]; Spark), subnet,
    logs (an s3:// address), steps ([{"name", "args"}]), idle_minutes (15), ends_after_steps (False)."""

    name, service, identity = "emr-cluster", "emr", TAG
    title, icon, cost_service, arn_type = "EMR cluster", "server-2", "EMR", "elasticmapreduce:cluster"
    stop_means = "delete"
    # A cluster just made is missing from lists for longer than most things, and a second one would cost as much again.
    settle_seconds = 180
    creates_per_second = 1 / 10  # "one request every ten seconds" (EMR Management Guide)
    max_age_seconds = 900  # how many machines it has is in no list
    native_cap = f"It ends by itself after {IDLE_MINUTES} idle minutes."
    # 1 in each period without work. The sum of the least of each: as many as there were periods, if idle all the time.
    signals = (Signal("AWS/ElasticMapReduce", "IsIdle", "JobFlowId", "Minimum"),)
    kept_on_stop = gettext_noop("A cluster has no stop: it is ended. What was written to S3 is kept.")
    lost_on_delete = gettext_noop("What is on its own disks (HDFS) is lost; what was written to S3 stays.")

    def create(self, client, want: Want) -> None:
        # AWS would make a second one without a word, and no other mistake costs as much: look first.
        if _named(client, want.name, ALIVE):
            return
        params = want.params
        waits = not params.get("ends_after_steps")
        asked: dict[str, Any] = {
            "Name": want.name,
            "ReleaseLabel": params.get("release", RELEASE),
            "Applications": [{"Name": each} for each in params.get("applications", ("Spark",))],
            "Instances": {
                "InstanceGroups": [_group(params, role, count) for role, count in _asked_for(params)],
                "KeepJobFlowAliveWhenNoSteps": waits,
                "TerminationProtected": False,
            },
            # A step that fails leaves the cluster to its idle minutes: a student reads its logs and tries again.
            "Steps": [
                _step(each, "CANCEL_AND_WAIT" if waits else "TERMINATE_CLUSTER") for each in params.get("steps", ())
            ],
            "ServiceRole": _role(params["role"], want.account_id),
            "JobFlowRole": params["profile"],
            "EbsRootVolumeSize": ROOT_GB,
            "VisibleToAllUsers": True,
            "Tags": tag_list(want.tags),
        }
        if waits:
            asked["AutoTerminationPolicy"] = {"IdleTimeout": 60 * int(params.get("idle_minutes", IDLE_MINUTES))}
        if params.get("subnet"):
            asked["Instances"]["Ec2SubnetId"] = params["subnet"]
        if params.get("logs"):
            asked["LogUri"] = params["logs"]
        client.run_job_flow(**asked)

    def observe(self, client, want: Want) -> Seen:
        if want.aws_id:
            return _described(client, want.aws_id)
        alive = _named(client, want.name, ALIVE)
        if alive:
            return _described(client, alive[0]["Id"])
        ended = _named(client, want.name, ENDED)
        return _never_ran(ended[0]) if ended else GONE_FROM_AWS

    def delete(self, client, want: Want, seen: Seen) -> None:
        if seen.state == DELETING:
            return
        if seen.facts.get("protected"):
            client.set_termination_protection(JobFlowIds=[seen.aws_id], TerminationProtected=False)
        client.terminate_job_flows(JobFlowIds=[seen.aws_id])

    def off_call(self, want: Want) -> OffCall | None:
        return OffCall("emr", "terminateJobFlows", {"JobFlowIds": [want.aws_id]}) if want.aws_id else None

    def find_all(self, client) -> Iterable[Seen]:
        for cluster in _listed(client, ALIVE):
            # Neither its machines nor its tags are in the list.
            yield _seen(cluster, {}, {}, whole=False)

    def meters(self, seen: Seen) -> list[Meter]:
        """Each machine by the second, 60 s at least: EC2's price, EMR's own on top of it, and its disks and address
        (EMR pricing). For as long as there are machines, whatever the cluster says of itself."""
        facts = seen.facts
        if seen.state in (ABSENT, FAILED):
            return []
        meters = []
        for machine in facts.get("machines", ()):
            kind = "spot" if machine["spot"] else "on-demand-linux"
            count, label = Decimal(machine["count"]), f"{machine['count']} x {machine['type']}"
            meters += [
                Meter("EC2", kind, machine["type"], "Hrs", count, minimum_seconds=60, label=f"{label}, {kind}"),
                Meter("EMR", "ec2-uplift", machine["type"], "Hrs", count, minimum_seconds=60, label=f"EMR on {label}"),
            ]
        addresses = int(facts.get("public_ips", 0))
        if addresses:
            label = f"{addresses} public IPv4"
            held = Meter(
                "VPC", "public-ipv4", "in-use-address", "Hrs", Decimal(addresses), minimum_seconds=60, label=label
            )
            meters.append(held)
        return meters + meters_of(disk for disk in facts.get("disks", ()) for _ in range(disk["count"]))

    def would_be(self, want: Want) -> Seen:
        """With public addresses: the default subnets give one to every machine."""
        params = want.params
        count = sum(count for _, count in _asked_for(params))
        own = disk_of({"VolumeType": "gp3", "Size": params.get("gb", DISK_GB)})
        root = disk_of({"VolumeType": _root_type(params.get("release", RELEASE)), "Size": ROOT_GB})
        facts = {
            "machines": [{"type": params["type"], "spot": False, "count": count}],
            "disks": [{**own, "count": count}, {**root, "count": count}],
            "public_ips": count,
        }
        return Seen(RUNNING, name=want.name, facts=facts)


def _role(given: str, account: str) -> str:
    """A role that lies under a path is known to EMR by its ARN."""
    return given if given.startswith("arn:") else role_arn(account, given)


def _asked_for(params: Mapping[str, Any]) -> list[tuple[str, int]]:
    """[(role of a group, machines)]; a group of none is not asked for."""
    return [(role, count) for role, count in (("MASTER", 1), ("CORE", int(params.get("cores", 2)))) if count]


def _group(params: Mapping[str, Any], role: str, count: int) -> dict[str, Any]:
    disk = {"VolumeType": "gp3", "SizeInGB": int(params.get("gb", DISK_GB))}
    return {
        "Name": role.lower(),
        "InstanceRole": role,
        "InstanceType": params["type"],
        "InstanceCount": count,
        "Market": "ON_DEMAND",
        "EbsConfiguration": {"EbsBlockDeviceConfigs": [{"VolumeSpecification": disk, "VolumesPerInstance": 1}]},
    }


def _step(asked: Mapping[str, Any], when_it_fails: str) -> dict[str, Any]:
    jar = {"Jar": "command-runner.jar", "Args": list(asked["args"])}
    return {"Name": asked["name"], "ActionOnFailure": when_it_fails, "HadoopJarStep": jar}


def _listed(client, states: tuple[str, ...]) -> Iterable[Mapping[str, Any]]:
    for page in client.get_paginator("list_clusters").paginate(ClusterStates=list(states)):
        yield from page["Clusters"]


def _named(client, name: str, states: tuple[str, ...]) -> list[Mapping[str, Any]]:
    """Those of this name, the oldest first: a clone made in the console copies name and tags."""
    found = [cluster for cluster in _listed(client, states) if cluster["Name"] == name]
    return sorted(found, key=lambda cluster: cluster["Status"]["Timeline"]["CreationDateTime"])


def _described(client, cluster_id: str) -> Seen:
    try:
        cluster = client.describe_cluster(ClusterId=cluster_id)["Cluster"]
    except client.exceptions.ClientError as error:
        if is_not_there(error):
            return GONE_FROM_AWS
        raise
    if STATES[cluster["Status"]["State"]] == ABSENT:  # AWS remembers it for two months
        return Seen(ABSENT, aws_id=cluster_id, since=_since(cluster["Status"]))
    machines = [
        machine
        for page in client.get_paginator("list_instances").paginate(
            ClusterId=cluster_id, InstanceStates=["BOOTSTRAPPING", "RUNNING"]
        )
        for machine in page["Instances"]
    ]
    counted = Counter((machine["InstanceType"], machine.get("Market") == "SPOT") for machine in machines)
    facts = {
        "machines": [{"type": type_, "spot": spot, "count": counted[type_, spot]} for type_, spot in sorted(counted)],
        "disks": _disks(client, cluster, machines) if machines else [],
        "public_ips": sum(bool(machine.get("PublicIpAddress")) for machine in machines),
        "release": cluster.get("ReleaseLabel", ""),
        "protected": bool(cluster.get("TerminationProtected")),
        "not_accrued": gettext_noop("Data that leaves the cluster's region"),
    }
    return _seen(cluster, facts, tag_dict(cluster.get("Tags")), whole=True)


def _disks(client, cluster: Mapping[str, Any], machines: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every disk of these machines as EBS bills it, alike ones counted: the root, and what its group or fleet gives."""
    root = {
        "VolumeType": _root_type(cluster.get("ReleaseLabel", "")),
        "Size": cluster.get("EbsRootVolumeSize", ROOT_GB),
    }
    given = _volumes_of_a_machine(client, cluster)
    counted: Counter[tuple[tuple[str, Any], ...]] = Counter()
    for machine in machines:
        place = machine.get("InstanceFleetId") or machine.get("InstanceGroupId", "")
        own = given.get((place, machine["InstanceType"]), [])
        counted.update(tuple(disk_of(volume).items()) for volume in [root, *own])
    return [{**dict(disk), "count": counted[disk]} for disk in sorted(counted)]


def _volumes_of_a_machine(client, cluster: Mapping[str, Any]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """{(group or fleet, type): the volumes beside the root that each of its machines gets}, as EC2 writes volumes."""
    in_fleets = cluster.get("InstanceCollectionType") == "INSTANCE_FLEET"
    operation, member = (
        ("list_instance_fleets", "InstanceFleets") if in_fleets else ("list_instance_groups", "InstanceGroups")
    )
    given = {}
    for page in client.get_paginator(operation).paginate(ClusterId=cluster["Id"]):
        for place in page[member]:
            for offered in place["InstanceTypeSpecifications"] if in_fleets else (place,):
                specs = [device["VolumeSpecification"] for device in offered.get("EbsBlockDevices", ())]
                given[place["Id"], offered["InstanceType"]] = [{**spec, "Size": spec["SizeInGB"]} for spec in specs]
    return given


def _root_type(release: str) -> str:
    return "gp2" if release.startswith(OLD_ROOTS) else "gp3"


def _since(status: Mapping[str, Any]):
    timeline, state = status["Timeline"], STATES[status["State"]]
    told = {PENDING: "CreationDateTime", RUNNING: "ReadyDateTime", ABSENT: "EndDateTime"}
    return utc(timeline.get(told.get(state, "")))


def _never_ran(cluster: Mapping[str, Any]) -> Seen:
    """It ended before anybody saw it alive: its role may not do what EMR needs, or the account may not have so many
    machines. Asking for another would end the same way: a person has to read why."""
    why = cluster["Status"].get("StateChangeReason", {}).get("Message") or "AWS ended it at once and gives no reason"
    return Seen(FAILED, aws_id=cluster["Id"], name=cluster["Name"][:255], facts={"failure": why})


def _seen(cluster: Mapping[str, Any], facts: Mapping[str, Any], tags: Mapping[str, str], *, whole: bool) -> Seen:
    status = cluster["Status"]
    return Seen(
        STATES[status["State"]],
        aws_id=cluster["Id"],
        name=cluster["Name"][:255],
        since=_since(status),
        facts={"arn": cluster["ClusterArn"], "status": status["State"], **facts},
        tags=tags,
        mark=mark(status["State"], status["Timeline"]["CreationDateTime"]),
        whole=whole,
    )
