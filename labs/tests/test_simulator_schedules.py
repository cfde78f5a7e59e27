"""Schedules and rules of practice mode fire by themselves: the ground that the dead-man's switch stands on.

Time is let pass over the operator's desk, which is no call of AWS's; nobody calls anything else meanwhile.
"""

import json
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.simulator

ROLE = "arn:aws:iam::100000000001:role/lab/deadman"


@pytest.fixture
def aye(simulator):
    return simulator.new_account()


@pytest.fixture
def scheduler(simulator, aye):
    return simulator.client("scheduler", aye)


@pytest.fixture
def events(simulator, aye):
    return simulator.client("events", aye)


@pytest.fixture
def sagemaker(simulator, aye):
    return simulator.client("sagemaker", aye)


@pytest.fixture
def sqs(simulator, aye):
    return simulator.client("sqs", aye)


@pytest.fixture
def queue(sqs):
    """(its URL, its ARN)"""
    url = sqs.create_queue(QueueName="told")["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def in_minutes(simulator, minutes):
    return f"at({simulator.now() + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%S})"


def plan(scheduler, expression, target, name="switch", **more):
    asked = {"FlexibleTimeWindow": {"Mode": "OFF"}, "ActionAfterCompletion": "DELETE"} | more
    scheduler.create_schedule(Name=name, ScheduleExpression=expression, Target={"RoleArn": ROLE, **target}, **asked)


def sdk(call, **asked):
    """A universal target."""
    return {"Arn": f"arn:aws:scheduler:::aws-sdk:{call}", "Input": json.dumps(asked)}


def names(scheduler):
    return [each["Name"] for each in scheduler.list_schedules()["Schedules"]]


def said(sqs, url):
    return [each["Body"] for each in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])]


def refusal(call, **asked):
    with pytest.raises(ClientError) as refused:
        call(**asked)
    return refused.value.response["Error"]


# --- what the switch does ------------------------------------------------------------------------------------


def test_a_notebook_is_stopped_at_its_time_with_nobody_calling(simulator, aye, scheduler, sagemaker):
    sagemaker.create_notebook_instance(NotebookInstanceName="n", InstanceType="ml.t3.medium", RoleArn=ROLE)
    plan(scheduler, in_minutes(simulator, 10), sdk("sagemaker:stopNotebookInstance", NotebookInstanceName="n"))
    simulator.let_pass(9 * 60)
    assert simulator.fired(aye) == []
    simulator.let_pass(61)
    (fired,) = simulator.fired(aye)
    assert (fired["service"], fired["operation"], fired["why_not"]) == ("sagemaker", "StopNotebookInstance", "")
    assert sagemaker.describe_notebook_instance(NotebookInstanceName="n")["NotebookInstanceStatus"] == "Stopped"
    assert names(scheduler) == [], "ActionAfterCompletion=DELETE"


def test_an_instance_is_terminated_at_its_time_and_takes_its_time(simulator, aye, scheduler):
    ec2, ssm = simulator.client("ec2", aye), simulator.client("ssm", aye)
    image = ssm.get_parameter(Name="/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64")
    asked = {"ImageId": image["Parameter"]["Value"], "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1}
    instance = ec2.run_instances(**asked)["Instances"][0]["InstanceId"]
    plan(scheduler, in_minutes(simulator, 10), sdk("ec2:terminateInstances", InstanceIds=[instance]))
    simulator.pace(state_seconds=60)
    simulator.let_pass(10 * 60 + 1)

    def state():
        return ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]["State"]["Name"]

    assert state() == "shutting-down"
    simulator.let_pass(61)
    assert state() == "terminated"


def test_an_endpoint_is_deleted_at_its_time(simulator, scheduler, sagemaker):
    variant = {"VariantName": "all", "ModelName": "e", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_model(ModelName="e", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "xgboost:1"})
    sagemaker.create_endpoint_config(EndpointConfigName="e", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="e")
    plan(scheduler, in_minutes(simulator, 10), sdk("sagemaker:deleteEndpoint", EndpointName="e"))
    simulator.let_pass(10 * 60 + 1)
    assert sagemaker.list_endpoints()["Endpoints"] == []


def test_the_simulator_needs_nobody_to_let_time_pass(simulator, aye, scheduler, queue):
    """Its own thread looks: the desk alone is asked until then, and asks AWS nothing."""
    plan(scheduler, f"at({simulator.now() + timedelta(seconds=1):%Y-%m-%dT%H:%M:%S})", {"Arn": queue[1], "Input": "x"})
    until = simulator.now() + timedelta(seconds=8)
    while not simulator.fired(aye) and simulator.now() < until:
        pass
    (fired,) = simulator.fired(aye)
    assert fired["operation"] == "SendMessage" and fired["why_not"] == ""


