"""State machines and executions: what is stopped first, what has ended, what no list shows."""

import json
from datetime import UTC, datetime

import pytest

from labs import aws
from labs.kinds import kind_of
from labs.kinds.base import ABSENT, DELETING, RUNNING, Seen
from labs.tests.kinds.examples import REGION, configure, delete, make, want_for
from labs.tests.kinds.examples.stepfunctions import WAITS
from labs.tests.kinds.scripted_aws import scripted

MACHINE, EXECUTION = kind_of("step-functions-state-machine"), kind_of("step-functions-execution")
AT = datetime(2025, 9, 13, 7, 0, tzinfo=UTC)
ARN = f"arn:aws:states:{REGION}:100000000001:stateMachine:m"
RUN = ARN.replace(":stateMachine:", ":execution:") + ":2025-10-04"


# --- state machines ------------------------------------------------------------------------------------------


@pytest.mark.simulator
def test_a_second_create_of_the_same_machine_makes_no_second_one(account):
    client, want, seen = make("step-functions-state-machine", account)
    MACHINE.create(client, want)
    assert [each.aws_id for each in MACHINE.find_all(client)].count(seen.aws_id) == 1


@pytest.mark.simulator
def test_running_executions_are_stopped_a_part_a_call_and_then_the_machine_is_deleted(account):
    client, want, seen = make("step-functions-state-machine", account)
    for _ in range(30):
        client.start_execution(stateMachineArn=seen.facts["arn"])
    assert delete("step-functions-state-machine", client, want) == 3, "25, 5, and the machine itself"


@pytest.mark.simulator
def test_a_machine_is_seen_going_and_starts_nothing_meanwhile(account):
    client, want, seen = make("step-functions-state-machine", account)
    account.simulator.pace(state_seconds=30)
    MACHINE.delete(client, want, seen)
    assert MACHINE.observe(client, want).state == DELETING
    for call in (
        lambda: MACHINE.create(client, want),
        lambda: client.start_execution(stateMachineArn=seen.facts["arn"]),
    ):
        with pytest.raises(Exception) as raised:  # noqa: PT011  sorted on the next line
            call()
        assert isinstance(aws.sorted_trouble(raised.value), aws.NotYet)
    account.simulator.let_pass(31)
    assert MACHINE.observe(client, want).state == ABSENT


def test_an_express_machine_has_no_list_of_executions_to_ask_for():
    with scripted("stepfunctions", ("delete_state_machine", {"stateMachineArn": ARN}, {})) as client:
        MACHINE.delete(client, want_for("it"), Seen(RUNNING, "m", facts={"arn": ARN, "type": "EXPRESS"}))


def test_a_definition_is_written_the_same_whatever_its_order():
    """The database gives a dict's keys back in an order of its own; another text would be another machine to AWS."""
    there_and_back = {key: WAITS[key] for key in reversed(WAITS)}
    want = want_for("it", {"definition": there_and_back, "role_arn": "arn"}, name="m", tags={})
    asked = {
        "name": "m",
        "definition": json.dumps(WAITS, sort_keys=True),
        "roleArn": "arn",
        "type": "STANDARD",
        "tags": [],
    }
    answer = {"stateMachineArn": ARN, "creationDate": AT}
    with scripted("stepfunctions", ("create_state_machine", asked, answer)) as client:
        MACHINE.create(client, want)


# --- executions ----------------------------------------------------------------------------------------------


@pytest.mark.simulator
def test_an_execution_is_stopped_by_one_call(account):
    client, want, _ = make("step-functions-execution", account)
    assert delete("step-functions-execution", client, want) == 1


@pytest.mark.simulator
def test_what_has_ended_is_no_resource_and_tells_how_it_ended(account):
    client, want, seen = make("step-functions-execution", account)
    account.simulator.let_pass(36001)
    while EXECUTION.observe(client, want).state == RUNNING:
        pass
    ended = EXECUTION.observe(client, want)
    assert (ended.state, ended.aws_id) == (ABSENT, seen.aws_id)
    assert (ended.facts["ended"], ended.facts["is_done"]) == ("it succeeded", True)
    assert ended.since is not None
    assert seen.aws_id not in [each.aws_id for each in EXECUTION.find_all(client)]


