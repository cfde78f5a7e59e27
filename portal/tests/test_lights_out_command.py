"""manage.py lights_out: what it would do, what it does, and what it leaves on."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from costs import forgotten, pricebook
from costs.models import LightsOut
from costs.tests import worlds
from labs.models import Account, Launch, Resource

pytestmark = pytest.mark.django_db


@pytest.fixture
def left_on(cohort, aye, now):
    pricebook.load()
    account = Account.objects.get(owner=aye)
    worlds.stranger(account, "ec2-instance", worlds.instance(disk_gb=0), now)
    worlds.stranger(account, "ebs-volume", worlds.volume(since=now - 9 * worlds.HOUR), now)
    forgotten.judge(now)


def said(*args):
    out = StringIO()
    call_command("lights_out", *args, stdout=out)
    return out.getvalue().splitlines()


def wanted():
    return {row.kind: row.wanted for row in Resource.objects.all()}


@pytest.mark.usefixtures("left_on", "clock")
def test_it_says_what_it_would_do_then_does_it_and_each_time_what_stays_on(cohort):
    lines = said("--cohort", cohort.slug)
    assert lines[1] == "1 would be asked to go off; say --yes to do it."
    assert lines[2] == "Stays on: EBS volume, 100 GB gp3 vol of Aye, us-east-1: 0.0111 USD/h."
    assert set(wanted().values()) == {"running"}
    done = said("--cohort", cohort.slug, "--yes")
    assert (done[1], done[3]) == ("1 asked to go off.", lines[2])
    assert done[2] == f"Evidence, lab by lab: /costs/forgotten/lights-out/{LightsOut.objects.get().pk}/"
    assert wanted() == {"ec2-instance": "stopped", "ebs-volume": "running"}


@pytest.mark.usefixtures("left_on", "clock")
def test_labs_in_use_stay_on_and_are_named_unless_told(cohort, aye, now):
    lab = worlds.launch(aye, Account.objects.get(owner=aye), now - worlds.HOUR, role="iam-role")
    stays = "Stays on: lab a-lab of Aye, in use, to its own clock, 2025-09-18 11:17 UTC; --labs-too ends it."
    assert stays in said("--cohort", cohort.slug, "--yes")
    assert Launch.objects.get(pk=lab.pk).asked_to_end_at is None
    ended = "Lab a-lab of Aye would be ended: its credentials are revoked first."
    assert said("--cohort", cohort.slug, "--labs-too")[0] == ended
    assert Launch.objects.get(pk=lab.pk).asked_to_end_at is None, "it was only pretended"
    done = said("--cohort", cohort.slug, "--labs-too", "--yes")
    assert done[0] == ended.replace("would be", "is") and stays not in done
    assert Launch.objects.get(pk=lab.pk).asked_to_end_at == now


def test_a_cohort_that_is_not_there_is_answered_with_those_that_are(cohort):
    with pytest.raises(CommandError, match=r"no cohort 'nov-2025'. There are: sep-2025."):
        said("--cohort", "nov-2025")
