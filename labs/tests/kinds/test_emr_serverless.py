"""EMR Serverless: free until a worker is kept ready, started to be ready, and stopped before it goes."""

from dataclasses import replace
from decimal import Decimal

import pytest

from labs.kinds import kind_of
from labs.kinds.base import ABSENT, PENDING, RUNNING, STOPPED, STOPPING, Seen
from labs.tests.cast import START
from labs.tests.kinds.examples import EXAMPLES, configure, delete, make, want_for
from labs.tests.kinds.scripted_aws import scripted

APPLICATION = kind_of("emr-serverless-application")
RUNNING_FACTS = EXAMPLES["emr-serverless-application"].running
READY = {
    "Driver": {"count": 1, "cpu": "2 vCPU", "memory": "8 GB"},
    "Executor": {"count": 2, "cpu": "1 vCPU", "memory": "4 GB"},
}
ROLE = "arn:aws:iam::600000000002:role/lab/jobs"
DRIVER = {"sparkSubmit": {"entryPoint": "s3://b/count.py"}}


WANT = want_for("emr-serverless-application")


def lines(meters):
    return {(meter.sku, meter.unit, meter.quantity) for meter in meters}


@pytest.fixture
def made(account):
    """An application that is ready for its first job: (client, want with its id, what is seen)."""
    client, want, seen = make("emr-serverless-application", account)
    want = replace(want, aws_id=seen.aws_id)
    return client, want, configure("emr-serverless-application", client, want, seen)


def run_job(client, application):
    asked = {"applicationId": application, "executionRoleArn": ROLE, "jobDriver": DRIVER, "clientToken": "t"}
    return client.start_job_run(**asked)["jobRunId"]


@pytest.mark.simulator
def test_a_create_that_is_repeated_makes_no_second_application(made):
    client, want, seen = made
    APPLICATION.create(client, want)
    assert [each.aws_id for each in APPLICATION.find_all(client) if each.name == want.name] == [seen.aws_id]


@pytest.mark.simulator
def test_it_is_made_unstarted_and_started_to_be_ready(account):
    client, want, seen = make("emr-serverless-application", account)
    assert (seen.state, seen.facts["status"]) == (RUNNING, "CREATED")
    assert not APPLICATION.configure(client, want, seen)
    seen = APPLICATION.observe(client, want)
    assert (seen.state, seen.facts["status"]) == (RUNNING, "STARTED")
    assert APPLICATION.configure(client, want, seen)


@pytest.mark.simulator
def test_it_is_seen_on_its_way(account):
    account.simulator.pace(state_seconds=30)
    client, want, seen = make("emr-serverless-application", account)
    assert seen.state == PENDING
    account.simulator.let_pass(31)
    client.start_application(applicationId=seen.aws_id)
    assert APPLICATION.observe(client, want).state == PENDING
    account.simulator.let_pass(31)
    APPLICATION.stop(client, want, APPLICATION.observe(client, want))
    assert APPLICATION.observe(client, want).state == STOPPING
    account.simulator.let_pass(31)
    assert APPLICATION.observe(client, want).state == STOPPED


@pytest.mark.simulator
def test_stopping_or_deleting_it_cancels_its_jobs_first(made, account):
    client, want, seen = made
    account.simulator.pace(state_seconds=30)
    job = run_job(client, seen.aws_id)
    APPLICATION.delete(client, want, seen)
    assert client.get_job_run(applicationId=seen.aws_id, jobRunId=job)["jobRun"]["state"] == "CANCELLING"
    APPLICATION.delete(client, want, APPLICATION.observe(client, want))
    assert APPLICATION.observe(client, want).state == RUNNING, "AWS stops nothing while a job is on its way out"
    account.simulator.pace(state_seconds=0)
    assert delete("emr-serverless-application", client, want) == 2


@pytest.mark.simulator
def test_one_that_was_never_started_is_deleted_as_it_is(account):
    client, want, _ = make("emr-serverless-application", account)
    assert delete("emr-serverless-application", client, want) == 1


def test_what_is_on_its_way_is_left_alone():
    for status, state in (("CREATING", PENDING), ("STARTING", PENDING), ("STOPPING", STOPPING)):
        with scripted("emr-serverless") as client:
            APPLICATION.delete(client, None, Seen(state, aws_id="00abcdefghijklmn", facts={"status": status}))


def test_one_that_is_gone_says_since_when():
    gone = {
        "applicationId": "00abcdefghijklmn",
        "arn": "arn:aws:emr-serverless:us-east-1:600000000002:/applications/00abcdefghijklmn",
        "releaseLabel": "emr-7.5.0",
        "type": "Spark",
        "state": "TERMINATED",
        "createdAt": START,
        "updatedAt": START,
    }
    with scripted(
        "emr-serverless", ("get_application", {"applicationId": "00abcdefghijklmn"}, {"application": gone})
    ) as client:
        seen = APPLICATION.observe(client, replace(WANT, aws_id="00abcdefghijklmn"))
    assert seen.state == ABSENT and seen.since is not None


# --- the price ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "status", "costs"),
    [
        (RUNNING, "STARTED", True),
        (STOPPING, "STOPPING", True),
        (RUNNING, "CREATED", False),
        (PENDING, "STARTING", False),
        (STOPPED, "STOPPED", False),
    ],
)
def test_workers_are_paid_for_from_start_to_stop(state, status, costs):
    assert bool(APPLICATION.meters(Seen(state, facts=RUNNING_FACTS | {"status": status}))) is costs


def test_without_workers_kept_ready_nothing_is_metered():
    assert APPLICATION.meters(Seen(RUNNING, facts={"status": "STARTED", "ready": []})) == []


def test_the_chip_has_its_own_price():
    assert {
        meter.sku for meter in APPLICATION.meters(Seen(RUNNING, facts=RUNNING_FACTS | {"architecture": "ARM64"}))
    } == {
        "vCPU-hour-arm",
        "GB-hour-arm",
    }


@pytest.mark.simulator
def test_what_is_kept_ready_costs_what_it_was_said_to_cost(account):
    client, want, seen = make("emr-serverless-application", account, {"ready": READY})
    seen = configure("emr-serverless-application", client, replace(want, aws_id=seen.aws_id), seen)
    assert lines(APPLICATION.meters(seen)) == {
        ("vCPU-hour-x86", "vCPU-Hrs", Decimal(4)),
        ("GB-hour-x86", "GB-Hrs", Decimal(16)),
    }
    assert APPLICATION.meters(APPLICATION.would_be(want)) == APPLICATION.meters(seen)
    assert seen.facts["not_accrued"]
