"""The same loop on the simulator, over HTTP, with the real kinds: killed after every single AWS call in turn."""

from datetime import UTC, datetime, timedelta

import pytest

from labs import aws, certify, launching, ledger, reconcile
from labs.kinds.base import TAG_LAUNCH, Want
from labs.models import Account, Launch, Resource
from labs.tests.cast import Clock, Died
from labs.tests.conftest import World, lab_of

pytestmark = [pytest.mark.django_db, pytest.mark.simulator]

EC2 = lab_of(
    Want("bucket", "s3-bucket", {"versioning": True, "prefixes": ["raw/"]}),
    Want("role", "iam-role", {"trust": "ec2.amazonaws.com"}),
    Want("profile", "instance-profile", {"role": "{role.name}"}, needs=("role",)),
    Want("group", "security-group", {}),
    Want(
        "box",
        "ec2-instance",
        {"type": "t3.micro", "gb": 8, "profile": "{profile.name}", "security_groups": ["{group.aws_id}"]},
        needs=("profile", "group"),
    ),
    slug="ec2",
)
SAGEMAKER = lab_of(
    Want("role", "iam-role", {"trust": "sagemaker.amazonaws.com"}),
    Want("notebook", "sagemaker-notebook", {"type": "ml.t3.medium", "gb": 5, "role_arn": "{role.arn}"}, ("role",)),
    Want(
        "model",
        "sagemaker-model",
        {"algorithm": "xgboost", "data_url": "s3://bucket/model.tar.gz", "role_arn": "{role.arn}"},
        ("role",),
    ),
    Want("config", "sagemaker-endpoint-config", {"model": "{model.name}", "type": "ml.m5.large"}, ("model",)),
    Want("endpoint", "sagemaker-endpoint", {"config": "{config.name}"}, ("config",)),
    slug="sagemaker",
)

WORK = lab_of(
    Want("role", "iam-role", {"trust": "sagemaker.amazonaws.com"}),
    Want(
        "train",
        "sagemaker-training-job",
        {"algorithm": "xgboost", "type": "ml.m5.large", "role_arn": "{role.arn}", "output": "s3://bucket/out"},
        ("role",),
    ),
    Want(
        "tune",
        "sagemaker-tuning-job",
        {
            "algorithm": "xgboost",
            "type": "ml.m5.large",
            "role_arn": "{role.arn}",
            "output": "s3://bucket/tuned",
            "metric": "validation:rmse",
            "ranges": {"integer": {"max_depth": [3, 9]}},
        },
        ("role",),
    ),
    Want("group", "sagemaker-model-package-group", {}),
    Want("pipeline", "sagemaker-pipeline", {"role_arn": "{role.arn}", "definition": {"Steps": []}}, ("role",)),
    Want("scripts", "sagemaker-lifecycle-config", {"on_start": "#!/bin/bash"}),
    slug="work",
)
THEN_A_MODEL = lab_of(
    Want("role", "iam-role", {"trust": "sagemaker.amazonaws.com"}),
    Want("bucket", "s3-bucket", {}),
    Want(
        "train",
        "sagemaker-training-job",
        {"algorithm": "xgboost", "type": "ml.m5.large", "role_arn": "{role.arn}", "output": "s3://{bucket.name}/out"},
        ("role", "bucket"),
    ),
    Want(
        "model",
        "sagemaker-model",
        {"algorithm": "xgboost", "role_arn": "{role.arn}", "data_url": "{train.artifacts}"},
        ("role", "train"),
    ),
    slug="train",
)


@pytest.fixture
def clock():
    """Runs from the real now: what the simulator says of times is near it."""
    return Clock(datetime.now(UTC))


@pytest.fixture
def account(simulator, aye, settings, clock):
    settings.SIMULATOR_URL = simulator.url
    aws.forget_clients()
    yield Account.objects.create(
        name="Aye's",
        mode=Account.PRACTICE,
        aws_id=simulator.new_account(),
        owner=aye,
        regions=["us-east-1"],
        lab_regions=["us-east-1"],
        boot_id=simulator.boot()["boot_id"],
        created_at=clock(),
    )
    aws.forget_clients()


class Wire:
    """Counts the calls that go out, and kills the worker right after the answer to number `fatal`."""

    def __init__(self, monkeypatch):
        self.calls, self.fatal, self._hooked = [], 0, set()
        real = aws.client

        def client(*args, **kwargs):
            made = real(*args, **kwargs)
            if id(made) not in self._hooked:
                self._hooked.add(id(made))
                made.meta.events.register_last("after-call", self._after)
            return made

        monkeypatch.setattr(aws, "client", client)

    def _after(self, model, **_):
        self.calls.append(f"{model.service_model.service_name}:{model.name}")
        if len(self.calls) == self.fatal:
            raise Died


@pytest.fixture
def wire(monkeypatch):
    return Wire(monkeypatch)


