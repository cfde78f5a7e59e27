"""Lab: the built-in XGBoost trains on the card payments, with an end set beforehand, and its record is read."""

import json
from decimal import Decimal

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.looking import put_file, text_of
from labs.catalog.training import (
    DISK_GB,
    IMAGE,
    LONGEST,
    MACHINE,
    ROLE,
    asked_for,
    failure_of,
    seconds_of,
    tables_are_right,
    training_jobs,
    upload_tables,
)
from labs.kinds.base import Want

RECORD = "models/fraud/record.json"

# --- the checks ----------------------------------------------------------------------------------------------


def was_started(view: StudentView) -> Checked:
    jobs = training_jobs(view)
    if not jobs:
        return Checked(False, f"There is no training job yet whose name begins with {view.prefix}.")
    if failed := failure_of(jobs[:1]):
        return Checked(False, failed)
    job = jobs[0]
    longest = job["StoppingCondition"]["MaxRuntimeInSeconds"]
    if longest > LONGEST:
        return Checked(
            False,
            f"{job['TrainingJobName']} may run for {longest} seconds. Stop it, and start another with {LONGEST} or "
            "less: that is what it can cost.",
        )
    machines = job["ResourceConfig"]
    return Checked(
        True,
        f"{job['TrainingJobName']} has {machines['InstanceCount']} x {machines['InstanceType']}, and AWS ends it after "
        f"{longest} seconds, whatever happens.",
    )


def record_is_kept(view: StudentView) -> Checked:
    page = view.client("s3").list_objects_v2(Bucket=view.resources["bucket"]["name"], Prefix=RECORD)
    if not page.get("Contents"):
        return Checked(False, f"The bucket has no {RECORD} yet. Write it when the job has ended.")
    try:
        record = json.loads(text_of(view, RECORD))
        name, status = record["job"], record["status"]
    except (ValueError, TypeError, KeyError):
        return Checked(False, f"{RECORD} cannot be read as JSON with a job and its status. Run the command again.")
    job = next((each for each in training_jobs(view) if each["TrainingJobName"] == name), None)
    if job is None:
        return Checked(False, f"{RECORD} tells of {str(name)[:60]}, which is no training job of this lab.")
    if status != "Completed":
        return Checked(False, f"{RECORD} tells that the job is {str(status)[:20]}. Wait until it is Completed.")
    if job["TrainingJobStatus"] != "Completed":
        return Checked(False, failure_of([job]) or f"AWS says that {name} is {job['TrainingJobStatus']}.")
    metrics = {each["MetricName"]: each["Value"] for each in job.get("FinalMetricDataList", ())}
    if "validation:aucpr" in metrics:
        told = f"validation:aucpr is {metrics['validation:aucpr']:.2f}"
    elif view.mode == "practice":
        told = "practice mode has measured nothing, and on AWS validation:aucpr would stand here"
    else:
        told = "AWS has no metric of it"
    return Checked(True, f"{name} is Completed: AWS bills {seconds_of(job)} seconds of its machine, and {told}.")


def one_was_stopped(view: StudentView) -> Checked:
    jobs = training_jobs(view)
    for job in jobs:
        by_itself = job.get("SecondaryStatus") == "MaxRuntimeExceeded"
        if job["TrainingJobStatus"] in ("Stopping", "Stopped") and not by_itself:
            return Checked(
                True, f"{job['TrainingJobName']} is {job['TrainingJobStatus']}: its machine costs no more soon."
            )
    on = [job["TrainingJobName"] for job in jobs if job["TrainingJobStatus"] == "InProgress"]
    if on:
        return Checked(False, f"{on[0]} is in progress. Stop it.")
    return Checked(False, "No training job of this lab was stopped yet. Start another one, and stop it.")


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def play_start(view: StudentView) -> None:
    view.client("sagemaker").create_training_job(**asked_for(view, "fraud-1"))


def play_record(view: StudentView) -> None:
    # Written before the job has ended: the check waits for the job, not for the one who writes.
    put_file(view, RECORD, json.dumps({"job": f"{view.prefix}fraud-1", "status": "Completed"}))


def play_stop(view: StudentView) -> None:
    sagemaker = view.client("sagemaker")
    sagemaker.create_training_job(**asked_for(view, "fraud-2", num_round=5000))
    sagemaker.stop_training_job(TrainingJobName=f"{view.prefix}fraud-2")


# --- the words -----------------------------------------------------------------------------------------------

DATA = """
Press **Get temporary credentials** and paste them into your terminal (on Windows: Git Bash or WSL). The built-in
XGBoost reads CSV **without a header**, and **the label first**. Download `train.csv` and `test.csv` from this week's
material, look at the first line, and upload both:

```bash
head -1 train.csv
aws s3 cp train.csv s3://{bucket.name}/processed/fraud/train/train.csv
aws s3 cp test.csv s3://{bucket.name}/processed/fraud/test/test.csv
```

`train.csv` has the payments before 12 September, `test.csv` the later ones. Why not a random split?
"""

