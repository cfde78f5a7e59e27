"""Lab: a state machine trains, decides by a number, and scores; first rehearsed without any machine."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.looking import files_under
from labs.catalog.training import (
    DISK_GB,
    HYPERPARAMETERS,
    IMAGE,
    LONGEST,
    MACHINE,
    ROLE,
    TEST,
    TRAIN,
    tables_in_base64,
    tags_of,
)
from labs.kinds.aws_words import lower_tag_list
from labs.kinds.base import Want
from labs.kinds.sagemaker_model import image_of

OWN_NAME = "States.Format('{}{}', $.prefix, $$.Execution.Name)"
ENOUGH = 0.6
# What the course's file train-then-infer.json holds.
DEFINITION: dict[str, Any] = {
    "Comment": "Train, decide by a number, then score. With $.measured in the input it is rehearsed without a machine.",
    "StartAt": "Rehearsal?",
    "States": {
        "Rehearsal?": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.measured", "IsPresent": True, "Next": "Good enough?"}],
            "Default": "Train",
        },
        "Train": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync",
            "Parameters": {
                "TrainingJobName.$": OWN_NAME,
                "RoleArn.$": "$.role",
                "AlgorithmSpecification": {"TrainingImage.$": "$.image", "TrainingInputMode": "File"},
                "InputDataConfig": [
                    {
                        "ChannelName": channel,
                        "ContentType": "text/csv",
                        "DataSource": {
                            "S3DataSource": {
                                "S3DataType": "S3Prefix",
                                "S3DataDistributionType": "FullyReplicated",
                                "S3Uri.$": f"$.{where}",
                            }
                        },
                    }
                    for channel, where in (("train", "train"), ("validation", "test"))
                ],
                "OutputDataConfig": {"S3OutputPath.$": "$.models"},
                "HyperParameters": HYPERPARAMETERS,
                "ResourceConfig": {"InstanceType": MACHINE, "InstanceCount": 1, "VolumeSizeInGB": DISK_GB},
                "StoppingCondition": {"MaxRuntimeInSeconds": LONGEST},
            },
            "ResultPath": "$.training",
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.trouble", "Next": "Training failed"}],
            "Next": "Measured?",
        },
        "Measured?": {
            "Comment": "Practice mode measures nothing: there the way leads past the decision.",
            "Type": "Choice",
            "Choices": [{"Variable": "$.training.FinalMetricDataList[0]", "IsPresent": True, "Next": "Read the score"}],
            "Default": "Model",
        },
        "Read the score": {
            "Type": "Pass",
            "Parameters": {
                "values.$": "$.training.FinalMetricDataList[?(@.MetricName=='validation:aucpr')].Value",
            },
            "ResultPath": "$.scores",
            "Next": "Take the score",
        },
        "Take the score": {
            "Type": "Pass",
            "InputPath": "$.scores.values[0]",
            "ResultPath": "$.measured",
            "Next": "Good enough?",
        },
        "Good enough?": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.measured", "NumericGreaterThanEqualsPath": "$.least", "Next": "Real?"}],
            "Default": "Not good enough",
        },
        "Real?": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.training", "IsPresent": True, "Next": "Model"}],
            "Default": "Done",
        },
        "Model": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sagemaker:createModel",
            "Parameters": {
                "ModelName.$": OWN_NAME,
                "ExecutionRoleArn.$": "$.role",
                "PrimaryContainer": {
                    "Image.$": "$.image",
                    "ModelDataUrl.$": "$.training.ModelArtifacts.S3ModelArtifacts",
                },
            },
            "ResultPath": "$.model",
            "Next": "Score",
        },
        "Score": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sagemaker:createTransformJob.sync",
            "Parameters": {
                "TransformJobName.$": OWN_NAME,
                "ModelName.$": OWN_NAME,
                "TransformInput": {
                    "ContentType": "text/csv",
                    "SplitType": "Line",
                    "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri.$": "$.test"}},
                },
                "DataProcessing": {"InputFilter": "$[1:]"},
                "TransformOutput": {"S3OutputPath.$": "$.answers", "AssembleWith": "Line"},
                "TransformResources": {"InstanceType": MACHINE, "InstanceCount": 1},
            },
            "ResultPath": "$.scoring",
            "Next": "Done",
        },
        "Training failed": {"Type": "Fail", "Error": "TrainingFailed", "Cause": "Look at the record of the job."},
        "Not good enough": {"Type": "Fail", "Error": "NotGoodEnough", "Cause": "The score is under the least one."},
        "Done": {"Type": "Succeed"},
    },
}

STARTS_JOBS = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "sagemaker:CreateTrainingJob",
                "sagemaker:CreateModel",
                "sagemaker:CreateTransformJob",
                "sagemaker:DescribeTrainingJob",
                "sagemaker:DescribeTransformJob",
                "sagemaker:StopTrainingJob",
                "sagemaker:StopTransformJob",
                "sagemaker:AddTags",
            ],
            # In a real account the role's boundary leaves of these the names of this lab.
            "Resource": "*",
        },
        {
            "Effect": "Allow",
            "Action": "iam:PassRole",
            "Resource": "{role.arn}",
            "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        },
        # How Step Functions learns that a job has ended.
        {
            "Effect": "Allow",
            "Action": ["events:PutTargets", "events:PutRule", "events:DescribeRule"],
            "Resource": "arn:aws:events:*:*:rule/StepFunctionsGetEventsForSageMaker*",
        },
    ],
}


# --- the checks ----------------------------------------------------------------------------------------------


def machine_of(view: StudentView) -> Mapping[str, Any] | None:
    """The newest state machine of this lab as AWS describes it; None when there is none yet."""
    states = view.client("stepfunctions")
    found = [
        line
        for page in states.get_paginator("list_state_machines").paginate()
        for line in page["stateMachines"]
        if line["name"].startswith(view.prefix)
    ]
    if not found:
        return None
    newest = max(found, key=lambda line: line["creationDate"])
    return states.describe_state_machine(stateMachineArn=newest["stateMachineArn"])


def executions_of(view: StudentView, machine: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Its last twenty executions, as AWS describes each, the newest first."""
    states = view.client("stepfunctions")
    page = states.list_executions(stateMachineArn=machine["stateMachineArn"], maxResults=20)
    return [states.describe_execution(executionArn=line["executionArn"]) for line in page["executions"]]


