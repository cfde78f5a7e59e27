"""manage.py credentials EMAIL, as an operator calls it."""

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from labs import aws, catalog, launching, practice

pytestmark = [pytest.mark.django_db, pytest.mark.simulator, pytest.mark.once]


@pytest.fixture
def lab_on(simulator, settings, aye):
    simulator.serves(settings)
    aws.forget_clients()
    now = datetime.now(UTC)
    account = practice.account_of(aye, now=now)
    account.boot_id, account.aws_id = simulator.boot()["boot_id"], simulator.new_account()
    account.save()
    yield launching.launch(catalog.get("s3-ml-bucket"), account, aye, now=now)
    aws.forget_clients()


def test_it_prints_what_a_shell_can_take(lab_on, aye):
    out = StringIO()
    call_command("credentials", aye.email.upper(), stdout=out, stderr=StringIO())
    said = dict(line.removeprefix("export ").split("=", 1) for line in out.getvalue().splitlines())
    assert said["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert said["AWS_SESSION_TOKEN"]
    assert said["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")


def test_without_a_running_lab_it_says_so(aye):
    with pytest.raises(CommandError, match="has no lab running"):
        call_command("credentials", aye.email)


def test_nobody_of_that_email(db):
    with pytest.raises(CommandError, match="Nobody has the email"):
        call_command("credentials", "nobody@example.org")
