"""Lab: a small tuning job, four trainings and no more, and the best of them kept."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.looking import put_file, text_of
from labs.catalog.training import (
    DISK_GB,
    HYPERPARAMETERS,
    IMAGE,
    LONGEST,
    MACHINE,
    ROLE,
    definition,
    tables_are_right,
    tables_in_base64,
    tags_of,
)
from labs.kinds.base import Want

JOBS, PARALLEL = 4, 2
TABLE, BEST = "models/tuning/jobs.txt", "models/best/model.tar.gz"
METRIC = "validation:aucpr"


# --- the checks ----------------------------------------------------------------------------------------------


def tuning_job(view: StudentView) -> Mapping[str, Any] | None:
    """The newest tuning job of this lab as AWS describes it; None when there is none yet."""
    sagemaker = view.client("sagemaker")
    page = sagemaker.list_hyper_parameter_tuning_jobs(
        NameContains=view.prefix, SortBy="CreationTime", SortOrder="Descending"
    )
    names = [line["HyperParameterTuningJobName"] for line in page["HyperParameterTuningJobSummaries"]]
    own = [name for name in names if name.startswith(view.prefix)]
    return sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=own[0]) if own else None


def trainings_of(view: StudentView, tuning: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    page = view.client("sagemaker").list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=tuning["HyperParameterTuningJobName"]
    )
    return list(page["TrainingJobSummaries"])


def was_started(view: StudentView) -> Checked:
    tuning = tuning_job(view)
    if tuning is None:
        return Checked(False, f"There is no tuning job yet whose name begins with {view.prefix}.")
    name, config = tuning["HyperParameterTuningJobName"], tuning["HyperParameterTuningJobConfig"]
    limits = config["ResourceLimits"]
    jobs, parallel = int(limits.get("MaxNumberOfTrainingJobs") or 0), int(limits["MaxParallelTrainingJobs"])
    if not jobs or jobs > JOBS:
        return Checked(False, f"{name} may start {jobs or 'any number of'} trainings. Stop it, and allow {JOBS}.")
    if parallel > PARALLEL:
        return Checked(
            False, f"{name} runs {parallel} trainings at once: they cannot learn from each other. Allow {PARALLEL}."
        )
    longest = tuning["TrainingJobDefinition"]["StoppingCondition"]["MaxRuntimeInSeconds"]
    if longest > LONGEST:
        return Checked(False, f"Each training of {name} may run for {longest} seconds. {LONGEST} are enough.")
    objective = config.get("HyperParameterTuningJobObjective", {})
    if (objective.get("MetricName"), objective.get("Type")) != (METRIC, "Maximize"):
        return Checked(False, f"{name} must maximise {METRIC}, and not {objective.get('MetricName')}.")
    return Checked(
        True,
        f"{name} starts {jobs} trainings, {parallel} at once, of at most {longest} seconds each: at most "
        f"{jobs * longest // 60} minutes of one machine.",
    )


def table_is_written(view: StudentView) -> Checked:
    tuning = tuning_job(view)
    if tuning is None:
        return Checked(False, "There is no tuning job of this lab (step 2).")
    name, status = tuning["HyperParameterTuningJobName"], tuning["HyperParameterTuningJobStatus"]
    if status == "InProgress":
        return Checked(False, f"{name} still works. It needs about ten minutes on AWS.")
    if status == "Failed":
        why = str(tuning.get("FailureReason") or "AWS gives no reason").rstrip(".")
        return Checked(False, f"{name} failed: {why}. Mend the cause, and start another with a new name.")
    page = view.client("s3").list_objects_v2(Bucket=view.resources["bucket"]["name"], Prefix=TABLE)
    if not page.get("Contents"):
        return Checked(False, f"The bucket has no {TABLE} yet.")
    written = text_of(view, TABLE)
    missing = [each["TrainingJobName"] for each in trainings_of(view, tuning) if each["TrainingJobName"] not in written]
    if missing:
        return Checked(False, f"{TABLE} does not name {missing[0]}. Write it again, now that {name} is {status}.")
    count = len(trainings_of(view, tuning))
    if view.mode == "practice":
        return Checked(True, f"All {count} trainings are in it. Practice mode measured nothing: the scores are None.")
    return Checked(True, f"All {count} trainings are in it, each with its settings and its score.")


def best_is_kept(view: StudentView) -> Checked:
    tuning = tuning_job(view)
    best = (tuning or {}).get("BestTrainingJob", {}).get("TrainingJobName")
    if not best:
        return Checked(False, "AWS names no best training job yet. Wait until the tuning job has ended.")
    job = view.client("sagemaker").describe_training_job(TrainingJobName=best)
    bucket, s3 = view.resources["bucket"]["name"], view.client("s3")
    key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{bucket}/")
    page = s3.list_objects_v2(Bucket=bucket, Prefix="models/")
    marks = {each["Key"]: each["ETag"] for each in page.get("Contents", ())}
    if BEST not in marks:
        return Checked(False, f"The bucket has no {BEST} yet. Copy the model of {best} there.")
    if marks[BEST] != marks.get(key):
        return Checked(False, f"{BEST} is not the model of {best}, which is {key}.")
    if view.mode == "practice":
        return Checked(True, f"{BEST} is the model of {best}. Practice mode calls the first to complete the best.")
    return Checked(True, f"{BEST} is the model of {best}. Would a third table say the same?")


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def play_start(view: StudentView) -> None:
    bucket = view.resources["bucket"]["name"]
    fixed = {key: value for key, value in HYPERPARAMETERS.items() if key not in ("eta", "max_depth")}
    view.client("sagemaker").create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=f"{view.prefix}tune-1",
        HyperParameterTuningJobConfig={
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": METRIC},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": JOBS, "MaxParallelTrainingJobs": PARALLEL},
            "ParameterRanges": {
                "ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.05", "MaxValue": "0.4"}],
                "IntegerParameterRanges": [{"Name": "max_depth", "MinValue": "2", "MaxValue": "7"}],
            },
        },
        TrainingJobDefinition={
            "StaticHyperParameters": fixed,
            "RoleArn": view.resources["role"]["arn"],
            "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/models/tuning"},
            **definition(view),
        },
        Tags=tags_of(view),
    )


def play_table(view: StudentView) -> None:
    tuning = tuning_job(view)
    names = [each["TrainingJobName"] for each in trainings_of(view, tuning)] if tuning else []
    put_file(view, TABLE, "\n".join(names))


def play_best(view: StudentView) -> None:
    tuning = tuning_job(view) or {}
    best = tuning["BestTrainingJob"]["TrainingJobName"]
    bucket = view.resources["bucket"]["name"]
    source = {"Bucket": bucket, "Key": f"models/tuning/{best}/output/model.tar.gz"}
    view.client("s3").copy_object(Bucket=bucket, Key=BEST, CopySource=source)


# --- the words -----------------------------------------------------------------------------------------------

PRICE = """
A tuning job is many trainings. Its price is easy: number of trainings, times the price of one. Say it aloud before you
press anything: 4 x $0.006 = **$0.024**. If each ran to its longest time, it would be 4 x $0.029 = $0.12.

