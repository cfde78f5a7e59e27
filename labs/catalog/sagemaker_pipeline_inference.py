"""Lab: the whole way by hand: from a finished training job to a model, an endpoint, answers, and back to nothing."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from botocore.exceptions import ClientError
from django.utils.translation import gettext_noop

from labs.aws import is_not_there
from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.looking import put_file, text_of
from labs.catalog.payments import training_tables
from labs.catalog.training import (
    DISK_GB,
    HYPERPARAMETERS,
    LONGEST,
    MACHINE,
    ROLE,
    TEST,
    TRAIN,
    seconds_of,
    tables_in_base64,
    tags_of,
)
from labs.kinds.base import Want
from labs.kinds.sagemaker_endpoint_config import VARIANT
from labs.kinds.sagemaker_model import image_of

ANSWERS = "monitoring/date=2025-10-04/answers.csv"
ASKED = 20  # payments of test.csv


# --- the checks ----------------------------------------------------------------------------------------------


def name_of(view: StudentView) -> str:
    """What model, configuration and endpoint of this lab are called, all three."""
    return f"{view.prefix}fraud"


def described(call: Callable[..., Mapping[str, Any]], **asked: str) -> Mapping[str, Any] | None:
    """What AWS says of it; None when it is not there."""
    try:
        return call(**asked)
    except ClientError as error:
        if is_not_there(error):
            return None
        raise


def model_of(view: StudentView) -> Mapping[str, Any] | None:
    return described(view.client("sagemaker").describe_model, ModelName=name_of(view))


def endpoint_of(view: StudentView) -> Mapping[str, Any] | None:
    return described(view.client("sagemaker").describe_endpoint, EndpointName=name_of(view))


def was_trained(view: StudentView) -> Checked:
    job = view.client("sagemaker").describe_training_job(TrainingJobName=view.resources["training"]["name"])
    if job["TrainingJobStatus"] != "Completed":
        return Checked(
            False, f"The training job is {job['TrainingJobStatus']}. It needs about four minutes; then check again."
        )
    where = job["ModelArtifacts"]["S3ModelArtifacts"].rpartition("/")[2]
    return Checked(True, f"It completed after {seconds_of(job)} seconds of its machine, and has left {where}.")


def model_is_made(view: StudentView) -> Checked:
    model = model_of(view)
    if model is None:
        return Checked(False, f"There is no model with the name {name_of(view)} yet.")
    source = (model.get("PrimaryContainer") or {}).get("ModelDataUrl", "")
    if source != view.resources["training"]["artifacts"]:
        return Checked(False, f"The model {name_of(view)} is made of {source or 'nothing'}, and not of the job's file.")
    return Checked(True, "The model names an image, a file and a role. It costs nothing, and answers nobody yet.")


def is_in_service(view: StudentView) -> Checked:
    endpoint = endpoint_of(view)
    if endpoint is None:
        return Checked(False, f"There is no endpoint with the name {name_of(view)} yet.")
    status = endpoint["EndpointStatus"]
    if status == "Failed":
        return Checked(False, f"The endpoint failed: {endpoint.get('FailureReason') or 'AWS gives no reason'}.")
    if status != "InService":
        return Checked(False, f"The endpoint is {status}. It needs five to eight minutes.")
    return Checked(True, "It is in service. From now on it costs by the second, asked or not.")


def answers_are_kept(view: StudentView) -> Checked:
    page = view.client("s3").list_objects_v2(Bucket=view.resources["bucket"]["name"], Prefix=ANSWERS)
    if not page.get("Contents"):
        return Checked(False, f"The bucket has no {ANSWERS} yet.")
    said = text_of(view, ANSWERS).strip()
    if view.mode == "practice":
        return Checked(True, f"{ANSWERS} is there. In practice mode no model runs: it holds a sentence, not numbers.")
    try:
        scores = [float(score) for score in said.replace("\n", ",").split(",") if score.strip()]
    except ValueError:
        return Checked(False, f"{ANSWERS} does not hold numbers, but {said[:60]!r}. Ask again.")
    if len(scores) != ASKED:
        return Checked(False, f"{ANSWERS} has {len(scores)} scores for {ASKED} payments. Ask again.")
    return Checked(True, f"{sum(score > 0.5 for score in scores)} of {ASKED} payments look like fraud.")


def all_is_deleted(view: StudentView) -> Checked:
    if not answers_are_kept(view).passed:
        return Checked(False, "First ask the endpoint and keep its answers (step 4).")
    sagemaker = view.client("sagemaker")
    if (endpoint := endpoint_of(view)) is not None:
        if endpoint["EndpointStatus"] == "Deleting":
            return Checked(False, "The endpoint is being deleted. Check again in a moment.")
        return Checked(False, f"The endpoint is {endpoint['EndpointStatus']}, and costs. Delete it first.")
    if described(sagemaker.describe_endpoint_config, EndpointConfigName=name_of(view)) is not None:
        return Checked(False, "The endpoint is gone; its configuration is still there.")
    if model_of(view) is not None:
        return Checked(False, "Endpoint and configuration are gone; the model is still there.")
    return Checked(True, "All three are gone, and nothing costs any more. Only the file in the bucket is left of it.")


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def play_model(view: StudentView) -> None:
    sagemaker = view.client("sagemaker")
    container = {
        "Image": image_of(sagemaker, {"algorithm": "xgboost"}),
        "ModelDataUrl": view.resources["training"]["artifacts"],
    }
    sagemaker.create_model(
        ModelName=name_of(view),
        ExecutionRoleArn=view.resources["role"]["arn"],
        PrimaryContainer=container,
        Tags=tags_of(view),
    )


def play_endpoint(view: StudentView) -> None:
    if endpoint_of(view) is not None:
        return
    sagemaker, name = view.client("sagemaker"), name_of(view)
    variant = {"VariantName": VARIANT, "ModelName": name, "InstanceType": MACHINE, "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant], Tags=tags_of(view))
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name, Tags=tags_of(view))


def play_ask(view: StudentView) -> None:
    lines = training_tables()[1].splitlines()[:ASKED]
    payments = "\n".join(line.partition(",")[2] for line in lines)
    answer = view.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=name_of(view), ContentType="text/csv", Body=payments.encode()
    )
    put_file(view, ANSWERS, answer["Body"].read().decode())


def play_delete(view: StudentView) -> None:
    sagemaker, name = view.client("sagemaker"), name_of(view)
    if endpoint_of(view) is not None:
        sagemaker.delete_endpoint(EndpointName=name)
    if described(sagemaker.describe_endpoint_config, EndpointConfigName=name) is not None:
        sagemaker.delete_endpoint_config(EndpointConfigName=name)
    if model_of(view) is not None:
        sagemaker.delete_model(ModelName=name)


# --- the words -----------------------------------------------------------------------------------------------

TRAINED = """
The portal has made a bucket with the two tables, a role, and a training job. When the job has ended, you go on. Press
**Get temporary credentials** and paste them into your terminal (on Windows: Git Bash or WSL).

