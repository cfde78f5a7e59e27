"""State machines of practice mode run by themselves, and say what they cannot run."""

import json
import time
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from labs.simulator.definitions import dead_ends

pytestmark = pytest.mark.simulator

END = {"Type": "Pass", "End": True}


@pytest.fixture
def aye(simulator):
    return simulator.new_account()


@pytest.fixture
def sfn(simulator, aye):
    return simulator.client("stepfunctions", aye)


def machine(sfn, *states, name="m", account="100000000001", **more):
    """The ARN of a machine whose states follow each other: [(name, state)]."""
    chain = {}
    for at, (called, state) in enumerate(states):
        ends = state["Type"] in ("Succeed", "Fail", "Choice") or "End" in state
        chain[called] = state if ends else {**state, "Next": states[at + 1][0]}
    definition = json.dumps({"StartAt": states[0][0], "States": chain} | more.pop("top", {}))
    role = f"arn:aws:iam::{account}:role/r"
    return sfn.create_state_machine(name=name, definition=definition, roleArn=role, **more)["stateMachineArn"]


def start(sfn, arn, given=None, **more):
    return sfn.start_execution(stateMachineArn=arn, input=json.dumps(given or {}), **more)["executionArn"]


def ended(sfn, execution, within=10):
    """What is told of the execution when it has ended by itself: that is soon."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        told = sfn.describe_execution(executionArn=execution)
        if told["status"] != "RUNNING":
            return told
    raise AssertionError("it still runs")


def code_of(call, **asked):
    with pytest.raises(ClientError) as refused:
        call(**asked)
    return refused.value.response["Error"]["Code"]


def task(resource, **asked):
    return {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Parameters": asked, "End": True}


# --- what runs -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("recall", "status", "error"), [(0.7, "SUCCEEDED", None), (0.4, "FAILED", "LowRecall")])
def test_a_choice_leads_to_one_of_two_ends(sfn, recall, status, error):
    good = {"Variable": "$.score.recall", "NumericGreaterThanEquals": 0.6, "Next": "Done"}
    arn = machine(
        sfn,
        ("Score", {"Type": "Pass", "Result": {"recall": recall}, "ResultPath": "$.score"}),
        ("Good enough?", {"Type": "Choice", "Choices": [good], "Default": "Not"}),
        ("Not", {"Type": "Fail", "Error": "LowRecall", "Cause": "recall is under 0.6"}),
        ("Done", {"Type": "Succeed"}),
    )
    told = ended(sfn, start(sfn, arn, {"day": 1}))
    assert (told["status"], told.get("error")) == (status, error)
    if status == "SUCCEEDED":
        assert json.loads(told["output"]) == {"day": 1, "score": {"recall": recall}}


def test_a_wait_follows_the_simulators_clock(simulator, sfn):
    arn = machine(sfn, ("Train", {"Type": "Wait", "Seconds": 1800}), ("Done", {"Type": "Succeed"}))
    execution = start(sfn, arn)
    assert sfn.describe_execution(executionArn=execution)["status"] == "RUNNING"
    simulator.let_pass(1801)
    assert ended(sfn, execution)["status"] == "SUCCEEDED"


def test_a_wait_until_an_instant_is_in_utc(simulator, sfn):
    at = simulator.now().replace(microsecond=0)
    wait = {"Type": "Wait", "TimestampPath": "$.at"}
    arn = machine(sfn, ("Wait", wait), ("Done", {"Type": "Succeed"}))
    execution = start(sfn, arn, {"at": at.strftime("%Y-%m-%dT%H:%M:%SZ")})
    assert ended(sfn, execution)["status"] == "SUCCEEDED"


def test_branches_and_maps_give_a_list(sfn):
    branch = {"StartAt": "P", "States": {"P": END}}
    arn = machine(sfn, ("Both", {"Type": "Parallel", "Branches": [branch, branch], "End": True}))
    assert json.loads(ended(sfn, start(sfn, arn, {"a": 1}))["output"]) == [{"a": 1}, {"a": 1}]
    each = {"Type": "Map", "ItemsPath": "$.days", "ItemProcessor": branch, "End": True}
    arn = machine(sfn, ("Each", each), name="map")
    assert json.loads(ended(sfn, start(sfn, arn, {"days": [1, 2]}))["output"]) == [1, 2]


def test_calls_of_services_are_made_in_the_account_and_in_no_other(simulator, aye, sfn):
    s3, bucket = simulator.client("s3", aye), f"steps-{aye}"
    s3.create_bucket(Bucket=bucket)
    put = task("aws-sdk:s3:putObject", Bucket=bucket, Key="k", Body={"recall": 0.7}) | {"ResultPath": None}
    del put["End"]
    get = task("aws-sdk:s3:getObject", Bucket=bucket, Key="k")
    told = ended(sfn, start(sfn, machine(sfn, ("Put", put), ("Get", get), account=aye)))
    assert json.loads(json.loads(told["output"])["Body"]) == {"recall": 0.7}

    bo = simulator.new_account()
    his = simulator.client("stepfunctions", bo)
    told = ended(his, start(his, machine(his, ("Get", get), account=bo)))
    assert (told["status"], "Access Denied" in told["cause"]) == ("FAILED", True)
    other = get | {"Credentials": {"RoleArn": f"arn:aws:iam::{aye}:role/r"}}
    told = ended(his, start(his, machine(his, ("Get", other), account=bo, name="as-aye")))
    assert (told["status"], "from another account" in told["cause"]) == ("FAILED", True)


def test_a_call_is_written_and_answered_in_pascal_case_whatever_its_service_does(aye, sfn):
    arn = machine(sfn, ("List", task("aws-sdk:sfn:listStateMachines", MaxResults=5)), account=aye)
    told = json.loads(ended(sfn, start(sfn, arn))["output"])
    assert [each["StateMachineArn"] for each in told["StateMachines"]] == [arn]


TRAINING = {
    "TrainingJobName": "fraud-1",
    "AlgorithmSpecification": {"TrainingImage": "xgboost:1", "TrainingInputMode": "File"},
    "RoleArn": "arn:aws:iam::100000000001:role/r",
    "OutputDataConfig": {"S3OutputPath": "s3://lab-models-of-sync/out"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
    "StoppingCondition": {"MaxRuntimeInSeconds": 900},
}


def test_sync_waits_for_a_training_job_and_gives_what_is_told_of_it(aye, sfn, simulator):
    simulator.pace(work_seconds=0)
    simulator.client("s3", aye).create_bucket(Bucket="lab-models-of-sync")
    arn = machine(sfn, ("Train", task("sagemaker:createTrainingJob.sync", **TRAINING)), account=aye)
    told = ended(sfn, start(sfn, arn))
    assert json.loads(told["output"])["TrainingJobStatus"] == "Completed"


def test_a_role_may_be_told_by_a_path(aye, sfn, simulator):
    simulator.pace(work_seconds=0)
    simulator.client("s3", aye).create_bucket(Bucket=f"of-{aye}")
    parameters = {**TRAINING, "OutputDataConfig": {"S3OutputPath": f"s3://of-{aye}/out"}, "RoleArn.$": "$.role"}
    del parameters["RoleArn"]
    state = task("sagemaker:createTrainingJob.sync", **parameters)
    told = ended(sfn, start(sfn, machine(sfn, ("Train", state), account=aye), {"role": TRAINING["RoleArn"]}))
    assert json.loads(told["output"])["RoleArn"] == TRAINING["RoleArn"]


def test_what_failed_says_where(aye, sfn):
    arn = machine(sfn, ("Score", task("lambda:invoke", FunctionName="nobodys", Payload={})), account=aye)
    told = ended(sfn, start(sfn, arn))
    assert (told["status"], told["error"]) == ("FAILED", "Lambda.ResourceNotFoundException")


def test_the_history_tells_step_by_step(sfn):
    execution = start(sfn, machine(sfn, ("Only", END)))
    ended(sfn, execution)
    types = [each["type"] for each in sfn.get_execution_history(executionArn=execution)["events"]]
    assert types == ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]


# --- what does not run ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "top", "words"),
    [
        (task("elasticmapreduce:addStep.sync"), {}, "cannot wait for arn:aws:states:::elasticmapreduce:addStep.sync"),
        ({"Type": "Pass", "Output": "{% $states.input.a %}", "End": True}, {"QueryLanguage": "JSONata"}, "JSONata"),
        (task("aws-sdk:ec2:describeInstanceTopology"), {}, "Practice mode cannot do ec2:DescribeInstanceTopology"),
        (task("aws-sdk:s3:listObjectsV2", Buckett="b"), {}, "'Buckett' is not supported"),
    ],
)
def test_what_practice_mode_cannot_run_fails_and_says_so(aye, sfn, state, top, words):
    told = ended(sfn, start(sfn, machine(sfn, ("It", state), account=aye, top=top)))
    assert told["status"] == "FAILED" and words in told["cause"]


@pytest.mark.slow
def test_a_machine_that_goes_round_and_round_is_ended(sfn):
    """As AWS does it, after 25,000 events; the simulator would do nothing else any more."""
    round_and_round = {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}}
    definition = json.dumps({"StartAt": "A", "States": round_and_round})
    role = "arn:aws:iam::100000000001:role/r"
    arn = sfn.create_state_machine(name="m", definition=definition, roleArn=role)["stateMachineArn"]
    told = ended(sfn, start(sfn, arn), within=120)
    assert told["status"] == "FAILED" and "maximum number of history events (25000)" in told["cause"]


@pytest.mark.parametrize(
    ("definition", "faults"),
    [
        ({"StartAt": "A", "States": {"A": END}}, 0),
        ({"StartAt": "B", "States": {"A": END}}, 1),
        ({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "nowhere"}}}, 1),
        ({"StartAt": "A", "States": {"A": {"Type": "Pass"}}}, 1),
        ({"StartAt": "A", "States": {"A": {"Type": "Choice", "Choices": [{"Next": "x"}], "Default": "y"}}}, 2),
        ({"StartAt": "A", "States": {"A": {"Type": "Task", "End": True, "Catch": [{"Next": "x"}]}}}, 1),
        (
            {
                "StartAt": "A",
                "States": {"A": {"Type": "Map", "End": True, "ItemProcessor": {"StartAt": "B", "States": {}}}},
            },
            1,
        ),
    ],
)
def test_a_way_that_leads_nowhere_is_seen_in_the_definition(definition, faults):
    assert len(list(dead_ends(definition))) == faults


def test_a_definition_is_checked_when_it_is_created(sfn):
    for states in ({"A": {"Type": "Pass", "Next": "nowhere"}}, {"A": {"Type": "Pass", "Nextt": "B"}}):
        definition = json.dumps({"StartAt": "A", "States": states})
        asked = {"name": "bad", "definition": definition, "roleArn": "arn:aws:iam::100000000001:role/r"}
        assert code_of(sfn.create_state_machine, **asked) == "InvalidDefinition"
    assert sfn.list_state_machines()["stateMachines"] == []


# --- beginnings and ends -------------------------------------------------------------------------------------


LONG = ("Train", {"Type": "Wait", "Seconds": 3600})
DONE = ("Done", {"Type": "Succeed"})


def test_the_same_machine_twice_is_one_and_another_of_its_name_is_refused(sfn):
    assert machine(sfn, LONG, DONE) == machine(sfn, LONG, DONE)
    with pytest.raises(ClientError, match="State Machine Already Exists"):
        machine(sfn, ("Only", END))


def test_the_same_execution_twice_is_one_until_it_has_ended(sfn):
    arn = machine(sfn, LONG, DONE)
    execution = start(sfn, arn, name="2025-10-04")
    assert start(sfn, arn, name="2025-10-04") == execution
    asked = {"stateMachineArn": arn, "name": "2025-10-04"}
    assert code_of(sfn.start_execution, **asked, input='{"other": 1}') == "ExecutionAlreadyExists"
    sfn.stop_execution(executionArn=execution)
    assert code_of(sfn.start_execution, **asked, input="{}") == "ExecutionAlreadyExists"


def test_what_is_stopped_is_stopped_at_once_also_when_it_has_only_begun(sfn):
    arn = machine(sfn, LONG, DONE)
    for _ in range(5):
        execution = start(sfn, arn)
        sfn.stop_execution(executionArn=execution, error="Lab", cause="the lab is over")
        told = sfn.describe_execution(executionArn=execution)
        assert (told["status"], told["cause"]) == ("ABORTED", "the lab is over")
    assert sfn.list_executions(stateMachineArn=arn, statusFilter="RUNNING")["executions"] == []


def test_what_has_ended_is_not_ended_anew_by_a_stop(sfn):
    execution = start(sfn, machine(sfn, ("Only", END)))
    ended(sfn, execution)
    sfn.stop_execution(executionArn=execution)
    assert sfn.describe_execution(executionArn=execution)["status"] == "SUCCEEDED"


def test_a_machine_is_being_deleted_until_its_executions_have_ended(simulator, sfn):
    simulator.pace(state_seconds=60)
    arn = machine(sfn, LONG, DONE, tags=[{"key": "lab", "value": "steps"}])
    execution = start(sfn, arn)
    for _ in range(2):
        sfn.delete_state_machine(stateMachineArn=arn)
    simulator.let_pass(61)
    assert sfn.describe_state_machine(stateMachineArn=arn)["status"] == "DELETING"
    assert code_of(sfn.start_execution, stateMachineArn=arn) == "StateMachineDeleting"
    with pytest.raises(ClientError, match="State Machine Is Deleting"):
        machine(sfn, LONG, DONE)
    sfn.stop_execution(executionArn=execution)
    assert code_of(sfn.describe_state_machine, stateMachineArn=arn) == "StateMachineDoesNotExist"
    assert sfn.list_state_machines()["stateMachines"] == []
    assert sfn.list_tags_for_resource(resourceArn=arn)["tags"] == []
    sfn.delete_state_machine(stateMachineArn=arn)


def test_executions_of_an_express_machine_are_in_no_list(sfn):
    arn = machine(sfn, ("Only", END), type="EXPRESS")
    assert code_of(sfn.list_executions, stateMachineArn=arn) == "StateMachineTypeNotSupported"


def test_a_schedule_starts_a_machine(simulator, aye, sfn):
    arn = machine(sfn, ("Only", END))
    target = {"Arn": arn, "RoleArn": "arn:aws:iam::100000000001:role/r", "Input": '{"day": 1}'}
    simulator.client("scheduler", aye).create_schedule(
        Name="s",
        ScheduleExpression=f"at({simulator.now() + timedelta(minutes=1):%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=target,
        ActionAfterCompletion="DELETE",
    )
    simulator.let_pass(61)
    (execution,) = sfn.list_executions(stateMachineArn=arn)["executions"]
    assert json.loads(ended(sfn, execution["executionArn"])["output"]) == {"day": 1}