def given_to(execution: Mapping[str, Any]) -> Mapping[str, Any]:
    given = json.loads(execution.get("input") or "{}")
    return given if isinstance(given, dict) else {}


def machine_is_made(view: StudentView) -> Checked:
    machine = machine_of(view)
    if machine is None:
        return Checked(False, f"There is no state machine yet whose name begins with {view.prefix}.")
    states = json.loads(machine["definition"])["States"]
    tasks = {name: state for name, state in states.items() if state["Type"] == "Task"}
    training = [state for state in tasks.values() if state["Resource"].endswith("sagemaker:createTrainingJob.sync")]
    if not training:
        return Checked(False, f"{machine['name']} has no state that trains and waits (createTrainingJob.sync).")
    longest = training[0]["Parameters"].get("StoppingCondition", {}).get("MaxRuntimeInSeconds")
    if not isinstance(longest, int) or longest > LONGEST:
        return Checked(False, f"The training in {machine['name']} must end after {LONGEST} seconds or less.")
    if not any(state["Type"] == "Choice" for state in states.values()):
        return Checked(False, f"{machine['name']} decides nothing: it has no Choice.")
    return Checked(True, f"{machine['name']} has {len(states)} states; {len(tasks)} of them do something. None runs.")


def was_rehearsed(view: StudentView) -> Checked:
    machine = machine_of(view)
    if machine is None:
        return Checked(False, "There is no state machine of this lab (step 1).")
    runs = [each for each in executions_of(view, machine) if "measured" in given_to(each)]
    bad = [each for each in runs if each["status"] == "FAILED" and each.get("error") == "NotGoodEnough"]
    good = [each for each in runs if each["status"] == "SUCCEEDED"]
    if not runs:
        return Checked(False, "No execution with a number of your own (measured) yet.")
    if not bad:
        return Checked(False, "No rehearsal ended as NotGoodEnough yet. Give a number under the least one.")
    if not good:
        return Checked(False, "No rehearsal went through yet. Give a number above the least one.")
    return Checked(True, f"{bad[0]['name']} was turned away, {good[0]['name']} went through, and no machine started.")


def real_runs(view: StudentView) -> list[Mapping[str, Any]]:
    machine = machine_of(view)
    runs = executions_of(view, machine) if machine else []
    return [each for each in runs if "measured" not in given_to(each)]