def test_each_account_has_its_own_schedules(simulator, aye, scheduler, sagemaker):
    """bo's notebook of the same name runs on."""
    bo = simulator.new_account()
    for account in (aye, bo):
        made = simulator.client("sagemaker", account)
        made.create_notebook_instance(NotebookInstanceName="n", InstanceType="ml.t3.medium", RoleArn=ROLE)
    plan(scheduler, in_minutes(simulator, 1), sdk("sagemaker:stopNotebookInstance", NotebookInstanceName="n"))
    simulator.let_pass(61)
    his = simulator.client("sagemaker", bo).describe_notebook_instance(NotebookInstanceName="n")
    assert his["NotebookInstanceStatus"] == "InService"


# --- when ----------------------------------------------------------------------------------------------------


def test_a_zone_is_the_one_of_the_schedule(simulator, aye, scheduler, queue):
    local = simulator.now() + timedelta(hours=6, minutes=40)
    plan(
        scheduler,
        f"at({local:%Y-%m-%dT%H:%M:%S})",
        {"Arn": queue[1], "Input": "x"},
        ScheduleExpressionTimezone="Asia/Yangon",
    )
    simulator.let_pass(9 * 60)
    assert simulator.fired(aye) == []
    simulator.let_pass(61)
    assert len(simulator.fired(aye)) == 1


def test_a_rate_fires_at_once_and_ever_again_until_its_end(simulator, scheduler, sqs, queue):
    end = simulator.now() + timedelta(minutes=12)
    plan(scheduler, "rate(5 minutes)", {"Arn": queue[1], "Input": "tick"}, EndDate=end)
    for minutes, ticks in ((0, 1), (5, 1), (5, 1), (5, 0), (5, 0)):
        simulator.let_pass(minutes * 60)
        assert said(sqs, queue[0]) == ["tick"] * ticks
    assert names(scheduler) == [], "deleted after the last one"


def test_a_clock_that_jumped_makes_up_once_for_what_it_missed(simulator, scheduler, sqs, queue):
    plan(scheduler, "cron(0 * * * ? *)", {"Arn": queue[1], "Input": "hour"})
    simulator.let_pass(5 * 3600)
    assert said(sqs, queue[0]) == ["hour"]
    scheduler.delete_schedule(Name="switch")


def test_a_disabled_schedule_does_not_fire_and_does_not_make_up(simulator, aye, scheduler, queue):
    plan(scheduler, "rate(1 hour)", {"Arn": queue[1], "Input": "x"}, State="DISABLED")
    simulator.let_pass(3 * 3600)
    kept = scheduler.get_schedule(Name="switch")
    assert kept["State"] == "DISABLED"
    again = {name: kept[name] for name in ("Name", "ScheduleExpression", "Target", "FlexibleTimeWindow")}
    scheduler.update_schedule(**again, State="ENABLED", ActionAfterCompletion="DELETE")
    simulator.let_pass(1)
    assert simulator.fired(aye) == []
    simulator.let_pass(3600)
    assert len(simulator.fired(aye)) == 1
    scheduler.delete_schedule(Name="switch")


def test_a_moved_schedule_fires_at_its_new_time_only(simulator, aye, scheduler, queue):
    """As when a lab is extended."""
    plan(scheduler, in_minutes(simulator, 10), {"Arn": queue[1], "Input": "x"})
    kept = scheduler.get_schedule(Name="switch")
    asked = {name: kept[name] for name in ("Name", "Target", "FlexibleTimeWindow", "ActionAfterCompletion")}
    scheduler.update_schedule(**asked, ScheduleExpression=in_minutes(simulator, 70))
    simulator.let_pass(11 * 60)
    assert simulator.fired(aye) == []
    simulator.let_pass(60 * 60)
    assert len(simulator.fired(aye)) == 1 and names(scheduler) == []


def test_a_one_time_schedule_that_is_to_stay_stays_and_is_silent(simulator, aye, scheduler, queue):
    plan(scheduler, in_minutes(simulator, 1), {"Arn": queue[1], "Input": "x"}, ActionAfterCompletion="NONE")
    simulator.let_pass(61)
    simulator.let_pass(3600)
    assert len(simulator.fired(aye)) == 1 and names(scheduler) == ["switch"]


