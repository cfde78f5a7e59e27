"""Small worlds for tests about money: accounts, labs and strangers, seen through the ledger as AWS would show them."""

from datetime import UTC, datetime, timedelta

from django.contrib.auth import get_user_model

from labs import ledger
from labs.catalog.base import Lab
from labs.kinds.base import RUNNING, Seen, Want
from labs.models import Account, Launch, Resource

SCOPE = "c0" * 16
# Thursday of week 2, 14:47 in Yangon.
NOW = datetime(2025, 9, 18, 8, 17, tzinfo=UTC)
HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)


def person(name, **more):
    email = f"{name.lower()}@school.example"
    return get_user_model().objects.create_user(email=email, name=name, **more)


def account_of(owner, *, scope=SCOPE, number=1, at=NOW - 60 * DAY, **more):
    facts = {
        "name": f"{owner}'s account",
        "mode": Account.PRACTICE,
        "aws_id": f"2{number:011}",
        "owner": owner,
        "scope": scope,
        "regions": ["us-east-1", "ap-southeast-1"],
        "lab_regions": ["us-east-1"],
        "created_at": at,
        "looked_at": NOW,
    }
    return Account.objects.create(**(facts | more))


def notebook(state=RUNNING, *, type="ml.t3.medium", disk_gb=5, since=None, name="nb", **facts):
    """0.05 USD/h while running, and 5 GB at 0.14 USD a month."""
    return Seen(state, name, name, since, {"type": type, "disk_gb": disk_gb, **facts})


def instance(state=RUNNING, *, type="t3.medium", disk_gb=8, since=None, name="box", addresses=0, **facts):
    """0.0416 USD/h while running, and a gp3 disk at 0.08 USD per GB-month."""
    disks = [{"type": "gp3", "gb": disk_gb, "iops": 3000, "mibps": 125}] if disk_gb else []
    told = {"type": type, "platform": "linux", "spot": False, "disks": disks, "public_ips": addresses}
    return Seen(state, f"i-{name}", name, since, told | facts)


def volume(*, gb=100, since=None, name="vol", attached_to=(), **facts):
    told = {"type": "gp3", "gb": gb, "iops": 3000, "mibps": 125, "attached_to": list(attached_to), "goes_with": ""}
    return Seen(RUNNING, f"vol-{name}", name, since, told | {"attached": bool(attached_to)} | facts)


def endpoint(*, type="ml.m5.large", count=1, since=None, name="ep", variants=None):
    """0.115 USD/h for each machine."""
    one = {"name": "AllTraffic", "type": type, "disk_gb": 0, "count": count, "serverless": False}
    return Seen(RUNNING, name, name, since, {"config": "c", "variants": variants or [one]})


def free(name="sg"):
    return Seen(RUNNING, f"sg-{name}", name, None, {})


def stranger(account, kind, seen, at, region="us-east-1"):
    """Something that no lab made, found by the census at `at`."""
    [row] = ledger.enter_strangers([(account, kind, seen, region)], at)
    return row


def lab_of(*wants, hours=4, slug="a-lab"):
    return Lab(slug, "A lab", "A lab.", "testing", 60, hours, tuple(wants), ())


def launch(owner, account, at, *, hours=4, slug="a-lab", look_ahead_until=None, region="us-east-1", **wants):
    """An open lab with a row for each of `wants` (key=kind), none of them seen yet."""
    made = Launch.objects.create(
        lab=slug,
        account=account,
        owner=owner,
        scope=account.scope,
        region=region,
        created_at=at,
        expires_at=at + timedelta(hours=hours),
        look_ahead_until=look_ahead_until,
    )
    ledger.plan(made, [Want(key, kind) for key, kind in wants.items()], at)
    return made


def row_of(made, key):
    return Resource.objects.get(launch=made, key=key)


def saw(row, seen, at):
    """One observation of a row, as the reconciler records it."""
    row.refresh_from_db()
    ledger.saw(row, seen, at)
    return row


def still_there(rows, at):
    """A list call confirms them."""
    ledger.confirm([row.pk for row in rows], at)
    for row in rows:
        row.refresh_from_db()


def gone(row, at):
    row.refresh_from_db()
    ledger.saw(row, Seen("absent"), at - timedelta(seconds=5))
    ledger.close(row, at, "seen absent twice")
    row.refresh_from_db()