def was_run(view: StudentView) -> Checked:
    runs = real_runs(view)
    if not runs:
        return Checked(False, "No execution that really trains yet: start one without a number of your own.")
    run = runs[0]
    if run["status"] in ("FAILED", "TIMED_OUT", "ABORTED"):
        why = str(run.get("cause") or run.get("error") or "no reason given")[:300].rstrip(".")
        return Checked(False, f"{run['name']} is {run['status']}: {why}. Mend it, and start again with another name.")
    return Checked(True, f"{run['name']} is {run['status']}. Your laptop may be closed now: AWS keeps the order.")


def has_answers(view: StudentView) -> Checked:
    runs = real_runs(view)
    if not runs:
        return Checked(False, "No execution that really trains yet (step 3).")
    run = runs[0]
    if run["status"] == "RUNNING":
        return Checked(False, f"{run['name']} still runs: about eight minutes on AWS, about four in practice mode.")
    if run["status"] != "SUCCEEDED":
        return was_run(view)
    answers = [each["Key"] for each in files_under(view, "answers/")]
    if not answers:
        return Checked(False, f"{run['name']} succeeded, but there is no file under answers/. Was it your machine?")
    measured = json.loads(run["output"]).get("measured")
    if measured is None:
        told = "In practice mode nothing was measured, so the way led past the decision"
    else:
        told = f"The score was {measured:.2f}"
    return Checked(True, f"{told}. {answers[0]} is there.")


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def play_machine(view: StudentView) -> None:
    view.client("stepfunctions").create_state_machine(
        name=f"{view.prefix}train",
        definition=json.dumps(DEFINITION),
        roleArn=view.resources["states"]["arn"],
        tags=lower_tag_list({tag["Key"]: tag["Value"] for tag in tags_of(view)}),
    )


def start(view: StudentView, name: str, given: Mapping[str, Any]) -> None:
    machine = machine_of(view) or {}
    view.client("stepfunctions").start_execution(
        stateMachineArn=machine["stateMachineArn"], name=name, input=json.dumps(given)
    )


def play_rehearsals(view: StudentView) -> None:
    if machine_of(view) and not was_rehearsed(view).said.startswith("No execution"):
        return
    start(view, "rehearsal-bad", {"measured": 0.4, "least": ENOUGH})
    start(view, "rehearsal-good", {"measured": 0.7, "least": ENOUGH})


def play_run(view: StudentView) -> None:
    bucket = view.resources["bucket"]["name"]
    folder = {key: f"s3://{bucket}/{key.rpartition('/')[0]}/" for key in (TRAIN, TEST)}
    given = {
        "prefix": view.prefix,
        "image": image_of(view.client("sagemaker"), {"algorithm": "xgboost"}),
        "role": view.resources["role"]["arn"],
        "train": folder[TRAIN],
        "test": folder[TEST],
        "models": f"s3://{bucket}/models",
        "answers": f"s3://{bucket}/answers",
        "least": ENOUGH,
    }
    start(view, "run-1", given)


def play_wait(view: StudentView) -> None:
    """Nothing is to be done: the machine goes on by itself."""


# --- the words -----------------------------------------------------------------------------------------------

MAKE = """
Three jobs in a row: train, make a model, score a file. Between them stands a decision. Download `train-then-infer.json`
from this week's material and read it. Which state costs money? Which one waits?

Press **Get temporary credentials** and paste them into your terminal (on Windows: Git Bash or WSL). Every name in this
lab begins with `{lab.prefix}`.

```bash
aws stepfunctions create-state-machine --name {lab.prefix}train --role-arn {states.arn} \\
  --definition file://train-then-infer.json \\
  --tags key=student,value={lab.student} key=lab,value={lab.tag}
```

The definition is checked at this moment: misspell a `Next`, and AWS refuses it. The machine costs nothing while it
sleeps.
"""

REHEARSE = """
A mistake in an order of jobs is expensive when each try trains first. So this machine can be rehearsed: with a number
of your own in the input (`measured`), it goes straight to the decision. No machine starts.

```bash
MACHINE=$(aws stepfunctions list-state-machines --output text \\
  --query 'stateMachines[?name==`{lab.prefix}train`].stateMachineArn')
aws stepfunctions start-execution --state-machine-arn $MACHINE --name rehearsal-bad \\
  --input '{"measured": 0.4, "least": 0.6}'
aws stepfunctions start-execution --state-machine-arn $MACHINE --name rehearsal-good \\
  --input '{"measured": 0.7, "least": 0.6}'
sleep 2
aws stepfunctions list-executions --state-machine-arn $MACHINE --query 'executions[].[name,status]'
```

Start `rehearsal-bad` again with 0.7: AWS refuses. A name is used once, so a clock that fires twice starts one training.
"""

