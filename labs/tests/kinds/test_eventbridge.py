"""Rules, schedules and their groups: targets go first, AWS's own and the portal's own are left alone."""

import json
from datetime import timedelta

import pytest

from labs.aws import Refused
from labs.kinds import kind_of
from labs.kinds.base import ABSENT, RUNNING, STOPPED, Seen
from labs.kinds.scheduler_group import SWITCH_GROUP
from labs.tests.kinds.examples import configure, delete, make, want_for
from labs.tests.kinds.examples.events import queue
from labs.tests.kinds.scripted_aws import scripted

RULE, SCHEDULE, GROUP = map(kind_of, ("eventbridge-rule", "scheduler-schedule", "scheduler-group"))
ARN = "arn:aws:events:us-east-1:100000000001:rule/r"


def said(account, url):
    messages = account.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [each["Body"] for each in messages]


# --- rules ---------------------------------------------------------------------------------------------------


@pytest.mark.simulator
def test_targets_are_set_by_configure_and_once(account):
    client, want, seen = make("eventbridge-rule", account)
    assert seen.facts["targets"] == []
    assert RULE.configure(client, want, seen) is False
    seen = configure("eventbridge-rule", client, want, seen)
    assert seen.facts["targets"] == [queue(account)]
    account.simulator.forget_calls()
    assert RULE.configure(client, want, seen) is True
    assert account.simulator.calls()["by"] == {"events:ListTargetsByRule": 1}


@pytest.mark.simulator
def test_a_target_that_was_changed_by_hand_is_set_again(account):
    client, want, seen = make("eventbridge-rule", account)
    seen = configure("eventbridge-rule", client, want, seen)
    client.put_targets(Rule=want.name, Targets=[{"Id": "queue", "Arn": queue(account) + "-other"}])
    seen = configure("eventbridge-rule", client, want, RULE.observe(client, want))
    assert seen.facts["targets"] == [queue(account)]


@pytest.mark.simulator
def test_a_rule_with_targets_is_deleted_by_one_call_and_its_targets_go_first(account):
    client, want, seen = make("eventbridge-rule", account)
    configure("eventbridge-rule", client, want, seen)
    with pytest.raises(client.exceptions.ClientError, match="since it has targets"):
        client.delete_rule(Name=want.name)
    assert delete("eventbridge-rule", client, want) == 1


TARGET = {"Id": "queue", "Arn": "arn:aws:sqs:us-east-1:100000000001:told"}
NO = {"FailedEntryCount": 1, "FailedEntries": [{"TargetId": "queue", "ErrorCode": "Limit", "ErrorMessage": "too many"}]}


def test_a_target_that_was_not_taken_is_said_although_the_answer_was_200():
    want = want_for("it", {"targets": [{"id": "queue", "arn": TARGET["Arn"]}]}, name="r")
    with (
        scripted(
            "events",
            ("list_targets_by_rule", {"Rule": "r", "EventBusName": "default"}, {}),
            ("put_targets", {"Rule": "r", "EventBusName": "default", "Targets": [TARGET]}, NO),
        ) as client,
        pytest.raises(Refused, match=r"did not take a target of r: too many \(Limit\)"),
    ):
        RULE.configure(client, want, Seen(RUNNING, "r"))


def test_a_rule_that_keeps_a_target_is_not_deleted():
    with (
        scripted(
            "events",
            ("list_targets_by_rule", {"Rule": "r", "EventBusName": "mine"}, {"Targets": [TARGET]}),
            ("remove_targets", {"Rule": "r", "EventBusName": "mine", "Ids": ["queue"]}, NO),
        ) as client,
        pytest.raises(Refused, match="did not let go"),
    ):
        RULE.delete(client, want_for("it"), Seen(RUNNING, "mine/r"))


def test_a_rule_that_a_service_made_for_itself_is_left_alone():
    rule = {"Name": "r", "Arn": ARN, "State": "ENABLED", "EventBusName": "default"}
    managed = {**rule, "Name": "StepFunctionsGetEventsForSageMaker", "ManagedBy": "states.amazonaws.com"}
    with scripted(
        "events",
        ("list_event_buses", {"Limit": 100}, {"EventBuses": [{"Name": "default"}]}),
        ("list_rules", {"EventBusName": "default"}, {"Rules": [rule, managed]}),
    ) as client:
        assert [seen.name for seen in RULE.find_all(client)] == ["r"]


def test_every_page_of_buses_is_read():
    rule = {"Name": "r", "Arn": ARN, "State": "DISABLED", "EventBusName": "aws.partner/shop"}
    with scripted(
        "events",
        ("list_event_buses", {"Limit": 100}, {"EventBuses": [{"Name": "default"}], "NextToken": "more"}),
        ("list_rules", {"EventBusName": "default"}, {"Rules": []}),
        ("list_event_buses", {"Limit": 100, "NextToken": "more"}, {"EventBuses": [{"Name": "aws.partner/shop"}]}),
        ("list_rules", {"EventBusName": "aws.partner/shop"}, {"Rules": [rule]}),
    ) as client:
        (seen,) = RULE.find_all(client)
    assert (seen.aws_id, seen.name, seen.state) == ("aws.partner/shop/r", "r", STOPPED)