@pytest.mark.parametrize(
    ("expression", "target", "words"),
    [
        ("at(2020-01-01T00:00:00)", {}, "its time is over"),
        ("every day", {}, "Invalid Schedule Expression"),
        ("rate(1 hour)", sdk("sagemaker:stopNotebook", Name="n"), "has no call stopNotebook"),
        ("rate(1 hour)", sdk("sagemaker:stopNotebookInstance", Notebook="n"), "'Notebook' is not supported"),
        ("rate(1 hour)", sdk("nosuch:stop"), "no service nosuch"),
    ],
)
def test_what_could_never_work_is_refused_when_it_is_made(scheduler, queue, expression, target, words):
    asked = {"FlexibleTimeWindow": {"Mode": "OFF"}, "Name": "switch", "ScheduleExpression": expression}
    no = refusal(scheduler.create_schedule, **asked, Target={"RoleArn": ROLE, "Arn": queue[1], **target})
    assert no["Code"] == "ValidationException" and words in no["Message"]
    assert names(scheduler) == []


# --- what goes wrong -----------------------------------------------------------------------------------------


def test_a_clear_no_is_noted_and_final(simulator, aye, scheduler):
    plan(scheduler, in_minutes(simulator, 1), sdk("sagemaker:stopNotebookInstance", NotebookInstanceName="nobodys"))
    simulator.let_pass(61)
    (fired,) = simulator.fired(aye)
    assert fired["operation"] == "StopNotebookInstance" and "RecordNotFound" in fired["why_not"]
    assert fired["source"].endswith(":schedule/default/switch")
    simulator.let_pass(3600)
    assert len(simulator.fired(aye)) == 1 and names(scheduler) == []


def test_no_answer_is_tried_again_until_it_is_well(simulator, aye, scheduler, sagemaker):
    sagemaker.create_notebook_instance(NotebookInstanceName="n", InstanceType="ml.t3.medium", RoleArn=ROLE)
    plan(scheduler, in_minutes(simulator, 1), sdk("sagemaker:stopNotebookInstance", NotebookInstanceName="n"))
    fault = {"operation": "StopNotebookInstance", "account": aye}
    simulator.faults([fault | {"drop": "before"}, fault | {"code": "ThrottlingException"}])
    for seconds in (61, 31, 61):
        assert names(scheduler) == ["switch"], "it is not over"
        simulator.let_pass(seconds)
    assert [each["why_not"] == "" for each in simulator.fired(aye)] == [False, False, True]
    assert sagemaker.describe_notebook_instance(NotebookInstanceName="n")["NotebookInstanceStatus"] == "Stopped"
    assert names(scheduler) == []


def test_what_was_taken_back_is_not_tried_again(simulator, aye, scheduler, queue):
    """As when a lab is torn down before its switch got through."""
    plan(scheduler, in_minutes(simulator, 1), {"Arn": queue[1], "Input": "x"})
    simulator.faults([{"service": "sqs", "account": aye, "code": "InternalFailure", "status": 500}])
    simulator.let_pass(61)
    scheduler.delete_schedule(Name="switch")
    simulator.let_pass(3600)
    assert len(simulator.fired(aye)) == 1


def test_tries_end_where_the_policy_says(simulator, aye, scheduler, queue):
    policy = {"MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 3600}
    plan(scheduler, in_minutes(simulator, 1), {"Arn": queue[1], "Input": "x", "RetryPolicy": policy})
    simulator.faults([{"service": "sqs", "account": aye, "code": "InternalFailure", "status": 500, "times": None}])
    for _ in range(4):
        simulator.let_pass(600)
    assert len(simulator.fired(aye)) == 2 and names(scheduler) == []


def test_what_practice_mode_cannot_set_off_is_said(simulator, aye, scheduler):
    plan(scheduler, in_minutes(simulator, 1), {"Arn": f"arn:aws:kinesis:us-east-1:{aye}:stream/s", "Input": "x"})
    simulator.let_pass(61)
    assert "practice mode cannot set off arn:aws:kinesis" in simulator.fired(aye)[0]["why_not"]


def test_a_region_outside_of_practice_is_no_way_out(simulator, aye):
    with pytest.raises(ClientError, match="and no eu-west-1"):
        simulator.client("scheduler", aye, "eu-west-1").list_schedules()


# --- groups --------------------------------------------------------------------------------------------------


def test_a_group_is_made_once_and_deleted_with_what_is_in_it(simulator, aye, scheduler, queue):
    simulator.pace(state_seconds=60)
    scheduler.create_schedule_group(Name="lab", Tags=[{"Key": "lab", "Value": "s3"}])
    arn = scheduler.get_schedule_group(Name="lab")["Arn"]
    assert scheduler.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "lab", "Value": "s3"}]
    assert refusal(scheduler.create_schedule_group, Name="lab")["Code"] == "ConflictException"
    plan(scheduler, in_minutes(simulator, 5), {"Arn": queue[1], "Input": "x"}, GroupName="lab")
    scheduler.delete_schedule_group(Name="lab")
    assert scheduler.get_schedule_group(Name="lab")["State"] == "DELETING"
    simulator.let_pass(3600)
    assert simulator.fired(aye) == []
    assert refusal(scheduler.get_schedule_group, Name="lab")["Code"] == "ResourceNotFoundException"
    assert refusal(scheduler.delete_schedule_group, Name="default")["Code"] == "ValidationException"


