"""What the lab page, the labs list and Today say of a lab that did not go as it should."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from labs import ledger
from labs.kinds.base import RUNNING, Seen, Want
from labs.models import Account, Launch, Resource

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "lab")]


@pytest.fixture
def launch(aye, cohort, lab, now):
    """A lab of aye's with a bucket that runs and an instance that was not seen yet."""
    made = Launch.objects.create(
        lab=lab.slug, account=Account.objects.get(owner=aye), owner=aye, scope=cohort.scope, labels={"week": 2},
        region="us-east-1", created_at=now - timedelta(hours=1), expires_at=now + timedelta(hours=1),
    )  # fmt: skip
    bucket, _ = ledger.plan(made, [Want("bucket", "s3-bucket"), Want("box", "ec2-instance")], now)
    ledger.saw(bucket, Seen(RUNNING, "b", "b"), now)
    return made


def words(client, name, *args):
    return " ".join(re.sub(r"<[^>]+>", " ", client.get(reverse(name, args=args)).content.decode()).split())


def test_what_aws_said_when_it_ended_an_instance_stays_on_the_labs_page(signed_in, aye, launch, now):
    ledger.close(Resource.objects.get(key="box"), now, "it failed, and AWS says: Volume limit exceeded")
    client = signed_in(aye)
    said = words(client, "labs:panel", launch.pk)
    assert "It failed, and AWS says: Volume limit exceeded" in said and "Finish this lab, then start it again." in said
    assert "State Failed" in said
    ledger.close(Resource.objects.get(key="bucket"), now, "seen absent")
    Launch.objects.update(ended_at=now, certificate={"rows": [], "methods": [], "left": [], "proved_at": "x"})
    assert "It failed, and AWS says: Volume limit exceeded" in words(client, "labs:panel", launch.pk)