```bash
aws sagemaker describe-training-job --training-job-name {training.name} \\
  --query '[TrainingJobStatus,ModelArtifacts.S3ModelArtifacts]'
aws s3 ls s3://{bucket.name}/models/ --recursive
```

```text
tables -> training job -> model.tar.gz -> model -> endpoint configuration -> endpoint -> answers
          (ended)          (a file)       (free)   (free)                    (costs)
```
"""

MODEL = """
A *model* of SageMaker is no file: it is a note that says which image runs, with which file, under which role. All names
in this lab begin with `{lab.prefix}`.

```bash
IMAGE=$(aws sagemaker describe-training-job --training-job-name {training.name} \\
  --query AlgorithmSpecification.TrainingImage --output text)
aws sagemaker create-model --model-name {lab.prefix}fraud --execution-role-arn {role.arn} \\
  --primary-container Image=$IMAGE,ModelDataUrl={training.artifacts} \\
  --tags Key=student,Value={lab.student} Key=lab,Value={lab.tag}
```

The image that trained also answers. With your own algorithm these are often two.
"""

SERVE = """
The configuration says which machine; the endpoint is the machine. **Here the meter starts.**

```bash
aws sagemaker create-endpoint-config --endpoint-config-name {lab.prefix}fraud --production-variants \\
  VariantName=AllTraffic,ModelName={lab.prefix}fraud,InstanceType=ml.m5.large,InitialInstanceCount=1 \\
  --tags Key=student,Value={lab.student} Key=lab,Value={lab.tag}
aws sagemaker create-endpoint --endpoint-name {lab.prefix}fraud --endpoint-config-name {lab.prefix}fraud \\
  --tags Key=student,Value={lab.student} Key=lab,Value={lab.tag}
while aws sagemaker describe-endpoint --endpoint-name {lab.prefix}fraud --query EndpointStatus | grep Creating; do
  sleep 5
done
```

