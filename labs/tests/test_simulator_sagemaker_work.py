"""SageMaker's jobs, pipelines and registry in practice mode: they take time, end, refuse and leave what AWS's do."""

import io
import tarfile
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.simulator

ROLE = "arn:aws:iam::100000000001:role/r"
ALGORITHM = {"TrainingImage": "xgboost:1", "TrainingInputMode": "File"}
MACHINES = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}


@pytest.fixture
def aye(simulator):
    return simulator.new_account()


@pytest.fixture
def sagemaker(simulator, aye):
    return simulator.client("sagemaker", aye)


@pytest.fixture
def s3(simulator, aye):
    return simulator.client("s3", aye)


@pytest.fixture
def bucket(s3, aye):
    s3.create_bucket(Bucket=f"work-{aye}")
    s3.put_object(Bucket=f"work-{aye}", Key="in/a.csv", Body=b"1,2\n")
    return f"work-{aye}"


@pytest.fixture
def pass_a_minute(simulator):
    """Machines take a minute to come and to go, and work takes five."""
    simulator.pace(state_seconds=60, work_seconds=300)
    return lambda minutes=1: simulator.let_pass(60 * minutes + 1)


def refused(call, **asked):
    with pytest.raises(ClientError) as error:
        call(**asked)
    return error.value.response["Error"]


def train(sagemaker, bucket, name="t", **more):
    asked = {
        "AlgorithmSpecification": ALGORITHM,
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/out"},
        "ResourceConfig": MACHINES,
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }
    sagemaker.create_training_job(TrainingJobName=name, **asked | more)
    return lambda: sagemaker.describe_training_job(TrainingJobName=name)


def process(sagemaker, bucket, name="p", **more):
    cluster = MACHINES | {"InstanceType": "ml.t3.medium"}
    output = {
        "OutputName": "o",
        "S3Output": {"S3Uri": f"s3://{bucket}/clean", "LocalPath": "/o", "S3UploadMode": "EndOfJob"},
    }
    asked = {
        "AppSpecification": {"ImageUri": "image"},
        "RoleArn": ROLE,
        "ProcessingResources": {"ClusterConfig": cluster},
        "ProcessingOutputConfig": {"Outputs": [output]},
    }
    sagemaker.create_processing_job(ProcessingJobName=name, **asked | more)
    return lambda: sagemaker.describe_processing_job(ProcessingJobName=name)


