"""VPC security groups. A group's name is unique within its VPC; every VPC's "default" group is AWS's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from labs.aws import Refused
from labs.kinds.aws_words import code_of, mark, tag_dict, tag_specifications
from labs.kinds.base import GONE_FROM_AWS, NAME, RUNNING, Kind, Seen, Want

ANYWHERE = ("0.0.0.0/0", "::/0")


class SecurityGroup(Kind):
    """params: vpc (the default VPC when not given), description, ingress: [{"port", "cidr", "why"}] (TCP)."""

    name, service, identity = "security-group", "ec2", NAME
    title, icon, cost_service, arn_type = "Security group", "shield-check", "EC2", "ec2:security-group"
    is_free, goes_after = True, ("ec2-instance", "emr-cluster")

    def create(self, client, want: Want) -> None:
        client.create_security_group(
            GroupName=want.name,
            Description=str(want.params.get("description") or "Made for a lab")[:255],
            VpcId=want.params.get("vpc") or _default_vpc(client),
            TagSpecifications=tag_specifications(want.tags, "security-group"),
        )

    def observe(self, client, want: Want) -> Seen:
        if want.aws_id:
            look: dict[str, Any] = {"GroupIds": [want.aws_id]}
        else:
            look = {"Filters": [{"Name": "group-name", "Values": [want.name]}]}
        try:
            found = client.describe_security_groups(**look)["SecurityGroups"]
        except client.exceptions.ClientError as error:
            if code_of(error) == "InvalidGroup.NotFound":
                return GONE_FROM_AWS
            raise
        return _seen(found[0]) if found else GONE_FROM_AWS

    def configure(self, client, want: Want, seen: Seen) -> bool:
        missing = [rule for rule in want.params.get("ingress", ()) if _spelt(rule) not in seen.facts["inbound"]]
        if missing:
            client.authorize_security_group_ingress(
                GroupId=seen.aws_id,
                IpPermissions=[
                    {
                        "IpProtocol": "tcp",
                        "FromPort": int(rule["port"]),
                        "ToPort": int(rule["port"]),
                        "IpRanges": [{"CidrIp": rule["cidr"], "Description": rule.get("why", "for the lab")}],
                    }
                    for rule in missing
                ],
            )
        return not missing

    def delete(self, client, want: Want, seen: Seen) -> None:
        # Two groups that let each other in cannot be deleted, neither first: take this one out of the others' rules.
        for name, members, revoke in (
            ("ip-permission.group-id", "IpPermissions", client.revoke_security_group_ingress),
            ("egress.ip-permission.group-id", "IpPermissionsEgress", client.revoke_security_group_egress),
        ):
            pages = client.get_paginator("describe_security_groups").paginate(
                Filters=[{"Name": name, "Values": [seen.aws_id]}]
            )
            for other in (group for page in pages for group in page["SecurityGroups"]):
                rules = [_only(rule, seen.aws_id) for rule in other[members] if _names(rule, seen.aws_id)]
                if rules and other["GroupId"] != seen.aws_id:
                    revoke(GroupId=other["GroupId"], IpPermissions=rules)
        client.delete_security_group(GroupId=seen.aws_id)

    def find_all(self, client) -> Iterable[Seen]:
        pages = client.get_paginator("describe_security_groups").paginate(PaginationConfig={"PageSize": 1000})
        for page in pages:
            for group in page["SecurityGroups"]:
                if group["GroupName"] != "default":
                    yield _seen(group)


def _default_vpc(client) -> str:
    found = client.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    if not found:
        region = client.meta.region_name
        raise Refused(f"{region} has no default VPC. Make one in the VPC console: Actions, Create default VPC.")
    return found[0]["VpcId"]


def _names(rule: Mapping[str, Any], group: str) -> bool:
    return any(pair.get("GroupId") == group for pair in rule.get("UserIdGroupPairs", ()))


def _only(rule: Mapping[str, Any], group: str) -> dict[str, Any]:
    """The part of a rule that speaks of this group: the rest of the other group's rule stays."""
    kept = {member: rule[member] for member in ("IpProtocol", "FromPort", "ToPort") if member in rule}
    pairs = [pair for pair in rule["UserIdGroupPairs"] if pair.get("GroupId") == group]
    return {**kept, "UserIdGroupPairs": [{"GroupId": pair["GroupId"]} for pair in pairs]}


def _spelt(rule: Mapping[str, Any]) -> str:
    return f"tcp {rule['port']}-{rule['port']} {rule['cidr']}"


def _inbound(group: Mapping[str, Any]) -> list[str]:
    """Every inbound rule in words: "tcp 22-22 203.0.113.0/24"."""
    rules = []
    for rule in group.get("IpPermissions", ()):
        sources = [each["CidrIp"] for each in rule.get("IpRanges", ())]
        sources += [each["CidrIpv6"] for each in rule.get("Ipv6Ranges", ())]
        sources += [each.get("GroupId", "") for each in rule.get("UserIdGroupPairs", ())]
        ports = f"{rule['FromPort']}-{rule['ToPort']}" if "FromPort" in rule else "all"
        rules += [f"{rule['IpProtocol']} {ports} {source}" for source in sources]
    return sorted(rules)


def _seen(group: Mapping[str, Any]) -> Seen:
    inbound = _inbound(group)
    return Seen(
        RUNNING,
        aws_id=group["GroupId"],
        name=group["GroupName"],
        facts={
            "vpc": group.get("VpcId", ""),
            "inbound": inbound,
            "open_to_the_world": any(rule.endswith(ANYWHERE) for rule in inbound),
        },
        tags=tag_dict(group.get("Tags")),
        mark=mark(len(inbound), len(group.get("IpPermissionsEgress", ()))),
    )
