"""Lab: the first program with boto3: who am I, write, list, read, an error, and a clean-up. The notebook of week 1 does
the same, and passes the same checks."""

import json
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from labs.catalog.base import Checked, Lab, Step, StudentView
from labs.catalog.looking import files_under, put_file, rows_of, text_if_there
from labs.kinds.base import Want

RAW = "raw/year=2025/month=09/day=13/payments.csv"
SUMMARY = "processed/summary.json"
PAYMENTS = """\
payment_id,paid_at,merchant_type,amount_usd,is_fraud
P1,2025-09-13T02:11:00Z,fuel,41.80,0
P2,2025-09-13T02:14:00Z,fuel,28.80,0
P3,2025-09-13T03:37:00Z,electronics,173.70,0
P4,2025-09-13T05:02:00Z,online,402.10,1
P5,2025-09-13T06:45:00Z,grocery,12.35,0
P6,2025-09-13T07:30:00Z,travel,230.00,0
P7,2025-09-13T09:08:00Z,electronics,611.90,1
P8,2025-09-13T11:51:00Z,grocery,20.40,0
"""


def summary_of(text: str) -> dict[str, dict[str, Any]]:
    """{"honest": {"payments", "mean_usd"}, "fraud": ...} of the table of payments, means to the cent."""
    summary = {}
    for word, label in (("honest", "0"), ("fraud", "1")):
        amounts = [float(row["amount_usd"]) for row in rows_of(text) if row["is_fraud"].strip() == label]
        mean = round(sum(amounts) / len(amounts), 2) if amounts else 0.0
        summary[word] = {"payments": len(amounts), "mean_usd": mean}
    return summary


# --- the checks ----------------------------------------------------------------------------------------------


def payments_are_there(view: StudentView) -> Checked:
    said = text_if_there(view, RAW)
    if said is None:
        return Checked(False, f"The bucket has no {RAW} yet. Let the program write into this lab's bucket.")
    try:
        count = sum(each["payments"] for each in summary_of(said).values())
    except (KeyError, ValueError, AttributeError):
        return Checked(False, f"{RAW} is there, but it is not the table of payments.")
    if not count:
        return Checked(False, f"{RAW} has no payments in it.")
    return Checked(True, f"{RAW} is there, with {count} payments.")


def summary_is_right(view: StudentView) -> Checked:
    raw, said = text_if_there(view, RAW), text_if_there(view, SUMMARY)
    if raw is None:
        return Checked(False, f"The bucket has no {RAW} (the step before).")
    if said is None:
        return Checked(False, f"The bucket has no {SUMMARY} yet.")
    try:
        found, right = json.loads(said), summary_of(raw)
        wrong = [word for word in right if differs(found[word], right[word])]
    except (ValueError, KeyError, TypeError, AttributeError):
        return Checked(
            False, f'{SUMMARY} must be like {{"honest": {{"payments": 6, "mean_usd": 84.51}}, "fraud": ...}}.'
        )
    if wrong:
        return Checked(False, f"{wrong[0]} is not right. Count what has is_fraud 0 and what has 1.")
    fraud, honest = right["fraud"]["mean_usd"], right["honest"]["mean_usd"]
    return Checked(True, f"Right: a fraud is {fraud:.2f} USD on average, an honest payment {honest:.2f}.")


def differs(found: dict[str, Any], right: dict[str, Any]) -> bool:
    return found["payments"] != right["payments"] or abs(found["mean_usd"] - right["mean_usd"]) > 0.011


def error_was_read(view: StudentView) -> Checked:
    said = text_if_there(view, "processed/error.txt")
    if said is None:
        return Checked(False, "The bucket has no processed/error.txt yet.")
    if said.strip() not in ("NoSuchKey", "404"):
        return Checked(
            False, f"processed/error.txt says {said.strip()[:40]!r}. Write down the error's code, not its text."
        )
    return Checked(True, f"{said.strip()}: there is no such file. A program can tell this from AccessDenied.")


def is_cleaned_up(view: StudentView) -> Checked:
    left = [each["Key"] for prefix in ("raw/", "processed/") for each in files_under(view, prefix)]
    if left:
        return Checked(False, f"{left[0]} is still there.")
    bucket = view.resources["bucket"]["name"]
    versions = view.client("s3").list_object_versions(Bucket=bucket).get("Versions", ())
    old = [version for version in versions if version["Size"]]
    if not old:
        return Checked(False, "Nothing was written into this bucket yet (the first steps).")
    return Checked(
        True, f"Nobody sees a file any more, and {len(old)} old versions still cost. Finish deletes them too."
    )


# --- the same as code, for a rehearsal -----------------------------------------------------------------------


def play_put(view: StudentView) -> None:
    put_file(view, RAW, PAYMENTS)


def play_summary(view: StudentView) -> None:
    put_file(view, SUMMARY, json.dumps(summary_of(PAYMENTS)))


