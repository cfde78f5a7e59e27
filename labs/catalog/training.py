"""What the labs that train a model have in common: tables, SageMaker's role, and how a job is described and found."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from labs.catalog.base import Checked, StudentView
from labs.catalog.looking import put_file, text_of
from labs.catalog.payments import training_tables
from labs.kinds.base import Want
from labs.kinds.sagemaker_model import image_of

TRAIN, TEST = "processed/fraud/train/train.csv", "processed/fraud/test/test.csv"
COLUMNS = 10
LONGEST = 900  # seconds: what the steps ask for, and ten times what the work needs
MACHINE = "ml.m5.large"
DISK_GB = 5
HYPERPARAMETERS = {
    "objective": "binary:logistic",
    "num_round": "60",
    "max_depth": "4",
    "eta": "0.2",
    "scale_pos_weight": "11",
    "eval_metric": "aucpr",
}

WORKS_IN_ITS_BUCKET = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::{bucket.name}"},
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::{bucket.name}/*"},
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
ROLE = Want(
    "role",
    "iam-role",
    {
        "trust": "sagemaker.amazonaws.com",
        "description": "Lab: SageMaker works in one bucket",
        "inline_policies": {"works-in-its-bucket": WORKS_IN_ITS_BUCKET},
    },
    needs=("bucket",),
)

# The account of AWS that has the image depends on the region.
IMAGE = """\
case {region} in
  us-east-1) FROM=683313688378;;
  ap-southeast-1) FROM=121021644041;;
esac
IMAGE=$FROM.dkr.ecr.{region}.amazonaws.com/sagemaker-xgboost:1.7-1"""


def tables_in_base64() -> dict[str, str]:
    """{key: content} as a bucket's `objects` take it, for labs that bring their tables with them."""
    tables = zip((TRAIN, TEST), training_tables(), strict=True)
    return {key: base64.b64encode(text.encode()).decode() for key, text in tables}


def upload_tables(view: StudentView) -> None:
    for key, text in zip((TRAIN, TEST), training_tables(), strict=True):
        put_file(view, key, text)


def tables_are_right(view: StudentView) -> Checked:
    """Both tables are where the job looks for them, as the built-in XGBoost reads them."""
    there = {each["Key"] for each in _listed(view, "processed/fraud/")}
    for key, least in ((TRAIN, 300), (TEST, 50)):
        if key not in there:
            return Checked(False, f"The bucket has no {key} yet.")
        lines = text_of(view, key).splitlines()
        first = lines[0].split(",") if lines else [""]
        if first[0] not in ("0", "1"):
            return Checked(
                False, f"{key} begins with {first[0][:30]!r}. It must have no header, and the label (0 or 1) first."
            )
        if len(first) != COLUMNS or len(lines) < least:
            return Checked(
                False,
                f"{key} has {len(lines)} lines of {len(first)} columns. The course's own file has {COLUMNS} columns.",
            )
    return Checked(True, "Both tables are there: the label first, and no header.")


def _listed(view: StudentView, prefix: str) -> list[dict[str, Any]]:
    page = view.client("s3").list_objects_v2(Bucket=view.resources["bucket"]["name"], Prefix=prefix)
    return list(page.get("Contents", ()))


# --- jobs ----------------------------------------------------------------------------------------------------


def training_jobs(view: StudentView) -> list[Mapping[str, Any]]:
    """The training jobs of this lab as AWS describes them, the newest first; those of a tuning job are left out."""
    sagemaker = view.client("sagemaker")
    page = sagemaker.list_training_jobs(
        NameContains=view.prefix, SortBy="CreationTime", SortOrder="Descending", MaxResults=20
    )
    names = [line["TrainingJobName"] for line in page["TrainingJobSummaries"]]
    found = [sagemaker.describe_training_job(TrainingJobName=name) for name in names if name.startswith(view.prefix)]
    return [job for job in found if not job.get("TuningJobArn")]


def seconds_of(job: Mapping[str, Any]) -> int:
    """From the first second of its machines to the last: what AWS bills. 0 while it waits for them, or works."""
    if not job.get("TrainingStartTime") or not job.get("TrainingEndTime"):
        return 0
    return round((job["TrainingEndTime"] - job["TrainingStartTime"]).total_seconds())


def failure_of(jobs: Iterable[Mapping[str, Any]]) -> str:
    """Why the newest job failed, and what to do, as a sentence; '' when none did."""
    for job in jobs:
        if job["TrainingJobStatus"] == "Failed":
            why = str(job.get("FailureReason") or "AWS gives no reason").rstrip(".")
            return f"{job['TrainingJobName']} failed: {why}. Its name is used up: mend the cause, and take a new name."
    return ""


def asked_for(view: StudentView, name: str, **hyperparameters: Any) -> dict[str, Any]:
    """A training job as step "start" of the labs asks for it."""
    bucket = view.resources["bucket"]["name"]
    return {
        "TrainingJobName": f"{view.prefix}{name}",
        "RoleArn": view.resources["role"]["arn"],
        **definition(view),
        "HyperParameters": {**HYPERPARAMETERS, **{key: str(value) for key, value in hyperparameters.items()}},
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/models/fraud"},
        "Tags": tags_of(view),
    }


def definition(view: StudentView) -> dict[str, Any]:
    """What a training job and a tuning job's definition of one are asked alike: image, data, machine, end."""
    bucket = view.resources["bucket"]["name"]
    image = image_of(view.client("sagemaker"), {"algorithm": "xgboost"})
    return {
        "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
        "InputDataConfig": [_channel("train", bucket, TRAIN), _channel("validation", bucket, TEST)],
        "ResourceConfig": {"InstanceType": MACHINE, "InstanceCount": 1, "VolumeSizeInGB": DISK_GB},
        "StoppingCondition": {"MaxRuntimeInSeconds": LONGEST},
    }


def _channel(name: str, bucket: str, key: str) -> dict[str, Any]:
    where = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{key.rpartition('/')[0]}/"}
    return {"ChannelName": name, "ContentType": "text/csv", "DataSource": {"S3DataSource": where}}


def tags_of(view: StudentView) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in view.tags.items()]