RUN = (
    """
Now without a number: it trains. The input says where everything is, so the same machine serves next month too.

```bash
"""
    + IMAGE
    + """
cat > input.json <<JSON
{
  "prefix": "{lab.prefix}",
  "image": "$IMAGE",
  "role": "{role.arn}",
  "train": "s3://{bucket.name}/processed/fraud/train/",
  "test": "s3://{bucket.name}/processed/fraud/test/",
  "models": "s3://{bucket.name}/models",
  "answers": "s3://{bucket.name}/answers",
  "least": 0.6
}
JSON
MACHINE=$(aws stepfunctions list-state-machines --output text \\
  --query 'stateMachines[?name==`{lab.prefix}train`].stateMachineArn')
aws stepfunctions start-execution --state-machine-arn $MACHINE --name run-1 --input file://input.json
```

The training job appears among the resources of this page. Close the terminal if you like: nothing depends on it.
"""
)

ANSWERS = """
`.sync` means: the state waits until the job has ended, and gives on what AWS says of it. Look at the way that the
execution took, then at the answers.

```bash
MACHINE=$(aws stepfunctions list-state-machines --output text \\
  --query 'stateMachines[?name==`{lab.prefix}train`].stateMachineArn')
RUN=$(aws stepfunctions list-executions --state-machine-arn $MACHINE --output text \\
  --query 'executions[?name==`run-1`].executionArn')
while aws stepfunctions describe-execution --execution-arn $RUN --query status | grep RUNNING; do
  sleep 5
done
aws stepfunctions get-execution-history --execution-arn $RUN --output text \\
  --query 'events[?stateEnteredEventDetails].[stateEnteredEventDetails.name]'
aws s3 ls s3://{bucket.name}/answers/ --recursive
```

The scoring is a *transform job*: it reads a file, writes a file, and ends. No endpoint is left on and forgotten.
"""

FINISH = """
Press **Finish lab**. Models and answers are copied to your locker; then executions, state machine, model, roles and
bucket go. An execution that still runs is stopped first, and so is its job.
"""

LAB = Lab(
    slug="step-functions-train-infer",
    title="Train, decide, score: with Step Functions",
    summary="A state machine trains, decides by a number, and scores a file. You rehearse the decision first, without "
    "any machine.",
    theme="Orchestration with Step Functions",
    minutes=60,
    hours=Decimal(2),
    wants=(
        Want(
            "bucket",
            "s3-bucket",
            {"prefixes": ["models/", "answers/"], "objects": tables_in_base64()},
        ),
        ROLE,
        Want(
            "states",
            "iam-role",
            {
                "trust": "states.amazonaws.com",
                "description": "Lab: a state machine starts jobs and waits for them",
                "inline_policies": {"starts-jobs": STARTS_JOBS},
            },
            needs=("role",),
        ),
    ),
    steps=(
        Step("machine", "Make the state machine", MAKE, machine_is_made, play=play_machine),
        Step(
            "rehearse",
            "Rehearse the decision without a machine",
            REHEARSE,
            was_rehearsed,
            play=play_rehearsals,
            waits_minutes=1,
        ),
        Step("run", "Let it train", RUN, was_run, play=play_run),
        Step(
            "answers",
            "Read the way that it took, and its answers",
            ANSWERS,
            has_answers,
            expect="The jobs compute nothing: no score is measured, so the way leads past the decision, and the "
            "answers are a sentence.",
            play=play_wait,
            waits_minutes=25,
        ),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    creates=(
        "step-functions-execution",
        "step-functions-state-machine",
        "sagemaker-training-job",
        "sagemaker-model",
    ),
    by_hand=(Want("training", "sagemaker-training-job", {"type": MACHINE, "gb": DISK_GB}),),
    saves=(("bucket", "models/"), ("bucket", "answers/")),
    kept=gettext_noop(
        "Nothing stays: state machine, model, roles and bucket are deleted. What lies under models/ and answers/ is "
        "copied to your locker first."
    ),
    calls_usd=Decimal("0.02"),
    calls_note=gettext_noop(
        "The rate holds only while a job works: $0.02 of that sum is for training and scoring. The states of "
        "the machine are within the 4,000 free ones of a month."
    ),
)
