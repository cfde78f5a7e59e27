"""The dress rehearsal as an operator runs it: with a simulator of its own, without web or worker."""

import json
import re
from contextlib import nullcontext
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from labs import catalog
from labs.models import Account, Launch, Resource
from labs.rehearsal import Rehearsed
from portal.management.commands import rehearse

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.simulator, pytest.mark.slow]


@pytest.fixture
def nothing_running(settings):
    settings.SIMULATOR_URL = "http://127.0.0.1:9"  # the discard port: nobody answers


@pytest.mark.once
def test_it_starts_a_simulator_plays_every_lab_and_prints_one_json_object(nothing_running, settings):
    settings.ABSENCE_GAP = timedelta(seconds=1)  # nothing comes late in the simulator
    out = StringIO()
    call_command("rehearse", "--json", "--at-once", "12", stdout=out, stderr=StringIO())
    labs = json.loads(out.getvalue())["labs"]
    assert [lab["lab"] for lab in labs] == [lab.slug for lab in catalog.all_labs()]
    for lab in labs:
        assert lab["ok"] is True, lab
        assert lab["left"] == 0
        assert lab["seconds_to_running"] >= 0
        assert lab["seconds_to_gone"] >= 0
        assert lab["usd_per_hour"] >= 0
    assert all(launch.certificate["left"] == [] for launch in Launch.objects.all())
    assert not Resource.objects.open().exists()


def test_a_lab_that_breaks_off_is_told_and_the_others_are_played(nothing_running, monkeypatch):
    def played(lab, account, owner, **_):
        if lab.slug == "s3-ml-bucket":
            raise OSError("the disk is full")
        return Rehearsed(lab.slug, seconds_to_running=1, seconds_to_gone=1)

    monkeypatch.setattr(rehearse, "simulator", lambda say: nullcontext("boot"))
    monkeypatch.setattr(rehearse, "rehearse", played)
    out, labs = StringIO(), ("s3-ml-bucket", "ec2-reads-s3")
    with pytest.raises(SystemExit):
        call_command("rehearse", *labs, stdout=out, stderr=StringIO())
    assert "the rehearsal broke off: the disk is full" in out.getvalue()
    assert re.search(r"ec2-reads-s3 .* yes", out.getvalue())


def test_a_lab_that_does_not_exist_is_named_with_those_that_do(nothing_running):
    with pytest.raises(CommandError, match="no lab 'nope'; there are .*ec2-reads-s3"):
        call_command("rehearse", "nope", stdout=StringIO(), stderr=StringIO())


def test_an_account_that_is_not_connected_is_refused(nothing_running):
    with pytest.raises(CommandError, match="No account 'class' is connected"):
        call_command("rehearse", "s3-ml-bucket", "--account", "class", stdout=StringIO(), stderr=StringIO())


def test_in_a_real_account_it_is_recorded_how_each_lab_went(nothing_running, monkeypatch, now):
    account = Account.objects.create(
        name="class", mode="shared", aws_id="111122223333", regions=["us-east-1"], created_at=now
    )

    def played(lab, where, owner, **_):
        assert where == account
        went_well = lab.slug == "s3-ml-bucket"
        return Rehearsed(lab.slug, seconds_to_running=1, seconds_to_gone=1, failed=[] if went_well else ["no capacity"])

    monkeypatch.setattr(rehearse, "rehearse", played)
    with pytest.raises(SystemExit):
        call_command(
            "rehearse", "s3-ml-bucket", "ec2-reads-s3", "--account", "class", stdout=StringIO(), stderr=StringIO()
        )
    kept = account.rehearsals.order_by("lab").values_list("lab", "passed")
    assert list(kept) == [("ec2-reads-s3", False), ("s3-ml-bucket", True)]
    assert account.rehearsals.get(passed=False).report["failed"] == ["no capacity"]
