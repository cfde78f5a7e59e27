"""The same loop on the simulator, over HTTP, with the real kinds: killed after every single AWS call in turn."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from labs import aws, certify, launching, ledger, reconcile
from labs.kinds.base import TAG_LAUNCH, Want
from labs.models import Account, Launch, Resource
from labs.tests.cast import Clock, Died
from labs.tests.conftest import World, lab_of
from labs.tests.kinds.examples.api_gateway import STATUS
from labs.tests.kinds.examples.cloudformation import TEMPLATE
from labs.tests.kinds.examples.cloudwatch import METRIC
from labs.tests.kinds.examples.codepipeline import STAGES
from labs.tests.kinds.examples.ecr import KEEP_THREE
from labs.tests.kinds.examples.iam import READS
from labs.tests.kinds.examples.lambda_functions import HELLO
from labs.tests.kinds.examples.stepfunctions import WAITS

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
TRUST = lab_of(
    Want("policy", "iam-policy", {"document": READS}),
    Want("group", "iam-group", {"managed_policies": ["{policy.arn}"]}, ("policy",)),
    Want("secret", "secret", {"value": "only for the lab"}),
    Want("stack", "cloudformation-stack", {"template_body": json.dumps(TEMPLATE), "parameters": {"Shown": "x"}}),
    slug="trust",
)
NETWORK = lab_of(
    Want("net", "vpc"),
    Want("way-out", "internet-gateway", {"vpc": "{net.aws_id}"}, ("net",)),
    Want("outside", "subnet", {"vpc": "{net.aws_id}", "cidr": "10.0.1.0/24", "public": True}, ("net",)),
    Want("inside", "subnet", {"vpc": "{net.aws_id}", "cidr": "10.0.2.0/24"}, ("net",)),
    Want(
        "routes-out",
        "route-table",
        {
            "vpc": "{net.aws_id}",
            "subnets": ["{outside.aws_id}"],
            "routes": [{"cidr": "0.0.0.0/0", "gateway": "{way-out.aws_id}"}],
        },
        ("net", "way-out", "outside"),
    ),
    Want("address", "elastic-ip"),
    Want(
        "nat",
        "nat-gateway",
        {"subnet": "{outside.aws_id}", "address": "{address.aws_id}"},
        ("routes-out", "outside", "address"),
    ),
    Want(
        "routes-in",
        "route-table",
        {
            "vpc": "{net.aws_id}",
            "subnets": ["{inside.aws_id}"],
            "routes": [{"cidr": "0.0.0.0/0", "nat": "{nat.aws_id}"}],
        },
        ("net", "nat", "inside"),
    ),
    Want("group", "security-group", {"vpc": "{net.aws_id}"}, ("net",)),
    Want(
        "to-sagemaker",
        "vpc-endpoint",
        {
            "service": "sagemaker.api",
            "type": "Interface",
            "vpc": "{net.aws_id}",
            "subnets": ["{inside.aws_id}"],
            "security_groups": ["{group.aws_id}"],
        },
        ("net", "inside", "group"),
    ),
    Want(
        "box",
        "ec2-instance",
        {"type": "t3.micro", "gb": 8, "subnet": "{inside.aws_id}", "security_groups": ["{group.aws_id}"]},
        ("inside", "group", "routes-in"),
    ),
    Want("disk", "ebs-volume", {"gb": 1}),
    Want("copy", "ebs-snapshot", {"volume": "{disk.aws_id}"}, ("disk",)),
    Want("files", "efs-file-system"),
    slug="network",
)

EMR = lab_of(
    Want("role", "iam-role", {"trust": "elasticmapreduce.amazonaws.com"}),
    Want("profile", "instance-profile", {"role": "{role.name}"}, needs=("role",)),
    Want(
        "cluster",
        "emr-cluster",
        {"type": "m5.xlarge", "role": "{role.arn}", "profile": "{profile.name}"},
        needs=("role", "profile"),
    ),
    Want("jobs", "emr-serverless-application", {}),
    slug="emr",
)

TARGET = {"target": "{machine.arn}", "role_arn": "{role.arn}"}
EVENTS = lab_of(
    Want("role", "iam-role", {"trust": "states.amazonaws.com"}),
    Want("machine", "step-functions-state-machine", {"definition": WAITS, "role_arn": "{role.arn}"}, ("role",)),
    Want("run", "step-functions-execution", {"machine": "{machine.name}"}, ("machine",)),
    Want("group", "scheduler-group"),
    Want(
        "nightly",
        "scheduler-schedule",
        {"schedule": "cron(0 2 1 1 ? 2099)", "group": "{group.name}", **TARGET},
        ("group", "machine", "role"),
    ),
    Want(
        "rule",
        "eventbridge-rule",
        {"schedule": "rate(7 days)", "targets": [{"id": "m", "arn": "{machine.arn}", "role_arn": "{role.arn}"}]},
        ("machine", "role"),
    ),
    Want("logs", "log-group"),
    Want("alarm", "cloudwatch-alarm", {"metric": METRIC}),
    Want("both", "cloudwatch-alarm", {"rule": "ALARM({alarm.name})"}, ("alarm",)),
    Want("board", "cloudwatch-dashboard", {"body": {"widgets": []}}),
    Want("maker", "iam-role", {"trust": "codepipeline.amazonaws.com"}),
    Want(
        "pipeline",
        "codepipeline-pipeline",
        {"role_arn": "{maker.arn}", "bucket": "lab-artifacts", "stages": STAGES},
        ("maker",),
    ),
    slug="events",
)
FUNCTION = {
    "role_arn": "{role.arn}",
    "code": {"zip_files": HELLO},
    "runtime": "python3.12",
    "handler": "app.handler",
    "invoked_by": [
        {"service": "s3.amazonaws.com", "source_arn": "{bucket.arn}"},
        {"service": "apigateway.amazonaws.com"},
    ],
}
SERVERLESS = lab_of(
    Want("bucket", "s3-bucket"),
    Want("role", "iam-role", {"trust": "lambda.amazonaws.com"}),
    Want("images", "ecr-repository", {"lifecycle": KEEP_THREE}),
    Want("function", "lambda-function", FUNCTION, ("role", "bucket")),
    Want(
        "trigger",
        "s3-trigger",
        {"bucket": "{bucket.name}", "function_arn": "{function.arn}", "prefix": "raw/"},
        ("bucket", "function"),
    ),
    slug="serverless",
)
# AWS guards nothing of these: a create without an answer that shows nothing is a person's to look into.
UNGUARDED = lab_of(
    Want("layer", "lambda-layer-version", {"code": {"zip_files": {"python/shop.py": "PRICE = 3"}}}),
    Want("rest", "api-gateway-rest", {"openapi": STATUS, "stage": "prod"}),
    Want("http", "api-gateway-http", {}),
    slug="unguarded",
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
    simulator.serves(settings)
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
    """Notes each call that goes out as (operation, how often it was called), and kills the worker right after the
    answer to those that are `fatal`."""

    def __init__(self, monkeypatch):
        self.calls, self.fatal, self._hooked = [], set(), set()
        real = aws.client

        def client(*args, **kwargs):
            made = real(*args, **kwargs)
            if id(made) not in self._hooked:
                self._hooked.add(id(made))
                made.meta.events.register_last("after-call", self._after)
            return made

        monkeypatch.setattr(aws, "client", client)

    def _after(self, model, **_):
        operation = f"{model.service_model.service_name}:{model.name}"
        self.calls.append((operation, 1 + sum(operation == before for before, _ in self.calls)))
        if self.calls[-1] in self.fatal:
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

    # Each death costs its lease.
    live(3600, lambda: Launch.objects.get(pk=launch.pk).ready_at)
    states = world.states(launch)
    made = {row.kind: row.aws_id for row in world.rows(launch).values()}
    launching.ask_to_delete(launch, now=clock(), by=aye)
    live(3600, lambda: Launch.objects.get(pk=launch.pk).ended_at)
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


LIVES = 8


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize("lab", [EC2, SAGEMAKER], ids=lambda lab: lab.slug)
def test_a_worker_killed_after_any_call_leaves_nothing_behind_and_nothing_twice(lab, world, wire, clock, account, aye):
    """Every call of a life without trouble is once the last of a worker. A life has several deaths, far apart, since
    lives are what takes time here; each call is alone fatal on the fakes (test_loop.py)."""
    for _ in range(2):  # the first makes what an account has once
        wire.calls.clear()
        whole_life(world, clock, account, aye, lab)
    healthy = list(wire.calls)
    assert len(healthy) > 25
    for life in range(LIVES):
        wire.calls.clear()
        wire.fatal = set(healthy[life::LIVES])
        launch, states, _ = whole_life(world, clock, account, aye, lab)
        never_called, wire.fatal = wire.fatal - set(wire.calls), set()
        assert set(states.values()) == {"running"}, f"killed after {healthy[life::LIVES]}: {states}"
        assert launch.ended_at, f"never ended, killed after {healthy[life::LIVES]}"
        creates = [call for call, _ in wire.calls if call in ("ec2:RunInstances", "sagemaker:CreateEndpoint")]
        assert len(creates) == 1, f"made twice, killed after {healthy[life::LIVES]}"
        assert not any(things_of(account, launch).values())
        # A death may have made a look needless, never a change.
        assert [call for call, _ in never_called if ":Describe" not in call and ":List" not in call] == []
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


_operations: dict[str, list[list[str]]] = {}


@pytest.fixture
def operations_of(world, clock, account, aye, simulator):
    """operations_of(lab): [[service, operation]] of a life without trouble; lived once for all faults."""

    def learned(lab):
        if lab.slug not in _operations:
            simulator.forget_calls()
            whole_life(world, clock, account, aye, lab)
            _operations[lab.slug] = _called(simulator)
        return _operations[lab.slug]

    return learned


# Two labs meet each fault at every call, in a life of its own; the others meet all of them in one life, call by call.
IN_TURN = "each in turn"


@pytest.mark.once
@pytest.mark.parametrize(
    ("lab", "fault"),
    [
        *((lab, fault) for lab in (EC2, SAGEMAKER) for fault in FAULTS),
        *((lab, IN_TURN) for lab in (TRUST, EVENTS, SERVERLESS, WORK)),
        (UNGUARDED, "throttled"),
        (UNGUARDED, "time-out after success"),
    ],
    ids=lambda value: getattr(value, "slug", value),
)
def test_every_call_failing_once_ends_in_the_same_state(
    lab, fault, world, clock, account, aye, simulator, operations_of
):
    in_turn = list(FAULTS.values()) if fault == IN_TURN else [FAULTS[fault]]
    simulator.faults(
        [
            {
                "service": service,
                "operation": operation,
                "account": account.aws_id,
                "times": 1,
                **in_turn[number % len(in_turn)],
            }
            for number, (service, operation) in enumerate(operations_of(lab))
        ]
    )
    launch, states, _ = whole_life(world, clock, account, aye, lab)
    assert set(states.values()) == {"running"}
    assert launch.ended_at
    assert launch.certificate["left"] == []
    assert not any(things_of(account, launch).values())


def test_of_a_key_that_waits_for_its_end_the_certificate_says_so(world, clock, account, aye):
    """It costs nothing any more, and is not gone for good either."""
    launch, states, made = whole_life(world, clock, account, aye, lab_of(Want("key", "kms-key"), slug="kms"))
    assert states == {"key": "running"} and launch.ended_at
    (row,) = launch.certificate["rows"]
    assert "its deletion is scheduled for" in row["why"] and "until then it can be cancelled" in row["why"]
    key = aws.client(account, "kms").describe_key(KeyId=made["kms-key"])["KeyMetadata"]
    assert key["KeyState"] == "PendingDeletion"


def test_a_stack_that_cannot_be_deleted_says_what_is_in_its_way_and_goes_when_that_is_gone(world, clock, account, aye):
    params = {"template_body": json.dumps(TEMPLATE), "parameters": {"Shown": "x"}}
    launch = launching.launch(lab_of(Want("stack", "cloudformation-stack", params)), account, aye, now=clock())
    world.run(30)
    s3, bucket = aws.client(account, "s3"), world.rows(launch)["stack"].facts["id_of_data"]
    s3.put_object(Bucket=bucket, Key="a", Body=b"")
    launching.ask_to_delete(launch, now=clock(), by=aye)
    world.run(600)
    row = world.rows(launch)["stack"]
    assert row.closed_at is None
    assert "Data (AWS::S3::Bucket): The bucket you tried to delete is not empty" in row.blocked_why
    s3.delete_object(Bucket=bucket, Key="a")
    world.run(1500)
    launch.refresh_from_db()
    assert launch.ended_at


def test_what_is_known_by_its_whole_arn_is_found_by_the_second_method(world, clock, account, aye):
    """As if every row had been closed by mistake: nothing is certified while the tagging API shows what is there."""
    launch = launching.launch(TRUST, account, aye, now=clock())
    world.run(60)
    known = {row.key: row.aws_id for row in world.rows(launch).values()}
    Resource.objects.filter(launch=launch).update(closed_at=clock())
    assert {known["secret"], known["stack"]} <= set(certify.prove(launch, clock))
    stack = aws.client(account, "cloudformation")
    stack.delete_stack(StackName=known["stack"])
    assert known["stack"] not in certify.prove(launch, clock)


@pytest.mark.once
def test_a_private_network_comes_and_goes_in_order_also_when_every_first_answer_is_lost(
    world, clock, account, aye, simulator
):
    """Most of it AWS makes without a guard against a second one: it is found by the tag that the create call set."""
    simulator.forget_calls()
    for fault in ({}, FAULTS["time-out after success"]):
        once = [{"service": service, "operation": operation} for service, operation in _called(simulator)]
        simulator.faults([{**each, "account": account.aws_id, "times": 1, **fault} for each in once] if fault else [])
        launch, states, made = whole_life(world, clock, account, aye, NETWORK)
        assert set(states.values()) == {"running"} and all(made.values())
        assert launch.ended_at
        assert launch.certificate["left"] == []
        assert not any(things_of(account, launch).values())
    assert not list(Resource.objects.strangers())


def _called(simulator):
    return [name.split(":") for name in simulator.calls()["by"]]


@pytest.mark.once
def test_a_lab_with_a_cluster_comes_up_and_is_proved_gone_with_all_its_machines(world, clock, account, aye):
    """The machines carry the launch's tag, so the certificate asks after them too."""
    launch, states, made = whole_life(world, clock, account, aye, EMR)
    assert set(states.values()) == {"running"}
    assert launch.certificate["left"] == []
    assert not any(things_of(account, launch).values())
    filters = [{"Name": "tag:aws:elasticmapreduce:job-flow-id", "Values": [made["emr-cluster"]]}]
    reservations = aws.client(account, "ec2").describe_instances(Filters=filters)["Reservations"]
    machines = [instance for reservation in reservations for instance in reservation["Instances"]]
    assert [machine["State"]["Name"] for machine in machines] == ["terminated"] * 3


