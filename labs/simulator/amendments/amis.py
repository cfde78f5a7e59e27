"""AMIs. AWS's own images belong to AWS, and so do the snapshots behind them: an account's list has only its own. One
that somebody makes is pending for a while.

moto makes 1,300 images and a snapshot each for every account and region, 60 ms and 2 MB at a time: the container
service's among them, which no lab uses. The latest Amazon Linux, by which labs start, and moto's small list of
well-known images stay.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from moto.core.parse import default_timestamp_parser
from moto.ec2.models.amis import AMIS, Ami, AmiBackend
from moto.ec2.models.elastic_block_store import EBSBackend
from moto.utilities.utils import load_resource

from labs.simulator.amendments import instead_of
from labs.simulator.transitions import pace


@lru_cache
def _latest(region: str) -> list[dict[str, Any]]:
    try:
        return load_resource(f"ec2/resources/latest_amis/{region}.json")
    except FileNotFoundError:
        return []


@instead_of(AmiBackend, "_load_amis")
def _load_amis(was: Any, self: Any) -> None:
    for image in [*AMIS, *_latest(self.region_name)]:
        known = {**image, "owner_alias": "amazon"}
        if isinstance(known.get("creation_date"), str):
            known["creation_date"] = default_timestamp_parser(known["creation_date"])
        self.amis[known["ami_id"]] = Ami(self, **known)


@instead_of(EBSBackend, "describe_snapshots")
def describe_snapshots(was: Any, self: Any, snapshot_ids: list[str] | None = None, filters: Any = None) -> Any:
    found = was(self, snapshot_ids, filters)
    return found if snapshot_ids else [each for each in found if each.owner_id == self.account_id]


def _made_now(was: Any, self: Any, *args: Any, **asked: Any) -> Ami:
    made: Ami = was(self, *args, **asked)
    made.__dict__["made"] = pace.now()
    return made


for _operation in ("create_image", "copy_image", "register_image"):
    instead_of(AmiBackend, _operation)(_made_now)


def _state(self: Ami) -> str:
    made, state = self.__dict__.get("made"), str(self.__dict__["_state"])
    return "pending" if state == "available" and made is not None and pace.is_on_the_way(made) else state


Ami.state = property(_state, lambda self, state: self.__dict__.update(_state=state))  # type: ignore[assignment]
