"""Lab: a model behind a SageMaker endpoint, its metric, and its end."""

import base64
import gzip
import io
import tarfile
from decimal import Decimal
from functools import cache
from pathlib import Path

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.looking import counted, files_under, put_file, text_of
from labs.kinds.base import Want
from labs.kinds.sagemaker_endpoint_config import VARIANT

# XGBoost 1.7.6, 8 trees of depth 3, trained on the payments before 12 September of the course's card-payments.csv; it
# takes the columns of week 4's train.csv. Kept as text, so that it can be read; the endpoint gets it as model.tar.gz.
MODEL = Path(__file__).with_name("fraud_model.json")
MODEL_KEY = "models/fraud/model.tar.gz"
SUSPICIOUS, USUAL = "402.10,55,0,18,0,0,0,1,0", "18.40,2880,0,12,0,0,1,0,0"
CALLS = 5

SERVES_A_MODEL = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::{bucket.name}/models/*"},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::{bucket.name}"},
        {
            "Effect": "Allow",
            "Action": [
                "ecr:GetAuthorizationToken",
                "ecr:BatchCheckLayerAvailability",
                "ecr:GetDownloadUrlForLayer",
                "ecr:BatchGetImage",
                "cloudwatch:PutMetricData",
            ],
            "Resource": "*",
        },
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
            "Resource": "arn:aws:logs:*:*:log-group:/aws/sagemaker/*",
        },
    ],
}


@cache
def model_tar() -> bytes:
    """The model as SageMaker wants it, the same bytes every time."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
        entry = tarfile.TarInfo("model.json")
        entry.size = MODEL.stat().st_size
        tar.addfile(entry, io.BytesIO(MODEL.read_bytes()))
    return packed.getvalue()


# --- the checks ----------------------------------------------------------------------------------------------


def endpoint(view: StudentView) -> dict:
    return view.client("sagemaker").describe_endpoint(EndpointName=view.resources["endpoint"]["name"])


def is_in_service(view: StudentView) -> Checked:
    found = endpoint(view)
    if found["EndpointStatus"] != "InService":
        return Checked(False, f"The endpoint is {found['EndpointStatus']}. It needs five to eight minutes.")
    sagemaker = view.client("sagemaker")
    config = sagemaker.describe_endpoint_config(EndpointConfigName=found["EndpointConfigName"])
    variant = config["ProductionVariants"][0]
    count = found["ProductionVariants"][0].get("CurrentInstanceCount", 0)
    return Checked(True, f"{count} x {variant['InstanceType']} is in service, and costs whether you call it or not.")


def calls_counted(view: StudentView) -> int:
    """Calls since the endpoint was made, as CloudWatch has counted them."""
    since, name = endpoint(view)["CreationTime"], view.resources["endpoint"]["name"]
    return counted(view, "AWS/SageMaker Invocations", since, EndpointName=name, VariantName=VARIANT)


def was_asked(view: StudentView) -> Checked:
    calls = calls_counted(view)
    if not calls:
        return Checked(
            False, "AWS has counted no call yet. It shows a call one or two minutes later; then check again."
        )
    return Checked(True, f"AWS has counted {calls} call{'s' if calls > 1 else ''}.")


def answer_is_kept(view: StudentView) -> Checked:
    there = files_under(view, "monitoring/")
    if not there:
        return Checked(False, "The bucket has no file under monitoring/ yet. Copy answer.txt there.")
    newest = max(there, key=lambda each: each["LastModified"])
    said = text_of(view, newest["Key"]).strip().splitlines()
    try:
        score = float(said[0])
    except (IndexError, ValueError):
        return Checked(True, f"{newest['Key']} is there.")
    return Checked(True, f"{newest['Key']} is there: the model says {score:.2f}, that is {score:.0%} fraud.")


def was_asked_often(view: StudentView) -> Checked:
    calls = calls_counted(view)
    if calls < CALLS:
        return Checked(False, f"AWS has counted {calls} of {CALLS} calls. It shows them one or two minutes later.")
    return Checked(True, f"AWS has counted {calls} calls. Each hour costs the same, with {calls} calls or with none.")


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def ask(view: StudentView, payment: str) -> str:
    answer = view.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=view.resources["endpoint"]["name"], ContentType="text/csv", Body=payment.encode()
    )
    return answer["Body"].read().decode()


def play_ask(view: StudentView) -> None:
    for payment in (USUAL, SUSPICIOUS):
        ask(view, payment)


def play_keep(view: StudentView) -> None:
    put_file(view, "monitoring/date=2025-10-04/answer.txt", ask(view, SUSPICIOUS))


def play_ask_often(view: StudentView) -> None:
    for _ in range(CALLS):
        ask(view, USUAL)


# --- the words -----------------------------------------------------------------------------------------------

LOOK = """
Press **Get temporary credentials** and paste them into your terminal (on Windows: Git Bash or WSL). The portal made
three objects. Look at each:

```bash
aws sagemaker describe-endpoint --endpoint-name {endpoint.name} \\
  --query '[EndpointStatus,ProductionVariants[0].CurrentInstanceCount]'
aws sagemaker describe-endpoint-config --endpoint-config-name {config.name} \\
  --query 'ProductionVariants[0].[InstanceType,InitialInstanceCount]'
aws sagemaker describe-model --model-name {model.name} --query 'PrimaryContainer'
```

Only one of the three costs money. Which one?
"""

ASK = """
The model says how likely a card payment is fraud. It takes nine numbers: amount in USD, minutes since the last payment,
first payment (0 or 1), hour, then one 1 for the merchant type (electronics, fuel, grocery, online, travel).

First a usual payment, then a strange one:

```bash
echo '18.40,2880,0,12,0,0,1,0,0' > usual.csv
echo '402.10,55,0,18,0,0,0,1,0' > strange.csv
for payment in usual strange; do
  aws sagemaker-runtime invoke-endpoint --endpoint-name {endpoint.name} --content-type text/csv \\
    --body fileb://$payment.csv answer-$payment.txt
  cat answer-$payment.txt; echo
done
```

The usual one gets about 0.01, the strange one about 0.93.
"""

KEEP = """
Whoever runs a model keeps what it answered: later you want to know if it was right. Put an answer under `monitoring/`,
in a folder of its date.

```bash
aws s3 cp answer-strange.txt s3://{bucket.name}/monitoring/date=2025-10-04/answer.txt
```
"""

METRIC = """
Call it five times. Then read the metric *Invocations*: it is how you, and the portal, see if an endpoint is used.

```bash
for number in 1 2 3 4 5; do
  aws sagemaker-runtime invoke-endpoint --endpoint-name {endpoint.name} --content-type text/csv \\
    --body fileb://usual.csv answer.txt > /dev/null
done
aws cloudwatch get-metric-statistics --namespace AWS/SageMaker --metric-name Invocations \\
  --dimensions Name=EndpointName,Value={endpoint.name} Name=VariantName,Value=AllTraffic \\
  --start-time $(($(date +%s) - 3600)) --end-time $(($(date +%s) + 60)) \\
  --period 60 --statistics Sum --query 'Datapoints[].[Timestamp,Sum]'
```

Where nobody called, there is no zero: there is no point at all. Remember this when you write an alarm.
"""

FINISH = """
An endpoint has no stop button. As long as it exists, it costs. Press **Finish lab**, and read in which order things go:
endpoint, configuration, model, role, bucket.
"""

LAB = Lab(
    slug="sagemaker-endpoint",
    title="SageMaker endpoint",
    summary="Ask a fraud model behind an endpoint, keep its answer, read its metric, and delete it within the hour: "
    "it costs also when nobody calls.",
    theme="Model development with SageMaker",
    minutes=40,
    hours=Decimal(1),
    wants=(
        Want(
            "bucket",
            "s3-bucket",
            {"prefixes": ["monitoring/"], "objects": {MODEL_KEY: base64.b64encode(model_tar()).decode()}},
        ),
        Want(
            "role",
            "iam-role",
            {
                "trust": "sagemaker.amazonaws.com",
                "description": "Lab: an endpoint serves one model",
                "inline_policies": {"serves-a-model": SERVES_A_MODEL},
            },
            needs=("bucket",),
        ),
        Want(
            "model",
            "sagemaker-model",
            {"algorithm": "xgboost", "data_url": f"s3://{{bucket.name}}/{MODEL_KEY}", "role_arn": "{role.arn}"},
            needs=("bucket", "role"),
        ),
        # The cheapest type for endpoints whose price in the price book is AWS's own list (ml.t3 is not offered there).
        Want("config", "sagemaker-endpoint-config", {"model": "{model.name}", "type": "ml.m5.large"}, needs=("model",)),
        Want("endpoint", "sagemaker-endpoint", {"config": "{config.name}"}, needs=("config",)),
    ),
    steps=(
        Step("look", "Look at the three objects", LOOK, is_in_service),
        Step(
            "ask",
            "Ask the model about two payments",
            ASK,
            was_asked,
            expect="No model runs here: the answer is a sentence that says so, and not a number. The call is counted.",
            play=play_ask,
        ),
        Step("keep", "Keep an answer in S3", KEEP, answer_is_kept, play=play_keep),
        Step("metric", "See in CloudWatch that it is used", METRIC, was_asked_often, play=play_ask_often),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    kept=gettext_noop("Nothing stays: endpoint, configuration, model, role and bucket are deleted."),
    calls_usd=Decimal("0.01"),
    calls_note=gettext_noop("$0.01 of that sum is for the calls and their data: data costs $0.016 per GB."),
)
