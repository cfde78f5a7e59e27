"""Elastic IPs. AWS releases none that is in use; of one that a service holds (a NAT gateway, a load balancer) it says
that the caller has no permission; and an interface that goes lets go of its address.

Of an address that is lent with a machine AWS says that it belongs to `amazon`.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.elastic_ip_addresses import ElasticAddress, ElasticAddressBackend
from moto.ec2.models.elastic_network_interfaces import NetworkInterface, NetworkInterfaceBackend

from labs.simulator.amendments import instead_of


def let_go(address: ElasticAddress) -> None:
    """As it is after a disassociation, whoever held it."""
    if address.eni is not None:
        address.eni.public_ip = None
    address.eni = address.instance = address.association_id = None


def let_go_of_all(backend: Any, interface_id: str) -> None:
    for address in backend.addresses:
        if address.eni is not None and address.eni.id == interface_id:
            let_go(address)


def _refuse_if_a_services(address: ElasticAddress) -> None:
    if address.eni is not None and address.eni.requester_managed:
        raise EC2ClientError("AuthFailure", "You do not have permission to access the specified resource.")


@instead_of(ElasticAddressBackend, "disassociate_address")
def disassociate_address(was: Any, self: Any, address: str | None = None, association_id: str | None = None) -> None:
    found = self.address_by_ip([address]) if address else self.address_by_association([association_id])
    _refuse_if_a_services(found[0])
    was(self, address, association_id)


@instead_of(ElasticAddressBackend, "release_address")
def release_address(was: Any, self: Any, address: str | None = None, allocation_id: str | None = None) -> None:
    (found,) = self.address_by_ip([address]) if address else self.address_by_allocation([allocation_id])
    _refuse_if_a_services(found)
    if found.association_id:
        raise EC2ClientError("InvalidIPAddress.InUse", f"Address {found.public_ip} is in use.")
    was(self, address, allocation_id)


@instead_of(NetworkInterfaceBackend, "delete_network_interface")
def delete_network_interface(was: Any, self: Any, eni_id: str) -> None:
    was(self, eni_id)
    let_go_of_all(self, eni_id)


def _association(interface: NetworkInterface) -> dict[str, Any]:
    told = _TOLD(interface)
    return told | {"ipOwnerId": "amazon"} if told and "allocationId" not in told else told


_TOLD = NetworkInterface.__dict__["association"].fget
NetworkInterface.association = property(_association)  # type: ignore[method-assign,assignment]