@pytest.mark.parametrize(
    ("status", "told", "ended", "is_done"),
    [
        ("SUCCEEDED", {}, "it succeeded", True),
        ("ABORTED", {"cause": "Its lab is over"}, "it was stopped", False),
        ("TIMED_OUT", {}, "its time was over", False),
        ("FAILED", {"error": "LowRecall", "cause": "recall is under 0.6"}, "it failed: recall is under 0.6", False),
        ("FAILED", {"error": "LowRecall"}, "it failed: LowRecall", False),
        ("FAILED", {}, "it failed: no reason given", False),
    ],
)
def test_an_end_is_told_in_words(status, told, ended, is_done):
    answer = {
        "executionArn": RUN,
        "stateMachineArn": ARN,
        "name": "2025-10-04",
        "status": status,
        "startDate": AT,
        "stopDate": AT,
        **told,
    }
    with scripted("stepfunctions", ("describe_execution", {"executionArn": RUN}, answer)) as client:
        seen = EXECUTION.observe(client, want_for("it", {"machine": "m"}, name="2025-10-04"))
    assert (seen.state, seen.facts["ended"], seen.facts["is_done"]) == (ABSENT, ended, is_done)


@pytest.mark.simulator
def test_the_census_takes_one_list_of_machines_and_one_a_machine(simulator, account):
    bo = type(account)(simulator, simulator.new_account())
    client, _, _ = make("step-functions-state-machine", bo)
    make("step-functions-execution", bo)
    express = {"definition": WAITS, "role_arn": bo.role(), "type": "EXPRESS"}
    make("step-functions-state-machine", bo, express)
    simulator.forget_calls()
    assert len(list(EXECUTION.find_all(client))) == 1
    assert simulator.calls()["by"] == {"stepfunctions:ListStateMachines": 1, "stepfunctions:ListExecutions": 2}


def test_a_machine_that_goes_while_the_census_looks_is_no_trouble():
    machine = {"stateMachineArn": ARN, "name": "m", "type": "STANDARD", "creationDate": AT}
    with scripted(
        "stepfunctions",
        ("list_state_machines", {"maxResults": 1000}, {"stateMachines": [machine]}),
        (
            "list_executions",
            {"stateMachineArn": ARN, "statusFilter": "RUNNING", "maxResults": 1000},
            "StateMachineDoesNotExist: State Machine Does Not Exist",
        ),
    ) as client:
        assert list(EXECUTION.find_all(client)) == []


@pytest.mark.simulator
def test_a_strangers_execution_is_whose_machine_it_is(account):
    client, want, machine = make("step-functions-state-machine", account)
    arn = client.start_execution(stateMachineArn=machine.facts["arn"])["executionArn"]
    glimpse = next(each for each in EXECUTION.find_all(client) if each.aws_id == arn)
    assert EXECUTION.complete(client, glimpse).tags == want.tags


@pytest.mark.simulator
def test_the_dead_mans_switch_stops_an_execution_also_before_its_id_is_known(account, switched):
    client, want, seen = make("step-functions-execution", account)
    switched(account, EXECUTION.off_call(want))
    assert EXECUTION.observe(client, want).state == ABSENT
    assert EXECUTION.off_call(want).input == {"ExecutionArn": seen.aws_id}


@pytest.mark.simulator
def test_its_machine_goes_after_what_it_started(account):
    """As a lab is taken down: the execution needs the machine, so it goes first; what else runs the machine stops."""
    client, want, machine = make("step-functions-state-machine", account)
    child = want_for("step-functions-execution", {"machine": want.name}, account_id=account.id)
    EXECUTION.create(client, child)
    client.start_execution(stateMachineArn=machine.facts["arn"])
    configure("step-functions-execution", client, child, EXECUTION.observe(client, child))
    delete("step-functions-execution", client, child)
    assert delete("step-functions-state-machine", client, want) == 2
