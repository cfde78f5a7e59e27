"""Lab: a small EMR cluster does one step, is read, and is ended by hand; if nobody does, it ends by itself."""

import base64
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.looking import as_summary, by_merchant, files_under, put_file, summary_is_of
from labs.catalog.payments import card_payments
from labs.iam_words import EMR_SERVICE
from labs.kinds.base import Want

CODE, RAW, RESULT = "code/count_by_merchant.py", "raw/card-payments.csv", "processed/by-merchant/"
MACHINE, CORES, IDLE_MINUTES = "m5.xlarge", 1, 15

JOB = """\
import sys

from pyspark.sql import SparkSession, functions as F

source, target = sys.argv[1:3]
spark = SparkSession.builder.appName("count by merchant").getOrCreate()
payments = spark.read.csv(source, header=True, inferSchema=True)
(payments.groupBy("merchant_type")
 .agg(F.count("*").alias("payments"), F.sum("is_fraud").alias("frauds"))
 .coalesce(1).orderBy("merchant_type")
 .write.mode("overwrite").csv(target, header=True))
spark.stop()
"""

WORKS_IN_ITS_BUCKET = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::{bucket.name}"},
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
            "Resource": "arn:aws:s3:::{bucket.name}/*",
        },
    ],
}


# --- the checks ----------------------------------------------------------------------------------------------


def cluster(view: StudentView) -> Mapping[str, Any]:
    return view.client("emr").describe_cluster(ClusterId=view.resources["cluster"]["aws_id"])["Cluster"]


def is_seen(view: StudentView) -> Checked:
    emr, found = view.client("emr"), cluster(view)
    state = found["Status"]["State"]
    if state.startswith("TERMINAT"):
        return Checked(False, f"The cluster is {state}. Finish this lab, then start it again.")
    if state not in ("RUNNING", "WAITING"):
        return Checked(False, f"The cluster is {state}. It needs about seven minutes; then check again.")
    policy = emr.get_auto_termination_policy(ClusterId=found["Id"]).get("AutoTerminationPolicy", {})
    if not policy.get("IdleTimeout"):
        return Checked(False, "The cluster has no auto-termination: it would cost until somebody ends it. End it.")
    return Checked(
        True, f"It is {state} with {CORES + 1} x {MACHINE}, and ends after {policy['IdleTimeout'] // 60} idle minutes."
    )


def step_is_done(view: StudentView) -> Checked:
    steps = view.client("emr").list_steps(ClusterId=view.resources["cluster"]["aws_id"])["Steps"]
    if not steps:
        return Checked(False, "The cluster has no step.")
    state = steps[-1]["Status"]["State"]
    if state in ("PENDING", "RUNNING"):
        return Checked(False, f"The step is {state}. It needs one or two minutes.")
    if state != "COMPLETED":
        return Checked(False, f"The step is {state}. Its reason lies under logs/ in the bucket.")
    return Checked(True, f"The step {steps[-1]['Name']} is COMPLETED.")


def result_is_right(view: StudentView) -> Checked:
    written = [each["Key"] for each in files_under(view, RESULT) if each["Key"].endswith(".csv")]
    if not written:
        told = "No cluster computes in practice mode: make" if view.mode == "practice" else "Wait for the step, or make"
        return Checked(False, f"There is no .csv file under {RESULT} yet. {told} it on your computer, and upload it.")
    return summary_is_of(view, written[-1], RAW)


def is_ended(view: StudentView) -> Checked:
    found = cluster(view)
    state = found["Status"]["State"]
    if not state.startswith("TERMINAT"):
        return Checked(False, f"The cluster is {state}, and costs. End it.")
    why = str(found["Status"].get("StateChangeReason", {}).get("Message") or "")
    return Checked(True, f"The cluster is {state}. {why.rstrip('.') or 'Its machines are given back'}.")


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def play_result(view: StudentView) -> None:
    put_file(view, f"{RESULT}part-00000.csv", as_summary(by_merchant(card_payments())))


def play_end(view: StudentView) -> None:
    view.client("emr").terminate_job_flows(JobFlowIds=[view.resources["cluster"]["aws_id"]])


# --- the words -----------------------------------------------------------------------------------------------

LOOK = """
The portal started a cluster of two machines, with one step. Students do not start clusters here: AWS has no way to
limit their size. Press **Get temporary credentials** and paste them into your terminal (on Windows: Git Bash or WSL).

```bash
aws emr describe-cluster --cluster-id {cluster.aws_id} \\
  --query 'Cluster.[Name,Status.State,ReleaseLabel,AutoTerminate,Applications[].Name]'
aws emr list-instances --cluster-id {cluster.aws_id} \\
  --query 'Instances[].[InstanceType,Market,Status.State]'
aws ec2 describe-instances --filters Name=tag:lab,Values={lab.tag} \\
  --query 'Reservations[].Instances[].[InstanceId,InstanceType,State.Name]'
```

The last command shows the same machines again: EMR rents EC2 instances, and you pay for both. One m5.xlarge is $0.192
for EC2 and $0.048 for EMR an hour.
"""

