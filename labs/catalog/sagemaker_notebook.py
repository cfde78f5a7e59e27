"""Lab: a SageMaker notebook instance, its work kept in S3, and its stop."""

from decimal import Decimal

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.looking import (
    as_summary,
    by_merchant,
    data_is_in_raw,
    put_file,
    raw_payments,
    summary_is_of,
    text_of,
    upload_payments,
)
from labs.kinds.base import Want

SUMMARY = "processed/fraud-by-merchant.csv"

WORKS_IN_ITS_BUCKET = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::{bucket.name}"},
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
            "Resource": "arn:aws:s3:::{bucket.name}/*",
        },
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
            "Resource": "arn:aws:logs:*:*:log-group:/aws/sagemaker/*",
        },
    ],
}


# --- the checks ----------------------------------------------------------------------------------------------


def notebook(view: StudentView) -> dict:
    return view.client("sagemaker").describe_notebook_instance(NotebookInstanceName=view.resources["notebook"]["name"])


def is_in_service(view: StudentView) -> Checked:
    found = notebook(view)
    status = found["NotebookInstanceStatus"]
    if status != "InService":
        return Checked(
            False, f"The notebook is {status}. It opens when it is InService; that takes about five minutes."
        )
    return Checked(True, f"It is in service: {found['InstanceType']} with a disk of {found['VolumeSizeInGB']} GB.")


def summary_is_right(view: StudentView) -> Checked:
    key = raw_payments(view)
    if key is None:
        return Checked(False, "The bucket has no dated CSV file under raw/ yet (step 2).")
    keys = view.client("s3").list_objects_v2(Bucket=view.resources["bucket"]["name"], Prefix=SUMMARY)
    if not keys.get("Contents"):
        return Checked(False, f"The bucket has no {SUMMARY} yet. Run the cell with your bucket's name in it.")
    found = summary_is_of(view, SUMMARY, key)
    return Checked(True, f"{found.said} Your work is in S3, and outlives the notebook.") if found.passed else found


def is_stopped(view: StudentView) -> Checked:
    status = notebook(view)["NotebookInstanceStatus"]
    if status in ("Stopping", "Stopped"):
        return Checked(True, f"It is {status}. The machine costs nothing more; the disk does, until Finish.")
    return Checked(False, f"The notebook is {status}. Stop it.")


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def play_summary(view: StudentView) -> None:
    put_file(view, SUMMARY, as_summary(by_merchant(text_of(view, raw_payments(view) or ""))))


def play_stop(view: StudentView) -> None:
    view.client("sagemaker").stop_notebook_instance(NotebookInstanceName=view.resources["notebook"]["name"])


# --- the words -----------------------------------------------------------------------------------------------

OPEN = """
A notebook instance is a machine with Jupyter on it. It needs about five minutes to start. Press **Get temporary
credentials**, paste them into your terminal (on Windows: Git Bash or WSL), and ask for its state:

```bash
aws sagemaker describe-notebook-instance --notebook-instance-name {notebook.name} \\
  --query '[NotebookInstanceStatus,InstanceType,VolumeSizeInGB]'
```

When it is `InService`, open it: in the AWS console go to **SageMaker AI**, **Notebook instances**, `{notebook.name}`,
**Open JupyterLab**. Make a new notebook with the kernel `conda_python3`.
"""

DATA = """
The notebook's disk is deleted with it. So data and results belong in S3. The lab has a bucket for them. Upload
`card-payments.csv` from the material of week 1:

```bash
aws s3 cp card-payments.csv s3://{bucket.name}/raw/year=2025/month=09/day=13/card-payments.csv
```
"""

WORK = """
How many payments of each merchant type are fraud? Paste this into a cell and run it. It reads from S3 and writes to S3;
the notebook has a role for this, and no key.

```python
import csv
import io

import boto3

s3 = boto3.client("s3")
bucket = "{bucket.name}"
file = s3.get_object(Bucket=bucket, Key="raw/year=2025/month=09/day=13/card-payments.csv")
count = {}
for row in csv.DictReader(io.StringIO(file["Body"].read().decode())):
    payments, frauds = count.get(row["merchant_type"], (0, 0))
    count[row["merchant_type"]] = (payments + 1, frauds + int(row["is_fraud"]))

lines = ["merchant_type,payments,frauds"]
lines += [f"{name},{payments},{frauds}" for name, (payments, frauds) in sorted(count.items())]
s3.put_object(Bucket=bucket, Key="processed/fraud-by-merchant.csv", Body="\\n".join(lines).encode())
print("\\n".join(lines))
```

Which type has the most fraud? The check counts too, and compares.
"""

STOP = """
This is the step that people forget. Closing the browser does **not** stop the machine. Stop it:

```bash
aws sagemaker stop-notebook-instance --notebook-instance-name {notebook.name}
aws sagemaker describe-notebook-instance --notebook-instance-name {notebook.name} --query NotebookInstanceStatus
```

Look at the meter of this page before and after. The disk stays, and its price too.
"""

FINISH = """
The notebook's disk is deleted with it. So put your notebook file into the bucket too. In JupyterLab open **File**,
**New**, **Terminal** (with the name of your file):

```sh
aws s3 cp SageMaker/Untitled.ipynb s3://{bucket.name}/notebooks/
```

Then press **Finish lab**. What lies under `processed/` and `notebooks/` is copied to your locker first. Then the
notebook is deleted, then its role and the bucket. The portal shows you the proof.
"""

LAB = Lab(
    slug="sagemaker-notebook",
    title="SageMaker notebook",
    summary="Open a notebook instance, count frauds in it, keep the result in S3, and stop the machine: "
    "the course's most forgotten step.",
    theme="Model development with SageMaker",
    minutes=60,
    hours=Decimal(3),
    wants=(
        Want("bucket", "s3-bucket", {"prefixes": ["raw/", "processed/"]}),
        Want(
            "role",
            "iam-role",
            {
                "trust": "sagemaker.amazonaws.com",
                "description": "Lab: a notebook works in one bucket",
                "inline_policies": {"works-in-its-bucket": WORKS_IN_ITS_BUCKET},
            },
            needs=("bucket",),
        ),
        Want(
            "notebook",
            "sagemaker-notebook",
            {"type": "ml.t3.medium", "gb": 5, "role_arn": "{role.arn}"},
            needs=("role",),
        ),
    ),
    steps=(
        Step(
            "open",
            "Open the notebook",
            OPEN,
            is_in_service,
            expect="There is no Jupyter behind a simulated notebook. You see its states; the code of step 3 runs on "
            "your own computer.",
        ),
        Step("data", "Put the payments into S3", DATA, data_is_in_raw, play=upload_payments),
        Step(
            "work",
            "Count the frauds, and keep the result in S3",
            WORK,
            summary_is_right,
            expect="Run the same code on your own computer, in the terminal with the temporary credentials "
            "(pip install boto3, then python3).",
            play=play_summary,
        ),
        Step("stop", "Stop the notebook, and see what still costs", STOP, is_stopped, play=play_stop),
        Step(
            "finish",
            "Finish the lab, so that nothing is left on",
            FINISH,
            expect="There is no JupyterLab here, and nothing on the notebook's disk. Leave out the first part.",
        ),
    ),
    saves=(("bucket", "processed/"), ("bucket", "notebooks/")),
    kept=gettext_noop(
        "The notebook is deleted with its disk, and so are its role and the bucket. What lies under processed/ and "
        "notebooks/ is copied to your locker first."
    ),
    calls_usd=Decimal("0.01"),
    calls_note=gettext_noop("$0.01 of that sum is for the calls to S3."),
)
