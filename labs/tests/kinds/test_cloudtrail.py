"""Trails: listed where they were made, recording from the start."""

import boto3
import pytest
from botocore.stub import Stubber

from labs.kinds import kind_of
from labs.kinds.base import ABSENT, RUNNING
from labs.tests.kinds.examples import configure, make, want_for
from labs.tests.kinds.examples.cloudtrail import bucket

TRAIL = kind_of("cloudtrail-trail")


@pytest.mark.simulator
def test_a_trail_for_all_regions_is_listed_at_home_and_nowhere_else(account):
    client, want, seen = make("cloudtrail-trail", account, {"bucket": bucket(account), "all_regions": True})
    there = account.client("cloudtrail", "ap-southeast-1")
    assert want.name in [trail["Name"] for trail in there.describe_trails()["trailList"]], "AWS shows it there too"
    assert seen.aws_id in {each.aws_id for each in TRAIL.find_all(client)}
    assert seen.aws_id not in {each.aws_id for each in TRAIL.find_all(there)}
    assert TRAIL.observe(there, want_for("cloudtrail-trail", name=want.name)).state == ABSENT


@pytest.mark.simulator
def test_a_trail_that_was_just_made_is_started(account):
    client, want, seen = make("cloudtrail-trail", account)
    assert not client.get_trail_status(Name=want.name)["IsLogging"]
    configure("cloudtrail-trail", client, want, seen)
    assert client.get_trail_status(Name=want.name)["IsLogging"]


def test_a_trail_that_aws_shows_of_another_region_is_no_trail_of_this_one():
    """Whatever a list is asked for, its home decides."""
    client = boto3.client("cloudtrail", region_name="ap-southeast-1", aws_access_key_id="x", aws_secret_access_key="x")
    arn = "arn:aws:cloudtrail:{}:100000000001:trail/{}"
    trails = [
        {"Name": name, "HomeRegion": region, "TrailARN": arn.format(region, name), "S3BucketName": "b"}
        for name, region in (("far", "us-east-1"), ("near", "ap-southeast-1"))
    ]
    with Stubber(client) as stub:
        stub.add_response("describe_trails", {"trailList": trails}, {"includeShadowTrails": False})
        near = trails[1]["TrailARN"]
        tags = [{"ResourceId": near, "TagsList": [{"Key": "lab", "Value": "x"}]}]
        stub.add_response("list_tags", {"ResourceTagList": tags}, {"ResourceIdList": [near]})
        (seen,) = TRAIL.find_all(client)
    assert (seen.state, seen.name, seen.tags) == (RUNNING, "near", {"lab": "x"})


def test_where_there_is_no_trail_nobodys_tags_are_asked_for():
    client = boto3.client("cloudtrail", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        stub.add_response("describe_trails", {"trailList": []})
        assert TRAIL.find_all(client) == []