STEP = """
A *step* is one job. This one counts payments and frauds of each merchant type. Read what it runs, then its state:

```bash
aws s3 cp s3://{bucket.name}/code/count_by_merchant.py -
aws emr list-steps --cluster-id {cluster.aws_id} --query 'Steps[].[Name,Status.State,Config.Args]'
```

Reading, counting and writing take seconds. Starting the cluster took seven minutes, and you paid for most of them.
"""

RESULT_WORDS = """
On AWS the cluster has written its result. Look at it (Spark writes a folder, not a file):

```sh
aws s3 ls s3://{bucket.name}/processed/by-merchant/
aws s3 cp s3://{bucket.name}/processed/by-merchant/ by-merchant --recursive
cat by-merchant/part-*.csv
```

Now the same without a cluster. How long does your own computer need?

```bash
aws s3 cp s3://{bucket.name}/raw/card-payments.csv payments.csv
time awk -F, 'NR > 1 {n[$4]++; f[$4] += $8}
  END {print "merchant_type,payments,frauds"; for (m in n) print m "," n[m] "," f[m]}' payments.csv > part-local.csv
cat part-local.csv
aws s3 cp part-local.csv s3://{bucket.name}/processed/by-merchant/part-local.csv
```

For 600 rows the cluster is absurd. From which size on is it not? (Your laptop's memory is a good first answer.)
"""

END = """
The cluster would end by itself after 15 idle minutes. You know that it is idle now: why wait?

```bash
aws emr terminate-clusters --cluster-ids {cluster.aws_id}
aws emr describe-cluster --cluster-id {cluster.aws_id} --query 'Cluster.Status.[State,StateChangeReason.Message]'
```

What was on its own disks (HDFS) is lost. What was written to S3 stays. This is why it is written to S3.
"""

FINISH = """
Press **Finish lab**. The result is copied to your locker, then profile, role and bucket go. If the cluster were still
on, it would be ended first.
"""

LAB = Lab(
    slug="emr-small",
    title="A small EMR cluster, and its end",
    summary="Two machines, one Spark step, a result in S3, and the end by your hand. By the hour the dearest lab.",
    theme="Big data with PySpark and EMR",
    minutes=40,
    hours=Decimal(1),
    wants=(
        Want(
            "bucket",
            "s3-bucket",
            {
                "prefixes": ["processed/", "logs/"],
                "objects": {
                    CODE: base64.b64encode(JOB.encode()).decode(),
                    RAW: base64.b64encode(card_payments().encode()).decode(),
                },
            },
        ),
        Want(
            "machines",
            "iam-role",
            {
                "trust": "ec2.amazonaws.com",
                "description": "Lab: the machines of a cluster work in one bucket",
                "inline_policies": {"works-in-its-bucket": WORKS_IN_ITS_BUCKET},
            },
            needs=("bucket",),
        ),
        Want("profile", "instance-profile", {"role": "{machines.name}"}, needs=("machines",)),
        Want(
            "cluster",
            "emr-cluster",
            {
                "type": MACHINE,
                "cores": CORES,
                # Made with the account: it starts machines, which no role of a lab may (docs/guardrails.md).
                "role": EMR_SERVICE,
                "profile": "{profile.name}",
                "logs": "s3://{bucket.name}/logs/",
                "idle_minutes": IDLE_MINUTES,
                "steps": [
                    {
                        "name": "count-by-merchant",
                        "args": [
                            "spark-submit",
                            f"s3://{{bucket.name}}/{CODE}",
                            f"s3://{{bucket.name}}/{RAW}",
                            f"s3://{{bucket.name}}/{RESULT}",
                        ],
                    }
                ],
            },
            needs=("bucket", "profile"),
        ),
    ),
    steps=(
        Step("look", "Look at the cluster, and at its machines", LOOK, is_seen, waits_minutes=15),
        Step(
            "step",
            "Look at its step",
            STEP,
            step_is_done,
            expect="The step is called COMPLETED after some seconds; nothing was computed.",
            waits_minutes=10,
        ),
        Step(
            "result",
            "Read the result, and do the same without a cluster",
            RESULT_WORDS,
            result_is_right,
            expect="The cluster has written nothing, so only the second half works: your computer makes the result.",
            play=play_result,
        ),
        Step("end", "End the cluster", END, is_ended, play=play_end, waits_minutes=5),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    saves=(("bucket", "processed/"),),
    kept=gettext_noop(
        "Nothing stays: cluster, profile, role and bucket are deleted. What lies under processed/ is copied to your "
        "locker first."
    ),
    calls_usd=Decimal("0.01"),
    calls_note=gettext_noop(
        "The cluster ends by itself after 15 idle minutes. $0.01 of that sum is for the calls to S3."
    ),
)
