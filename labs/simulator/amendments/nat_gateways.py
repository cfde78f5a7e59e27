"""NAT gateways. AWS makes one a client token, shows pending and deleting on the way, and lists deleted ones for about
an hour. Its interface and its address are free only when it is deleted.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.nat_gateways import NatGateway, NatGatewayBackend
from moto.ec2.responses.nat_gateways import NatGateways
from moto.ec2.utils import generic_filter

from labs.simulator.amendments import instead_of
from labs.simulator.amendments.network_interfaces import held_by_a_service, vanish
from labs.simulator.transitions import later, later_than_listed, make_timed

make_timed(NatGateway, "state", {"available": "pending", "deleted": "deleting"})


def _there(backend: Any, nat_gateway_id: str) -> NatGateway:
    found: NatGateway | None = backend.nat_gateways.get(nat_gateway_id)
    if found is None:
        raise EC2ClientError("NatGatewayNotFound", f"The Nat Gateway {nat_gateway_id} was not found")
    return found


@instead_of(NatGateways, "create_nat_gateway")
def create_nat_gateway(was: Any, self: NatGateways) -> ActionResult:
    token, gateways = self._get_param("ClientToken"), self.ec2_backend.nat_gateways
    for gateway in gateways.values():
        if gateway.__dict__["client_token"] == token:
            return ActionResult({"NatGateway": gateway})
    before = set(gateways)
    answer: ActionResult = was(self)
    for made in set(gateways) - before:
        gateways[made].__dict__["client_token"] = token
        held_by_a_service(gateways[made]._eni, "nat_gateway", f"Interface for NAT Gateway {made}")
    return answer


@instead_of(NatGatewayBackend, "describe_nat_gateways")
def describe_nat_gateways(was: Any, self: Any, filters: Any, nat_gateway_ids: list[str] | None) -> list[NatGateway]:
    for asked in nat_gateway_ids or ():
        _there(self, asked)
    by_tag = {name: values for name, values in (filters or {}).items() if name.startswith("tag")}
    found: list[NatGateway] = generic_filter(by_tag, was(self, filters, nat_gateway_ids))
    return found


@instead_of(NatGatewayBackend, "delete_nat_gateway")
def delete_nat_gateway(was: Any, self: Any, nat_gateway_id: str) -> NatGateway:
    gateway = _there(self, nat_gateway_id)
    if gateway.state not in ("deleting", "deleted"):
        was(self, nat_gateway_id)
        gateway.__dict__["delete_time"] = utcnow()
        later(partial(vanish, self, gateway._eni.id))
        later_than_listed(partial(self.nat_gateways.pop, nat_gateway_id, None))
    return gateway