The portal has put the two tables into the bucket. Look at them (press **Get temporary credentials** first, and paste
them into your terminal):

```bash
aws s3 ls s3://{bucket.name}/processed/fraud/ --recursive
aws s3 cp s3://{bucket.name}/processed/fraud/train/train.csv - | head -3
```
"""

START = (
    """
Two settings are searched: `eta` (how much each tree corrects) and `max_depth`. The three limits are the important
lines: how many trainings, how many at once, how long each.

```bash
"""
    + IMAGE
    + """
cat > search.json <<JSON
{
  "Strategy": "Bayesian",
  "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:aucpr"},
  "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2},
  "ParameterRanges": {
    "ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.05", "MaxValue": "0.4"}],
    "IntegerParameterRanges": [{"Name": "max_depth", "MinValue": "2", "MaxValue": "7"}]
  }
}
JSON
cat > training.json <<JSON
{
  "StaticHyperParameters": {"objective": "binary:logistic", "num_round": "60", "scale_pos_weight": "11",
                            "eval_metric": "aucpr"},
  "AlgorithmSpecification": {"TrainingImage": "$IMAGE", "TrainingInputMode": "File"},
  "RoleArn": "{role.arn}",
  "InputDataConfig": [
    {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": {
      "S3DataType": "S3Prefix", "S3DataDistributionType": "FullyReplicated",
      "S3Uri": "s3://{bucket.name}/processed/fraud/train/"}}},
    {"ChannelName": "validation", "ContentType": "text/csv", "DataSource": {"S3DataSource": {
      "S3DataType": "S3Prefix", "S3DataDistributionType": "FullyReplicated",
      "S3Uri": "s3://{bucket.name}/processed/fraud/test/"}}}
  ],
  "OutputDataConfig": {"S3OutputPath": "s3://{bucket.name}/models/tuning"},
  "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
  "StoppingCondition": {"MaxRuntimeInSeconds": 900}
}
JSON
aws sagemaker create-hyper-parameter-tuning-job \\
  --hyper-parameter-tuning-job-name {lab.prefix}tune-1 \\
  --hyper-parameter-tuning-job-config file://search.json \\
  --training-job-definition file://training.json \\
  --tags Key=student,Value={lab.student} Key=lab,Value={lab.tag}
```

