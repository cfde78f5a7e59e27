"""Lab: a small pipeline that brings a model from a file to where it is served, and back again."""

import json
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.functions import MODEL_1, MODEL_2
from labs.catalog.looking import text_of
from labs.kinds.base import Want
from labs.kinds.lambda_code import zip_of

SOURCE, LIVE = "source/model.zip", "live/model.json"
OLD, NEW = (json.loads(model)["version"] for model in (MODEL_1, MODEL_2))

READS_AND_WRITES_ITS_BUCKET = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["s3:GetBucketVersioning", "s3:ListBucket"],
            "Resource": "arn:aws:s3:::{bucket.name}",
        },
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"],
            "Resource": "arn:aws:s3:::{bucket.name}/*",
        },
    ],
}


def action(name: str, category: str, configuration: dict[str, str], **artifacts: str) -> dict[str, Any]:
    """An action of a stage between two places in S3. artifacts: inputArtifacts="model"."""
    return {
        "name": name,
        "actionTypeId": {"category": category, "owner": "AWS", "provider": "S3", "version": "1"},
        "configuration": configuration,
        **{side: [{"name": artifact}] for side, artifact in artifacts.items()},
    }


STAGES = [
    {
        "name": "Source",
        "actions": [
            action(
                "Model",
                "Source",
                {"S3Bucket": "{bucket.name}", "S3ObjectKey": SOURCE, "PollForSourceChanges": "false"},
                outputArtifacts="model",
            )
        ],
    },
    {
        "name": "Deploy",
        "actions": [
            action(
                "Live",
                "Deploy",
                {"BucketName": "{bucket.name}", "Extract": "true", "ObjectKey": "live"},
                inputArtifacts="model",
            )
        ],
    },
]


# --- the checks ----------------------------------------------------------------------------------------------


def has_two_stages(view: StudentView) -> Checked:
    name = view.resources["pipeline"]["name"]
    pipeline = view.client("codepipeline").get_pipeline(name=name)["pipeline"]
    stages = " then ".join(stage["name"] for stage in pipeline["stages"])
    return Checked(True, f"{stages}, of the type {pipeline.get('pipelineType', 'V1')}: it costs while an action runs.")


def last_run(view: StudentView) -> dict[str, Any] | None:
    name = view.resources["pipeline"]["name"]
    runs = view.client("codepipeline").list_pipeline_executions(pipelineName=name)["pipelineExecutionSummaries"]
    return runs[0] if runs else None


def version_at(view: StudentView, key: str) -> str:
    """Which model lies there: its version; '' for none, or one that cannot be read."""
    try:
        return str(json.loads(text_of(view, key))["version"])
    except (view.client("s3").exceptions.NoSuchKey, ValueError, KeyError, TypeError):
        return ""


def is_live(view: StudentView, wanted: str) -> Checked:
    """Whether that version of the model was brought live by the pipeline."""
    run, live = last_run(view), version_at(view, LIVE)
    status = run["status"] if run else "missing"
    if status == "InProgress":
        return Checked(False, "The pipeline runs. Wait until it has Succeeded; on AWS that takes a minute.")
    if status != "Succeeded":
        why = f": {run['statusSummary']}" if run and run.get("statusSummary") else ""
        return Checked(False, f"The last run is {status}{why}. Upload {SOURCE}, and start the pipeline.")
    if live != wanted:
        return Checked(False, f"{LIVE} is the model {live or 'that cannot be read'}, and not {wanted} yet.")
    return Checked(True, f"{LIVE} is the model {wanted}, brought there by the pipeline.")


def first_is_live(view: StudentView) -> Checked:
    return is_live(view, OLD)


def second_is_live(view: StudentView) -> Checked:
    return is_live(view, NEW)


def first_is_live_again(view: StudentView) -> Checked:
    found = sources(view)
    if len(found) < 3:
        return Checked(False, f"{SOURCE} has {len(found)} version(s). To go back, copy the first one over it.")
    return is_live(view, OLD)


def sources(view: StudentView) -> list[dict[str, Any]]:
    """The versions of the source, the newest first."""
    page = view.client("s3").list_object_versions(Bucket=view.resources["bucket"]["name"], Prefix=SOURCE)
    return page.get("Versions", [])


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def deliver(view: StudentView, model: str) -> None:
    body = zip_of({"model.json": model})
    view.client("s3").put_object(Bucket=view.resources["bucket"]["name"], Key=SOURCE, Body=body)
    start(view)


def start(view: StudentView) -> None:
    view.client("codepipeline").start_pipeline_execution(name=view.resources["pipeline"]["name"])


def play_first(view: StudentView) -> None:
    deliver(view, MODEL_1)


def play_second(view: StudentView) -> None:
    deliver(view, MODEL_2)


