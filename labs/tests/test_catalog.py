"""Every lab of the catalogue: written whole, brought up by hand, done as a student does it, and gone."""

import io
import json
import re
import tarfile
import time
from dataclasses import replace
from decimal import Decimal

import pytest

from labs.catalog import all_labs, get
from labs.catalog.looking import PAYMENTS
from labs.catalog.s3_ml_bucket import LIFECYCLE, OWN_RULE
from labs.catalog.sagemaker_endpoint import USUAL, ask
from labs.kinds import kind_of
from labs.kinds.base import RUNNING
from labs.ledger import name_for
from labs.models import Account
from labs.tests.by_hand import LabByHand, in_order
from labs.tests.kinds.examples import AccountOfAye

LABS = [lab.slug for lab in all_labs()]
every_lab = pytest.mark.parametrize("slug", LABS)
# What every resource has, and what each kind's facts add for step texts and children.
ALWAYS = {"name", "aws_id"}
A_SMALL_MACHINE = {("EC2", "on-demand-linux", "t3.micro"), ("VPC", "public-ipv4", "in-use-address")}
# What no student makes in the bootcamp's account (guardrails.py), and labs in which it is made in practice mode alone.
NOT_FOR_STUDENTS = {"iam-user", "iam-group", "iam-policy", "iam-access-key"}
MAKES_NOBODY_IN_SHARED = {"onboarding-checklist"}
OF_THE_LAUNCH = {"prefix", "tag", "student", "boundary"}
FACTS = {"iam-role": {"arn"}, "s3-bucket": {"arn", "region"}, "sagemaker-notebook": {"arn"}, "ec2-instance": {"zone"}}
FACTS |= {
    "api-gateway-rest": {"arn", "url"},
    "cloudformation-stack": {"id_of_data", "id_of_journal"},
    "kms-key": {"arn"},
    "lambda-function": {"arn", "invoke_uri"},
    "sagemaker-training-job": {"arn", "artifacts"},
    "step-functions-state-machine": {"arn"},
}


@pytest.fixture
def account(simulator):
    return AccountOfAye(simulator, "600000000004")


@pytest.fixture
def lab(request, account):
    made = LabByHand(get(request.param), account)
    yield made
    made.end()


def lab_by_hand(slug):
    return pytest.mark.parametrize("lab", [slug], indirect=True)


def test_the_four_labs_of_the_first_weeks_are_there():
    assert {"s3-ml-bucket", "ec2-reads-s3", "sagemaker-notebook", "sagemaker-endpoint"} <= set(LABS)


@every_lab
def test_it_is_written_whole(slug):
    lab = get(slug)
    assert lab.title and lab.summary and lab.theme and lab.kept
    assert not set("`*_") & set(lab.title + lab.summary + lab.kept + lab.calls_note), "these are no Markdown"
    assert 4 <= len(lab.steps) <= 6
    assert len({step.slug for step in lab.steps}) == len(lab.steps)
    assert all(step.check for step in lab.steps[:-1]) and lab.steps[-1].check is None
    assert Decimal(1) <= lab.hours <= Decimal(4)
    assert lab.minutes <= lab.hours * 60
    assert set(lab.modes) <= {mode for mode, _ in Account.MODES}
    assert {want.kind for want in lab.by_hand} <= set(lab.creates)
    assert not lab.calls_usd or f"${lab.calls_usd} of that sum" in lab.calls_note, "an allowance is told with the rate"
    assert "at most" not in lab.calls_note, "it follows the most that the lab can still cost, and says what is in that"


@every_lab
def test_it_runs_in_practice_mode_and_in_the_shared_account_only_where_students_may_do_its_steps(slug):
    lab = get(slug)
    assert "practice" in lab.modes
    if "shared" in lab.modes and slug not in MAKES_NOBODY_IN_SHARED:
        assert not set(lab.creates) & NOT_FOR_STUDENTS


@every_lab
def test_what_happens_only_inside_a_machine_is_marked_with_what_to_expect_in_practice_mode(slug):
    for step in get(slug).steps:
        assert step.expect or "```sh\n" not in step.body_md, step.slug


@every_lab
def test_the_data_that_it_brings_is_small(slug):
    lab = get(slug)
    brought = [content for want in lab.wants for content in want.params.get("objects", {}).values()]
    assert sum(map(len, brought)) < 100_000


@every_lab
def test_its_wants_need_only_what_is_there_and_name_only_what_they_need(slug):
    lab = get(slug)
    kinds = {want.key: want.kind for want in lab.wants}
    assert len(kinds) == len(lab.wants)
    in_order(lab)
    for want in lab.wants:
        json.dumps(dict(want.params))
        for key, fact in re.findall(r"\{([a-z0-9-]+)\.([a-z0-9_]+)\}", json.dumps(dict(want.params))):
            assert key in want.needs, f"{want.key} names {key} and does not wait for it"
            assert fact in ALWAYS | FACTS.get(kinds[key], set())


