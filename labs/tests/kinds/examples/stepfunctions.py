"""Step Functions: machines, and executions that wait."""

import json
from uuid import uuid4

from labs.kinds.step_functions_state_machine import machine_arn
from labs.tests.kinds.examples.world import REGION, Example

WAITS = {
    "StartAt": "Train",
    "States": {"Train": {"Type": "Wait", "Seconds": 36000, "Next": "Done"}, "Done": {"Type": "Succeed"}},
}


def machine(account) -> str:
    """The name of a machine that waits."""
    name = f"by-hand-{uuid4().hex[:8]}"
    account.client("stepfunctions").create_state_machine(
        name=name, definition=json.dumps(WAITS), roleArn=account.role()
    )
    return name


EXAMPLES = {
    "step-functions-state-machine": Example(params=lambda account: {"definition": WAITS, "role_arn": account.role()}),
    "step-functions-execution": Example(
        params=lambda account: {"machine": machine(account), "input": {"day": 1}},
        missing_id=machine_arn(REGION, "100000000001", "none").replace(":stateMachine:", ":execution:") + ":nobodys",
    ),
}
