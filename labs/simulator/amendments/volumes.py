"""EBS volumes. AWS shows a new volume as creating, and one that was deleted as deleting, for a moment.

It also says of an attached volume whether it goes with its instance.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from moto.ec2.models.elastic_block_store import Volume, VolumeAttachment
from moto.ec2.responses.elastic_block_store import ElasticBlockStore

from labs.simulator.amendments import instead_of
from labs.simulator.transitions import later, pace


@instead_of(Volume, "__init__")
def init(was: Any, self: Volume, *args: Any, **kwargs: Any) -> None:
    was(self, *args, **kwargs)
    self.__dict__.update(made=pace.now(), is_leaving=False)


def _status(self: Volume) -> str:
    if self.attachment:
        return "in-use"
    if self.__dict__["is_leaving"]:
        return "deleting"
    return "creating" if pace.is_on_the_way(self.__dict__["made"]) else "available"


Volume.status = property(_status)  # type: ignore[method-assign,assignment]


# At the door and not in the backend: there moto deletes what it made for its own use.
@instead_of(ElasticBlockStore, "delete_volume")
def delete_volume(was: Any, self: ElasticBlockStore) -> Any:
    volumes = self.ec2_backend.volumes
    volume = volumes.get(self._get_param("VolumeId"))
    answer = was(self)
    if volume is not None and pace.seconds:
        volume.__dict__["is_leaving"] = True
        volumes[volume.id] = volume
        later(partial(volumes.pop, volume.id, None))
    return answer


def _goes_with_its_instance(self: VolumeAttachment) -> bool:
    mapping = self.instance.block_device_mapping.get(self.device)
    return bool(mapping is not None and mapping.delete_on_termination)


# Read by moto's serializer under the name of the member DeleteOnTermination.
VolumeAttachment.delete_on_termination = property(_goes_with_its_instance)  # type: ignore[attr-defined]
