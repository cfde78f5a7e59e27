"""Step Functions state machines. One costs nothing while it sleeps; its state changes do, and are not accrued live."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from labs.kinds.aws_words import lower_tag_dict, lower_tag_list, mark, tags_by_arn, utc
from labs.kinds.base import DELETING, GONE_FROM_AWS, RUNNING, Seen, Want
from labs.kinds.found_by_name import FoundByName

STOPS_A_CALL = 25
NOT_ACCRUED = gettext_noop("State changes of state machines")


class StepFunctionsStateMachine(FoundByName):
    """params: definition (in the states language, as a dict), role_arn, type ("STANDARD", or "EXPRESS")."""

    name, service = "step-functions-state-machine", "stepfunctions"
    title, icon, cost_service = "Step Functions state machine", "route", "Step Functions"
    arn_type = "states:stateMachine"
    is_free = True
    lost_on_delete = gettext_noop("Its running executions are stopped, and their histories go with it.")

    def create(self, client, want: Want) -> None:
        client.create_state_machine(
            name=want.name,
            # The same name with the same definition is the same machine to AWS: so written the same every time.
            definition=json.dumps(want.params["definition"], sort_keys=True),
            roleArn=want.params["role_arn"],
            type=want.params.get("type", "STANDARD"),
            tags=lower_tag_list(want.tags),
        )

    def id_of(self, want: Want) -> str:
        return machine_arn(want.region, want.account_id, want.aws_id or want.name)

    def described(self, client, aws_id: str, tags: Mapping[str, str] | None) -> Seen:
        """By its ARN: Step Functions knows no other."""
        try:
            machine = client.describe_state_machine(stateMachineArn=aws_id)
        except client.exceptions.StateMachineDoesNotExist:
            return GONE_FROM_AWS
        return _seen(machine, tags_of_machine(client, aws_id) if tags is None else tags, whole=True)

    def complete(self, client, glimpsed: Seen, tags: Mapping[str, str] | None = None) -> Seen:
        return self.described(client, glimpsed.facts["arn"], tags)

    def tags_of_all(self, client_of: Callable[[str], Any]) -> dict[str, dict[str, str]]:
        return tags_by_arn(client_of("resourcegroupstaggingapi"), self.arn_type)

    def delete(self, client, want: Want, seen: Seen) -> None:
        """AWS deletes a machine when its executions have ended, and one that waits may wait for a year: they are
        stopped first, 25 a call. Those of an EXPRESS machine are in no list, and end within five minutes."""
        arn = seen.facts["arn"]
        if seen.facts["type"] == "STANDARD":
            answer = client.list_executions(stateMachineArn=arn, statusFilter="RUNNING", maxResults=STOPS_A_CALL)
            for execution in answer["executions"]:
                client.stop_execution(executionArn=execution["executionArn"], cause="Its state machine is deleted")
            if answer["executions"]:
                return
        client.delete_state_machine(stateMachineArn=arn)

    def find_all(self, client) -> Iterable[Seen]:
        for machine in machines(client):
            yield _seen(machine, {}, whole=False)  # neither the role nor tags are in the list


def machine_arn(region: str, account: str, name: str) -> str:
    """The ARN of the machine of that name."""
    return f"arn:aws:states:{region}:{account}:stateMachine:{name}"


def machines(client) -> Iterable[Mapping[str, Any]]:
    """Every line of the list of state machines: {"name", "stateMachineArn", "type", "creationDate"}."""
    for page in client.get_paginator("list_state_machines").paginate(PaginationConfig={"PageSize": 1000}):
        yield from page["stateMachines"]


def tags_of_machine(client, arn: str) -> dict[str, str]:
    return lower_tag_dict(client.list_tags_for_resource(resourceArn=arn)["tags"])


def _seen(machine: Mapping[str, Any], tags: Mapping[str, str], *, whole: bool) -> Seen:
    facts = {"arn": machine["stateMachineArn"], "type": machine["type"]}
    if whole:
        facts |= {"role_arn": machine["roleArn"], "not_accrued": NOT_ACCRUED}
    return Seen(
        DELETING if machine.get("status") == "DELETING" else RUNNING,
        aws_id=machine["name"],
        name=machine["name"],
        since=utc(machine["creationDate"]),
        facts=facts,
        tags=tags,
        mark=mark(machine["creationDate"]),
        whole=whole,
    )