def transform(sagemaker, bucket, name="b", **more):
    if not sagemaker.list_models()["Models"]:
        sagemaker.create_model(ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "i"})
    asked = {
        "ModelName": "m",
        "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/in/"}}},
        "TransformOutput": {"S3OutputPath": f"s3://{bucket}/answers"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    sagemaker.create_transform_job(TransformJobName=name, **asked | more)
    return lambda: sagemaker.describe_transform_job(TransformJobName=name)


EACH_JOB = pytest.mark.parametrize(
    ("begin", "noun", "times"),
    [
        (train, "TrainingJob", "Training"),
        (process, "ProcessingJob", "Processing"),
        (transform, "TransformJob", "Transform"),
    ],
    ids=["training", "processing", "transform"],
)


def stop(sagemaker, noun, name):
    operation = {"TrainingJob": "training", "ProcessingJob": "processing", "TransformJob": "transform"}[noun]
    getattr(sagemaker, f"stop_{operation}_job")(**{f"{noun}Name": name})


# --- a job's life -----------------------------------------------------------------------------------------------


@EACH_JOB
def test_a_job_waits_for_its_machines_works_and_is_over(sagemaker, bucket, pass_a_minute, begin, noun, times):
    look = begin(sagemaker, bucket, "j")
    told = look()
    assert told[f"{noun}Status"] == "InProgress" and f"{times}StartTime" not in told
    pass_a_minute()
    told = look()
    assert told[f"{noun}Status"] == "InProgress" and told[f"{times}StartTime"] and f"{times}EndTime" not in told
    pass_a_minute(5)
    told = look()
    assert told[f"{noun}Status"] == "Completed"
    assert told[f"{times}StartTime"] - told["CreationTime"] == timedelta(seconds=60)
    assert told[f"{times}EndTime"] - told[f"{times}StartTime"] == timedelta(seconds=300), "what AWS bills is not zero"


@EACH_JOB
def test_a_job_that_is_stopped_takes_its_time_and_cannot_be_stopped_again(
    sagemaker, bucket, pass_a_minute, begin, noun, times
):
    look = begin(sagemaker, bucket, "j")
    pass_a_minute()
    stop(sagemaker, noun, "j")
    assert look()[f"{noun}Status"] == "Stopping"
    pass_a_minute()
    told = look()
    assert told[f"{noun}Status"] == "Stopped"
    assert told[f"{times}EndTime"] > told[f"{times}StartTime"]
    error = refused(lambda: stop(sagemaker, noun, "j"))
    assert error["Code"] == "ValidationException"
    assert error["Message"].endswith("job is in status Stopped.")
    pass_a_minute(10)
    assert look()[f"{noun}Status"] == "Stopped", "it does not complete afterwards"


@EACH_JOB
def test_a_jobs_name_is_used_up(sagemaker, bucket, begin, noun, times):
    begin(sagemaker, bucket, "j")
    stop(sagemaker, noun, "j")
    error = refused(lambda: begin(sagemaker, bucket, "j"))
    assert error["Code"] == "ResourceInUse" and "already exists" in error["Message"]


@EACH_JOB
def test_a_jobs_list_can_be_asked_for_what_is_on(sagemaker, bucket, simulator, begin, noun, times):
    for name in ("over", "on"):
        begin(sagemaker, bucket, name)
        if name == "over":
            simulator.let_pass(100)
    pages = sagemaker.get_paginator(f"list_{times.lower()}_jobs").paginate(StatusEquals="InProgress")
    assert [line[f"{noun}Name"] for page in pages for line in page[f"{noun}Summaries"]] == ["on"]


def test_training_jobs_are_chosen_and_sorted_before_they_are_paged(sagemaker, bucket):
    for name in ("others-1", "others-2", "mine-1", "others-3", "mine-2", "mine-3"):
        train(sagemaker, bucket, name)
    newest_first = {"NameContains": "mine", "SortBy": "CreationTime", "SortOrder": "Descending", "MaxResults": 2}
    first = sagemaker.list_training_jobs(**newest_first)
    assert [job["TrainingJobName"] for job in first["TrainingJobSummaries"]] == ["mine-3", "mine-2"]
    rest = sagemaker.list_training_jobs(**newest_first, NextToken=first["NextToken"])
    assert [job["TrainingJobName"] for job in rest["TrainingJobSummaries"]] == ["mine-1"]
    assert "NextToken" not in rest


@pytest.mark.parametrize(("begin", "noun"), [(train, "TrainingJob"), (process, "ProcessingJob")])
def test_a_job_is_stopped_at_its_longest_time(sagemaker, bucket, pass_a_minute, begin, noun):
    look = begin(sagemaker, bucket, StoppingCondition={"MaxRuntimeInSeconds": 120})
    pass_a_minute(3)
    told = look()
    assert told[f"{noun}Status"] == "Stopped"
    assert told.get("SecondaryStatus", "MaxRuntimeExceeded") == "MaxRuntimeExceeded"


@EACH_JOB
def test_what_is_missing_is_said_as_aws_says_it(sagemaker, begin, noun, times):
    for verb in ("describe", "stop"):
        error = refused(getattr(sagemaker, f"{verb}_{times.lower()}_job"), **{f"{noun}Name": "nobodys"})
        assert error["Code"] == "ValidationException"
        assert "not found" in error["Message"] or "Could not find" in error["Message"]


@EACH_JOB
def test_a_job_on_machines_that_do_not_exist_is_refused(sagemaker, bucket, begin, noun, times):
    machines = MACHINES | {"InstanceType": "ml.t99.huge"}
    asked = {
        "TrainingJob": {"ResourceConfig": machines},
        "ProcessingJob": {"ProcessingResources": {"ClusterConfig": machines}},
        "TransformJob": {"TransformResources": {"InstanceType": "ml.t99.huge", "InstanceCount": 1}},
    }[noun]
    assert "ml.t99.huge" in refused(lambda: begin(sagemaker, bucket, **asked))["Message"]


# --- what goes in and comes out ---------------------------------------------------------------------------------


def test_a_training_job_leaves_a_model_from_which_one_can_be_made_and_it_says_what_it_is(
    sagemaker, s3, bucket, simulator
):
    look = train(sagemaker, bucket, "t")
    simulator.let_pass(100)
    where = look()["ModelArtifacts"]["S3ModelArtifacts"]
    assert where == f"s3://{bucket}/out/t/output/model.tar.gz"
    body = s3.get_object(Bucket=bucket, Key="out/t/output/model.tar.gz")["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        (member,) = tar.getmembers()
        assert "nothing was computed" in tar.extractfile(member).read().decode()
    container = {"Image": "i", "ModelDataUrl": where}
    assert sagemaker.create_model(ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer=container)["ModelArn"]


def test_a_training_job_that_was_stopped_leaves_none(sagemaker, s3, bucket, simulator):
    train(sagemaker, bucket, "t")
    sagemaker.stop_training_job(TrainingJobName="t")
    simulator.let_pass(100)
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["in/a.csv"]


def test_a_transform_job_leaves_a_file_for_each_that_it_read_and_a_processing_job_one(sagemaker, s3, bucket, simulator):
    s3.put_object(Bucket=bucket, Key="in/more/b.csv", Body=b"3,4\n")
    transform(sagemaker, bucket)
    process(sagemaker, bucket)
    simulator.let_pass(100)
    sagemaker.list_models()  # what is due is done at the next call
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"] if not each["Key"].startswith("in/")]
    assert keys == ["answers/a.csv.out", "answers/more/b.csv.out", "clean/made-by-practice-mode.txt"]


def test_a_job_whose_bucket_is_not_there_fails_and_says_why(sagemaker, simulator):
    look = train(sagemaker, "nobodys-bucket")
    simulator.let_pass(100)
    told = look()
    assert (told["TrainingJobStatus"], told["SecondaryStatus"]) == ("Failed", "Failed")
    assert "nobodys-bucket does not exist" in told["FailureReason"]
    assert told["TrainingEndTime"] > told["TrainingStartTime"], "AWS bills what failed too"


def test_input_that_is_not_there_is_refused_at_once(sagemaker, bucket):
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/none/"}}
    channel = {"ChannelName": "train", "DataSource": source}
    for begin, asked in (
        (train, {"InputDataConfig": [channel]}),
        (transform, {"TransformInput": {"DataSource": source}}),
    ):
        error = refused(lambda begin=begin, asked=asked: begin(sagemaker, bucket, **asked))
        assert error["Message"].startswith(f'No S3 objects found under S3 URL "s3://{bucket}/none/"')
    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []


def test_a_transform_job_needs_a_model_that_is_there(sagemaker, bucket):
    assert "Could not find model" in refused(lambda: transform(sagemaker, bucket, ModelName="nobodys"))["Message"]


# --- tuning -----------------------------------------------------------------------------------------------------


def tune(sagemaker, bucket, name="tune", jobs=3, parallel=2):
    limits = {"MaxNumberOfTrainingJobs": jobs, "MaxParallelTrainingJobs": parallel}
    ranges = {
        "IntegerParameterRanges": [{"Name": "depth", "MinValue": "3", "MaxValue": "9"}],
        "ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.1", "MaxValue": "0.5"}],
        "CategoricalParameterRanges": [{"Name": "booster", "Values": ["gbtree", "dart"]}],
    }
    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name,
        HyperParameterTuningJobConfig={"Strategy": "Random", "ResourceLimits": limits, "ParameterRanges": ranges},
        TrainingJobDefinition={
            "StaticHyperParameters": {"rounds": "10"},
            "AlgorithmSpecification": ALGORITHM,
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/out"},
            "ResourceConfig": MACHINES,
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        },
        Tags=[{"Key": "lab", "Value": "s4"}],
    )
    return lambda: sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)