@pytest.mark.once
@pytest.mark.parametrize("fault", [{"drop": "after"}, {"code": "ThrottlingException", "status": 400}])
def test_a_cluster_whose_create_was_not_answered_is_made_once(fault, world, clock, account, aye, simulator):
    """AWS guards nothing here: it is found again by its name, or nothing was made and it is asked for again."""
    asked = {"service": "emr", "operation": "RunJobFlow", "account": account.aws_id, "times": 1}
    simulator.faults([asked | fault])
    launch, states, _ = whole_life(world, clock, account, aye, EMR)
    assert set(states.values()) == {"running"} and launch.ended_at
    clusters = aws.client(account, "emr").list_clusters()["Clusters"]
    assert [cluster["Status"]["State"] for cluster in clusters] == ["TERMINATED"]


@pytest.mark.once
def test_a_cluster_that_may_or_may_not_have_been_made_is_a_persons_question(world, clock, account, aye, simulator):
    """The answer is lost, and the call too: a second one could be the second cluster."""
    asked = {"service": "emr", "operation": "RunJobFlow", "account": account.aws_id, "times": 1, "drop": "before"}
    simulator.faults([asked])
    launch = launching.launch(EMR, account, aye, now=clock())
    world.run(400)
    row = Resource.objects.get(launch=launch, kind="emr-cluster")
    assert "look in the account" in row.blocked_why
    assert aws.client(account, "emr").list_clusters()["Clusters"] == []
    launching.ask_to_delete(launch, now=clock())
    world.run(400)
    assert Launch.objects.get(pk=launch.pk).ended_at
