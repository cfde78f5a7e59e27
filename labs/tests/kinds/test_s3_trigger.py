"""S3 triggers: one line among others in a bucket's notification configuration."""

import json

import pytest
from botocore.exceptions import ClientError

from labs import aws
from labs.kinds import kind_of
from labs.kinds.base import ABSENT
from labs.tests.kinds.examples import delete, make, want_for
from labs.tests.kinds.examples.lambda_functions import function
from labs.tests.kinds.examples.s3 import bucket, function_that_s3_may_call

TRIGGER = kind_of("s3-trigger")
pytestmark = pytest.mark.simulator


def lines(client, name):
    return client.get_bucket_notification_configuration(Bucket=name).get("LambdaFunctionConfigurations", [])


def test_a_trigger_says_what_sets_it_off_and_whose_it_is(account):
    client, want, seen = make("s3-trigger", account)
    (line,) = lines(client, want.params["bucket"])
    assert line["Events"] == ["s3:ObjectCreated:*"]
    rules = {rule["Name"].lower(): rule["Value"] for rule in line["Filter"]["Key"]["FilterRules"]}
    assert rules == {"prefix": "raw/", "suffix": ".csv"}
    assert seen.tags == dict(want.tags)
    assert (seen.name, seen.aws_id) == (want.name, f"{want.params['bucket']}/{want.name}")
    assert len(line["Id"]) <= 255


def test_the_other_lines_of_the_bucket_are_kept(account):
    client, name, arn = account.client("s3"), bucket(account), function_that_s3_may_call(account)
    own = {"Id": "mine", "LambdaFunctionArn": arn, "Events": ["s3:ObjectRemoved:*"]}
    client.put_bucket_notification_configuration(
        Bucket=name, NotificationConfiguration={"LambdaFunctionConfigurations": [own], "EventBridgeConfiguration": {}}
    )
    params = {"bucket": name, "function_arn": arn}
    client, want, seen = make("s3-trigger", account, params)
    assert {line["Id"].partition(".")[0] for line in lines(client, name)} == {"mine", want.name}
    delete("s3-trigger", client, want)
    assert [line["Id"] for line in lines(client, name)] == ["mine"]


def test_a_create_that_is_made_again_makes_no_second_line(account):
    client, want, _ = make("s3-trigger", account)
    TRIGGER.create(client, want)
    assert len(lines(client, want.params["bucket"])) == 1


def test_a_permission_that_s3_does_not_know_of_yet_is_waited_for(account):
    arn = account.client("lambda").get_function(FunctionName=function(account))["Configuration"]["FunctionArn"]
    with pytest.raises(ClientError) as refused:
        make("s3-trigger", account, {"bucket": bucket(account), "function_arn": arn})
    assert isinstance(aws.sorted_trouble(refused.value), aws.NotYet)


def test_a_trigger_ends_with_its_bucket(account):
    client, want, seen = make("s3-trigger", account)
    client.delete_bucket(Bucket=want.params["bucket"])
    assert TRIGGER.observe(client, want).state == ABSENT
    with pytest.raises(ClientError) as gone:
        TRIGGER.delete(client, want, seen)
    assert isinstance(aws.sorted_trouble(gone.value), aws.NotThere)


def test_only_the_labs_buckets_are_asked_and_a_closed_one_hides_no_other(account):
    _, want, seen = make("s3-trigger", account)
    other = bucket(account)
    client = account.client("s3")
    client.create_bucket(Bucket=f"private-{other}")
    account.simulator.forget_calls()
    account.simulator.faults(
        [{"operation": "GetBucketNotificationConfiguration", "code": "AccessDenied", "status": 403, "times": 1}]
    )
    found = {each.aws_id for each in TRIGGER.find_all(client)}
    account.simulator.faults([])
    asked = account.simulator.calls()["by"]["s3:GetBucketNotificationConfiguration"]
    labs_own = [one for one in client.list_buckets()["Buckets"] if one["Name"].startswith("lab-")]
    assert asked == len(labs_own)
    assert len(found) >= sum(bool(lines(client, one["Name"])) for one in labs_own) - 1
    assert seen.aws_id in {each.aws_id for each in TRIGGER.find_all(client)}


def test_a_trigger_of_which_only_the_name_is_known_is_found(account):
    client, want, seen = make("s3-trigger", account)
    assert TRIGGER.observe(client, want_for("s3-trigger", name=want.name)).aws_id == seen.aws_id
    json.dumps(dict(seen.facts))