More trainings at once do not change the price. Why does this course allow only two?
"""
)

TABLE_WORDS = """
On AWS the four trainings take about ten minutes: two, then two that have learned from them. Wait for the end, and write
the table down. What is not written down was not tried.

```bash
TUNING={lab.prefix}tune-1
while aws sagemaker describe-hyper-parameter-tuning-job --hyper-parameter-tuning-job-name $TUNING \\
    --query HyperParameterTuningJobStatus | grep InProgress; do
  sleep 5
done
aws sagemaker list-training-jobs-for-hyper-parameter-tuning-job --hyper-parameter-tuning-job-name $TUNING \\
  --output text --query 'TrainingJobSummaries[].[TrainingJobName, TrainingJobStatus, TunedHyperParameters.eta,
  TunedHyperParameters.max_depth, FinalHyperParameterTuningJobObjectiveMetric.Value]' > jobs.txt
cat jobs.txt
aws s3 cp jobs.txt s3://{bucket.name}/models/tuning/jobs.txt
```

How far is the best from the second? The test table has about a dozen frauds: one lucky row changes the score.
"""

BEST_WORDS = """
Keep the model of the best training under a name of its own. What serves a model later should not have to know how the
search was called.

```bash
BEST=$(aws sagemaker describe-hyper-parameter-tuning-job --hyper-parameter-tuning-job-name {lab.prefix}tune-1 \\
  --query BestTrainingJob.TrainingJobName --output text)
echo "The best is $BEST"
aws s3 cp s3://{bucket.name}/models/tuning/$BEST/output/model.tar.gz s3://{bucket.name}/models/best/model.tar.gz
```
"""

FINISH = """
Nothing is on: the trainings have ended by themselves. Press **Finish lab**. Your models and the table are copied to
your locker, then role and bucket are deleted. A tuning job that still works is stopped with all its trainings.
"""

LAB = Lab(
    slug="sagemaker-tuning",
    title="Tune XGBoost within a limit",
    summary="Let SageMaker search two settings with four trainings, two at once. Write the table down, keep the best.",
    theme="Model development with SageMaker",
    minutes=45,
    hours=Decimal(2),
    wants=(Want("bucket", "s3-bucket", {"prefixes": ["models/"], "objects": tables_in_base64()}), ROLE),
    steps=(
        Step("price", "Say the price, and look at the tables", PRICE, tables_are_right),
        Step(
            "start",
            "Start four trainings, and no more",
            START,
            was_started,
            expect="The trainings are accepted and show their states; they compute nothing.",
            play=play_start,
        ),
        Step(
            "table",
            "Write down what was tried",
            TABLE_WORDS,
            table_is_written,
            expect="It takes about three minutes. Nothing is measured, so the last column says None.",
            play=play_table,
            waits_minutes=25,
        ),
        Step(
            "best",
            "Keep the best model",
            BEST_WORDS,
            best_is_kept,
            expect="Without scores, the first training that completed is called the best.",
            play=play_best,
        ),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    creates=("sagemaker-tuning-job",),
    by_hand=(
        Want("tuning", "sagemaker-tuning-job", {"type": MACHINE, "gb": DISK_GB, "jobs": JOBS, "parallel": PARALLEL}),
    ),
    saves=(("bucket", "models/"),),
    kept=gettext_noop(
        "Bucket and role are deleted, and what lies under models/ is copied to your locker first. The records of the "
        "jobs stay in SageMaker; they are free."
    ),
    calls_usd=Decimal("0.01"),
    calls_note=gettext_noop(
        "The rate holds only while two trainings run: all four together are about $0.03. "
        "$0.01 of that sum is for the calls to S3."
    ),
)