def children(sagemaker, name="tune", **more):
    pages = sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName=name, **more
    )
    return [line for page in pages for line in page["TrainingJobSummaries"]]


def test_a_tuning_job_starts_some_training_jobs_at_once_until_it_has_had_all(sagemaker, bucket, pass_a_minute):
    look = tune(sagemaker, bucket)
    counted = []
    for _ in range(3):
        told = look()
        counted.append(
            (
                told["HyperParameterTuningJobStatus"],
                *(told["TrainingJobStatusCounters"][each] for each in ("InProgress", "Completed")),
            )
        )
        pass_a_minute(6)
    assert counted == [("InProgress", 2, 0), ("InProgress", 1, 2), ("Completed", 0, 3)]
    tuned = [line["TunedHyperParameters"] for line in children(sagemaker)]
    assert [each["depth"] for each in tuned] == ["3", "6", "9"]
    assert {each["booster"] for each in tuned} == {"gbtree", "dart"}
    assert look()["BestTrainingJob"]["TrainingJobName"] == children(sagemaker)[0]["TrainingJobName"]
    assert "FinalHyperParameterTuningJobObjectiveMetric" not in look()["BestTrainingJob"], "nothing was measured"


def test_its_training_jobs_are_named_after_it_carry_its_tags_and_are_in_the_list_of_all(sagemaker, bucket):
    tune(sagemaker, bucket)
    first = children(sagemaker, PaginationConfig={"PageSize": 1})[0]
    assert first["TrainingJobName"].startswith("tune-001-")
    told = sagemaker.describe_training_job(TrainingJobName=first["TrainingJobName"])
    assert told["TuningJobArn"].endswith(":hyper-parameter-tuning-job/tune")
    assert told["HyperParameters"] == {"rounds": "10", **first["TunedHyperParameters"]}
    assert sagemaker.list_tags(ResourceArn=first["TrainingJobArn"])["Tags"] == [{"Key": "lab", "Value": "s4"}]
    listed = {line["TrainingJobName"] for line in sagemaker.list_training_jobs()["TrainingJobSummaries"]}
    assert listed == {line["TrainingJobName"] for line in children(sagemaker)}


