"""Network interfaces. AWS deletes none that is in use, and says of those that a service made for itself that they are
managed by their requester, and of which type.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.responses.elastic_network_interfaces import ElasticNetworkInterfaces

from labs.simulator.amendments import instead_of
from labs.simulator.amendments.addresses import let_go_of_all


def held_by_a_service(interface: NetworkInterface, interface_type: str, description: str) -> None:
    """Make it what a service's own interface is: nobody else deletes it."""
    interface.requester_managed = True
    interface.interface_type = interface_type
    interface.description = description
    interface.status = "in-use"


def interfaces_in(backend: Any) -> list[NetworkInterface]:
    """Every interface in the region, also those of instances that are not terminated yet."""
    held = {
        nic.id: nic
        for instance in backend.all_instances()
        if instance.state != "terminated"
        for nic in instance.nics.values()
    }
    return list((held | backend.enis).values())


def vanish(backend: Any, interface_id: str) -> None:
    """Gone, as its service lets it go; its address is free."""
    backend.enis.pop(interface_id, None)
    let_go_of_all(backend, interface_id)


# At the door and not in the backend: there services delete their own.
@instead_of(ElasticNetworkInterfaces, "delete_network_interface")
def delete_network_interface(was: Any, self: ElasticNetworkInterfaces) -> Any:
    interface = self.ec2_backend.get_network_interface(self._get_param("NetworkInterfaceId"))
    if interface.status == "in-use":
        raise EC2ClientError("InvalidParameterValue", f"Network interface '{interface.id}' is currently in use.")
    return was(self)
