"""EFS. AWS shows creating and deleting on the way, of file systems and mount targets, whose interfaces are its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from moto.efs.models import EFSBackend, FileSystem, MountTarget

from labs.simulator.amendments import instead_of
from labs.simulator.amendments.network_interfaces import held_by_a_service
from labs.simulator.transitions import later, make_timed, pace


def _with_its_state(was: Callable[..., dict[str, Any]], self: Any) -> dict[str, Any]:
    """moto reads the object's own attributes, of which the state is no longer one."""
    return was(self) | {"LifeCycleState": self.life_cycle_state}


for _owner in (FileSystem, MountTarget):
    make_timed(_owner, "life_cycle_state", {"available": "creating", "deleted": "deleting"})
    instead_of(_owner, "info_json")(_with_its_state)


@instead_of(EFSBackend, "create_mount_target")
def create_mount_target(was: Any, self: EFSBackend, *args: Any, **asked: Any) -> MountTarget:
    made: MountTarget = was(self, *args, **asked)
    interface = self.ec2_backend.enis[made.network_interface_id]
    words = f"EFS mount target for {made.file_system_id} ({made.mount_target_id})"
    held_by_a_service(interface, "interface", words)
    return made


@instead_of(EFSBackend, "delete_mount_target")
def delete_mount_target(was: Any, self: EFSBackend, mount_target_id: str) -> None:
    target = self.mount_targets_by_id.get(mount_target_id)
    if target is None or not pace.seconds:
        was(self, mount_target_id)
    elif target.life_cycle_state not in ("deleting", "deleted"):
        target.life_cycle_state = "deleted"
        later(partial(was, self, mount_target_id))


@instead_of(EFSBackend, "delete_file_system")
def delete_file_system(was: Any, self: EFSBackend, file_system_id: str) -> None:
    file_system = self.file_systems_by_id.get(file_system_id)
    was(self, file_system_id)
    if file_system is not None and pace.seconds:
        file_system.life_cycle_state = "deleted"
        self.file_systems_by_id[file_system_id] = file_system
        later(partial(self.file_systems_by_id.pop, file_system_id, None))