def test_stopping_a_tuning_job_stops_its_training_jobs_and_starts_no_more(sagemaker, bucket, pass_a_minute):
    look = tune(sagemaker, bucket)
    pass_a_minute()
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune")
    assert look()["HyperParameterTuningJobStatus"] == "Stopping"
    assert {line["TrainingJobStatus"] for line in children(sagemaker)} == {"Stopping"}
    pass_a_minute(10)
    assert look()["HyperParameterTuningJobStatus"] == "Stopped"
    assert [line["TrainingJobStatus"] for line in children(sagemaker)] == ["Stopped", "Stopped"]
    error = refused(sagemaker.stop_hyper_parameter_tuning_job, HyperParameterTuningJobName="tune")
    assert "job is in status Stopped" in error["Message"]


# --- pipelines --------------------------------------------------------------------------------------------------


@pytest.fixture
def pipeline(sagemaker):
    sagemaker.create_pipeline(PipelineName="p", PipelineDefinition="{}", RoleArn=ROLE, ClientRequestToken="x" * 32)
    return "p"


def test_an_execution_takes_its_time_and_keeps_its_pipeline(sagemaker, pipeline, pass_a_minute):
    arn = sagemaker.start_pipeline_execution(PipelineName=pipeline)["PipelineExecutionArn"]

    def status():
        return sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"]

    assert status() == "Executing"
    assert refused(sagemaker.delete_pipeline, PipelineName=pipeline)["Code"] == "ConflictException"
    pass_a_minute(6)
    assert status() == "Succeeded"
    error = refused(sagemaker.stop_pipeline_execution, PipelineExecutionArn=arn)
    assert "Only pipeline executions with Executing status" in error["Message"]
    sagemaker.delete_pipeline(PipelineName=pipeline)


def test_an_execution_is_stopped(sagemaker, pipeline, pass_a_minute):
    arn = sagemaker.start_pipeline_execution(PipelineName=pipeline)["PipelineExecutionArn"]
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    (told,) = sagemaker.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"]
    assert told["PipelineExecutionStatus"] == "Stopping"
    pass_a_minute(6)
    (told,) = sagemaker.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"]
    assert told["PipelineExecutionStatus"] == "Stopped"


def test_the_steps_of_an_execution_are_not_made_up(sagemaker, pipeline):
    arn = sagemaker.start_pipeline_execution(PipelineName=pipeline)["PipelineExecutionArn"]
    error = refused(sagemaker.list_pipeline_execution_steps, PipelineExecutionArn=arn)
    assert error["Code"] == "NotImplementedInPractice"


def test_a_changed_pipeline_shows_that_it_was_changed(sagemaker, pipeline, simulator):
    before = sagemaker.describe_pipeline(PipelineName=pipeline)["LastModifiedTime"]
    simulator.let_pass(5)
    sagemaker.update_pipeline(PipelineName=pipeline, PipelineDescription="new")
    assert sagemaker.describe_pipeline(PipelineName=pipeline)["LastModifiedTime"] > before


# --- the registry -----------------------------------------------------------------------------------------------


@pytest.fixture
def group(sagemaker):
    sagemaker.create_model_package_group(ModelPackageGroupName="g", Tags=[{"Key": "lab", "Value": "s4"}])
    return "g"


def version(sagemaker, group, **more):
    return sagemaker.create_model_package(ModelPackageGroupName=group, **more)["ModelPackageArn"]


def test_a_group_with_versions_in_it_is_kept_and_its_name_is_taken(sagemaker, group):
    assert "already exists" in refused(sagemaker.create_model_package_group, ModelPackageGroupName=group)["Message"]
    arn = version(sagemaker, group)
    assert refused(sagemaker.delete_model_package_group, ModelPackageGroupName=group)["Code"] == "ConflictException"
    sagemaker.delete_model_package(ModelPackageName=arn)
    assert "does not exist" in refused(sagemaker.delete_model_package, ModelPackageName=arn)["Message"]
    assert "does not exist" in refused(sagemaker.describe_model_package, ModelPackageName=arn)["Message"]
    sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    assert "does not exist" in refused(sagemaker.delete_model_package_group, ModelPackageGroupName=group)["Message"]


