"""Load balancers. AWS shows a new one as provisioning, refuses to delete one that is protected, and puts an interface
with its groups into each of its subnets, which leaves a moment after it. Its ARN says of which type it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from moto.ec2.models import ec2_backends
from moto.elb.models import ELBBackend
from moto.elb.models import LoadBalancer as Classic
from moto.elbv2.exceptions import ELBClientError
from moto.elbv2.models import ELBv2Backend, FakeLoadBalancer

from labs.simulator.amendments import instead_of
from labs.simulator.amendments.network_interfaces import held_by_a_service, vanish
from labs.simulator.transitions import later, make_timed

IN_ARNS = {"network": "net", "gateway": "gwy"}  # moto says "app" of all

make_timed(FakeLoadBalancer, "state", {"active": "provisioning"})


def _activate(self: FakeLoadBalancer) -> None:
    """Not by the first look, as moto does it, but by time."""


FakeLoadBalancer.activate = _activate  # type: ignore[method-assign]


def _put_interfaces(backend: Any, balancer: Any, subnets: Iterable[str], kind: str, words: str) -> None:
    ec2 = ec2_backends[backend.account_id][backend.region_name]
    made = []
    for subnet_id in subnets:
        interface = ec2.create_network_interface(
            ec2.get_subnet(subnet_id),
            None,  # type: ignore[arg-type]
            group_ids=list(balancer.security_groups or ()),
            public_ip_auto_assign=balancer.scheme == "internet-facing",
        )
        held_by_a_service(interface, kind, words)
        made.append(interface.id)
    balancer.__dict__["interfaces"] = made


def _take_interfaces(backend: Any, balancer: Any) -> None:
    ec2 = ec2_backends[backend.account_id][backend.region_name]
    for interface_id in balancer.__dict__.get("interfaces", ()):
        later(partial(vanish, ec2, interface_id))


@instead_of(ELBv2Backend, "create_load_balancer")
def create_load_balancer(was: Any, self: ELBv2Backend, *args: Any, **asked: Any) -> FakeLoadBalancer:
    made: FakeLoadBalancer = was(self, *args, **asked)
    made.state = "active"
    if made.type in IN_ARNS:
        tags = self.tagging_service.list_tags_for_resource(self.load_balancers.pop(made.arn).arn)["Tags"]
        made.arn = made.arn.replace(":loadbalancer/app/", f":loadbalancer/{IN_ARNS[made.type]}/")
        self.load_balancers[made.arn] = made
        self.tagging_service.tag_resource(made.arn, tags)
    kind = "network_load_balancer" if made.type == "network" else "interface"
    path = made.arn.split(":loadbalancer/")[-1]
    _put_interfaces(self, made, [subnet.id for subnet in made.subnets], kind, f"ELB {path}")
    return made


@instead_of(ELBv2Backend, "delete_load_balancer")
def delete_load_balancer(was: Any, self: ELBv2Backend, arn: str) -> None:
    balancer = self.load_balancers.get(arn)
    if balancer is not None and str(balancer.attrs.get("deletion_protection.enabled")).lower() == "true":
        raise ELBClientError(
            "OperationNotPermitted",
            f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
        )
    was(self, arn)
    if balancer is not None:
        _take_interfaces(self, balancer)


@instead_of(ELBBackend, "create_load_balancer")
def create_classic(was: Any, self: ELBBackend, **asked: Any) -> Classic:
    made: Classic = was(self, **asked)
    _put_interfaces(self, made, made.subnets, "interface", f"ELB {made.name}")
    return made


@instead_of(ELBBackend, "delete_load_balancer")
def delete_classic(was: Any, self: ELBBackend, load_balancer_name: str) -> None:
    balancer = self.load_balancers.get(load_balancer_name)
    was(self, load_balancer_name)
    if balancer is not None:
        _take_interfaces(self, balancer)
