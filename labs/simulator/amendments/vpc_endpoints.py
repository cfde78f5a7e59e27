"""VPC endpoints. AWS makes one a client token, shows pending and deleting on the way, and lists no deleted ones. Its
interfaces wear its groups and stay as long as it does. What it does not delete it says in an answer that is no error.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models.vpcs import VPCBackend, VPCEndPoint
from moto.ec2.responses.vpcs import VPCs

from labs.simulator.amendments import instead_of
from labs.simulator.amendments.network_interfaces import held_by_a_service, vanish
from labs.simulator.transitions import later, make_timed

make_timed(VPCEndPoint, "state", {"available": "pending", "deleted": "deleting"})


@instead_of(VPCBackend, "create_vpc_endpoint")
def create_vpc_endpoint(was: Any, self: Any, **asked: Any) -> VPCEndPoint:
    token = asked.get("client_token")
    for endpoint in self.vpc_end_points.values():
        if token and endpoint.client_token == token:
            return endpoint
    made: VPCEndPoint = was(self, **asked | {"endpoint_type": asked.get("endpoint_type") or "Gateway"})
    groups = [group for each in made.security_group_ids if (group := self.get_security_group_from_id(each))]
    for interface_id in made.network_interface_ids:
        interface = self.enis[interface_id]
        held_by_a_service(interface, "vpc_endpoint", f"VPC Endpoint Interface {made.id}")
        interface._group_set = groups or interface._group_set
    return made


@instead_of(VPCBackend, "delete_vpc_endpoints")
def delete_vpc_endpoints(was: Any, self: Any, vpce_ids: list[str] | None = None) -> None:
    for endpoint in (self.vpc_end_points.get(each) for each in vpce_ids or ()):
        if endpoint is not None and endpoint.state not in ("deleting", "deleted"):
            endpoint.state = "deleted"
            later(partial(_vanish_whole, self, endpoint))


def _vanish_whole(backend: Any, endpoint: VPCEndPoint) -> None:
    for interface_id in endpoint.network_interface_ids:
        vanish(backend, interface_id)
    for table in backend.route_tables.values():
        table._routes = {key: route for key, route in table._routes.items() if route.gateway_id != endpoint.id}
    backend.vpc_end_points.pop(endpoint.id, None)


@instead_of(VPCs, "delete_vpc_endpoints")
def say_what_was_not_deleted(was: Any, self: VPCs) -> ActionResult:
    missing = [each for each in self._get_param("VpcEndpointIds", []) if each not in self.ec2_backend.vpc_end_points]
    was(self)
    code = "InvalidVpcEndpointId.NotFound"
    said = [
        {"ResourceId": each, "Error": {"Code": code, "Message": f"The VpcEndpoint Id {each} does not exist"}}
        for each in missing
    ]
    return ActionResult({"Unsuccessful": said})