def test_a_number_is_given_once(sagemaker, group):
    first, second = version(sagemaker, group), version(sagemaker, group)
    sagemaker.delete_model_package(ModelPackageName=first)
    third = version(sagemaker, group)
    assert [arn.rpartition("/")[2] for arn in (first, second, third)] == ["1", "2", "3"]
    listed = sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
    assert {(line["ModelPackageArn"], line["ModelPackageVersion"]) for line in listed} == {(second, 2), (third, 3)}


def test_a_version_has_the_tags_of_its_group_and_takes_none(sagemaker, group):
    tags = [{"Key": "mine", "Value": "1"}]
    assert "Tags" in refused(sagemaker.create_model_package, ModelPackageGroupName=group, Tags=tags)["Message"]
    arn = version(sagemaker, group)
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "lab", "Value": "s4"}]


def test_a_package_in_no_group_keeps_its_own_tags(sagemaker):
    tags = [{"Key": "mine", "Value": "1"}]
    arn = sagemaker.create_model_package(ModelPackageName="alone", Tags=tags)["ModelPackageArn"]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags
    sagemaker.delete_model_package(ModelPackageName="alone")
    assert sagemaker.list_model_packages(ModelPackageType="Both")["ModelPackageSummaryList"] == []


# --- notebooks and endpoints ------------------------------------------------------------------------------------


def test_a_lifecycle_configuration_is_listed_tagged_and_kept_while_a_notebook_names_it(sagemaker):
    sagemaker.create_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName="l", Tags=[{"Key": "lab", "Value": "s1"}]
    )
    (line,) = sagemaker.list_notebook_instance_lifecycle_configs()["NotebookInstanceLifecycleConfigs"]
    arn = line["NotebookInstanceLifecycleConfigArn"]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "lab", "Value": "s1"}]
    notebook = {"NotebookInstanceName": "n", "InstanceType": "ml.t3.medium", "RoleArn": ROLE}
    missing = refused(sagemaker.create_notebook_instance, **notebook, LifecycleConfigName="nobodys")
    assert "does not exist" in missing["Message"]
    sagemaker.create_notebook_instance(**notebook, LifecycleConfigName="l")
    delete = sagemaker.delete_notebook_instance_lifecycle_config
    assert "in use" in refused(delete, NotebookInstanceLifecycleConfigName="l")["Message"]
    sagemaker.stop_notebook_instance(NotebookInstanceName="n")
    sagemaker.delete_notebook_instance(NotebookInstanceName="n")
    delete(NotebookInstanceLifecycleConfigName="l")
    assert sagemaker.list_notebook_instance_lifecycle_configs()["NotebookInstanceLifecycleConfigs"] == []


def test_opening_a_notebook_says_that_there_is_none_behind_it(sagemaker):
    notebook = {"NotebookInstanceName": "n", "InstanceType": "ml.t3.medium", "RoleArn": ROLE}
    sagemaker.create_notebook_instance(**notebook)
    error = refused(sagemaker.create_presigned_notebook_instance_url, NotebookInstanceName="n")
    assert error["Code"] == "NotImplementedInPractice" and "no Jupyter" in error["Message"]
    sagemaker.stop_notebook_instance(NotebookInstanceName="n")
    error = refused(sagemaker.create_presigned_notebook_instance_url, NotebookInstanceName="n")
    assert error["Code"] == "ValidationException" and "Status (Stopped)" in error["Message"]


def test_an_endpoint_is_updated_with_its_old_machines_until_the_new_ones_are_there(sagemaker, pass_a_minute):
    sagemaker.create_model(ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "i"})
    for count, name in enumerate(("one", "two"), start=1):
        variant = {"VariantName": "all", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": count}
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="one")

    def told():
        answer = sagemaker.describe_endpoint(EndpointName="e")
        return (
            answer["EndpointStatus"],
            answer["EndpointConfigName"],
            answer["ProductionVariants"][0]["CurrentInstanceCount"],
        )

    update = {"EndpointName": "e", "EndpointConfigName": "two"}
    assert "in-progress" in refused(sagemaker.update_endpoint, **update)["Message"]
    pass_a_minute()
    assert "Could not find" in refused(sagemaker.update_endpoint, **update | {"EndpointConfigName": "x"})["Message"]
    sagemaker.update_endpoint(**update)
    assert told() == ("Updating", "one", 1)
    assert "in-progress" in refused(sagemaker.delete_endpoint, EndpointName="e")["Message"]
    pass_a_minute()
    assert told() == ("InService", "two", 2)
