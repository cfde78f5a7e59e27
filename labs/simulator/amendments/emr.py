"""EMR. AWS starts and bootstraps a cluster before it is there, runs its steps one after the other, and ends it when it
has waited for its idle minutes or was to end with its last step. Its machines are EC2 instances that carry its id and
its tags, stand in EMR's own security groups, and go when it goes. What is not there is refused, not a failure.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.emr.exceptions import InvalidCluster, ValidationException
from moto.emr.models import Cluster, ElasticMapReduceBackend, InstanceGroup, Step
from moto.emr.responses import ElasticMapReduceResponse

from labs.simulator.amendments import instead_of
from labs.simulator.transitions import later, pace

_OVER = ("TERMINATING", "TERMINATED", "TERMINATED_WITH_ERRORS")


class _Clusters(dict[str, Cluster]):
    """moto looks clusters up by their id in a dozen places, and fails where there is none."""

    def __missing__(self, cluster_id: str) -> Cluster:
        raise InvalidCluster(cluster_id)


@instead_of(ElasticMapReduceBackend, "__init__")
def _init(was: Any, self: ElasticMapReduceBackend, region_name: str, account_id: str) -> None:
    was(self, region_name, account_id)
    self.clusters = _Clusters()


# --- from starting to the end ---------------------------------------------------------------------------------


@instead_of(Cluster, "run_bootstrap_actions")
def run_bootstrap_actions(was: Any, self: Cluster) -> None:
    self.state, self.ready_datetime = "STARTING", None
    self.__dict__.update(idle_since=None, idle_seconds=None, last_state_change_reason="")
    later(partial(_bootstrap, self))


def _bootstrap(cluster: Cluster) -> None:
    if cluster.state == "STARTING":
        _move(cluster, "BOOTSTRAPPING")
        later(partial(_be_ready, cluster))


def _be_ready(cluster: Cluster) -> None:
    if cluster.state == "BOOTSTRAPPING":
        cluster.ready_datetime = utcnow()
        _move(cluster, "RUNNING")
        _go_on(cluster)


def _move(cluster: Cluster, state: str) -> None:
    cluster.state = state
    for group in cluster.instance_groups:
        group.state = "RUNNING" if state == "WAITING" else state


def _go_on(cluster: Cluster) -> None:
    """With the next step; without one, wait or end."""
    if any(step.state == "RUNNING" for step in cluster.steps):
        return
    step = next((step for step in cluster.steps if step.state == "PENDING"), None)
    if step is not None:
        _move(cluster, "RUNNING")
        cluster.__dict__["idle_since"] = None
        step.state = "RUNNING"
        step.start()
        later(partial(_complete, cluster, step))
    elif cluster.keep_job_flow_alive_when_no_steps:
        _move(cluster, "WAITING")
        cluster.__dict__["idle_since"] = pace.now()
    else:
        _end(cluster, "Steps completed")


def _complete(cluster: Cluster, step: Step) -> None:
    if step.state == "RUNNING":
        _finish(step, "COMPLETED")
        _go_on(cluster)


def _finish(step: Step, state: str) -> None:
    step.state, step.end_date_time = state, utcnow()  # type: ignore[assignment]


def _end(cluster: Cluster, why: str) -> None:
    if cluster.state in _OVER:
        return
    cluster.__dict__["last_state_change_reason"] = why
    _move(cluster, "TERMINATING")
    for step in cluster.steps:
        if step.state in ("PENDING", "RUNNING"):
            _finish(step, "CANCELLED")
    machines = [machine.ec2_instance.id for machine in cluster.ec2_instances]
    if machines:
        cluster.emr_backend.ec2_backend.terminate_instances(machines)
    later(partial(_be_over, cluster))


def _be_over(cluster: Cluster) -> None:
    cluster.end_datetime = utcnow()
    _move(cluster, "TERMINATED")


@instead_of(Cluster, "terminate")
def terminate(was: Any, self: Cluster) -> None:
    _end(self, "Terminated by user request")


@instead_of(ElasticMapReduceBackend, "terminate_job_flows")
def terminate_job_flows(was: Any, self: ElasticMapReduceBackend, job_flow_ids: list[str]) -> Any:
    if any(job_flow_id not in self.clusters for job_flow_id in job_flow_ids):
        raise ValidationException("Specified job flow ID does not exist.")
    return was(self, job_flow_ids)


@instead_of(ElasticMapReduceBackend, "describe_cluster")
def describe_cluster(was: Any, self: ElasticMapReduceBackend, cluster_id: str) -> Any:
    _end_the_idle(self)
    return was(self, cluster_id)


@instead_of(ElasticMapReduceBackend, "list_clusters")
def list_clusters(was: Any, self: ElasticMapReduceBackend, *asked: Any, **more: Any) -> Any:
    _end_the_idle(self)
    return was(self, *asked, **more)


def _end_the_idle(backend: ElasticMapReduceBackend) -> None:
    for cluster in backend.clusters.values():
        since, seconds = cluster.__dict__["idle_since"], cluster.__dict__["idle_seconds"]
        if since is not None and seconds and pace.now() >= since + seconds and not cluster.termination_protected:
            _end(cluster, "Auto-terminated after it had been idle")


# --- steps and the policy -------------------------------------------------------------------------------------


@instead_of(Cluster, "add_steps")
def add_steps(was: Any, self: Cluster, steps: list[dict[str, Any]]) -> list[Step]:
    # moto adds the first ones before the cluster has a state.
    state = self.__dict__.get("state")
    if state in _OVER:
        raise ValidationException("A job flow that is shutting down, terminated, or finished may not be modified.")
    added = [Step(state="PENDING", **step) for step in steps]
    self.steps += added
    if state in ("RUNNING", "WAITING"):
        _go_on(self)
    return added


@instead_of(Step, "start")
def start(was: Any, self: Step) -> None:
    # moto starts the first step of a cluster that is not there yet.
    if self.state == "RUNNING":
        was(self)


def cancel_steps(self: ElasticMapReduceResponse) -> ActionResult:
    cluster = self.backend.describe_cluster(self._get_param("ClusterId"))
    told = []
    for step_id in self._get_param("StepIds", []):
        step = self.backend.describe_step(cluster.id, step_id)
        if step is None or step.state not in ("PENDING", "RUNNING"):
            told.append({"StepId": step_id, "Status": "FAILED", "Reason": "Not in a state to be cancelled."})
            continue
        _finish(step, "CANCELLED")
        told.append({"StepId": step_id, "Status": "SUBMITTED"})
    if cluster.state == "RUNNING":
        _go_on(cluster)
    return ActionResult({"CancelStepsInfoList": told})


def put_auto_termination_policy(self: ElasticMapReduceResponse) -> EmptyResult:
    cluster = self.backend.describe_cluster(self._get_param("ClusterId"))
    cluster.__dict__["idle_seconds"] = self._get_param("AutoTerminationPolicy", {}).get("IdleTimeout")
    return EmptyResult()


def get_auto_termination_policy(self: ElasticMapReduceResponse) -> ActionResult:
    cluster = self.backend.describe_cluster(self._get_param("ClusterId"))
    seconds = cluster.__dict__["idle_seconds"]
    return ActionResult({"AutoTerminationPolicy": {"IdleTimeout": seconds}} if seconds else {})


def remove_auto_termination_policy(self: ElasticMapReduceResponse) -> EmptyResult:
    self.backend.describe_cluster(self._get_param("ClusterId")).__dict__["idle_seconds"] = None
    return EmptyResult()


for _operation in (
    cancel_steps,
    put_auto_termination_policy,
    get_auto_termination_policy,
    remove_auto_termination_policy,
):
    setattr(ElasticMapReduceResponse, _operation.__name__, _operation)


@instead_of(ElasticMapReduceResponse, "run_job_flow")
def run_job_flow(was: Any, self: ElasticMapReduceResponse) -> ActionResult:
    made = was(self)
    cluster = self.backend.clusters[made.result["JobFlowId"]]
    cluster.__dict__["idle_seconds"] = (self._get_param("AutoTerminationPolicy") or {}).get("IdleTimeout")
    return made


# --- machines -------------------------------------------------------------------------------------------------


@instead_of(InstanceGroup, "__init__")
def _init_group(was: Any, self: InstanceGroup, *args: Any, **kwargs: Any) -> None:
    was(self, *args, **kwargs)
    self.state = "PROVISIONING"


@instead_of(ElasticMapReduceBackend, "_manage_security_groups")
def _manage_security_groups(was: Any, self: ElasticMapReduceBackend, ec2_subnet_id: str, **asked: Any) -> Any:
    defaults = self.ec2_backend.get_default_subnets()
    return was(self, ec2_subnet_id or (defaults[min(defaults)].id if defaults else ""), **asked)


@instead_of(ElasticMapReduceBackend, "run_instances")
def run_instances(
    was: Any, self: ElasticMapReduceBackend, cluster_id: str, instances: Any, instance_group: InstanceGroup
) -> None:
    cluster = self.clusters[cluster_id]
    is_master = instance_group.role == "MASTER"
    managed = cluster.master_security_group if is_master else cluster.slave_security_group
    asked = {**instances, "security_group_ids": [managed] if managed else []}
    was(self, cluster_id, asked, instance_group)
    for machine in cluster.ec2_instances:
        if machine.instance_group is instance_group:
            own = {"job-flow-id": cluster_id, "instance-group-role": instance_group.role}
            machine.ec2_instance.add_tags({f"aws:elasticmapreduce:{name}": value for name, value in own.items()})


@instead_of(ElasticMapReduceBackend, "add_tags")
def add_tags(was: Any, self: ElasticMapReduceBackend, cluster_id: str, tags: dict[str, str]) -> None:
    was(self, cluster_id, tags)
    for machine in self.clusters[cluster_id].ec2_instances:
        machine.ec2_instance.add_tags(tags)


@instead_of(ElasticMapReduceResponse, "list_instances")
def list_instances(was: Any, self: ElasticMapReduceResponse) -> Any:
    told, states = was(self), self._get_param("InstanceStates", [])
    if states:
        member = told.result["Instances"]
        told.result["Instances"] = [each for each in member if each.status["State"] in states]
    return told