@every_lab
def test_the_words_of_its_steps_name_only_what_the_lab_has(slug):
    lab = get(slug)
    told = {want.key: ALWAYS | FACTS.get(want.kind, set()) for want in lab.wants} | {"lab": OF_THE_LAUNCH}
    for step in lab.steps:
        for key, fact in re.findall(r"\{([a-z0-9-]+)\.([a-z0-9_]+)\}", step.body_md):
            assert fact in told[key]


@every_lab
def test_two_launches_never_have_one_name(slug):
    lab = get(slug)
    names = {
        name_for(slug, want.key, launch) for want in lab.wants for launch in (_Launch("a" * 32), _Launch("b" * 32))
    }
    assert len(names) == 2 * len(lab.wants)
    assert all(re.fullmatch(r"[a-z0-9-]{3,50}", name) for name in names)


class _Launch:
    def __init__(self, of):
        self.hex = of


@every_lab
def test_what_it_will_cost_is_known_before_the_launch(slug):
    lab, meters = get(slug), []
    wants = (*lab.wants, *lab.by_hand)
    params = {want.key: want.params for want in wants}
    for want in wants:
        seen = kind_of(want.kind).would_be(replace(want, parents={key: params[key] for key in want.needs}))
        assert seen.state == RUNNING
        meters += kind_of(want.kind).meters(seen)
    hourly = {(meter.service, meter.kind, meter.sku) for meter in meters if meter.per == "hour"}
    assert (
        hourly
        == {
            "cli-ec2": A_SMALL_MACHINE,
            "ec2-costs": A_SMALL_MACHINE,
            "ec2-instance-profile": A_SMALL_MACHINE,
            "ec2-jupyter": A_SMALL_MACHINE,
            "ec2-reads-s3": A_SMALL_MACHINE,
            "sagemaker-notebook": {("SageMaker", "notebook", "ml.t3.medium")},
            "sagemaker-endpoint": {("SageMaker", "hosting", "ml.m5.large")},
            "sagemaker-training": {("SageMaker", "training", "ml.m5.large")},
            "sagemaker-tuning": {("SageMaker", "training", "ml.m5.large")},
            "step-functions-train-infer": {("SageMaker", "training", "ml.m5.large")},
            "emr-small": {
                ("EC2", "on-demand-linux", "m5.xlarge"),
                ("EMR", "ec2-uplift", "m5.xlarge"),
                ("VPC", "public-ipv4", "in-use-address"),
            },
            "sagemaker-pipeline-inference": {
                ("SageMaker", "training", "ml.m5.large"),
                ("SageMaker", "hosting", "ml.m5.large"),
            },
        }.get(slug, set())  # the others have nothing that costs by the hour
    )


@pytest.mark.simulator
@every_lab
def test_a_student_who_does_the_steps_passes_the_checks_and_nobody_else(slug, account):
    lab, made = LabByHand(get(slug), account), set()
    for step in lab.lab.steps[:-1]:
        before = step.check(lab.view)
        assert before.said.endswith("."), "a sentence"
        if step.play is None:
            assert before.passed, f"{step.slug} is to look at what the portal made"
            continue
        assert not before.passed, f"{step.slug} passes before anything was done"
        step.play(lab.view)
        made |= {kind for kind, _ in lab.made_by_hand()}
        after = passes(lab, step)
        assert after.passed, after.said
        assert after.said.endswith(".")
        made |= {kind for kind, _ in lab.made_by_hand()}
    assert made == set(lab.lab.creates), "what a student makes is known as this lab's by its name or its tags"
    lab.end()
    assert not lab.made_by_hand()


@pytest.mark.simulator
@every_lab
def test_two_students_do_it_side_by_side_in_one_account_and_neither_is_in_the_others_way(slug, account):
    both = LabByHand(get(slug), account, owner=7), LabByHand(get(slug), account, owner=8)
    for slug_of_step in [step.slug for step in both[0].lab.steps[:-1]]:
        for lab in both:
            step = lab.step(slug_of_step)
            if step.play:
                step.play(lab.view)
        for lab in both:
            found = passes(lab, lab.step(slug_of_step))
            assert found.passed, found.said
    made = [{seen.aws_id for _, seen in lab.made_by_hand()} for lab in both]
    assert not made[0] & made[1], "each one's is known as theirs alone"
    both[0].end()
    assert {seen.aws_id for _, seen in both[1].made_by_hand()} == made[1], "one lab's end takes nothing of the other's"
    both[1].end()


def passes(lab, step):
    """What the check says in the end: machines of practice mode that run by themselves need a moment of real time."""
    found, until = step.check(lab.view), time.monotonic() + 15
    while step.waits_minutes and not found.passed and time.monotonic() < until:
        lab.account.simulator.let_pass(20)
        if step.play:
            step.play(lab.view)
        found = step.check(lab.view)
    return found