Nobody has asked it anything yet. What does an hour cost? What does a year?
"""

ASK = """
The test table has the label in its first column. The model must not see it: cut it off. Twenty payments, one call:

```bash
aws s3 cp s3://{bucket.name}/processed/fraud/test/test.csv test.csv
head -20 test.csv | cut -d, -f2- > payments.csv
aws sagemaker-runtime invoke-endpoint --endpoint-name {lab.prefix}fraud --content-type text/csv \\
  --body fileb://payments.csv answers.csv
cat answers.csv; echo
head -20 test.csv | cut -d, -f1 | tr '\\n' ' '; echo
aws s3 cp answers.csv s3://{bucket.name}/monitoring/date=2025-10-04/answers.csv
```

The second line has the true labels. Preparing data here in another way than in training is the most frequent mistake of
this step: an *inference pipeline* puts the preparation into a container before the model, in the same endpoint.
"""

DELETE = """
Backwards: first what costs, then what it was made of. Do it by hand once, to know what the portal does for you.

```bash
aws sagemaker delete-endpoint --endpoint-name {lab.prefix}fraud
aws sagemaker delete-endpoint-config --endpoint-config-name {lab.prefix}fraud
aws sagemaker delete-model --model-name {lab.prefix}fraud
aws sagemaker list-endpoints --name-contains {lab.prefix} --query 'Endpoints[].[EndpointName,EndpointStatus]'
```

An endpoint says *Deleting* for a moment. What would happen if only the model were deleted?
"""

FINISH = """
Press **Finish lab**. The model file and the answers are copied to your locker, then role and bucket are deleted. If
something of step 5 is still there, it goes too.
"""

LAB = Lab(
    slug="sagemaker-pipeline-inference",
    title="From training to answers, and back to nothing",
    summary="The portal trains; you make model, configuration and endpoint, ask it, and delete all three in the right "
    "order.",
    theme="Model development with SageMaker",
    minutes=55,
    hours=Decimal("1.5"),
    wants=(
        Want("bucket", "s3-bucket", {"prefixes": ["models/", "monitoring/"], "objects": tables_in_base64()}),
        ROLE,
        Want(
            "training",
            "sagemaker-training-job",
            {
                "algorithm": "xgboost",
                "role_arn": "{role.arn}",
                "type": MACHINE,
                "gb": DISK_GB,
                "inputs": [
                    {
                        "channel": channel,
                        "uri": f"s3://{{bucket.name}}/{key.rpartition('/')[0]}/",
                        "content_type": "text/csv",
                    }
                    for channel, key in (("train", TRAIN), ("validation", TEST))
                ],
                "output": "s3://{bucket.name}/models/fraud",
                "hyperparameters": HYPERPARAMETERS,
                "max_runtime_seconds": LONGEST,
            },
            needs=("bucket", "role"),
        ),
    ),
    steps=(
        Step(
            "trained",
            "See what the training left",
            TRAINED,
            was_trained,
            expect="The job ends after a minute or two and has computed nothing: its file holds a sentence.",
            waits_minutes=15,
        ),
        Step("model", "Make a model of it", MODEL, model_is_made, play=play_model),
        Step(
            "endpoint", "Put the model behind an endpoint", SERVE, is_in_service, play=play_endpoint, waits_minutes=15
        ),
        Step(
            "ask",
            "Ask it about twenty payments",
            ASK,
            answers_are_kept,
            expect="No model runs here: the answer is a sentence that says so, and no number.",
            play=play_ask,
        ),
        Step("delete", "Delete what you made, backwards", DELETE, all_is_deleted, play=play_delete, waits_minutes=5),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    creates=("sagemaker-endpoint", "sagemaker-endpoint-config", "sagemaker-model"),
    by_hand=(
        Want("model", "sagemaker-model", {}),
        Want("config", "sagemaker-endpoint-config", {"type": MACHINE}, needs=("model",)),
        Want("endpoint", "sagemaker-endpoint", {}, needs=("config",)),
    ),
    saves=(("bucket", "models/"), ("bucket", "monitoring/")),
    kept=gettext_noop(
        "Nothing stays: endpoint, configuration, model, role and bucket are deleted. What lies under models/ and "
        "monitoring/ is copied to your locker first."
    ),
    calls_usd=Decimal("0.01"),
    calls_note=gettext_noop(
        "The rate holds while the job trains and the endpoint serves at once, which they do not: a whole lab is "
        "about $0.08. $0.01 of that sum is for the calls."
    ),
)
