"""The demo's present: two labs in use and three things left on, made in the simulator after each of its starts."""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from labs import aws, catalog, census, launching, ledger
from labs.models import Account, Event
from portal.access import standings
from portal.demo_people import COHORT, DOMAIN
from portal.models import Cohort, User
from portal.placing import place_of
from portal.views.labs import NotNow, begin, startables

log = logging.getLogger(__name__)

IN_USE = (("thiri", "sagemaker-notebook"), ("minkhant", "s3-ml-bucket"))
AGAIN = timedelta(seconds=60)  # a laying that was cut off is tried again after this
LAYING, LAID = "demo-laying", "demo-laid"


def lay_live(now):
    """Make the demo's live things, once for each start of the simulator. True when this call made them.

    Does nothing while there is no demo cohort or no simulator: the next call will. Safe to call every few seconds, by
    several workers.
    """
    cohort = Cohort.objects.filter(slug=COHORT).first() if settings.DEMO else None
    if cohort is None:
        return False
    people = {user.email.partition("@")[0]: user for user in User.objects.filter(is_demo=True, email__endswith=DOMAIN)}
    accounts = {
        name: account
        for name, user in people.items()
        if (account := Account.objects.filter(owner=user, mode=Account.PRACTICE).first())
    }
    wanted = {*(name for name, _ in IN_USE), *MADE_BY_HAND}
    if not wanted <= accounts.keys():
        return False
    boot_id = accounts[IN_USE[0][0]].boot_id
    if not boot_id or not _is_ours(cohort, accounts[IN_USE[0][0]], boot_id, now):
        return False
    try:
        for name, slug in IN_USE:
            _start(people[name], slug, now)
        for name, make in MADE_BY_HAND.items():
            make(accounts[name])
        # Found as anything made by hand is found, only without the wait of a quarter of an hour.
        census.census_all(timezone.now, [accounts[name] for name in MADE_BY_HAND])
    except Exception as error:
        log.warning("the demo's live things are not all laid yet: %s", aws.sorted_trouble(error))
        return False
    ledger.note(LAID, f"The demo's live things were made (simulator {boot_id})", now, account=accounts[IN_USE[0][0]])
    return True


@transaction.atomic
def _is_ours(cohort, account, boot_id, now):
    """Whether this call is the one that lays: nobody has in this boot, and nobody is at it."""
    Cohort.objects.select_for_update().get(pk=cohort.pk)
    said = Event.objects.filter(account=account, words__contains=boot_id)
    if said.filter(code=LAID).exists() or said.filter(code=LAYING, at__gt=now - AGAIN).exists():
        return False
    ledger.note(LAYING, f"Making the demo's live things (simulator {boot_id})", now, account=account)
    return True


def _start(user, slug, now):
    """As their click would: released, allowed and affordable, or not at all."""
    standing = standings(user)[COHORT]
    parts = standing.labs(now).filter(lab_slug=slug).select_related("week").order_by("week__number")
    for one in startables(standing, parts, now)[:1]:
        try:
            begin(standing, one, place_of(standing, one.lab), now)
        except (NotNow, launching.CannotLaunch) as why:
            log.warning("the demo's %s was not started: %s", catalog.get(slug).title, why)


# --- made by hand, as one would with the aws command ----------------------------------------------------------


def _an_instance(account):
    """In a region that no lab uses, because it is nearer to home."""
    ec2 = aws.client(account, "ec2", "ap-southeast-1", config=aws.PATIENT)
    if ec2.describe_instances(Filters=_by_name("near-me"))["Reservations"]:
        return
    images = ec2.describe_images(Owners=["amazon"], Filters=[{"Name": "name", "Values": ["al2023-ami-2023.*-x86_64"]}])
    ec2.run_instances(
        ImageId=max(images["Images"], key=lambda image: image["CreationDate"])["ImageId"],
        InstanceType="t3.medium",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=_name("instance", "near-me"),
    )


def _a_volume(account):
    """Kept "for later", and its instance is long gone."""
    ec2 = aws.client(account, "ec2", "us-east-1", config=aws.PATIENT)
    if not ec2.describe_volumes(Filters=_by_name("old-data"))["Volumes"]:
        ec2.create_volume(
            AvailabilityZone="us-east-1a", Size=100, VolumeType="gp3", TagSpecifications=_name("volume", "old-data")
        )


def _an_endpoint(account):
    """deploy() is one line, and this is its danger."""
    sagemaker = aws.client(account, "sagemaker", "us-east-1", config=aws.PATIENT)
    name = "churn-xgb"
    if any(each["EndpointName"] == name for each in sagemaker.list_endpoints()["Endpoints"]):
        return
    role = f"arn:aws:iam::{account.aws_id}:role/service-role/sagemaker-by-hand"
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    known = {each["ModelName"] for each in sagemaker.list_models()["Models"]}
    if name not in known:
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer={"Image": image})
    configs = {each["EndpointConfigName"] for each in sagemaker.list_endpoint_configs()["EndpointConfigs"]}
    if name not in configs:
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": name,
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
        }
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)


MADE_BY_HAND = {"somchai": _an_instance, "rahul": _a_volume, "daniel": _an_endpoint}


def _name(what, name):
    return [{"ResourceType": what, "Tags": [{"Key": "Name", "Value": name}]}]


def _by_name(name):
    return [{"Name": "tag:Name", "Values": [name]}]