@pytest.mark.simulator
def test_a_rule_of_another_bus_is_made_found_and_deleted_there(account):
    client = account.client("events")
    client.create_event_bus(Name="lab-bus")
    pattern = {"source": ["lab"], "detail-type": ["done"]}
    targets = [{"id": "queue", "arn": queue(account), "input": '{"a": 1}', "role_arn": account.role()}]
    client, want, seen = make("eventbridge-rule", account, {"bus": "lab-bus", "pattern": pattern, "targets": targets})
    assert (seen.aws_id, json.loads(seen.facts["pattern"])) == (f"lab-bus/{want.name}", pattern)
    configure("eventbridge-rule", client, want, seen)
    listed = next(each for each in RULE.find_all(client) if each.name == want.name)
    assert (listed.aws_id, listed.mark) == (seen.aws_id, seen.mark)
    RULE.stop(client, want, seen)
    assert RULE.observe(client, want).state == STOPPED
    delete("eventbridge-rule", client, want)
    client.delete_event_bus(Name="lab-bus")


def test_a_rule_with_another_schedule_has_another_mark():
    """The list tells no instant of a change, and the ledger must see one all the same."""
    marks = set()
    for when in ("rate(1 hour)", "rate(1 minute)"):
        rule = {"Name": "r", "Arn": ARN, "State": "ENABLED", "EventBusName": "default", "ScheduleExpression": when}
        with scripted(
            "events",
            ("list_event_buses", {"Limit": 100}, {"EventBuses": [{"Name": "default"}]}),
            ("list_rules", {"EventBusName": "default"}, {"Rules": [rule]}),
        ) as client:
            marks |= {seen.mark for seen in RULE.find_all(client)}
    assert len(marks) == 2


@pytest.mark.simulator
def test_the_dead_mans_switch_disables_a_rule_before_and_after_its_id_is_known(account, switched):
    client, want, seen = make("eventbridge-rule", account)
    switched(account, RULE.off_call(want))
    assert RULE.observe(client, want).state == STOPPED
    known = want_for("it", name="", aws_id=f"mine/{seen.aws_id}")
    assert RULE.off_call(known).input == {"Name": seen.aws_id, "EventBusName": "mine"}


# --- schedules and groups ------------------------------------------------------------------------------------


def group_with_a_schedule(account):
    """(client, the group's want, the group as seen, the schedule's want)"""
    client, group, seen = make("scheduler-group", account)
    params = {"schedule": "rate(7 days)", "target": queue(account), "role_arn": account.role(), "group": group.name}
    want = want_for("scheduler-schedule", params, account_id=account.id)
    SCHEDULE.create(client, want)
    return client, group, seen, want


@pytest.mark.simulator
def test_a_schedule_bears_the_tags_of_its_group(account):
    client, group, _, want = group_with_a_schedule(account)
    glimpse = next(each for each in SCHEDULE.find_all(client) if each.name == want.name)
    assert glimpse.aws_id == f"{group.name}/{want.name}"
    assert SCHEDULE.complete(client, glimpse).tags == group.tags
    SCHEDULE.delete(client, want, glimpse)


@pytest.mark.simulator
def test_a_groups_schedules_go_with_it(account):
    client, group, seen, want = group_with_a_schedule(account)
    account.simulator.pace(state_seconds=30)
    GROUP.delete(client, group, seen)
    assert GROUP.observe(client, group).state == "deleting"
    account.simulator.let_pass(31)
    assert (GROUP.observe(client, group).state, SCHEDULE.observe(client, want).state) == (ABSENT, ABSENT)


@pytest.mark.simulator
def test_the_schedules_of_the_dead_mans_switch_are_nobodys_lab(simulator, account):
    bo = type(account)(simulator, simulator.new_account())
    client = bo.client("scheduler")
    client.create_schedule_group(Name=SWITCH_GROUP)
    client.create_schedule(
        Name="off",
        GroupName=SWITCH_GROUP,
        ScheduleExpression="cron(0 0 1 1 ? 2099)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": queue(bo), "RoleArn": bo.role()},
    )
    assert list(SCHEDULE.find_all(client)) == [] and list(GROUP.find_all(client)) == []


@pytest.mark.simulator
def test_a_stop_keeps_all_that_a_schedule_is(account):
    """UpdateSchedule resets what it is not told again."""
    client, want, seen = make("scheduler-schedule", account)
    before = client.get_schedule(Name=want.name)
    SCHEDULE.stop(client, want, seen)
    after = client.get_schedule(Name=want.name)
    for told in (before, after):
        for member in ("LastModificationDate", "ResponseMetadata"):
            told.pop(member)
    assert after == before | {"State": "DISABLED"}
    assert (after["ScheduleExpressionTimezone"], after["ActionAfterCompletion"]) == ("Asia/Yangon", "DELETE")


@pytest.mark.simulator
def test_a_schedule_that_is_stopped_does_not_fire_and_one_that_is_started_does(simulator, account):
    """Until it has fired for the last time: then it is gone."""
    url = account.client("sqs").create_queue(QueueName="rings")["QueueUrl"]
    params = {
        "schedule": f"at({simulator.now() + timedelta(minutes=10):%Y-%m-%dT%H:%M:%S})",
        "target": f"arn:aws:sqs:us-east-1:{account.id}:rings",
        "role_arn": account.role(),
        "input": {"day": 1},
    }
    client, want, seen = make("scheduler-schedule", account, params)
    SCHEDULE.stop(client, want, seen)
    SCHEDULE.start(client, want, seen)
    simulator.let_pass(601)
    assert said(account, url) == ['{"day": 1}']
    assert SCHEDULE.observe(client, want).state == ABSENT


@pytest.mark.simulator
def test_the_dead_mans_switch_deletes_a_schedule(account, switched):
    client, want, _ = make("scheduler-schedule", account)
    switched(account, SCHEDULE.off_call(want))
    assert SCHEDULE.observe(client, want).state == ABSENT