def test_a_group_that_is_not_there_is_said(scheduler, queue):
    target = {"RoleArn": ROLE, "Arn": queue[1]}
    asked = {"Name": "s", "ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": target}
    assert refusal(scheduler.create_schedule, **asked, GroupName="none")["Code"] == "ResourceNotFoundException"


# --- rules ---------------------------------------------------------------------------------------------------


def test_a_rule_with_a_schedule_fires_when_one_of_its_rate_has_gone_by(simulator, events, sqs, queue):
    arn = events.put_rule(Name="r", ScheduleExpression="rate(5 minutes)")["RuleArn"]
    events.put_targets(Rule="r", Targets=[{"Id": "q", "Arn": queue[1]}])
    simulator.let_pass(240)
    assert said(sqs, queue[0]) == []
    simulator.let_pass(61)
    (event,) = map(json.loads, said(sqs, queue[0]))
    assert event["detail-type"] == "Scheduled Event" and event["resources"] == [arn]
    events.disable_rule(Name="r")
    simulator.let_pass(3600)
    events.enable_rule(Name="r")
    simulator.let_pass(1)
    assert said(sqs, queue[0]) == []
    simulator.let_pass(300)
    assert len(said(sqs, queue[0])) == 1
    events.remove_targets(Rule="r", Ids=["q"])
    events.delete_rule(Name="r")


def test_an_event_reaches_the_targets_of_the_rules_that_it_fits(simulator, events, sqs, queue):
    events.put_rule(Name="fits", EventPattern=json.dumps({"source": ["lab"]}))
    events.put_rule(Name="off", EventPattern=json.dumps({"source": ["lab"]}), State="DISABLED")
    events.put_rule(Name="other", EventPattern=json.dumps({"source": ["elsewhere"]}))
    events.put_rule(Name="clock", ScheduleExpression="rate(1 day)")
    for rule in ("fits", "off", "other", "clock"):
        events.put_targets(Rule=rule, Targets=[{"Id": "q", "Arn": queue[1], "InputPath": "$.detail"}])
    events.put_events(Entries=[{"Source": "lab", "DetailType": "done", "Detail": json.dumps({"recall": 0.7})}])
    simulator.let_pass(0)
    assert said(sqs, queue[0]) == ['{"recall": 0.7}']


@pytest.mark.parametrize(
    ("told", "heard"),
    [
        ({"Input": '"as written"'}, '"as written"'),
        (
            {
                "InputTransformer": {
                    "InputPathsMap": {"what": "$.detail-type"},
                    "InputTemplate": '{"happened": "<what>"}',
                }
            },
            '{"happened": "Scheduled Event"}',
        ),
    ],
)
def test_a_target_gets_what_the_rules_writer_says(simulator, events, sqs, queue, told, heard):
    events.put_rule(Name="r", ScheduleExpression="rate(1 minute)")
    events.put_targets(Rule="r", Targets=[{"Id": "q", "Arn": queue[1], **told}])
    simulator.let_pass(61)
    assert said(sqs, queue[0]) == [heard]
    events.remove_targets(Rule="r", Ids=["q"])


def test_a_rule_writes_to_a_log_group(simulator, aye, events):
    logs = simulator.client("logs", aye)
    logs.create_log_group(logGroupName="/lab/clock")
    group = f"arn:aws:logs:us-east-1:{aye}:log-group:/lab/clock"
    events.put_rule(Name="r", ScheduleExpression="rate(1 minute)")
    events.put_targets(Rule="r", Targets=[{"Id": "l", "Arn": group, "Input": '{"it": "ticks"}'}])
    simulator.let_pass(61)
    (line,) = logs.filter_log_events(logGroupName="/lab/clock")["events"]
    assert line["message"] == '{"it": "ticks"}'
    events.remove_targets(Rule="r", Ids=["l"])
