"""EC2 instances. AWS shows pending, stopping and shutting-down on the way; lists what is terminated for about an hour;
starts only what is stopped and stops only what runs; launches up to MaxCount; dates a start by LaunchTime; and deletes
the network interface that was made with an instance, whose root disk is deleted with it too unless told otherwise. Its
other interfaces are detached at its end, and its addresses are let go.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.instances import Instance, InstanceState
from moto.ec2.responses.instances import InstanceResponse
from moto.iam.exceptions import NotFoundException

from labs.simulator.amendments import instead_of
from labs.simulator.amendments.addresses import let_go
from labs.simulator.transitions import later, later_than_listed, make_timed

_CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}

make_timed(InstanceState, "name", {"running": "pending", "stopped": "stopping", "terminated": "shutting-down"})
# moto sets the code beside the name: here it follows from it.
InstanceState.code = property(lambda state: _CODES[state.name], lambda state, code: None)  # type: ignore[assignment]
Instance.state_transition_reason = property(  # type: ignore[method-assign,assignment]
    lambda instance: instance._reason.replace(" UTC)", " GMT)")
)


def _refuse(instance: Instance, done: str) -> None:
    raise EC2ClientError(
        "IncorrectInstanceState", f"The instance '{instance.id}' is not in a state from which it can be {done}."
    )


@instead_of(Instance, "start")
def start(was: Any, self: Instance) -> Any:
    if self.state in ("running", "pending"):
        return self._state
    if self.state != "stopped":
        _refuse(self, "started")
    self.launch_time = utcnow()
    return was(self)


@instead_of(Instance, "stop")
def stop(was: Any, self: Instance) -> Any:
    if self.state in ("stopped", "stopping"):
        return self._state
    if self.state != "running":
        _refuse(self, "stopped")
    return was(self)


@instead_of(Instance, "reboot")
def reboot(was: Any, self: Instance) -> None:
    # Not moto's own: it sets the state anew, which would show as pending.
    if self.state != "running":
        _refuse(self, "rebooted")


@instead_of(Instance, "terminate")
def terminate(was: Any, self: Instance) -> Any:
    if self.state in ("terminated", "shutting-down"):
        return self._state
    before = was(self)
    later(partial(_let_go, self))
    later_than_listed(partial(_vanish, self))
    return before


@instead_of(Instance, "prep_nics")
def prep_nics(was: Any, self: Instance, nic_spec: list[dict[str, Any]], *args: Any, **asked: Any) -> None:
    was(self, nic_spec, *args, **asked)
    brought = {nic.get("NetworkInterfaceId") for nic in nic_spec}
    primary = self.nics.get(0)
    if primary is not None and primary.id not in brought:
        primary.delete_on_termination = True


def _let_go(instance: Instance) -> None:
    for address in instance.ec2_backend.addresses:
        if address.instance is instance:
            let_go(address)
    for interface in list(instance.nics.values()):
        if interface.id in instance.ec2_backend.enis:
            instance.detach_eni(interface)


def _vanish(instance: Instance) -> None:
    """No longer listed. Reservations without an instance are dropped with it."""
    reservations = instance.ec2_backend.reservations
    for reservation in list(reservations.values()):
        if instance in reservation.instances:
            reservation.instances.remove(instance)
            if not reservation.instances:
                del reservations[reservation.id]


@instead_of(Instance, "setup_defaults")
def setup_defaults(was: Any, self: Instance) -> None:
    # What the Amazon Linux 2023 image asks for: 8 GB of gp3 on its own root device.
    volume = self.ec2_backend.create_volume(size=8, zone_name=self._placement.zone, volume_type="gp3")
    self.ec2_backend.attach_volume(volume.id, self.id, self.root_device_name, True)


@instead_of(InstanceResponse, "_parse_block_device_mapping")
def parse_block_device_mapping(was: Any, self: InstanceResponse) -> Any:
    parsed = was(self)
    for disk, asked in zip(parsed, self._get_param("BlockDeviceMappings", []), strict=True):
        said = "DeleteOnTermination" in (asked.get("Ebs") or {})
        if not said and disk["DeviceName"] in ("/dev/xvda", "/dev/sda1"):
            disk["Ebs"]["DeleteOnTermination"] = True
    return parsed


@instead_of(InstanceResponse, "run_instances")
def run_instances(was: Any, self: InstanceResponse) -> Any:
    self.params["MinCount"] = self._get_param("MaxCount", self._get_param("MinCount", 1))
    try:
        return was(self)
    except NotFoundException as missing:
        # Seen from EC2, a profile that IAM has only just made does not exist yet: this is what AWS says.
        name = self._get_param("IamInstanceProfile.Name") or self._get_param("IamInstanceProfile.Arn")
        raise EC2ClientError(
            "InvalidParameterValue",
            f"Value ({name}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name",
        ) from missing
