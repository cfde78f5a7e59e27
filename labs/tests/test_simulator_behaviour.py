"""Where moto does other than AWS and the simulator amends it: states that take time, dependencies, names, answers."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.simulator

AL2023 = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)


@pytest.fixture
def aye(simulator):
    return simulator.new_account()


@pytest.fixture
def ec2(simulator, aye):
    return simulator.client("ec2", aye)


@pytest.fixture
def sagemaker(simulator, aye):
    return simulator.client("sagemaker", aye)


@pytest.fixture
def image(simulator, aye):
    return simulator.client("ssm", aye).get_parameter(Name=AL2023)["Parameter"]["Value"]


@pytest.fixture
def a_minute_later(simulator):
    """States take a minute from here on; a_minute_later() lets it go by."""
    simulator.pace(state_seconds=60, listed_seconds=3600)
    return lambda: simulator.let_pass(61)


def code_of(call, **asked):
    with pytest.raises(ClientError) as refused:
        call(**asked)
    return refused.value.response["Error"]["Code"]


def run_one(ec2, image, **more):
    asked = {"ImageId": image, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1} | more
    return ec2.run_instances(**asked)["Instances"][0]["InstanceId"]


def state_of(ec2, instance):
    def look():
        found = ec2.describe_instances(InstanceIds=[instance])["Reservations"]
        return found[0]["Instances"][0]["State"]["Name"]

    return look


# --- EC2 --------------------------------------------------------------------------------------------------------


def test_an_instance_is_seen_on_its_way_through_life(ec2, image, a_minute_later):
    instance = run_one(ec2, image)
    look = state_of(ec2, instance)
    for ask, on_the_way, at_last in (
        (None, "pending", "running"),
        (ec2.stop_instances, "stopping", "stopped"),
        (ec2.start_instances, "pending", "running"),
        (ec2.terminate_instances, "shutting-down", "terminated"),
    ):
        if ask:
            ask(InstanceIds=[instance])
        assert look() == on_the_way
        a_minute_later()
        assert look() == at_last


def test_asking_again_for_what_is_done_does_not_begin_it_anew(ec2, image, a_minute_later):
    instance = run_one(ec2, image)
    for ask, at_last in (
        (ec2.start_instances, "running"),
        (ec2.stop_instances, "stopped"),
        (ec2.terminate_instances, "terminated"),
    ):
        ask(InstanceIds=[instance])
        a_minute_later()
        ask(InstanceIds=[instance])
        assert state_of(ec2, instance)() == at_last


def test_an_instance_moves_only_from_where_it_can(ec2, image, a_minute_later):
    instance = run_one(ec2, image)
    assert code_of(ec2.stop_instances, InstanceIds=[instance]) == "IncorrectInstanceState"
    a_minute_later()
    ec2.terminate_instances(InstanceIds=[instance])
    assert code_of(ec2.start_instances, InstanceIds=[instance]) == "IncorrectInstanceState"
    a_minute_later()
    assert code_of(ec2.start_instances, InstanceIds=[instance]) == "IncorrectInstanceState"
    assert code_of(ec2.stop_instances, InstanceIds=[instance]) == "IncorrectInstanceState"


def test_the_terminated_are_listed_for_a_while_and_then_no_more(simulator, ec2, image, a_minute_later):
    instance = run_one(ec2, image)
    a_minute_later()
    ec2.terminate_instances(InstanceIds=[instance])
    a_minute_later()
    assert state_of(ec2, instance)() == "terminated"
    simulator.let_pass(3600)
    assert code_of(ec2.describe_instances, InstanceIds=[instance]) == "InvalidInstanceID.NotFound"
    assert ec2.describe_instances()["Reservations"] == []


def test_an_instance_says_when_it_was_stopped_and_when_it_was_started(ec2, image):
    instance = run_one(ec2, image)

    def facts():
        return ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]

    began = facts()["LaunchTime"]
    ec2.stop_instances(InstanceIds=[instance])
    reason = facts()["StateTransitionReason"]
    stopped = datetime.strptime(reason, "User initiated (%Y-%m-%d %H:%M:%S GMT)").replace(tzinfo=UTC)
    assert abs(datetime.now(UTC) - stopped) < timedelta(seconds=30)
    ec2.start_instances(InstanceIds=[instance])
    assert facts()["LaunchTime"] >= began
    assert facts()["StateTransitionReason"] == ""


def test_as_many_are_launched_as_were_asked_for_at_most(ec2, image):
    asked = {"ImageId": image, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 3}
    assert len(ec2.run_instances(**asked)["Instances"]) == 3


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"ImageId": "ami-0123456789abcdef0"}, "InvalidAMIID.NotFound"),
        ({"KeyName": "nobodys"}, "InvalidKeyPair.NotFound"),
        ({"IamInstanceProfile": {"Name": "not yet seen"}}, "InvalidParameterValue"),
        ({"SecurityGroupIds": ["sg-0123456789abcdef0"]}, "InvalidGroup.NotFound"),
    ],
)
def test_what_an_instance_needs_must_exist(ec2, image, wrong, code):
    asked = {"ImageId": image, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1} | wrong
    assert code_of(ec2.run_instances, **asked) == code
    assert ec2.describe_instances()["Reservations"] == []


def test_an_instances_own_disk_and_interface_go_with_it_and_its_tags_were_there_at_once(ec2, image):
    tags = [{"ResourceType": kind, "Tags": [{"Key": "lab", "Value": "s3"}]} for kind in ("instance", "volume")]
    disk = {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 10, "VolumeType": "gp3"}}
    instance = run_one(ec2, image, TagSpecifications=tags, BlockDeviceMappings=[disk])
    volume = ec2.describe_volumes()["Volumes"][0]
    assert (volume["State"], volume["Size"], volume["Tags"]) == ("in-use", 10, [{"Key": "lab", "Value": "s3"}])
    assert volume["Attachments"][0]["DeleteOnTermination"] is True
    ec2.terminate_instances(InstanceIds=[instance])
    assert ec2.describe_volumes()["Volumes"] == []
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []


def test_the_default_disk_is_the_one_that_amazon_linux_asks_for(ec2, image):
    run_one(ec2, image)
    volume = ec2.describe_volumes()["Volumes"][0]
    assert (volume["Size"], volume["VolumeType"]) == (8, "gp3")


def test_everything_shows_its_own_tags_and_nobody_elses(ec2, image):
    named = {"Key": "Name", "Value": "first"}
    first = run_one(ec2, image, TagSpecifications=[{"ResourceType": "instance", "Tags": [named]}])
    second = run_one(ec2, image)
    shown = {
        instance["InstanceId"]: instance.get("Tags", [])
        for reservation in ec2.describe_instances()["Reservations"]
        for instance in reservation["Instances"]
    }
    assert shown == {first: [named], second: []}
    (tag,) = ec2.describe_tags()["Tags"]
    assert tag == {**named, "ResourceId": first, "ResourceType": "instance"}
    ec2.delete_tags(Resources=[first], Tags=[named])
    assert ec2.describe_tags()["Tags"] == []


def test_a_volume_is_seen_coming_and_going(ec2, a_minute_later):
    volume = ec2.create_volume(Size=1, AvailabilityZone="us-east-1a", VolumeType="gp3")["VolumeId"]

    def look():
        found = ec2.describe_volumes(Filters=[{"Name": "volume-id", "Values": [volume]}])["Volumes"]
        return found[0]["State"] if found else "absent"

    assert look() == "creating"
    a_minute_later()
    assert look() == "available"
    ec2.delete_volume(VolumeId=volume)
    assert look() == "deleting"
    a_minute_later()
    assert look() == "absent"
    assert code_of(ec2.delete_volume, VolumeId=volume) == "InvalidVolume.NotFound"


def test_a_security_group_in_use_is_kept_until_its_instance_is_gone(ec2, image, a_minute_later):
    group = ec2.create_security_group(GroupName="lab", Description="of the lab")["GroupId"]
    instance = run_one(ec2, image, SecurityGroupIds=[group])
    assert code_of(ec2.delete_security_group, GroupId=group) == "DependencyViolation"
    ec2.terminate_instances(InstanceIds=[instance])
    assert code_of(ec2.delete_security_group, GroupId=group) == "DependencyViolation"
    a_minute_later()
    ec2.delete_security_group(GroupId=group)
    assert code_of(ec2.delete_security_group, GroupId=group) == "InvalidGroup.NotFound"


def test_a_security_group_that_another_names_is_kept_and_so_is_default(ec2):
    one, other = (ec2.create_security_group(GroupName=name, Description="x")["GroupId"] for name in ("one", "other"))
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "UserIdGroupPairs": [{"GroupId": one}]}
    ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=[rule])
    assert code_of(ec2.delete_security_group, GroupId=one) == "DependencyViolation"
    ec2.revoke_security_group_ingress(GroupId=other, IpPermissions=[rule])
    ec2.delete_security_group(GroupId=one)
    default = ec2.describe_security_groups(GroupNames=["default"])["SecurityGroups"][0]["GroupId"]
    assert code_of(ec2.delete_security_group, GroupId=default) == "CannotDelete"


def test_nobodys_snapshots_are_an_accounts_own_from_the_start(ec2, image):
    assert ec2.describe_images(ImageIds=[image])["Images"][0]["Name"].startswith("al2023-ami")
    assert ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"] == []


# --- SageMaker --------------------------------------------------------------------------------------------------


def notebook(sagemaker, name="n", **more):
    asked = {"InstanceType": "ml.t3.medium", "RoleArn": "arn:aws:iam::100000000001:role/r"} | more
    sagemaker.create_notebook_instance(NotebookInstanceName=name, **asked)


def notebook_state(sagemaker, name="n"):
    def look():
        try:
            return sagemaker.describe_notebook_instance(NotebookInstanceName=name)["NotebookInstanceStatus"]
        except ClientError as missing:
            assert missing.response["Error"] == {"Code": "ValidationException", "Message": "RecordNotFound"}
            return "absent"

    return look


def test_a_notebook_is_seen_on_its_way_and_deleted_only_when_stopped(sagemaker, a_minute_later):
    notebook(sagemaker)
    look = notebook_state(sagemaker)
    assert look() == "Pending"
    a_minute_later()
    assert look() == "InService"
    assert code_of(sagemaker.delete_notebook_instance, NotebookInstanceName="n") == "ValidationException"
    sagemaker.stop_notebook_instance(NotebookInstanceName="n")
    assert code_of(sagemaker.start_notebook_instance, NotebookInstanceName="n") == "ValidationException"
    assert look() == "Stopping"
    a_minute_later()
    assert look() == "Stopped"
    sagemaker.delete_notebook_instance(NotebookInstanceName="n")
    assert look() == "Deleting"
    listed = sagemaker.list_notebook_instances()["NotebookInstances"]
    assert [each["NotebookInstanceStatus"] for each in listed] == ["Deleting"]
    a_minute_later()
    assert look() == "absent"
    assert sagemaker.list_notebook_instances()["NotebookInstances"] == []


def test_a_notebooks_list_shows_that_it_was_changed(sagemaker):
    notebook(sagemaker)

    def changed():
        return sagemaker.list_notebook_instances()["NotebookInstances"][0]["LastModifiedTime"]

    before = changed()
    time.sleep(0.01)
    sagemaker.stop_notebook_instance(NotebookInstanceName="n")
    assert changed() > before


def test_sagemaker_has_the_instance_types_of_today_and_no_others(sagemaker):
    notebook(sagemaker, InstanceType="ml.g5.xlarge")
    with pytest.raises(ClientError, match="ml.t99.huge"):
        notebook(sagemaker, "other", InstanceType="ml.t99.huge")


def endpoint(sagemaker, name="e"):
    role = "arn:aws:iam::100000000001:role/r"
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer={"Image": "xgboost:1"})
    variant = {"VariantName": "all", "ModelName": name, "InstanceType": "ml.m6i.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)


def endpoint_state(sagemaker, name="e"):
    def look():
        try:
            return sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"]
        except ClientError as missing:
            assert "Could not find endpoint" in missing.response["Error"]["Message"]
            return "absent"

    return look


def test_an_endpoint_is_seen_on_its_way_and_left_alone_until_it_is_there(sagemaker, a_minute_later):
    endpoint(sagemaker)
    look = endpoint_state(sagemaker)
    assert look() == "Creating"
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        sagemaker.delete_endpoint(EndpointName="e")
    a_minute_later()
    assert look() == "InService"
    sagemaker.delete_endpoint(EndpointName="e")
    sagemaker.delete_endpoint(EndpointName="e")
    assert sagemaker.list_endpoints(StatusEquals="Deleting")["Endpoints"][0]["EndpointName"] == "e"
    a_minute_later()
    assert look() == "absent"
    assert sagemaker.list_endpoints()["Endpoints"] == []


def test_a_name_that_is_taken_is_refused(sagemaker):
    endpoint(sagemaker)
    for create, asked in (
        (sagemaker.create_model, {"ModelName": "e"}),
        (
            sagemaker.create_endpoint_config,
            {"EndpointConfigName": "e", "ProductionVariants": [{"VariantName": "all", "ModelName": "e"}]},
        ),
        (sagemaker.create_endpoint, {"EndpointName": "e", "EndpointConfigName": "e"}),
    ):
        with pytest.raises(ClientError, match="Cannot create already existing"):
            create(**asked)


def test_the_tagging_api_names_what_is_tagged_as_its_own_service_does(simulator, aye, sagemaker):
    endpoint(sagemaker)
    arn = sagemaker.describe_endpoint_config(EndpointConfigName="e")["EndpointConfigArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "lab", "Value": "s3"}])
    tagging = simulator.client("resourcegroupstaggingapi", aye)
    found = tagging.get_resources(ResourceTypeFilters=["sagemaker:endpoint-config"])["ResourceTagMappingList"]
    assert found == [{"ResourceARN": arn, "Tags": [{"Key": "lab", "Value": "s3"}]}]


def test_what_is_missing_could_not_be_found(sagemaker):
    for call, asked in (
        (sagemaker.describe_model, {"ModelName": "x"}),
        (sagemaker.delete_model, {"ModelName": "x"}),
        (sagemaker.describe_endpoint_config, {"EndpointConfigName": "x"}),
        (sagemaker.delete_endpoint_config, {"EndpointConfigName": "x"}),
        (sagemaker.describe_endpoint, {"EndpointName": "x"}),
        (sagemaker.delete_endpoint, {"EndpointName": "x"}),
        (sagemaker.create_endpoint, {"EndpointName": "e", "EndpointConfigName": "x"}),
    ):
        with pytest.raises(ClientError, match="Could not find") as missing:
            call(**asked)
        assert missing.value.response["Error"]["Code"] == "ValidationException"


def test_an_invocation_says_that_no_model_was_run_and_is_counted(simulator, aye, sagemaker):
    endpoint(sagemaker)
    runtime = simulator.client("sagemaker-runtime", aye)
    answers = [runtime.invoke_endpoint(EndpointName="e", Body=b"\xff1,2,3") for _ in range(2)]
    assert answers[0]["CustomAttributes"] == "practice-mode=no-model-was-run"
    assert answers[0]["InvokedProductionVariant"] == "all"
    said, again = (json.loads(answer["Body"].read()) for answer in answers)
    assert said == again and said["received"]["bytes"] == 6
    now = datetime.now(UTC)
    counted = simulator.client("cloudwatch", aye).get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName="Invocations",
        Dimensions=[{"Name": "EndpointName", "Value": "e"}, {"Name": "VariantName", "Value": "all"}],
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=5),
        Period=300,
        Statistics=["Sum"],
    )["Datapoints"]
    assert sum(point["Sum"] for point in counted) == 2


def test_what_is_not_there_cannot_be_invoked(simulator, aye):
    runtime = simulator.client("sagemaker-runtime", aye)
    with pytest.raises(ClientError, match=f"Endpoint x of account {aye} not found") as missing:
        runtime.invoke_endpoint(EndpointName="x", Body=b"1")
    assert missing.value.response["Error"]["Code"] == "ValidationError"


# --- IAM and S3 -------------------------------------------------------------------------------------------------


def test_a_role_in_use_is_kept(simulator, aye):
    iam = simulator.client("iam", aye)
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    iam.create_instance_profile(InstanceProfileName="p")
    iam.add_role_to_instance_profile(InstanceProfileName="p", RoleName="r")
    iam.attach_role_policy(RoleName="r", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    assert code_of(iam.delete_role, RoleName="r") == "DeleteConflict"
    assert code_of(iam.delete_instance_profile, InstanceProfileName="p") == "DeleteConflict"
    iam.remove_role_from_instance_profile(InstanceProfileName="p", RoleName="r")
    iam.delete_instance_profile(InstanceProfileName="p")
    assert code_of(iam.delete_role, RoleName="r") == "DeleteConflict"
    iam.detach_role_policy(RoleName="r", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    iam.delete_role(RoleName="r")
    assert code_of(iam.delete_role, RoleName="r") == "NoSuchEntity"


def test_policies_groups_and_users_with_something_in_them_are_kept(simulator, aye):
    iam = simulator.client("iam", aye)
    see = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:List*", "Resource": "*"}]}
    own = iam.create_policy(PolicyName="own", PolicyDocument=json.dumps(see))["Policy"]["Arn"]
    iam.create_user(UserName="u")
    iam.create_group(GroupName="g")
    iam.add_user_to_group(GroupName="g", UserName="u")
    iam.attach_group_policy(GroupName="g", PolicyArn=own)
    assert code_of(iam.delete_policy, PolicyArn=own) == "DeleteConflict"
    assert code_of(iam.delete_group, GroupName="g") == "DeleteConflict"
    assert code_of(iam.delete_user, UserName="u") == "DeleteConflict"


def test_the_policies_of_aws_are_there_when_somebody_looks(simulator, aye):
    iam = simulator.client("iam", aye)
    arn = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    assert iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]["Statement"]
    pages = iam.get_paginator("list_policies").paginate(Scope="AWS")
    assert sum(len(page["Policies"]) for page in pages) > 1000
    assert iam.list_policies(Scope="Local")["Policies"] == []


def test_a_bucket_with_anything_in_it_is_kept(simulator, aye):
    s3, bucket = simulator.client("s3", aye), f"kept-{aye}"
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=bucket, Key="a", Body=b"")
    s3.delete_object(Bucket=bucket, Key="a")
    assert code_of(s3.delete_bucket, Bucket=bucket) == "BucketNotEmpty"
    kept = s3.list_object_versions(Bucket=bucket)
    for each in [*kept["Versions"], *kept["DeleteMarkers"]]:
        s3.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
    upload = s3.create_multipart_upload(Bucket=bucket, Key="big")["UploadId"]
    assert code_of(s3.delete_bucket, Bucket=bucket) == "BucketNotEmpty"
    s3.abort_multipart_upload(Bucket=bucket, Key="big", UploadId=upload)
    s3.delete_bucket(Bucket=bucket)
    assert code_of(s3.delete_bucket, Bucket=bucket) == "NoSuchBucket"


def test_a_bucket_is_made_in_a_practice_region_only(simulator, aye):
    s3 = simulator.client("s3", aye)
    where = {"LocationConstraint": "ap-southeast-1"}
    s3.create_bucket(Bucket=f"singapore-{aye}", CreateBucketConfiguration=where)
    assert s3.get_bucket_location(Bucket=f"singapore-{aye}")["LocationConstraint"] == "ap-southeast-1"
    with pytest.raises(ClientError, match="and no eu-west-1"):
        s3.create_bucket(Bucket=f"x-{aye}", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})


def test_a_list_of_buckets_names_their_regions_when_it_is_asked_for_with_a_parameter(simulator, aye):
    s3 = simulator.client("s3", aye)
    s3.create_bucket(Bucket=f"virginia-{aye}")
    where = {"LocationConstraint": "ap-southeast-1"}
    s3.create_bucket(Bucket=f"singapore-{aye}", CreateBucketConfiguration=where)
    told = {bucket["Name"]: bucket["BucketRegion"] for bucket in s3.list_buckets(MaxBuckets=10)["Buckets"]}
    assert told == {f"virginia-{aye}": "us-east-1", f"singapore-{aye}": "ap-southeast-1"}
    assert all("BucketRegion" not in bucket for bucket in s3.list_buckets()["Buckets"])


def test_a_list_of_buckets_that_is_cut_off_goes_on_by_its_token(simulator, aye):
    s3 = simulator.client("s3", aye)
    made = [f"shelf-{number}-{aye}" for number in range(5)]
    for name in made:
        s3.create_bucket(Bucket=name)
    pages = list(s3.get_paginator("list_buckets").paginate(Prefix="shelf-", PaginationConfig={"PageSize": 2}))
    assert [[bucket["Name"] for bucket in page["Buckets"]] for page in pages] == [made[:2], made[2:4], made[4:]]
    assert s3.list_buckets(Prefix="no-such", MaxBuckets=2)["Buckets"] == []


def test_metrics_of_aws_may_be_planted_with_old_times(simulator, aye):
    """How idleness is rehearsed."""
    metrics = simulator.client("cloudwatch", aye)
    then = datetime.now(UTC) - timedelta(hours=3)
    metrics.put_metric_data(
        Namespace="AWS/EC2", MetricData=[{"MetricName": "CPUUtilization", "Value": 1.5, "Timestamp": then}]
    )
    found = metrics.get_metric_statistics(
        Namespace="AWS/EC2",
        MetricName="CPUUtilization",
        StartTime=then - timedelta(minutes=10),
        EndTime=then + timedelta(minutes=10),
        Period=60,
        Statistics=["Maximum"],
    )
    assert [point["Maximum"] for point in found["Datapoints"]] == [1.5]
