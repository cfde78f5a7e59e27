"""Made by hand with the aws command, whatever it is: found, its owner told, priced, deleted, proved absent.

Every kind that the simulator has is walked. What the command makes is what the kind's own create call would ask for,
without any tag or name of ours. The exceptions are in BY_BOTO3, each with its reason.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from conftest import AWS_CLI
from costs import pricebook
from costs.rates import rate_now
from costs.tests import worlds
from labs import aws, census, launching, reconcile
from labs.kinds import kind_of, registry
from labs.models import Resource
from labs.tests.aws_cli import Cli
from labs.tests.kinds.examples import EXAMPLES, REGION, AccountOfAye, want_for

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.simulator,
    pytest.mark.awscli,
    pytest.mark.once,
    pytest.mark.usefixtures("standing_book"),
]

SIMULATED = sorted(name for name, kind in registry().items() if not kind.not_in_practice)
# The aws command has no such command, or several calls make one.
BY_BOTO3 = {
    "emr-cluster": "the command has create-cluster, of its own making, instead of RunJobFlow",
    **{name: "made by a service, or by several calls" for name, one in EXAMPLES.items() if one.by_hand},
}
COMMANDS = {"s3": "s3api"}


class Asked(Exception):
    """The call that a kind's create would make: nothing is made."""

    def __init__(self, operation, params):
        self.operation, self.params = operation, params


@pytest.fixture(scope="module")
def cli():
    made = Cli(AWS_CLI)
    yield made
    made.close()


@pytest.fixture
def account(aye, simulator, settings):
    simulator.serves(settings)
    settings.ABSENCE_GAP = timedelta(0)
    aws.forget_clients()
    yield worlds.account_of(
        aye, aws_id="600000000003", boot_id=simulator.boot()["boot_id"], at=now() - timedelta(hours=1)
    )
    aws.forget_clients()


def now():
    return datetime.now(UTC)


def by_the_command(cli, kind, params, world, folder):
    """Run the create call of the kind as the aws command."""
    client = world.simulator.client(kind.service, world.id, REGION)

    def catch(params, model, **_):
        if not re.match(r"Describe|Get|List|Head", model.name):
            raise Asked(model.name, params)

    client.meta.events.register("provide-client-params.*.*", catch)
    name = f"by-hand-{uuid4().hex[:12]}"
    with pytest.raises(Asked) as caught:
        kind.create(client, want_for(kind.name, params, name=name, tags={}, account_id=world.id))
    asked, files = dict(caught.value.params), []
    for member, value in list(asked.items()):
        content = value.get("ZipFile") if isinstance(value, dict) else value
        if isinstance(content, bytes):
            file = folder / member
            file.write_bytes(content)
            files += ["--zip-file" if isinstance(value, dict) else f"--{dashed(member)}", f"fileb://{file}"]
            del asked[member]
    # No tag at all, as by hand.
    asked.pop("TagSpecifications", None)
    asked = {member: value for member, value in asked.items() if value not in ([], {})}
    words = [COMMANDS.get(kind.service, kind.service), dashed(caught.value.operation)]
    keys = world.made[world.world]
    env = {
        "AWS_ACCESS_KEY_ID": keys["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": keys["aws_secret_access_key"],
        "AWS_SESSION_TOKEN": keys["aws_session_token"],
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": world.simulator.url,
    }
    cli(*words, "--cli-input-json", json.dumps(asked), *files, env=env)


def dashed(name):
    """RunInstances, run-instances."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name).lower()


@pytest.mark.parametrize("name", SIMULATED)
def test_it_is_found_owned_priced_deleted_and_proved_absent(name, cli, account, aye, simulator, tmp_path):
    kind, example = kind_of(name), EXAMPLES[name]
    world = AccountOfAye(simulator, account.aws_id)
    client = aws.client(account, kind.service, REGION)
    params = {} if example.by_hand else example.params(world)
    before = {seen.aws_id for seen in kind.find_all(client)}
    if example.by_hand:
        example.by_hand(world)
    elif name in BY_BOTO3:
        kind.create(client, want_for(name, params, tags={}, account_id=world.id))
    else:
        by_the_command(cli, kind, params, world, tmp_path)

    found = census.survey([census.Group(account, REGION, name)], now)
    assert found.trouble == {}
    row = next(row for row in found.strangers if row.aws_id not in before)
    assert (row.owner, row.owner_proof, row.launch) == (aye, "account", None)

    look(row, simulator)
    rate = rate_now(row, pricebook.PriceBook.open(regions=[REGION]), now())
    assert rate.known is not None, f"unpriced: {[line.label for line in rate.unpriced]}"
    if kind.is_free:
        assert rate.usd_per_hour == 0

    launching.ask_to_delete([row], now=now(), by=aye)
    for _ in range(15):
        look(row, simulator)
        if row.closed_at:
            break
    assert row.closed_at, f"still {row.seen}: {row.blocked_why}"
    assert row.aws_id not in {seen.aws_id for seen in kind.find_all(client)}


def look(row, simulator):
    """One look of a worker at this row, with the states of the simulator let pass."""
    Resource.objects.exclude(pk=row.pk).update(next_look_at=None)
    Resource.objects.filter(pk=row.pk, closed_at=None).update(next_look_at=now() - timedelta(minutes=1))
    simulator.let_pass(60)
    reconcile.work_off(now, until=now() + timedelta(seconds=20), most=3)
    row.refresh_from_db()