START = (
    """
A training job rents a machine, works, and gives the machine back. The most important line is
`MaxRuntimeInSeconds`: without it, a job that hangs may run for a day. With 900 seconds it can cost 3 cents.

Every name in this lab begins with `{lab.prefix}`. A job's name can never be used again.

```bash
"""
    + IMAGE
    + """
cat > job.json <<JSON
{
  "TrainingJobName": "{lab.prefix}fraud-1",
  "RoleArn": "{role.arn}",
  "AlgorithmSpecification": {"TrainingImage": "$IMAGE", "TrainingInputMode": "File"},
  "InputDataConfig": [
    {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": {
      "S3DataType": "S3Prefix", "S3DataDistributionType": "FullyReplicated",
      "S3Uri": "s3://{bucket.name}/processed/fraud/train/"}}},
    {"ChannelName": "validation", "ContentType": "text/csv", "DataSource": {"S3DataSource": {
      "S3DataType": "S3Prefix", "S3DataDistributionType": "FullyReplicated",
      "S3Uri": "s3://{bucket.name}/processed/fraud/test/"}}}
  ],
  "OutputDataConfig": {"S3OutputPath": "s3://{bucket.name}/models/fraud"},
  "HyperParameters": {"objective": "binary:logistic", "num_round": "60", "max_depth": "4", "eta": "0.2",
                      "scale_pos_weight": "11", "eval_metric": "aucpr"},
  "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
  "StoppingCondition": {"MaxRuntimeInSeconds": 900},
  "Tags": [{"Key": "student", "Value": "{lab.student}"}, {"Key": "lab", "Value": "{lab.tag}"}]
}
JSON
aws sagemaker create-training-job --cli-input-json file://job.json
```

Within a minute the job stands among the resources of this page, with its price.
"""
)

READ = """
On AWS it takes about four minutes: *Starting*, *Downloading*, *Training*, *Uploading*, *Completed*. The time in
*Starting* is free. Wait for the end, then write its record. Who can answer "which data made this model?" a year later?

```bash
JOB={lab.prefix}fraud-1
while aws sagemaker describe-training-job --training-job-name $JOB --query TrainingJobStatus | grep InProgress; do
  sleep 5
done
aws sagemaker describe-training-job --training-job-name $JOB --output json --query '{job: TrainingJobName,
  status: TrainingJobStatus, began: TrainingStartTime, ended: TrainingEndTime, settings: HyperParameters,
  data: InputDataConfig[].DataSource.S3DataSource.S3Uri, model: ModelArtifacts.S3ModelArtifacts,
  metrics: FinalMetricDataList[].[MetricName, Value]}' > record.json
cat record.json
aws s3 cp record.json s3://{bucket.name}/models/fraud/record.json
```

Now calculate: seconds from `began` to `ended`, times $0.115 an hour, divided by 3,600. For three minutes it is $0.006.
"""

STOP = """
You see after a minute that a setting is wrong. Do not wait for the end: stop it. Here 5,000 rounds are far too many.

```bash
sed -e 's/fraud-1/fraud-2/' -e 's/"num_round": "60"/"num_round": "5000"/' job.json > second.json
aws sagemaker create-training-job --cli-input-json file://second.json
aws sagemaker stop-training-job --training-job-name {lab.prefix}fraud-2
aws sagemaker describe-training-job --training-job-name {lab.prefix}fraud-2 \\
  --query '[TrainingJobStatus,SecondaryStatus]'
```

AWS gives a job two minutes to save what it has. Then the machine is gone.
"""

FINISH = """
Training jobs end by themselves; their records stay in SageMaker, and are free. Press **Finish lab**: your models and
the record are copied to your locker, then role and bucket are deleted. Jobs that are still on are stopped.
"""

LAB = Lab(
    slug="sagemaker-training",
    title="Train XGBoost with SageMaker",
    summary="Start a training job whose longest time you set, read what AWS bills and what it left, and stop one that "
    "went wrong.",
    theme="Model development with SageMaker",
    minutes=50,
    hours=Decimal(2),
    wants=(Want("bucket", "s3-bucket", {"prefixes": ["processed/", "models/"]}), ROLE),
    steps=(
        Step("data", "Put the tables where the job looks for them", DATA, tables_are_right, play=upload_tables),
        Step(
            "start",
            "Start the training job, with an end",
            START,
            was_started,
            expect="The job is accepted, shows its states for one or two minutes, and computes nothing.",
            play=play_start,
        ),
        Step(
            "record",
            "Read what it cost, and write its record",
            READ,
            record_is_kept,
            expect="The record has no metrics, and model.tar.gz holds a sentence instead of a model. On AWS, "
            "validation:aucpr stands here.",
            play=play_record,
            waits_minutes=15,
        ),
        Step("stop", "Stop a job that went wrong", STOP, one_was_stopped, play=play_stop),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    creates=("sagemaker-training-job",),
    by_hand=(Want("training", "sagemaker-training-job", {"type": MACHINE, "gb": DISK_GB}),),
    saves=(("bucket", "models/"),),
    kept=gettext_noop(
        "Bucket and role are deleted, and what lies under models/ is copied to your locker first. The records of the "
        "jobs stay in SageMaker; they are free."
    ),
    calls_usd=Decimal("0.01"),
    calls_note=gettext_noop(
        "The rate holds only while a job trains: three minutes are $0.006. $0.01 of that sum is for the calls to S3."
    ),
)
