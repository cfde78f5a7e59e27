"""Temporary credentials: they work with what students use, in their own account only, and end with the lab."""

import json
import os
import subprocess
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.exceptions import ClientError
from django.urls import reverse
from django.utils.html import escape

from conftest import AWS_CLI
from labs import aws, catalog, launching, sessions
from labs.kinds.base import Want
from labs.models import Account, Event
from labs.tests.cast import Clock
from labs.tests.conftest import World, lab_of

pytestmark = [pytest.mark.django_db, pytest.mark.simulator]

BUCKET = lab_of(Want("bucket", "s3-bucket", {"prefixes": ["raw/"]}))


@pytest.fixture
def clock():
    return Clock(datetime.now(UTC))


def practice(simulator, owner, clock):
    return Account.objects.create(
        name=f"Practice of {owner}",
        mode=Account.PRACTICE,
        aws_id=simulator.new_account(),
        owner=owner,
        regions=["us-east-1", "ap-southeast-1"],
        lab_regions=["us-east-1"],
        boot_id=simulator.boot()["boot_id"],
        created_at=clock(),
    )


@pytest.fixture
def running(simulator, settings, clock):
    """running(person) -> their launch of a bucket lab, up."""
    simulator.serves(settings)
    aws.forget_clients()

    def begin(owner):
        launch = launching.launch(BUCKET, practice(simulator, owner, clock), owner, now=clock())
        World(clock).run(15)
        launch.refresh_from_db()
        assert launch.ready_at
        return launch

    yield begin
    aws.forget_clients()


def run_aws(credentials, *words):
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **credentials.as_env()}
    return subprocess.run([AWS_CLI, *words], env=env, capture_output=True, text=True, timeout=60)


def run_with_files(folder, *words):
    """The aws command with the files of `folder` as its own, and no variable that says who it is."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
    }
    return subprocess.run([AWS_CLI, *words], env=env, capture_output=True, text=True, timeout=60)


def bucket_of(launch):
    return launch.resources.get(key="bucket").name


@pytest.mark.awscli
def test_the_aws_command_works_with_them_as_pasted(running, aye, clock):
    launch = running(aye)
    made = sessions.credentials(launch, aye, clock())
    who = run_aws(made, "sts", "get-caller-identity")
    assert json.loads(who.stdout)["Account"] == launch.account.aws_id, who.stderr
    listed = run_aws(made, "s3", "ls")
    assert bucket_of(launch) in listed.stdout, listed.stderr
    volume = run_aws(made, "ec2", "create-volume", "--size", "8", "--availability-zone", "us-east-1a")
    assert json.loads(volume.stdout)["VolumeId"].startswith("vol-"), volume.stderr


@pytest.mark.awscli
def test_the_aws_command_does_not_reach_another_students_bucket(running, aye, bo, clock):
    mine, theirs = running(aye), running(bo)
    made = sessions.credentials(mine, aye, clock())
    answer = run_aws(made, "s3", "ls", f"s3://{bucket_of(theirs)}")
    assert answer.returncode != 0
    assert "AccessDenied" in answer.stderr or "Forbidden" in answer.stderr or "403" in answer.stderr


def test_boto3_works_with_them(running, aye, clock):
    launch = running(aye)
    made = sessions.credentials(launch, aye, clock())
    s3 = client_of("s3", made)
    s3.put_object(Bucket=bucket_of(launch), Key="raw/day=2025-09-15/a.csv", Body=b"1,2")
    assert s3.list_objects_v2(Bucket=bucket_of(launch), Prefix="raw/day")["KeyCount"] == 1


def test_they_cannot_become_another_student(running, aye, bo, clock):
    mine, theirs = running(aye), running(bo)
    made = sessions.credentials(mine, aye, clock())
    with pytest.raises(ClientError, match="AccessDenied"):
        client_of("sts", made).assume_role(
            RoleArn=f"arn:aws:iam::{theirs.account.aws_id}:role/lab/student", RoleSessionName="aye"
        )


@pytest.mark.awscli
def test_the_aws_command_works_with_them_as_a_profile(running, aye, clock, tmp_path):
    launch = running(aye)
    (tmp_path / "credentials").write_text(sessions.credentials(launch, aye, clock()).as_profile())
    listed = run_with_files(tmp_path, "s3", "ls", "--profile", "lightsout")
    assert bucket_of(launch) in listed.stdout, listed.stderr


@pytest.mark.awscli
@pytest.mark.django_db(transaction=True)
def test_the_aws_command_fetches_them_by_itself_until_another_token_is_made(
    running, aye, client, live_server, tmp_path, settings, monkeypatch
):
    monkeypatch.setitem(catalog.catalog(), BUCKET.slug, BUCKET)
    settings.PUBLIC_URL = live_server.url
    launch = running(aye)
    client.force_login(aye, backend="django.contrib.auth.backends.ModelBackend")
    page = client.post(reverse("labs:token", args=[launch.pk]))
    config = page.context["config"]
    assert escape(config) in page.content.decode()
    (tmp_path / "config").write_text(config)
    listed = run_with_files(tmp_path, "s3", "ls", "--profile", "lightsout")
    assert bucket_of(launch) in listed.stdout, listed.stderr
    client.post(reverse("labs:token", args=[launch.pk]))
    refused = run_with_files(tmp_path, "s3", "ls", "--profile", "lightsout")
    assert refused.returncode != 0
    assert "401" in refused.stderr


def test_they_last_an_hour_at_most_and_are_not_stored(running, aye, clock):
    launch = running(aye)
    made = sessions.credentials(launch, aye, clock())
    assert made.expires_at <= clock() + timedelta(hours=1, minutes=1)
    said = " ".join(Event.objects.values_list("words", flat=True)) + repr(made)
    assert made.secret_access_key not in said
    assert made.session_token not in said


def test_a_lab_that_goes_off_gives_none(running, aye, clock):
    launch = running(aye)
    launching.ask_to_delete(launch, now=clock(), by=aye)
    launch.refresh_from_db()
    with pytest.raises(sessions.NoSession, match="over or going off"):
        sessions.credentials(launch, aye, clock())


def client_of(service, made):
    return boto3.session.Session().client(
        service,
        region_name=made.region,
        endpoint_url=made.endpoint_url,
        aws_access_key_id=made.access_key_id,
        aws_secret_access_key=made.secret_access_key,
        aws_session_token=made.session_token,
    )
