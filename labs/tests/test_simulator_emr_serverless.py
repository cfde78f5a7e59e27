"""EMR Serverless where moto does other than AWS: states in their order, which take time; jobs, tokens, idle minutes."""

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.simulator

ROLE = "arn:aws:iam::{}:role/lab/jobs"
JOB = {"jobDriver": {"sparkSubmit": {"entryPoint": "s3://b/count.py"}}, "clientToken": "job"}


@pytest.fixture
def aye(simulator):
    return simulator.new_account()


@pytest.fixture
def emr(simulator, aye):
    return simulator.client("emr-serverless", aye)


@pytest.fixture
def a_minute_later(simulator):
    simulator.pace(state_seconds=60)
    return lambda: simulator.let_pass(61)


def make(emr, **more):
    asked = {"name": "aye's", "releaseLabel": "emr-7.5.0", "type": "SPARK", "clientToken": "first"}
    return emr.create_application(**asked | more)["applicationId"]


def state(emr, application):
    return emr.get_application(applicationId=application)["application"]["state"]


def said(call, **asked):
    with pytest.raises(ClientError) as refused:
        call(**asked)
    return refused.value.response["Error"]["Message"]


def test_an_application_is_seen_on_its_way_through_life(emr, a_minute_later):
    application = make(emr)
    for ask, on_the_way, at_last in (
        (None, "CREATING", "CREATED"),
        (emr.start_application, "STARTING", "STARTED"),
        (emr.stop_application, "STOPPING", "STOPPED"),
        (emr.start_application, "STARTING", "STARTED"),
    ):
        if ask:
            ask(applicationId=application)
        assert state(emr, application) == on_the_way
        a_minute_later()
        assert state(emr, application) == at_last


def test_an_application_moves_only_from_where_it_can(emr):
    application = make(emr)
    assert "one of the following statuses: [STARTING, STARTED]" in said(emr.stop_application, applicationId=application)
    emr.start_application(applicationId=application)
    assert "Current status: STARTED" in said(emr.delete_application, applicationId=application)
    emr.stop_application(applicationId=application)
    emr.delete_application(applicationId=application)
    assert state(emr, application) == "TERMINATED"
    assert said(emr.start_application, applicationId=application)


def test_the_same_token_makes_no_second_application_until_the_first_is_gone(emr):
    application = make(emr)
    assert make(emr) == application != make(emr, clientToken="another")
    emr.delete_application(applicationId=application)
    assert make(emr) != application


def test_the_first_job_starts_it_takes_its_time_and_keeps_it(emr, aye, a_minute_later):
    application = make(emr)
    a_minute_later()
    assert emr.list_job_runs(applicationId=application)["jobRuns"] == []
    job = emr.start_job_run(applicationId=application, executionRoleArn=ROLE.format(aye), **JOB)["jobRunId"]
    assert state(emr, application) == "STARTING"

    def job_state():
        return emr.get_job_run(applicationId=application, jobRunId=job)["jobRun"]["state"]

    assert job_state() == "RUNNING"
    assert "must be finished or cancelled" in said(emr.stop_application, applicationId=application)
    a_minute_later()
    assert (job_state(), state(emr, application)) == ("SUCCESS", "STARTED")
    emr.cancel_job_run(applicationId=application, jobRunId=job)
    assert job_state() == "SUCCESS", "what is done stays done"


def test_one_that_is_not_to_start_by_itself_takes_no_job(emr, aye):
    application = make(emr, autoStartConfiguration={"enabled": False})
    asked = {"applicationId": application, "executionRoleArn": ROLE.format(aye)}
    assert "does not start by itself" in said(emr.start_job_run, **asked, **JOB)


def test_one_that_idles_for_its_minutes_stops_by_itself(simulator, emr):
    idle = make(emr, autoStopConfiguration={"enabled": True, "idleTimeoutMinutes": 5})
    awake = make(emr, clientToken="another", autoStopConfiguration={"enabled": False})
    for application in (idle, awake):
        emr.start_application(applicationId=application)
    simulator.let_pass(200)
    assert state(emr, idle) == "STARTED"
    simulator.let_pass(200)
    assert [each["state"] for each in emr.list_applications()["applications"]] == ["STOPPED", "STARTED"]


def test_dates_have_a_time_of_day(emr):
    made = emr.get_application(applicationId=make(emr))["application"]["createdAt"]
    assert (made.hour, made.minute, made.second, made.microsecond) != (0, 0, 0, 0)