@pytest.mark.simulator
@every_lab
def test_it_comes_up_and_goes_in_the_courses_second_region_too(slug, account):
    lab = LabByHand(get(slug), account, region="ap-southeast-1")
    ended = {want.key for want in lab.lab.wants if kind_of(want.kind).ends_by_itself}
    assert all(facts["state"] == RUNNING for key, facts in lab.resources.items() if key not in ended)
    lab.end()


# --- the S3 lab ----------------------------------------------------------------------------------------------


def put(lab, key, body="x"):
    lab.view.client("s3").put_object(Bucket=lab.resources["bucket"]["name"], Key=key, Body=body)


@pytest.mark.simulator
@lab_by_hand("docker-first-image-ecr")
def test_an_image_that_was_pushed_by_its_manifest_is_told_as_one_that_nobody_can_run(lab):
    for slug in ("make", "push"):
        lab.step(slug).play(lab.view)
    assert "Docker cannot push to the simulator" in lab.step("push").expect
    assert "In practice mode nobody can run it." in lab.check("push").said
    own = replace(lab.view, mode="own")
    assert "practice" not in lab.step("push").check(own).said


@pytest.mark.simulator
@lab_by_hand("s3-ml-bucket")
def test_the_s3_lab_says_what_is_still_missing(lab):
    assert "no file under raw/" in lab.check("upload").said
    put(lab, "raw/card-payments.csv")
    assert "not in a folder of its date" in lab.check("upload").said
    put(lab, "raw/year=2025/month=9/day=13/card-payments.csv")
    assert not lab.check("upload").passed, "Spark reads month=9 and month=09 as two months"
    put(lab, "raw/year=2025/month=09/day=13/card-payments.txt")
    assert "not a .csv" in lab.check("upload").said
    put(lab, "raw/year=2025/month=09/day=13/card-payments.csv", "")
    assert not lab.check("upload").passed, "0 bytes are no data"
    put(lab, "raw/year=2025/month=09/day=13/card-payments.csv")
    assert lab.check("upload").passed

    put(lab, "processed/year=2025/month=09/day=14/x.csv.gz")
    said = lab.check("process").said
    assert "day=14" in said and "day=13" in said

    put(lab, "models/v1/model.json", "1")
    assert "has one version" in lab.check("versions").said
    assert "First make two versions" in lab.check("restore").said
    put(lab, "models/v1/model.json", "2")
    assert lab.check("versions").passed
    put(lab, "models/v1/model.json", "3")
    assert "not yet the same as the first" in lab.check("restore").said
    put(lab, "models/v1/model.json", "1")
    assert lab.check("restore").passed


@pytest.mark.simulator
@lab_by_hand("s3-ml-bucket")
def test_a_put_that_forgets_the_other_rules_is_told_so(lab):
    def put_rules(*rules):
        lab.view.client("s3").put_bucket_lifecycle_configuration(
            Bucket=lab.resources["bucket"]["name"], LifecycleConfiguration={"Rules": rules}
        )

    assert "no rule for processed/" in lab.check("rule").said
    put_rules(OWN_RULE)
    assert "These rules are gone: raw, models, monitoring" in lab.check("rule").said
    put_rules(*LIFECYCLE, {**OWN_RULE, "Status": "Disabled"})
    assert "not Enabled" in lab.check("rule").said
    put_rules(*LIFECYCLE, {**OWN_RULE, "Transitions": [{"Days": 90, "StorageClass": "GLACIER"}]})
    assert "STANDARD_IA after 30 days" in lab.check("rule").said
    put_rules(*LIFECYCLE, OWN_RULE)
    assert lab.check("rule").passed
    lab.view.client("s3").delete_bucket_lifecycle(Bucket=lab.resources["bucket"]["name"])
    assert "These rules are gone" in lab.check("rule").said


# --- the EC2 lab ---------------------------------------------------------------------------------------------


@pytest.mark.simulator
@lab_by_hand("ec2-reads-s3")
def test_the_ec2_lab_reads_the_chain_from_the_instance_to_the_policy(lab):
    iam, role = lab.view.client("iam"), lab.resources["role"]["name"]
    assert lab.check("who").passed
    everything = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
    iam.put_role_policy(RoleName=role, PolicyName="more", PolicyDocument=json.dumps(everything))
    assert "s3:*" in lab.check("who").said
    iam.delete_role_policy(RoleName=role, PolicyName="more")
    iam.attach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    assert "AmazonS3FullAccess" in lab.check("who").said
    iam.detach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    profile = lab.resources["profile"]["name"]
    iam.remove_role_from_instance_profile(InstanceProfileName=profile, RoleName=role)
    assert "holds no role" in lab.check("who").said


