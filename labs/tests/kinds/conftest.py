import json
from datetime import timedelta
from uuid import uuid4

import pytest

from labs.tests.kinds.examples import AccountOfAye


@pytest.fixture
def account(simulator):
    """A simulated account, in the place of the ledger's row of one. Names and tags keep the tests apart."""
    return AccountOfAye(simulator, "600000000002")


@pytest.fixture
def switched():
    """switched(account, call): Scheduler has made the call, as a kind's `off_call` says, with nobody calling."""

    def let_the_switch_work(account, call):
        simulator = account.simulator
        account.client("scheduler").create_schedule(
            Name=f"off-{uuid4().hex[:8]}",
            ScheduleExpression=f"at({simulator.now() + timedelta(minutes=1):%Y-%m-%dT%H:%M:%S})",
            FlexibleTimeWindow={"Mode": "OFF"},
            ActionAfterCompletion="DELETE",
            Target={"Arn": call.target, "RoleArn": account.role(), "Input": json.dumps(dict(call.input))},
        )
        simulator.let_pass(61)
        assert [each["why_not"] for each in simulator.fired(account.id)][-1:] == [""]

    return let_the_switch_work