@pytest.fixture
def world(clock, account):
    return World(clock)


def whole_life(world, clock, account, aye, lab):
    launch = launching.launch(lab, account, aye, now=clock())

    def live(seconds, until):
        end = clock() + timedelta(seconds=seconds)
        while clock() < end and not until():
            try:
                world.run(10)
            except Died:
                clock.tick(ledger.LEASE.total_seconds() + 1)

    live(600, lambda: Launch.objects.get(pk=launch.pk).ready_at)
    states = world.states(launch)
    made = {row.kind: row.aws_id for row in world.rows(launch).values()}
    launching.ask_to_delete(launch, now=clock(), by=aye)
    live(1200, lambda: Launch.objects.get(pk=launch.pk).ended_at)
    launch.refresh_from_db()
    return launch, states, made


def things_of(account, launch):
    """What the simulator holds of one launch: {kind: ids}, by the kinds' own lists."""
    held = {}
    for row in Resource.objects.filter(launch=launch).select_related("account"):
        kind = reconcile.kind_of(row.kind)
        listed = kind.find_all(aws.client(account, kind.service))
        held[row.kind] = [
            seen.aws_id for seen in listed if seen.name == row.name or seen.tags.get(TAG_LAUNCH) == launch.id.hex
        ]
    return held


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize("lab", [EC2, SAGEMAKER], ids=lambda lab: lab.slug)
def test_a_worker_killed_after_any_call_leaves_nothing_behind_and_nothing_twice(lab, world, wire, clock, account, aye):
    number = 0
    while True:
        number += 1
        wire.calls.clear()
        wire.fatal = number
        launch, states, made = whole_life(world, clock, account, aye, lab)
        reached = len(wire.calls)
        wire.fatal = 0
        if reached < number:
            break
        fatal = wire.calls[number - 1]
        assert set(states.values()) == {"running"}, f"killed after {number}: {fatal}: {states}"
        assert launch.ended_at, f"never ended, killed after {number}: {fatal}"
        creates = [call for call in wire.calls if call in ("ec2:RunInstances", "sagemaker:CreateEndpoint")]
        assert len(creates) == 1, f"made twice, killed after {number}: {fatal}"
        assert not any(things_of(account, launch).values())
    assert number > 25
    # The tag set in the create call found it again; nothing was left that the ledger does not know.
    assert not list(Resource.objects.strangers())


def test_running_things_are_there_once_and_carry_the_launchs_tag(world, clock, account, aye):
    launch = launching.launch(EC2, account, aye, now=clock())
    world.run(30)
    held = things_of(account, launch)
    assert {kind: len(ids) for kind, ids in held.items()} == dict.fromkeys(held, 1)
    launching.ask_to_delete(launch, now=clock())
    world.run(120)
    assert certify.prove(Launch.objects.get(pk=launch.pk), clock) == []


def test_a_lab_trains_makes_a_model_of_what_that_left_and_ends_with_a_certificate(
    world, clock, account, aye, simulator
):
    launch = launching.launch(THEN_A_MODEL, account, aye, now=clock())
    world.run(60)
    assert world.states(launch) == {"role": "running", "bucket": "running", "train": "running", "model": ""}
    simulator.let_pass(100)
    ledger.hurry([world.rows(launch)["train"].pk], clock())
    world.run(60)
    rows = world.rows(launch)
    assert rows["train"].closed_why == "it completed"
    model = aws.client(account, "sagemaker").describe_model(ModelName=rows["model"].name)
    left = f"s3://{rows['bucket'].name}/out/{rows['train'].name}/output/model.tar.gz"
    assert model["PrimaryContainer"]["ModelDataUrl"] == left
    assert Launch.objects.get(pk=launch.pk).ready_at
    launching.ask_to_delete(launch, now=clock(), by=aye)
    world.run(120)
    assert Launch.objects.get(pk=launch.pk).certificate["left"] == []


FAULTS = {
    "throttled": {"code": "ThrottlingException", "status": 400},
    "500": {"code": "InternalError", "status": 500},
    "no answer, not done": {"drop": "before"},
    "time-out after success": {"drop": "after"},
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("lab", [EC2, SAGEMAKER, WORK], ids=lambda lab: lab.slug)
def test_every_call_failing_once_ends_in_the_same_state(lab, fault, world, clock, account, aye, simulator):
    simulator.forget_calls()
    whole_life(world, clock, account, aye, lab)
    operations = [name.split(":") for name in simulator.calls()["by"]]
    simulator.faults(
        [
            {"service": service, "operation": operation, "account": account.aws_id, "times": 1, **FAULTS[fault]}
            for service, operation in operations
        ]
    )
    launch, states, _ = whole_life(world, clock, account, aye, lab)
    assert set(states.values()) == {"running"}
    assert launch.ended_at
    assert launch.certificate["left"] == []
    assert not any(things_of(account, launch).values())
