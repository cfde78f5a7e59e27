"""Jobs, pipelines and the registry: what is a resource and what a record, what bills what, what must stop first."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from labs import aws, ledger
from labs.kinds import kind_of
from labs.kinds.base import ABSENT, PENDING, RUNNING, STOPPING, Seen
from labs.tests.kinds.examples import EXAMPLES, delete, make, want_for
from labs.tests.kinds.test_sagemaker import FakeSageMaker, lines

TRAINING, TUNING, PROCESSING, TRANSFORM, PIPELINE, GROUP, VERSION = map(
    kind_of,
    (
        "sagemaker-training-job",
        "sagemaker-tuning-job",
        "sagemaker-processing-job",
        "sagemaker-transform-job",
        "sagemaker-pipeline",
        "sagemaker-model-package-group",
        "sagemaker-model-package",
    ),
)
JOBS = ("sagemaker-training-job", "sagemaker-tuning-job", "sagemaker-processing-job", "sagemaker-transform-job")
each_job = pytest.mark.parametrize("name", JOBS)
MADE = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
BEGAN, ENDED = MADE + timedelta(minutes=3), MADE + timedelta(minutes=20)


def trained(status, *, began=BEGAN, ended=None, **more):
    """An answer of DescribeTrainingJob."""
    answer = {
        "TrainingJobName": "it",
        "TrainingJobArn": "arn:aws:sagemaker:us-east-1:1:training-job/it",
        "TrainingJobStatus": status,
        "CreationTime": MADE,
        "LastModifiedTime": ENDED,
        "ModelArtifacts": {"S3ModelArtifacts": "s3://b/out/it/output/model.tar.gz"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
    }
    times = {"TrainingStartTime": began, "TrainingEndTime": ended}
    return answer | {name: at for name, at in times.items() if at} | more


def seen_of(answer):
    return TRAINING.observe(FakeSageMaker(describe_training_job=answer), want_for("sagemaker-training-job"))


# --- what a job is ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "state", "since", "why"),
    [
        (trained("InProgress", began=None), PENDING, MADE, "its machines are not there, and cost nothing"),
        (trained("InProgress"), RUNNING, BEGAN, "AWS bills from the start of its machines, not from the call"),
        (trained("Stopping"), STOPPING, ENDED, "it saves what it has, and costs"),
        (trained("Completed", ended=ENDED), ABSENT, ENDED, "a record is no resource"),
        (trained("Failed", ended=ENDED), ABSENT, ENDED, "nor is one of a failure"),
        (trained("Stopped", ended=ENDED), ABSENT, ENDED, "nor one of what was stopped"),
        (trained("Stopped", began=None), ABSENT, None, "it was stopped before it had machines"),
    ],
)
def test_a_training_job_is_seen_as(answer, state, since, why):
    seen = seen_of(answer)
    assert (seen.state, seen.since) == (state, since), why


@pytest.mark.parametrize(
    ("answer", "words", "is_done"),
    [
        (trained("Completed", ended=ENDED), "it completed", True),
        (
            trained("Failed", ended=ENDED, FailureReason="AlgorithmError: no label"),
            "it failed: AlgorithmError: no label",
            False,
        ),
        (trained("Failed", ended=ENDED), "it failed: AWS gives no reason", False),
        (trained("Stopped", SecondaryStatus="Stopped", ended=ENDED), "it was stopped before it was done", False),
        (
            trained("Stopped", SecondaryStatus="MaxRuntimeExceeded", ended=ENDED),
            "AWS stopped it: it had reached the longest time that it was given",
            False,
        ),
        (trained("Deleting", ended=ENDED), "it ended", False),
    ],
)
def test_a_record_tells_how_its_job_ended(answer, words, is_done):
    facts = seen_of(answer).facts
    assert (facts["ended"], facts["is_done"]) == (words, is_done)


def test_what_needs_a_training_job_finds_its_model_in_the_record():
    assert seen_of(trained("Completed", ended=ENDED)).facts["artifacts"] == "s3://b/out/it/output/model.tar.gz"


@each_job
@pytest.mark.parametrize(
    ("state", "calls"), [(PENDING, 1), (RUNNING, 1), (STOPPING, 0)], ids=["pending", "running", "stopping"]
)
def test_a_job_is_told_once_to_stop_and_then_waited_for(name, state, calls):
    """It may take two minutes to save what it has."""
    client = FakeSageMaker()
    kind_of(name).delete(client, want_for(name), Seen(state, aws_id="it"))
    assert client.called == [f"stop_{kind_of(name).operation}"] * calls


@each_job
def test_stop_means_that_a_job_ends_for_good(name):
    kind = kind_of(name)
    assert (kind.can_stop, kind.stop_means, kind.ends_by_itself) == (False, "delete", True)


@pytest.mark.simulator
@each_job
def test_a_job_that_is_over_is_in_no_census_and_is_absent_with_its_record(account, name):
    client, want, _ = make(name, account)
    account.simulator.let_pass(300)
    for _ in range(3):  # a tuning job goes on with its next training jobs when somebody looks
        seen = kind_of(name).observe(client, want)
        account.simulator.let_pass(300)
    assert (seen.state, seen.facts["ended"], seen.facts["is_done"]) == (ABSENT, "it completed", True)
    assert seen.since is not None
    assert want.name not in {each.name for each in kind_of(name).find_all(client)}


@pytest.mark.simulator
@each_job
def test_asking_for_a_job_again_makes_no_second_one(account, name):
    """A redelivered task: AWS says that the name is taken, which the controller reads as "look"."""
    client, want, _ = make(name, account)
    with pytest.raises(ClientError, match="already exists") as error:
        kind_of(name).create(client, want)
    assert isinstance(aws.sorted_trouble(error.value), aws.AlreadyThere)


@pytest.mark.simulator
@pytest.mark.parametrize("name", [name for name in JOBS if name != "sagemaker-transform-job"])
def test_a_job_has_a_longest_time_also_when_the_lab_names_none(account, name):
    params = {key: value for key, value in EXAMPLES[name].params(account).items() if key != "max_runtime_seconds"}
    client, want, _ = make(name, account, params)
    told = kind_of(name).describe(client, want.name)
    conditions = [told.get("StoppingCondition"), told.get("TrainingJobDefinition", {}).get("StoppingCondition")]
    assert {"MaxRuntimeInSeconds": 3600} in conditions
    assert kind_of(name).native_cap


@pytest.mark.simulator
def test_a_failed_job_says_why_in_practice_too(account):
    params = EXAMPLES["sagemaker-training-job"].params(account) | {"output": "s3://nobodys-bucket/out"}
    client, want, _ = make("sagemaker-training-job", account, params)
    account.simulator.let_pass(100)
    assert TRAINING.observe(client, want).facts["ended"].startswith("it failed: ClientError: Failed to upload")


# --- what it costs ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [RUNNING, STOPPING])
def test_machines_and_their_disks_cost_until_the_end(state):
    facts = {"machines": [{"type": "ml.m5.xlarge", "count": 2, "disk_gb": 30}]}
    assert lines(TRAINING.meters(Seen(state, facts=facts))) == {
        ("training", "ml.m5.xlarge", Decimal(2), "hour"),
        ("storage", "ML-storage-gp2", Decimal(60), "month"),
    }


def test_a_job_that_waits_for_its_machines_costs_nothing():
    assert (
        TRAINING.meters(Seen(PENDING, facts={"machines": [{"type": "ml.m5.xlarge", "count": 2, "disk_gb": 30}]})) == []
    )


def test_machines_with_disks_of_their_own_are_billed_no_volume():
    answer = trained(
        "InProgress", ResourceConfig={"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 50}
    )
    assert lines(TRAINING.meters(seen_of(answer))) == {("training", "ml.g4dn.xlarge", Decimal(1), "hour")}


def test_a_cluster_of_two_kinds_of_machines_is_two_lines():
    groups = [
        {"InstanceGroupName": "a", "InstanceType": "ml.m5.xlarge", "InstanceCount": 2},
        {"InstanceGroupName": "b", "InstanceType": "ml.g5.xlarge", "InstanceCount": 1},
    ]
    answer = trained("InProgress", ResourceConfig={"InstanceGroups": groups, "VolumeSizeInGB": 10})
    meters = TRAINING.meters(seen_of(answer))
    assert {("training", "ml.m5.xlarge", Decimal(2), "hour"), ("training", "ml.g5.xlarge", Decimal(1), "hour")} < lines(
        meters
    )
    assert len({meter.slug for meter in meters}) == len(meters)


def test_machines_that_aws_chose_itself_are_those_that_it_names():
    chosen = {"SelectedInstanceType": "ml.m5.large", "SelectedInstanceCount": 3, "VolumeSizeInGB": 0}
    (hours,) = TRAINING.meters(seen_of(trained("InProgress", ResourceConfig=chosen)))
    assert (hours.sku, hours.quantity) == ("ml.m5.large", Decimal(3))


def test_a_job_without_machines_is_unpriced_and_not_free():
    answer = trained("InProgress")
    del answer["ResourceConfig"]
    (hours,) = TRAINING.meters(seen_of(answer))
    assert hours.sku == "unknown"


def test_managed_spot_training_says_that_the_bill_is_lower():
    assert "spot" in seen_of(trained("InProgress", EnableManagedSpotTraining=True)).facts["not_accrued"]


def test_machines_kept_warm_for_a_next_job_cost_on_and_are_let_go():
    """The job is done, its status says Completed, and AWS bills up to an hour more."""
    warm = {"Status": "Available", "ResourceRetainedBillableTimeInSeconds": 60}
    seen = seen_of(trained("Completed", ended=ENDED, WarmPoolStatus=warm))
    assert seen.state == RUNNING
    assert ("training", "ml.m5.large", Decimal(1), "hour") in lines(TRAINING.meters(seen))
    client = FakeSageMaker()
    TRAINING.delete(client, want_for("sagemaker-training-job"), seen)
    assert client.called == ["update_training_job"]
    assert seen_of(trained("Completed", ended=ENDED, WarmPoolStatus={"Status": "Terminated"})).state == ABSENT


# --- a tuning job and its training jobs -------------------------------------------------------------------------


def of_this_tuning(client, tuning):
    return [each for each in TRAINING.find_all(client) if each.name.startswith(tuning)]


@pytest.mark.simulator
def test_the_training_jobs_of_a_tuning_job_are_counted_there_and_nowhere_else(account):
    client, want, seen = make("sagemaker-tuning-job", account)  # 3 training jobs, 2 at once, each of 2 machines
    assert lines(TUNING.meters(seen)) == {
        ("training", "ml.m5.large", Decimal(4), "hour"),
        ("storage", "ML-storage-gp2", Decimal(40), "month"),
    }
    assert of_this_tuning(client, want.name) == []
    account.simulator.let_pass(100)
    TUNING.observe(client, want)
    seen = TUNING.observe(client, want)
    assert ("training", "ml.m5.large", Decimal(2), "hour") in lines(TUNING.meters(seen)), "one is left"
    assert of_this_tuning(client, want.name) == []


@pytest.mark.simulator
def test_a_training_job_that_outlives_its_tuning_job_is_found_as_itself(account):
    client, want, _ = make("sagemaker-tuning-job", account)
    pages = client.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName=want.name)
    child = pages["TrainingJobSummaries"][0]["TrainingJobName"]
    glimpsed = Seen(RUNNING, aws_id=child, name=child)
    assert TRAINING.complete(client, glimpsed).state == ABSENT, "counted there, also where a list showed it"
    client.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName=want.name)
    assert child in {each.name for each in of_this_tuning(client, want.name)}
    assert TRAINING.complete(client, glimpsed).state == RUNNING
    client.stop_training_job(TrainingJobName=child)


@pytest.mark.simulator
def test_another_training_job_with_a_like_name_is_not_taken_for_one_of_a_tuning_job(account):
    client, want, _ = make("sagemaker-training-job", account, EXAMPLES["sagemaker-training-job"].params(account))
    like = want_for(
        "sagemaker-training-job",
        EXAMPLES["sagemaker-training-job"].params(account),
        name=f"{uuid4().hex[:8]}-001-0a1b2c3d",
    )
    TRAINING.create(client, like)
    assert {want.name, like.name} <= {each.name for each in TRAINING.find_all(client)}


@pytest.mark.simulator
def test_the_lists_of_tuning_jobs_are_not_asked_for_where_no_training_job_looks_like_theirs(account):
    account = type(account)(account.simulator, account.simulator.new_account())
    client, _, _ = make("sagemaker-training-job", account)
    account.simulator.forget_calls()
    assert len(list(TRAINING.find_all(client))) == 1
    assert account.simulator.calls()["by"] == {"sagemaker:ListTrainingJobs": 2}, (
        "what is in progress, and what is stopping"
    )


@pytest.mark.simulator
def test_a_tuning_job_costs_until_its_training_jobs_have_stopped(account):
    client, want, seen = make("sagemaker-tuning-job", account)
    account.simulator.pace(state_seconds=30)
    TUNING.delete(client, want, seen)
    seen = TUNING.observe(client, want)
    assert seen.state == STOPPING
    assert ("training", "ml.m5.large", Decimal(4), "hour") in lines(TUNING.meters(seen))
    account.simulator.let_pass(31)
    TUNING.observe(client, want)
    assert TUNING.observe(client, want).facts["ended"] == "it was stopped before it was done"


def test_only_training_jobs_with_machines_are_counted_each_by_its_definition():
    definitions = [
        {
            "DefinitionName": "small",
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 0},
        },
        {
            "DefinitionName": "large",
            "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 0},
        },
    ]
    at_work = [
        {"TrainingJobDefinitionName": "small", "TrainingStartTime": BEGAN},
        {"TrainingJobDefinitionName": "large", "TrainingStartTime": BEGAN},
        {"TrainingJobDefinitionName": "large", "TrainingStartTime": BEGAN},
        {"TrainingJobDefinitionName": "large"},  # it waits for its machines
    ]
    pages = SimpleNamespace(paginate=lambda **asked: [{"TrainingJobSummaries": at_work}])
    answer = {
        "HyperParameterTuningJobName": "it",
        "HyperParameterTuningJobArn": "arn",
        "HyperParameterTuningJobStatus": "InProgress",
        "CreationTime": MADE,
        "TrainingJobDefinitions": definitions,
    }
    client = FakeSageMaker(describe_hyper_parameter_tuning_job=answer)
    client.get_paginator = lambda operation: pages
    meters = TUNING.meters(TUNING.observe(client, want_for("sagemaker-tuning-job")))
    assert lines(meters) == {
        ("training", "ml.m5.large", Decimal(1), "hour"),
        ("training", "ml.m5.xlarge", Decimal(4), "hour"),
    }


def test_a_tuning_jobs_name_is_short_and_still_its_launchs_own():
    one, other = uuid4(), uuid4()
    names = [
        ledger.name_for("xgboost-on-tabular-data", "tuning-of-the-lab", launch, TUNING.longest_name)
        for launch in (one, other)
    ]
    assert all(len(name) <= 32 for name in names)
    assert one.hex[:12] in names[0] and other.hex[:12] in names[1]


# --- pipelines --------------------------------------------------------------------------------------------------


@pytest.mark.simulator
def test_a_pipeline_with_an_execution_under_way_goes_when_it_has_stopped(account):
    client, want, seen = make("sagemaker-pipeline", account)
    client.start_pipeline_execution(PipelineName=want.name)
    account.simulator.pace(state_seconds=30)
    for asked in range(2):  # to stop it; and while it stops, nothing
        PIPELINE.delete(client, want, seen)
        (execution,) = client.list_pipeline_executions(PipelineName=want.name)["PipelineExecutionSummaries"]
        assert execution["PipelineExecutionStatus"] == "Stopping", asked
    account.simulator.let_pass(31)
    PIPELINE.delete(client, want, seen)
    assert PIPELINE.observe(client, want).state == ABSENT


@pytest.mark.simulator
def test_a_pipelines_definition_may_be_data_or_text(account):
    told = []
    for definition in ({"Version": "2020-12-01", "Steps": []}, '{"Version": "2020-12-01", "Steps": []}'):
        client, want, _ = make("sagemaker-pipeline", account, {"role_arn": account.role(), "definition": definition})
        told.append(client.describe_pipeline(PipelineName=want.name)["PipelineDefinition"])
    assert told[0] == told[1]


# --- the registry -----------------------------------------------------------------------------------------------


@pytest.mark.simulator
def test_a_group_is_emptied_ten_versions_a_call_and_then_deleted(account):
    client, want, _ = make("sagemaker-model-package-group", account)
    for _ in range(12):
        client.create_model_package(ModelPackageGroupName=want.name)
    assert delete("sagemaker-model-package-group", client, want) == 2
    assert [each for each in VERSION.find_all(client) if each.facts["group"] == want.name] == []


@pytest.mark.simulator
def test_versions_of_a_group_and_packages_of_none_are_found(account):
    client, want, _ = make("sagemaker-model-package-group", account)
    version = client.create_model_package(ModelPackageGroupName=want.name)["ModelPackageArn"]
    alone = client.create_model_package(ModelPackageName=f"alone-{uuid4().hex[:8]}")["ModelPackageArn"]
    found = {each.aws_id: each for each in VERSION.find_all(client)}
    assert {version, alone} <= set(found)
    assert found[version].name == f"{want.name}/1"


@pytest.mark.simulator
def test_a_version_is_whose_its_group_is(account):
    client, want, _ = make("sagemaker-model-package-group", account)
    arn = client.create_model_package(ModelPackageGroupName=want.name)["ModelPackageArn"]
    assert VERSION.complete(client, Seen(RUNNING, aws_id=arn)).tags == want.tags


@pytest.mark.simulator
def test_a_version_that_was_approved_is_seen_as_changed(account):
    client, want, seen = make("sagemaker-model-package", account)
    client.update_model_package(ModelPackageArn=seen.aws_id, ModelApprovalStatus="Approved")
    after = VERSION.observe(client, want)
    assert after.facts["approval"] == "Approved" and after.mark != seen.mark


@pytest.mark.simulator
def test_a_lifecycle_configuration_that_a_notebook_names_waits_for_it(account):
    kind = kind_of("sagemaker-lifecycle-config")
    assert kind.goes_after == ("sagemaker-notebook",)
    client, want, seen = make("sagemaker-lifecycle-config", account)
    notebook = f"n-{uuid4().hex[:8]}"
    client.create_notebook_instance(
        NotebookInstanceName=notebook,
        InstanceType="ml.t3.medium",
        RoleArn=account.role(),
        LifecycleConfigName=want.name,
    )
    with pytest.raises(ClientError, match="in use"):
        kind.delete(client, want, seen)
    client.stop_notebook_instance(NotebookInstanceName=notebook)
    client.delete_notebook_instance(NotebookInstanceName=notebook)
    assert delete("sagemaker-lifecycle-config", client, want) == 1
