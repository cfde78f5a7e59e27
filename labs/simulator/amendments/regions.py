"""Regions. AWS's DescribeRegions lists the regions that an account has enabled; here those are the practice regions.

moto also keeps what every region in the world offers: 30 MB that nobody here can ask for.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend
from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS

from labs.simulator.amendments import instead_of, the_world


@instead_of(RegionsAndZonesBackend, "describe_regions")
def describe_regions(was: Any, self: Any, region_names: list[str] | None = None) -> Any:
    return [region for region in was(self, region_names) if region.name in the_world().regions]


def forget_other_regions(regions: list[str]) -> None:
    for offered in INSTANCE_TYPE_OFFERINGS.values():
        for region in set(offered) - set(regions):
            del offered[region]