@pytest.mark.simulator
@lab_by_hand("ec2-reads-s3")
def test_the_ec2_lab_counts_with_or_without_the_header_and_says_when_it_is_wrong(lab):
    assert "no dated CSV" in lab.check("read").said
    put(lab, "raw/year=2025/month=09/day=13/card-payments.csv", "a,b\n1,2\n3,4\n")
    assert "no tag with the name rows" in lab.check("read").said

    def tag(value):
        lab.view.client("ec2").create_tags(
            Resources=[lab.resources["server"]["aws_id"]], Tags=[{"Key": "rows", "Value": value}]
        )

    tag("7")
    assert "says 7, but" in lab.check("read").said and "3 lines" in lab.check("read").said
    for right in ("3", "2", " 3"):
        tag(right)
        assert lab.check("read").passed


@pytest.mark.simulator
@lab_by_hand("ec2-reads-s3")
def test_an_instance_that_is_gone_is_not_a_stopped_one(lab):
    ec2 = lab.view.client("ec2")
    assert "is running. Stop it" in lab.check("stop").said
    ec2.terminate_instances(InstanceIds=[lab.resources["server"]["aws_id"]])
    assert not lab.check("stop").passed
    assert not lab.check("who").passed


@pytest.mark.simulator
@lab_by_hand("ec2-reads-s3")
def test_the_instance_of_the_lab_has_no_way_in_and_no_key(lab):
    (group,) = lab.view.client("ec2").describe_security_groups(GroupIds=[lab.resources["group"]["aws_id"]])[
        "SecurityGroups"
    ]
    assert group["IpPermissions"] == []
    assert lab.resources["server"]["profile"].endswith(lab.resources["profile"]["name"])


# --- the notebook lab ----------------------------------------------------------------------------------------


@pytest.mark.simulator
@lab_by_hand("sagemaker-notebook")
def test_the_notebook_lab_counts_too_and_says_which_line_is_wrong(lab):
    summary = "processed/fraud-by-merchant.csv"
    assert "no dated CSV" in lab.check("work").said
    put(lab, "raw/year=2025/month=09/day=13/card-payments.csv", PAYMENTS)
    assert f"no {summary}" in lab.check("work").said
    put(lab, summary, "merchant,n\nfuel,1\n")
    assert "cannot be read" in lab.check("work").said
    put(lab, summary, "merchant_type,payments,frauds\nfuel,one,0\n")
    assert "cannot be read" in lab.check("work").said
    put(lab, summary, "merchant_type,payments,frauds\nfuel,1,0\ngrocery,2,0\nonline,1,0\n")
    assert "online is not right. In raw/ it has payments: 1, frauds: 1." in lab.check("work").said
    put(lab, summary, "merchant_type,payments,frauds\ngrocery,2,0\nfuel,1,0\nonline,1,1\n")
    assert lab.check("work").passed


@pytest.mark.simulator
@lab_by_hand("sagemaker-notebook")
def test_a_notebook_on_its_way_is_told_as_it_is(lab):
    lab.account.simulator.pace(state_seconds=30)
    assert "is Pending" in lab.check("open").said
    assert "is Pending. Stop it" in lab.check("stop").said
    lab.account.simulator.pace(state_seconds=0)
    assert lab.check("open").passed


# --- the endpoint lab ----------------------------------------------------------------------------------------


@pytest.mark.simulator
@lab_by_hand("sagemaker-endpoint")
def test_the_endpoint_lab_counts_calls_and_keeps_an_answer(lab):
    assert "1 x ml.m5.large is in service" in lab.check("look").said
    assert "no call yet" in lab.check("ask").said
    ask(lab.view, USUAL)
    assert lab.check("ask").said == "AWS has counted 1 call."
    assert "1 of 5 calls" in lab.check("metric").said
    assert "no file under monitoring/" in lab.check("keep").said
    put(lab, "monitoring/date=2025-10-04/answer.txt", "0.9307446479797363\n")
    assert "the model says 0.93, that is 93% fraud" in lab.check("keep").said


@pytest.mark.simulator
@lab_by_hand("sagemaker-endpoint")
def test_the_model_of_the_endpoint_lab_lies_where_sagemaker_looks_for_it(lab):
    s3, bucket = lab.view.client("s3"), lab.resources["bucket"]["name"]
    model = lab.view.client("sagemaker").describe_model(ModelName=lab.resources["model"]["name"])
    place = model["PrimaryContainer"]["ModelDataUrl"]
    key = place.removeprefix(f"s3://{bucket}/")
    with tarfile.open(fileobj=io.BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read())) as tar:
        (name,) = tar.getnames()
        trees = json.load(tar.extractfile(name))["learner"]["gradient_booster"]["model"]["trees"]
    assert name == "model.json", "XGBoost tells the format by the ending"
    assert len(trees) == 8