def play_back(view: StudentView) -> None:
    bucket = view.resources["bucket"]["name"]
    source = {"Bucket": bucket, "Key": SOURCE, "VersionId": sources(view)[-1]["VersionId"]}
    view.client("s3").copy_object(Bucket=bucket, Key=SOURCE, CopySource=source)
    start(view)


# --- the words -----------------------------------------------------------------------------------------------

LOOK = """
A pipeline does the same steps in the same order each time, also on a Friday evening. The portal made one with two
stages: *Source* takes a zip from S3, *Deploy* unpacks it to where a service would read its model. Press **Get temporary
credentials** and paste them into your terminal (on Windows: Git Bash or WSL).

```bash
aws codepipeline get-pipeline --name {pipeline.name} \\
  --query 'pipeline.[pipelineType,stages[].actions[].[name,actionTypeId.provider,configuration]]'
```

A pipeline runs once by itself when it is made. That run has failed: there was no zip yet. Nothing is broken.

A pipeline of type V2 costs $0.002 for each minute that an action runs. One of type V1 costs $1 a month from its second
month on, in each month in which something changes in it.
"""

FIRST = f"""
Pack a model, put it where the pipeline looks, and start it.

```bash
cat > model.json <<'END'
{MODEL_1}END
python3 -m zipfile -c model.zip model.json
aws s3 cp model.zip s3://{{bucket.name}}/{SOURCE}
RUN=$(aws codepipeline start-pipeline-execution --name {{pipeline.name}} --query pipelineExecutionId --output text)
aws codepipeline get-pipeline-execution --pipeline-name {{pipeline.name}} --pipeline-execution-id $RUN \\
  --query 'pipelineExecution.[status,statusSummary]'
```

When its status is `Succeeded` (repeat the last command), the model is live:

```bash
aws s3 cp s3://{{bucket.name}}/{LIVE} - || echo "Not yet: wait until the run has Succeeded."
```
"""

SECOND = f"""
A new model is a new zip, and the same way. Nobody copies anything by hand to `live/`.

```bash
cat > model.json <<'END'
{MODEL_2}END
python3 -m zipfile -c model.zip model.json
aws s3 cp model.zip s3://{{bucket.name}}/{SOURCE}
aws codepipeline start-pipeline-execution --name {{pipeline.name}}
```

Most pipelines begin by themselves when a file arrives, and have a third stage between the two: a test, or a person who
says yes. A pipeline that deploys everything that arrives, without a test, makes mistakes quickly.
"""

BACK = f"""
The new model is worse than it looked. Go back, by the same way: the bucket keeps every version of the zip. The list
shows the newest first, so the last one is the first that you uploaded.

```bash
FIRST=$(aws s3api list-object-versions --bucket {{bucket.name}} --prefix {SOURCE} \\
  --query 'Versions[-1].VersionId' --output text)
aws s3api copy-object --bucket {{bucket.name}} --key {SOURCE} \\
  --copy-source "{{bucket.name}}/{SOURCE}?versionId=$FIRST" --query CopyObjectResult.ETag
aws codepipeline start-pipeline-execution --name {{pipeline.name}}
```

How long did it take, from the decision to the old model? Write it down: it is the number that counts on a bad day.
"""

FINISH = """
Press **Finish lab**. A run that is still on is stopped first, or it would deploy what nobody wants any more. Then the
pipeline goes, its role, and the bucket with all versions.
"""

LAB = Lab(
    slug="codepipeline-first",
    title="CodePipeline: a model goes live, and back",
    summary="Put a model into S3, let a pipeline bring it live, replace it, and go back to the first by the same way.",
    theme="Optional lectures",
    minutes=35,
    hours=Decimal(2),
    wants=(
        Want("bucket", "s3-bucket", {"versioning": True, "prefixes": ["source/", "live/"]}),
        Want(
            "role",
            "iam-role",
            {
                "trust": "codepipeline.amazonaws.com",
                "description": "Lab: a pipeline works in one bucket",
                "inline_policies": {"works-in-its-bucket": READS_AND_WRITES_ITS_BUCKET},
            },
            needs=("bucket",),
        ),
        Want(
            "pipeline",
            "codepipeline-pipeline",
            {"role_arn": "{role.arn}", "bucket": "{bucket.name}", "stages": STAGES, "type": "V2"},
            needs=("bucket", "role"),
        ),
    ),
    steps=(
        Step("look", "Look at the pipeline", LOOK, has_two_stages),
        Step("first", "Bring a model live", FIRST, first_is_live, play=play_first),
        Step("second", "Replace it", SECOND, second_is_live, play=play_second),
        Step("back", "Go back", BACK, first_is_live_again, play=play_back),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    kept=gettext_noop("Nothing stays: pipeline, role and bucket are deleted, with every version of the model."),
    calls_usd=Decimal("0.05"),
    calls_note=gettext_noop("$0.05 of that sum is for the runs: each minute of an action is $0.002."),
)