def play_error(view: StudentView) -> None:
    put_file(view, "processed/error.txt", "NoSuchKey")


def play_clean_up(view: StudentView) -> None:
    for prefix in ("raw/", "processed/"):
        for each in files_under(view, prefix):
            view.client("s3").delete_object(Bucket=view.resources["bucket"]["name"], Key=each["Key"])


# --- the words -----------------------------------------------------------------------------------------------

PUT = (
    """
Press **Get temporary credentials** and paste them into your terminal (on Windows: Git Bash or WSL). Start `python3` or
`jupyter lab` in the same terminal: then boto3 finds the credentials by itself, and the program holds no secret. (Needed
once: `pip install boto3`.)

Who am I, and is this my bucket?

```python
import boto3

who = boto3.client("sts").get_caller_identity()
print("account", who["Account"], "as", who["Arn"])
boto3.client("s3").head_bucket(Bucket="{bucket.name}")
print("The bucket is there, and I may look at it.")
```

Put eight payments into it. The key says the date:

```python
import boto3

PAYMENTS = \"\"\"\\
"""
    + PAYMENTS
    + """\"\"\"
s3 = boto3.client("s3")
key = "raw/year=2025/month=09/day=13/payments.csv"
s3.put_object(Bucket="{bucket.name}", Key=key, Body=PAYMENTS.encode())
for page in s3.get_paginator("list_objects_v2").paginate(Bucket="{bucket.name}", Prefix="raw/"):
    for item in page.get("Contents", []):
        print(item["Size"], "bytes", item["Key"])
```

One answer holds at most 1,000 keys. A paginator asks until there are no more.
"""
)

READ = """
Read the file, and make something of it: what is the average of honest payments, and of frauds?

```python
import csv
import io
import json

import boto3

s3 = boto3.client("s3")
file = s3.get_object(Bucket="{bucket.name}", Key="raw/year=2025/month=09/day=13/payments.csv")
rows = list(csv.DictReader(io.StringIO(file["Body"].read().decode())))
summary = {}
for word, label in (("honest", "0"), ("fraud", "1")):
    amounts = [float(row["amount_usd"]) for row in rows if row["is_fraud"] == label]
    summary[word] = {"payments": len(amounts), "mean_usd": round(sum(amounts) / len(amounts), 2)}

s3.put_object(Bucket="{bucket.name}", Key="processed/summary.json", Body=json.dumps(summary).encode())
print(summary)
```

The check computes the same from your file, and compares.
"""

ERROR = """
An error is an answer too. Ask for a file that is not there. Look at the **code** of the error, and never at its text:

```python
import boto3
from botocore.exceptions import ClientError

s3 = boto3.client("s3")
code = "no error"
try:
    s3.get_object(Bucket="{bucket.name}", Key="models/v99/model.tar.gz")
except ClientError as error:
    code = error.response["Error"]["Code"]
print(code)
s3.put_object(Bucket="{bucket.name}", Key="processed/error.txt", Body=code.encode())
```

With `except Exception: pass` this program would go on as if all was well, also on the day on which it may not read any
more.
"""

CLEAN_UP = """
A program that makes something has a twin that deletes it. Run it twice: it must not fail when there is nothing left.

```python
import boto3

s3 = boto3.client("s3")
for page in s3.get_paginator("list_objects_v2").paginate(Bucket="{bucket.name}"):
    for item in page.get("Contents", []):
        s3.delete_object(Bucket="{bucket.name}", Key=item["Key"])
        print("deleted", item["Key"])

versions = s3.list_object_versions(Bucket="{bucket.name}").get("Versions", [])
print(len(versions), "old versions are still stored, and still cost")
```

This bucket keeps versions. So a delete hides the files, and does not free them.
"""

FINISH = """
Press **Finish lab**: now the old versions go too, and the bucket with them.
"""

LAB = Lab(
    slug="boto3-first-steps",
    title="First steps with boto3",
    summary="A small program asks who it is, writes to S3, reads it back, meets an error, and cleans up. As a notebook "
    "or in a terminal.",
    theme="Introduction to cloud computing",
    minutes=35,
    hours=Decimal(1),
    wants=(Want("bucket", "s3-bucket", {"versioning": True, "prefixes": ["raw/", "processed/"]}),),
    steps=(
        Step("put", "Write into a bucket", PUT, payments_are_there, play=play_put),
        Step("read", "Read it, and make something of it", READ, summary_is_right, play=play_summary),
        Step("error", "Read an error", ERROR, error_was_read, play=play_error),
        Step("clean-up", "Clean up after yourself", CLEAN_UP, is_cleaned_up, play=play_clean_up),
        Step("finish", "Finish the lab, so that nothing is left on", FINISH),
    ),
    kept=gettext_noop("Nothing stays: the bucket is deleted with everything in it."),
    calls_usd=Decimal("0.01"),
    calls_note=gettext_noop("An S3 bucket costs almost nothing; $0.01 of that sum is for your calls to it."),
)
