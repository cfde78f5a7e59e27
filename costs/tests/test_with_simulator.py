"""The whole way of the money, over HTTP: made by hand, found, priced, judged, turned off, seen to be off."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import boto3
import pytest
from botocore.exceptions import ClientError

from costs import activity, dashboard, forgotten, metering, scopes
from costs.dashboard import forgotten_page
from costs.lights_out import lights_out
from costs.models import Activity, Finding, Metered
from costs.tests import worlds
from costs.tests.worlds import HOUR, MINUTE, SCOPE
from labs import aws, catalog, census, certify, ending, launching, reconcile, sessions
from labs.kinds.base import ABSENT, RUNNING, STOPPED
from labs.models import Launch, Resource

pytestmark = [pytest.mark.django_db, pytest.mark.simulator, pytest.mark.once, pytest.mark.usefixtures("prices")]


@pytest.fixture
def account(aye, simulator, settings):
    simulator.serves(settings)
    settings.ABSENCE_GAP = timedelta(0)
    aws.forget_clients()
    scopes.tell(SCOPE, name="aws-ml")
    yield worlds.account_of(
        aye, aws_id=simulator.new_account(), boot_id=simulator.boot()["boot_id"], at=datetime.now(UTC) - HOUR
    )
    aws.forget_clients()


def now():
    return datetime.now(UTC)


def work_off(simulator, seconds=30):
    """What the workers do, with the states of the simulator let pass."""
    later = now() + timedelta(seconds=seconds)
    for _ in range(12):
        Resource.objects.open().exclude(next_look_at=None).update(next_look_at=now() - MINUTE)
        simulator.let_pass(60)
        if not reconcile.work_off(now, until=later, most=20):
            break


def test_by_hand_in_another_region_to_lights_out(account, simulator, aye):
    ec2 = simulator.client("ec2", account.aws_id, "ap-southeast-1")
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    made = ec2.run_instances(ImageId=image, InstanceType="t3.medium", MinCount=1, MaxCount=1)["Instances"][0]
    assert census.census_all(now).trouble == {}
    metering.meter(now())
    forgotten.judge(now())

    [light] = [one for one in forgotten_page([SCOPE], now()).lights if one.row.aws_id == made["InstanceId"]]
    assert (light.owner, light.row.region) == ("Aye", "ap-southeast-1")
    assert light.loudest.sentence == "In ap-southeast-1, where no lab runs"
    hours = next(line for line in light.rate.lines if line.meter.sku == "t3.medium")
    assert hours.price.region == "ap-southeast-1"
    assert light.rate.known >= hours.usd_per_hour > Decimal("0.0416")

    outs = lights_out(SCOPE, now(), aye).outs
    assert [out.act for out in outs if out.resource.pk == light.row.pk] == ["Stop"]
    row = Resource.objects.get(pk=light.row.pk)
    assert row.seen == RUNNING, "asked, but not off before it is seen to be"
    work_off(simulator)
    row.refresh_from_db()
    assert row.seen == STOPPED
    state = ec2.describe_instances(InstanceIds=[row.aws_id])["Reservations"][0]["Instances"][0]["State"]["Name"]
    assert state == "stopped"
    metering.meter(now())
    assert Metered.objects.get(resource=row).usd_per_hour < hours.usd_per_hour, "only its disk costs now"
    assert forgotten_page([SCOPE], now()).lights == []


def test_lights_out_of_a_whole_cohort_revokes_then_deletes_then_proves(account, simulator, aye):
    """A lab in use with credentials out: they open nothing any more, its bucket is gone, and the evidence says both."""
    lab = launching.launch(catalog.catalog()["s3-ml-bucket"], account, aye, now=now(), scope=SCOPE)
    work_off(simulator)
    keys = sessions.credentials(lab, aye, now())
    s3 = boto3.client(
        "s3",
        endpoint_url=simulator.url,
        region_name=lab.region,
        aws_access_key_id=keys.access_key_id,
        aws_secret_access_key=keys.secret_access_key,
        aws_session_token=keys.session_token,
    )
    [bucket] = Resource.objects.filter(launch=lab, kind="s3-bucket")
    s3.put_object(Bucket=bucket.name, Key="notes.txt", Body=b"mine")

    record = lights_out(SCOPE, now(), aye, include_in_use=True).record
    ending.prepare_due(now)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=bucket.name, Key="after.txt", Body=b"late")
    for _ in range(4):
        work_off(simulator)
        Launch.objects.filter(pk=lab.pk).exclude(prove_at=None).update(prove_at=now() - MINUTE)
        certify.prove_due(now)
    [out] = dashboard.went_out(record).labs
    assert (out.is_fenced, out.still_on, out.has_certificate, out.is_done) == (True, [], True, True)
    assert dashboard.went_out(record).is_over


def test_an_endpoint_that_nobody_calls_is_idle_once_cloudwatch_was_asked(account, simulator):
    sagemaker = simulator.client("sagemaker", account.aws_id)
    role = f"arn:aws:iam::{account.aws_id}:role/any"
    container = {"Image": f"{account.aws_id}.dkr.ecr.us-east-1.amazonaws.com/model:1"}
    sagemaker.create_model(ModelName="m", ExecutionRoleArn=role, PrimaryContainer=container)
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="ep", EndpointConfigName="c")
    simulator.let_pass(600)
    census.census_all(now)
    row = Resource.objects.get(kind="sagemaker-endpoint")
    assert row.seen == RUNNING

    assert activity.look(now()) == 0, "younger than the window: not even asked"
    row.seen_since = now() - 3 * HOUR
    row.save()
    assert activity.look(now()) == 1
    assert Activity.objects.get().value is None
    forgotten.judge(now())
    assert Finding.objects.open().filter(resource=row, rule="idle-endpoint").exists()

    simulator.client("cloudwatch", account.aws_id).put_metric_data(
        Namespace="AWS/SageMaker",
        MetricData=[
            {
                "MetricName": "Invocations",
                "Dimensions": [{"Name": "EndpointName", "Value": "ep"}, {"Name": "VariantName", "Value": "v"}],
                "Timestamp": now() - 10 * MINUTE,
                "Value": 3,
            }
        ],
    )
    assert activity.look(now(), [row]) == 1
    assert Activity.objects.get().value == 3
    forgotten.judge(now())
    assert not Finding.objects.open().filter(resource=row, rule="idle-endpoint").exists()


def test_what_is_deleted_stops_costing_when_it_is_seen_to_be_gone(account, simulator, aye):
    ec2 = simulator.client("ec2", account.aws_id)
    zone = ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
    ec2.create_volume(AvailabilityZone=zone, Size=100, VolumeType="gp3")
    census.census_all(now)
    row = Resource.objects.get(kind="ebs-volume")
    metering.meter(now())
    assert Metered.objects.get(resource=row).usd_per_hour > Decimal("0.01")
    launching.ask_to_delete([row], now=now(), by=aye)
    work_off(simulator)
    row.refresh_from_db()
    assert (row.seen, row.closed_at is not None) == (ABSENT, True)
    metering.meter(now())
    assert Metered.objects.get(resource=row).usd_per_hour == 0
    assert ec2.describe_volumes()["Volumes"] == []


def test_a_training_job_made_by_hand_costs_from_the_second_it_began_to_the_second_it_ended(simulator, settings, aye):
    """90 s of two machines and their disks, although it was found late and its end was noticed later still."""
    simulator.reset()
    simulator.serves(settings)
    settings.ABSENCE_GAP = timedelta(0)
    aws.forget_clients()
    scopes.tell(SCOPE, name="aws-ml")
    boot, passed = simulator.boot()["boot_id"], [0]

    def clock():
        return now() + timedelta(seconds=passed[0])

    def let_pass(seconds):
        simulator.let_pass(seconds)
        passed[0] += seconds

    account = worlds.account_of(aye, aws_id=simulator.new_account(), boot_id=boot, at=now() - HOUR)
    sagemaker = simulator.client("sagemaker", account.aws_id)
    simulator.client("s3", account.aws_id).create_bucket(Bucket="work")
    sagemaker.create_training_job(
        TrainingJobName="by-hand",
        AlgorithmSpecification={"TrainingImage": "xgboost", "TrainingInputMode": "File"},
        RoleArn=f"arn:aws:iam::{account.aws_id}:role/r",
        OutputDataConfig={"S3OutputPath": "s3://work/out"},
        ResourceConfig={"InstanceType": "ml.m5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 10},
        StoppingCondition={"MaxRuntimeInSeconds": 3600},
    )
    let_pass(60)
    census.census_all(clock)
    let_pass(300)
    census.census_all(clock)
    for _ in range(3):
        reconcile.work_off(clock, until=clock() + timedelta(seconds=10), most=20)
        Resource.objects.open().update(next_look_at=clock())
    metering.meter(clock())

    row = Resource.objects.get(kind="sagemaker-training-job")
    assert (row.seen, row.closed_why) == (ABSENT, "it completed")
    machines = Decimal(90) * 2 * Decimal("0.23") / 3600
    # Their disks are a hundredth of a cent, and so is a started second of the machines.
    assert machines < Metered.objects.get(resource=row).usd < machines + Decimal("0.0003")
    aws.forget_clients()
